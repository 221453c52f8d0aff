"""What the owner of a device demands to know about revocation, and what it may be learnt from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lighttls._typing import Any, Final
from lighttls.errors import CertificateError, ConfigurationError
from lighttls.x509 import pem
from lighttls.x509.certificate import Certificate
from lighttls.x509.crl import RevocationList
from lighttls.x509.distinguished_name import Name

Lists = bytes | str | RevocationList
Certificates = bytes | str | Certificate

MODES: Final = ("hard", "soft")
STAPLING: Final = ("accept", "require")
_NOT_A_PATH: Final = ", the contents of a file and not its name"


class RevocationPolicy:
    """How revocation is checked: `VerifyPolicy(revocation=RevocationPolicy(crls=...))`. Immutable by convention.

    `crls`: certificate revocation lists, complete, delta or indirect: PEM text with any number of them, DER of one, a
    `RevocationList`, or a collection of these. They are read once, here; nothing is fetched. `certificates` of those
    who sign lists, where it is not the authority itself and the server does not send them either.

    `mode="hard"` wants a good answer about every certificate of the path but the anchor: a current list that covers it
    and does not list it, or, for the leaf, a good stapled OCSP response. `mode="soft"` refuses what is revoked, and
    takes no answer for a good one. `ocsp="require"` wants a stapled OCSP response from every server, whatever its
    certificate promises; with "accept" one that comes is judged, and counts as the answer about the leaf.

    A stapled response that is wrong, or that its certificate promised and that did not come, is refused in both modes.
    """

    __slots__ = ("_by_issuer", "certificates", "crls", "mode", "ocsp")

    crls: tuple[RevocationList, ...]
    certificates: tuple[Certificate, ...]
    ocsp: str
    mode: str
    _by_issuer: dict[Name, list[RevocationList]]

    def __init__(
        self,
        *,
        crls: Lists | Iterable[Lists] = (),
        certificates: Certificates | Iterable[Certificates] = (),
        ocsp: str = "accept",
        mode: str = "hard",
    ) -> None:
        """Raises ConfigurationError: something in `crls` or `certificates` cannot be read."""
        if mode not in MODES:
            raise ConfigurationError(f"RevocationPolicy: mode is {mode!r}; it can be {' or '.join(map(repr, MODES))}")
        if ocsp not in STAPLING:
            raise ConfigurationError(
                f"RevocationPolicy: ocsp is {ocsp!r}; it can be {' or '.join(map(repr, STAPLING))}"
            )
        self.mode = mode
        self.ocsp = ocsp
        self.crls = _lists(crls)
        self.certificates = _certificates(certificates)
        self._by_issuer = {}
        for one in sorted(self.crls, key=_newest_first):
            self._by_issuer.setdefault(one.issuer_name, []).append(one)

    def issued_by(self, name: Name) -> list[RevocationList]:
        """The lists of one issuer, the newest first."""
        return self._by_issuer.get(name, [])

    def settled_until(self, now: float) -> int | None:
        """When the first of the lists that are current at `now` ends; None where no verdict hangs on that."""
        if self.mode != "hard":
            return None
        ends = [one.next_update for one in self.crls if one.next_update is not None and one.next_update >= now]
        return min(ends, default=None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RevocationPolicy) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def __repr__(self) -> str:
        return f"<RevocationPolicy {self.mode}, {len(self.crls)} CRLs, ocsp {self.ocsp}>"

    def _parts(self) -> tuple[object, ...]:
        return self.mode, self.ocsp, self.crls, self.certificates


def _newest_first(one: RevocationList) -> tuple[int, int]:
    return -one.this_update, -(one.number or 0)


def _lists(given: Lists | Iterable[Lists]) -> tuple[RevocationList, ...]:
    found: dict[RevocationList, None] = {}
    for origin, each in _items("crls", given, Lists):
        if isinstance(each, RevocationList):
            found[each] = None
            continue
        for place, encoded in enumerate(pem.crls(each, origin), 1):
            try:
                found[RevocationList.parse(encoded)] = None
            except CertificateError as error:
                raise ConfigurationError(f"{origin}: CRL {place}: {error}") from error
    return tuple(found)


def _certificates(given: Certificates | Iterable[Certificates]) -> tuple[Certificate, ...]:
    found: dict[Certificate, None] = {}
    for origin, each in _items("certificates", given, Certificates):
        encoded = [each.der] if isinstance(each, Certificate) else pem.certificates(each, origin)
        for place, data in enumerate(encoded, 1):
            try:
                certificate = Certificate.parse(data)
                certificate.subject_name  # noqa: B018 - it is found by its name
            except CertificateError as error:
                raise ConfigurationError(f"{origin}: certificate {place}: {error}") from error
            found[certificate] = None
    return tuple(found)


def _items(setting: str, given: Any, kinds: Any) -> Iterator[tuple[str, Any]]:
    """Each item with what it is called in errors; one that stands alone needs no collection."""
    origin = f"RevocationPolicy: {setting}"
    if isinstance(given, kinds):
        given = (given,)
    elif not isinstance(given, Iterable):
        raise ConfigurationError(
            f"{origin} is a {type(given).__name__}; bytes, text or a collection were expected{_NOT_A_PATH}"
        )
    for number, each in enumerate(given, 1):
        if not isinstance(each, kinds):
            raise ConfigurationError(
                f"{origin}, item {number} is a {type(each).__name__}; bytes or text were expected{_NOT_A_PATH}"
            )
        yield f"{origin}, item {number}", each
