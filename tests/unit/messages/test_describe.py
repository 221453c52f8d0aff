"""Messages for people: code points by name, unknown ones by number, long values shortened."""

from __future__ import annotations

from lighttls.messages import (
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    EcdhePskClientKeyExchange,
    EcdhParams,
    Extension,
    PskClientKeyExchange,
    PskServerKeyExchange,
    RawPublicKey,
    ServerHello,
    ServerHelloDone,
    ServerKeyExchange,
    SignedEcdhParams,
    describe,
)


def test_code_points_have_names_and_unknown_ones_numbers() -> None:
    hello = ClientHello(
        0x0303, bytes(32), b"", (0xC02B, 0x0A0A, 0x00FF, 0x5600), b"\0", (Extension(23, b""), Extension(0x1234, b"\1"))
    )
    assert describe(hello) == [
        "client_version: 0x0303",
        f"random: {bytes(32).hex()}",
        "session_id: empty",
        "cipher_suites: tls_ecdhe_ecdsa_with_aes_128_gcm_sha256, 0x0a0a, empty_renegotiation_info_scsv, fallback_scsv",
        "compression_methods: 00",
        "extension extended_master_secret: empty",
        "extension 0x1234: 01",
    ]


def test_absent_extension_block_is_told_from_an_empty_one() -> None:
    def last_line(extensions: tuple[Extension, ...] | None) -> str:
        return describe(ServerHello(0x0303, bytes(32), b"", 0xC02F, 0, extensions))[-1]

    assert last_line(None) == "extensions: no block"
    assert last_line(()) == "compression_method: 0"


def test_schemes_types_and_curves_have_names() -> None:
    assert describe(CertificateRequest(b"\1\x40\x07", (0x0804, 0x0807, 0x5600), ())) == [
        "certificate_types: rsa_sign, ecdsa_sign, 0x07",
        "supported_signature_algorithms: rsa_pss_rsae_sha256, 0x0807, 0x5600",
        "certificate_authorities: none",
    ]
    assert describe(CertificateVerify(0x0403, b"\x30"))[0] == "scheme: ecdsa_secp256r1_sha256"


def test_key_exchange_is_looked_into_where_it_parses() -> None:
    body = SignedEcdhParams(3, 29, b"\1", 0x0401, b"\2").build()
    assert describe(ServerKeyExchange(body)) == [
        "curve_type: 3",
        "named_curve: x25519",
        "public: 01",
        "scheme: rsa_pkcs1_sha256",
        "signature: 02",
    ]
    assert describe(ServerKeyExchange(body[:-1])) == [f"body: {body[:-1].hex()}"]


def test_key_exchange_with_a_pre_shared_key_is_looked_into_where_it_parses() -> None:
    """Hint and identity are no secrets; they show as text, shortened if they are longer than any name."""
    params = EcdhParams(3, 29, b"\1").build()
    assert describe(PskServerKeyExchange(b"ask\x1b", params)) == [
        "psk_identity_hint: ask\\x1b",
        "curve_type: 3",
        "named_curve: x25519",
        "public: 01",
    ]
    assert describe(PskServerKeyExchange(b"", params[:-1])) == ["psk_identity_hint: ", f"params: {params[:-1].hex()}"]
    assert describe(PskServerKeyExchange(b"", b"")) == ["psk_identity_hint: ", "params: empty"]
    assert describe(PskServerKeyExchange(b"h" * 256, b""))[0] == f"psk_identity_hint: {'h' * 255}… (256 bytes)"
    assert describe(PskClientKeyExchange(b"device 7")) == ["psk_identity: device 7"]
    assert describe(EcdhePskClientKeyExchange(b"i", b"\1")) == ["psk_identity: i", "public: 01"]


def test_extension_bodies_are_looked_into_where_they_parse() -> None:
    """The peer's text shows without control characters: a trace goes to somebody's terminal."""
    extensions = (
        Extension(0, bytes.fromhex("000c 00 0009") + b"a.example"),
        Extension(1, b"\2"),
        Extension(28, bytes.fromhex("0100")),
        Extension(5, bytes.fromhex("01 0000 0000")),
        Extension(18, bytes.fromhex("0003 0001 aa")),
        Extension(10, bytes.fromhex("0004 001d 0a0a")),
        Extension(11, bytes.fromhex("0100")),
        Extension(13, bytes.fromhex("0002 0804")),
        Extension(16, bytes.fromhex("0006 02 6832 02 1b41")),
        Extension(16, bytes.fromhex("0006 02 6832")),
    )
    assert describe(ServerHello(0x0303, bytes(32), b"", 0xC02F, 0, extensions))[5:] == [
        "extension server_name: name_type: 0, name: a.example",
        "extension max_fragment_length: 2",
        "extension record_size_limit: 256",
        "extension status_request: 1; none; empty",
        "extension signed_certificate_timestamp: aa",
        "extension supported_groups: x25519, 0x0a0a",
        "extension ec_point_formats: 00",
        "extension signature_algorithms: rsa_pss_rsae_sha256",
        "extension application_layer_protocol_negotiation: h2; \\x1bA",
        "extension application_layer_protocol_negotiation: 0006026832",
    ]


def test_long_values_are_shortened_and_say_how_long_they_were() -> None:
    assert describe(Certificate((bytes(33), b"\1"))) == [f"certificate_list: {'00' * 32}… (33 bytes); 01"]


def test_message_without_fields_has_nothing_to_say() -> None:
    assert describe(ServerHelloDone()) == []


def test_certificate_types_have_names_in_lists_and_answers() -> None:
    """RFC 7250 §3."""
    for body, expected in ((b"\2\2\0", "raw_public_key, x509"), (b"\2", "raw_public_key"), (b"\2\2", "0202")):
        hello = ServerHello(0x0303, bytes(32), b"", 0xC02F, 0, (Extension(19, body), Extension(20, body)))
        assert describe(hello)[-2:] == [
            f"extension client_certificate_type: {expected}",
            f"extension server_certificate_type: {expected}",
        ]


def test_raw_public_key_is_shortened() -> None:
    assert describe(RawPublicKey(b"\x30" * 91)) == [f"subject_public_key_info: {'30' * 32}… (91 bytes)"]
