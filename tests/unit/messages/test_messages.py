"""Each handshake message and extension body: its bytes written by hand, both ways, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighttls.errors import DecodeError
from lighttls.messages import (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    ClientHello,
    ClientKeyExchange,
    EcdhePskClientKeyExchange,
    EcdhParams,
    Extension,
    Finished,
    HelloRequest,
    NewSessionTicket,
    PskClientKeyExchange,
    PskServerKeyExchange,
    RawPublicKey,
    ServerHello,
    ServerHelloDone,
    ServerKeyExchange,
    SignedEcdhParams,
)
from lighttls.messages.extensions import (
    CertificateStatusRequest,
    CertificateTypes,
    ChosenCertificateType,
    EcPointFormats,
    EmptyBody,
    HostName,
    MaxFragmentLength,
    ProtocolNameList,
    RecordSizeLimit,
    RenegotiationInfo,
    ServerNameList,
    SignatureAlgorithms,
    SignedCertificateTimestampList,
    SupportedGroups,
)

RANDOM = bytes(range(32))
POINT = bytes(range(100, 132))
GREASE = 0x0A0A

CLIENT_HELLO = f"0303 {RANDOM.hex()} 00 0004 c02b0a0a 01 00"
SERVER_HELLO = f"0303 {RANDOM.hex()} 03 010203 c02f 00"

SAMPLES: dict[str, tuple[Any, str]] = {
    "hello-request": (HelloRequest(), ""),
    "client-hello-without-extension-block": (
        ClientHello(0x0303, RANDOM, b"", (0xC02B, GREASE), b"\0", None),
        CLIENT_HELLO,
    ),
    "client-hello-with-empty-extension-block": (
        ClientHello(0x0303, RANDOM, b"", (0xC02B, GREASE), b"\0", ()),
        CLIENT_HELLO + "0000",
    ),
    "client-hello": (
        ClientHello(0x0303, RANDOM, b"", (0xC02B, GREASE), b"\0", (Extension(23, b""), Extension(0xFF01, b"\0"))),
        CLIENT_HELLO + "0009 0017 0000 ff01 0001 00",
    ),
    "server-hello-without-extension-block": (
        ServerHello(0x0303, RANDOM, b"\1\2\3", 0xC02F, 0, None),
        SERVER_HELLO,
    ),
    "server-hello": (
        ServerHello(0x0303, RANDOM, b"\1\2\3", 0xC02F, 0, (Extension(GREASE, b"\x2a"),)),
        SERVER_HELLO + "0005 0a0a 0001 2a",
    ),
    "certificate-empty": (Certificate(()), "000000"),
    "certificate": (Certificate((b"\xaa", b"\xbb\xcc")), "000009 000001 aa 000002 bbcc"),
    "raw-public-key": (RawPublicKey(b"\x30\x00"), "000002 3000"),
    "server-key-exchange": (ServerKeyExchange(b"\3\0\x1d"), "03001d"),
    "signed-ecdh-params": (
        SignedEcdhParams(3, 29, POINT, 0x0804, b"\xde\xad"),
        f"03 001d 20 {POINT.hex()} 0804 0002 dead",
    ),
    "certificate-request": (
        CertificateRequest(b"\x40\x01", (0x0403, GREASE), (b"\x30\x00", b"\x30\x01\x31")),
        "02 4001 0004 04030a0a 0009 0002 3000 0003 300131",
    ),
    "certificate-request-without-names": (CertificateRequest(b"\1", (0x0401,), ()), "01 01 0002 0401 0000"),
    "certificate-status": (CertificateStatus(1, b"\x30\0"), "01 000002 3000"),
    "server-hello-done": (ServerHelloDone(), ""),
    "client-key-exchange": (ClientKeyExchange(POINT), f"20 {POINT.hex()}"),
    "ecdh-params": (EcdhParams(3, 29, POINT), f"03 001d 20 {POINT.hex()}"),
    "psk-server-key-exchange": (PskServerKeyExchange(b"hi", b"\3\0"), "0002 6869 0300"),
    "psk-server-key-exchange-empty": (PskServerKeyExchange(b"", b""), "0000"),
    "psk-client-key-exchange": (PskClientKeyExchange(b"me"), "0002 6d65"),
    "ecdhe-psk-client-key-exchange": (EcdhePskClientKeyExchange(b"me", POINT), f"0002 6d65 20 {POINT.hex()}"),
    "certificate-verify": (CertificateVerify(0x0403, b"\x30\x00"), "0403 0002 3000"),
    "finished": (Finished(RANDOM[:12]), RANDOM[:12].hex()),
    "extension": (Extension(16, b"\1"), "0010 0001 01"),
    "alpn": (ProtocolNameList((b"h2", b"x")), "0005 02 6832 01 78"),
    "certificate-types": (CertificateTypes(b"\2\0"), "02 0200"),
    "certificate-type-chosen": (ChosenCertificateType(2), "02"),
    "ec-point-formats": (EcPointFormats(b"\0\1"), "02 0001"),
    "empty-body": (EmptyBody(), ""),
    "max-fragment-length": (MaxFragmentLength(2), "02"),
    "record-size-limit": (RecordSizeLimit(0x4000), "4000"),
    "renegotiation-info": (RenegotiationInfo(b""), "00"),
    "server-name": (ServerNameList((HostName(0, b"a.example"),)), f"000c 00 0009 {b'a.example'.hex()}"),
    "signature-algorithms": (SignatureAlgorithms((0x0403, 0x0804)), "0004 0403 0804"),
    "signed-certificate-timestamps": (SignedCertificateTimestampList((b"\1", b"\2\3")), "0007 0001 01 0002 0203"),
    "status-request": (CertificateStatusRequest(1, (b"r",), b"e"), "01 0003 0001 72 0001 65"),
    "supported-groups": (SupportedGroups((29, 23)), "0004 001d 0017"),
}

OPEN_ENDED = (ServerKeyExchange, PskServerKeyExchange, Finished)
"""Their end is whatever is there: handlers judge it (FIN-02, and the key exchanges by the agreed suite)."""

TYPES = sorted({type(value) for value, _ in SAMPLES.values()}, key=lambda cls: cls.__name__)

each_sample = pytest.mark.parametrize(("value", "octets"), SAMPLES.values(), ids=SAMPLES)


@each_sample
def test_bytes_and_value_are_each_others_image(value: Any, octets: str) -> None:
    raw = bytes.fromhex(octets)
    assert type(value).parse(raw) == value
    assert value.build() == raw


@each_sample
def test_truncated_is_a_decode_error_that_names_the_message(value: Any, octets: str) -> None:
    cls, raw = type(value), bytes.fromhex(octets)
    if cls in OPEN_ENDED:
        return
    without_extensions = len(bytes.fromhex(CLIENT_HELLO if cls is ClientHello else SERVER_HELLO))
    for cut in range(len(raw)):
        if cls in (ClientHello, ServerHello) and cut == without_extensions:
            assert cls.parse(raw[:cut]).extensions is None  # SH-09: a block may be left out
            continue
        with pytest.raises(DecodeError, match=rf"^{cls.__name__}\.\w+"):
            cls.parse(raw[:cut])


@each_sample
def test_byte_left_over_is_a_decode_error(value: Any, octets: str) -> None:
    cls, raw = type(value), bytes.fromhex(octets)
    if cls in OPEN_ENDED:
        return
    with pytest.raises(DecodeError, match=rf"^{cls.__name__}\b"):
        cls.parse(raw + b"\0")


@pytest.mark.parametrize("cls", TYPES)
@settings(max_examples=50)
@given(raw=st.binary(max_size=80) | st.binary(max_size=40).map(lambda tail: bytes.fromhex(SERVER_HELLO) + tail))
def test_whatever_parses_builds_back(cls: Any, raw: bytes) -> None:
    try:
        parsed = cls.parse(raw)
    except DecodeError:
        return
    assert parsed.build() == raw


@pytest.mark.parametrize(
    ("cls", "octets", "what"),
    [
        (ServerHello, f"0303 {RANDOM.hex()} 21" + "00" * 33 + "c02f 00", "session_id is 33 bytes"),
        (ServerHello, SERVER_HELLO + "00", "extensions runs past"),
        (ServerHello, SERVER_HELLO + "0003 0017 00", r"extensions\[\]\.data runs past"),
        (ServerHello, SERVER_HELLO + "0004 0017 0001", r"extensions\[\]\.data runs past"),
        (ClientHello, f"0303 {RANDOM.hex()} 00 0000 01 00", "cipher_suites is 0 bytes"),
        (ClientHello, f"0303 {RANDOM.hex()} 00 0003 c02bc0 01 00", r"cipher_suites\[\] runs past"),
        (ClientHello, f"0303 {RANDOM.hex()} 00 0002 c02b 00", "compression_methods is 0 bytes"),
        (Certificate, "000003 000000", r"certificate_list\[\] is 0 bytes"),
        (Certificate, "000004 000002 aa bb", r"certificate_list\[\] runs past"),
        (RawPublicKey, "000000", "subject_public_key_info is 0 bytes"),
        (CertificateTypes, "00", "certificate_type_list is 0 bytes"),
        (CertificateRequest, "00 0002 0401 0000", "certificate_types is 0 bytes"),
        (CertificateRequest, "01 01 0000 0000", "supported_signature_algorithms is 0 bytes"),
        (CertificateRequest, "01 01 0003 040104 0000", r"supported_signature_algorithms\[\] runs past"),
        (CertificateRequest, "01 01 0002 0401 0002 0000", r"certificate_authorities\[\] is 0 bytes"),
        (ClientKeyExchange, "00", "public is 0 bytes"),
        (PskServerKeyExchange, "0001", "psk_identity_hint runs past"),
        (EcdhParams, "03 001d 00", "public is 0 bytes"),
        (EcdhePskClientKeyExchange, "0000 00", "public is 0 bytes"),
        (SignedEcdhParams, "03 001d 00 0804 0002 dead", "public is 0 bytes"),
        (ProtocolNameList, "0000", "protocol_name_list is 0 bytes"),
        (ProtocolNameList, "0003 00 01 78", r"protocol_name_list\[\] is 0 bytes"),
        (EcPointFormats, "00", "ec_point_format_list is 0 bytes"),
        (ServerNameList, "0000", "server_name_list is 0 bytes"),
        (ServerNameList, "0003 00 0000", r"server_name_list\[\]\.name is 0 bytes"),
        (SignatureAlgorithms, "0000", "supported_signature_algorithms is 0 bytes"),
        (SupportedGroups, "0000", "named_group_list is 0 bytes"),
    ],
)
def test_length_out_of_bounds_names_the_field(cls: Any, octets: str, what: str) -> None:
    """HS-04, HS-05."""
    with pytest.raises(DecodeError, match=rf"^{cls.__name__}\.{what}"):
        cls.parse(bytes.fromhex(octets))


def test_message_carries_its_type_and_length_in_front() -> None:
    """RFC 5246 §7.4: one byte of type, three of length."""
    assert HelloRequest().encode() == bytes.fromhex("00 000000")
    assert Finished(RANDOM[:12]).encode() == bytes.fromhex("14 00000c") + RANDOM[:12]
    assert Certificate((bytes(70_000),)).encode()[:10] == bytes.fromhex("0b 011176 011173 011170")


@pytest.mark.parametrize("length", [1, 32, 65, 97, 254])
def test_our_own_messages_are_written_without_an_object(length: int) -> None:
    assert ClientKeyExchange.encoded(bytes(length)) == ClientKeyExchange(bytes(length)).encode()
    assert Finished.encoded(RANDOM[:12]) == Finished(RANDOM[:12]).encode()


def test_every_message_has_its_number() -> None:
    """RFC 5246 §7.4."""
    numbers = {
        HelloRequest: 0,
        ClientHello: 1,
        ServerHello: 2,
        NewSessionTicket: 4,
        Certificate: 11,
        ServerKeyExchange: 12,
        CertificateRequest: 13,
        ServerHelloDone: 14,
        CertificateVerify: 15,
        ClientKeyExchange: 16,
        Finished: 20,
        CertificateStatus: 22,
        RawPublicKey: 11,
        PskServerKeyExchange: 12,
        PskClientKeyExchange: 16,
        EcdhePskClientKeyExchange: 16,
    }
    assert {message: message.handshake_type for message in numbers} == numbers


@settings(max_examples=30)
@given(public=st.binary(min_size=1, max_size=255), signature=st.binary(max_size=80))
def test_signed_part_of_a_key_exchange_ends_before_the_scheme(public: bytes, signature: bytes) -> None:
    """RFC 8422 §5.4: curve type, curve and point, as received."""
    body = SignedEcdhParams(3, 29, public, 0x0403, signature).build()
    assert SignedEcdhParams.parse(body).signed_params(body) == b"\3\0\x1d" + bytes((len(public),)) + public
