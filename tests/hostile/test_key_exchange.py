"""ServerKeyExchange: parameters and points (SKE); its signature is in test_key_signatures.py."""

from __future__ import annotations

import hashlib
import itertools

import pytest

from hostile import certificates as pki
from hostile import keys, wire
from hostile.cases import Refused, Tolerated, both_splits, check_alive, client
from hostile.link import drive
from hostile.server import Server
from lighttls import ClientConnection

# y^2 = x^3 + ax + b mod p of the two NIST curves (FIPS 186-4 D.1.2).
P = {23: 2**256 - 2**224 + 2**192 + 2**96 - 1, 24: 2**384 - 2**128 - 2**96 + 2**32 - 1}
NIST = {23: 32, 24: 48}
# u-coordinates of small order (RFC 7748 §6.1 and 7): each gives an all-zero secret.
SMALL_ORDER = [
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
]


def good_point(group: int) -> bytes:
    return keys.Ephemeral(group).public


def moved_off_curve(group: int) -> bytes:
    point = good_point(group)
    return point[:-1] + bytes([point[-1] ^ 1])


def coordinates_of(group: int, x: int, y: int) -> bytes:
    size = NIST[group]
    return b"\x04" + x.to_bytes(size, "big") + y.to_bytes(size, "big")


def compressed(group: int) -> bytes:
    point = good_point(group)
    return bytes([2 + (point[-1] & 1)]) + point[1 : 1 + NIST[group]]


def hybrid(group: int) -> bytes:
    point = good_point(group)
    return bytes([6 + (point[-1] & 1)]) + point[1:]


def truncated(end: int):
    """Cut the ServerKeyExchange's body at `end`, a slice's end, with a header that fits."""
    return {"server_key_exchange": lambda message: wire.handshake(message[0], message[4:][:end])}


def refuse_point(rule: str, what: str, group: int, point: bytes) -> Refused:
    return Refused(rule, f"{what} on group {group}", wire.ILLEGAL_PARAMETER, group=group, ske={"point": point})


PARAMETERS = [
    *(
        Refused("SKE-02", f"curve type {kind}", wire.ILLEGAL_PARAMETER, ske={"curve_type": kind})
        for kind in (0, 1, 2, 4, 248, 255)
    ),
    *(
        Refused("SKE-03", f"group {group}", wire.ILLEGAL_PARAMETER, ske={"group": group})
        for group in (0, 1, 19, 22, 25, 26, 30, 256, 4588, 0x0A0A, 0xFFFF)
    ),
    Refused("SKE-03", "known but not offered", wire.ILLEGAL_PARAMETER, settings={"groups": (29, 23)}, group=24),
    Refused("SKE-04", "empty point", wire.DECODE_ERROR, ske={"point": b""}),
    Refused("SKE-04", "point overruns", wire.DECODE_ERROR, edit=truncated(20)),
    *(refuse_point("SKE-05", "compressed", group, compressed(group)) for group in NIST),
    *(refuse_point("SKE-05", "hybrid", group, hybrid(group)) for group in NIST),
    *(refuse_point("SKE-05", "infinity", group, b"\x00") for group in NIST),
    *(
        refuse_point("SKE-05", f"form {form}", group, bytes([form]) + good_point(group)[1:])
        for group in NIST
        for form in (0, 1, 5, 255)
    ),
    *(refuse_point("SKE-06", "too short", group, good_point(group)[:-1]) for group in NIST),
    *(refuse_point("SKE-06", "too long", group, good_point(group) + b"\x00") for group in NIST),
    *(refuse_point("SKE-06", "x25519 key", group, good_point(29)) for group in NIST),
    *(  # the point's form is judged before the signature (SKE-28)
        Refused(
            rule,
            f"{what}, and the signature wrong",
            wire.ILLEGAL_PARAMETER,
            group=group,
            ske={"point": point, "signature": b""},
        )
        for rule, what, group, point in (
            ("SKE-05", "compressed form", 23, b"\x02" + good_point(23)[1:]),
            ("SKE-06", "too short", 24, good_point(24)[:-1]),
            ("SKE-09", "33 bytes", 29, bytes(33)),
        )
    ),
    *(refuse_point("SKE-07", "x is p", group, coordinates_of(group, P[group], 1)) for group in NIST),
    *(refuse_point("SKE-07", "y is p", group, coordinates_of(group, 1, P[group])) for group in NIST),
    *(refuse_point("SKE-07", "all ones", group, b"\x04" + b"\xff" * 2 * NIST[group]) for group in NIST),
    *(refuse_point("SKE-08", "off the curve", group, moved_off_curve(group)) for group in NIST),
    *(refuse_point("SKE-08", "all zero", group, b"\x04" + bytes(2 * NIST[group])) for group in NIST),
    *(refuse_point("SKE-09", f"{size} bytes", 29, b"\x09" * size) for size in (1, 31, 33, 65)),
    *(refuse_point("SKE-10", f"small order {i}", 29, point) for i, point in enumerate(SMALL_ORDER)),
    *(
        refuse_point("SKE-10", f"small order {i} and top bit", 29, point[:-1] + bytes([point[-1] | 0x80]))
        for i, point in enumerate(SMALL_ORDER)
    ),
    *(
        Refused("SKE-27", f"body of {length}", wire.DECODE_ERROR, edit=truncated(length))
        for length in (0, 1, 2, 3, 4, 35, 36, 37, 38, 39)
    ),
    Refused("SKE-26", "signature overruns", wire.DECODE_ERROR, edit=truncated(-1)),
    Refused("SKE-26", "byte after the signature", wire.DECODE_ERROR, ske={"tail": b"\x00"}),
    Refused("SKE-26", "signature length too small", wire.DECODE_ERROR, ske={"length": 4}),
    # Without a signature too (what an anonymous or PSK suite would send).
    Refused("SKE-27", "no signature at all", wire.DECODE_ERROR, edit=truncated(36)),
]


