"""Any bytes into the x509 room: a verdict or a CertificateError, nothing else, and soon."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from time import process_time
from types import MemberDescriptorType

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lighttls.crypto import by_name
from lighttls.errors import CertificateError, ChainReason, ConfigurationError
from lighttls.x509 import Certificate, TimePolicy, TrustStore, VerifiedPath, VerifyPolicy, verify_chain
from lighttls.x509.cutting import peek_subject
from support import certificates as kit
from support.certificates import der

SUBTREES = kit.constraints([der.implicit(2, b"example"), der.implicit(7, bytes(8))], [der.implicit(1, b"x.example")])
ROOT = kit.root("Root")
MIDDLE = kit.authority("Middle", ROOT, extensions=[*kit.ca(1), SUBTREES])
LEAF = kit.server(MIDDLE, "host.example", "*.host.example", bytes(4))
CHAIN = (LEAF.der, MIDDLE.der, ROOT.der)
PROVIDER = by_name("pure")


class AcceptsEverySignature:
    """An engine that believes every signature, so that altered certificates get as far as they can."""

    def __getattr__(self, name: str) -> object:
        return getattr(PROVIDER, name)

    def verify(self, *_: object) -> None:
        return None


@st.composite
def altered(draw: st.DrawFn) -> bytes:
    """A certificate of the chain with some bytes replaced, removed or put in."""
    data = bytearray(draw(st.sampled_from(CHAIN)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
        if not data:
            break
    return bytes(data)


def verdict(
    chain: Sequence[bytes], trust: TrustStore, provider: object = PROVIDER, policy: VerifyPolicy | None = None
) -> VerifiedPath | CertificateError:
    """What `verify_chain` says; any other exception goes through and fails the test."""
    try:
        return verify_chain(
            chain,
            trust,
            server_hostname="host.example",
            at=kit.NOW,
            policy=policy or VerifyPolicy(),
            provider=provider,  # type: ignore[arg-type]
        )
    except CertificateError as error:
        return error


def read_everything(certificate: Certificate) -> None:
    """Use every accessor; each may refuse in the one way there is."""
    for attribute in dir(Certificate):
        if isinstance(getattr(Certificate, attribute), (property, MemberDescriptorType)):
            with suppress(CertificateError):
                getattr(certificate, attribute)
    str(certificate)


@given(st.binary(max_size=200) | altered())
def test_parse_gives_a_certificate_or_refuses(data: bytes) -> None:
    try:
        certificate = Certificate.parse(data)
    except CertificateError:
        return
    assert peek_subject(data) == certificate.subject
    read_everything(certificate)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.binary(max_size=60) | altered() | st.sampled_from(CHAIN), min_size=1, max_size=6), st.booleans())
def test_verify_chain_gives_a_verdict(chain: list[bytes], believing: bool) -> None:
    found = verdict(chain, TrustStore.from_der(ROOT.der), AcceptsEverySignature() if believing else PROVIDER)
    if isinstance(found, CertificateError):
        assert found.alert is not None
        assert 0 < len(str(found)) <= 2000
    else:
        assert believing or found.leaf.der == LEAF.der


@given(altered())
def test_altered_anchor_is_refused_when_loaded_or_ends_in_a_verdict(data: bytes) -> None:
    with suppress(ConfigurationError):
        verdict(CHAIN, TrustStore.from_der(data))


@given(altered())
def test_altered_certificate_never_passes(data: bytes) -> None:
    """Whatever was changed, the chain it belongs to does not verify with it in the leaf's place."""
    unaltered = data == LEAF.der
    policy = VerifyPolicy(time=TimePolicy.insecure_until_checked())
    found = verdict((data, MIDDLE.der), TrustStore.from_der(ROOT.der), policy=policy)
    assert isinstance(found, VerifiedPath) is unaltered


def test_worst_clique_of_cross_signatures_ends_within_seconds() -> None:
    """Eight authorities that all signed each other, no anchor: the budget ends it, not patience."""
    names = [f"Clique {n}" for n in range(8)]
    signers = {name: kit.make(name, kit.ec_key(name), extensions=kit.ca()) for name in names}
    clique = [
        kit.make(name, kit.ec_key(name), signers[other], extensions=kit.ca()).der
        for name in names
        for other in names
        if name != other
    ]
    leaf = kit.server(signers["Clique 0"]).der
    start = process_time()
    found = verdict([leaf, *clique], TrustStore.from_der(ROOT.der))
    assert isinstance(found, CertificateError)
    assert found.reason is ChainReason.LIMIT_EXCEEDED
    assert process_time() - start < 5
