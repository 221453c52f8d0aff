"""ServerHello: its shape, its choices, and its answers to each extension (SH, RI, EMS, SNI, ALPN, GRP)."""

from __future__ import annotations

import pytest

from hostile import keys, wire
from hostile.cases import Refused, Tolerated, both_splits
from hostile.server import Server

DOWNGRADE_12 = bytes(24) + b"DOWNGRD\x01"
DOWNGRADE_11 = bytes(24) + b"DOWNGRD\x00"
RENEGOTIATION = (wire.RENEGOTIATION_INFO, b"\x00")
EMS = (wire.EXTENDED_MASTER_SECRET, b"")
ALPN = {"alpn_protocols": ("h2", "mqtt")}
LEGACY = {"insecure_allow_legacy_renegotiation": True}


def body_cut_to(length: int):
    """Keep the first bytes of a message's body, with a header that fits."""
    return lambda message: wire.handshake(message[0], message[4 : 4 + length])


def block(*extensions: bytes) -> dict[str, object]:
    """A ServerHello with the usual answers and raw extensions after them."""
    usual = wire.extension(*RENEGOTIATION) + wire.extension(*EMS)
    return {"block": usual + b"".join(extensions)}


def alpn(data: bytes) -> list[tuple[int, bytes]]:
    return [(wire.ALPN, data)]


def keys_under_the_other_derivation(server: Server) -> bytes:
    """The master secret by the derivation that the ServerHello did not announce."""
    return server.plain_master if server.ems else server.extended_master


SYNTAX = [
    *(
        Refused("SH-04", f"body of {length}", wire.DECODE_ERROR, edit={"server_hello": body_cut_to(length)})
        for length in (0, 1, 2, 33, 34, 35, 36, 37)
    ),
    Refused("SH-05", "session id of 33", wire.DECODE_ERROR, hello={"session_id": bytes(33)}),
    Refused("SH-05", "session id of 255", wire.DECODE_ERROR, hello={"session_id": bytes(255)}),
    Refused("HS-04", "list of formats with no element", wire.DECODE_ERROR, extra=[(11, b"\x00")]),
    Refused("HS-05", "session id overruns", wire.DECODE_ERROR, hello={"session_id_length": 32, "extensions": None}),
    Refused("SH-11", "byte after the block", wire.DECODE_ERROR, hello={"tail": b"\x00"}),
    Refused("SH-11", "half a block length", wire.DECODE_ERROR, hello={"extensions": None, "tail": b"\x00"}),
    Refused("SH-11", "block too long", wire.DECODE_ERROR, hello={"block": b"", "block_length": 4}),
    Refused("SH-11", "block too short", wire.DECODE_ERROR, hello={**block(), "block_length": 5}),
    Refused("SH-12", "extension overruns", wire.DECODE_ERROR, hello=block(wire.extension(0, b"", length=1))),
    Refused("SH-12", "extension header cut", wire.DECODE_ERROR, hello=block(b"\x00\x00\x00")),
    Refused("SH-13", "known twice", wire.DECODE_ERROR, extra=[EMS]),
    Refused("SH-13", "renegotiation_info twice", wire.DECODE_ERROR, extra=[RENEGOTIATION]),
    Refused("SH-13", "unknown twice", wire.DECODE_ERROR, extra=[(0x7777, b""), (0x7777, b"")]),
]

