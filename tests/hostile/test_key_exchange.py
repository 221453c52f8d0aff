"""ServerKeyExchange: parameters, points and signatures (SKE)."""

from __future__ import annotations

import hashlib
import itertools

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa, utils

from hostile import certificates as pki
from hostile import keys, wire
from hostile.cases import Refused, Tolerated, both_splits, check_alive, client, lenient
from hostile.link import drive
from hostile.server import Server
from lighttls import ClientConnection

# y^2 = x^3 + ax + b mod p of the two NIST curves (FIPS 186-4 D.1.2).
P = {23: 2**256 - 2**224 + 2**192 + 2**96 - 1, 24: 2**384 - 2**128 - 2**96 + 2**32 - 1}
ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
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


def over_something_else(server: Server, signed: bytes) -> bytes:
    """A right signature over other bytes: the randoms are swapped."""
    return keys.sign(server.scheme, server.leaf.key, signed[32:64] + signed[:32] + signed[64:])


def by_another_key(server: Server, signed: bytes) -> bytes:
    return keys.sign(server.scheme, pki.key("rsa2048/other" if server.leaf.key_type == "rsa" else "p256/other"), signed)


def corrupted(server: Server, signed: bytes) -> bytes:
    signature = keys.sign(server.scheme, server.leaf.key, signed)
    return signature[:-1] + bytes([signature[-1] ^ 1])


def der_signature(change):
    """An ECDSA signature whose r and s went through `change`, which gives DER."""

    def signature(server: Server, signed: bytes) -> bytes:
        r, s = utils.decode_dss_signature(keys.sign(server.scheme, server.leaf.key, signed))
        return change(r, s)

    return signature


