"""Handshake messages for people: code points by name, long values shortened."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from lighttls.iana import (
    CipherSuite,
    ClientCertificateType,
    ExtensionType,
    NamedGroup,
    SignatureScheme,
    name_of,
)
from lighttls.messages.base import Extension, Message

_SHOWN_BYTES = 32

_ENUMS: Final[dict[str, type[IntEnum]]] = {
    "cipher_suite": CipherSuite,
    "cipher_suites": CipherSuite,
    "scheme": SignatureScheme,
    "supported_signature_algorithms": SignatureScheme,
    "certificate_types": ClientCertificateType,
    "named_curve": NamedGroup,
}


def describe(message: Message) -> list[str]:
    """One line a field, `name: value`. No handshake message of ours or theirs holds a secret."""
    lines: list[str] = []
    for name in message.fields:
        value = getattr(message, name)
        if name == "extensions":
            lines += _extensions(value)
        else:
            lines.append(f"{name}: {_value(name, value)}")
    return lines


def _extensions(extensions: tuple[Extension, ...] | None) -> list[str]:
    if extensions is None:
        return ["extensions: no block"]
    return [f"extension {name_of(ExtensionType, e.extension_type)}: {_octets(e.data)}" for e in extensions]


def _value(name: str, value: object) -> str:
    enum = _ENUMS.get(name)
    if enum is not None and isinstance(value, int):
        return name_of(enum, value)
    if enum is not None and isinstance(value, tuple | bytes):
        return ", ".join(name_of(enum, number) for number in value)
    if isinstance(value, bytes):
        return _octets(value)
    if isinstance(value, tuple):
        return "; ".join(_value(name, item) for item in value) or "none"
    if isinstance(value, int):
        return f"{value:#06x}" if name.endswith("version") else str(value)
    return str(value)


def _octets(data: bytes) -> str:
    if not data:
        return "empty"
    shown = data[:_SHOWN_BYTES].hex()
    return shown if len(data) <= _SHOWN_BYTES else f"{shown}… ({len(data)} bytes)"
