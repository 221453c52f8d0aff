"""max_fragment_length and record_size_limit: what the server may answer, and who keeps to it (SIZE)."""

from __future__ import annotations

from typing import Any

import pytest

from hostile import certificates as pki
from hostile import wire
from hostile.cases import Refused, Tolerated, both_splits, check_alive, client
from hostile.link import Link, drive
from hostile.server import FIRST, Server
from hostile.steps import altered, data, sealed

# Suites, and by how much each makes a record longer.
EXPANSION = {0xC02B: 24, 0xCCA9: 16, 0xC0AC: 24, 0xC0AE: 16}

FRAGMENT = {"max_fragment_length": 512}
LIMIT = {"record_size_limit": 64}
BOTH = FRAGMENT | LIMIT
ANSWER_512 = [(wire.MAX_FRAGMENT_LENGTH, b"\x01")]
ANSWER_100 = [(wire.RECORD_SIZE_LIMIT, wire.u16(100))]

AGREED_512: dict[str, Any] = {"settings": FRAGMENT, "extra": ANSWER_512}
AGREED_100: dict[str, Any] = {"settings": LIMIT, "extra": ANSWER_100}


def fragment_length(body: bytes) -> dict[str, Any]:
    return {"settings": FRAGMENT, "extra": [(wire.MAX_FRAGMENT_LENGTH, body)]}


def size_limit(body: bytes) -> dict[str, Any]:
    return {"settings": LIMIT, "extra": [(wire.RECORD_SIZE_LIMIT, body)]}


def recut(size: int):
    """Put the messages of an unprotected flight into records of `size` bytes."""

    def change(records: bytes) -> bytes:
        found, rest = wire.split_records(records)
        assert rest == b""
        body = b"".join(fragment for _, _, fragment in found)
        return b"".join(wire.record(wire.HANDSHAKE, body[at : at + size]) for at in range(0, len(body), size))

    return change


def header(length: int) -> bytes:
    """The start of a protected record whose body never comes."""
    return b"\x17\x03\x03" + wire.u16(length)


REFUSED = [
    *(
        Refused("SIZE-02", f"body {body.hex() or 'missing'}", wire.DECODE_ERROR, **fragment_length(body))
        for body in (b"", b"\x01\x01", b"\x00\x01")
    ),
    *(
        Refused("SIZE-03", f"code {code}", wire.ILLEGAL_PARAMETER, **fragment_length(bytes((code,))))
        for code in (0, 2, 3, 4, 5, 255)
    ),
    Refused("SIZE-04", "certificate in one record", wire.RECORD_OVERFLOW, **AGREED_512),
    Refused(
        "SIZE-04",
        "certificate one byte over",
        wire.RECORD_OVERFLOW,
        first=["server_hello", altered("certificate", recut(513)), *FIRST[2:]],
        **AGREED_512,
    ),
    Refused(
        "SIZE-04",
        "header before its body",
        wire.RECORD_OVERFLOW,
        first=["server_hello", b"\x16\x03\x03\x02\x01"],
        **AGREED_512,
    ),
    Refused("SIZE-04", "data one byte over", wire.RECORD_OVERFLOW, fragment=512, tail=[data(bytes(513))], **AGREED_512),
    Refused(
        "SIZE-04",
        "data one byte over after good data",
        wire.RECORD_OVERFLOW,
        fragment=512,
        tail=[data(b"good"), data(bytes(513))],
        passed=b"good",
        **AGREED_512,
    ),
    *(
        Refused(
            "SIZE-04",
            f"protected header over limit {suite:04x}",
            wire.RECORD_OVERFLOW,
            suite=suite,
            fragment=512,
            tail=[header(513 + expansion)],
            **AGREED_512 | {"settings": FRAGMENT | {"cipher_suites": (suite,)}},
        )
        for suite, expansion in EXPANSION.items()
    ),
    *(
        Refused("SIZE-09", f"body {body.hex() or 'missing'}", wire.DECODE_ERROR, **size_limit(body))
        for body in (b"", b"\x64", b"\x00\x00\x64")
    ),
    *(
        Refused("SIZE-10", f"limit {limit}", wire.ILLEGAL_PARAMETER, **size_limit(wire.u16(limit)))
        for limit in (0, 1, 63)
    ),
    Refused("SIZE-12", "data one byte over", wire.RECORD_OVERFLOW, tail=[data(bytes(65))], **AGREED_100),
    Refused(
        "SIZE-12",
        "alert type over",
        wire.RECORD_OVERFLOW,
        tail=[sealed(wire.ALERT, bytes(65))],
        **AGREED_100,
    ),
    *(
        Refused(
            "SIZE-12",
            f"header over limit {suite:04x}",
            wire.RECORD_OVERFLOW,
            suite=suite,
            tail=[header(65 + expansion)],
            **AGREED_100 | {"settings": LIMIT | {"cipher_suites": (suite,)}},
        )
        for suite, expansion in EXPANSION.items()
    ),
    Refused("SIZE-14", "both", wire.ILLEGAL_PARAMETER, settings=BOTH, extra=ANSWER_512 + ANSWER_100),
    Refused("SIZE-14", "both turned round", wire.ILLEGAL_PARAMETER, settings=BOTH, extra=ANSWER_100 + ANSWER_512),
    Refused("SH-14", "size limit for a length", wire.UNSUPPORTED_EXTENSION, settings=FRAGMENT, extra=ANSWER_100),
    Refused("SH-14", "length for a size limit", wire.UNSUPPORTED_EXTENSION, settings=LIMIT, extra=ANSWER_512),
]

