"""Both engines give one verdict on any signature and any key; only what was signed as it should be verifies.

Encoded messages are made and signed here, by the private exponent itself, so that every byte of them can be wrong.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lighttls.crypto import CryptoProvider, by_name
from lighttls.errors import BadKey, BadSignature
from lighttls.iana import SignatureScheme
from support import require

MESSAGE = b"lighttls"
GOOD, WRONG, NO_KEY = "good", "wrong", "no key"

RSA_KEYS = [(1024, 3), (1024, 65537), (1025, 65537), (1031, 3), (1087, 65537), (1089, 65537), (1990, 3), (2048, 65537)]
"""Moduli whose top byte and top limb are full, and such as have a single bit or a few there."""

CURVES = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1()}
ORDERS = {
    "p256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "p384": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
}
DIGESTS = ["sha1", "sha256", "sha384", "sha512"]
PKCS1 = {digest: SignatureScheme[f"RSA_PKCS1_{digest.upper()}"] for digest in DIGESTS}
PSS = {digest: SignatureScheme[f"RSA_PSS_RSAE_{digest.upper()}"] for digest in DIGESTS[1:]}
ECDSA = {
    "sha1": SignatureScheme.ECDSA_SHA1,
    "sha256": SignatureScheme.ECDSA_SECP256R1_SHA256,
    "sha384": SignatureScheme.ECDSA_SECP384R1_SHA384,
    "sha512": SignatureScheme.ECDSA_SECP521R1_SHA512,
}
OIDS = {
    "sha1": bytes.fromhex("06052b0e03021a"),
    "sha256": bytes.fromhex("0609608648016503040201"),
    "sha384": bytes.fromhex("0609608648016503040202"),
    "sha512": bytes.fromhex("0609608648016503040203"),
}

thorough = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@cache
def rsa_key(bits: int, exponent: int) -> Any:
    return rsa.generate_private_key(exponent, bits)


@cache
def ec_key(curve: str) -> Any:
    return ec.generate_private_key(CURVES[curve])


@cache
def spki(private_key: Any) -> bytes:
    encoded: bytes = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


@cache
def acquainted() -> CryptoProvider:
    """A native engine that sees the keys of all tests, and so prepares those that return."""
    return by_name("native")


def verdict(engine: CryptoProvider, scheme: int, public: bytes, signature: bytes, message: bytes) -> str:
    try:
        engine.verify(scheme, public, signature, message)
    except BadKey:
        return NO_KEY
    except BadSignature:
        return WRONG
    return GOOD


def agreed(scheme: int, public: bytes, signature: bytes, message: bytes = MESSAGE) -> str:
    """The verdict of both engines, of the native one whether it knows the key or not."""
    require.native()
    native = verdict(by_name("native"), scheme, public, signature, message)
    assert native == verdict(by_name("pure"), scheme, public, signature, message)
    assert native == verdict(acquainted(), scheme, public, signature, message)
    return native


def raised(key: Any, encoded: bytes) -> bytes:
    """encoded ** private exponent, as long as the modulus."""
    numbers = key.private_numbers()
    number = pow(int.from_bytes(encoded, "big"), numbers.d, numbers.public_numbers.n)
    return number.to_bytes((key.key_size + 7) // 8, "big")


def der(tag: int, contents: bytes) -> bytes:
    assert len(contents) < 0x80
    return bytes((tag, len(contents))) + contents


def pkcs1(size: int, digest: str, message: bytes, parameters: bytes = b"\5\0") -> bytes:
    """RFC 8017 §9.2."""
    info = der(0x30, der(0x30, OIDS[digest] + parameters) + der(4, hashlib.new(digest, message).digest()))
    return b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info


def mgf1(digest: str, seed: bytes, size: int) -> bytes:
    blocks = (hashlib.new(digest, seed + i.to_bytes(4, "big")).digest() for i in range(size // 20 + 1))
    return b"".join(blocks)[:size]


def pss(bits: int, digest: str, message: bytes, salt: bytes, one: bytes = b"\1", trailer: bytes = b"\xbc") -> bytes:
    """RFC 8017 §9.1.1, as long as the modulus of `bits`."""
    size = (bits + 6) // 8
    hashed = hashlib.new(digest, bytes(8) + hashlib.new(digest, message).digest() + salt).digest()
    data = (one + salt).rjust(size - len(hashed) - 1, b"\0")
    mask = mgf1(digest, hashed, len(data))
    masked = bytearray(a ^ b for a, b in zip(data, mask, strict=True))
    masked[0] &= 0xFF >> (8 * size - (bits - 1))
    return (bytes(masked) + hashed + trailer).rjust((bits + 7) // 8, b"\0")


def changed(data: bytes, at: int, by: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes((data[at] ^ by,)) + data[at + 1 :]


def edited(data: bytes, cut: int, inserted: bytes, to: int) -> bytes:
    """Without some bytes, with others."""
    at = cut % (len(data) + 1)
    return data[:at] + inserted + data[at + to :]


# ---- RSA -----------------------------------------------------------------------------------------

rsa_keys = st.sampled_from(RSA_KEYS)
places = st.integers(0, 300)
changes = st.integers(1, 255)


@thorough
@given(key=rsa_keys, digest=st.sampled_from(DIGESTS), null=st.booleans(), message=st.binary(max_size=200))
def test_pkcs1_verifies_with_null_and_without(key: tuple[int, int], digest: str, null: bool, message: bytes) -> None:
    """SKE-20."""
    private = rsa_key(*key)
    encoded = pkcs1((key[0] + 7) // 8, digest, message, b"\5\0" if null else b"")
    signature = raised(private, encoded)
    assert agreed(PKCS1[digest], spki(private), signature, message) == GOOD
    assert agreed(PKCS1[digest], spki(private), signature, message + b"!") == WRONG


@thorough
@given(key=rsa_keys, digest=st.sampled_from(DIGESTS), null=st.booleans(), at=places, by=changes)
def test_pkcs1_with_any_byte_changed_is_wrong(key: tuple[int, int], digest: str, null: bool, at: int, by: int) -> None:
    """SKE-19."""
    encoded = changed(pkcs1((key[0] + 7) // 8, digest, MESSAGE, b"\5\0" if null else b""), at, by)
    assert agreed(PKCS1[digest], spki(rsa_key(*key)), raised(rsa_key(*key), encoded)) == WRONG


@pytest.mark.parametrize("parameters", [b"\5\1\0", b"\4\0", b"\5\0\5\0", b"\5\x81\0", b"\x30\0"])
def test_pkcs1_with_other_parameters_is_wrong(parameters: bytes) -> None:
    key = rsa_key(1024, 3)
    assert agreed(PKCS1["sha256"], spki(key), raised(key, pkcs1(128, "sha256", MESSAGE, parameters))) == WRONG


@pytest.mark.parametrize("null", [True, False])
def test_pkcs1_with_something_after_the_digest_is_wrong(null: bool) -> None:
    """Bleichenbacher's forgery for e = 3 needs it."""
    key = rsa_key(1024, 3)
    encoded = pkcs1(120, "sha256", MESSAGE, b"\5\0" if null else b"")
    for after in (bytes(8), b"\xff" * 8, b"\5\0\5\0\5\0\5\0"):
        assert agreed(PKCS1["sha256"], spki(key), raised(key, encoded + after)) == WRONG


