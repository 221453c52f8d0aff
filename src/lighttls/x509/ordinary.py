"""The short way to the path of nearly every server: leaf, intermediates in order, anchor, nothing special about any.

It gives the path or None, never a refusal: what is wrong, out of order or in any way special is left to the search in
`path`, which starts anew and says why. So this needs no more than to be sure: whatever passes here would pass there.
All is judged every time, as there; only what hangs on an extension's bytes alone was found good when it was read.
"""

from __future__ import annotations

from collections.abc import Sequence

from lighttls._typing import TYPE_CHECKING, Final
from lighttls.errors import BadSignature, CertificateError
from lighttls.x509 import extensions, public_key, signatures
from lighttls.x509.certificate import EMPTY_NAME, PURPOSES, Certificate
from lighttls.x509.policy import VerifyPolicy
from lighttls.x509.trust_store import TrustStore
from lighttls.x509.verdict import VerifiedPath
from lighttls.x509.verified_signatures import Fact, VerifiedSignatures

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider

_MOST_INTERMEDIATES: Final = 3
_BASIC_CONSTRAINTS: Final = extensions.BASIC_CONSTRAINTS
_KEY_USAGE: Final = extensions.KEY_USAGE
_EXTENDED_KEY_USAGE: Final = extensions.EXTENDED_KEY_USAGE
_FAR_REACHING: Final = frozenset((extensions.NAME_CONSTRAINTS, extensions.POLICY_CONSTRAINTS, extensions.TLS_FEATURE))
"""What they say is about other certificates of the path."""


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
    if policy.pins or policy.require_explicit_policy or trust.named(leaf.subject_name):
        return None
    try:
        if not _is_sound(leaf, at) or not _is_server(leaf, purpose):
            return None
        path, names = [leaf], [leaf.subject_name]
        anchors = trust.named(leaf.issuer_name)
        for each in () if anchors else others[:_MOST_INTERMEDIATES]:
            issuer = each if isinstance(each, Certificate) else Certificate.parse(bytes(each), provider)
            name = issuer.subject_name
            if name != path[-1].issuer_name or name in names:
                return None
            if not _is_sound(issuer, at) or not _is_authority(issuer, purpose, len(path) - 1):
                return None
            path.append(issuer)
            names.append(name)
            anchors = trust.named(issuer.issuer_name)
            if anchors:
                break
        if not anchors or len(path) - 1 > policy.max_depth:
            return None
        anchor = anchors[0]
        root = anchor.read(provider)
        if root is None or not _is_sound(root, at) or not _is_authority(root, purpose, len(path) - 1):
            return None
        for each in (root, *path):
            key = each.public_key
            if key.kind == "rsa" and key.bits < anchor.allow.min_rsa_bits:  # CERT-14
                return None
        good = _are_signed(path, root, provider, known, checked)
    except CertificateError:
        return None
    return VerifiedPath(tuple(path), anchor, True) if good else None


def _is_sound(certificate: Certificate, at: int) -> bool:
    """Its form was good, its dates (CERT-18) and its key are, and it says nothing about others."""
    said = certificate.checked
    if said is None or not certificate.not_before <= at <= certificate.not_after:
        return False
    if id(certificate.public_key) not in public_key.USUAL:
        signatures.check_usable(certificate.public_key)
    return said.keys().isdisjoint(_FAR_REACHING)


def _is_server(leaf: Certificate, purpose: str) -> bool:
    """As `checks.check_leaf` (CERT-13), which also knows leaves without a subject, and such as may sign others."""
    said = leaf.said
    if leaf.subject == EMPTY_NAME:
        return False
    usage = said.get(_KEY_USAGE)
    if usage is not None and extensions.KEY_CERT_SIGN in usage:
        return False
    purposes = said.get(_EXTENDED_KEY_USAGE)
    return purposes is None or PURPOSES[purpose] in purposes


def _is_authority(issuer: Certificate, purpose: str, authorities_below: int) -> bool:
    """As `checks.check_issuer` (CERT-21)."""
    said = issuer.said
    constraints = said.get(_BASIC_CONSTRAINTS)
    if constraints is None or not constraints.ca:
        return False
    if constraints.path_length is not None and authorities_below > constraints.path_length:
        return False
    usage = said.get(_KEY_USAGE)
    if usage is not None and extensions.KEY_CERT_SIGN not in usage:
        return False
    purposes = said.get(_EXTENDED_KEY_USAGE)
    return purposes is None or PURPOSES[purpose] in purposes


def _are_signed(
    path: Sequence[Certificate],
    root: Certificate,
    provider: CryptoProvider,
    known: VerifiedSignatures | None,
    checked: dict[Fact, bool],
) -> bool:
    """Whether each is signed by the next one (CERT-17), by algorithms that every anchor permits (CERT-16)."""
    for child in path:
        algorithm = signatures.ALGORITHMS.get(child.outer_algorithm)
        if algorithm is None or algorithm.scheme is None or algorithm.sha1:
            return False
        if child.inner_algorithm != child.outer_algorithm:
            return False
    child = path[0]
    for signer in (*path[1:], root):
        fact = signer.spki, child.der
        if known is None or fact not in known:
            scheme = signatures.ALGORITHMS[child.outer_algorithm].scheme
            try:
                provider.verify(scheme, signer.spki, child.signature, child.tbs)  # type: ignore[arg-type] # see above
            except BadSignature:
                checked[fact] = False
                return False
        checked[fact] = True
        child = signer
    if known is not None:
        known.keep(checked)
    return True
