"""Our own raw public key (RFC 7250): offered alone, shown if it was agreed on, proven like any other (RPK, CAUTH)."""

from __future__ import annotations

from typing import Any

import pytest

from hostile import certificates as pki
from hostile import wire
from hostile.cases import Refused, Tolerated, both_splits, check_alive, client
from hostile.link import Link, drive
from hostile.server import Server
from hostile.sessions import Earlier
from hostile.test_client_auth import by_another_key, messages
from hostile.test_raw_keys import answer, nothing_else
from hostile.test_sessions import RefusedAgain, ToleratedAgain
from lighttls import Identity, SignatureRequested, SignerError, raw_ecdsa, software_key

EC, RSA = "p256/device", "rsa2048/device"
CLIENT_TYPE = wire.CLIENT_CERTIFICATE_TYPE


def raw(kind: str = EC, signer: Any = None) -> Identity:
    return Identity.raw_key(pki.spki(kind), signer or software_key(pki.device(kind).key_pem))


OURS: dict[str, Any] = {"settings": {"identity": raw()}}


def asked(provider: Any, identity: Any, request: bytes | bool = True, **script: Any) -> Link:
    script = {"raw_client_key": True, "request": request} | script
    return drive(client(provider, identity=identity), Server(pki.leaf(), **script))


REFUSED = [
    *(
        Refused("RPK-03", f"client answer {bad.hex()}", wire.DECODE_ERROR, extra=answer(bad, CLIENT_TYPE), **OURS)
        for bad in (b"", b"\x02\x02", b"\x01\x02")
    ),
    *(
        Refused("RPK-04", f"client type {kind}", 43, extra=answer(bytes([kind]), CLIENT_TYPE), **OURS)
        for kind in (0, 1, 3, 255)
    ),
    Refused(
        "SH-13", "answer twice", wire.DECODE_ERROR, raw_client_key=True, extra=answer(b"\x02", CLIENT_TYPE), **OURS
    ),
    Refused("SH-14", "server type, not offered", wire.UNSUPPORTED_EXTENSION, raw_key=pki.spki(), **OURS),
    Refused(
        "SH-14",
        "our chain is no raw key",
        wire.UNSUPPORTED_EXTENSION,
        raw_client_key=True,
        settings={"identity": Identity(pki.device(EC).chain, None)},
    ),
    RefusedAgain("RPK-04", "resumed, client type 0", 43, extra=answer(b"\x00", CLIENT_TYPE), **OURS),
]

TOLERATED = [
    Tolerated("RPK-12", "agreed on and not asked for", raw_client_key=True, **OURS),
    Tolerated("RPK-12", "agreed on and asked for", raw_client_key=True, request=True, **OURS),
    Tolerated("RPK-02", "not agreed on and asked for", request=True, **OURS),
    *(
        ToleratedAgain("RPK-12", f"resumed, {what}", resumed=True, raw_client_key=agreed, **OURS)
        for what, agreed in (("client type repeated", True), ("client type left out", False))
    ),
]


@both_splits
@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_wrong_answer_to_our_raw_key_is_refused(case, provider, split):
    case.check(provider, split)


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_server_may_take_our_raw_key_or_not(case, provider, split):
    case.check(provider, split)


def test_only_what_we_hold_is_listed(provider):
    """RPK-02."""

    def choose(request: Any) -> Identity:
        return raw()

    def listed(identity: Any) -> bytes | None:
        hello = drive(client(provider, identity=identity), Server(pki.leaf())).server.client_hello
        return hello.get(CLIENT_TYPE)

    assert listed(None) is None
    assert listed(Identity(pki.device(EC).chain, None)) is None
    assert listed(choose) is None
    assert listed(raw()) == b"\x01\x02"


@pytest.mark.parametrize("kind", [EC, "p384/device", RSA])
@pytest.mark.parametrize("ems", [True, False], ids=["ems", "no-ems"])
def test_key_and_signature_are_accepted(provider, kind, ems):
    """RPK-13, CAUTH-03, CAUTH-10."""
    link = asked(provider, raw(kind), extended_master_secret=ems)
    check_alive(link)
    assert messages(link) == [1, wire.CERTIFICATE, wire.CLIENT_KEY_EXCHANGE, wire.CERTIFICATE_VERIFY, wire.FINISHED]
    assert link.server.client_messages[1][4:] == wire.vec24(pki.spki(kind))
    info = link.client.info
    assert info.client_certificate_sent
    assert info.client_signature_scheme == link.server.client_scheme


def test_both_sides_may_show_raw_keys_and_nothing_else(provider):
    connection = client(provider, identity=raw(), **nothing_else(pki.spki()))
    link = drive(connection, Server(pki.leaf(), raw_key=pki.spki(), raw_client_key=True, request=True))
    check_alive(link)
    assert link.server.client_key == pki.spki(EC)
    assert connection.info.peer_raw_public_key == pki.spki()


@pytest.mark.parametrize("agreed", [True, False], ids=["agreed", "not-agreed"])
@pytest.mark.parametrize(
    "request_",
    [wire.certificate_request(types=b"\x01"), wire.certificate_request(schemes=(0x0804, 0x0401))],
    ids=["types", "schemes"],
)
def test_empty_certificate_is_sent_when_our_key_does_not_fit(provider, agreed, request_):
    """RPK-13: the same three bytes in both shapes; CAUTH-05, CAUTH-06."""
    link = asked(provider, raw(), request_, raw_client_key=agreed)
    check_alive(link)
    assert messages(link) == [1, wire.CERTIFICATE, wire.CLIENT_KEY_EXCHANGE, wire.FINISHED]
    assert link.server.client_messages[1][4:] == b"\x00\x00\x00"
    assert not link.client.info.client_certificate_sent


def test_raw_key_is_not_shown_where_a_certificate_is_wanted(provider):
    """RPK-13: neither ours nor one that a function chooses."""
    for identity in (raw(), lambda request: raw()):
        link = asked(provider, identity, raw_client_key=False)
        check_alive(link)
        assert link.server.client_messages[1][4:] == b"\x00\x00\x00"


def sign_digest(digest: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    signature = pki.key(EC).sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    r, s = utils.decode_dss_signature(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_secure_element_signs_for_a_raw_key(provider):
    check_alive(asked(provider, raw(EC, raw_ecdsa(sign_digest))))


def test_signature_of_another_key_never_leaves(provider):
    """CAUTH-12."""
    link = asked(provider, raw(EC, raw_ecdsa(by_another_key)))
    assert type(link.error) is SignerError
    assert link.server.alerts == [(wire.FATAL, wire.INTERNAL_ERROR)]
    assert messages(link) == [1]


def test_signature_for_a_raw_key_may_come_later(provider):
    link = asked(provider, Identity.raw_key(pki.spki(EC), None), wire.certificate_request(schemes=(0x0403,)))
    (event,) = link.events
    assert isinstance(event, SignatureRequested)
    assert event.request.chain == ()
    event.request.complete_raw(sign_digest(event.request.digest))
    check_alive(link.run())


def test_session_is_bound_to_our_raw_key(provider):
    """RESUME-01."""
    earlier = Earlier(provider, settings={"identity": raw()}, raw_client_key=True, request=True)
    for identity, resumed in ((raw(), True), (raw("p256/another"), False), (None, False)):
        link = drive(
            client(provider, sessions=earlier.store(), identity=identity),
            Server(pki.leaf(), known=earlier.known),
        )
        check_alive(link)
        assert link.client.info.session_resumed is resumed