CHOICES = [
    *(
        Refused("SH-01", f"version 0x{version:04x}", wire.PROTOCOL_VERSION, hello={"version": version})
        for version in (0x0300, 0x0301, 0x0302, 0x0304, 0x0003, 0xFEFD)
    ),
    *(
        Refused(
            "SH-03",
            f"version 0x{version:04x} with downgrade value {value[-1]}",
            wire.PROTOCOL_VERSION,
            hello={"version": version, "random": value},
        )
        for version in (0x0300, 0x0301, 0x0302)
        for value in (DOWNGRADE_11, DOWNGRADE_12)
    ),
    *(
        Refused("SH-06", f"suite 0x{suite:04x}", wire.ILLEGAL_PARAMETER, suite=suite)
        for suite in (0x0000, 0x002F, 0x009C, 0x009E, 0x1301, 0xC009, 0xC013, 0xC0AC, 0xFFFF)
    ),
    Refused(
        "SH-06", "known but not offered", wire.ILLEGAL_PARAMETER, settings={"cipher_suites": (0xC02B,)}, suite=0xC02C
    ),
    *(
        Refused("SH-07", f"signal 0x{suite:04x}", wire.ILLEGAL_PARAMETER, suite=suite)
        for suite in (0x00FF, 0x5600, 0x0A0A, 0xFAFA)
    ),
    Refused(
        "SH-07",
        "fallback signal though it stood in our list",
        wire.ILLEGAL_PARAMETER,
        settings={"insecure_fallback_scsv": True},
        suite=0x5600,
    ),
    Refused("SH-08", "deflate", wire.ILLEGAL_PARAMETER, hello={"compression": 1}),
    Refused("SH-08", "compression 255", wire.ILLEGAL_PARAMETER, hello={"compression": 255}),
    *(
        Refused("SH-14", f"unsolicited {number}", wire.UNSUPPORTED_EXTENSION, extra=[(number, b"")])
        for number in (1, 2, 3, 4, 5, 15, 16, 17, 18, 21, 22, 25, 27, 28, 35, 41, 44, 51, 13172, 0x0A0A, 0x7777, 0xFFFF)
    ),
    Refused("SH-15", "signature_algorithms", wire.UNSUPPORTED_EXTENSION, extra=[(13, b"\x00\x02\x04\x03")]),
    Refused("SH-15", "signature_algorithms_cert", wire.UNSUPPORTED_EXTENSION, extra=[(50, b"\x00\x02\x04\x03")]),
    Refused("SH-16", "supported_versions", wire.UNSUPPORTED_EXTENSION, extra=[(43, b"\x03\x04")]),
    Refused(
        "SH-20", "version before suite", wire.PROTOCOL_VERSION, hello={"version": 0x0302, "suite": 0, "compression": 1}
    ),
    Refused("SH-20", "syntax before version", wire.DECODE_ERROR, hello={"version": 0x0302, "tail": b"\x00"}),
    Refused(
        "SH-20",
        "compression before extensions",
        wire.ILLEGAL_PARAMETER,
        hello={"compression": 1},
        extra=[(0x7777, b"")],
    ),
    Refused("SH-20", "duplicate before unsolicited", wire.DECODE_ERROR, extra=[(0x7777, b""), EMS]),
    Refused(
        "SH-20",
        "unsolicited before bodies",
        wire.UNSUPPORTED_EXTENSION,
        hello={"extensions": [(23, b"x"), (0x7777, b"")]},
    ),
    Refused("SH-20", "bodies before cross checks", wire.DECODE_ERROR, hello={"extensions": [(23, b"x")]}),
]

EXTENSIONS = [
    Refused("RI-02", "no renegotiation_info", wire.HANDSHAKE_FAILURE, hello={"extensions": [EMS]}),
    Refused("RI-02", "no block", wire.HANDSHAKE_FAILURE, hello={"extensions": None}),
    Refused("RI-02", "empty block", wire.HANDSHAKE_FAILURE, hello={"extensions": ()}),
    Refused("RI-03", "not empty", wire.HANDSHAKE_FAILURE, hello={"extensions": [EMS, (0xFF01, b"\x0c" + bytes(12))]}),
    Refused(
        "RI-03",
        "not empty, legacy allowed",
        wire.HANDSHAKE_FAILURE,
        settings=LEGACY,
        hello={"extensions": [EMS, (0xFF01, b"\x01\x00")]},
    ),
    *(
        Refused(
            "RI-04", f"body {body.hex() or 'missing'}", wire.DECODE_ERROR, hello={"extensions": [EMS, (0xFF01, body)]}
        )
        for body in (b"", b"\x01", b"\x00\x00", b"\x02\x00")
    ),
    Refused("EMS-02", "body", wire.DECODE_ERROR, hello={"extensions": [RENEGOTIATION, (23, b"\x00")]}),
    Refused(
        "EMS-04",
        "missing where it is required",
        wire.HANDSHAKE_FAILURE,
        settings={"require_extended_master_secret": True},
        extended_master_secret=False,
    ),
    Refused("EMS-06", "announced, not used", wire.BAD_RECORD_MAC, wrong_write_master=keys_under_the_other_derivation),
    Refused(
        "EMS-06",
        "used, not announced",
        wire.BAD_RECORD_MAC,
        extended_master_secret=False,
        wrong_write_master=keys_under_the_other_derivation,
    ),
    *(Refused("SNI-05", f"body {body.hex()}", wire.DECODE_ERROR, extra=[(0, body)]) for body in (b"\x00", b"\x00\x00")),
    *(
        Refused("ALPN-02", f"body {body.hex() or 'missing'}", wire.DECODE_ERROR, settings=ALPN, extra=alpn(body))
        for body in (
            b"",
            b"\x00",
            b"\x00\x00",
            b"\x00\x04\x02h2",
            b"\x00\x03\x02h2\x00",
            b"\x00\x02\x02h2",
            b"\x00\x03\x03h2",
        )
    ),
    Refused("ALPN-03", "two names", wire.DECODE_ERROR, settings=ALPN, extra=alpn(b"\x00\x08\x02h2\x04mqtt")),
    Refused("ALPN-04", "empty name", wire.DECODE_ERROR, settings=ALPN, extra=alpn(b"\x00\x01\x00")),
    *(
        Refused(
            "ALPN-05",
            f"answer {name.decode()}",
            wire.ILLEGAL_PARAMETER,
            settings=ALPN,
            extra=alpn(wire.vec16(wire.vec8(name))),
        )
        for name in (b"http/1.1", b"h", b"h2c", b"H2")
    ),
    Refused(
        "ALPN-08",
        "no answer where one is required",
        wire.NO_APPLICATION_PROTOCOL,
        settings=ALPN | {"require_alpn": True},
    ),
    *(
        Refused("GRP-04", f"formats {body.hex() or 'missing'}", wire.DECODE_ERROR, extra=[(11, body)])
        for body in (b"", b"\x00", b"\x02\x00", b"\x01\x00\x00")
    ),
    Refused("GRP-05", "formats without uncompressed", wire.ILLEGAL_PARAMETER, extra=[(11, b"\x02\x01\x02")]),
]

