"""Keying material and channel bindings (EXP-01 to EXP-06), held against OpenSSL and a PRF of our own."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from lighttls import UsageError
from support import pki
from support.memory_server import NO_EXTENDED_MASTER_SECRET, MemoryServer, client, connect


def prf(hash_name: str, secret: bytes, seed: bytes, length: int) -> bytes:
    """P_hash of RFC 5246 §5."""
    out, a = b"", seed
    while len(out) < length:
        a = hmac.digest(secret, a, hash_name)
        out += hmac.digest(secret, a + seed, hash_name)
    return out[:length]


class Recorded:
    """A connection with the secrets that its key log gave away."""

    def __init__(self, provider: Any, **server: Any) -> None:
        lines: list[str] = []
        self.connection = client(provider, key_log=lines.append, trace=True)
        self.server = MemoryServer(**server)
        connect(self.connection, self.server)
        _, client_random, master_secret = lines[0].split()
        self.master_secret = bytes.fromhex(master_secret)
        assert self.connection.trace is not None
        hello = self.connection.trace[1].message
        self.randoms = bytes.fromhex(client_random) + hello.random  # type: ignore[union-attr]
        self.hash_name = "sha384" if "SHA384" in self.connection.info.cipher_suite.name else "sha256"

    def expected(self, label: bytes, context: bytes | None, length: int) -> bytes:
        field = b"" if context is None else len(context).to_bytes(2, "big") + context
        return prf(self.hash_name, self.master_secret, label + self.randoms + field, length)


@pytest.mark.parametrize("context", [None, b"", b"some context"])
@pytest.mark.parametrize("length", [1, 32, 100])
def test_keying_material_is_what_rfc_5705_says(provider: Any, context: bytes | None, length: int) -> None:
    """EXP-01: no context and an empty one differ."""
    recorded = Recorded(provider)
    got = recorded.connection.export_keying_material("EXPERIMENTAL mine", context, length)
    assert got == recorded.expected(b"EXPERIMENTAL mine", context, length)


def test_tls_unique_is_what_openssl_says(provider: Any) -> None:
    """EXP-04."""
    recorded = Recorded(provider)
    binding = recorded.connection.channel_binding("tls-unique")
    assert binding == recorded.server.tls.get_channel_binding("tls-unique")
    assert len(binding) == 12


@pytest.mark.parametrize("leaf", ["ecdsa_server", "rsa_server"])
def test_tls_server_end_point_is_the_hash_of_the_leaf(provider: Any, leaf: str) -> None:
    """EXP-05: both are signed with SHA-256."""
    recorded = Recorded(provider, leaf=getattr(pki.shared(), leaf))
    expected = hashlib.sha256(recorded.connection.info.peer_chain[0]).digest()
    assert recorded.connection.channel_binding("tls-server-end-point") == expected


def test_tls_exporter_is_its_label_with_an_empty_context(provider: Any) -> None:
    """EXP-06."""
    recorded = Recorded(provider)
    expected = recorded.expected(b"EXPORTER-Channel-Binding", b"", 32)
    assert recorded.connection.channel_binding("tls-exporter") == expected


def test_without_extended_master_secret_only_the_end_point_is_left(provider: Any) -> None:
    """EMS-07, EMS-08."""
    connection = Recorded(provider, options=NO_EXTENDED_MASTER_SECRET).connection
    assert not connection.info.extended_master_secret
    for kind in ("tls-unique", "tls-exporter"):
        with pytest.raises(UsageError, match="extended master secret"):
            connection.channel_binding(kind)
    with pytest.raises(UsageError, match="extended master secret"):
        connection.export_keying_material("EXPERIMENTAL mine", None, 32)
    assert len(connection.channel_binding("tls-server-end-point")) == 32


@pytest.mark.parametrize(
    ("label", "context", "length"),
    [
        ("", None, 32),
        ("schlüssel", None, 32),
        ("master secret", None, 32),
        ("client finished", None, 12),
        ("server finished", None, 12),
        ("extended master secret", None, 48),
        ("key expansion", None, 32),
        ("EXPERIMENTAL mine", bytes(1 << 16), 32),
        ("EXPERIMENTAL mine", None, 0),
        ("EXPERIMENTAL mine", None, (1 << 16) + 1),
    ],
)
def test_impossible_exports_are_usage_errors(provider: Any, label: str, context: bytes | None, length: int) -> None:
    """EXP-02: above all no label that TLS uses itself."""
    connection = Recorded(provider).connection
    with pytest.raises(UsageError):
        connection.export_keying_material(label, context, length)
    assert connection.can_send_data


def test_nothing_is_exported_before_or_after_the_connection(provider: Any) -> None:
    """EXP-03."""
    connection = client(provider)
    for state in ("Start", "Closed"):
        with pytest.raises(UsageError, match=f"in state {state}"):
            connection.export_keying_material("EXPERIMENTAL mine", None, 32)
        with pytest.raises(UsageError, match=f"in state {state}"):
            connection.channel_binding("tls-unique")
        if state == "Start":
            connect(connection, MemoryServer())
            connection.close()


def test_unknown_binding_is_a_usage_error(provider: Any) -> None:
    with pytest.raises(UsageError, match="tls-unique, tls-server-end-point or tls-exporter"):
        Recorded(provider).connection.channel_binding("tls-unique-for-telnet")


@pytest.mark.parametrize("arguments", [(b"EXPORTER-x", None, 16), ("EXPORTER-x", "y", 16), ("EXPORTER-x", None, 16.0)])
def test_exporter_refuses_arguments_of_other_types(provider: Any, arguments: Any) -> None:
    connection, server = client(provider), MemoryServer()
    connect(connection, server)
    with pytest.raises(UsageError, match="a label"):
        connection.export_keying_material(*arguments)
