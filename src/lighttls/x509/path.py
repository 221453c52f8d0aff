"""Finding a path from a leaf to an anchor (CERT-15): a depth-first search that backs out of every failure.

`ordinary` knows a shorter way for nearly all servers; the search is for all others.

At each certificate anchors are tried first, then the peer's certificates, which are a set: order,
duplicates and strangers do not matter (CERT-24). Candidates are found by name; key identifiers only decide
which is tried first. A candidate's signature is checked before anything it says about itself, so
that a reason is only given about certificates that really belong to the path. What depends on the
anchor (how weak signatures may be) is judged when one is reached, and a failure there, as anywhere,
ends that path and not the search.
"""

from __future__ import annotations

from collections.abc import Sequence

from lighttls._typing import TYPE_CHECKING, Final
from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import BadSignature, CertificateError, ChainReason
from lighttls.x509 import checks, distinguished_name, extensions, name_constraints, public_key, signatures
from lighttls.x509.certificate import Certificate
from lighttls.x509.distinguished_name import Name
from lighttls.x509.policy import VerifyPolicy
from lighttls.x509.trust_store import Anchor, TrustStore
from lighttls.x509.verdict import Attempt, VerifiedPath, refusal, telling
from lighttls.x509.verified_signatures import Fact, VerifiedSignatures

if TYPE_CHECKING:
    from lighttls.x509.revocation import StatusCheck

# Budgets of one search. A real one takes two or three signatures and as many candidates; hostile
# chains must end within a second on a desktop, and within many seconds on the slowest device.
SIGNATURES: Final = 100  # 16 certificates sent, each checked against its few namesakes
CANDIDATES: Final = 5_000  # about 20 µs each, signatures aside
STEPS: Final = 250_000  # a name, a constraint, one compared with the other, a policy; real lists have hundreds at most
LONGEST_PATH: Final = 32  # certificates, also self-issued ones, which no other limit counts
ATTEMPTS_KEPT: Final = 32  # failures kept for the report


