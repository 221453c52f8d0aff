"""lighttls: a sans-IO TLS 1.2 client for devices that the standard `ssl` module cannot serve."""

from lighttls._typing import TYPE_CHECKING
from lighttls.config import ClientConfig
from lighttls.connection import ClientConnection
from lighttls.errors import (
    BadRecordMac,
    CertificateError,
    ChainReason,
    ConfigurationError,
    DecodeError,
    DecryptError,
    EntropyError,
    HandshakeFailure,
    IllegalParameter,
    InternalError,
    KeyExchangeError,
    LightTLSError,
    NoApplicationProtocol,
    PeerAlert,
    ProtocolError,
    ProtocolVersion,
    RecordOverflow,
    SignerError,
    TransportError,
    TruncatedStream,
    UnexpectedMessage,
    UnsupportedExtension,
    UsageError,
    explain,
)
from lighttls.events import (
    DataReceived,
    Event,
    HandshakeCompleted,
    PeerClosed,
    SessionAvailable,
    SignatureRequested,
    WarningReceived,
)
from lighttls.iana import Alert, CipherSuite, NamedGroup, SignatureScheme
from lighttls.identity import Identity, IdentityRequest
from lighttls.info import ConnectionInfo
from lighttls.keys import SignatureRequest, Signer, message_signer, raw_ecdsa, software_key
from lighttls.psk import Psk, PskRequest
from lighttls.session import MemorySessionStore, Session, SessionStore
from lighttls.trace import TraceEntry
from lighttls.x509 import SignaturePolicy, TimePolicy, TrustStore, VerifyPolicy

if TYPE_CHECKING:
    from lighttls.keys import KeyExchange
    from lighttls.keys.pkcs11 import pkcs11_key
    from lighttls.session.files import FileSessionStore
    from lighttls.session.sealing import aead_seal
    from lighttls.transports import MemoryTransport, Stream, TLSSocket, Transport, connect, memory_pair
    from lighttls.x509 import RevocationList, RevocationPolicy

__all__ = [
    "Alert",
    "BadRecordMac",
    "CertificateError",
    "ChainReason",
    "CipherSuite",
    "ClientConfig",
    "ClientConnection",
    "ConfigurationError",
    "ConnectionInfo",
    "DataReceived",
    "DecodeError",
    "DecryptError",
    "EntropyError",
    "Event",
    "FileSessionStore",
    "HandshakeCompleted",
    "HandshakeFailure",
    "Identity",
    "IdentityRequest",
    "IllegalParameter",
    "InternalError",
    "KeyExchange",
    "KeyExchangeError",
    "LightTLSError",
    "MemorySessionStore",
    "MemoryTransport",
    "NamedGroup",
    "NoApplicationProtocol",
    "PeerAlert",
    "PeerClosed",
    "ProtocolError",
    "ProtocolVersion",
    "Psk",
    "PskRequest",
    "RecordOverflow",
    "RevocationList",
    "RevocationPolicy",
    "Session",
    "SessionAvailable",
    "SessionStore",
    "SignaturePolicy",
    "SignatureRequest",
    "SignatureRequested",
    "SignatureScheme",
    "Signer",
    "SignerError",
    "Stream",
    "TLSSocket",
    "TimePolicy",
    "TraceEntry",
    "Transport",
    "TransportError",
    "TruncatedStream",
    "TrustStore",
    "UnexpectedMessage",
    "UnsupportedExtension",
    "UsageError",
    "VerifyPolicy",
    "WarningReceived",
    "aead_seal",
    "connect",
    "explain",
    "memory_pair",
    "message_signer",
    "pkcs11_key",
    "raw_ecdsa",
    "software_key",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load a face when it is first asked for: not every device has use for `socket`, files or asyncio."""
        from importlib import import_module

        if name == "aio":
            return import_module("lighttls.aio")
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = _RARE.get(name, "lighttls.transports")
        return globals().setdefault(name, getattr(import_module(home), name))

    _RARE = {
        "KeyExchange": "lighttls.keys.key_exchange",
        "FileSessionStore": "lighttls.session.files",
        "RevocationList": "lighttls.x509",
        "RevocationPolicy": "lighttls.x509",
        "aead_seal": "lighttls.session.sealing",
        "pkcs11_key": "lighttls.keys.pkcs11",
    }
