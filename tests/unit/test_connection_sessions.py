"""Sessions as the owner of a connection sees them: how one is resumed, when it ends, what a store's trouble does."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lighttls import (
    Alert,
    ConfigurationError,
    HandshakeCompleted,
    MemorySessionStore,
    PeerAlert,
    Session,
    SessionAvailable,
    TruncatedStream,
    UsageError,
)
from lighttls.session import DAY, MAX_AGE
from support import crls, pki
from support.memory_server import MemoryServer, client, connect
from support.sites import Site, revocation_list, revoking

NOW = time.time()


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
    """Asked before the ClientHello, and again when the handshake is complete."""
    uses = (lambda: connection.close(), lambda: connection.initiate_connection(), lambda: connection.receive_eof())
    later = (*uses[::2], lambda: connection.receive_data_into(b"", bytearray(9)))
    seen: list[str] = []

    class Meddling(MemorySessionStore):
        def load(self, key: bytes) -> bytes | None:
            self.meddle(uses)
            return None

        def save(self, key: bytes, session: bytes) -> None:
            self.meddle(later)

        def meddle(self, uses: Any) -> None:
            for use in uses:
                with pytest.raises(UsageError) as caught:
                    use()
                seen.append(str(caught.value))

    connection = client(provider, sessions=Meddling())
    Site().connect(connection)
    assert connection.is_established
    assert seen == ["a callback must not use the connection that is calling it"] * 6
