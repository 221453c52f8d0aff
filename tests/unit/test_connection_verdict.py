"""The verdict on the server's chain, seen by the connection: names, roots, and the application's own verifier."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from lighttls import (
    Alert,
    CertificateError,
    ChainReason,
    TrustStore,
    VerifyPolicy,
)
from lighttls.testing import Certificate, ec_key, issue, rsa_key
from lighttls.x509 import Certificate as ParsedCertificate
from lighttls.x509 import VerifiedPath
from support import pki
from support.memory_server import MemoryServer, client, connect


@cache
def leaf_for(*, dns: str = "", address: str = "") -> Certificate:
    return issue(
        "leaf",
        ec_key(),
        issuer=pki.shared().intermediate,
        dns_names=(dns,) if dns else (),
        ip_addresses=(address,) if address else (),
        extended_key_usage=("server_auth",),
    )


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("[::1]", "::1"), ("fe80::1%eth0", "fe80::1")],
)
def test_address_sends_no_name_and_is_matched_against_addresses(provider: Any, host: str, address: str) -> None:
    """SNI-02."""
    connection, server = client(provider, host, trace=True), MemoryServer(leaf_for(address=address))
    connect(connection, server)
    assert connection.is_established
    assert connection.info.server_hostname == host
    assert connection.trace is not None
    assert "server_name" not in str(connection.trace[0])


@pytest.mark.parametrize(
    ("host", "leaf"),
    [
        ("127.0.0.1", {"dns": "localhost"}),
        ("127.0.0.1", {"address": "127.0.0.2"}),
        ("localhost", {"address": "127.0.0.1"}),
        ("localhost", {"dns": "other.example"}),
        ("a.b.example.com", {"dns": "*.example.com"}),
    ],
)
def test_name_that_is_not_in_the_certificate_is_refused(provider: Any, host: str, leaf: dict[str, str]) -> None:
    connection, server = client(provider, host), MemoryServer(leaf_for(**leaf))
    with pytest.raises(CertificateError) as caught:
        connect(connection, server)
    assert caught.value.reason is ChainReason.NAME_MISMATCH
    assert server.alert_from(connection) == "BAD_CERTIFICATE"


@pytest.mark.parametrize(("host", "name"), [("LocalHost.", "localhost"), ("x.example.com", "*.example.com")])
def test_name_is_compared_without_case_and_final_dot(provider: Any, host: str, name: str) -> None:
    """SNI-03."""
    connection = client(provider, host)
    connect(connection, MemoryServer(leaf_for(dns=name)))
    assert connection.is_established


def test_host_name_is_not_looked_at_when_the_policy_says_so(provider: Any) -> None:
    connection = client(provider, host="other.example", verify=VerifyPolicy(check_hostname=False))
    connect(connection, MemoryServer())
    assert connection.info.trust_anchor is not None


def stranger() -> TrustStore:
    return TrustStore.from_der(issue("Somebody else", rsa_key(), ca=True).der)


def test_unknown_root_is_refused(provider: Any) -> None:
    connection, server = client(provider, trust=stranger()), MemoryServer()
    with pytest.raises(CertificateError) as caught:
        connect(connection, server)
    assert caught.value.reason is ChainReason.UNKNOWN_ISSUER
    assert server.alert_from(connection) == "UNKNOWN_CA"


def test_skipped_verification_shows_in_the_info(provider: Any) -> None:
    policy = VerifyPolicy(insecure_skip_verify=True)
    connection = client(provider, host="other.example", trust=stranger(), verify=policy)
    connect(connection, MemoryServer())
    info = connection.info
    assert info.trust_anchor is None
    assert not info.time_checked
    assert [certificate.der for certificate in info.verified_path.certificates] == [info.peer_chain[0]]


class Verifier:
    """The application's own verifier."""

    def __init__(self, verdict: Any) -> None:
        self.verdict = verdict
        self.asked: list[Any] = []

    def verify(self, request: Any) -> Any:
        self.asked.append(request)
        return self.verdict(request)


def test_own_verifier_may_add_to_our_verdict(provider: Any) -> None:
    verifier = Verifier(lambda request: request.verify())
    connection = client(provider, verify=VerifyPolicy(verifier=verifier))
    connect(connection, MemoryServer())
    (request,) = verifier.asked
    assert request.chain == connection.info.peer_chain
    assert request.server_hostname == "localhost"
    assert (request.ocsp_response, request.sct_list) == (None, None)
    assert connection.info.trust_anchor is not None


def test_own_verifier_may_replace_our_verdict(provider: Any) -> None:
    def trusting(request: Any) -> VerifiedPath:
        return VerifiedPath((ParsedCertificate.parse(request.chain[0]),), None, False)

    connection = client(provider, trust=stranger(), verify=VerifyPolicy(verifier=Verifier(trusting)))
    connect(connection, MemoryServer())
    assert connection.is_established
    assert connection.info.trust_anchor is None


def test_our_refusal_stands_when_the_own_verifier_asks_for_it(provider: Any) -> None:
    verifier = Verifier(lambda request: request.verify())
    connection = client(provider, host="other.example", verify=VerifyPolicy(verifier=verifier))
    with pytest.raises(CertificateError) as caught:
        connect(connection, MemoryServer())
    assert caught.value.reason is ChainReason.NAME_MISMATCH


def test_own_verifier_chooses_the_alert(provider: Any) -> None:
    def refuse(request: Any) -> None:
        raise CertificateError("not on the list", ChainReason.REFUSED_BY_VERIFIER, alert=Alert.ACCESS_DENIED)

    connection, server = client(provider, verify=VerifyPolicy(verifier=Verifier(refuse))), MemoryServer()
    with pytest.raises(CertificateError, match="not on the list"):
        connect(connection, server)
    assert server.alert_from(connection) == "ACCESS_DENIED"


@pytest.mark.parametrize(
    ("verdict", "what"),
    [
        (lambda request: None, "returned NoneType"),
        (lambda request: True, "returned bool"),
        (lambda request: 1 / 0, "failed: ZeroDivisionError"),
    ],
)
def test_own_verifier_that_returns_no_path_or_breaks_has_refused(provider: Any, verdict: Any, what: str) -> None:
    """At the Certificate already: our own certificate must not go to a server that nobody vouched for."""
    connection = client(provider, device=pki.shared().ec_device, verify=VerifyPolicy(verifier=Verifier(verdict)))
    server = MemoryServer(ask_client=True)
    with pytest.raises(CertificateError, match=what) as caught:
        connect(connection, server)
    assert caught.value.reason is ChainReason.REFUSED_BY_VERIFIER
    assert server.alert_from(connection) == "CERTIFICATE_UNKNOWN"
