"""The short way to the path of nearly every server: leaf, intermediates in order, anchor, nothing special about any.

It gives the path or None, never a refusal: what is wrong, out of order or in any way special is left to the search in
`path`, which starts anew and says why. So this needs no more than to be sure: whatever passes here would pass there.
All is judged every time, as there; only what hangs on a certificate's bytes alone was found good when it was cut (the
facts of `cutting`). Engines that tell no facts leave every chain to the search.
"""

from __future__ import annotations

from collections.abc import Sequence

from lighttls._typing import TYPE_CHECKING, Final
from lighttls.errors import BadSignature, CertificateError
from lighttls.x509 import cutting, signatures
from lighttls.x509.certificate import Certificate
from lighttls.x509.policy import VerifyPolicy
from lighttls.x509.trust_store import TrustStore
from lighttls.x509.verdict import VerifiedPath
from lighttls.x509.verified_signatures import Fact, VerifiedSignatures

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider

_MOST_INTERMEDIATES: Final = 3


def ordinary_path(
    leaf: Certificate,
    others: Sequence[bytes | Certificate],
    trust: TrustStore,
    at: int,
    policy: VerifyPolicy,
    purpose: str,
    provider: CryptoProvider,
    known: VerifiedSignatures | None,
    checked: dict[Fact, bool],
) -> VerifiedPath | None:
    """The path, if there is nothing to think about. What signatures were looked at goes to `checked`."""
    time = policy.time
    if not time.checks_dates or (time.earliest is not None and at < time.earliest):
        return None
    if not leaf.facts or leaf.facts & cutting.CERT_SIGN:  # in doubt, its names perhaps unreadable; or of an authority
        return None
    if policy.pins or policy.require_explicit_policy or trust.named(leaf.subject_name):
        return None
    path, names = [leaf], [leaf.subject_name]
    try:
        anchors = trust.named(leaf.issuer_name)
        for each in () if anchors else others[:_MOST_INTERMEDIATES]:
            issuer = each if isinstance(each, Certificate) else Certificate.parse(bytes(each), provider)
            name = issuer.subject_name
            if name != path[-1].issuer_name or name in names:
                return None
            path.append(issuer)
            names.append(name)
            anchors = trust.named(issuer.issuer_name)
            if anchors:
                break
        root = anchors[0].read(provider) if anchors else None
        if root is None or len(path) - 1 > policy.max_depth:
            return None
        anchor = anchors[0]
        whole = (*path, root)
        good = _are_sound(whole, at, purpose, anchor.allow.min_rsa_bits) and _are_signed(
            whole, provider, known, checked
        )
    except CertificateError:
        return None
    return VerifiedPath(tuple(path), anchor, True) if good else None


def _are_sound(path: Sequence[Certificate], at: int, purpose: str, min_rsa_bits: int) -> bool:
    """Whether each is good in its place, leaf first (CERT-13, CERT-14, CERT-18, CERT-21; as `checks` says)."""
    wanted = cutting.ORDINARY | cutting.PURPOSES.get(purpose, -1)  # -1: no certificate has all facts
    authorities_below = -1
    for each in path:
        facts = each.facts
        if facts & wanted != wanted or not each.not_before <= at <= each.not_after:
            return False
        if 0 <= each.path_length < authorities_below:
            return False
        key = each.public_key
        if not facts & cutting.KEY:
            signatures.check_usable(key)
        if key.kind == "rsa" and key.bits < min_rsa_bits:
            return False
        wanted |= cutting.AUTHORITY
        authorities_below += 1
    return True


def _are_signed(
    path: Sequence[Certificate], provider: CryptoProvider, known: VerifiedSignatures | None, checked: dict[Fact, bool]
) -> bool:
    """Whether each is signed by the next one (CERT-17), by algorithms that every anchor permits (CERT-16)."""
    child = None
    for signer in path:
        if child is not None:
            fact = signer.spki, child.der
            if child.scheme == 0:
                return False
            if known is None or fact not in known:
                try:
                    provider.verify(child.scheme, signer.spki, child.signature, child.tbs)
                except BadSignature:
                    checked[fact] = False
                    return False
            checked[fact] = True
        child = signer
    if known is not None:
        known.keep(checked)
    return True
