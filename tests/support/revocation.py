"""Verdicts with lists of revoked certificates: a root, an authority, a leaf, their lists, and what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lighttls.errors import CertificateError, ChainReason
from lighttls.testing import der_writer as der
from lighttls.x509 import (
    RevocationList,
    RevocationPolicy,
    TrustStore,
    VerifiedPath,
    VerifyPolicy,
    verify_chain,
)
from support import certificates as pki
from support import crls

NOW, DAY = pki.NOW, pki.DAY
UNKNOWN, EXPIRED, UNUSABLE = ChainReason.REVOCATION_UNKNOWN, ChainReason.CRL_EXPIRED, ChainReason.CRL_UNUSABLE
REVOKED = ChainReason.REVOKED

ROOT = pki.root()
CA = pki.authority("CA", ROOT, serial=der.integer(7))
LEAF = pki.server(CA, serial=der.integer(42))
SIGNER_USAGE = [(pki.KEY_USAGE, True, der.named_bits(6))]
HERE, ELSEWHERE = crls.url("http://crl.example/1"), crls.url("http://crl.example/2")

ROOT_LIST = crls.crl(ROOT)
CA_LIST = crls.crl(CA)
NAMING_42 = crls.crl(CA, crls.entry(42, crls.reason(crls.KEY_COMPROMISE)))


def leaf_at(*points: bytes, **fields: Any) -> pki.Made:
    """A leaf of CA with these distribution points."""
    extensions = [*pki.host("host.example"), crls.points(*points)]
    return pki.server(CA, **{"serial": der.integer(42), "extensions": extensions, **fields})


def verified(
    *lists: bytes | RevocationList,
    leaf: pki.Made = LEAF,
    others: Sequence[pki.Made] = (CA,),
    roots: Sequence[pki.Made] = (ROOT,),
    trust: TrustStore | None = None,
    mode: str = "hard",
    at: int = NOW,
    certificates: Sequence[pki.Made] = (),
    provider: Any = None,
    **policy: Any,
) -> VerifiedPath:
    if trust is None:
        trust = TrustStore.empty()
        for root in roots:
            trust.add(root.der)
    checked = RevocationPolicy(crls=lists, certificates=[each.der for each in certificates], mode=mode)
    return verify_chain(
        [leaf.der, *(each.der for each in others)],
        trust,
        server_hostname="host.example",
        at=at,
        policy=VerifyPolicy(revocation=checked, **policy),
        provider=provider,
    )


def refused(reason: ChainReason, *lists: bytes | RevocationList, **rest: Any) -> str:
    """What the error says that this reason must have."""
    with pytest.raises(CertificateError) as caught:
        verified(*lists, **rest)
    assert caught.value.reason is reason, str(caught.value)
    return str(caught.value)


def unknown(reason: ChainReason, *lists: bytes | RevocationList, **rest: Any) -> str:
    """As `refused`; and in soft mode the path passes."""
    verified(*lists, mode="soft", **rest)
    return refused(reason, *lists, **rest)


def scoped(*fields: bytes, entries: Sequence[bytes] = (), issuer: pki.Made = CA, number: int = 1, **more: Any) -> bytes:
    return crls.crl(issuer, *entries, extensions=[crls.number(number), crls.scope(*fields)], **more)


def delta(*entries: bytes, number: int = 8, base: int = 5, more: Sequence[pki.Extension] = (), **fields: Any) -> bytes:
    extensions = [crls.number(number), crls.delta(base), *more]
    return crls.crl(CA, *entries, **{"extensions": extensions, "this_update": NOW - 10, **fields})


def base(*entries: bytes, number: int = 5, **fields: Any) -> bytes:
    return crls.crl(CA, *entries, **{"extensions": [crls.number(number)], **fields})


def signer(subject: str, issuer: pki.Made, serial: int = 99, **fields: Any) -> pki.Made:
    """A certificate with a key of its own that is for signing lists."""
    given = {"extensions": SIGNER_USAGE, "serial": der.integer(serial), **fields}
    return pki.make(subject, pki.ec_key(f"lists of {subject}"), issuer, **given)


def circle(count: int) -> tuple[pki.Made, list[pki.Made], list[bytes]]:
    """A leaf whose status the first of some signers knows, whose own status the next one knows, and so on."""

    def point(number: int) -> bytes:
        name = pki.name(f"Lists {number % count}")
        return crls.point(crls.full_name(HERE), issuers=[crls.directory(name)])

    signers = [
        signer(f"Lists {i}", ROOT, 100 + i, extensions=[*SIGNER_USAGE, crls.points(point(i + 1))]) for i in range(count)
    ]
    lists = [scoped(crls.full_name(HERE), crls.INDIRECT, issuer=each) for each in signers]
    return leaf_at(point(0)), signers, [scoped(crls.AUTHORITIES_ONLY, issuer=ROOT), *lists]
