"""What the fuzzing of the x509 room starts from: one certificate or answer of every kind, and the published vectors."""

from __future__ import annotations

import gzip
import json
import os
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from fuzz import x509_target as target
from lighttls.testing import der_writer as der
from support import certificates as kit
from support import crls
from support.require import REPOSITORY

VECTORS = Path(os.environ.get("LIGHTTLS_VECTORS") or REPOSITORY.parent / "shared" / "vectors")

PURPOSES = der.sequence(der.oid("1.3.6.1.5.5.7.3.1"), der.oid("2.5.29.37.0"))
PLACE = der.sequence(der.oid("1.3.6.1.5.5.7.48.2"), der.implicit(6, b"http://example/ca.crt"))
POINT = der.sequence(der.explicit(0, der.explicit(0, der.implicit(6, b"http://example/ca.crl"))))
POLICY = der.oid("1.2.3.4")
GENERAL_NAMES = [
    der.implicit(1, b"someone@example.org"),
    der.implicit(2, b"*.example.org"),
    der.explicit(4, kit.name("Directory")),
    der.implicit(6, b"https://example.org/"),
    der.implicit(7, bytes(16)),
    der.element(0xA0, der.oid("1.2.3") + der.explicit(0, der.utf8_string("other"))),
    der.implicit(8, b"\x2a\x03"),
]
EXTENSIONS: list[kit.Extension] = [
    ("2.5.29.14", False, der.octet_string(b"own key")),
    ("2.5.29.15", True, der.named_bits(0, 5, 6)),
    ("2.5.29.17", False, der.sequence(*GENERAL_NAMES)),
    ("2.5.29.18", False, der.sequence(der.implicit(2, b"issuer.example"))),
    ("2.5.29.19", True, der.sequence(der.boolean(True), der.integer(3))),
    kit.constraints(GENERAL_NAMES[:4], [der.implicit(7, bytes(32))]),
    ("2.5.29.31", False, der.sequence(POINT)),
    ("2.5.29.32", False, der.sequence(der.sequence(POLICY), der.sequence(der.oid("2.5.29.32.0")))),
    ("2.5.29.33", True, der.sequence(der.sequence(POLICY, der.oid("1.2.3.5")))),
    ("2.5.29.35", False, der.sequence(der.implicit(0, b"its key"))),
    ("2.5.29.36", True, der.sequence(der.implicit(0, b"\x01"), der.implicit(1, b"\x00"))),
    ("2.5.29.37", False, PURPOSES),
    ("2.5.29.46", False, der.sequence(POINT)),
    ("2.5.29.54", True, der.integer(1)),
    ("1.3.6.1.5.5.7.1.1", False, der.sequence(PLACE)),
    ("1.3.6.1.5.5.7.1.24", False, der.sequence(der.integer(5))),
]
STRINGS = [der.element(tag, b"Some  Name") for tag in (0x0C, 0x12, 0x13, 0x14, 0x16, 0x1A)] + [
    der.element(0x1E, "Ünï".encode("utf-16-be")),
    der.element(0x1C, "Ünï".encode("utf-32-be")),
    der.utf8_string("Ünï ﬁ ẞ"),
]


def seeds() -> Iterator[bytes]:
    """Inputs of every kind, some dozen."""
    everything = kit.make(
        kit.name("All", *(("2.5.4.11", string) for string in STRINGS)), kit.ec_key("all"), extensions=EXTENSIONS
    )
    yield b"c\0" + everything.der
    for extension in EXTENSIONS:
        yield b"c\0" + kit.make("one", kit.ec_key("one"), extensions=[extension]).der
        middle = kit.authority("Middle", target.ROOT, extensions=[*_without(extension, kit.ca()), extension])
        leaf = kit.server(middle, extensions=[*_without(extension, kit.host(target.HOST)), extension])
        yield b"p\1" + leaf.der + middle.der
    yield b"c\0" + kit.make("v1", kit.ec_key("one"), version=b"").der
    for key in (kit.rsa_key("one"), kit.ec_key("one")):
        yield b"c\0" + kit.make("key", key, extensions=kit.ca()).der
    chain = target.LEAF.der + target.MIDDLE.der
    for choices in range(16):
        yield b"p%c" % choices + chain + target.ROOT.der
    for response in _responses():
        yield b"o\0" + response
        yield b"o\1" + response
    for lists in _lists():
        for choices in range(8):
            yield b"r%c" % choices + lists
    yield b"t\0" + target.ROOT.der
    yield b"t\0" + b"".join(map(_pem, (target.ROOT.der, target.MIDDLE.der, everything.der)))


