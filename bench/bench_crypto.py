"""The C core's primitives beside those of `cryptography`, which calls OpenSSL.

Both sides start from bytes as they come from the wire and end with such bytes, and nothing is kept from one
operation to the next but, in the AEAD's case, room for the result.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.compare import timed
from lighttls.crypto import by_name
from lighttls.iana import NamedGroup, SignatureScheme
from support import require
from support.inside import KeyShare, core

CURVES = {NamedGroup.SECP256R1: ec.SECP256R1(), NamedGroup.SECP384R1: ec.SECP384R1()}
POINT = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


@pytest.fixture(autouse=True)
def native() -> None:
    require.native()


def compare_both(ratio: Any, benchmark: Any, name: str, ours: Any, theirs: Any, prepare: Any, **how: Any) -> None:
    ratio(benchmark, name, timed(prepare, ours), timed(prepare, theirs), against="cryptography", **how)
    benchmark.pedantic(ours, setup=lambda: ((prepare()[0],), {}), rounds=10)


# ---- AEAD ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "bar"), [(16384, None), (1 << 18, 1.25)], ids=["16 KiB", "256 KiB"])
def bench_aes_128_gcm_in_c(benchmark: Any, ratio: Any, size: int, bar: float | None) -> None:
    """A bar of 1.25 times the time is one of 0.80 of the throughput. Ours sets its key up in every call."""
    ffi, lib = core()
    key = os.urandom(16)
    out = ffi.new("uint8_t[]", size + 16)
    theirs, their_out = AESGCM(key), bytearray(size + 16)

    def ours(piece: tuple[bytes, bytes]) -> None:
        nonce, text = piece
        status = lib.lt_test_aead_seal(lib.LT_AES_128_GCM, key, 16, nonce, b"", 0, out, text, len(text))
        assert status == 0

    compare_both(
        ratio,
        benchmark,
        f"AES-128-GCM, {size >> 10} KiB, at C level",
        ours,
        lambda piece: theirs.encrypt_into(piece[0], piece[1], None, their_out),
        lambda: [(os.urandom(12), os.urandom(size)) for _ in range((1 << 22) // size)],
        bar=bar,
    )


# ---- Key agreement ---------------------------------------------------------------------------------------


def their_agreement(group: NamedGroup) -> Callable[[bytes], tuple[bytes, bytes]]:
    """Our public key and the shared secret."""
    if group == NamedGroup.X25519:

        def agree_on_x25519(peer: bytes) -> tuple[bytes, bytes]:
            mine = x25519.X25519PrivateKey.generate()
            return mine.public_key().public_bytes(*RAW), mine.exchange(x25519.X25519PublicKey.from_public_bytes(peer))

        return agree_on_x25519
    curve = CURVES[group]

    def agree(peer: bytes) -> tuple[bytes, bytes]:
        mine = ec.generate_private_key(curve)
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(curve, peer)
        return mine.public_key().public_bytes(*POINT), mine.exchange(ec.ECDH(), theirs)

    return agree


@pytest.mark.parametrize(
    ("group", "bar"),
    [(NamedGroup.X25519, 1.0), (NamedGroup.SECP256R1, 1.0), (NamedGroup.SECP384R1, 1.5)],
    ids=lambda value: value.name.lower() if isinstance(value, NamedGroup) else "",
)
def bench_key_agreement(benchmark: Any, ratio: Any, group: NamedGroup, bar: float) -> None:
    """A fresh key pair, and the secret shared with the owner of a public key."""
    provider = by_name("native")
    theirs = their_agreement(group)
    some_peer = KeyShare(provider, group, os.urandom).public

    def ours(peer: bytes) -> tuple[bytes, object]:
        return provider.key_agreement(group, os.urandom, peer)

    compare_both(
        ratio,
        benchmark,
        f"key agreement, {group.name.lower()}",
        ours,
        theirs,
        lambda: [theirs(some_peer)[0] for _ in range(40)],
        bar=bar,
    )


# ---- Signatures ------------------------------------------------------------------------------------------


def signer(kind: str) -> tuple[SignatureScheme, Any, Any]:
    """Scheme, private key, and the arguments that `cryptography` wants behind the message."""
    if kind == "rsa-2048":
        return (
            SignatureScheme.RSA_PKCS1_SHA256,
            rsa.generate_private_key(65537, 2048),
            (
                padding.PKCS1v15(),
                hashes.SHA256(),
            ),
        )
    if kind == "ecdsa p-384":
        return (
            SignatureScheme.ECDSA_SECP384R1_SHA384,
            ec.generate_private_key(ec.SECP384R1()),
            (ec.ECDSA(hashes.SHA384()),),
        )
    return (
        SignatureScheme.ECDSA_SECP256R1_SHA256,
        ec.generate_private_key(ec.SECP256R1()),
        (ec.ECDSA(hashes.SHA256()),),
    )


@pytest.mark.parametrize(("kind", "bar"), [("ecdsa p-256", 0.85), ("ecdsa p-384", None), ("rsa-2048", 1.2)])
def bench_verify(benchmark: Any, ratio: Any, kind: str, bar: float | None) -> None:
    """From the bytes of a SubjectPublicKeyInfo and of a signature never seen before; nothing is kept between two."""
    provider = by_name("native")
    scheme, _, how = signer(kind)
    rsa_keys = [signer(kind)[1] for _ in range(8)] if kind == "rsa-2048" else []  # they take long, and none is prepared

    def signatures() -> list[tuple[bytes, bytes, bytes]]:
        made = []
        for number in range(40):
            private = rsa_keys[number % len(rsa_keys)] if rsa_keys else signer(kind)[1]
            message = os.urandom(200)
            made.append((private.public_key().public_bytes(*SPKI), private.sign(message, *how), message))
        return made

    compare_both(
        ratio,
        benchmark,
        f"verify {kind}",
        lambda one: provider.verify(scheme, *one),
        lambda one: serialization.load_der_public_key(one[0]).verify(one[1], one[2], *how),
        signatures,
        bar=bar,
    )


def bench_sign(benchmark: Any, ratio: Any) -> None:
    """ECDSA on P-256, of a digest, with 32 bytes of the system's entropy each."""
    _, private, _ = signer("ecdsa p-256")
    key = by_name("native").signing_key(bytearray(private.private_numbers().private_value.to_bytes(32, "big")))
    assert key is not None
    how = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    compare_both(
        ratio,
        benchmark,
        "sign ecdsa p-256",
        lambda digest: key.sign(digest, os.urandom(32)),
        lambda digest: private.sign(digest, how),
        lambda: [os.urandom(32) for _ in range(40)],
    )
