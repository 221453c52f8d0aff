"""Certificates that a configuration keeps parsed: shared, bounded, and judged every time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lighttls import CertificateError, ChainReason, ClientConfig, ClientConnection, TrustStore, VerifyPolicy
from lighttls.handshake import known_certificates
from lighttls.handshake.known_certificates import KnownCertificates
from lighttls.testing import ec_key, issue
from lighttls.x509 import Certificate, VerificationRequest, VerifiedPath, verify_chain
from support import pki
from support.memory_server import MemoryServer, connect


def connected(config: ClientConfig, host: str = "localhost") -> ClientConnection:
    connection = ClientConnection(config, host)
    connect(connection, MemoryServer())
    return connection


def known_to(config: ClientConfig) -> set[bytes]:
    return set(KnownCertificates.of(config)._by_der)


def chain() -> set[bytes]:
    return {pki.shared().ecdsa_server.der, pki.shared().intermediate.der}


def test_connections_of_one_configuration_share_what_they_verified(provider: Any) -> None:
    config = pki.config(provider=provider)
    one, other = connected(config).info, connected(config).info
    assert known_to(config) == chain()
    assert one.peer_chain == other.peer_chain
    assert all(a is b for a, b in zip(one.peer_chain, other.peer_chain, strict=True))
    assert one.verified_path is not None
    assert other.verified_path is not None
    pairs = zip(one.verified_path.certificates, other.verified_path.certificates, strict=True)
    assert all(a is b for a, b in pairs)
    assert one.verified_path.anchor is other.verified_path.anchor


def test_configurations_share_nothing(provider: Any) -> None:
    connected(pki.config(provider=provider))
    assert known_to(pki.config(provider=provider)) == set()


def test_known_chain_is_refused_once_it_has_expired(provider: Any) -> None:
    now = [time.time()]
    config = pki.config(provider=provider, clock=lambda: now[0])
    connected(config)
    now[0] += 100 * 366 * 86_400
    with pytest.raises(CertificateError) as caught:
        connected(config)
    assert caught.value.reason is ChainReason.EXPIRED


def test_known_chain_is_refused_for_another_host(provider: Any) -> None:
    config = pki.config(provider=provider)
    connected(config)
    with pytest.raises(CertificateError) as caught:
        connected(config, "other.example")
    assert caught.value.reason is ChainReason.NAME_MISMATCH


class Trusting:
    """A verifier of the application's that takes our verdict."""

    def verify(self, request: VerificationRequest) -> VerifiedPath:
        return request.verify()


@pytest.mark.parametrize(
    "verify", [VerifyPolicy(insecure_skip_verify=True), VerifyPolicy(verifier=Trusting())], ids=["skipped", "own"]
)
def test_chain_that_we_did_not_judge_is_not_kept(provider: Any, verify: VerifyPolicy) -> None:
    config = pki.config(provider=provider, verify=verify)
    connected(config)
    assert known_to(config) == set()


def test_refused_chain_is_not_kept(provider: Any) -> None:
    config = pki.config(provider=provider, trust=TrustStore.empty())
    with pytest.raises(CertificateError):
        connected(config)
    assert known_to(config) == set()


def test_number_kept_is_bounded(monkeypatch: pytest.MonkeyPatch, provider: Any) -> None:
    monkeypatch.setattr(known_certificates, "MOST", 2)
    config = pki.config(provider=provider)
    known = KnownCertificates.of(config)
    ders = [issue(f"leaf {number}", ec_key()).der for number in range(3)]
    anchor = connected(config).info.trust_anchor
    assert known_to(config) == chain()
    known.keep(VerifiedPath((Certificate.parse(ders[0]),), anchor, True))
    assert known_to(config) == {ders[0]}
    known.keep(VerifiedPath((Certificate.parse(ders[0]),), anchor, True))
    known.keep(VerifiedPath((Certificate.parse(ders[1]),), anchor, True))
    assert known_to(config) == {ders[0], ders[1]}
    known.keep(VerifiedPath((Certificate.parse(ders[2]),), anchor, True))
    assert known_to(config) == {ders[2]}


def test_chain_may_be_parsed_in_part(provider: Any) -> None:
    """What is known comes as a certificate, the rest as bytes, in any order and twice."""
    shared = pki.shared()
    leaf, authority = Certificate.parse(shared.ecdsa_server.der), Certificate.parse(shared.intermediate.der)
    trust = TrustStore.from_pem(shared.root.to_pem())
    for others in (
        [authority],
        [authority.der],
        [authority.der, authority, leaf],
        [leaf.der, authority, authority.der],
    ):
        path = verify_chain([leaf, *others], trust, server_hostname="localhost", at=time.time(), provider=provider)
        assert [each.der for each in path.certificates] == [leaf.der, authority.der]


@pytest.mark.parametrize(("remembers", "expected"), [(True, 1), (False, 3)])
def test_second_connection_verifies_the_chain_only_if_told_to(provider: Any, remembers: bool, expected: int) -> None:
    """The server's signature on its key exchange is a new one each time."""
    counted = []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(provider, name)

        def verify(self, *given: Any) -> None:
            counted.append(given)
            provider.verify(*given)

    config = pki.config(provider=Counting(), cache_signatures=remembers)
    connected(config)
    assert len(counted) == 3
    connected(config)
    assert len(counted) == 3 + expected


def test_certificates_that_are_forgotten_are_condensed_and_still_say_all(
    monkeypatch: pytest.MonkeyPatch, provider: Any
) -> None:
    monkeypatch.setattr(known_certificates, "MOST", 2)
    config = pki.config(provider=provider)
    info = connected(config).info
    assert info.verified_path is not None
    leaf = info.verified_path.leaf
    before = leaf.subject_alt_name
    extensions = leaf.extensions
    assert leaf.extensions is extensions
    KnownCertificates.of(config).keep(
        VerifiedPath((Certificate.parse(issue("x", ec_key()).der),), info.trust_anchor, True)
    )
    assert leaf.subject_alt_name == before
    assert leaf.extensions is not extensions
    assert leaf.extensions == extensions
