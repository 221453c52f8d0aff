"""The signature of the ServerKeyExchange: schemes, and signatures that almost verify (SKE)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa, utils

from hostile import certificates as pki
from hostile import keys, wire
from hostile.cases import Refused, Tolerated, both_splits, lenient
from hostile.server import Server

ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


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


def without_its_leading_zero(server: Server, signed: bytes) -> bytes:
    """A good PSS signature whose first byte happens to be zero, and left out: every 256th has one."""
    while (signature := keys.sign(0x0804, server.leaf.key, signed))[0]:
        pass
    return signature[1:]


def longer_by_a_zero(server: Server, signed: bytes) -> bytes:
    return b"\x00" + keys.sign(server.scheme, server.leaf.key, signed)


def above_the_modulus(server: Server, signed: bytes) -> bytes:
    """The right signature plus the modulus: the same number to whoever forgets to compare."""
    key = server.leaf.key
    assert isinstance(key, rsa.RSAPrivateKey)
    modulus = key.public_key().public_numbers().n
    number = int.from_bytes(keys.sign(server.scheme, key, signed), "big") + modulus
    return number.to_bytes(257, "big")[-256:] if number >> 2048 == 0 else number.to_bytes(257, "big")


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
    Refused(
        "SKE-21",
        "pss without its leading zero",
        wire.DECRYPT_ERROR,
        leaf="rsa2048",
        scheme=0x0804,
        ske={"signature": without_its_leading_zero},
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
@pytest.mark.parametrize("case", SIGNATURES, ids=str)
def test_signature_is_refused(case, provider, split):
    link = case.check(provider, split)
    # CERT-25, SKE-28: nothing that depends on the server's key left us.
    assert [message[0] for message in link.server.client_messages] == [wire.CLIENT_HELLO]


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
]


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_odd_signature_is_borne(case, provider, split):
    link = case.check(provider, split)
    assert link.client.info.peer_signature_scheme == link.server.scheme
