"""Make the seeds of the fuzz targets and the keys they are signed with (keys.h), once.

    python tests/fuzz/make_seeds.py FOLDER    FOLDER/<target>/ gets the seeds; merge them with -merge=1, see ORIGINS.md

Everything is derived from fixed words, but for the nonces of signatures. The private keys are nobody's: they are in
this file. What each input means stands at the top of the target, fuzz_<target>.c.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from math import gcd
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

HERE = Path(__file__).parent
VECTORS = Path(os.environ.get("LIGHTTLS_VECTORS") or HERE.parents[2] / "shared" / "vectors")

HASHES = {2: hashes.SHA1(), 4: hashes.SHA256(), 5: hashes.SHA384(), 6: hashes.SHA512()}
PKCS1 = {2: 0x0201, 4: 0x0401, 5: 0x0501, 6: 0x0601}
PSS = {4: 0x0804, 5: 0x0805, 6: 0x0806}
ECDSA = {2: 0x0203, 4: 0x0403, 5: 0x0503, 6: 0x0603}
SCHEMES = [*PKCS1.values(), *ECDSA.values(), *PSS.values(), 0x0807]  # the order of SCHEMES in fuzz_signature.c


def stream(word: str, length: int) -> bytes:
    return hashlib.shake_256(f"lighttls fuzz {word}".encode()).digest(length)


# ---- Keys ------------------------------------------------------------------------------------------------


def is_prime(n: int) -> bool:
    if any(n % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23)):
        return False
    odd = (n - 1) >> ((n - 1) & (1 - n)).bit_length() - 1
    for base in range(2, 22):
        x = pow(base, odd, n)
        power = odd
        while x != n - 1 and power != n - 1 and x != 1:
            x = x * x % n
            power *= 2
        if x != n - 1 and power != odd:
            return False
    return True


def prime(word: str, bits: int) -> int:
    """The first prime from a fixed number on, its two top bits set."""
    n = int.from_bytes(stream(word, bits // 8 + 1)) >> (8 - bits % 8) | 3 << bits - 2 | 1
    while not is_prime(n) or gcd(n - 1, 65537) != 1:
        n += 2
    return n


def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    p, q = prime(f"p {bits}", (bits + 1) // 2), prime(f"q {bits}", bits // 2)
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(65537, p * q)
    )
    key = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    assert key.key_size == bits
    return key


EC_KEYS = [
    ec.derive_private_key(int.from_bytes(stream("p256", 31)), ec.SECP256R1()),
    ec.derive_private_key(int.from_bytes(stream("p384", 47)), ec.SECP384R1()),
]
RSA_KEYS = [rsa_key(bits) for bits in (1024, 1025, 2048)]  # 1025: the PSS message is a byte shorter than the modulus
KEYS = [*EC_KEYS, *RSA_KEYS]
NAMES = ["P256", "P384", "RSA_1024", "RSA_1025", "RSA_2048"]


def spki(key: Any) -> bytes:
    public = key.public_key() if hasattr(key, "public_key") else key
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def keys_header() -> str:
    lines = ["/* Written by make_seeds.py: public keys as SubjectPublicKeyInfo. */", "#ifndef LT_FUZZ_KEYS_H"]
    lines += ["#define LT_FUZZ_KEYS_H", ""]
    for name, key in zip(NAMES, KEYS, strict=True):
        lines.append(f"static const char {name}[] =")
        text = spki(key).hex()
        pieces = [f'    "{text[at : at + 110]}"' for at in range(0, len(text), 110)]
        lines += ["\n".join(pieces) + ";"]
    return "\n".join([*lines, "", "#endif", ""])


# ---- Signatures ------------------------------------------------------------------------------------------


def digest_of(number: int, message: bytes) -> bytes:
    return hashlib.new(HASHES[number].name, message).digest()


def mgf1(seed: bytes, length: int, number: int) -> bytes:
    size = HASHES[number].digest_size
    return b"".join(digest_of(number, seed + i.to_bytes(4)) for i in range(length // size + 1))[:length]


def pss_encoding(digest: bytes, number: int, bits: int, salt: bytes) -> bytes:
    """RFC 8017 section 9.1.1."""
    length = (bits - 1 + 7) // 8
    hashed = digest_of(number, bytes(8) + digest + salt)
    db = bytes(length - len(salt) - len(hashed) - 2) + b"\x01" + salt
    masked = bytearray(a ^ b for a, b in zip(db, mgf1(hashed, len(db), number), strict=True))
    masked[0] &= 0xFF >> (8 * length - (bits - 1))
    return bytes(masked) + hashed + b"\xbc"


def pkcs1_encoding(digest: bytes, number: int, length: int, null: bytes = b"\x05\x00") -> bytes:
    """RFC 8017 section 9.2."""
    oid = bytes.fromhex("2b0e03021a") if number == 2 else bytes.fromhex("6086480165030402") + bytes([number - 3])
    algorithm = b"\x06" + bytes([len(oid)]) + oid + null
    info = b"\x30" + bytes([len(algorithm)]) + algorithm + b"\x04" + bytes([len(digest)]) + digest
    info = b"\x30" + bytes([len(info)]) + info
    return b"\x00\x01" + b"\xff" * (length - len(info) - 3) + b"\x00" + info


def raw_rsa(key: rsa.RSAPrivateKey, encoded: bytes) -> bytes:
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    return pow(int.from_bytes(encoded), numbers.d, modulus).to_bytes((key.key_size + 7) // 8)


def signature_input(key: int, scheme: int, numbers: bool, message: bytes, signature: bytes) -> bytes:
    return bytes([key, SCHEMES.index(scheme), 0, numbers, len(message)]) + message + signature


def ecdsa_inputs() -> Iterator[bytes]:
    for index, key in enumerate(EC_KEYS):
        size = (key.key_size + 7) // 8
        for number, scheme in ECDSA.items():
            message = f"{index} {number}".encode()
            signature = key.sign(message, ec.ECDSA(HASHES[number]))
            yield signature_input(index, scheme, False, message, signature)
            r, s = decode_dss_signature(signature)
            yield signature_input(index, scheme, True, message, r.to_bytes(size) + s.to_bytes(size))
        wanted = {(r_len, s_len) for r_len in range(-1, 2) for s_len in range(-1, 2) if abs(r_len) + abs(s_len) < 2}
        for count in range(10_000):  # shorter numbers, and leading zeros
            message = str(count).encode()
            signature = key.sign(message, ec.ECDSA(hashes.SHA256()))
            r, s = decode_dss_signature(signature)
            shape = (r.bit_length() // 8 - size + 1, s.bit_length() // 8 - size + 1)
            if shape in wanted:
                wanted.remove(shape)
                yield signature_input(index, 0x0403, False, message, signature)


def rsa_inputs() -> Iterator[bytes]:
    for index, key in enumerate(RSA_KEYS, start=len(EC_KEYS)):
        length = (key.key_size + 7) // 8
        for number, scheme in [*PKCS1.items(), *PSS.items()]:
            message = f"{index} {scheme}".encode()
            digest = digest_of(number, message)
            if scheme in PKCS1.values():
                for null in (b"\x05\x00", b""):
                    signed = raw_rsa(key, pkcs1_encoding(digest, number, length, null))
                    yield signature_input(index, scheme, False, message, signed)
            elif 2 * len(digest) + 2 <= (key.key_size + 6) // 8:
                for salt_len in (len(digest), 0):
                    encoded = pss_encoding(digest, number, key.key_size, stream("salt", salt_len))
                    yield signature_input(index, scheme, False, message, raw_rsa(key, encoded))


def wycheproof(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    with gzip.open(VECTORS / "wycheproof" / f"{name}.json.gz") as file:
        for group in json.load(file)["testGroups"]:
            for test in group["tests"]:
                yield group, test


def published_signatures() -> Iterator[bytes]:
    """Other keys' signatures: wrong here, but every strange DER that people thought of."""
    for index, name in enumerate(["ecdsa_secp256r1_sha256_test", "ecdsa_secp384r1_sha384_test"]):
        for _, test in wycheproof(name):
            yield signature_input(index, 0x0403, False, bytes.fromhex(test["msg"])[:255], bytes.fromhex(test["sig"]))


