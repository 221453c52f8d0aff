"""Sessions as the owner of a connection sees them: when one is offered, when not, and what a store's trouble does."""

from __future__ import annotations

import ssl
import time
from typing import Any

import pytest

from lighttls import (
    Alert,
    CertificateError,
    ClientConfig,
    ClientConnection,
    ConfigurationError,
    HandshakeCompleted,
    Identity,
    MemorySessionStore,
    PeerAlert,
    RevocationPolicy,
    Session,
    SessionAvailable,
    SignaturePolicy,
    TimePolicy,
    TruncatedStream,
    TrustStore,
    UsageError,
    VerifyPolicy,
)
from lighttls.handshake import Client, resumption
from lighttls.session import DAY, MAX_AGE
from lighttls.x509 import reference_name
from support import crls, pki
from support.memory_server import NO_EXTENDED_MASTER_SECRET, MemoryServer, client, connect

NOW = time.time()


class Site:
    """An OpenSSL server that remembers its sessions from connection to connection."""

    def __init__(self, *, tickets: bool = True, **settings: Any) -> None:
        options = settings.pop("options", 0) | (0 if tickets else ssl.OP_NO_TICKET)
        self._first = MemoryServer(options=options, **settings)

    def connect(self, connection: ClientConnection) -> tuple[list[Any], MemoryServer]:
        server = self._first.again()
        events = connect(connection, server)
        return events, server

    def visit(self, connection: ClientConnection) -> bool:
        """Connect, and part in peace; whether the session was resumed, on which both sides must agree."""
        _, server = self.connect(connection)
        resumed = connection.info.session_resumed
        assert server.tls.session_reused is resumed
        connection.close()
        server.receive(connection.data_to_send())
        server.read()
        connection.receive_data(server.say_goodbye())
        return resumed


# ---- the usual way ------------------------------------------------------------------------------


@pytest.mark.parametrize("tickets", [True, False], ids=["ticket", "id"])
def test_store_makes_the_second_connection_a_resumed_one(provider: Any, tickets: bool) -> None:
    """RESUME-04."""
    site, store = Site(tickets=tickets), MemorySessionStore()
    assert not site.visit(client(provider, sessions=store))
    assert site.visit(client(provider, sessions=store))
    assert site.visit(client(provider, sessions=store))


@pytest.mark.parametrize("tickets", [True, False], ids=["ticket", "id"])
def test_exported_session_resumes_without_a_store(provider: Any, tickets: bool) -> None:
    site = Site(tickets=tickets)
    first = client(provider, offer_tickets=tickets)
    events, server = site.connect(first)
    session = first.export_session()
    assert session is not None
    assert session is first.export_session()
    assert [type(event) for event in events] == [HandshakeCompleted] + [SessionAvailable] * tickets
    first.close()
    server.receive(first.data_to_send())
    server.read()
    server.say_goodbye()
    again = Session.from_bytes(session.to_bytes())
    assert site.visit(client(provider, offer_tickets=tickets, session=again))


def test_session_available_comes_after_the_handshake_and_only_with_something_new(provider: Any) -> None:
    site, store = Site(), MemorySessionStore()
    (first, second), _ = site.connect(client(provider, sessions=store))
    assert isinstance(first, HandshakeCompleted)
    assert isinstance(second, SessionAvailable)
    assert [second.session.to_bytes()] == [Session.from_bytes(data).to_bytes() for data in store._entries.values()]
    (only,), _ = site.connect(client(provider, sessions=store))
    assert isinstance(only, HandshakeCompleted)


def test_info_of_a_resumed_connection_says_what_it_can(provider: Any) -> None:
    site, store = Site(alpn=["mqtt"]), MemorySessionStore()
    settings = {"sessions": store, "alpn_protocols": ["mqtt"]}
    full = client(provider, **settings)
    site.connect(full)
    connection = client(provider, **settings)
    site.connect(connection)
    info = connection.info
    assert info.session_resumed
    assert (info.cipher_suite, info.extended_master_secret) == (full.info.cipher_suite, True)
    assert info.alpn_protocol == "mqtt"
    assert info.server_hostname == "localhost"
    assert info.time_checked
    assert info.secure_renegotiation
    assert info.flights == 3
    assert info.peer_chain == ()
    nothing = (info.group, info.peer_signature_scheme, info.verified_path, info.trust_anchor)
    assert nothing == (None, None, None, None)
    assert not info.client_certificate_sent


def test_channel_bindings_of_a_resumed_connection(provider: Any) -> None:
    """EXP-04: the server's Finished came first; EXP-05: of the certificate that the session began with."""
    site, store = Site(), MemorySessionStore()
    full = client(provider, sessions=store)
    site.connect(full)
    connection = client(provider, sessions=store)
    _, server = site.connect(connection)
    assert connection.info.session_resumed
    assert connection.channel_binding("tls-unique") == server.tls.get_channel_binding("tls-unique")
    assert connection.channel_binding("tls-server-end-point") == full.channel_binding("tls-server-end-point")
    assert connection.export_keying_material("EXPERIMENTAL x", None, 16)


