"""The record layer against a server that breaks it, bends it, or stays just within (REC, CCS)."""

from __future__ import annotations

import os

import pytest

from hostile import keys, wire
from hostile.cases import Refused, Tolerated, both_splits
from hostile.server import FIRST
from hostile.steps import alert, altered, data, fragment, message, sealed

GCM, CHACHA = 0xC02B, 0xCCA9
CCM, CCM_8 = 0xC0AC, 0xC0AE
CCS = wire.record(wire.CHANGE_CIPHER_SPEC, b"\x01")


def listing(suite: int) -> dict[str, object]:
    """Settings of a client that offers this suite only: by default none offers CCM."""
    return {"cipher_suites": (suite,)}


def with_byte(place: int, value: int):
    """Set one byte of a record."""

    def change(record: bytes) -> bytes:
        changed = bytearray(record)
        changed[place] = value
        return bytes(changed)

    return change


def flipped(place: int):
    """Flip one bit of a record."""
    return lambda record: with_byte(place, record[place] ^ 0x10)(record)


def cut_by(*between: bytes):
    """Put records between the two halves of a plaintext handshake record's message."""

    def change(record: bytes) -> bytes:
        body = record[5:]
        return wire.record(22, body[:3]) + b"".join(between) + wire.record(22, body[3:])

    return change


def swapped(server) -> bytes:
    """Two protected records in the wrong order."""
    first, second = data(b"one")(server), data(b"two")(server)
    return second + first


CERTIFICATE_ON_THE_WAY = ("server_hello", "certificate")
LONG_REQUEST = wire.certificate_request(authorities=[b"\x30\x03\x31\x01" + b"n" * 60] * 640)
EXACT_REQUEST = wire.certificate_request(schemes=[0x0403] * 106, authorities=[b"n" * 65_315])
assert EXACT_REQUEST[1:4] == b"\x01\x00\x00"

