"""The server's raw public key (RFC 7250): believed only if it is configured for this host (RPK)."""

from __future__ import annotations

import hashlib
import time
from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hostile import certificates as pki
from hostile import wire
from hostile.cases import Refused, Tolerated, both_splits, check_alive, client
from hostile.link import drive
from hostile.server import FIRST, Server
from hostile.sessions import TICKET, Earlier
from hostile.steps import HELLO_REQUEST, message
from hostile.test_certificate_messages import compressed, off_the_curve
from hostile.test_sessions import RefusedAgain, ToleratedAgain
from lighttls import CertificateError, ClientConnection, Psk, TrustStore, UnsupportedExtension, UsageError, VerifyPolicy

KEY = pki.spki()
YEAR = 365 * 86_400.0
ECDSA, RSA, ECDHE_PSK = 0xC02B, 0xC02F, 0xD001
PSK = bytes(range(32))
ALERTS_ABOUT_CERTIFICATES = {42, 44, 45, 46, 48, 49}  # RFC 7925 §6, without unsupported_certificate


def trusting(*keys: bytes | str, host: str = pki.HOST, **policy: Any) -> dict[str, Any]:
    """Settings of a client that believes these keys of the host, and chains under the test root too."""
    return {"verify": VerifyPolicy(raw_keys={host: keys}, **policy)}


def nothing_else(*keys: bytes | str) -> dict[str, Any]:
    """The same without any anchor."""
    return trusting(*keys) | {"trust": TrustStore.empty()}


def digest(spki: bytes) -> bytes:
    return hashlib.sha256(spki).digest()


def shown(key: bytes, *trusted: bytes, **script: Any) -> dict[str, Any]:
    """A server that shows this key, to a client that believes it (by its digest), or those given."""
    return {"raw_key": key, "settings": trusting(*(trusted or (digest(key),)))} | script


def answer(body: bytes, kind: int = wire.SERVER_CERTIFICATE_TYPE) -> list[tuple[int, bytes]]:
    return [(kind, body)]


def body(value: bytes) -> dict[str, Any]:
    return {"certificate": lambda _: wire.handshake(wire.CERTIFICATE, value)}


def or_psk(*keys: bytes) -> dict[str, Any]:
    """The same with a pre-shared key as well, for a server that may choose."""
    return nothing_else(*keys) | {"psk": Psk("device", PSK), "cipher_suites": [ECDSA, ECDHE_PSK]}


class Yes:
    """A verifier that believes everybody."""

    def verify(self, request: Any) -> Any:
        return request.verify()


def unknown_kind() -> bytes:
    """A key of an algorithm that has no name here."""
    return pki.der(0x30, pki.der(0x30, bytes.fromhex("06032b8101")), pki.der(0x03, b"\x00key"))


def ed25519_key() -> bytes:
    return (
        ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )


HELLO = [
    *(
        Refused(
            "RPK-03", f"answer {bad.hex() or 'empty'}", wire.DECODE_ERROR, settings=trusting(KEY), extra=answer(bad)
        )
        for bad in (b"", b"\x02\x02", b"\x01\x02")
    ),
    *(
        Refused("RPK-04", f"type {kind}", 43, settings=trusting(KEY), extra=answer(bytes([kind])))
        for kind in (1, 3, 224, 255)
    ),
    Refused("RPK-04", "chain where only keys pass", 43, settings=nothing_else(KEY), extra=answer(b"\x00")),
    Refused("RPK-05", "no answer where only keys pass", 43, settings=nothing_else(KEY)),
    *(
        Refused(
            rule, f"with a pre-shared key, answer {bad.hex()}", alert, settings=or_psk(KEY), extra=answer(bad), psk=PSK
        )
        for rule, bad, alert in (("RPK-03", b"\x02\x02", wire.DECODE_ERROR), ("RPK-04", b"\x00", 43))
    ),
    Refused("SH-13", "answer twice", wire.DECODE_ERROR, raw_key=KEY, settings=trusting(KEY), extra=answer(b"\x02")),
    Refused("SH-14", "raw key, no key configured", wire.UNSUPPORTED_EXTENSION, raw_key=KEY),
    Refused(
        "SH-14",
        "raw key, configured for another host",
        wire.UNSUPPORTED_EXTENSION,
        raw_key=KEY,
        settings=trusting(KEY, host="other.example"),
    ),
    Refused(
        "SH-14",
        "raw key for a client that verifies nothing",
        wire.UNSUPPORTED_EXTENSION,
        raw_key=KEY,
        settings={"verify": VerifyPolicy(insecure_skip_verify=True)},
    ),
    Refused("SH-14", "raw client key not offered", wire.UNSUPPORTED_EXTENSION, raw_client_key=True),
]

