"""What a stapled OCSP response says, who signed it and when; and TLS features that a certificate promises (OCSP)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.ocsp import OCSPResponseStatus

from hostile import certificates as pki
from hostile import ocsp, wire
from hostile.cases import Refused, Tolerated, both_splits
from hostile.ocsp import DAY
from hostile.server import FIRST
from hostile.steps import message
from lighttls import TimePolicy, TrustStore, VerifyPolicy

RESPONSE = ocsp.response()
ANNOUNCED: dict[str, Any] = {"settings": {"request_ocsp": True}, "extra": [(wire.STATUS_REQUEST, b"")]}


def stapled(status: bytes) -> list[Any]:
    """The first flight with a CertificateStatus."""
    return [*FIRST[:2], message(wire.certificate_status(status)), *FIRST[2:]]


DELEGATE = ocsp.delegate()
OTHER_LEAF = pki.leaf("p256/other", host="other.example")
MUST_STAPLE = partial(pki.leaf, features=(5,))
ROOT = (pki.intermediate(), pki.root())


def answer(rule: str, what: str, status: bytes, alert: int = wire.BAD_STATUS_RESPONSE, **settings: Any) -> Refused:
    """Refused for what the response says."""
    return Refused(
        rule, what, alert, first=stapled(status), extra=ANNOUNCED["extra"], settings={"request_ocsp": True} | settings
    )


def good(rule: str, what: str, status: bytes, leaf: Any = "p256", **settings: Any) -> Tolerated:
    return Tolerated(
        rule,
        what,
        first=stapled(status),
        leaf=leaf,
        extra=ANNOUNCED["extra"],
        settings={"request_ocsp": True} | settings,
    )


def clock(offset: timedelta, policy: TimePolicy | None = None) -> dict[str, Any]:
    """Settings of a client whose clock is ahead by so much."""
    verify = VerifyPolicy() if policy is None else VerifyPolicy(time=policy)
    return {"clock": lambda: (ocsp.NOW + offset).timestamp(), "verify": verify}


def without(place: int) -> ocsp.Change:
    return lambda fields: [*fields[:place], *fields[place + 1 :]]


def put(place: int, value: bytes) -> ocsp.Change:
    return lambda fields: [*fields[:place], value, *fields[place + 1 :]]


def added(value: bytes) -> ocsp.Change:
    return lambda fields: [*fields, value]


def identified(change: ocsp.Change) -> ocsp.Change:
    """A change of the CertID."""
    return ocsp.single(lambda fields: [pki.der(0x30, *change(pki.children(fields[0]))), *fields[1:]])


TIME, NOT_A_TIME = pki.der(0x18, b"20200101000000Z"), pki.der(0x18, b"20201301000000Z")


def stamp(offset: timedelta) -> bytes:
    """A GeneralizedTime so far from now."""
    return pki.der(0x18, (ocsp.NOW + offset).strftime("%Y%m%d%H%M%SZ").encode())


NULL = b"\x05\x00"
OID = pki.der(0x06, b"\x2a\x03")
WORD = pki.der(0x04, b"word")

KEY = pki.der(0x0A, b"\x01")  # keyCompromise
WHY = pki.der(0xA0, KEY)

ANY = x509.ObjectIdentifier("2.5.29.37.0")


def singles(status: bytes) -> list[bytes]:
    """The SingleResponses of a response."""
    octets = pki.children(pki.children(pki.children(status)[1])[0])[1]
    return pki.children(pki.children(pki.children(octets[pki._header(octets) :])[0])[2])


REVOKED_SINGLE, OTHER_SINGLE = singles(ocsp.response(status=ocsp.REVOKED)), singles(ocsp.response(OTHER_LEAF))


def extension_list(*extensions: bytes) -> bytes:
    return pki.der(0xA1, pki.der(0x30, *extensions))


UNREADABLE = {
    "nothing but a tag": b"\x30",
    "no DER": bytes(64),
    "bytes left over": RESPONSE + b"\x00",
    "cut off": RESPONSE[:-1],
    "empty": b"\x30\x00",
    "status alone": pki.der(0x30, pki.der(0x0A, b"\x00")),
    "status empty": pki.der(0x30, pki.der(0x0A)),
    "status of another tag": ocsp.rewritten(outer=put(0, pki.der(0x02, b"\x00"))),
    "something behind the response": ocsp.rewritten(outer=added(NULL)),
    "response untagged": ocsp.rewritten(outer=lambda parts: [parts[0], *pki.children(parts[1])]),
    "two in the wrapping": ocsp.rewritten(outer=lambda parts: [parts[0], pki.der(0xA0, *pki.children(parts[1]), NULL)]),
    "another type": ocsp.rewritten(
        outer=lambda parts: [parts[0], pki.der(0xA0, pki.der(0x30, OID, pki.children(pki.children(parts[1])[0])[1]))]
    ),
    "something behind the basic response": ocsp.rewritten(
        outer=lambda parts: [parts[0], pki.der(0xA0, pki.der(0x30, *pki.children(pki.children(parts[1])[0]), NULL))]
    ),
    "no signature": ocsp.rewritten(basic=without(2)),
    "signature of seven bits": ocsp.rewritten(basic=put(2, b"\x03\x02\x01\x80")),
    "certificates of another tag": ocsp.rewritten(basic=added(NULL)),
    "certificates twice": ocsp.rewritten(basic=lambda fields: [*fields, *[pki.der(0xA0, pki.der(0x30))] * 2]),
    "two lists of certificates": ocsp.rewritten(basic=added(pki.der(0xA0, pki.der(0x30), pki.der(0x30)))),
    "version written out": ocsp.rewritten(signed=lambda f: [pki.der(0xA0, b"\x02\x01\x00"), *f]),
    "responder by neither name nor key": ocsp.rewritten(signed=put(0, WORD)),
    "key and something": ocsp.rewritten(signed=lambda f: [pki.der(0xA2, *pki.children(f[0]), NULL), *f[1:]]),
    "name that is none": ocsp.rewritten(signed=put(0, pki.der(0xA1, WORD))),
    "producedAt impossible": ocsp.rewritten(signed=put(1, NOT_A_TIME)),
    "producedAt short": ocsp.rewritten(signed=put(1, pki.der(0x17, b"200101000000Z"))),
    "no responses": ocsp.rewritten(signed=without(2)),
    "extensions of another tag": ocsp.rewritten(signed=added(NULL)),
    "extensions twice": ocsp.rewritten(signed=lambda f: [*f[:3], *[pki.der(0xA1, pki.der(0x30))] * 2]),
    "extension without a value": ocsp.rewritten(signed=lambda f: [*f[:3], extension_list(pki.der(0x30, OID))]),
    "extension that is none": ocsp.rewritten(signed=lambda f: [*f[:3], extension_list(pki.der(0x31, OID, WORD))]),
    "extension with an odd boolean": ocsp.rewritten(
        signed=lambda f: [*f[:3], extension_list(pki.der(0x30, OID, b"\x01\x01\x01", WORD))]
    ),
    "single that is none": ocsp.rewritten(signed=put(2, pki.der(0x30, pki.der(0x31)))),
    "single that is a SET": ocsp.rewritten(
        signed=lambda f: [*f[:2], pki.der(0x30, pki.der(0x31, *pki.children(pki.children(f[2])[0])))]
    ),
    "single without an ID": ocsp.rewritten(signed=ocsp.single(without(0))),
    "ID without a serial number": ocsp.rewritten(signed=identified(without(3))),
    "ID and something": ocsp.rewritten(signed=identified(added(NULL))),
    "serial number not minimal": ocsp.rewritten(
        signed=identified(lambda f: [*f[:3], pki.der(0x02, b"\x00\x00" + f[3][2:])])
    ),
    "status of another tag in single": ocsp.rewritten(signed=ocsp.single(put(1, b"\x83\x00"))),
    "revoked at no time": ocsp.rewritten(signed=ocsp.single(put(1, pki.der(0xA1)))),
    "revoked at an impossible time": ocsp.rewritten(signed=ocsp.single(put(1, pki.der(0xA1, NOT_A_TIME)))),
    "revoked for no number": ocsp.rewritten(signed=ocsp.single(put(1, pki.der(0xA1, TIME, pki.der(0xA0, NULL))))),
    "revoked and something": ocsp.rewritten(signed=ocsp.single(put(1, pki.der(0xA1, TIME, WHY, NULL)))),
    "revoked for two reasons": ocsp.rewritten(signed=ocsp.single(put(1, pki.der(0xA1, TIME, pki.der(0xA0, KEY * 2))))),
    "thisUpdate missing": ocsp.rewritten(signed=ocsp.single(lambda f: f[:2])),
    "thisUpdate impossible": ocsp.rewritten(signed=ocsp.single(put(2, NOT_A_TIME))),
    "nextUpdate impossible": ocsp.rewritten(signed=ocsp.single(put(3, pki.der(0xA0, NOT_A_TIME)))),
    "nextUpdate twice": ocsp.rewritten(signed=ocsp.single(put(3, pki.der(0xA0, TIME, TIME)))),
    "single and something": ocsp.rewritten(signed=ocsp.single(added(NULL))),
}

REASONS = {
    "OCSP-09": ("no answer", "cannot be read", "is not basic", "critical extension"),
    "OCSP-10": ("about other certificates",),
    "OCSP-11": ("its responder", "a responder", "its signature", "certificate: expected"),
    "OCSP-12": ("it is from", "it ended on", "nextUpdate lies before"),
    "OCSP-13": ("revoked",),
    "CERT-19": ("revoked",),
    "OCSP-14": ("does not know",),
    "OCSP-15": ("promises one", "does not know", "tlsFeature"),
    "OCSP-16": ("left out",),
    "OCSP-18": ("lacks the TLS features",),
}

JUDGED = [
    *(
        answer("OCSP-09", f"responder says {status.name.lower()}", ocsp.refusal(status))
        for status in OCSPResponseStatus
        if status is not OCSPResponseStatus.SUCCESSFUL
    ),
    answer("OCSP-09", "responder says 4", pki.der(0x30, pki.der(0x0A, b"\x04"))),
    answer(
        "OCSP-09", "responder says a number too long for Python to print", pki.der(0x30, pki.der(0x0A, b"\x7f" * 2000))
    ),
    *(
        answer("OCSP-09", f"right response, and status {status}", ocsp.rewritten(outer=put(0, pki.der(0x0A, status))))
        for status in (b"\x01", b"\x03", b"\x7f")
    ),
    *(answer("OCSP-09", what, status) for what, status in UNREADABLE.items()),
    answer(
        "OCSP-09",
        "critical extension",
        ocsp.response(extensions=((x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.1"), NULL), True),)),
    ),
    answer("OCSP-10", "another leaf", ocsp.response(OTHER_LEAF)),
    answer("OCSP-10", "another serial number", ocsp.response(about=(DELEGATE, pki.intermediate()))),
    answer("OCSP-10", "the intermediate", ocsp.response(about=ROOT, responder=pki.intermediate())),
    answer(
        "OCSP-10",
        "the serial number under another issuer's name",
        ocsp.rewritten(signed=identified(put(1, pki.der(0x04, bytes(20))))),
    ),
    answer("OCSP-10", "another issuer's key", ocsp.rewritten(signed=identified(put(2, pki.der(0x04, bytes(20)))))),
    answer("OCSP-10", "nobody", ocsp.rewritten(signed=put(2, pki.der(0x30)))),
    answer(
        "OCSP-10", "a hash that is not implemented", ocsp.rewritten(signed=identified(put(0, pki.der(0x30, OID, NULL))))
    ),
    answer("OCSP-10", "a hash of another kind", ocsp.response(hash_=hashes.SHA224())),
    answer("OCSP-11", "signed by another key", ocsp.rewritten(key="p256/thief")),
    answer("OCSP-11", "signed by the root", ocsp.response(responder=pki.root(), key="p256/root")),
    answer(
        "OCSP-11",
        "signed by the root, which comes with it",
        ocsp.response(responder=pki.root(), key="p256/root", sent=(pki.root(),)),
    ),
    answer("OCSP-11", "delegate without its certificate", ocsp.response(responder=DELEGATE, key="p256/responder")),
    answer(
        "OCSP-11",
        "delegate behind four others",
        ocsp.response(responder=DELEGATE, key="p256/responder", sent=(*OTHER_LEAF.chain * 2, DELEGATE)),
    ),
    answer(
        "OCSP-11",
        "signed by the leaf",
        ocsp.response(responder=pki.leaf("p256").chain[0], key="p256", sent=pki.leaf("p256").chain),
    ),
    answer("OCSP-11", "delegate for another purpose", ocsp.delegated(purposes=(pki.SERVER_AUTH,))),
    answer("OCSP-11", "delegate for any purpose", ocsp.delegated(purposes=(ANY,))),
    answer("OCSP-11", "delegate for no purpose in particular", ocsp.delegated(purposes=())),
    answer("OCSP-11", "delegate that may not sign", ocsp.delegated(digital_signature=False)),
    answer("OCSP-11", "delegate of the root", ocsp.delegated(issuer="p256/root", issuer_name="test root")),
    answer("OCSP-11", "delegate by another key", ocsp.delegated(issuer="p256/root")),
    answer("OCSP-11", "delegate by another name", ocsp.delegated(issuer_name="test root")),
    answer("OCSP-11", "delegate that expired", ocsp.delegated(until=-DAY / 2)),
    answer("OCSP-11", "delegate with an unknown critical extension", ocsp.delegated(critical=True)),
    answer(
        "OCSP-11",
        "delegate that is no certificate",
        ocsp.rewritten(
            signed=lambda f: [pki.der(0xA2, pki.der(0x04, bytes(20))), *f[1:]],
            basic=added(pki.der(0xA0, pki.der(0x30, NULL))),
        ),
    ),
    answer("OCSP-11", "signed with SHA-1", ocsp.rewritten(basic=put(1, pki.ECDSA_SHA1))),
    answer("OCSP-11", "signed with what we do not know", ocsp.rewritten(basic=put(1, pki.ED25519))),
    answer("OCSP-11", "signed as RSA", ocsp.rewritten(basic=put(1, pki.RSA_SHA256))),
    answer(
        "OCSP-11",
        "signed bytes altered",
        ocsp.rewritten(basic=lambda fields: [fields[0][:-1] + bytes([fields[0][-1] ^ 1]), *fields[1:]]),
    ),
    answer("OCSP-12", "from tomorrow", ocsp.response(since=DAY / 2)),
    answer("OCSP-12", "from beyond the slack", ocsp.response(), **clock(-DAY - timedelta(seconds=302))),
    answer("OCSP-12", "ended yesterday", ocsp.response(since=-2 * DAY, until=-DAY)),
    answer("OCSP-12", "ended beyond the slack", ocsp.response(), **clock(DAY + timedelta(seconds=301))),
    answer("OCSP-12", "eight days old without an end", ocsp.response(since=-8 * DAY, until=None)),
    answer(
        "OCSP-12",
        "ends before it begins, both within the slack",
        ocsp.rewritten(
            signed=ocsp.single(
                lambda f: [*f[:2], stamp(timedelta(seconds=100)), pki.der(0xA0, stamp(-timedelta(seconds=100)))]
            )
        ),
        **clock(timedelta(0)),
    ),
    answer("OCSP-12", "ends before it begins", ocsp.rewritten(signed=ocsp.single(put(3, pki.der(0xA0, TIME))))),
    answer(
        "OCSP-12",
        "ended before the earliest time there can be",
        ocsp.response(until=DAY),
        **clock(-30 * DAY, TimePolicy.floor((ocsp.NOW + 2 * DAY).timestamp())),
    ),
    answer("OCSP-13", "revoked", ocsp.response(status=ocsp.REVOKED), wire.CERTIFICATE_REVOKED),
    answer("CERT-19", "revoked", ocsp.response(status=ocsp.REVOKED), wire.CERTIFICATE_REVOKED),
    answer(
        "OCSP-13",
        "revoked in an old response",
        ocsp.response(status=ocsp.REVOKED, since=-9 * DAY, until=-8 * DAY),
        wire.CERTIFICATE_REVOKED,
    ),
    answer(
        "OCSP-13",
        "good, and revoked behind it",
        ocsp.rewritten(signed=lambda f: [*f[:2], pki.der(0x30, *pki.children(f[2]), *REVOKED_SINGLE)]),
        wire.CERTIFICATE_REVOKED,
    ),
    answer(
        "OCSP-13",
        "revoked, and nobody says why",
        ocsp.rewritten(signed=ocsp.single(put(1, pki.der(0xA1, TIME)))),
        wire.CERTIFICATE_REVOKED,
    ),
    answer("OCSP-14", "unknown", ocsp.response(status=ocsp.UNKNOWN)),
    Refused("OCSP-15", "nothing stapled", wire.BAD_STATUS_RESPONSE, leaf=MUST_STAPLE, settings={"request_ocsp": True}),
    Refused("OCSP-15", "announced and left out", wire.BAD_STATUS_RESPONSE, leaf=MUST_STAPLE, **ANNOUNCED),
    Refused(
        "OCSP-15",
        "stapled and not good",
        wire.BAD_STATUS_RESPONSE,
        leaf=MUST_STAPLE,
        first=stapled(ocsp.response(MUST_STAPLE(), status=ocsp.UNKNOWN)),
        **ANNOUNCED,
    ),
    Refused(
        "OCSP-16",
        "protocols promised, asked for and left out",
        wire.BAD_CERTIFICATE,
        leaf=partial(pki.leaf, features=(5, 16)),
        first=stapled(ocsp.response(pki.leaf(features=(5, 16)))),
        extra=ANNOUNCED["extra"],
        settings={"request_ocsp": True, "alpn_protocols": ("mqtt",)},
    ),
    Refused(
        "OCSP-16",
        "extended master secret promised and left out",
        wire.BAD_CERTIFICATE,
        leaf=partial(pki.leaf, features=(23,)),
        extended_master_secret=False,
    ),
    *(
        Refused(
            "OCSP-18",
            f"leaf with features {features} below an authority with 5 and 16",
            wire.BAD_CERTIFICATE,
            leaf=partial(pki.leaf, features=features, authority=pki.DEMANDING),
        )
        for features in ((), (5,), (16, 17))
    ),
    *(
        Refused("OCSP-15", f"a feature list {what}", wire.BAD_CERTIFICATE, leaf=partial(pki.leaf, features=features))
        for what, features in (
            ("that is none", (None,)),
            ("with 65536", (5, 1 << 16)),
            ("with a number too long for Python to print", (1 << 16000,)),
        )
    ),
]

BORNE = [
    good("OCSP-10", "hash SHA-256", ocsp.response(hash_=hashes.SHA256())),
    good(
        "OCSP-10",
        "ours behind another",
        ocsp.rewritten(signed=lambda f: [*f[:2], pki.der(0x30, *OTHER_SINGLE, *pki.children(f[2]))]),
    ),
    good("OCSP-11", "issuer by name", ocsp.response(encoding=ocsp.BY_NAME)),
    good("OCSP-11", "delegate", ocsp.delegated()),
    good(
        "OCSP-11",
        "delegate by name",
        ocsp.response(
            responder=DELEGATE, key="p256/responder", encoding=ocsp.BY_NAME, sent=(OTHER_LEAF.chain[0], DELEGATE)
        ),
    ),
    good("OCSP-11", "signed with SHA-384", ocsp.response(signing_hash=hashes.SHA384())),
    good("OCSP-09", "extension that is not critical", ocsp.response(extensions=((x509.OCSPNonce(b"n" * 16), False),))),
    good("OCSP-12", "just within the slack", ocsp.response(), **clock(-DAY - timedelta(seconds=300))),
    good("OCSP-12", "just before its end", ocsp.response(), **clock(DAY + timedelta(seconds=300))),
    good("OCSP-12", "six days old without an end", ocsp.response(since=-6 * DAY, until=None)),
    good(
        "OCSP-12",
        "any age where no date is checked",
        ocsp.response(since=-20 * DAY, until=-10 * DAY),
        **clock(DAY, TimePolicy.insecure_until_checked()),
    ),
    good(
        "OCSP-12",
        "from the future of a clock that is known to be behind",
        ocsp.response(),
        **clock(-365 * DAY, TimePolicy.floor((ocsp.NOW - 30 * DAY).timestamp())),
    ),
    good("OCSP-15", "promised and stapled", ocsp.response(MUST_STAPLE()), leaf=MUST_STAPLE),
    Tolerated("OCSP-17", "promised, and nobody asked", leaf=MUST_STAPLE),
    Tolerated("OCSP-17", "status v2 and unknown features", leaf=partial(pki.leaf, features=(17, 0x7777, 0xFFFF))),
    good(
        "OCSP-18",
        "leaf with as many features as its authority",
        ocsp.response(pki.leaf(features=(5, 16), authority=pki.DEMANDING)),
        leaf=partial(pki.leaf, features=(5, 16), authority=pki.DEMANDING),
    ),
]


@both_splits
@pytest.mark.parametrize("case", JUDGED, ids=str)
def test_response_that_does_not_satisfy_is_refused(case, provider, split):
    """RFC 6066 §8: whoever asks has to look. The error tells that it is refused for this fault and no other."""
    error = case.check(provider, split).error
    assert str(error).count("does not do") <= 1
    assert any(reason in str(error) for reason in REASONS["-".join(case.name.split("-")[:2])])


@both_splits
@pytest.mark.parametrize("case", BORNE, ids=str)
def test_response_that_satisfies_is_borne(case, provider, split):
    case.check(provider, split)


def test_response_is_not_judged_where_nothing_is_verified(provider):
    settings = {"request_ocsp": True, "verify": VerifyPolicy(insecure_skip_verify=True)}
    case = Tolerated("OCSP-09", "", first=stapled(b"?"), extra=ANNOUNCED["extra"], settings=settings)
    assert case.check(provider, None).client.info.ocsp_response == b"?"


def test_self_signed_server_in_the_store_may_staple_for_itself(provider):
    """Its issuer is itself, the anchor."""
    server = pki.self_signed()
    status = ocsp.response(about=(server.chain[0],) * 2, key="p256/self-signed")
    trust = TrustStore.from_der(server.chain[0])
    good("OCSP-11", "", status, leaf=lambda: server, trust=trust).check(provider, None)
    case = answer("OCSP-11", "", RESPONSE, trust=trust)
    case.leaf = lambda: server
    case.check(provider, None)
