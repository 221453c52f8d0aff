"""What a connection reports: info, key log, trace."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path
from typing import Any

import pytest

from lighttls import (
    CipherSuite,
    HandshakeCompleted,
    Identity,
    NamedGroup,
    SignatureScheme,
)
from lighttls.testing import Certificate
from support import pki
from support.memory_server import NO_EXTENDED_MASTER_SECRET, MemoryServer, client, connect


def server_leaf(kind: str) -> Certificate:
    shared = pki.shared()
    return shared.ecdsa_server if kind == "ec" else shared.rsa_server


def device(kind: str | None) -> Certificate | None:
    shared = pki.shared()
    return {None: None, "ec": shared.ec_device, "rsa": shared.rsa_device}[kind]


# ---- info --------------------------------------------------------------------------------------


PREFERRED = {"ec": SignatureScheme.ECDSA_SECP256R1_SHA256, "rsa": SignatureScheme.RSA_PSS_RSAE_SHA256}


def bare(suite: str) -> str:
    """What OpenSSL's and IANA's names of a suite have in common."""
    return suite.removeprefix("TLS_").replace("WITH_", "").replace("_", "").replace("-", "")


@pytest.mark.parametrize("client_kind", [None, "ec", "rsa"])
@pytest.mark.parametrize("server_kind", ["ec", "rsa"])
def test_info_of_a_handshake(provider: Any, server_kind: str, client_kind: str | None) -> None:
    leaf, ours, shared = server_leaf(server_kind), device(client_kind), pki.shared()
    connection, server = client(provider, device=ours), MemoryServer(leaf, ask_client=ours is not None)
    (event,) = connect(connection, server)
    assert isinstance(event, HandshakeCompleted)
    info = connection.info
    assert info.version == 0x0303
    assert bare(info.cipher_suite.name) == bare(server.tls.cipher()[0])
    assert info.group is NamedGroup.X25519
    assert info.peer_signature_scheme is PREFERRED[server_kind]
    assert info.peer_chain == (leaf.der, shared.intermediate.der)
    assert [c.der for c in info.verified_path.certificates] == [leaf.der, shared.intermediate.der]
    assert info.trust_anchor is not None
    assert info.trust_anchor.der == shared.root.der
    assert info.time_checked
    assert info.extended_master_secret
    assert info.secure_renegotiation
    assert not info.session_resumed
    assert info.server_hostname == "localhost"
    assert info.alpn_protocol is None
    assert info.requested_ca_names == ()
    if client_kind is None or ours is None:
        assert info.requested_certificate_types is None
        assert info.client_signature_scheme is None
        assert not info.client_certificate_sent
    else:
        assert {1, 64} <= set(info.requested_certificate_types or ())
        assert info.client_certificate_sent
        assert info.client_signature_scheme is PREFERRED[client_kind]
        assert server.tls.getpeercert(binary_form=True) == ours.der
    assert info.flights == 4
    assert len(info.flight_times) == 4


@pytest.mark.parametrize("group", [NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP384R1])
def test_info_names_the_group(provider: Any, group: NamedGroup) -> None:
    connection = client(provider, groups=(group,), cipher_suites=(CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,))
    connect(connection, MemoryServer(server_leaf("rsa")))
    assert connection.info.group is group


def test_no_identity_for_a_server_that_asks_shows_in_the_info(provider: Any) -> None:
    """CAUTH-01: an empty list; a server may go on without."""
    connection, server = client(provider), MemoryServer(ask_client=True, insist=False)
    connect(connection, server)
    assert connection.info.requested_certificate_types is not None
    assert not connection.info.client_certificate_sent


def test_event_of_a_handshake_shows_what_that_had_cost_whenever_it_is_looked_at(provider: Any) -> None:
    connection = client(provider)
    (event,) = connect(connection, MemoryServer())
    at_once = connection.info
    connection.send_data(b"more")
    connection.data_to_send()
    connection.close()
    assert isinstance(event, HandshakeCompleted)
    assert event.info == at_once
    assert event.info is event.info
    assert connection.info.bytes_sent > at_once.bytes_sent


def test_byte_counts_go_on_after_the_handshake_and_count_what_was_handed_out(provider: Any) -> None:
    connection, server = client(provider), MemoryServer()
    connection.initiate_connection()
    sent = connection.data_to_send()
    server.receive(sent)
    reply = server.take()
    connection.receive_data(reply)
    second = connection.data_to_send()
    server.receive(second)
    last = server.take()
    (event,) = connection.receive_data(last)
    assert (event.info.bytes_sent, event.info.bytes_received) == (len(sent + second), len(reply + last))
    connection.send_data(b"x" * 100)
    assert connection.info.bytes_sent == event.info.bytes_sent
    connection.data_to_send(10)
    assert connection.info.bytes_sent == event.info.bytes_sent + 10
    record = server.seal(b"y" * 100)
    connection.receive_data(record)
    assert connection.info.bytes_received == event.info.bytes_received + len(record)


def test_flight_times_count_from_the_client_hello_by_the_configured_clock(provider: Any) -> None:
    base = time.time()
    ticks = (base + number for number in itertools.count())
    connection = client(provider, clock=lambda: next(ticks))
    connect(connection, MemoryServer())
    first, *later = connection.info.flight_times
    assert first == 0
    assert all(b > a >= 1 for a, b in itertools.pairwise(later))


# ---- ALPN --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "chosen"),
    [
        (("mqtt", "http/1.1"), ("http/1.1",), "http/1.1"),
        (("x-amzn-mqtt-ca",), ("mqtt", "x-amzn-mqtt-ca"), "x-amzn-mqtt-ca"),
        (("mqtt",), ("h2",), None),
        (("mqtt",), (), None),
        ((), ("h2",), None),
    ],
)
def test_protocol_is_what_the_server_chose_of_ours(
    provider: Any, ours: tuple[str, ...], theirs: tuple[str, ...], chosen: str | None
) -> None:
    """ALPN-01, ALPN-06."""
    connection, server = client(provider, alpn_protocols=ours), MemoryServer(alpn=theirs)
    connect(connection, server)
    assert connection.info.alpn_protocol == server.tls.selected_alpn_protocol() == chosen


# ---- key log -----------------------------------------------------------------------------------

SUITES_OF_EC = [suite for suite in CipherSuite if "ECDSA" in suite.name and "CCM" not in suite.name]
"""What Python's `ssl` serves by default."""