SHAPE = [
    *(
        Refused("RPK-06", what, wire.DECODE_ERROR, **shown(KEY), edit=body(value))
        for what, value in (
            ("empty message", b""),
            ("length cut", b"\x00\x00"),
            ("empty key", b"\x00\x00\x00"),
            ("length too long", wire.vec24(KEY, len(KEY) + 1)),
            ("length too short", wire.vec24(KEY, len(KEY) - 1)),
            ("byte after the key", wire.vec24(KEY) + b"\x00"),
            ("key without a length", KEY),
            ("key in a list", wire.vec24(wire.vec24(KEY))),
        )
    ),
    *(
        Refused("RPK-07", what, wire.DECODE_ERROR, **shown(value, KEY))
        for what, value in (
            ("text", b"not a key"),
            ("empty sequence", b"\x30\x00"),
            ("key cut", KEY[:-1]),
            ("byte in the end", KEY + b"\x00"),
            ("certificate", pki.leaf().chain[0]),
            ("unknown kind", unknown_kind()),
        )
    ),
    Refused("RPK-10", "chain where a key was agreed", wire.DECODE_ERROR, extra=answer(b"\x02"), settings=trusting(KEY)),
    *(
        Refused(
            "RPK-10",
            f"key where {what}",
            wire.DECODE_ERROR,
            settings=trusting(KEY),
            extra=extra,
            edit=body(wire.vec24(KEY)),
        )
        for what, extra in (("a chain was agreed", answer(b"\x00")), ("nothing was said", []))
    ),
    Refused("SEQ-03", "key twice", wire.UNEXPECTED_MESSAGE, **shown(KEY), first=[*FIRST[:2], *FIRST[1:]]),
    Refused("SEQ-02", "key left out", wire.UNEXPECTED_MESSAGE, **shown(KEY), first=[FIRST[0], *FIRST[2:]]),
    Refused(
        "RPK-11",
        "status announced and sent",
        wire.UNEXPECTED_MESSAGE,
        raw_key=KEY,
        settings=trusting(KEY) | {"request_ocsp": True},
        extra=[(wire.STATUS_REQUEST, b"")],
        first=[*FIRST[:2], message(wire.certificate_status(b"\x30")), *FIRST[2:]],
    ),
]

