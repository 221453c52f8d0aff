"""Who may sign a list of revoked certificates (RFC 5280 section 6.3.3 f, g), and whether somebody who may has.

A list is signed by the certificate's issuer, with the key that the path has for it or another; or by whom the
certificate names as cRLIssuer. Whoever it is needs a path to the same anchor and, where it has a keyUsage, cRLSign.
Whoever signs for an authority with a key that is not in the path must have it from that authority or from the one
above it: other authorities below the same anchor could certify the same name. That certificate may be listed itself,
so this goes round; a list counts for the certificate of its own signer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lighttls._typing import TYPE_CHECKING, Final
from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import BadSignature, CertificateError, ChainReason
from lighttls.x509 import extensions, public_key, signatures
from lighttls.x509.certificate import Certificate
from lighttls.x509.crl import RevocationList
from lighttls.x509.distinguished_name import Name
from lighttls.x509.path import Search
from lighttls.x509.policy import SignaturePolicy, VerifyPolicy
from lighttls.x509.revocation_policy import RevocationPolicy
from lighttls.x509.trust_store import Anchor, TrustStore
from lighttls.x509.verified_signatures import VerifiedSignatures

if TYPE_CHECKING:
    from lighttls.x509.revocation import StatusCheck

# Budgets of one verdict. Real paths need one list for each certificate, signed by its issuer.
SIGNATURES: Final = 64  # of lists, each over all of its bytes
SIGNERS: Final = 32  # whose own paths are searched
DEEPEST: Final = 4  # signers of lists about signers of lists

_KEYS_REMEMBERED: Final = 16  # per list; it is signed with one, and has few namesakes
_STRICT: Final = SignaturePolicy()  # whatever the anchor permits below it: lists are made anew all the time


class Signers:
    """Finds and judges the signers of lists; made for one verdict and thrown away."""

    def __init__(
        self,
        policy: VerifyPolicy,
        revocation: RevocationPolicy,
        at: int,
        provider: CryptoProvider,
        known: VerifiedSignatures | None,
        status: StatusCheck,
    ) -> None:
        """`status` judges the paths of signers in their turn."""
        self._policy = VerifyPolicy(time=policy.time, check_hostname=False, max_depth=policy.max_depth)
        self._certificates = revocation.certificates
        self._at = at
        self._provider = provider
        self._known = known
        self._status = status
        self._pool: Mapping[Name, Sequence[Certificate]] = {}
        self._under_way: list[bytes] = []  # signers whose paths are being judged (DER)
        self._judged: dict[tuple[bytes, bytes], CertificateError | None] = {}  # signer, anchor's key: what is wrong
        self._issuing_keys: dict[tuple[bytes, bytes], bytes] = {}  # signer, anchor's key: who certified it
        self._signatures_left = SIGNATURES
        self._signers_left = SIGNERS

    def enter(self, path: Sequence[Certificate], anchor: Anchor, pool: Mapping[Name, Sequence[Certificate]]) -> bool:
        """Note a path whose status is asked for; return whether it is the chain's own, and not that of a signer."""
        if not self._under_way:
            self._pool = pool
            return True
        self._issuing_keys[path[0].der, anchor.spki] = path[1].spki if len(path) > 1 else anchor.spki
        return False

    def key_of(self, one: RevocationList, path: Sequence[Certificate], depth: int, anchor: Anchor) -> bytes:
        """The SubjectPublicKeyInfo of an entitled signer. Raises CertificateError: there is none."""
        if one.unknown_extension is not None:
            raise unusable(one, f"has the critical extension {one.unknown_extension}, which is not implemented")
        failure = None
        for spki, holder, judged in self._candidates(one.issuer_name, path, depth, anchor):
            try:
                if self.verifies(one, spki):
                    if holder is not None:
                        _check_usage(one, holder)
                        if not judged:
                            self._judge_signer(one, holder, path, depth, anchor)
                    return spki
            except CertificateError as error:
                if error.reason is ChainReason.LIMIT_EXCEEDED:
                    raise
                failure = (
                    error if error.reason is ChainReason.CRL_UNUSABLE else unusable(one, f"has no signer: {error}")
                )
        raise failure or unusable(one, "is signed by a key that no certificate of its issuer here has")

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
        for other in (*self._certificates, *path[: depth + 1]):
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
                raise unusable(one, "is signed by a key that neither its issuer nor who certified that vouches for")

    def _search(
        self, one: RevocationList, signer: Certificate, path: Sequence[Certificate], anchor: Anchor
    ) -> CertificateError | None:
        """Look for a path of its own to the same anchor, with nothing revoked in it; what is wrong if there is none."""
        if len(self._under_way) == DEEPEST:
            return unusable(one, f"hangs on signers of CRLs about signers of CRLs, more than {DEEPEST} deep")
        if self._signers_left == 0:
            raise too_much(f"more than {SIGNERS} signers of CRLs to judge")
        self._signers_left -= 1
        others = [each for namesakes in self._pool.values() for each in namesakes]
        search = Search(TrustStore.of(anchor), self._at, self._policy, "any", self._provider, self._known, self._status)
        self._under_way.append(signer.der)
        try:
            search.run(signer, [*others, *self._certificates, *path])
        except CertificateError as error:
            if error.reason is ChainReason.LIMIT_EXCEEDED:
                raise
            return unusable(one, f"is signed by '{signer}', whose certificate does not do: {error}")
        finally:
            self._under_way.pop()
        return None

    def verifies(self, one: RevocationList, spki: bytes) -> bool:
        """Whether the list is signed with this key. Raises CertificateError: it cannot be."""
        known = one.verified.get(spki)
        if known is not None:
            return known
        if one.inner_algorithm != one.outer_algorithm:
            raise unusable(
                one,
                f"names the signature algorithm {signatures.name_of(one.inner_algorithm)} inside, "
                f"{signatures.name_of(one.outer_algorithm)} outside",
            )
        algorithm = signatures.ALGORITHMS.get(one.outer_algorithm)
        if algorithm is None or algorithm.scheme is None or algorithm.sha1:
            raise unusable(one, f"is signed with {signatures.name_of(one.outer_algorithm)}, which does not do")
        try:
            signatures.check_key(public_key.parse(spki), _STRICT)
        except CertificateError as error:
            raise unusable(one, f"is signed with a key that does not do: {error}") from error
        if self._signatures_left == 0:
            raise too_much(f"more than {SIGNATURES} signatures of CRLs to verify")
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


def _check_usage(one: RevocationList, signer: Certificate) -> None:
    usage = signer.key_usage
    if usage is not None and extensions.CRL_SIGN not in usage:
        raise unusable(one, f"is signed by '{signer}', whose keyUsage does not allow it to sign CRLs")


def unusable(one: RevocationList, text: str) -> CertificateError:
    """Nothing can be concluded from this list."""
    return CertificateError(f"the {one} {text}", ChainReason.CRL_UNUSABLE)


def too_much(text: str) -> CertificateError:
    """A budget of the verdict is used up."""
    return CertificateError(text, ChainReason.LIMIT_EXCEEDED)