REFUSED = [
    Refused("REC-01", "http answer", wire.UNEXPECTED_MESSAGE, first=[b"HTTP/1.1 400 Bad Request\r\n\r\n"]),
    *(
        Refused("REC-01", f"content type {kind}", wire.UNEXPECTED_MESSAGE, first=[wire.record(kind, b"x"), *FIRST])
        for kind in (0, 19, 24, 255)
    ),
    Refused(
        "REC-01", "heartbeat in mid handshake", wire.UNEXPECTED_MESSAGE, first=["server_hello", wire.record(24, b"x")]
    ),
    Refused("REC-01", "heartbeat protected", wire.UNEXPECTED_MESSAGE, tail=[fragment(24, b"x")]),
    Refused(
        "REC-02", "version 02 03", wire.PROTOCOL_VERSION, first=[altered("server_hello", with_byte(1, 2)), *FIRST[1:]]
    ),
    Refused(
        "REC-02", "version 04 03", wire.PROTOCOL_VERSION, first=[altered("server_hello", with_byte(1, 4)), *FIRST[1:]]
    ),
    *(
        Refused(
            "REC-04",
            f"certificate in version 03 0{minor}",
            wire.PROTOCOL_VERSION,
            first=["server_hello", altered("certificate", with_byte(2, minor)), *FIRST[2:]],
        )
        for minor in (1, 4)
    ),
    Refused("REC-04", "ccs in version 03 01", wire.PROTOCOL_VERSION, second=[altered(CCS, with_byte(2, 1))]),
    Refused(
        "REC-04",
        "finished in version 03 01",
        wire.PROTOCOL_VERSION,
        second=["change_cipher_spec", altered("finished", with_byte(2, 1))],
    ),
    Refused("REC-04", "data in version 03 01", wire.PROTOCOL_VERSION, tail=[sealed(23, b"x", version=0x0301)]),
    Refused("REC-05", "header of 2^14 + 1", wire.RECORD_OVERFLOW, first=[b"\x16\x03\x03\x40\x01"]),
    Refused("REC-05", "header of 2^16 - 1", wire.RECORD_OVERFLOW, first=["server_hello", b"\x16\x03\x03\xff\xff"]),
    Refused("REC-06", "gcm header over limit", wire.RECORD_OVERFLOW, suite=GCM, tail=[b"\x17\x03\x03\x40\x19"]),
    Refused("REC-06", "chacha header over limit", wire.RECORD_OVERFLOW, suite=CHACHA, tail=[b"\x17\x03\x03\x40\x11"]),
    *(
        Refused(
            "REC-06",
            f"{name} header over limit",
            wire.RECORD_OVERFLOW,
            settings=listing(suite),
            tail=[b"\x17\x03\x03\x40" + bytes((expansion + 1,))],
        )
        for name, suite, expansion in (("ccm", CCM, 24), ("ccm-8", CCM_8, 16))
    ),
    Refused("REC-07", "plaintext of 2^14 + 1", wire.RECORD_OVERFLOW, tail=[data(bytes((1 << 14) + 1))]),
    Refused("REC-08", "gcm record of 23 bytes", wire.BAD_RECORD_MAC, suite=GCM, tail=[wire.record(23, bytes(23))]),
    Refused(
        "REC-08", "chacha record of 15 bytes", wire.BAD_RECORD_MAC, suite=CHACHA, tail=[wire.record(23, bytes(15))]
    ),
    *(
        Refused(
            "REC-08",
            f"{name} record of {expansion - 1} bytes",
            wire.BAD_RECORD_MAC,
            settings=listing(suite),
            tail=[wire.record(23, bytes(expansion - 1))],
        )
        for name, suite, expansion in (("ccm", CCM, 24), ("ccm-8", CCM_8, 16))
    ),
    *(
        Refused(
            "REC-09",
            f"{name} {what} flipped",
            wire.BAD_RECORD_MAC,
            settings=listing(suite),
            tail=[altered(data(b"xyz"), flipped(at))],
        )
        for name, suite in (("ccm", CCM), ("ccm-8", CCM_8))
        for what, at in (("nonce", 5), ("text", 13), ("first byte of the tag", 16), ("last byte of the tag", -1))
    ),
    Refused("REC-08", "protected record of 0 bytes", wire.BAD_RECORD_MAC, tail=[wire.record(23, b"")]),
    *(
        Refused(
            "REC-09",
            f"{name} {what} flipped",
            wire.BAD_RECORD_MAC,
            suite=suite,
            tail=[altered(data(b"x"), flipped(at))],
        )
        for name, suite in (("gcm", GCM), ("chacha", CHACHA))
        for what, at in (("first byte", 5), ("tag", -1))
    ),
    Refused("REC-09", "ciphertext flipped", wire.BAD_RECORD_MAC, tail=[altered(data(b"xyz"), flipped(14))]),
    Refused("REC-09", "type changed", wire.BAD_RECORD_MAC, tail=[sealed(23, b"x", sealed_type=22)]),
    Refused(
        "REC-09",
        "finished flipped",
        wire.BAD_RECORD_MAC,
        second=["change_cipher_spec", altered("finished", flipped(-1))],
    ),
    Refused("REC-11", "plain data", wire.BAD_RECORD_MAC, tail=[wire.record(23, b"x" * 64)]),
    Refused("REC-11", "plain close_notify", wire.BAD_RECORD_MAC, tail=[wire.record(21, b"\x01\x00")]),
    Refused("REC-11", "plain fatal alert", wire.BAD_RECORD_MAC, tail=[wire.record(21, b"\x02\x28")]),
    Refused("REC-11", "plain hello request", wire.BAD_RECORD_MAC, tail=[wire.record(22, wire.HELLO_REQUEST_MESSAGE)]),
    Refused("REC-11", "plain finished", wire.BAD_RECORD_MAC, second=[CCS, "finished"]),
    Refused("REC-12", "replayed", wire.BAD_RECORD_MAC, tail=[altered(data(b"x"), lambda r: r + r)], passed=b"x"),
    Refused("REC-12", "dropped", wire.BAD_RECORD_MAC, tail=[altered(data(b"x"), lambda r: b""), data(b"y")]),
    Refused("REC-12", "reordered", wire.BAD_RECORD_MAC, tail=[swapped]),
    Refused("REC-13", "empty handshake record first", wire.UNEXPECTED_MESSAGE, first=[wire.record(22, b""), *FIRST]),
    Refused(
        "REC-13",
        "empty inside message",
        wire.UNEXPECTED_MESSAGE,
        first=["server_hello", altered("certificate", cut_by(wire.record(22, b"")))],
    ),
    Refused("REC-13", "empty protected", wire.UNEXPECTED_MESSAGE, tail=[fragment(22, b"")]),
    Refused("REC-15", "33 empty data records", wire.UNEXPECTED_MESSAGE, tail=[data(b"")] * 33),
    *(
        Refused(
            "REC-18",
            f"{what} inside certificate",
            wire.UNEXPECTED_MESSAGE,
            first=["server_hello", altered("certificate", cut_by(record)), *FIRST[2:]],
        )
        for what, record in (("ccs", CCS), ("data", wire.record(23, b"x")))
    ),
    Refused(
        "REC-18", "data inside hello request", wire.UNEXPECTED_MESSAGE, tail=[fragment(22, b"\x00\x00"), data(b"x")]
    ),
    Refused(
        "REC-19",
        "finished begun before ccs",
        wire.UNEXPECTED_MESSAGE,
        second=[wire.record(22, b"\x14\x00"), *("change_cipher_spec", "finished")],
    ),
    Refused(
        "REC-19",
        "hello request begun before ccs",
        wire.UNEXPECTED_MESSAGE,
        second=[wire.record(22, b"\x00"), "change_cipher_spec", fragment(22, b"\x00\x00\x00"), "finished"],
    ),
    *(
        Refused(
            "REC-20",
            f"{what} in the record of done",
            wire.UNEXPECTED_MESSAGE,
            first=[*FIRST[:3], wire.record(22, wire.SERVER_HELLO_DONE_MESSAGE + extra)],
        )
        for what, extra in (
            ("one byte", b"\x14"),
            ("hello request", wire.HELLO_REQUEST_MESSAGE),
            ("finished", wire.handshake(20, bytes(12))),
        )
    ),
    *(
        Refused(
            "REC-20",
            f"{what} in the record of finished",
            wire.UNEXPECTED_MESSAGE,
            edit={"finished": lambda m, extra=extra: m + extra},
        )
        for what, extra in (("one byte", b"\x00"), ("hello request", wire.HELLO_REQUEST_MESSAGE))
    ),
    *(
        Refused(
            "REC-21",
            f"{what} before {before}",
            wire.UNEXPECTED_MESSAGE,
            first=[*FIRST[:place], wire.record(23, value), *FIRST[place:]],
        )
        for place, before in enumerate(("hello", "certificate", "key exchange", "done"))
        for what, value in (("data", b"x"), ("empty data", b""))
    ),
    Refused(
        "REC-21",
        "data before ccs",
        wire.UNEXPECTED_MESSAGE,
        second=[wire.record(23, b"x"), "change_cipher_spec", "finished"],
    ),
    Refused(
        "REC-21", "data before finished", wire.UNEXPECTED_MESSAGE, second=["change_cipher_spec", data(b"x"), "finished"]
    ),
    Refused(
        "REC-21",
        "empty data before finished",
        wire.UNEXPECTED_MESSAGE,
        second=["change_cipher_spec", data(b""), "finished"],
    ),
    Refused("REC-22", "hello of 65537 bytes", wire.ILLEGAL_PARAMETER, first=[wire.record(22, b"\x02\x01\x00\x01")]),
    Refused(
        "REC-22",
        "certificate of 65537 bytes",
        wire.ILLEGAL_PARAMETER,
        first=["server_hello", wire.record(22, b"\x0b\x01\x00\x01")],
    ),
    Refused(
        "REC-22",
        "certificate of 2^24 - 1 bytes",
        wire.ILLEGAL_PARAMETER,
        first=["server_hello", wire.record(22, b"\x0b\xff\xff\xff")],
    ),
    Refused(
        "REC-23", "hello request header with length", wire.DECODE_ERROR, first=[wire.record(22, b"\x00\x00\x00\x01")]
    ),
    Refused(
        "REC-23", "done header with length", wire.DECODE_ERROR, first=[*FIRST[:3], wire.record(22, b"\x0e\x00\x00\x01")]
    ),
    *(
        Refused(
            "REC-23",
            f"finished header with length {length}",
            wire.DECRYPT_ERROR,
            second=["change_cipher_spec", fragment(22, b"\x14" + wire.u24(length))],
        )
        for length in (11, 13, 65_536, 0xFFFFFF)
    ),
    Refused("CCS-01", "empty", wire.DECODE_ERROR, second=[wire.record(20, b"")]),
    Refused("CCS-01", "two bytes", wire.DECODE_ERROR, second=[wire.record(20, b"\x01\x01")]),
    Refused("CCS-02", "value 0", wire.ILLEGAL_PARAMETER, second=[wire.record(20, b"\x00")]),
    Refused("CCS-02", "value 2", wire.ILLEGAL_PARAMETER, second=[wire.record(20, b"\x02")]),
    *(
        Refused(
            "CCS-03",
            f"before {before}",
            wire.UNEXPECTED_MESSAGE,
            first=[*FIRST[:place], "change_cipher_spec", *FIRST[place:]],
        )
        for place, before in enumerate(("hello", "certificate", "key exchange", "done"))
    ),
    # Our Finished is queued as soon as ServerHelloDone is read, so the record itself is in place;
    # but its sender cannot have the keys yet.
    Refused("CCS-03", "keys of an empty secret", wire.BAD_RECORD_MAC, first=[*FIRST, "change_cipher_spec", "finished"]),
    Refused(
        "CCS-06",
        "second, protected",
        wire.UNEXPECTED_MESSAGE,
        second=["change_cipher_spec", fragment(20, b"\x01"), "finished"],
    ),
    Refused("CCS-06", "second, plain", wire.BAD_RECORD_MAC, second=["change_cipher_spec", CCS, "finished"]),
    Refused("CCS-07", "after the handshake", wire.UNEXPECTED_MESSAGE, tail=[fragment(20, b"\x01")]),
    Refused(
        "CCS-08",
        "hello request",
        wire.UNEXPECTED_MESSAGE,
        second=["change_cipher_spec", message(wire.HELLO_REQUEST_MESSAGE), "finished"],
    ),
    Refused(
        "CCS-08",
        "ticket",
        wire.UNEXPECTED_MESSAGE,
        second=["change_cipher_spec", message(wire.handshake(4, bytes(6))), "finished"],
    ),
]

