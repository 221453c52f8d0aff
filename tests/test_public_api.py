"""The public names, written down: to add, rename or remove one is a decision, made here and in CHANGELOG.md."""

from __future__ import annotations

import inspect

import pytest

import lighttls

ERRORS = """
    LightTLSError
    ProtocolError BadRecordMac DecodeError DecryptError HandshakeFailure IllegalParameter ProtocolVersion RecordOverflow
    NoApplicationProtocol UnexpectedMessage UnsupportedExtension
    CertificateError ChainReason ConfigurationError EntropyError InternalError KeyExchangeError PeerAlert SignerError
    TransportError
    TruncatedStream UsageError
    explain
"""
CODE_POINTS = "Alert CipherSuite NamedGroup SignatureScheme"
CORE = """
    ClientConfig ClientConnection ConnectionInfo TraceEntry
    Event HandshakeCompleted DataReceived SignatureRequested SessionAvailable PeerClosed WarningReceived
"""
SESSIONS = "Session SessionStore MemorySessionStore FileSessionStore aead_seal"
TRUST = "TrustStore SignaturePolicy VerifyPolicy TimePolicy RevocationPolicy RevocationList"
IDENTITY = """
    Identity IdentityRequest Signer SignatureRequest KeyExchange software_key raw_ecdsa message_signer
    pkcs11_key
"""
PSK = "Psk PskRequest"
FACES = "connect TLSSocket Stream Transport MemoryTransport memory_pair"

NAMES = " ".join((ERRORS, CODE_POINTS, CORE, SESSIONS, TRUST, IDENTITY, PSK, FACES)).split()

CONNECTION = {
    "abort": ("alert",),
    "can_send_data": None,
    "channel_binding": ("kind",),
    "close": (),
    "complete_signature": ("request", "signature"),
    "data_to_send": ("max_bytes",),
    "export_keying_material": ("label", "context", "length"),
    "export_session": (),
    "info": None,
    "initiate_connection": (),
    "is_closed": None,
    "is_established": None,
    "receive_data": ("data",),
    "receive_data_into": ("data", "buffer"),
    "receive_eof": (),
    "send_data": ("data",),
    "state": None,
}
"""Methods of ClientConnection with their parameters; None: a property."""


def test_public_names_are_these_and_no_others() -> None:
    assert sorted(lighttls.__all__) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_public_name_exists_and_says_what_it_is(name: str) -> None:
    thing = getattr(lighttls, name)
    if inspect.isclass(thing) or inspect.isfunction(thing):
        assert inspect.getdoc(thing)
        assert thing.__module__.startswith("lighttls.")


def test_every_error_is_a_lighttls_error_with_a_hint() -> None:
    classes = [getattr(lighttls, name) for name in ERRORS.split() if name not in ("ChainReason", "explain")]
    assert all(issubclass(one, lighttls.LightTLSError) for one in classes)


def test_connection_has_these_methods_and_no_others() -> None:
    public = {
        name: member for name, member in inspect.getmembers(lighttls.ClientConnection) if not name.startswith("_")
    }
    assert {
        name: None if isinstance(member, property) else tuple(inspect.signature(member).parameters)[1:]
        for name, member in public.items()
    } == CONNECTION


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="wrap_socket"):
        lighttls.wrap_socket  # noqa: B018