class Search:
    """One search; made for one verdict and thrown away."""

    def __init__(
        self,
        trust: TrustStore,
        at: int,
        policy: VerifyPolicy,
        purpose: str,
        provider: CryptoProvider,
        known: VerifiedSignatures | None = None,
        status: StatusCheck | None = None,
        checked: dict[Fact, bool] | None = None,
    ) -> None:
        self._trust = trust
        self._at = at
        self._policy = policy
        self._purpose = purpose
        self._provider = provider
        self._known = known
        self._status = status
        self._sha1_useful = trust.permits_sha1
        self._pool: dict[Name, list[Certificate]] = {}
        self._attempts: list[Attempt] = []
        self._checked = {} if checked is None else checked  # signatures, each verified once
        self._signatures_left = SIGNATURES
        self._candidates_left = CANDIDATES
        self._steps_left = STEPS

    def run(self, leaf: Certificate, others: Sequence[bytes | Certificate]) -> VerifiedPath:
        """Find a path for `leaf` with the help of `others` (DER, or parsed). Raises CertificateError."""
        try:
            checks.check_leaf(leaf, self._policy.time, self._at, self._purpose)
            signatures.check_usable(leaf.public_key)
            checks.signature_algorithm(leaf)
        except CertificateError as error:
            self._note([leaf], None, error, 0)
            raise refusal(self._attempts) from error
        path = [leaf]
        try:
            self._fill_pool(leaf, others)
            found = self._as_anchor(leaf) or self._extend(path)
        except _BudgetError as spent:
            self._attempts.append(Attempt(tuple(path), None, ChainReason.LIMIT_EXCEEDED, len(path) - 1, str(spent)))
            found = None
        if found is None:
            raise refusal(self._attempts)
        if self._known is not None:
            on_path = [certificate.der for certificate in found.certificates]
            self._known.keep([fact for fact, good in self._checked.items() if good and fact[1] in on_path])
        return found

    def _fill_pool(self, leaf: Certificate, others: Sequence[bytes | Certificate]) -> None:
        different = {each.der if isinstance(each, Certificate) else bytes(each): each for each in others}
        different.pop(leaf.der, None)
        for der, each in different.items():
            try:
                certificate = each if isinstance(each, Certificate) else Certificate.parse(der, self._provider)
                self._pool.setdefault(certificate.subject_name, []).append(certificate)
            except CertificateError as error:
                # it may be a stranger; if it was needed, the report says that it was unreadable
                self._note([leaf], None, CertificateError(f"one of the others sent: {error}", error.reason), 0)

    def _as_anchor(self, leaf: Certificate) -> VerifiedPath | None:
        """Accept a leaf that is itself in the store, byte for byte: a self-signed server, for example.

        Name and key are not enough here: the holder of that key could claim other host names.
        """
        for anchor in self._trust.named(leaf.subject_name):
            if anchor.der == leaf.der:
                try:
                    signatures.check_strength(leaf.public_key, anchor.allow)
                    self._check_pins([leaf], anchor)
                except CertificateError as error:
                    self._note([leaf], anchor, error, 0)
                else:
                    return VerifiedPath((leaf,), anchor, self._policy.time.checks_dates)
        return None

    def _extend(self, path: list[Certificate]) -> VerifiedPath | None:
        """Go on from the last certificate of `path`; None if all ways on from here fail."""
        top = path[-1]
        dead_end = True
        for anchor in self._trust.named(top.issuer_name):
            dead_end = False
            try:
                return self._close(path, anchor)
            except CertificateError as error:
                self._note(path, anchor, error, len(path))
        for issuer in self._candidates(path):
            dead_end = False
            path.append(issuer)
            try:
                self._admit(path)
            except CertificateError as error:
                self._note(path, None, error, len(path) - 1)
            else:
                found = self._extend(path)
                if found is not None:
                    return found
            path.pop()
        if dead_end:
            self._note(path, None, _no_issuer(top), len(path) - 1)
        return None

    def _candidates(self, path: list[Certificate]) -> list[Certificate]:
        """The peer's certificates that may have issued the last one of `path`, most likely first.

        The same name with the same key never comes twice: a circle of cross signatures has no end.
        """
        top = path[-1]
        namesakes = self._pool.get(top.issuer_name)
        if namesakes is None:
            return []
        in_path = [(certificate.subject_name, certificate.spki) for certificate in path]
        found = [c for c in namesakes if (c.subject_name, c.spki) not in in_path]
        if len(found) > 1:
            found.sort(key=lambda issuer: (not _identified(top, issuer), -issuer.not_after))
        return found

    def _admit(self, path: list[Certificate]) -> None:
        """Accept the last certificate of `path` as the issuer of the one before."""
        if self._candidates_left == 0:
            raise _BudgetError(f"more than {CANDIDATES} candidates for an issuer")
        self._candidates_left -= 1
        issuer = path[-1]
        key = issuer.public_key
        signatures.check_usable(key)
        self._check_signature(path[-2], issuer.spki, issuer)
        authorities = _authorities(path[:-1])
        checks.check_issuer(issuer, self._policy.time, self._at, self._purpose, authorities)
        checks.signature_algorithm(issuer)
        if authorities + (not issuer.self_issued) > self._policy.max_depth or len(path) > LONGEST_PATH:
            raise CertificateError(
                f"one authority too many: at most {self._policy.max_depth} may stand between leaf and anchor",
                ChainReason.PATH_TOO_LONG,
            )

    def _close(self, path: list[Certificate], anchor: Anchor) -> VerifiedPath:
        """End `path` at `anchor`, and judge all of it by what depends on the anchor."""
        certificate = anchor.read(self._provider)
        key = public_key.parse(anchor.spki) if certificate is None else certificate.public_key
        signatures.check_usable(key)
        self._check_signature(path[-1], anchor.spki, anchor)
        if certificate is not None:
            checks.check_anchor(certificate, self._policy.time, self._at, self._purpose, _authorities(path))
        signatures.check_strength(key, anchor.allow)
        for below in path:
            try:
                signatures.check_algorithm(signatures.ALGORITHMS[below.outer_algorithm], anchor.allow)
                signatures.check_strength(below.public_key, anchor.allow)
            except CertificateError as error:
                error.context["culprit"] = below
                raise
        everyone = path if certificate is None else [*path, certificate]
        for height, authority in enumerate(everyone[1:], 1):
            said = checks.what_it_says(authority)
            if extensions.NAME_CONSTRAINTS in said:
                name_constraints.check(said[extensions.NAME_CONSTRAINTS], authority, path[:height], self._spend)
            if extensions.TLS_FEATURE in said:
                checks.check_features(authority, path[:height])
        constrained = any(extensions.POLICY_CONSTRAINTS in checks.what_it_says(each) for each in everyone)
        if constrained or self._policy.require_explicit_policy:
            from lighttls.x509 import policies  # late: few owners and few authorities demand any

            policies.check(path, certificate, self._policy, self._spend)
        self._check_pins(path, anchor)
        if self._status is not None:
            self._status.check(path, anchor, self._pool)
        return VerifiedPath(tuple(path), anchor, self._policy.time.checks_dates)

    def _check_signature(self, child: Certificate, spki: bytes, signer: Certificate | Anchor) -> None:
        """Verify the signature on `child`, once per key (CERT-17).

        A signature that no anchor in the store would permit is not verified: `_close` refuses it
        whatever it is, and the path is followed only to be able to say so.
        """
        algorithm = signatures.ALGORITHMS[child.outer_algorithm]  # `run` and `_admit` saw that it is there
        if algorithm.scheme is None or (algorithm.sha1 and not self._sha1_useful):
            return
        fact = spki, child.der
        good = self._checked.get(fact)
        if good is None:
            good = self._checked[fact] = self._verifies(algorithm.scheme, fact, child)
        if not good:
            raise CertificateError(
                f"its signature does not verify under the key of '{signer}'", ChainReason.BAD_SIGNATURE, culprit=child
            )

    def _verifies(self, scheme: int, fact: Fact, child: Certificate) -> bool:
        if self._known is not None and fact in self._known:
            return True
        if self._signatures_left == 0:
            raise _BudgetError(f"more than {SIGNATURES} signatures to verify")
        self._signatures_left -= 1
        try:
            self._provider.verify(scheme, fact[0], child.signature, child.tbs)
        except BadSignature:
            return False
        return True

    def _check_pins(self, path: Sequence[Certificate], anchor: Anchor) -> None:
        pins = self._policy.pins  # CERT-22
        if pins and not any(
            self._provider.digest("sha256", spki) in pins for spki in (*(c.spki for c in path), anchor.spki)
        ):
            raise CertificateError("none of the pinned keys is in the path", ChainReason.PIN_MISMATCH)

    def _spend(self, count: int) -> None:
        self._steps_left -= count
        if self._steps_left < 0:
            raise _BudgetError(f"more than {STEPS} steps with names, constraints and policies")

    def _note(self, path: Sequence[Certificate], anchor: Anchor | None, error: CertificateError, depth: int) -> None:
        culprit = error.context.get("culprit")
        if culprit in path:
            depth = path.index(culprit)
        attempt = Attempt(tuple(path), anchor, error.reason, depth, str(error))
        if len(self._attempts) < ATTEMPTS_KEPT:
            self._attempts.append(attempt)
        elif telling(attempt) < telling(self._attempts[-1]):  # the last place is for the best of all that follow
            self._attempts[-1] = attempt


class _BudgetError(Exception):
    """The whole search ends: it took more work than any real chain."""


def _authorities(path: Sequence[Certificate]) -> int:
    """Authorities above the leaf, self-issued ones not counted (RFC 5280 6.1.4 l)."""
    return len([certificate for certificate in path[1:] if not certificate.self_issued])


def _identified(child: Certificate, issuer: Certificate) -> bool:
    """The child's authorityKeyIdentifier is the issuer's subjectKeyIdentifier. Never a reason to refuse."""
    try:
        wanted = child.authority_key_identifier
        return wanted is not None and wanted == issuer.subject_key_identifier
    except CertificateError:
        return False


def _no_issuer(top: Certificate) -> CertificateError:
    if top.self_issued:
        return CertificateError("self-signed, and not in the trust store", ChainReason.SELF_SIGNED)
    return CertificateError(
        f"its issuer '{distinguished_name.text(top.issuer)}' is not in the trust store, and was not sent either",
        ChainReason.UNKNOWN_ISSUER,
    )
