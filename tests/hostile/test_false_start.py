"""False Start: data before the server's Finished, where all conditions hold and nowhere else (FS)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hostile import certificates as pki
from hostile import wire
from hostile.cases import both_splits, check_alive, check_refusal
from hostile.link import Link, drive
from hostile.server import FIRST, SECOND, Server
from hostile.steps import alert, data
from lighttls import (
    Alert,
    ClientConfig,
    ClientConnection,
    Identity,
    TimePolicy,
    TrustStore,
    VerifyPolicy,
    errors,
    software_key,
)

EARLY = b"sent before the server's Finished"
GCM, CHACHA, CCM, CCM_8 = 0xC02B, 0xCCA9, 0xC0AC, 0xC0AE


def config(provider: Any, **settings: Any) -> ClientConfig:
    return ClientConfig(
        **{"trust": TrustStore.from_der(pki.root()), "provider": provider, "false_start": True} | settings
    )


def acquainted(provider: Any, *, suite: int = GCM, request: bool = False, **settings: Any) -> ClientConfig:
    """Settings under which the host has completed a handshake with that suite before."""
    made = config(provider, **settings)
    check_alive(drive(ClientConnection(made, pki.HOST), Server(pki.leaf(), suite=suite, request=request)))
    return made


class Eager:
    """Sends as soon as it may, and notes whether the handshake was complete then."""

    def __init__(self, connection: ClientConnection, early: bytes) -> None:
        self.connection, self.early = connection, early
        self.state = ""
        self.initiate_connection = connection.initiate_connection
        self.data_to_send = connection.data_to_send

    def receive_data(self, received: bytes) -> list[Any]:
        events = self.connection.receive_data(received)
        if not self.state and self.connection.can_send_data:
            self.state = self.connection.state
            assert self.connection.is_established == (self.state == "Connected")
            self.connection.send_data(self.early)
        return events


def hurry(
    settings: ClientConfig, *, split: int | None = None, host: str = pki.HOST, early: bytes = EARLY, **script: Any
) -> tuple[Link, str]:
    """A connection that sends as early as it may, and the state it was in then."""
    script = {"suite": GCM} | script
    eager = Eager(ClientConnection(settings, host), early)
    link = drive(eager, Server(script.pop("leaf", None) or pki.leaf(), **script), split)
    link.client = eager.connection
    return link, eager.state


@both_splits
@pytest.mark.parametrize("suite", [GCM, CHACHA, CCM])
def test_data_goes_right_behind_our_finished_when_all_conditions_hold(provider, split, suite):
    """FS-01 to FS-06."""
    link, state = hurry(acquainted(provider, suite=suite, cipher_suites=[suite]), split=split, suite=suite)
    assert state == "WaitChangeCipherSpec"
    check_alive(link)
    assert link.server.received.startswith(EARLY)
    info = link.client.info
    assert info.early_bytes == len(EARLY)
    assert info.flights == 4


def test_early_data_leaves_in_one_piece_with_our_finished(provider):
    """HS-13: the flight waits in `data_to_send`."""
    connection = ClientConnection(acquainted(provider), pki.HOST)
    server = Server(pki.leaf(), suite=GCM, first=FIRST)
    connection.initiate_connection()
    server.receive(connection.data_to_send())
    assert connection.receive_data(server.take()) == []
    assert connection.can_send_data
    assert not connection.is_established
    connection.send_data(memoryview(EARLY))
    connection.send_data(b"")
    sent = connection.data_to_send()
    assert [kind for kind, _, _ in wire.split_records(sent)[0]] == [22, 20, 22, 23]
    with pytest.raises(errors.UsageError, match="before the handshake is complete"):
        connection.info  # noqa: B018
    with pytest.raises(errors.UsageError):
        connection.export_keying_material("EXPERIMENTAL", b"", 32)
    server.receive(sent)
    (event,) = connection.receive_data(server.take())[:1]
    assert event.info.early_bytes == len(EARLY)
    assert server.received == EARLY


def test_early_data_keeps_to_the_server_s_record_size_limit(provider):
    """SIZE-13."""
    settings = acquainted(provider, record_size_limit=16384)
    link, state = hurry(settings, early=bytes(250), extra=[(wire.RECORD_SIZE_LIMIT, wire.u16(100))])
    assert state == "WaitChangeCipherSpec"
    assert [len(body) for kind, _, body in link.server.client_records if kind == 23] == [100, 100, 50]
    assert link.client.info.early_bytes == 250


def device() -> Identity:
    ours = pki.device("p256/device")
    return Identity(ours.chain, software_key(ours.key_pem))


@both_splits
@pytest.mark.parametrize(
    ("settings", "script"),
    [
        (lambda provider: config(provider), {}),
        (lambda provider: acquainted(provider, false_start=False), {}),
        (lambda provider: acquainted(provider, suite=CHACHA), {}),
        (lambda provider: acquainted(provider), {"suite": CHACHA}),
        (lambda provider: acquainted(provider), {"host": "other.example"}),
        (lambda provider: acquainted(provider, suite=CCM_8, cipher_suites=[CCM_8]), {"suite": CCM_8}),
        (lambda provider: acquainted(provider), {"request": True}),
        (lambda provider: acquainted(provider, identity=device()), {"request": True}),
        (lambda provider: acquainted(provider, identity=device(), request=True), {"request": True}),
        (
            lambda provider: acquainted(provider, verify=VerifyPolicy(time=TimePolicy.insecure_until_checked())),
            {},
        ),
        (lambda provider: acquainted(provider, verify=VerifyPolicy(insecure_skip_verify=True)), {}),
    ],
    ids=[
        "first-handshake",
        "switch-off",
        "suite-never-completed",
        "other-suite",
        "other-host",
        "ccm-8",
        "asked-for-a-certificate",
        "certificate-sent",
        "certificate-sent-again",
        "time-not-checked",
        "chain-not-verified",
    ],
)
def test_without_one_of_the_conditions_data_waits_for_the_server_s_finished(provider, split, settings, script):
    """FS-01, FS-02, FS-03, FS-05: and the handshake is a usual one."""
    host = script.get("host", pki.HOST)
    link, state = hurry(settings(provider), split=split, leaf=pki.leaf(host=host), **script)
    assert state == "Connected"
    check_alive(link)
    assert link.client.info.early_bytes == 0


def test_failed_handshake_makes_no_acquaintance(provider):
    """Only a completed one does."""
    settings = config(provider)
    link, _ = hurry(settings, edit={"finished": lambda message: message[:-1] + b"?"})
    assert type(link.error) is errors.DecryptError
    link, state = hurry(settings)
    assert state == "Connected"


def wrong(message: bytes) -> bytes:
    return message[:-1] + bytes((message[-1] ^ 1,))


REFUSED: list[tuple[str, int, dict[str, Any]]] = [
    ("FS-07-finished-wrong", wire.DECRYPT_ERROR, {"edit": {"finished": wrong}}),
    ("FS-08-data-before-change-cipher-spec", wire.UNEXPECTED_MESSAGE, {"second": [data(b"x"), *SECOND]}),
    (
        "FS-08-data-before-finished",
        wire.UNEXPECTED_MESSAGE,
        {"second": ["change_cipher_spec", data(b"x"), "finished"]},
    ),
    ("FS-08-data-instead-of-finished", wire.UNEXPECTED_MESSAGE, {"second": ["change_cipher_spec", data(b"x")]}),
    ("CCS-06-twice", wire.BAD_RECORD_MAC, {"second": ["change_cipher_spec", wire.record(20, b"\x01")]}),
]


@both_splits
@pytest.mark.parametrize(("rule", "number", "script"), REFUSED, ids=[rule for rule, _, _ in REFUSED])
def test_failure_after_early_data_says_that_data_was_sent(provider, split, rule, number, script):
    """FS-07, FS-08."""
    link, state = hurry(acquainted(provider), split=split, echo=False, tail=[data(b"secret")], **script)
    assert state == "WaitChangeCipherSpec"
    error = {
        wire.DECRYPT_ERROR: errors.DecryptError,
        wire.UNEXPECTED_MESSAGE: errors.UnexpectedMessage,
        wire.BAD_RECORD_MAC: errors.BadRecordMac,
    }[number]
    check_refusal(link, number, error)
    assert link.data == b""
    assert f"{len(EARLY)} bytes of data had been sent already (False Start)" in str(link.error)
    assert link.error.context["early_bytes"] == len(EARLY)


def test_alert_and_end_of_stream_after_early_data_say_so_too(provider):
    """FS-07."""
    settings = acquainted(provider)
    link, _ = hurry(settings, second=[alert(wire.FATAL, 40)], echo=False)
    assert type(link.error) is errors.PeerAlert
    assert link.error.context["early_bytes"] == len(EARLY)
    link, _ = hurry(settings, second=[], echo=False)
    with pytest.raises(errors.TruncatedStream, match="False Start"):
        link.client.receive_eof()


@pytest.mark.parametrize("end", [lambda c: c.close(), lambda c: c.abort(Alert.USER_CANCELED)], ids=["close", "abort"])
def test_owner_may_end_the_connection_before_the_server_s_finished(provider, end: Callable[[Any], None]):
    """ALERT-13: behind the data, under the same keys."""
    connection = ClientConnection(acquainted(provider), pki.HOST)
    server = Server(pki.leaf(), suite=GCM, second=[])
    connection.initiate_connection()
    server.receive(connection.data_to_send())
    connection.receive_data(server.take())
    connection.send_data(EARLY)
    end(connection)
    assert not connection.can_send_data
    server.receive(connection.data_to_send())
    assert server.received == EARLY
    assert len(server.alerts) == 1


def test_memory_of_handshakes_is_bounded(provider):
    made = config(provider)
    for number in range(1025):
        made.note_completed(f"host{number}", GCM)
    assert made.has_completed("host1024", GCM)
    assert not made.has_completed("host0", GCM)
    assert not config(provider, false_start=False).has_completed("host1024", GCM)


def test_steps_are_those_of_a_full_handshake(provider):
    """SEQ-13: what the server sends is the same with and without."""
    settings = acquainted(provider)

    def served(early: bool) -> list[int]:
        link, _ = hurry(settings if early else config(provider), echo=False)
        return [kind for kind, _, _ in wire.split_records(link.served)[0]]

    assert served(True) == served(False)