@both_splits
@pytest.mark.parametrize("case", PARAMETERS, ids=str)
def test_key_exchange_is_refused(case, provider, split):
    link = case.check(provider, split)
    # CERT-25, SKE-28: nothing that depends on the server's key left us.
    assert [message[0] for message in link.server.client_messages] == [wire.CLIENT_HELLO]


def with_top_bit(server: Server) -> Server:
    """SKE-11: let the server announce its key with the bit set that x25519 ignores."""
    point = server.ephemeral.public
    server.ske["point"] = point[:-1] + bytes([point[-1] | 0x80])
    return server


TOLERATED = [
    Tolerated(
        "SKE-11",
        "top bit set",
        group=29,
        first=[
            lambda server: (with_top_bit(server), b"")[1],
            "server_hello",
            "certificate",
            "server_key_exchange",
            "server_hello_done",
        ],
    ),
]


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_odd_key_exchange_is_borne(case, provider, split):
    link = case.check(provider, split)
    assert link.client.info.peer_signature_scheme == link.server.scheme


def test_client_key_is_fresh_in_each_handshake(provider):
    """SKE-29."""
    points = {
        Tolerated("SKE-29", "", group=group).check(provider, None).server.client_point for group in (29, 29, 23, 23)
    }
    assert len(points) == 4


@pytest.mark.parametrize("ems", [True, False], ids=["ems", "no-ems"])
@pytest.mark.parametrize("group", keys.GROUPS)
def test_shared_secret_keeps_its_leading_zeros(provider, group, ems):
    """CAUTH-15: with its randomness fixed the client's key is known, so a server key can be sought that fits."""

    def fixed() -> ClientConnection:
        counter = itertools.count()
        return client(
            provider, insecure_entropy=lambda count: hashlib.shake_256(b"client %d" % next(counter)).digest(count)
        )

    point = drive(fixed(), Server(pki.leaf(), group=group)).server.client_point
    found = next(key for key in (keys.Ephemeral(group) for _ in range(20_000)) if key.derive(point)[0] == 0)
    link = drive(fixed(), Server(pki.leaf(), group=group, ephemeral=found, extended_master_secret=ems))
    assert link.server.client_point == point
    assert link.server.premaster[0] == 0
    check_alive(link)
