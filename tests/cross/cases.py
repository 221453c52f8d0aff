"""What a machine is asked: Wycheproof's published vectors, and inputs of our own that other code has answered.

The same cases come in every run, because the random generators have fixed seeds; only RSA keys and signatures of our
own differ, which `cryptography` draws itself.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import random
from collections.abc import Callable, Iterator
from typing import Any

from cross.executor import Answer, Case, Operation
from lighttls.crypto import SUITES, Suite, by_name
from lighttls.errors import (
    BadRecordMac,
    BadSignature,
    EntropyError,
    IllegalParameter,
    ProtocolVersion,
    RecordOverflow,
    UnexpectedMessage,
    UsageError,
)
from lighttls.iana import NamedGroup, SignatureScheme
from support import wycheproof
from support.inside import (
    AEAD_NUMBERS,
    NUMBERS,
    KeyShare,
    aead_number,
    expected_prf,
    premaster_bytes,
    server_side,
    server_verify_data,
    set_sequence,
)
from support.wycheproof import unhex

PURE = by_name("pure")

OK = 0
STATUS = {  # LT_ERR_*, and what the pure engine says instead
    UnexpectedMessage: -1,
    BadRecordMac: -3,
    BadSignature: -3,
    RecordOverflow: -4,
    ProtocolVersion: -5,
    UsageError: -6,
    IllegalParameter: -7,
    EntropyError: -8,
}
ARGUMENT, AUTH, POINT, UNSUPPORTED = -1, -3, -7, -10

PUBLIC_LENGTH = {NamedGroup.X25519: 32, NamedGroup.SECP256R1: 65, NamedGroup.SECP384R1: 97}
PRIVATE_LENGTH = {NamedGroup.X25519: 32, NamedGroup.SECP256R1: 32, NamedGroup.SECP384R1: 48}
ECDH_FILES = {
    "x25519_test": NamedGroup.X25519,
    "ecdh_secp256r1_ecpoint_test": NamedGroup.SECP256R1,
    "ecdh_secp384r1_ecpoint_test": NamedGroup.SECP384R1,
}

AEAD_FILES = {"aes_gcm_test": "aes-gcm", "chacha20_poly1305_test": "chacha20-poly1305"}


# ---- Questions -----------------------------------------------------------------------------------


def hash_case(name: str, algorithm: str, data: bytes) -> Case:
    digest = hashlib.new(algorithm, data).digest()
    expected = Answer(len(digest), digest)
    return Case(name, Operation.HASH, (NUMBERS[algorithm], len(digest)), (data,), expected)


def hmac_case(name: str, algorithm: str, key: bytes, data: bytes) -> Case:
    tag = hmac.digest(key, data, algorithm)
    return Case(name, Operation.HMAC, (NUMBERS[algorithm], len(tag)), (key, data), Answer(len(tag), tag))


def open_case(
    name: str, number: int, key: bytes, nonce: bytes, aad: bytes, sealed: bytes, text: bytes | None, tag: int = 16
) -> Case:
    """`text` None: not authentic, so that zeros come out."""
    expected = Answer(AUTH, bytes(max(len(sealed) - tag, 0))) if text is None else Answer(OK, text)
    return Case(name, Operation.AEAD_OPEN, (number,), (key, nonce, aad, sealed), expected)


def seal_case(name: str, number: int, key: bytes, nonce: bytes, aad: bytes, sealed: bytes, text: bytes) -> Case:
    return Case(name, Operation.AEAD_SEAL, (number,), (key, nonce, aad, text), Answer(OK, sealed))


def derive_case(name: str, group: NamedGroup, private: bytes, peer: bytes, secret: bytes | None) -> Case:
    """`secret` None: the peer's key is refused."""
    expected = Answer(POINT) if secret is None else Answer(len(secret), secret)
    return Case(name, Operation.SHARE_DERIVE, (group, PUBLIC_LENGTH[group]), (private, peer), expected)


def verify_case(name: str, scheme: int, spki: bytes, signature: bytes, message: bytes, status: int) -> Case:
    return Case(name, Operation.VERIFY, (scheme,), (spki, signature, message), Answer(status))


# ---- Published vectors ---------------------------------------------------------------------------


def published(file: str) -> list[Case]:
    """All cases of one file of Wycheproof that applies."""
    if file in wycheproof.SIGNATURE_SCHEMES or file in wycheproof.GENERATED_FILES:
        make = _published_signature
    elif file in AEAD_FILES:
        make = _published_aead
    elif file.startswith("hmac"):
        make = _published_hmac
    else:
        make = _published_ecdh
    tests = list(wycheproof.cases(file))
    assert len(tests) == wycheproof.COUNTS[file]
    return [case for group, test in tests for case in make(file, group, test)]


