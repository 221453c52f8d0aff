"""What a session is bound to: under which other settings it is not offered again (RESUME-01)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lighttls import (
    CertificateError,
    ClientConfig,
    ClientConnection,
    Identity,
    MemorySessionStore,
    RevocationPolicy,
    SignaturePolicy,
    TimePolicy,
    TrustStore,
    UsageError,
    VerifyPolicy,
)
from lighttls.handshake import Client, resumption
from lighttls.x509 import reference_name
from support import pki
from support.memory_server import NO_EXTENDED_MASTER_SECRET, client
from support.sites import Site, revocation_list, revoking

NOW = time.time()


def weaker() -> TrustStore:
    trust = TrustStore.empty()
    trust.add(pki.shared().root.to_pem(), allow=SignaturePolicy(sha1=True))
    return trust


def more_roots() -> TrustStore:
    return TrustStore.from_pem(pki.shared().root.to_pem() + pki.shared().device_ca.to_pem())


class Verifier:
    """Says what ours says."""

    def __init__(self, policy_id: Any = None) -> None:
        if policy_id is not None:
            self.policy_id = policy_id

    def verify(self, request: Any) -> Any:
        return request.verify()


def device_identity(name: str) -> Identity:
    device = getattr(pki.shared(), name)
    return Identity.from_pem(pki.shared().device_chain(device) + device.key.to_pem())


OTHER_SETTINGS = {
    "anchor policy": lambda: {"trust": weaker()},
    "anchors": lambda: {"trust": more_roots()},
    "depth": lambda: {"verify": VerifyPolicy(max_depth=3)},
    "pins": lambda: {"verify": VerifyPolicy(pins=[bytes(32)])},
    "certificate policies": lambda: {"verify": VerifyPolicy(initial_policies=["1.2.3"])},
    "explicit policy": lambda: {"verify": VerifyPolicy(require_explicit_policy=True)},
    "policy mapping": lambda: {"verify": VerifyPolicy(inhibit_policy_mapping=True)},
    "any policy": lambda: {"verify": VerifyPolicy(inhibit_any_policy=True)},
    "revocation": lambda: {"verify": revoking()},
    "CRLs": lambda: {"verify": revoking(crls=revocation_list())},
    "raw keys": lambda: {"verify": VerifyPolicy(raw_keys={"localhost": [bytes(32)]})},
    "time": lambda: {"verify": VerifyPolicy(time=TimePolicy.floor(1_600_000_000))},
    "no time": lambda: {"verify": VerifyPolicy(time=TimePolicy.insecure_until_checked())},
    "no name": lambda: {"verify": VerifyPolicy(check_hostname=False)},
    "no verification": lambda: {"verify": VerifyPolicy(insecure_skip_verify=True)},
    "verifier": lambda: {"verify": VerifyPolicy(verifier=Verifier(b"mine"))},
    "identity": lambda: {"identity": device_identity("ec_device")},
    "protocols": lambda: {"alpn_protocols": ["mqtt"]},
    "suites": lambda: {"cipher_suites": [0xC02B]},
    "groups": lambda: {"groups": [23]},
    "schemes": lambda: {"signature_schemes": [0x0403, 0x0804]},
    "fragments": lambda: {"max_fragment_length": 512},
    "ocsp": lambda: {"request_ocsp": True},
    "timestamps": lambda: {"request_scts": True},
    "renegotiation": lambda: {"insecure_allow_legacy_renegotiation": True},
    "master secret": lambda: {"require_extended_master_secret": True},
    "protocol required": lambda: {"alpn_protocols": ["h2"], "require_alpn": True},
}


def bound(provider: Any, host: str = "localhost", **settings: Any) -> bytes | None:
    return resumption.binding(Client(pki.config(provider=provider, **settings), provider, reference_name(host)))


def test_every_setting_that_matters_gives_another_binding(provider: Any) -> None:
    """RESUME-01."""
    bindings = [bound(provider), bound(provider, "other.example")]
    bindings += [bound(provider, **make()) for make in OTHER_SETTINGS.values()]
    bindings += [
        bound(provider, verify=VerifyPolicy(verifier=Verifier(b"other"))),
        bound(provider, identity=device_identity("rsa_device")),
        bound(provider, alpn_protocols=["mqt", "t"]),
        bound(provider, alpn_protocols=["h2"]),
        bound(provider, verify=VerifyPolicy(pins=[bytes(31) + b"\1"])),
        bound(provider, verify=VerifyPolicy(raw_keys={"localhost": [bytes(31) + b"\1"]})),
        bound(provider, verify=VerifyPolicy(raw_keys={"localhost": [bytes(32), bytes(31) + b"\1"]})),
        bound(provider, verify=VerifyPolicy(raw_keys={"other.example": [bytes(32)]})),
        bound(provider, verify=revoking(mode="hard")),
        bound(provider, verify=revoking(crls=[revocation_list(), revocation_list(2)])),
        bound(provider, verify=revoking(certificates=pki.shared().intermediate.der)),
        bound(provider, verify=revoking(ocsp="require"), request_ocsp=True),
        bound(provider, verify=VerifyPolicy(time=TimePolicy.floor(1_600_000_001))),
    ]
    assert None not in bindings
    assert len(set(bindings)) == len(bindings)


def test_binding_hangs_on_nothing_else(provider: Any) -> None:
    same = {
        bound(provider),
        bound(provider, "LOCALHOST."),
        bound(provider, sessions=MemorySessionStore(), offer_tickets=True),
        bound(provider, clock=lambda: 0.0, trace=True, record_size_limit=1000, allow_non_ems_resumption=True),
    }
    assert len(same) == 1
    both = pki.shared().device_ca.to_pem(), pki.shared().root.to_pem()
    orders = [TrustStore.from_pem(b"".join(both)), TrustStore.from_pem(b"".join(reversed(both)))]
    assert len({bound(provider, trust=trust) for trust in orders}) == 1
    lists = revocation_list(), revocation_list(2)
    assert len({bound(provider, verify=revoking(crls=order)) for order in (lists, lists[::-1])}) == 1


def test_every_field_of_the_verify_policy_takes_part() -> None:
    """A field that is added must be added to the binding, and here."""
    assert set(VerifyPolicy.__slots__) == {
        *("time", "check_hostname", "max_depth", "pins", "raw_keys", "verifier", "insecure_skip_verify"),
        *("initial_policies", "require_explicit_policy", "inhibit_policy_mapping", "inhibit_any_policy"),
        "revocation",
    }
    assert {name for name in RevocationPolicy.__slots__ if not name.startswith("_")} == {
        *("crls", "certificates", "mode", "ocsp"),
    }
    assert set(TimePolicy.__slots__) == {"checks_dates", "earliest"}
    assert set(SignaturePolicy.__slots__) == {"sha1", "min_rsa_bits"}


def test_every_setting_takes_part_or_is_known_not_to_matter() -> None:
    assert {name for name in ClientConfig.__slots__ if not name.startswith("_")} == {
        # takes part
        *("trust", "verify", "identity", "psk", "alpn_protocols", "cipher_suites", "groups", "signature_schemes"),
        *("max_fragment_length", "request_ocsp", "request_scts", "insecure_allow_legacy_renegotiation"),
        *("require_alpn", "require_extended_master_secret"),
        # judged at each offer
        *("sessions", "offer_tickets", "allow_non_ems_resumption"),
        # says nothing about whom we trust with what
        *(
            "cache_signatures",
            "key_exchange",
            "false_start",
            "record_size_limit",
            "insecure_fallback_scsv",
            "clock",
            "key_log",
            "insecure_entropy",
            "profile",  # what it offers does, by name
            "provider",
            "trace",
        ),
    }


@pytest.mark.parametrize("change", OTHER_SETTINGS)
def test_session_is_not_offered_under_another_setting(provider: Any, change: str) -> None:
    """RESUME-01: neither from the store nor from the hand."""
    site, store = Site(), MemorySessionStore()
    first = client(provider, sessions=store)
    site.connect(first)
    session = first.export_session()
    other = client(provider, sessions=store, session=session, **OTHER_SETTINGS[change]())
    other.initiate_connection()
    assert session is not None
    assert session.facts.ticket not in other.data_to_send()


def test_session_is_not_offered_to_another_name(provider: Any) -> None:
    """RESUME-01, SNI-04."""
    site, store = Site(), MemorySessionStore()
    first = client(provider, sessions=store)
    site.connect(first)
    other = client(provider, "other.example", sessions=store, session=first.export_session())
    with pytest.raises(CertificateError):
        site.connect(other)
    assert site.visit(client(provider, "LocalHost.", sessions=store))


@pytest.mark.parametrize("policy_id", [None, b"", "text"])
def test_verifier_without_a_policy_id_leaves_no_session(provider: Any, policy_id: Any) -> None:
    store = MemorySessionStore()
    policy = VerifyPolicy(verifier=Verifier(policy_id))
    connection = client(provider, sessions=store, verify=policy)
    Site().connect(connection)
    assert len(store) == 0
    assert connection.export_session() is None


def test_verifier_with_a_policy_id_resumes(provider: Any) -> None:
    site, store = Site(), MemorySessionStore()
    settings = {"sessions": store, "verify": VerifyPolicy(verifier=Verifier(b"mine"))}
    assert not site.visit(client(provider, **settings))
    assert site.visit(client(provider, **settings))


def test_session_is_offered_only_while_the_verifier_judges_as_it_did(provider: Any) -> None:
    """RESUME-01: the same verifier, asked anew each time."""
    site, store, verifier = Site(), MemorySessionStore(), Verifier(b"list of Monday")
    config = pki.config(provider=provider, sessions=store, verify=VerifyPolicy(verifier=verifier))
    assert not site.visit(ClientConnection(config, "localhost"))
    verifier.policy_id = b"list of Tuesday"
    assert not site.visit(ClientConnection(config, "localhost"))
    for verifier.policy_id in (b"list of Monday", b"list of Tuesday"):
        assert site.visit(ClientConnection(config, "localhost"))
    verifier.policy_id = None
    assert not site.visit(ClientConnection(config, "localhost"))


def test_verifier_that_changes_its_mind_during_the_handshake_leaves_no_session(provider: Any) -> None:
    """RESUME-01."""

    class Fickle(Verifier):
        def verify(self, request: Any) -> Any:
            self.policy_id = b"after"
            return request.verify()

    store = MemorySessionStore()
    connection = client(provider, sessions=store, verify=VerifyPolicy(verifier=Fickle(b"before")))
    Site().connect(connection)
    assert len(store) == 0
    assert connection.export_session() is None


def selector(policy_id: Any) -> Any:
    def choose(request: Any) -> Identity | None:
        return None

    choose.policy_id = policy_id  # type: ignore[attr-defined]
    return choose


def test_identity_selector_with_a_policy_id_resumes(provider: Any) -> None:
    """RESUME-01."""
    site, store = Site(), MemorySessionStore()
    visits = [site.visit(client(provider, sessions=store, identity=selector(each))) for each in (b"a", b"b", b"a")]
    assert visits == [False, False, True]
    assert not site.visit(client(provider, sessions=store, verify=VerifyPolicy(verifier=Verifier(b"a"))))


@pytest.mark.parametrize("policy_id", [None, b"", "text"])
def test_identity_selector_without_a_policy_id_leaves_no_session(provider: Any, policy_id: Any) -> None:
    store = MemorySessionStore()
    connection = client(provider, sessions=store, identity=selector(policy_id))
    Site().connect(connection)
    assert len(store) == 0
    assert connection.export_session() is None


@pytest.mark.parametrize(
    "policy",
    [
        VerifyPolicy(time=TimePolicy.insecure_until_checked()),
        VerifyPolicy(insecure_skip_verify=True),
        VerifyPolicy(time=TimePolicy.floor(NOW + 3600)),
    ],
    ids=["no time", "no verification", "clock before the floor"],
)
def test_verdict_that_must_be_repeated_leaves_no_session(provider: Any, policy: VerifyPolicy) -> None:
    """RESUME-15."""
    store = MemorySessionStore()
    connection = client(provider, sessions=store, verify=policy)
    Site().connect(connection)
    assert connection.is_established
    assert len(store) == 0
    assert connection.export_session() is None


def test_session_without_extended_master_secret_is_kept_only_if_allowed(provider: Any) -> None:
    """RESUME-01, EMS-08."""
    site, store = Site(options=NO_EXTENDED_MASTER_SECRET), MemorySessionStore()
    assert not site.visit(client(provider, sessions=store))
    assert len(store) == 0
    allowed = {"sessions": store, "allow_non_ems_resumption": True}
    assert not site.visit(client(provider, **allowed))
    connection = client(provider, **allowed)
    site.connect(connection)
    assert connection.info.session_resumed
    with pytest.raises(UsageError, match="extended master secret"):
        connection.channel_binding("tls-unique")
    assert not site.visit(client(provider, sessions=store))


def test_session_with_a_ticket_is_not_offered_where_tickets_are_not(provider: Any) -> None:
    """TICKET-01."""
    site, store = Site(), MemorySessionStore()
    site.visit(client(provider, sessions=store))
    assert not site.visit(client(provider, sessions=store, offer_tickets=False))
