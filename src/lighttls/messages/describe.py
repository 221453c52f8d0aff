"""Handshake messages for people: code points by name, long values shortened, bodies looked into where they parse."""

from __future__ import annotations

from contextlib import suppress
from enum import IntEnum

from lighttls._typing import Final
from lighttls.errors import DecodeError
from lighttls.iana import (
    FALLBACK_SCSV,
    RENEGOTIATION_SCSV,
    CertificateType,
    CipherSuite,
    ClientCertificateType,
    ExtensionType,
    NamedGroup,
    SignatureScheme,
    name_of,
)
from lighttls.messages.base import Extension, Message
from lighttls.messages.extensions import (
    CertificateStatusRequest,
    CertificateTypes,
    ChosenCertificateType,
    EcPointFormats,
    MaxFragmentLength,
    ProtocolNameList,
    RecordSizeLimit,
    ServerNameList,
    SignatureAlgorithms,
    SignedCertificateTimestampList,
    SupportedGroups,
)
from lighttls.messages.key_exchange import EcdhParams, ServerKeyExchange, SignedEcdhParams
from lighttls.messages.psk_key_exchange import PskServerKeyExchange
from lighttls.wire import Structure

_SHOWN_BYTES = 32
_SHOWN_TEXT = 255  # as long as a name can be; an identity hint can be longer

_ENUMS: Final[dict[str, type[IntEnum]]] = {
    "cipher_suite": CipherSuite,
    "cipher_suites": CipherSuite,
    "scheme": SignatureScheme,
    "supported_signature_algorithms": SignatureScheme,
    "certificate_type": CertificateType,
    "certificate_type_list": CertificateType,
    "certificate_types": ClientCertificateType,
    "named_curve": NamedGroup,
    "named_group_list": NamedGroup,
}

_SIGNALS: Final = {RENEGOTIATION_SCSV: "empty_renegotiation_info_scsv", FALLBACK_SCSV: "fallback_scsv"}

_TEXTS: Final = ("name", "protocol_name_list", "psk_identity", "psk_identity_hint")

_BODIES: Final[dict[int, type[Structure]]] = {  # as we send them
    ExtensionType.SERVER_NAME: ServerNameList,
    ExtensionType.MAX_FRAGMENT_LENGTH: MaxFragmentLength,
    ExtensionType.STATUS_REQUEST: CertificateStatusRequest,
    ExtensionType.SUPPORTED_GROUPS: SupportedGroups,
    ExtensionType.EC_POINT_FORMATS: EcPointFormats,
    ExtensionType.SIGNATURE_ALGORITHMS: SignatureAlgorithms,
    ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION: ProtocolNameList,
    ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP: SignedCertificateTimestampList,
    ExtensionType.RECORD_SIZE_LIMIT: RecordSizeLimit,
    ExtensionType.CLIENT_CERTIFICATE_TYPE: CertificateTypes,
    ExtensionType.SERVER_CERTIFICATE_TYPE: CertificateTypes,
}

_ANSWERS: Final[dict[int, type[Structure]]] = {  # where the answer's shape is another
    ExtensionType.CLIENT_CERTIFICATE_TYPE: ChosenCertificateType,
    ExtensionType.SERVER_CERTIFICATE_TYPE: ChosenCertificateType,
}


def describe(message: Message) -> list[str]:
    """One line a field, `name: value`. No handshake message of ours or theirs holds a secret."""
    if isinstance(message, ServerKeyExchange):
        return _key_exchange(message, SignedEcdhParams, "body")
    if isinstance(message, PskServerKeyExchange):
        return _key_exchange(message, EcdhParams, "params")
    return _fields(message)


def _fields(structure: Structure) -> list[str]:
    lines: list[str] = []
    for name in structure.fields:
        value = getattr(structure, name)
        if name == "extensions":
            lines += _extensions(value)
        else:
            lines.append(f"{name}: {_value(name, value)}")
    return lines


def _key_exchange(message: Message, params: type[Structure], field: str) -> list[str]:
    """What stands before the parameters, and they in the place of the field that has them, if they parse."""
    try:
        inside = _fields(params.parse(getattr(message, field)))
    except DecodeError:
        return _fields(message)
    return _fields(message)[:-1] + inside


def _extensions(extensions: tuple[Extension, ...] | None) -> list[str]:
    if extensions is None:
        return ["extensions: no block"]
    return [f"extension {name_of(ExtensionType, e.extension_type)}: {_extension(e)}" for e in extensions]


def _extension(extension: Extension) -> str:
    for bodies in (_BODIES, _ANSWERS):
        body = bodies.get(extension.extension_type)
        if body is not None and extension.data:
            with suppress(DecodeError):
                parsed = body.parse(extension.data)
                return "; ".join(_value(name, getattr(parsed, name)) for name in parsed.fields)
    return _octets(extension.data)


def _value(name: str, value: object) -> str:
    enum = _ENUMS.get(name)
    if enum is not None and isinstance(value, int):
        return name_of(enum, value)
    if enum is not None and isinstance(value, tuple | bytes):
        signals = _SIGNALS if enum is CipherSuite else {}
        return ", ".join(signals.get(number) or name_of(enum, number) for number in value)
    if isinstance(value, bytes):
        return _text(value) if name in _TEXTS else _octets(value)
    if isinstance(value, tuple):
        return "; ".join(_value(name, item) for item in value) or "none"
    if isinstance(value, Structure):
        return ", ".join(_fields(value))
    return f"{value:#06x}" if name.endswith("version") else str(value)


def _text(text: bytes) -> str:
    """By repr, which has no control characters from the peer."""
    shown = repr(text[:_SHOWN_TEXT])[2:-1]
    return shown if len(text) <= _SHOWN_TEXT else f"{shown}… ({len(text)} bytes)"


def _octets(data: bytes) -> str:
    if not data:
        return "empty"
    shown = data[:_SHOWN_BYTES].hex()
    return shown if len(data) <= _SHOWN_BYTES else f"{shown}… ({len(data)} bytes)"