TOLERATED = [
    Tolerated("SH-02", "downgrade value in tls 1.2", hello={"random": DOWNGRADE_12}),
    Tolerated("SH-03", "older downgrade value in tls 1.2", hello={"random": DOWNGRADE_11}),
    *(
        Tolerated("PROF-03", f"server time {time.hex()}", hello={"random": time + bytes(28)})
        for time in (bytes(4), b"\xff" * 4)
    ),
    Tolerated("CH-11", "fallback signal passed over", settings={"insecure_fallback_scsv": True}),
    Tolerated("SH-09", "no block", settings=LEGACY, extended_master_secret=False, hello={"extensions": None}),
    Tolerated("SH-10", "empty block", settings=LEGACY, extended_master_secret=False, hello={"extensions": ()}),
    Tolerated("SH-17", "supported_groups", extra=[(10, b"\x00\x02\x00\x17")]),
    Tolerated("SH-18", "other order", hello={"extensions": [(11, b"\x01\x00"), EMS, (0, b""), RENEGOTIATION]}),
    *(
        Tolerated(
            "SH-19",
            f"{suite.name} on group {group}",
            leaf={"ec": "p256", "rsa": "rsa2048"}[suite.key_type],
            suite=suite.code,
            group=group,
        )
        for suite in keys.SUITES.values()
        for group in keys.GROUPS
    ),
    Tolerated("RESUME-05", "session id though we sent none", hello={"session_id": b"s" * 32}),
    Tolerated("EMS-05", "without extended master secret", extended_master_secret=False),
    Tolerated("SNI-06", "acknowledged", extra=[(0, b"")]),
    Tolerated("SNI-06", "not acknowledged"),
    Tolerated("ALPN-05", "second of ours", settings=ALPN, alpn=b"mqtt"),
    Tolerated("ALPN-06", "no answer", settings=ALPN),
    Tolerated("ALPN-08", "required and given", settings=ALPN | {"require_alpn": True}, alpn=b"h2"),
    Tolerated("EMS-04", "required and given", settings={"require_extended_master_secret": True}),
    *(
        Tolerated("GRP-06", f"formats {body.hex()}", extra=[(11, body)])
        for body in (b"\x01\x00", b"\x03\x01\x00\x02", b"\x02\xfa\x00")
    ),
]


@both_splits
@pytest.mark.parametrize("case", SYNTAX + CHOICES + EXTENSIONS, ids=str)
def test_hello_is_refused(case, provider, split):
    case.check(provider, split)


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_odd_hello_is_borne(case, provider, split):
    link = case.check(provider, split)
    info, server = link.client.info, link.server
    assert info.cipher_suite == server.suite_code
    assert info.group == server.group
    assert info.extended_master_secret == server.ems
    assert info.alpn_protocol == (server.alpn.decode() if server.alpn else None)


@pytest.mark.parametrize("extensions", [None, (), [EMS]], ids=["no-block", "empty-block", "no-renegotiation-info"])
def test_legacy_server_is_visible_in_info_when_allowed(provider, extensions):
    """RI-02: a server without RFC 5746 passes only on demand, and says so."""
    case = Tolerated(
        "RI-02", "legacy", settings=LEGACY, extended_master_secret=extensions == [EMS], hello={"extensions": extensions}
    )
    assert case.check(provider, None).client.info.secure_renegotiation is False
    assert Tolerated("RI-02", "modern").check(provider, None).client.info.secure_renegotiation is True
