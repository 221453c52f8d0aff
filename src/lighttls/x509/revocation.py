"""Whether a certificate is revoked, as far as lists say (RFC 5280 section 6.3).

One `StatusCheck` serves one verdict. The search calls it for each path that holds in every other respect, and goes on
to another path if it refuses. Nothing it concludes outlives the verdict; that a list's signature verifies under a key
does, since that never changes.

Two rules for what a list is worth:

- What a rightly signed list lists is revoked, however old the list is and whatever else it covers: nobody comes back
  from there. (On hold somebody does, so that needs a current list.) Only a good answer by newer lists goes before.
- What it does not list is good only if the list is current, keeps to RFC 5280, covers the certificate, and leaves no
  reason for revocation to lists that are not there.

A list is signed by the certificate's issuer, with the key that the path has for it or another; or by whom the
certificate names as cRLIssuer. Whoever it is needs a path to the same anchor and, where it has a keyUsage, cRLSign.
Whoever signs for an authority with a key that is not in the path must have it from that authority or from the one
above it: other authorities below the same anchor could certify the same name. That certificate may be listed itself,
so this goes round; a list counts for the certificate of its own signer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lighttls._typing import Final
from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import BadSignature, CertificateError, ChainReason
from lighttls.x509 import distinguished_name, distribution_points, extensions, public_key, signatures
from lighttls.x509.certificate import Certificate
from lighttls.x509.crl import CERTIFICATE_HOLD, REMOVE_FROM_CRL, Entry, RevocationList, reason_name
from lighttls.x509.distinguished_name import Name
from lighttls.x509.distribution_points import ALL_REASONS, ITS_ISSUER, DistributionPoint, PointNames
from lighttls.x509.path import Search
from lighttls.x509.policy import SignaturePolicy, VerifyPolicy, date_text
from lighttls.x509.revocation_policy import RevocationPolicy
from lighttls.x509.trust_store import Anchor, TrustStore
from lighttls.x509.verified_signatures import VerifiedSignatures

SLACK: Final = 300  # seconds by which our clock and the issuer's may differ, as for OCSP (OCSP-12)

# Budgets of one verdict. Real paths need one list for each certificate, signed by its issuer.
SIGNATURES: Final = 64  # of lists, each over all of its bytes
COMPARISONS: Final = 20_000  # of a list with a distribution point; some authorities split theirs into hundreds
SIGNERS: Final = 32  # whose own paths are searched
DEEPEST: Final = 4  # signers of lists about signers of lists

_KEYS_REMEMBERED: Final = 16  # per list; it is signed with one, and has few namesakes
_STRICT: Final = SignaturePolicy()  # whatever the anchor permits below it: lists are made anew all the time


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
        self._max_depth = policy.max_depth
        self._revocation = revocation
        self._at = at
        self._provider = provider
        self._stapled = stapled
        self._known = known
        self._pool: Mapping[Name, Sequence[Certificate]] = {}
        self._under_way: list[bytes] = []  # signers whose paths are being judged (DER)
        self._judged: dict[tuple[bytes, bytes], CertificateError | None] = {}  # signer, anchor's key: what is wrong
        self._issuing_keys: dict[tuple[bytes, bytes], bytes] = {}  # signer, anchor's key: who certified it
        self._signatures_left = SIGNATURES
        self._comparisons_left = COMPARISONS
        self._signers_left = SIGNERS

    def check(self, path: Sequence[Certificate], anchor: Anchor, pool: Mapping[Name, Sequence[Certificate]]) -> None:
        """Refuse a path with a revoked certificate; in hard mode also one with a certificate of unknown status.

        `path` is otherwise good, leaf first; `pool` has the certificates that were sent, by subject.
        """
        outermost = not self._under_way
        if outermost:
            self._pool = pool
        else:
            self._issuing_keys[path[0].der, anchor.spki] = path[1].spki if len(path) > 1 else anchor.spki
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
                if one.scope.only_attributes or not one.may_list(certificate.serial_number):
                    continue
                try:
                    self._signer(one, path, depth, anchor)
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
            raise _too_much(f"more than {COMPARISONS} comparisons of CRLs with distribution points")
        self._comparisons_left -= 1

    def _consult(self, one: RevocationList, path: Sequence[Certificate], depth: int, anchor: Anchor) -> None:
        """§6.3.3 (c) to (l): return if the certificate is good as far as this list covers it.

        Raises CertificateError: it is revoked, or the list cannot say.
        """
        certificate = path[depth]
        key = self._signer(one, path, depth, anchor)
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
            raise _unusable(one, one.flaw)

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
                    if self._verifies(delta, key):
                        _read_entries(delta)
                        return delta
                except CertificateError as error:  # as if it were not there: the complete list stands by itself
                    if error.reason not in _NO_ANSWER:
                        raise
        return None

    def _stale(self, one: RevocationList) -> str | None:
        """Why the list is not current; None if it is, or dates are not to be checked now."""
        if not self._time.checks_dates:
            return None
        at, earliest = self._at, self._time.earliest
        if one.next_update is None:
            return "does not say when the next one comes, so nobody can tell whether it is current"
        if earliest is not None and at < earliest:
            at = earliest  # as for certificates: a clock that is known to be behind shows no date as too early
        elif at < one.this_update - SLACK:
            return f"is from {date_text(one.this_update)}, and the clock says {date_text(at)}"
        if at > one.next_update + SLACK:
            return f"ended on {date_text(one.next_update)}, and the time is taken as {date_text(at)}"
        return None

    # --- who signed it (§6.3.3 f, g) ---------------------------------------------------------------

    def _signer(self, one: RevocationList, path: Sequence[Certificate], depth: int, anchor: Anchor) -> bytes:
        """The SubjectPublicKeyInfo of an entitled signer. Raises CertificateError: there is none."""
        if one.unknown_extension is not None:
            raise _unusable(one, f"has the critical extension {one.unknown_extension}, which is not implemented")
        failure = None
        for spki, holder, judged in self._candidates(one.issuer_name, path, depth, anchor):
            try:
                if self._verifies(one, spki):
                    if holder is not None:
                        _check_usage(one, holder)
                        if not judged:
                            self._judge_signer(one, holder, path, depth, anchor)
                    return spki
            except CertificateError as error:
                if error.reason is ChainReason.LIMIT_EXCEEDED:
                    raise
                failure = (
                    error if error.reason is ChainReason.CRL_UNUSABLE else _unusable(one, f"has no signer: {error}")
                )
        raise failure or _unusable(one, "is signed by a key that no certificate of its issuer here has")

    def _candidates(
        self, name: Name, path: Sequence[Certificate], depth: int, anchor: Anchor
    ) -> Iterator[tuple[bytes, Certificate | None, bool]]:
        """Who has this name: key, certificate, and whether the path above `depth` has judged it already."""
        for above in path[depth + 1 :]:
            if above.subject_name == name:
                yield above.spki, above, True
        if anchor.name == name:
            yield anchor.spki, anchor.certificate, True
        for other in self._pool.get(name, ()):
            yield other.spki, other, False
        for other in (*self._revocation.certificates, *path[: depth + 1]):
            if other.subject_name == name:
                yield other.spki, other, False

    def _judge_signer(
        self, one: RevocationList, signer: Certificate, path: Sequence[Certificate], depth: int, anchor: Anchor
    ) -> None:
        """Whether a certificate outside the path entitles to sign this list."""
        fact = signer.der, anchor.spki
        if signer.der in self._under_way:
            problem = None  # its own list, or one that its list speaks of: what it is waiting for
        elif fact in self._judged:
            problem = self._judged[fact]
        else:
            problem = self._search(one, signer, path, anchor)
            if not self._under_way:  # further in, the answer may hang on what is still being judged
                self._judged[fact] = problem
        if problem is not None:
            raise problem
        if one.issuer_name == path[depth].issuer_name:
            keys = [*(above.spki for above in path[depth + 1 :]), anchor.spki]
            if self._issuing_keys.get(fact) not in keys[:2]:
                raise _unusable(one, "is signed by a key that neither its issuer nor who certified that vouches for")

    def _search(
        self, one: RevocationList, signer: Certificate, path: Sequence[Certificate], anchor: Anchor
    ) -> CertificateError | None:
        """Look for a path of its own to the same anchor, with nothing revoked in it; what is wrong if there is none."""
        if len(self._under_way) == DEEPEST:
            return _unusable(one, f"hangs on signers of CRLs about signers of CRLs, more than {DEEPEST} deep")
        if self._signers_left == 0:
            raise _too_much(f"more than {SIGNERS} signers of CRLs to judge")
        self._signers_left -= 1
        policy = VerifyPolicy(time=self._time, check_hostname=False, max_depth=self._max_depth)
        others = [each for namesakes in self._pool.values() for each in namesakes]
        search = Search(TrustStore.of(anchor), self._at, policy, "any", self._provider, self._known, self)
        self._under_way.append(signer.der)
        try:
            search.run(signer, [*others, *self._revocation.certificates, *path])
        except CertificateError as error:
            if error.reason is ChainReason.LIMIT_EXCEEDED:
                raise
            return _unusable(one, f"is signed by '{signer}', whose certificate does not do: {error}")
        finally:
            self._under_way.pop()
        return None

    def _verifies(self, one: RevocationList, spki: bytes) -> bool:
        """Whether the list is signed with this key. Raises CertificateError: it cannot be."""
        known = one.verified.get(spki)
        if known is not None:
            return known
        if one.inner_algorithm != one.outer_algorithm:
            raise _unusable(
                one,
                f"names the signature algorithm {signatures.name_of(one.inner_algorithm)} inside, "
                f"{signatures.name_of(one.outer_algorithm)} outside",
            )
        algorithm = signatures.ALGORITHMS.get(one.outer_algorithm)
        if algorithm is None or algorithm.scheme is None or algorithm.sha1:
            raise _unusable(one, f"is signed with {signatures.name_of(one.outer_algorithm)}, which does not do")
        try:
            signatures.check_key(public_key.parse(spki), _STRICT)
        except CertificateError as error:
            raise _unusable(one, f"is signed with a key that does not do: {error}") from error
        if self._signatures_left == 0:
            raise _too_much(f"more than {SIGNATURES} signatures of CRLs to verify")
        self._signatures_left -= 1
        try:
            self._provider.verify(algorithm.scheme, spki, one.signature, one.tbs)
            known = True
        except BadSignature:
            known = False
        if len(one.verified) >= _KEYS_REMEMBERED:
            one.verified.clear()
        one.verified[spki] = known
        return known


_NO_ANSWER: Final = (ChainReason.CRL_EXPIRED, ChainReason.CRL_UNUSABLE)


def _read_entries(one: RevocationList) -> None:
    try:
        one.read_entries()
    except CertificateError as error:
        raise _unusable(one, f"cannot be used: {error}") from error


def _find(one: RevocationList, certificate: Certificate) -> Entry | None:
    try:
        return one.find(certificate.serial_number, certificate.issuer_name)
    except CertificateError as error:
        raise _unusable(one, f"cannot be used: {error}") from error


def _check_usage(one: RevocationList, signer: Certificate) -> None:
    usage = signer.key_usage
    if usage is not None and extensions.CRL_SIGN not in usage:
        raise _unusable(one, f"is signed by '{signer}', whose keyUsage does not allow it to sign CRLs")


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


def _unusable(one: RevocationList, text: str) -> CertificateError:
    return CertificateError(f"the {one} {text}", ChainReason.CRL_UNUSABLE)


def _too_much(text: str) -> CertificateError:
    return CertificateError(text, ChainReason.LIMIT_EXCEEDED)