def _published_signature(file: str, group: dict[str, Any], test: dict[str, Any]) -> Iterator[Case]:
    if file in wycheproof.GENERATED_FILES:
        scheme, spki = wycheproof.PKCS1[group["sha"]], wycheproof.public_key_of(group["privateKeyPkcs8"])
    else:
        scheme, spki = wycheproof.SIGNATURE_SCHEMES[file][group["sha"]], bytes.fromhex(group["publicKeyDer"])
    status = OK if test["result"] != "invalid" else AUTH
    if "secp521r1" in file:  # lighttls.h: not in C
        status = UNSUPPORTED
    yield verify_case(f"{file} {test['tcId']}", scheme, spki, unhex(test, "sig"), unhex(test, "msg"), status)


def _published_aead(file: str, group: dict[str, Any], test: dict[str, Any]) -> Iterator[Case]:
    number = AEAD_NUMBERS[AEAD_FILES[file], group["keySize"] // 8, 16]
    key, nonce, aad, text = (unhex(test, field) for field in ("key", "iv", "aad", "msg"))
    sealed = unhex(test, "ct") + unhex(test, "tag")
    name = f"{file} {test['tcId']}"
    valid = test["result"] == "valid"
    yield open_case(f"{name} open", number, key, nonce, aad, sealed, text if valid else None)
    if valid:
        yield seal_case(f"{name} seal", number, key, nonce, aad, sealed, text)


def _published_hmac(file: str, group: dict[str, Any], test: dict[str, Any]) -> Iterator[Case]:
    """The vectors have tags that are cut or wrong, so they judge what hashlib says, and that judges the C core."""
    case = hmac_case(f"{file} {test['tcId']}", file.split("_")[1], unhex(test, "key"), unhex(test, "msg"))
    same = case.expected.data[: group["tagSize"] // 8] == unhex(test, "tag")
    assert same == (test["result"] == "valid")
    yield case


def _published_ecdh(file: str, group: dict[str, Any], test: dict[str, Any]) -> Iterator[Case]:
    """Which of the «acceptable» ones are accepted: see test_wycheproof."""
    named = ECDH_FILES[file]
    if named == NamedGroup.X25519:
        private = unhex(test, "private")
        accepted = "ZeroSharedSecret" not in test["flags"]
    else:
        private = int(test["private"], 16).to_bytes(PRIVATE_LENGTH[named], "big")
        accepted = test["result"] == "valid"
    secret = unhex(test, "shared") if accepted else None
    yield derive_case(f"{file} {test['tcId']}", named, private, unhex(test, "public"), secret)


# ---- Inputs of our own ---------------------------------------------------------------------------

SUITE_LIST = list(SUITES.values())
DIGEST_LENGTH = {"sha256": 32, "sha384": 48}
ORDER = {
    NamedGroup.SECP256R1: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    NamedGroup.SECP384R1: 2**384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D,
}
P25519 = 2**255 - 19


def length(rng: random.Random, most: int) -> int:
    """Any, or one near a multiple of the widths that blocks and vectors have."""
    if rng.random() < 0.5:
        return rng.randint(0, most)
    width = 1 << rng.randint(4, 9)
    return min(max(rng.randint(0, most // width) * width + rng.randint(-1, 1), 0), most)


def damaged(rng: random.Random, data: bytes) -> bytes:
    """One bit turned round."""
    at = rng.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]


def _hash(rng: random.Random, name: str) -> Iterator[Case]:
    yield hash_case(name, rng.choice(list(NUMBERS)), rng.randbytes(length(rng, 1200)))


def _hmac(rng: random.Random, name: str) -> Iterator[Case]:
    key = rng.randbytes(length(rng, 300))
    yield hmac_case(name, rng.choice(list(NUMBERS)), key, rng.randbytes(length(rng, 600)))


def _prf(rng: random.Random, name: str) -> Iterator[Case]:
    algorithm = rng.choice(list(DIGEST_LENGTH))
    strings = rng.randbytes(length(rng, 200)), rng.randbytes(rng.randint(0, 40)), rng.randbytes(length(rng, 300))
    expected = Answer(OK, expected_prf(algorithm, *strings, length(rng, 300)))
    yield Case(name, Operation.PRF, (NUMBERS[algorithm], len(expected.data)), strings, expected)


def _aead(rng: random.Random, name: str) -> Iterator[Case]:
    from lighttls.crypto import pure

    suite = rng.choice(SUITE_LIST)
    number = aead_number(suite)
    key, nonce, aad = rng.randbytes(suite.key_length), rng.randbytes(12), rng.randbytes(length(rng, 70))
    text = rng.randbytes(length(rng, rng.choice((300, 5000))))
    sealed = pure.aead(suite, key).encrypt(nonce, text, aad)
    yield seal_case(f"{name} seal", number, key, nonce, aad, sealed, text)
    yield open_case(f"{name} open", number, key, nonce, aad, sealed, text)
    yield open_case(f"{name} open damaged", number, key, nonce, aad, damaged(rng, sealed), None, suite.tag_length)


def _exchange(name: str, group: NamedGroup, private: bytes, peer: bytes) -> Iterator[Case]:
    """The public key, and the secret shared with `peer`, as `cryptography` has them."""
    numbers = (group, PUBLIC_LENGTH[group])
    try:
        share = KeyShare(PURE, group, lambda _: private)
    except EntropyError as error:
        untouched = b"\xaa" * PUBLIC_LENGTH[group]
        yield Case(
            f"{name} public", Operation.SHARE_PUBLIC, numbers, (private,), Answer(STATUS[type(error)], untouched)
        )
        return
    yield Case(
        f"{name} public", Operation.SHARE_PUBLIC, numbers, (private,), Answer(len(share.public), bytes(share.public))
    )
    try:
        secret = premaster_bytes(share.derive(peer))
    except IllegalParameter:
        secret = None
    yield derive_case(f"{name} derive", group, private, peer, secret)


def _x25519(rng: random.Random, name: str) -> Iterator[Case]:
    u = rng.choice((rng.getrandbits(256), rng.randrange(P25519 - 2, 2**255), rng.randrange(12), 2**256 - 1))
    peer = u.to_bytes(32, "little")
    yield from _exchange(name, NamedGroup.X25519, rng.randbytes(32), rng.choice((peer, peer, peer, peer[1:])))


def _nist(group: NamedGroup) -> Callable[[random.Random, str], Iterator[Case]]:
    order, size = ORDER[group], PRIVATE_LENGTH[group]

    def scalar(rng: random.Random) -> int:
        return rng.choice(
            (
                rng.randrange(1, order),
                rng.randrange(1, 300),
                order - rng.randrange(1, 300),
                min(1 << rng.randrange(8 * size), order - 1),
            )
        )

    def make(rng: random.Random, name: str) -> Iterator[Case]:
        mine, theirs = scalar(rng), scalar(rng)
        peer = bytes(KeyShare(PURE, group, lambda _: theirs.to_bytes(size, "big")).public)
        if rng.random() < 0.2:
            peer = damaged(rng, peer)
        if rng.random() < 0.1:
            mine = rng.choice((0, order, order + 1, 256**size - 1))
        yield from _exchange(name, group, mine.to_bytes(size, "big"), peer)

    return make


@functools.cache
def _signing_keys() -> list[tuple[Any, int, bytes]]:
    """Private keys of `cryptography`, each with a scheme it can sign for and its public key."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    on_p256, on_p384 = ec.derive_private_key(0x1234567, ec.SECP256R1()), ec.derive_private_key(3**200, ec.SECP384R1())
    rsa_key = rsa.generate_private_key(65537, 2048)
    pairs = [
        (on_p256, SignatureScheme.ECDSA_SECP256R1_SHA256),
        (on_p384, SignatureScheme.ECDSA_SECP384R1_SHA384),
        (rsa_key, SignatureScheme.RSA_PKCS1_SHA256),
        (rsa_key, SignatureScheme.RSA_PSS_RSAE_SHA384),
    ]
    return [
        (key, scheme, key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        for key, scheme in pairs
    ]


def _signed(key: Any, scheme: int, message: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding

    if scheme == SignatureScheme.RSA_PKCS1_SHA256:
        return bytes(key.sign(message, padding.PKCS1v15(), hashes.SHA256()))
    if scheme == SignatureScheme.RSA_PSS_RSAE_SHA384:
        return bytes(key.sign(message, padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384()))
    hash_ = hashes.SHA256() if scheme == SignatureScheme.ECDSA_SECP256R1_SHA256 else hashes.SHA384()
    return bytes(key.sign(message, ec.ECDSA(hash_)))


def _signature(rng: random.Random, name: str) -> Iterator[Case]:
    key, scheme, spki = rng.choice(_signing_keys())
    message = rng.randbytes(length(rng, 300))
    signature = _signed(key, scheme, message)
    yield verify_case(name, scheme, spki, signature, message, OK)
    yield verify_case(f"{name} damaged", scheme, spki, damaged(rng, signature), message, AUTH)
    yield verify_case(f"{name} other message", scheme, spki, signature, message + b"!", AUTH)


def _suite_numbers(suite: Suite) -> tuple[int, int]:
    return aead_number(suite), NUMBERS[suite.prf_hash]


def _schedule(rng: random.Random, name: str) -> Iterator[Case]:
    suite = rng.choice(SUITE_LIST)
    digest = DIGEST_LENGTH[suite.prf_hash]
    secret, client, server = rng.randbytes(rng.randint(1, 66)), rng.randbytes(32), rng.randbytes(32)
    session_hash = rng.choice((b"", rng.randbytes(digest)))
    transcript_hash, context, size = rng.randbytes(digest), rng.randbytes(length(rng, 100)), length(rng, 100)
    schedule = PURE.key_schedule(suite, PURE.premaster(bytearray(secret)), client, server, session_hash or None)
    data = (
        schedule.master_secret()
        + schedule.finished(transcript_hash)
        + server_verify_data(schedule, suite, transcript_hash)
        + schedule.export(b"EXPORTER label", context, size)
    )
    in_c = len(context).to_bytes(2, "big") + context  # lighttls.h: what follows the randoms in the seed
    strings = (secret, client, server, session_hash, transcript_hash, b"EXPORTER label", in_c)
    yield Case(name, Operation.SCHEDULE, (*_suite_numbers(suite), size), strings, Answer(OK, data))


def _opened(opener: Any, data: bytes, limit: int) -> Answer:
    """What the pure engine finds, written as remote.c writes it."""
    records: list[tuple[int, bytes]] = []
    status = OK
    while True:
        try:
            result = opener.open(data, limit)
        except tuple(STATUS) as error:
            status = STATUS[type(error)]
            break
        if not result[0]:
            break
        records += result[0]
        data = data[result[1] :]
    encoded = (kind.to_bytes(4, "little") + len(content).to_bytes(4, "little") + content for kind, content in records)
    return Answer(status, b"".join(encoded))


def _records(rng: random.Random, name: str) -> Iterator[Case]:
    """A sealed stream of some records, opened whole, damaged and cut off; and sequence numbers up to the last ones."""
    suite = rng.choice(SUITE_LIST)
    secrets = rng.randbytes(48), rng.randbytes(32), rng.randbytes(32)
    sequence = rng.choice((0, rng.randrange(1 << 24), suite.record_limit - rng.randint(1, 4)))
    kind, data = rng.choice((20, 21, 22, 23, 23, 23)), rng.randbytes(length(rng, rng.choice((100, 40000))))
    fragment = rng.choice((16384, rng.randint(max(len(data) // 20, 1), 16384)))
    keys = (*_suite_numbers(suite), sequence & 0xFFFFFFFF, sequence >> 32)

    def pure() -> tuple[Any, Any]:
        schedule = PURE.resume(suite, *secrets)
        sealer, (_, opener) = schedule.record_keys()[0], server_side(PURE.resume(suite, *secrets))
        set_sequence(sealer, sequence)
        set_sequence(opener, sequence)
        return sealer, opener

    try:
        expected = Answer(OK, pure()[0].seal(kind, data, fragment))
        expected = Answer(len(expected.data), expected.data)
    except UsageError as error:
        expected = Answer(STATUS[type(error)])
    yield Case(f"{name} seal", Operation.RECORDS_SEAL, (*keys, kind, fragment, 1), (*secrets, data), expected)
    stream = expected.data
    if not stream:
        return
    limit = rng.choice((16384, fragment, max(fragment - 1, 1)))
    for what, received in (
        ("whole", stream),
        ("damaged", damaged(rng, stream)),
        ("header damaged", damaged(rng, stream[:5]) + stream[5:]),
        ("cut off", stream[: rng.randrange(len(stream))]),
    ):
        answer = _opened(pure()[1], received, limit)
        yield Case(f"{name} open {what}", Operation.RECORDS_OPEN, (*keys, limit), (*secrets, received), answer)
        room = bytearray(max(len(data) - rng.choice((0, 0, 1, len(data) // 2)), 0))
        written, consumed = pure()[1].open_into(received, memoryview(room))
        answer = Answer(consumed, bytes(room[:written]))
        yield Case(f"{name} into {what}", Operation.RECORDS_INTO, (*keys, len(room)), (*secrets, received), answer)


RANDOM = {
    "hash": (_hash, 400),
    "hmac": (_hmac, 400),
    "prf": (_prf, 300),
    "aead": (_aead, 400),
    "x25519": (_x25519, 300),
    "secp256r1": (_nist(NamedGroup.SECP256R1), 300),
    "secp384r1": (_nist(NamedGroup.SECP384R1), 200),
    "signature": (_signature, 200),
    "schedule": (_schedule, 200),
    "records": (_records, 200),
}
"""Generators, and how often each is called for the long form."""


def made(kind: str, long: bool) -> list[Case]:
    """Cases of one kind; the short form has the first of them."""
    generator, count = RANDOM[kind]
    return [
        case
        for number in range(count if long else 20)
        for case in generator(random.Random(f"{kind} {number}"), f"{kind} {number}")
    ]


def sample(cases: list[Case], most: int) -> list[Case]:
    """So many of them at equal distances."""
    return cases[:: -(-len(cases) // most)]