@pytest.mark.parametrize("options", [0, NO_EXTENDED_MASTER_SECRET], ids=["extended", "plain"])
@pytest.mark.parametrize("suite", SUITES_OF_EC, ids=lambda suite: suite.name)
def test_key_log_line_is_the_one_openssl_writes(
    provider: Any, suite: CipherSuite, options: int, tmp_path: Path
) -> None:
    """The master secret itself, so that what reads one log reads the other; also RFC 7627 §4 against OpenSSL."""
    lines: list[str] = []
    log = tmp_path / "keys.log"
    connection = client(provider, cipher_suites=(suite,), key_log=lines.append)
    connect(connection, MemoryServer(key_log=log, options=options))
    assert connection.info.extended_master_secret is (options == 0)
    (line,) = lines
    label, client_random, master_secret = line.split(" ")
    assert (label, len(client_random), len(master_secret)) == ("CLIENT_RANDOM", 64, 96)
    assert line in log.read_text().splitlines()


def test_key_log_is_written_before_a_deferred_signature(provider: Any) -> None:
    shared = pki.shared()
    lines: list[str] = []
    identity = Identity.from_pem(shared.device_chain(shared.ec_device))
    connection = client(provider, identity=identity, key_log=lines.append)
    connect(connection, MemoryServer(ask_client=True))
    assert connection.state == "WaitSignature"
    assert len(lines) == 1


# ---- trace -------------------------------------------------------------------------------------


def test_trace_shows_each_message_in_order_with_size_and_time(provider: Any) -> None:
    base = time.time()
    connection = client(provider, device=device("ec"), trace=True, clock=lambda: base)
    connect(connection, MemoryServer(ask_client=True))
    assert connection.trace is not None
    assert [(entry.sent, entry.name) for entry in connection.trace] == [
        (True, "ClientHello"),
        (False, "ServerHello"),
        (False, "Certificate"),
        (False, "ServerKeyExchange"),
        (False, "CertificateRequest"),
        (False, "ServerHelloDone"),
        (True, "Certificate"),
        (True, "ClientKeyExchange"),
        (True, "CertificateVerify"),
        (True, "ChangeCipherSpec"),
        (True, "Finished"),
        (False, "ChangeCipherSpec"),
        (False, "Finished"),
    ]
    sizes = {entry.name: entry.size for entry in connection.trace if entry.sent}
    assert (sizes["ChangeCipherSpec"], sizes["Finished"], sizes["ClientKeyExchange"]) == (1, 16, 37)
    assert all(entry.time == base for entry in connection.trace)
    text = str(connection.trace[0])
    assert text.startswith("→ ClientHello (")
    assert "extension server_name: name_type: 0, name: localhost" in text
    assert "extension supported_groups: x25519, secp256r1, secp384r1" in text
    assert str(connection.trace[1]).startswith("← ServerHello (")
    assert "named_curve: x25519" in str(connection.trace[3])


def test_trace_and_reprs_hold_no_secret(provider: Any) -> None:
    """PROF-05: neither the master secret nor anything drawn for a private key."""
    lines: list[str] = []
    draws: list[bytes] = []

    def source(count: int) -> bytes:
        draws.append(os.urandom(count))
        return draws[-1]

    connection = client(provider, trace=True, key_log=lines.append, insecure_entropy=source)
    server = MemoryServer()
    connection.initiate_connection()
    server.receive(connection.data_to_send())
    connection.receive_data(server.take())
    shown = repr(connection._state)
    server.run(connection)
    shown += "".join(map(str, connection.trace or ())) + "".join(map(repr, connection.trace or ()))
    shown += repr(connection._state) + repr(connection.info) + repr(connection)
    master_secret = lines[0].split()[2]
    private_key = draws[1]
    assert len(draws) == 2
    for secret in (bytes.fromhex(master_secret), private_key):
        assert secret.hex() not in shown
        assert repr(secret) not in shown
        assert repr(bytearray(secret)) not in shown


def test_trace_is_off_unless_asked(provider: Any) -> None:
    connection = client(provider)
    connect(connection, MemoryServer())
    assert connection.trace is None