@thorough
@given(key=rsa_keys, digest=st.sampled_from(DIGESTS[1:]), salt=st.binary(min_size=64, max_size=64))
def test_pss_verifies(key: tuple[int, int], digest: str, salt: bytes) -> None:
    size = hashlib.new(digest).digest_size
    expected = GOOD
    if (key[0] + 6) // 8 < 2 * size + 2:  # SKE-18
        size, expected = 32, WRONG
    private = rsa_key(*key)
    signature = raised(private, pss(key[0], digest, MESSAGE, salt[:size]))
    assert agreed(PSS[digest], spki(private), signature) == expected
    assert agreed(PSS[digest], spki(private), signature, b"another") == WRONG


@thorough
@given(key=rsa_keys, digest=st.sampled_from(["sha256", "sha384"]), at=places, by=changes)
def test_pss_with_any_byte_changed_is_wrong(key: tuple[int, int], digest: str, at: int, by: int) -> None:
    private = rsa_key(*key)
    right = pss(key[0], digest, MESSAGE, bytes(hashlib.new(digest).digest_size))
    assert agreed(PSS[digest], spki(private), raised(private, changed(right, at, by))) == WRONG


@pytest.mark.parametrize("key", RSA_KEYS)
@pytest.mark.parametrize("salt_size", [0, 31, 33])
def test_pss_with_salt_of_another_length_is_wrong(key: tuple[int, int], salt_size: int) -> None:
    """SKE-17."""
    private = rsa_key(*key)
    signature = raised(private, pss(key[0], "sha256", MESSAGE, bytes(salt_size)))
    assert agreed(PSS["sha256"], spki(private), signature) == WRONG