UNFIT = [
    Refused("RPK-08", "ec key for ecdhe_rsa", wire.ILLEGAL_PARAMETER, **shown(KEY), suite=RSA),
    Refused(
        "RPK-08",
        "rsa key for ecdhe_ecdsa",
        wire.ILLEGAL_PARAMETER,
        leaf="rsa2048",
        **shown(pki.spki("rsa2048")),
        suite=ECDSA,
    ),
    Refused(
        "RPK-08", "curve not offered", wire.ILLEGAL_PARAMETER, leaf="p521", scheme=0x0403, **shown(pki.spki("p521"))
    ),
    *(
        Refused("RPK-08", what, wire.ILLEGAL_PARAMETER, **shown(key, digest(key)))
        for what, key in (
            ("ed25519 key", ed25519_key()),
            ("compressed point", pki.ec_spki(compressed(pki.p256_point()))),
            ("point too short", pki.ec_spki(pki.p256_point()[:-1])),
            ("point off its curve", pki.ec_spki(off_the_curve(pki.p256_point()))),
            ("explicit parameters", pki.ec_spki(pki.p256_point(), pki.explicit_p256())),
        )
    ),
    *(
        Refused("RPK-08", what, wire.ILLEGAL_PARAMETER, leaf="rsa2048", **shown(key, digest(key)))
        for what, key in (
            ("rsa-pss key", pki.rsa_spki((1 << 2048) - 1, 65537, pss=True)),
            ("rsa of 1024 bits", pki.spki("rsa1024")),
            ("rsa of 16384 bits", pki.rsa_spki((1 << 16384) - 1, 65537)),
            ("rsa with exponent 1", pki.rsa_spki((1 << 2048) - 1, 1)),
        )
    ),
    Refused("SKE-14", "scheme of another kind of key", wire.ILLEGAL_PARAMETER, **shown(KEY), ske={"scheme": 0x0804}),
    Refused("SKE-12", "scheme not offered", wire.ILLEGAL_PARAMETER, **shown(KEY), ske={"scheme": 0x0203}),
    Refused("SKE-17", "key exchange signed by another key", wire.DECRYPT_ERROR, leaf="p256/other", **shown(KEY)),
]

STRANGERS = [
    Refused("RPK-09", what, wire.HANDSHAKE_FAILURE, error=CertificateError, raw_key=KEY, settings=settings)
    for what, settings in (
        ("another key", trusting(pki.spki("p256/other"))),
        ("another key, by digest", trusting(digest(pki.spki("p256/other")))),
        ("another key and no anchor", nothing_else(pki.spki("p256/other"))),
        ("the pin of a chain", trusting(pki.spki("p256/other"), pins=[digest(KEY)])),
        ("a verifier that believes everybody", trusting(pki.spki("p256/other"), verifier=Yes())),
        ("no verification of chains", trusting(pki.spki("p256/other"), insecure_skip_verify=True)),
        (
            "a key of another host",
            {"verify": VerifyPolicy(raw_keys={pki.HOST: pki.spki("p256/other"), "other.example": KEY})},
        ),
    )
] + [
    Refused(
        "RPK-09",
        "the key of an anchor",
        wire.HANDSHAKE_FAILURE,
        error=CertificateError,
        raw_key=pki.spki("p256/root"),
        settings=trusting(KEY),
    ),
]


def test_refusal_shows_the_key_that_came_and_those_that_were_expected(provider):
    other, third = pki.spki("p256/other"), digest(pki.spki("p256/third"))
    case = Refused("RPK-09", "", wire.HANDSHAKE_FAILURE, error=CertificateError, **shown(KEY, other, third))
    text = str(case.check(provider, None).error)
    came, *expected = (b64encode(each).decode() for each in (digest(KEY), digest(other), third))
    assert f"of SHA-256 {came}, is none of those configured for {pki.HOST}: {', '.join(sorted(expected))}" in text


def test_refusal_of_a_certificate_type_says_what_was_listed(provider):
    case = Refused("RPK-04", "", 43, settings=trusting(KEY), extra=answer(b"\3"))
    assert "which we did not list; we listed raw_public_key, x509" in str(case.check(provider, None).error)
    case = Refused("RPK-05", "", 43, settings=nothing_else(KEY))
    assert f"which we expect of {pki.HOST}, and there is no anchor" in str(case.check(provider, None).error)


@both_splits
@pytest.mark.parametrize("case", HELLO + SHAPE + UNFIT + STRANGERS, ids=str)
def test_raw_key_is_refused(case, provider, split):
    """ALERT-17."""
    case.check(provider, split)
    assert case.alert not in ALERTS_ABOUT_CERTIFICATES