TOLERATED = [
    Tolerated("SIZE-04", "records of exactly the length", fragment=512, tail=[data(bytes(512))], **AGREED_512),
    Tolerated("SIZE-05", "flight in the record of the server hello", coalesce=True, **AGREED_512),
    Tolerated("SIZE-07", "no answer and long records", settings=FRAGMENT, tail=[data(bytes(1 << 14))]),
    Tolerated("SIZE-07", "neither answer and long records", settings=BOTH, tail=[data(bytes(1 << 14))]),
    Tolerated("SIZE-12", "long unprotected records", tail=[data(bytes(64))], coalesce=True, **AGREED_100),
    *(
        Tolerated("SIZE-11", f"limit {limit}", settings=LIMIT, extra=[(wire.RECORD_SIZE_LIMIT, wire.u16(limit))])
        for limit in (64, 1 << 14, (1 << 14) + 1, 0xFFFF)
    ),
]


@both_splits
@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_wrong_size_is_refused(case, provider, split):
    case.check(provider, split)


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_odd_size_is_borne(case, provider, split):
    case.check(provider, split)


def sent_after_server_hello(link: Link) -> list[tuple[int, int]]:
    """Type and length of what the client sent, without its ClientHello."""
    return [(kind, len(plaintext)) for kind, _, plaintext in link.server.client_records[1:]]


@pytest.mark.parametrize(("length", "code"), [(512, 1), (1024, 2), (2048, 3), (4096, 4)])
def test_agreed_fragment_length_holds_for_all_that_we_send(provider, length, code):
    """SIZE-01, SIZE-06: our handshake messages, cut where they must be, and our data."""
    connection = client(provider, identity="p256/device", max_fragment_length=length)
    server = Server(
        pki.leaf(), request=True, fragment=length, extra=[(wire.MAX_FRAGMENT_LENGTH, bytes((code,)))], echo=False
    )
    link = drive(connection, server)
    assert server.client_hello is not None
    assert server.client_hello.get(wire.MAX_FRAGMENT_LENGTH) == bytes((code,))
    connection.send_data(bytes(2 * length + 1))
    connection.send_data(memoryview(bytes(length)))
    link.run()
    sizes = sent_after_server_hello(link)
    assert max(size for _, size in sizes) == length
    assert [size for kind, size in sizes if kind == wire.APPLICATION_DATA] == [length, length, 1, length]
    if length == 512:
        assert len([kind for kind, _ in sizes if kind == wire.HANDSHAKE]) > 2
    assert connection.info.max_fragment_length == length
    assert connection.info.record_size_limit is None


@pytest.mark.parametrize(("answer", "largest"), [(64, 64), (100, 100), (1 << 14, 1 << 14), (0xFFFF, 1 << 14)])
def test_limit_of_the_server_holds_for_what_we_send_protected(provider, answer, largest):
    """SIZE-11, SIZE-13; RFC 8449 §4: unprotected records are not meant."""
    connection = client(provider, identity="p256/device", record_size_limit=64)
    extra = [(wire.RECORD_SIZE_LIMIT, wire.u16(answer))]
    link = drive(connection, Server(pki.leaf(), request=True, extra=extra, echo=False))
    connection.send_data(bytes(2 * largest + 1))
    connection.send_data(memoryview(bytes(largest)))
    link.run()
    sizes = sent_after_server_hello(link)
    assert [size for kind, size in sizes if kind == wire.APPLICATION_DATA] == [largest, largest, 1, largest]
    assert sizes[0][0] == wire.HANDSHAKE
    assert sizes[0][1] > 512
    assert connection.info.record_size_limit == answer
    assert connection.info.max_fragment_length is None


@pytest.mark.parametrize("limit", [64, 1 << 14])
def test_our_limit_is_on_the_wire(provider, limit):
    """SIZE-08: and a limit of 2^14 is enforced as any other."""
    connection = client(provider, record_size_limit=limit)
    link = drive(connection, Server(pki.leaf(), extra=ANSWER_100, tail=[data(bytes(limit))], echo=False))
    assert link.server.client_hello is not None
    assert link.server.client_hello.get(wire.RECORD_SIZE_LIMIT) == wire.u16(limit)
    assert link.data == bytes(limit)
    with pytest.raises(Exception, match="too many for a plaintext"):
        connection.receive_data(header(limit + 25))


def test_without_an_answer_the_info_says_so(provider):
    """SIZE-07."""
    link = drive(client(provider, **BOTH), Server(pki.leaf()))
    check_alive(link)
    assert link.server.client_hello is not None
    assert {wire.MAX_FRAGMENT_LENGTH, wire.RECORD_SIZE_LIMIT} <= set(link.server.client_hello.types)
    assert (link.client.info.max_fragment_length, link.client.info.record_size_limit) == (None, None)