@pytest.mark.parametrize("key", RSA_KEYS)
@pytest.mark.parametrize("wrong", [{"one": b"\2"}, {"one": b"\1\1"}, {"trailer": b"\xcc"}, {"one": b"\0"}])
def test_pss_with_wrong_separator_or_trailer_is_wrong(key: tuple[int, int], wrong: dict[str, bytes]) -> None:
    private = rsa_key(*key)
    signature = raised(private, pss(key[0], "sha256", MESSAGE, bytes(range(32)), **wrong))
    assert agreed(PSS["sha256"], spki(private), signature) == WRONG


@pytest.mark.parametrize("key", RSA_KEYS)
@pytest.mark.parametrize("scheme", [PKCS1["sha256"], PSS["sha256"]])
def test_rsa_signature_out_of_range_is_wrong(key: tuple[int, int], scheme: SignatureScheme) -> None:
    """SKE-21: also what equals a good signature modulo n, and a good one of another length."""
    private, size = rsa_key(*key), (key[0] + 7) // 8
    n = private.private_numbers().public_numbers.n
    salt = bytes(32)
    right = pkcs1(size, "sha256", MESSAGE) if scheme in PKCS1.values() else pss(key[0], "sha256", MESSAGE, salt)
    good = raised(private, right)
    assert agreed(scheme, spki(private), good) == GOOD
    number = int.from_bytes(good, "big")
    for bad in (0, 1, 2, n - 2, n - 1, n, n + 1, number + n, n - number, 256**size - 1):
        if bad < 256**size:
            assert agreed(scheme, spki(private), bad.to_bytes(size, "big")) == WRONG
    for malformed in (b"", b"\0" + good, good + b"\0", good[1:], good[:-1]):
        assert agreed(scheme, spki(private), malformed) == WRONG


# ---- ECDSA ---------------------------------------------------------------------------------------


@thorough
@given(curve=st.sampled_from(list(CURVES)), digest=st.sampled_from(DIGESTS), message=st.binary(max_size=200))
def test_ecdsa_verifies(curve: str, digest: str, message: bytes) -> None:
    """Digests shorter and longer than the order."""
    key = ec_key(curve)
    signature = key.sign(message, ec.ECDSA(getattr(hashes, digest.upper())()))
    assert agreed(ECDSA[digest], spki(key), signature, message) == GOOD
    assert agreed(ECDSA[digest], spki(key), signature, message + b"!") == WRONG
    r, s = decode_dss_signature(signature)
    negative = encode_dss_signature(r, ORDERS[curve] - s)  # the other s is right too, RFC 8422 says nothing of it
    assert agreed(ECDSA[digest], spki(key), negative, message) == GOOD


@cache
def ecdsa_signature(curve: str) -> bytes:
    signature: bytes = ec_key(curve).sign(MESSAGE, ec.ECDSA(hashes.SHA256()))
    return signature


@thorough
@given(
    curve=st.sampled_from(list(CURVES)),
    cut=st.integers(0),
    inserted=st.binary(max_size=4),
    to=st.integers(0, 4),
)
def test_engines_agree_on_edited_ecdsa_signatures(curve: str, cut: int, inserted: bytes, to: int) -> None:
    good = ecdsa_signature(curve)
    edit = edited(good, cut, inserted, to)
    expected = GOOD if edit == good else WRONG
    assert agreed(ECDSA["sha256"], spki(ec_key(curve)), edit) == expected