TOLERATED = [
    Tolerated("RPK-09", "key configured whole", raw_key=KEY, settings=trusting(KEY)),
    Tolerated("RPK-09", "key configured by digest", raw_key=KEY, settings=trusting(digest(KEY))),
    Tolerated("RPK-09", "digest in base64", raw_key=KEY, settings=trusting(b64encode(digest(KEY)).decode())),
    Tolerated("RPK-09", "one of several", raw_key=KEY, settings=trusting(pki.spki("p256/next"), KEY)),
    Tolerated("RPK-09", "no anchor", raw_key=KEY, settings=nothing_else(KEY)),
    Tolerated("RPK-04", "chain chosen", settings=trusting(KEY), extra=answer(b"\x00")),
    Tolerated("RPK-05", "no answer, and a chain", settings=trusting(KEY)),
    Tolerated("RPK-05", "no answer, and a pre-shared key", settings=or_psk(KEY), psk=PSK, suite=ECDHE_PSK),
    Tolerated("RPK-05", "an answer, and a pre-shared key", settings=or_psk(KEY), psk=PSK, suite=ECDHE_PSK,
              extra=answer(b"\x02")),
    Tolerated("RPK-09", "a pre-shared key not used", raw_key=KEY, settings=or_psk(KEY)),
    Tolerated("RPK-06", "records of a byte", **shown(KEY), fragment=1),
    Tolerated("RPK-06", "one record for all", **shown(KEY), coalesce=True),
    Tolerated("HS-06", "hello request before the key", **shown(KEY), first=[FIRST[0], HELLO_REQUEST, *FIRST[1:]]),
    Tolerated("OCSP-06", "status announced", raw_key=KEY, settings=trusting(KEY) | {"request_ocsp": True},
              extra=[(wire.STATUS_REQUEST, b"")]),
    Tolerated("CR-09", "certificate asked for", **shown(KEY), request=True),
    Tolerated("RPK-08", "p384 key", leaf="p384", **shown(pki.spki("p384"))),
    Tolerated("RPK-08", "rsa key", leaf="rsa2048", **shown(pki.spki("rsa2048"))),
]  # fmt: skip


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_configured_key_is_believed(case, provider, split):
    case.check(provider, split)


def listed(connection: Any) -> bytes | None:
    """What the client lists in server_certificate_type."""
    hello = drive(connection, Server(pki.leaf())).server.client_hello
    assert hello.get(wire.CLIENT_CERTIFICATE_TYPE) is None
    return hello.get(wire.SERVER_CERTIFICATE_TYPE)


def test_only_what_can_be_checked_is_listed(provider):
    """RPK-01; CH-13."""
    assert listed(client(provider)) is None
    assert listed(client(provider, **trusting(KEY, host="other.example"))) is None
    assert listed(client(provider, **trusting(KEY))) == b"\x02\x02\x00"
    assert listed(client(provider, **nothing_else(KEY))) == b"\x01\x02"
    for policy in ({"verifier": Yes()}, {"insecure_skip_verify": True}):
        judged_otherwise = trusting(KEY, **policy) | {"trust": TrustStore.empty()}
        assert listed(client(provider, **judged_otherwise)) == b"\x02\x02\x00"


def test_hosts_of_one_configuration_get_their_own_offer(provider):
    """RPK-01: and the answer to one is not taken for another's."""
    policy = {"verify": VerifyPolicy(raw_keys={"other.example": KEY}), "trust": TrustStore.from_der(pki.root())}
    shared = client(provider, **policy)
    check_alive(drive(shared, Server(pki.leaf())))
    config = shared._client.config
    check_alive(drive(ClientConnection(config, "other.example"), Server(pki.leaf(), raw_key=KEY)))
    link = drive(ClientConnection(config, pki.HOST), Server(pki.leaf(), raw_key=KEY))
    assert type(link.error) is UnsupportedExtension


@pytest.mark.parametrize("host", ["DEVICE.example.", "192.0.2.7", "[2001:db8::1]"])
def test_host_is_named_as_it_is_connected_to(provider, host):
    connection = client(provider, host=host, **trusting(KEY, host=host))
    check_alive(drive(connection, Server(pki.leaf(), raw_key=KEY)))