def published() -> Iterator[bytes]:
    """Certificates and chains of the published vectors, where they are."""
    for path in sorted((VECTORS / "roots").glob("*.pem")):
        yield b"t\0" + path.read_bytes()
        yield b"c\0" + _der(path.read_text(encoding="ascii"))
    cases = VECTORS / "x509-limbo" / "limbo-dev.json.gz"
    if cases.exists():
        for case in json.loads(gzip.decompress(cases.read_bytes()))["testcases"]:
            chain = [_der(pem) for pem in (case["peer_certificate"], *case["untrusted_intermediates"])]
            whole = b"".join([*chain, _der(case["trusted_certs"][0])] if case["trusted_certs"] else chain)
            if len(whole) < 4000:
                yield b"p\x0b" + whole
                yield b"c\0" + chain[0]


def _without(extension: kit.Extension, others: list[kit.Extension]) -> list[kit.Extension]:
    return [other for other in others if other[0] != extension[0]]


def _responses() -> Iterator[bytes]:
    leaf, middle = (x509.load_der_x509_certificate(made.der) for made in (target.LEAF, target.MIDDLE))
    now = datetime.fromtimestamp(kit.NOW, UTC)
    for status in ocsp.OCSPCertStatus:
        gone = {"revocation_time": now, "revocation_reason": x509.ReasonFlags.key_compromise}
        nothing = dict.fromkeys(gone)
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=leaf,
            issuer=middle,
            algorithm=hashes.SHA256(),
            cert_status=status,
            this_update=now - timedelta(hours=1),
            next_update=now + timedelta(hours=1),
            **(gone if status is ocsp.OCSPCertStatus.REVOKED else nothing),  # type: ignore[arg-type]
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, middle).certificates([middle])
        yield builder.sign(target.MIDDLE.key.private, hashes.SHA256()).public_bytes(Encoding.DER)
    yield ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER)


def _lists() -> Iterator[bytes]:
    """Each row has one for each authority, so that in hard mode an answer about every certificate is found."""
    above = crls.crl(target.ROOT)
    padding = (crls.UNKNOWN, False, bytes(200))  # rows are cut at elements with two bytes of length
    others = [crls.entry(serial, crls.reason(crls.KEY_COMPROMISE)) for serial in range(2, 9)]
    yield crls.crl(target.MIDDLE, *others, extensions=[crls.number(1), padding]) + above
    held = crls.entry(1, crls.reason(crls.HOLD))
    yield crls.crl(target.MIDDLE, held, extensions=[crls.number(1), padding]) + above
    changes = [crls.number(2), crls.delta(1), padding]
    back = crls.entry(1, crls.reason(crls.REMOVE))
    yield (
        crls.crl(target.MIDDLE, held, extensions=[crls.number(1), padding])
        + crls.crl(target.MIDDLE, back, extensions=changes)
        + above
    )
    place = crls.full_name(crls.url("http://example/all.crl"))
    scoped = [crls.number(1), crls.scope(place, crls.USER_ONLY, crls.reasons(3, 1, 2)), padding]
    indirect = [crls.number(1), crls.scope(crls.relative_name("part"), crls.INDIRECT), padding]
    of_middle = crls.entry(1, crls.issued_by(target.MIDDLE.subject))
    yield (crls.crl(target.MIDDLE, extensions=scoped) + crls.crl(target.ROOT, of_middle, extensions=indirect) + above)


def _pem(data: bytes) -> bytes:
    return x509.load_der_x509_certificate(data).public_bytes(Encoding.PEM)


def _der(pem: str) -> bytes:
    body = pem.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0]
    return b64decode("".join(body.split()))