def test_data_flows_both_ways_after_resumption(provider: Any) -> None:
    site, store = Site(), MemorySessionStore()
    site.visit(client(provider, sessions=store))
    connection = client(provider, sessions=store)
    _, server = site.connect(connection)
    connection.send_data(b"there")
    server.receive(connection.data_to_send())
    assert server.read() == b"there"
    (event,) = connection.receive_data(server.seal(b"back"))
    assert event.data == b"back"


def test_key_log_has_a_line_for_a_resumed_connection_too(provider: Any) -> None:
    """PROF-06."""
    lines: list[str] = []
    site, store = Site(), MemorySessionStore()
    for _ in range(2):
        site.connect(client(provider, sessions=store, key_log=lines.append))
    (_, one, secret), (_, other, same) = (line.split(" ") for line in lines)
    assert secret == same
    assert one != other


def test_no_session_is_there_to_export_before_or_after_the_connection(provider: Any) -> None:
    connection = client(provider)
    for state in ("Start", "Closed"):
        with pytest.raises(UsageError, match=f"no session in state {state}"):
            connection.export_session()
        if state == "Start":
            connect(connection, MemoryServer())
            connection.close()


def test_something_that_is_no_session_or_no_store_is_named(provider: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a Session, not bytes"):
        client(provider, session=b"session")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="dict is no SessionStore"):
        client(provider, sessions={})


# ---- what a session is bound to -----------------------------------------------------------------


def weaker() -> TrustStore:
    trust = TrustStore.empty()
    trust.add(pki.shared().root.to_pem(), allow=SignaturePolicy(sha1=True))
    return trust


def more_roots() -> TrustStore:
    return TrustStore.from_pem(pki.shared().root.to_pem() + pki.shared().device_ca.to_pem())


def revoking(mode: str = "soft", **settings: Any) -> VerifyPolicy:
    return VerifyPolicy(revocation=RevocationPolicy(mode=mode, **settings))


def revocation_list(number: int = 1, *, until: int = 1 << 32) -> bytes:
    """Of the shared root; it lists nothing."""
    return crls.crl(pki.shared().root, extensions=[crls.number(number)], next_update=until)  # type: ignore[arg-type]


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


# ---- time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "resumed"), [(0, True), (7100, True), (7200, False), (DAY, False), (MAX_AGE, False), (-60, False)]
)
def test_session_is_offered_until_its_end_and_not_before_its_beginning(
    provider: Any, later: float, resumed: bool
) -> None:
    """RESUME-02, TICKET-15: OpenSSL's tickets last two hours. A clock that ran back tells nothing of lifetimes."""
    store = MemorySessionStore()
    Site().connect(client(provider, sessions=store, clock=lambda: NOW))
    (data,) = store._entries.values()
    assert Session.from_bytes(data).facts.issued == int(NOW)
    second = client(provider, sessions=store, clock=lambda: NOW + later)
    second.initiate_connection()
    assert (Session.from_bytes(data).facts.ticket in second.data_to_send()) is resumed


def test_session_by_id_lasts_a_day(provider: Any) -> None:
    """RESUME-02."""
    connection = client(provider, clock=lambda: NOW)
    Site(tickets=False).connect(connection)
    session = connection.export_session()
    assert session is not None
    assert session.expires == int(NOW) + DAY


def test_session_ends_with_the_first_certificate_of_the_path(provider: Any) -> None:
    """RESUME-02, RESUME-15."""
    probe = client(provider)
    Site(tickets=False).connect(probe)
    assert probe.info.verified_path is not None
    end = min(certificate.not_after for certificate in probe.info.verified_path.certificates)
    connection = client(provider, clock=lambda: end - 100)
    Site(tickets=False).connect(connection)
    session = connection.export_session()
    assert session is not None
    assert session.expires == end


@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_session_ends_with_the_first_crl_that_the_verdict_hangs_on(provider: Any, mode: str) -> None:
    """RESUME-02: in hard mode, where a list that has ended would refuse the server."""
    end = int(NOW) + 100
    lists = [revocation_list(), crls.crl(pki.shared().intermediate, next_update=end)]  # type: ignore[arg-type]
    connection = client(provider, clock=lambda: NOW, verify=revoking(mode, crls=lists))
    Site(tickets=False).connect(connection)
    session = connection.export_session()
    assert session is not None
    assert session.expires == (end if mode == "hard" else int(NOW) + DAY)


# ---- the end of a session -------------------------------------------------------------------------


def resumable(provider: Any) -> tuple[Site, MemorySessionStore, Session]:
    site, store = Site(), MemorySessionStore()
    first = client(provider, sessions=store)
    site.connect(first)
    session = first.export_session()
    assert session is not None
    return site, store, session


