"""Whether a certificate is revoked, as far as lists say (RFC 5280 section 6.3).

One `StatusCheck` serves one verdict. The search calls it for each path that holds in every other respect, and goes on
to another path if it refuses. Nothing it concludes outlives the verdict; that a list's signature verifies under a key
does, since that never changes.

Two rules for what a list is worth:

- What a rightly signed list lists is revoked, however old the list is and whatever else it covers: nobody comes back
  from there. (On hold somebody does, so that needs a current list.) Only a good answer by newer lists goes before.
- What it does not list is good only if the list is current, keeps to RFC 5280, covers the certificate, and leaves no
  reason for revocation to lists that are not there.

Who may sign a list stands in `crl_signers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lighttls._typing import Final
from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import distinguished_name, distribution_points, extensions
from lighttls.x509.certificate import Certificate
from lighttls.x509.crl import RevocationList
from lighttls.x509.crl_entries import CERTIFICATE_HOLD, REMOVE_FROM_CRL, Entry, reason_name
from lighttls.x509.crl_signers import Signers, too_much, unusable
from lighttls.x509.distinguished_name import Name
from lighttls.x509.distribution_points import ALL_REASONS, ITS_ISSUER, DistributionPoint, PointNames
from lighttls.x509.policy import VerifyPolicy, date_text
from lighttls.x509.revocation_policy import RevocationPolicy
from lighttls.x509.trust_store import Anchor
from lighttls.x509.verified_signatures import VerifiedSignatures

COMPARISONS: Final = 20_000  # of a list with a distribution point in one verdict; some have hundreds of lists


class StatusCheck:
    """Judges paths by lists; made for one verdict and thrown away."""

    def __init__(
        self,
        policy: VerifyPolicy,
        revocation: RevocationPolicy,
        at: int,
        provider: CryptoProvider,
        stapled: bool,
        known: VerifiedSignatures | None,
    ) -> None:
        """`stapled`: a response about the leaf is there, and judged elsewhere."""
        self._time = policy.time
        self._revocation = revocation
        self._at = at
        self._stapled = stapled
        self._signers = Signers(policy, revocation, at, provider, known, self)
        self._comparisons_left = COMPARISONS

    def check(self, path: Sequence[Certificate], anchor: Anchor, pool: Mapping[Name, Sequence[Certificate]]) -> None:
        """Refuse a path with a revoked certificate; in hard mode also one with a certificate of unknown status.

        `path` is otherwise good, leaf first; `pool` has the certificates that were sent, by subject.
        """
        outermost = self._signers.enter(path, anchor, pool)
        unknown = None
        for depth in reversed(range(len(path))):
            try:
                problem = self._status(path, depth, anchor)
            except CertificateError as error:
                error.context.setdefault("culprit", path[depth])
                raise
            if problem is not None and not (depth == 0 and outermost and self._stapled):
                problem.context["culprit"] = path[depth]
                unknown = problem
        if unknown is not None and self._revocation.mode == "hard":
            raise unknown

    def check_responder(self, responder: Certificate, above: Sequence[Certificate], anchor: Anchor) -> None:
        """The same of an OCSP responder, whom the leaf's issuer certified; `above` the leaf the path was judged."""
        problem = self._status([responder, *above], 0, anchor)
        if problem is not None and self._revocation.mode == "hard":
            raise problem

    def _status(self, path: Sequence[Certificate], depth: int, anchor: Anchor) -> CertificateError | None:
        """None if the certificate at `depth` is good, why nothing is known else. Raises CertificateError: revoked.

        RFC 5280 §6.3.3: lists are consulted until they cover all reasons for revocation.
        """
        certificate = path[depth]
        covered = 0
        asked: dict[
            RevocationList, CertificateError | None
        ] = {}  # what it could not say; several points may lead to it
        for point in distribution_points.of(certificate):
            for one in self._lists(point, certificate):
                reasons = point.reasons & one.scope.reasons & ~covered
                if not reasons or not self._covers(one, point, certificate):
                    continue
                if one not in asked:
                    asked[one] = self._answer(one, path, depth, anchor)
                if asked[one] is None:
                    covered |= reasons
                    if covered == ALL_REASONS:
                        return None
        self._accused(path, depth, anchor, {one for one, problem in asked.items() if problem is None})
        return next(filter(None, asked.values()), None) or _unknown(certificate, covered)

    def _answer(
        self, one: RevocationList, path: Sequence[Certificate], depth: int, anchor: Anchor
    ) -> CertificateError | None:
        """None if the certificate is good by this list, why the list cannot say else. Raises CertificateError."""
        try:
            self._consult(one, path, depth, anchor)
        except CertificateError as error:
            if error.reason not in _NO_ANSWER:
                raise
            return error
        return None

    def _accused(self, path: Sequence[Certificate], depth: int, anchor: Anchor, done: set[RevocationList]) -> None:
        """Raise CertificateError if a list that could not have shown the certificate to be good lists it all the same.

        Such as one that has ended, one for another distribution point, or changes to a list that is not here: an issuer
        gives each serial number once, and what is revoked stays so.
        """
        certificate = path[depth]
        for point in distribution_points.of(certificate):
            for one in self._lists(point, certificate):
                self._compare()
                if one in done:
                    continue
                done.add(one)
                if one.scope.only_attributes or not one.entries.may_list(certificate.serial_number):
                    continue
                try:
                    self._signers.key_of(one, path, depth, anchor)
                    _read_entries(one)
                    entry = _find(one, certificate)
                except CertificateError as error:
                    if error.reason not in _NO_ANSWER:
                        raise
                    continue
                if entry is None or entry.reason == REMOVE_FROM_CRL:
                    continue
                if entry.reason != CERTIFICATE_HOLD or self._stale(one) is None:
                    raise _revoked(entry, one)

    def _lists(self, point: DistributionPoint, certificate: Certificate) -> list[RevocationList]:
        """§6.3.3 (b) (1): those of the right issuer, the newest first."""
        if point.issuers is None:
            return self._revocation.issued_by(certificate.issuer_name)
        found = []
        for kind, name in point.issuers:
            if kind == extensions.DIRECTORY_NAME and isinstance(name, tuple):
                found += self._revocation.issued_by(name)
        return found

    def _covers(self, one: RevocationList, point: DistributionPoint, certificate: Certificate) -> bool:
        """§6.3.3 (b): whether a list of the right issuer is about this certificate, and of this point."""
        self._compare()
        scope = one.scope
        if (
            one.base_number is not None  # a delta is nothing by itself
            or (point.issuers is not None and not scope.indirect)
            or scope.only_attributes
            or (scope.only_user and certificate.is_ca)
            or (scope.only_authorities and not certificate.is_ca)
        ):
            return False
        if scope.name is None:
            return True
        wanted: PointNames
        if point is ITS_ISSUER:
            wanted = frozenset(((extensions.DIRECTORY_NAME, certificate.issuer_name),))
        elif point.name is not None:
            wanted = point.name.names(one.issuer_name)
        else:
            wanted = point.issuers or frozenset()
        return not wanted.isdisjoint(scope.name.names(one.issuer_name))

    def _compare(self) -> None:
        if self._comparisons_left == 0:
            raise too_much(f"more than {COMPARISONS} comparisons of CRLs with distribution points")
        self._comparisons_left -= 1

    def _consult(self, one: RevocationList, path: Sequence[Certificate], depth: int, anchor: Anchor) -> None:
        """§6.3.3 (c) to (l): return if the certificate is good as far as this list covers it.

        Raises CertificateError: it is revoked, or the list cannot say.
        """
        certificate = path[depth]
        key = self._signers.key_of(one, path, depth, anchor)
        _read_entries(one)
        stale = self._stale(one)
        delta = self._delta(one, key)
        entry, source, removed = None, one, False
        if delta is not None:
            delta_stale = self._stale(delta)
            stale = None if delta_stale is None else stale
            entry, source = _find(delta, certificate), delta
            if entry is not None and entry.reason == REMOVE_FROM_CRL:
                entry, removed = None, delta_stale is None
        if entry is None and not removed:
            entry, source = _find(one, certificate), one
        if stale is not None:  # `_accused` sees what is listed there all the same
            raise CertificateError(f"the {one} {stale}", ChainReason.CRL_EXPIRED)
        if entry is not None:
            raise _revoked(entry, source)
        if one.flaw is not None:
            raise unusable(one, one.flaw)

    def _delta(self, one: RevocationList, key: bytes) -> RevocationList | None:
        """§5.2.4, §6.3.3 (c), (h): the newest list of changes since `one` or an older one, signed by the same key."""
        for delta in self._revocation.issued_by(one.issuer_name):
            if (
                delta.base_number is not None
                and one.number is not None
                and delta.number is not None
                and delta.base_number <= one.number < delta.number
                and delta.scope_der == one.scope_der
                and delta.unknown_extension is None
            ):
                try:
                    if self._signers.verifies(delta, key):
                        _read_entries(delta)
                        return delta
                except CertificateError as error:  # as if it were not there: the complete list stands by itself
                    if error.reason not in _NO_ANSWER:
                        raise
        return None

    def _stale(self, one: RevocationList) -> str | None:
        """Why the list is not current; None if it is, or dates are not to be checked now."""
        if one.next_update is None:
            endless = "does not say when the next one comes, so nobody can tell whether it is current"
            return endless if self._time.checks_dates else None
        return self._time.untimely(one.this_update, one.next_update, self._at) or None


_NO_ANSWER: Final = (ChainReason.CRL_EXPIRED, ChainReason.CRL_UNUSABLE)


def _read_entries(one: RevocationList) -> None:
    try:
        one.entries.read()
    except CertificateError as error:
        raise unusable(one, f"cannot be used: {error}") from error


def _find(one: RevocationList, certificate: Certificate) -> Entry | None:
    try:
        return one.entries.find(certificate.serial_number, certificate.issuer_name)
    except CertificateError as error:
        raise unusable(one, f"cannot be used: {error}") from error


def _revoked(entry: Entry, source: RevocationList) -> CertificateError:
    return CertificateError(
        f"revoked on {date_text(entry.revoked_at)} ({reason_name(entry.reason)}), says the {source}",
        ChainReason.REVOKED,
    )


def _unknown(certificate: Certificate, covered: int) -> CertificateError:
    if covered:
        text = "the CRLs that were given cover only some of the reasons for which it may be revoked"
    else:
        text = f"no CRL that was given covers what '{distinguished_name.text(certificate.issuer)}' issued"
    return CertificateError(text, ChainReason.REVOCATION_UNKNOWN)