TOLERATED = [
    *(
        Tolerated(
            "REC-03",
            f"hello in version 03 {minor:02x}",
            first=[altered("server_hello", with_byte(2, minor)), *FIRST[1:]],
        )
        for minor in (0, 1, 2, 4, 255)
    ),
    Tolerated("REC-10", "plain records of 2^14", request=LONG_REQUEST, coalesce=True),
    *(
        Tolerated("REC-10", f"data of 2^14 {name}", suite=suite, tail=[data(bytes(1 << 14))])
        for name, suite in (("gcm", GCM), ("chacha", CHACHA))
    ),
    *(
        Tolerated("REC-10", f"data of 2^14 {suite.name}", settings=listing(suite.code), tail=[data(bytes(1 << 14))])
        for suite in keys.CCM_SUITES.values()
    ),
    Tolerated("REC-14", "empty data", tail=[data(b""), data(b"x"), data(b"")]),
    Tolerated("REC-15", "32 empty data records", tail=[data(b"")] * 32),
    Tolerated("REC-15", "32 twice", tail=[*[data(b"")] * 32, data(b"x"), *[data(b"")] * 32]),
    *(Tolerated("REC-16", f"pieces of {size}", coalesce=True, fragment=size) for size in (1, 2, 3, 4, 5, 63)),
    Tolerated("REC-16", "each message in pieces of 4", fragment=4),
    Tolerated("REC-17", "flight in one record", coalesce=True),
    Tolerated(
        "REC-18",
        "warning inside certificate",
        first=["server_hello", altered("certificate", cut_by(wire.record(21, b"\x01\x5a"))), *FIRST[2:]],
    ),
    Tolerated("REC-22", "message of 65536 bytes", request=EXACT_REQUEST),
    Tolerated("REC-32", "explicit nonce of any value", suite=GCM, tail=[sealed(23, b"x", explicit=os.urandom(8))]),
    *(
        Tolerated(
            "REC-32",
            f"explicit nonce of any value, {name}",
            settings=listing(suite),
            tail=[sealed(23, b"x", explicit=os.urandom(8))],
        )
        for name, suite in (("ccm", CCM), ("ccm-8", CCM_8))
    ),
    Tolerated("CCS-08", "warning before finished", second=["change_cipher_spec", alert(1, 90), "finished"]),
]


@both_splits
@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_broken_record_is_refused(case, provider, split):
    case.check(provider, split)


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_odd_record_is_borne(case, provider, split):
    link = case.check(provider, split)
    assert all(event.data for event in link.events if type(event).__name__ == "DataReceived")