def integer(value: int, *, pad: bytes = b"") -> bytes:
    return pki.der(0x02, pad + value.to_bytes(value.bit_length() // 8 + 1, "big"))


def pkcs1(block) -> object:
    """An RSA signature whose padded block the test builds itself: block(size, digest) -> bytes."""

    def signature(server: Server, signed: bytes) -> bytes:
        key = server.leaf.key
        assert isinstance(key, rsa.RSAPrivateKey)
        digest = hashes.Hash(hashes.SHA256())
        digest.update(signed)
        size = key.key_size // 8
        encoded = block(size, digest.finalize())
        numbers = key.private_numbers()
        power = pow(int.from_bytes(encoded, "big"), numbers.d, numbers.public_numbers.n)
        return power.to_bytes(size, "big")

    return signature


DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
DIGEST_INFO_WITHOUT_NULL = bytes.fromhex("302f300b0609608648016503040201" + "0420")
DIGEST_INFO_SHA384 = bytes.fromhex("3041300d060960864801650304020205000430")


def padded(info: bytes, digest: bytes, size: int, *, filling: int = 0xFF, tail: bytes = b"") -> bytes:
    content = info + digest + tail
    return b"\x00\x01" + bytes([filling]) * (size - 3 - len(content)) + b"\x00" + content


def garbage_after_the_digest(size: int, digest: bytes) -> bytes:
    """Short padding, the digest, then free bytes: what Bleichenbacher's 2006 forgery needs."""
    start = b"\x00\x01" + b"\xff" * 8 + b"\x00" + DIGEST_INFO + digest
    return start + bytes(size - len(start))


def pss_with_salt(length: int):
    return lambda server, signed: keys.sign(0x0804, server.leaf.key, signed, salt_length=length)


def longer_by_a_zero(server: Server, signed: bytes) -> bytes:
    return b"\x00" + keys.sign(server.scheme, server.leaf.key, signed)


def above_the_modulus(server: Server, signed: bytes) -> bytes:
    """The right signature plus the modulus: the same number to whoever forgets to compare."""
    key = server.leaf.key
    assert isinstance(key, rsa.RSAPrivateKey)
    modulus = key.public_key().public_numbers().n
    number = int.from_bytes(keys.sign(server.scheme, key, signed), "big") + modulus
    return number.to_bytes(257, "big")[-256:] if number >> 2048 == 0 else number.to_bytes(257, "big")


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
            ske={"point": point, "signature": corrupted},
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

SIGNATURES = [
    *(
        Refused("SKE-12", f"scheme 0x{scheme:04x}", wire.ILLEGAL_PARAMETER, ske={"scheme": scheme})
        for scheme in (0x0000, 0x0708, 0x0807, 0x0808, 0x081A, 0x0A0A, 0xFFFF)
    ),
    Refused(
        "SKE-12",
        "known but not offered",
        wire.ILLEGAL_PARAMETER,
        settings={"signature_schemes": (0x0403, 0x0804)},
        scheme=0x0503,
    ),
    *(
        Refused("SKE-13", f"scheme 0x{scheme:04x}", wire.ILLEGAL_PARAMETER, ske={"scheme": scheme})
        for scheme in (0x0101, 0x0301, 0x0303, 0x0202, 0x0402)
    ),
    Refused("SKE-13", "ecdsa with sha-1", wire.ILLEGAL_PARAMETER, scheme=0x0203),
    Refused("SKE-13", "rsa with sha-1", wire.ILLEGAL_PARAMETER, leaf="rsa2048", scheme=0x0201),
    *(
        Refused("SKE-14", f"ec key and 0x{scheme:04x}", wire.ILLEGAL_PARAMETER, ske={"scheme": scheme})
        for scheme in (0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806)
    ),
    *(
        Refused("SKE-14", f"rsa key and 0x{scheme:04x}", wire.ILLEGAL_PARAMETER, leaf="rsa2048", ske={"scheme": scheme})
        for scheme in (0x0403, 0x0503)
    ),
    *(
        Refused(
            "SKE-17",
            f"salt of {salt}",
            wire.DECRYPT_ERROR,
            leaf="rsa2048",
            ske={"scheme": 0x0804, "signature": pss_with_salt(salt)},
        )
        for salt in (0, 20, 31, 33, 48)
    ),
    *(
        Refused("SKE-19", what, wire.DECRYPT_ERROR, leaf="rsa2048", scheme=0x0401, ske={"signature": pkcs1(block)})
        for what, block in (
            ("garbage after the digest", garbage_after_the_digest),
            ("padding not ff", lambda size, digest: padded(DIGEST_INFO, digest, size, filling=0xFE)),
            ("block type 2", lambda size, digest: b"\x00\x02" + padded(DIGEST_INFO, digest, size)[2:]),
            ("no digest info", lambda size, digest: padded(b"", digest, size)),
            ("digest info of sha-384", lambda size, digest: padded(DIGEST_INFO_SHA384, digest + bytes(16), size)),
            ("byte after the digest", lambda size, digest: padded(DIGEST_INFO, digest, size, tail=b"\x00")),
        )
    ),
    Refused(
        "SKE-18",
        "1024 bits for sha-512",
        wire.ILLEGAL_PARAMETER,
        leaf="rsa1024",
        settings=lenient(min_rsa_bits=1024),
        ske={"scheme": 0x0806, "signature": bytes(128)},
    ),
    Refused(
        "SKE-19",
        "pss signature as pkcs1",
        wire.DECRYPT_ERROR,
        leaf="rsa2048",
        ske={"scheme": 0x0401, "signing_scheme": 0x0804},
    ),
    Refused(
        "SKE-17",
        "pkcs1 signature as pss",
        wire.DECRYPT_ERROR,
        leaf="rsa2048",
        ske={"scheme": 0x0804, "signing_scheme": 0x0401},
    ),
    Refused(
        "SKE-17",
        "other hash than announced",
        wire.DECRYPT_ERROR,
        leaf="rsa2048",
        ske={"scheme": 0x0804, "signing_scheme": 0x0805},
    ),
    *(
        Refused("SKE-21", what, wire.DECRYPT_ERROR, leaf="rsa2048", scheme=scheme, ske={"signature": signature})
        for scheme in (0x0401, 0x0804)
        for what, signature in (
            (f"zero in front of 0x{scheme:04x}", longer_by_a_zero),
            (f"0x{scheme:04x} above the modulus", above_the_modulus),
        )
    ),
    Refused(
        "SKE-21",
        "as long as the modulus, all ones",
        wire.DECRYPT_ERROR,
        leaf="rsa2048",
        ske={"signature": b"\xff" * 256},
    ),
    Refused("SKE-21", "zero", wire.DECRYPT_ERROR, leaf="rsa2048", ske={"signature": bytes(256)}),
    *(
        Refused("SKE-22", what, wire.DECRYPT_ERROR, ske={"signature": der_signature(change)})
        for what, change in (
            ("byte after it", lambda r, s: pki.der(0x30, integer(r), integer(s)) + b"\x00"),
            ("third integer", lambda r, s: pki.der(0x30, integer(r), integer(s), integer(1))),
            ("one integer", lambda r, s: pki.der(0x30, integer(r))),
            ("padded integer", lambda r, s: pki.der(0x30, integer(r, pad=b"\x00"), integer(s))),
            ("long form length", lambda r, s: b"\x30\x81" + pki.der(0x30, integer(r), integer(s))[1:]),
            ("set for sequence", lambda r, s: pki.der(0x31, integer(r), integer(s))),
            ("r zero", lambda r, s: pki.der(0x30, integer(0), integer(s))),
            ("s zero", lambda r, s: pki.der(0x30, integer(r), integer(0))),
            ("r plus order", lambda r, s: pki.der(0x30, integer(r + ORDER_P256), integer(s))),
            ("s plus order", lambda r, s: pki.der(0x30, integer(r), integer(s + ORDER_P256))),
            ("negative r", lambda r, s: pki.der(0x30, pki.der(2, b"\xff" + r.to_bytes(32, "big")), integer(s))),
            ("raw form", lambda r, s: r.to_bytes(32, "big") + s.to_bytes(32, "big")),
        )
    ),
    *(
        Refused(
            "SKE-24",
            f"{signature.__name__} {leaf}".replace("_", " "),
            wire.DECRYPT_ERROR,
            leaf=leaf,
            ske={"signature": signature},
        )
        for leaf in ("p256", "p384", "rsa2048")
        for signature in (over_something_else, by_another_key, corrupted)
    ),
    Refused(
        "SKE-24", "other hash than announced", wire.DECRYPT_ERROR, ske={"scheme": 0x0403, "signing_scheme": 0x0503}
    ),
    Refused("SKE-25", "empty ecdsa", wire.DECRYPT_ERROR, ske={"signature": b""}),
    Refused("SKE-25", "empty rsa", wire.DECRYPT_ERROR, leaf="rsa2048", ske={"signature": b""}),
]


@both_splits
@pytest.mark.parametrize("case", PARAMETERS + SIGNATURES, ids=str)
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
    *(
        Tolerated("SKE-15", f"{leaf} with 0x{scheme:04x}", leaf=leaf, scheme=scheme)
        for leaf in ("p256", "p384")
        for scheme in (0x0403, 0x0503)
    ),
    *(
        Tolerated("SKE-16", f"rsa with 0x{scheme:04x}", leaf="rsa2048", scheme=scheme)
        for scheme in (0x0804, 0x0805, 0x0806)
    ),
    Tolerated("SKE-18", "1024 bits for sha-384", leaf="rsa1024", scheme=0x0805, settings=lenient(min_rsa_bits=1024)),
    *(
        Tolerated("SKE-19", f"rsa with 0x{scheme:04x}", leaf="rsa2048", scheme=scheme)
        for scheme in (0x0401, 0x0501, 0x0601)
    ),
    Tolerated(
        "SKE-20",
        "digest info without null",
        leaf="rsa2048",
        scheme=0x0401,
        ske={"signature": pkcs1(lambda size, digest: padded(DIGEST_INFO_WITHOUT_NULL, digest, size))},
    ),
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