@thorough
@given(curve=st.sampled_from(list(CURVES)), data=st.data())
def test_ecdsa_numbers_at_their_edges_are_wrong(curve: str, data: st.DataObject) -> None:
    """SKE-22; numbers in range are no signature either, for their nonce is known to nobody."""
    n = ORDERS[curve]
    edges = st.sampled_from([0, 1, 2, n - 2, n - 1, n, n + 1, 2 * n - 1, n + 2**128])
    good = decode_dss_signature(ecdsa_signature(curve))
    r = data.draw(st.one_of(edges, st.integers(0, n), st.just(good[0]), st.just(good[0] + n)))
    s = data.draw(st.one_of(edges, st.integers(0, n), st.just(good[1] + n)))
    assert agreed(ECDSA["sha256"], spki(ec_key(curve)), encode_dss_signature(r, s)) == WRONG


# ---- Keys ----------------------------------------------------------------------------------------


@thorough
@given(
    kind=st.sampled_from(["p256", "p384", "rsa"]),
    cut=st.one_of(st.integers(0, 40), st.integers(0)),
    inserted=st.binary(max_size=4),
    to=st.integers(0, 4),
)
def test_engines_agree_on_edited_keys(kind: str, cut: int, inserted: bytes, to: int) -> None:
    """Lengths, algorithms, curves, points, moduli and exponents, all of them a little wrong."""
    key = rsa_key(1024, 3) if kind == "rsa" else ec_key(kind)
    if kind == "rsa":
        scheme, good = PKCS1["sha256"], raised(key, pkcs1(128, "sha256", MESSAGE))
    else:
        scheme, good = ECDSA["sha256"], ecdsa_signature(kind)
    edit = edited(spki(key), cut, inserted, to)
    assert (agreed(scheme, edit, good) == GOOD) == (edit == spki(key))


def rsa_spki(modulus: int, exponent: int, null: bytes = b"\5\0") -> bytes:
    def element(tag: int, contents: bytes) -> bytes:
        size = len(contents)
        length = bytes((size,)) if size < 0x80 else b"\x82" + size.to_bytes(2, "big")
        if 0x80 <= size < 0x100:
            length = bytes((0x81, size))
        return bytes((tag,)) + length + contents

    def integer(number: int) -> bytes:
        return element(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))

    algorithm = element(0x30, bytes.fromhex("06092a864886f70d010101") + null)
    return element(0x30, algorithm + element(3, b"\0" + element(0x30, integer(modulus) + integer(exponent))))


@pytest.mark.parametrize("exponent", [0, 1, 2, 4, 65536, 2**32 - 1, 2**32 + 1, 2**33, 2**200 + 1])
def test_engines_agree_on_odd_and_even_exponents(exponent: int) -> None:
    n = rsa_key(1024, 3).private_numbers().public_numbers.n
    assert agreed(PKCS1["sha256"], rsa_spki(n, exponent), bytes(127) + b"\2") in (WRONG, NO_KEY)


@pytest.mark.parametrize("bits", [8, 512, 1023, 8192, 8193, 16384])
def test_engines_agree_on_moduli_of_any_length(bits: int) -> None:
    signature = bytes((bits + 7) // 8 - 1) + b"\2"
    for modulus in (2**bits - 1, 2 ** (bits - 1) + 1, 2 ** (bits - 1)):
        assert agreed(PKCS1["sha256"], rsa_spki(modulus, 65537), signature) in (WRONG, NO_KEY)


def test_rsa_key_without_null_is_no_key() -> None:
    """RFC 3279 §2.3.1: the parameters MUST be NULL."""
    numbers = rsa_key(1024, 3).private_numbers().public_numbers
    good = raised(rsa_key(1024, 3), pkcs1(128, "sha256", MESSAGE))
    assert agreed(PKCS1["sha256"], rsa_spki(numbers.n, numbers.e), good) == GOOD
    for parameters in (b"", b"\4\0", b"\5\0\5\0"):
        assert agreed(PKCS1["sha256"], rsa_spki(numbers.n, numbers.e, parameters), good) == NO_KEY