def test_info_shows_the_key_instead_of_a_chain(provider):
    """RPK-14: and nothing that would need a certificate."""
    link = Tolerated("RPK-14", "", **shown(KEY)).check(provider, None)
    info = link.client.info
    assert info.peer_raw_public_key == KEY
    assert (info.peer_chain, info.verified_path, info.trust_anchor) == ((), None, None)
    assert info.peer_signature_scheme == 0x0403
    with pytest.raises(UsageError, match="not defined"):
        link.client.channel_binding("tls-server-end-point")
    assert link.client.channel_binding("tls-unique")
    usual = drive(client(provider), Server(pki.leaf())).client.info
    assert usual.peer_raw_public_key is None


@pytest.mark.parametrize("years", [-60, 80])
def test_key_has_no_dates(provider, years):
    """RPK-14."""
    settings = trusting(KEY) | {"clock": lambda: time.time() + years * YEAR}
    Tolerated("RPK-14", "", raw_key=KEY, settings=settings).check(provider, None)


def test_data_never_starts_early_with_a_raw_key(provider):
    """FS-02: not even after a full handshake with the same host and suite."""
    connection = client(provider, false_start=True, **trusting(KEY))
    check_alive(drive(connection, Server(pki.leaf(), raw_key=KEY)))
    config = connection._client.config
    for raw_key in (KEY, None):
        again = ClientConnection(config, pki.HOST)
        link = drive(again, Server(pki.leaf(), raw_key=raw_key, second=[]))
        assert link.error is None
        assert again.can_send_data is (raw_key is None)


# --- sessions -------------------------------------------------------------------------------------

RAW = {"settings": trusting(KEY), "earlier": {"raw_key": KEY}}
CHAIN = {"settings": trusting(KEY)}

RESUMED = [
    *(
        case
        for by in ("ticket", "id")
        for case in (
            ToleratedAgain("RESUME-14", "key, no answer", by=by, resumed=True, **RAW),
            ToleratedAgain("RESUME-14", "key, repeated", by=by, resumed=True, raw_key=KEY, **RAW),
            ToleratedAgain("RESUME-14", "chain, no answer", by=by, resumed=True, **CHAIN),
            ToleratedAgain("RESUME-14", "chain, repeated", by=by, resumed=True, extra=answer(b"\x00"), **CHAIN),
        )
    ),
    ToleratedAgain("RESUME-03", "key, full again", resumed=False, raw_key=KEY, known={}, **RAW),
    RefusedAgain("RESUME-14", "key, and now a chain", wire.ILLEGAL_PARAMETER, extra=answer(b"\x00"), **RAW),
    RefusedAgain("RESUME-14", "chain, and now a key", wire.ILLEGAL_PARAMETER, raw_key=KEY, **CHAIN),
    RefusedAgain("RPK-03", "resumed, two bytes", wire.DECODE_ERROR, extra=answer(b"\x02\x00"), **RAW),
    RefusedAgain("RPK-04", "resumed, another type", 43, extra=answer(b"\x01"), **RAW),
]


@both_splits
@pytest.mark.parametrize("case", RESUMED, ids=str)
def test_certificate_type_of_a_resumed_handshake_is_that_of_the_session(case, provider, split):
    case.check(provider, split)


@pytest.mark.parametrize(
    "other",
    [
        trusting(pki.spki("p256/other")),
        trusting(KEY, pki.spki("p256/other")),
        trusting(digest(KEY)),
        nothing_else(KEY),
        {"verify": VerifyPolicy(raw_keys={pki.HOST: KEY, "other.example": KEY})},
        {},
    ],
    ids=["another key", "more keys", "digest", "no anchors", "another host", "no keys"],
)
def test_session_is_bound_to_the_keys_that_it_was_verified_by(provider, other):
    """RESUME-01."""
    earlier = Earlier(provider, settings=trusting(KEY), raw_key=KEY)
    for settings, offered in ((trusting(KEY), True), (other, False)):
        connection = client(provider, sessions=earlier.store(), **settings)
        connection.initiate_connection()
        assert (TICKET in connection.data_to_send()) is offered