# ---- Padding ---------------------------------------------------------------------------------------------


def padding_inputs() -> Iterator[bytes]:
    """[PSS?] [hash] [bits of the modulus] [form] digest, then by form; see fuzz_padding.c."""
    for number in HASHES:
        for bits in (1024, 1025, 1031, 2048):
            message = b"padding"
            digest = digest_of(number, message)
            head = bytes([[*PSS, 2].index(number), *(bits - 1024).to_bytes(2)])
            for null in (b"\x05\x00", b""):
                yield b"\0" + head + b"\0" + digest + pkcs1_encoding(digest, number, (bits + 7) // 8, null)
            if number != 2 and 2 * len(digest) + 2 <= (bits + 6) // 8:
                encoded = pss_encoding(digest, number, bits, stream("salt", len(digest)))
                yield b"\1" + head + b"\0" + digest + encoded.rjust((bits + 7) // 8, b"\0")
                yield b"\1" + head + b"\1" + digest + stream("salt", len(digest))


# ---- Keys as input ---------------------------------------------------------------------------------------


def key_inputs() -> Iterator[bytes]:
    """[what] [mask], then by what it is; see fuzz_key.c."""
    for key in KEYS:
        for scheme in (0x0401, 0x0403, 0x0804):
            yield bytes([0, 0, SCHEMES.index(scheme)]) + spki(key)
    for name in ("ecdsa_secp256r1_sha256_test", "ecdsa_secp384r1_sha384_test", "ecdsa_secp521r1_sha512_test"):
        for der in sorted({group["publicKeyDer"] for group, _ in wycheproof(name)}):
            yield bytes([0, 0, SCHEMES.index(0x0403)]) + bytes.fromhex(der)
    for name in ("rsa_signature_2048_sha256_test", "rsa_pss_3072_sha256_mgf1_32_test"):
        for group, _ in wycheproof(name):
            yield bytes([0, 0, SCHEMES.index(0x0401)]) + bytes.fromhex(group["publicKeyDer"])
    for what, size in ((1, 32), (2, 32), (3, 48)):
        for form in (1, 2):
            yield bytes([what, 0, form]) + stream("scalar", size) + stream("peer", size) + bytes(4)
    for what, name, size in ((2, "ecdh_secp256r1_ecpoint_test", 32), (3, "ecdh_secp384r1_ecpoint_test", 48)):
        for _, test in wycheproof(name):
            scalar = int(test["private"], 16).to_bytes(size + 1)[-size:]
            yield bytes([what, 0, 0]) + scalar + bytes.fromhex(test["public"])
    low_order = [
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ff" * 32,
        "ee" + "ff" * 31,
    ]
    low_order.append("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
    for u in low_order:
        yield bytes([1, 0, 0]) + stream("scalar", 32) + bytes.fromhex(u)
    for _, test in wycheproof("x25519_test"):
        yield bytes([1, 0, 0]) + bytes.fromhex(test["private"]) + bytes.fromhex(test["public"])


# ---- Records ---------------------------------------------------------------------------------------------


def record_inputs() -> Iterator[bytes]:
    """[form] [AEAD] [mask] [mask] [limit] [sequence] [chunk], then by form; see fuzz_records.c."""
    edit = bytes([0, 0x80, 17, 1])  # of the byte before the tag
    for aead in range(7):
        for mask in range(10):
            for lengths in ([0], [1], [33], [5, 7], [16, 0, 64], [250], [129, 255, 128]):
                head = bytes([0, aead, mask, (mask + 1) % 10, 0, 0, 0, len(lengths)])
                records = b"".join(bytes([3, length >> 8, length & 255]) for length in lengths)
                yield head + records
                yield head + records + edit
                yield b"\x08" + head[1:] + records
                if len(lengths) == 1:
                    yield b"\4" + head[1:] + records
                    yield b"\4" + head[1:] + records + edit
            for length in (511, 1400, 4096, 16384):
                yield bytes([0, aead, mask, 1, 0, 0, 200, 1, 3]) + length.to_bytes(2)
        for chunk in range(1, 8):  # rooms, for lt_records_open_into
            yield bytes([8, aead, 0, 1, 0, 0, chunk, 3, 3, 0, 2, 3, 0, 1, 3, 0, 2])
            yield bytes([8, aead, 0, 1, 0, 0, 7, 3, 3, 0, 2, 3, 0, 1, 3, 0, 2]) + bytes([0, 0, 26 + chunk, chunk])
        for kind in range(5):
            yield bytes([0, aead, 0, 1, 0, 0, 9, 3, 3, 0, 20, 2, 0, 2, 3, 0, 20, kind, 0, 44, 5])
        for content_type in range(6):
            yield bytes([0, aead, 0, 1, 0, 0, 0, 2, content_type, 0, 2, 3, 0, 4])
        for limit in range(6):
            yield bytes([0, aead, 0, 1, limit, 0, 0, 2, 3, 2, 0, 3, 2, 1])
        for sequence in range(6):
            yield bytes([0, aead, 0, 1, 0, sequence, 0, 3, 3, 0, 8, 3, 0, 8, 3, 0, 8])
        for form in (1, 2, 5, 6):
            yield bytes([form, aead, 0, 1, 0, 0, 0]) + b"\x17\x03\x03\x00\x20" + stream("record", 32)
            yield bytes([form, aead, 3, 1, 0, 0, 0, 3, 0, 100, 1, 0, 60, 0, 0]) + stream("text", 90)


# ---- Certificates: [DER], without a signature that means anything ------------------------------------------


def element(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = b"" if len(body) < 0x80 else len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes([tag, 0x80 + len(size) if size else len(body)]) + size + body


def certificate_inputs() -> Iterator[bytes]:
    algorithm = element(0x30, bytes.fromhex("06082a8648ce3d040302"))
    name = element(0x30, element(0x31, element(0x30, bytes.fromhex("0603550403"), element(0x0C, b"a"))))
    plain = element(0x30, bytes.fromhex("0603551d0e"), element(0x04, b"id"))
    critical = element(0x30, bytes.fromhex("0603551d130101ff"), element(0x04, bytes.fromhex("30030101ff")))
    long = element(0x30, bytes.fromhex("0603551d11"), element(0x04, bytes(300)))
    many = [element(0x30, bytes([0x06, 1, number]), element(0x04)) for number in range(32)]
    dates = [(0x17, b"491231235959Z"), (0x17, b"500101000000Z"), (0x18, b"20240229120000Z"), (0x18, b"99991231235959Z")]
    ids = element(0x81, b"\0i") + element(0x82, b"\0s")
    for number, (kind, date) in enumerate(dates):
        for tail in (b"", ids, [plain], [critical, plain], [plain, long], many, [plain, plain]):
            last = tail if isinstance(tail, bytes) else element(0xA3, element(0x30, *tail))
            version = b"" if tail == b"" else bytes([0xA0, 3, 2, 1, 1 if tail == ids else 2])
            serial = element(0x02, (b"\0", b"\x7f", b"\0\x80", b"\xff\x7f")[number])
            validity = element(0x30, element(kind, date), element(*dates[number - 1]))
            key = element(0x30, algorithm, element(0x03, bytes(9)))
            signed = element(0x30, version, serial, algorithm, name, validity, name, key, last)
            yield element(0x30, signed, algorithm, element(0x03, bytes(70)))


TARGETS = {
    "certificate": [certificate_inputs],
    "signature": [ecdsa_inputs, rsa_inputs, published_signatures],
    "padding": [padding_inputs],
    "key": [key_inputs],
    "records": [record_inputs],
}


def main(folder: Path) -> None:
    (HERE / "keys.h").write_text(keys_header())
    for target, sources in TARGETS.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for make in sources:
            for seed in make():
                name = hashlib.sha256(seed).hexdigest()[:16]
                (folder / target / name).write_bytes(seed)
        print(target, len(list((folder / target).iterdir())))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