def test_fatal_alert_from_the_server_ends_the_session(provider: Any) -> None:
    """ALERT-15."""
    _, store, session = resumable(provider)
    connection = client(provider, sessions=store, session=session)
    connection.initiate_connection()
    with pytest.raises(PeerAlert):
        connection.receive_data(b"\x15\x03\x03\x00\x02\x02\x28")
    assert len(store) == 0
    assert session.ended
    again = client(provider, session=session)
    again.initiate_connection()
    assert session.facts.ticket not in again.data_to_send()


def test_error_after_the_handshake_ends_the_session(provider: Any) -> None:
    """ALERT-15: also the object that the owner was given."""
    site, store = Site(), MemorySessionStore()
    connection = client(provider, sessions=store)
    (_, event), _ = site.connect(connection)
    with pytest.raises(Exception, match="authentication"):
        connection.receive_data(b"\x17\x03\x03\x00\x20" + bytes(32))
    assert len(store) == 0
    assert event.session.ended


def test_abort_ends_the_session(provider: Any) -> None:
    site, store = Site(), MemorySessionStore()
    connection = client(provider, sessions=store)
    site.connect(connection)
    connection.abort(Alert.INTERNAL_ERROR)
    assert len(store) == 0


def test_truncation_after_the_handshake_ends_no_session(provider: Any) -> None:
    """ALERT-11: links break."""
    site, store = Site(), MemorySessionStore()
    connection = client(provider, sessions=store)
    site.connect(connection)
    with pytest.raises(TruncatedStream):
        connection.receive_eof()
    assert site.visit(client(provider, sessions=store))


def test_truncation_before_the_servers_answer_ends_no_session(provider: Any) -> None:
    site, store, _ = resumable(provider)
    connection = client(provider, sessions=store)
    connection.initiate_connection()
    with pytest.raises(TruncatedStream):
        connection.receive_eof()
    assert site.visit(client(provider, sessions=store))


def test_truncation_after_the_server_took_the_session_ends_it(provider: Any) -> None:
    """TICKET-19."""
    site, store, _ = resumable(provider)
    connection = client(provider, sessions=store)
    server = site._first.again()
    connection.initiate_connection()
    server.receive(connection.data_to_send())
    reply = server.take()
    connection.receive_data(reply[: 5 + int.from_bytes(reply[3:5], "big")])
    assert connection.state.endswith("Resumed")
    with pytest.raises(TruncatedStream):
        connection.receive_eof()
    assert len(store) == 0


def test_failure_does_not_take_another_connections_session_out_of_the_store(provider: Any) -> None:
    site, store, session = resumable(provider)
    other = MemorySessionStore()
    site.connect(client(provider, sessions=other))
    connection = client(provider, sessions=store, session=session)
    connection.initiate_connection()
    (newer,) = other._entries.items()
    store.save(*newer)
    connection.abort(Alert.USER_CANCELED)
    assert session.ended
    assert len(store) == 1


# ---- a store in trouble ---------------------------------------------------------------------------


class Broken:
    """Fails, or gives back something else."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def load(self, key: bytes) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def save(self, key: bytes, data: bytes) -> Any:
        return self.load(key)

    def delete(self, key: bytes) -> None:
        self.load(key)


@pytest.mark.parametrize(
    "answer",
    [OSError("flash is worn out"), "text", b"", b"\1", bytes(500)],
    ids=["raises", "text", "empty", "short", "long"],
)
def test_store_in_trouble_is_a_warning_and_a_full_handshake(provider: Any, answer: Any) -> None:
    connection = client(provider, sessions=Broken(answer))
    with pytest.warns(RuntimeWarning, match="the session store failed to (load|save)"):
        Site().connect(connection)
    assert connection.is_established
    assert not connection.info.session_resumed


def test_store_that_cannot_forget_is_a_warning_beside_the_error(provider: Any) -> None:
    _, store, session = resumable(provider)
    connection = client(provider, sessions=store, session=session)
    connection.initiate_connection()

    def fail(key: bytes) -> None:
        raise OSError("read-only")

    store.__class__ = type("Stubborn", (MemorySessionStore,), {"__slots__": (), "delete": lambda self, key: fail(key)})
    with (
        pytest.warns(RuntimeWarning, match="failed to delete: read-only"),
        pytest.raises(PeerAlert),
    ):
        connection.receive_data(b"\x15\x03\x03\x00\x02\x02\x28")


def test_store_that_uses_the_connection_finds_it_busy(provider: Any) -> None:
    seen: list[Exception] = []

    class Meddling(MemorySessionStore):
        def load(self, key: bytes) -> bytes | None:
            try:
                connection.close()
            except UsageError as error:
                seen.append(error)
            return None

    connection = client(provider, sessions=Meddling())
    Site().connect(connection)
    assert connection.is_established
    assert "callback" in str(seen[0])
