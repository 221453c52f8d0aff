"""Our certificate and signature, read and verified by the server (CAUTH)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from hostile import certificates as pki
from hostile import wire
from hostile.cases import check_alive, client
from hostile.link import Link, drive
from hostile.server import Server
from lighttls import (
    ClientConfig,
    ClientConnection,
    Identity,
    IdentityRequest,
    TrustStore,
    errors,
    raw_ecdsa,
    software_key,
)
from lighttls.events import SignatureRequested

EC, RSA = "p256/device", "rsa2048/device"
EVERY_SCHEME = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601)


def asked(provider, identity: Any, request: bytes, **script) -> Link:
    """A handshake in which the server asks for a certificate."""
    config = ClientConfig(trust=TrustStore.from_der(pki.root()), provider=provider, identity=identity)
    return drive(ClientConnection(config, pki.HOST), Server(pki.leaf(), request=request, **script))


def identity(kind: str, signer=None) -> Identity:
    device = pki.device(kind)
    return Identity(device.chain, signer or software_key(device.key_pem))


def messages(link: Link) -> list[int]:
    return [message[0] for message in link.server.client_messages]


@pytest.mark.parametrize("leaf", ["p256", "rsa2048"])
@pytest.mark.parametrize("kind", [EC, "p384/device", RSA])
@pytest.mark.parametrize("ems", [True, False], ids=["ems", "no-ems"])
def test_certificate_and_signature_are_accepted(provider, leaf, kind, ems):
    """CAUTH-03, CAUTH-04, CAUTH-09, CAUTH-10."""
    connection = client(provider, identity=kind)
    link = drive(connection, Server(pki.leaf(leaf), request=True, extended_master_secret=ems))
    check_alive(link)
    assert messages(link) == [1, wire.CERTIFICATE, wire.CLIENT_KEY_EXCHANGE, wire.CERTIFICATE_VERIFY, wire.FINISHED]
    assert link.server.client_chain == list(pki.device(kind).chain)
    assert connection.info.client_certificate_sent
    assert connection.info.client_signature_scheme == link.server.client_scheme


@pytest.mark.parametrize(("kind", "schemes"), [(EC, EVERY_SCHEME[:3]), (RSA, EVERY_SCHEME[3:])])
def test_each_scheme_can_be_demanded(provider, kind, schemes):
    """CAUTH-06, CAUTH-11."""
    for scheme in schemes:
        link = asked(provider, identity(kind), wire.certificate_request(schemes=(0x0A0A, 0x0201, 0x0203, scheme)))
        check_alive(link)
        assert link.server.client_scheme == scheme


@pytest.mark.parametrize("kind", [EC, RSA])
def test_our_preference_decides_not_the_order_of_the_server(provider, kind):
    """CAUTH-06."""
    forwards = asked(provider, identity(kind), wire.certificate_request(schemes=EVERY_SCHEME))
    backwards = asked(provider, identity(kind), wire.certificate_request(schemes=EVERY_SCHEME[::-1]))
    assert forwards.server.client_scheme == backwards.server.client_scheme


@pytest.mark.parametrize(
    ("kind", "request_"),
    [
        (None, wire.certificate_request()),
        (EC, wire.certificate_request(types=b"\x01")),
        (RSA, wire.certificate_request(types=b"\x40")),
        (EC, wire.certificate_request(types=b"\x02\x03\x41\x42")),
        (EC, wire.certificate_request(schemes=EVERY_SCHEME[3:])),
        (RSA, wire.certificate_request(schemes=EVERY_SCHEME[:3])),
        (EC, wire.certificate_request(schemes=(0x0203,))),
        (RSA, wire.certificate_request(schemes=(0x0201, 0x0101))),
    ],
)
def test_empty_certificate_is_sent_when_nothing_fits(provider, kind, request_):
    """CAUTH-01, CAUTH-05, CAUTH-06, CAUTH-09, CAUTH-11, CR-09."""
    link = asked(provider, identity(kind) if kind else None, request_)
    check_alive(link)
    assert messages(link) == [1, wire.CERTIFICATE, wire.CLIENT_KEY_EXCHANGE, wire.FINISHED]
    assert link.server.client_messages[1][4:] == b"\x00\x00\x00"
    assert not link.client.info.client_certificate_sent


def test_without_a_request_nothing_of_ours_is_shown(provider):
    """CAUTH-02."""
    connection = client(provider, identity=EC)
    assert messages(drive(connection, Server(pki.leaf()))) == [1, wire.CLIENT_KEY_EXCHANGE, wire.FINISHED]
    assert connection.info.requested_certificate_types is None


def test_single_identity_is_sent_whatever_authorities_are_named(provider):
    """CAUTH-08."""
    names = pki.distinguished_names([pki.leaf(host="other.example").chain[0]])
    assert asked(provider, identity(EC), wire.certificate_request(authorities=names)).server.client_chain


def test_selector_is_asked_with_all_that_the_server_said_and_its_choice_is_sent(provider):
    """CAUTH-08: names choose among identities."""
    ours = {kind: identity(kind) for kind in (EC, RSA)}
    names = pki.distinguished_names([pki.intermediate()])
    for kind, types in ((EC, b"\x01\x40"), (RSA, b"\x01\x40\x07"), (RSA, b"\x01")):
        asked_with: list[IdentityRequest] = []

        def select(request: IdentityRequest, kind=kind, asked_with=asked_with) -> Identity | None:
            asked_with.append(request)
            return ours[kind]

        link = asked(provider, select, wire.certificate_request(types=types, authorities=names))
        check_alive(link)
        assert link.server.client_chain == list(pki.device(kind).chain)
        (request,) = asked_with
        assert request.server_hostname == pki.HOST
        assert request.certificate_types == tuple(types)
        assert request.signature_schemes == EVERY_SCHEME
        assert list(request.ca_names) == names


@pytest.mark.parametrize(
    ("types", "schemes", "named", "kind"),
    [
        (b"\x01\x40", EVERY_SCHEME, True, EC),
        (b"\x01", EVERY_SCHEME, True, RSA),
        (b"\x01\x40", EVERY_SCHEME[3:], True, RSA),
        (b"\x07", EVERY_SCHEME, True, None),
        (b"\x01\x40", EVERY_SCHEME, False, None),
    ],
)
def test_first_identity_that_fits_can_be_chosen(provider, types, schemes, named, kind):
    """CAUTH-05, CAUTH-06, CAUTH-08, CR-08: by key, scheme and authority; what does not parse names nobody."""
    ours = [identity(EC), identity(RSA)]
    names = [b"no name", *pki.distinguished_names([pki.intermediate() if named else pki.leaf().chain[0]])]
    link = asked(
        provider,
        lambda request: next(filter(request.fits, ours), None),
        wire.certificate_request(types, schemes, names),
    )
    check_alive(link)
    assert link.server.client_chain == (list(pki.device(kind).chain) if kind else [])
    assert list(link.client.info.requested_ca_names) == names


@pytest.mark.parametrize("order", [1, -1])
def test_identity_whose_chain_is_signed_with_listed_schemes_can_be_preferred(provider, order):
    """CAUTH-07: the intermediate signed both leaves with ecdsa_sha256, one of them was reissued with SHA-384."""
    device = pki.device(EC)
    sha384 = pki.reissue(device, algorithm=pki.ECDSA_SHA384, digest=hashes.SHA384())
    ours = [Identity(each.chain, software_key(each.key_pem)) for each in (device, sha384)][::order]
    for schemes, preferred in ((EVERY_SCHEME, ours[0].chain), ((0x0403, 0x0804), device.chain)):
        link = asked(
            provider,
            lambda request: max(filter(request.fits, ours), key=request.lists_signatures_of),
            wire.certificate_request(schemes=schemes),
        )
        check_alive(link)
        assert link.server.client_chain == list(preferred)


@pytest.mark.parametrize("unlisted", [0x0603, 0x0804])
def test_single_identity_is_sent_whatever_its_chain_is_signed_with(provider, unlisted):
    """CAUTH-07: the leaf's own key signs with what is listed, its certificate's signature is not."""
    device = pki.reissue(pki.device(EC), algorithm=pki.ECDSA_SHA384, digest=hashes.SHA384())
    ours = Identity(device.chain, software_key(device.key_pem))
    link = asked(provider, ours, wire.certificate_request(schemes=(0x0403, unlisted)))
    check_alive(link)
    assert link.server.client_chain == list(device.chain)


def test_choice_that_the_server_cannot_take_is_not_sent(provider):
    """CAUTH-05, CR-09."""
    link = asked(provider, lambda request: identity(EC), wire.certificate_request(types=b"\x01"))
    check_alive(link)
    assert link.server.client_chain == []
    assert not link.client.info.client_certificate_sent


def broken_selector(request: IdentityRequest) -> Identity:
    raise KeyError(request.server_hostname)


@pytest.mark.parametrize("select", [broken_selector, lambda request: "device.pem", lambda request: True])
def test_selector_that_breaks_ends_the_handshake_before_anything_leaves(provider, select):
    link = asked(provider, select, wire.certificate_request())
    assert type(link.error) is errors.ConfigurationError
    assert "identity selector" in str(link.error)
    assert link.server.alerts == [(wire.FATAL, wire.INTERNAL_ERROR)]
    assert messages(link) == [1]


def test_selector_is_not_asked_when_the_server_does_not(provider):
    """CAUTH-02."""
    config = ClientConfig(trust=TrustStore.from_der(pki.root()), provider=provider, identity=broken_selector)
    check_alive(drive(ClientConnection(config, pki.HOST), Server(pki.leaf())))


def test_long_chain_is_cut_into_legal_records(provider):
    """HS-14: one message over several records."""
    device = pki.device(EC)
    chain = (*device.chain, *[pki.intermediate()] * 60)
    assert sum(map(len, chain)) > 1 << 14
    link = asked(provider, Identity(chain, software_key(device.key_pem)), wire.certificate_request())
    check_alive(link)
    assert link.server.client_chain == list(chain)


def failing_with(error: Exception):
    def sign(digest: bytes) -> bytes:
        raise error

    return sign


def by_another_key(digest: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    signature = pki.key("p256/thief").sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    r, s = utils.decode_dss_signature(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


BAD_SIGNERS = {
    "raises OSError": failing_with(OSError("NACK")),
    "raises ValueError": failing_with(ValueError("no")),
    "wrong key": by_another_key,
    "zero": lambda digest: bytes(64),
    "short": lambda digest: bytes(63),
    "empty": lambda digest: b"",
    "no bytes": lambda digest: None,
}


@pytest.mark.parametrize("sign", BAD_SIGNERS.values(), ids=BAD_SIGNERS)
def test_failing_or_lying_signer_ends_the_handshake_before_anything_leaves(provider, sign):
    """CAUTH-12, CAUTH-16."""
    link = asked(provider, identity(EC, raw_ecdsa(sign)), wire.certificate_request())
    assert type(link.error) is errors.SignerError
    assert link.server.alerts == [(wire.FATAL, wire.INTERNAL_ERROR)]
    assert messages(link) == [1]
    assert link.client.is_closed


def right_signature(request) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return pki.key(EC).sign(request.message, ec.ECDSA(hashes.SHA256()))


def deferred(provider) -> tuple[Link, SignatureRequested]:
    link = asked(provider, Identity(pki.device(EC).chain, None), wire.certificate_request(schemes=(0x0403,)))
    assert link.error is None
    (event,) = link.events
    assert isinstance(event, SignatureRequested)
    return link, event


def test_deferred_signature_completes_the_handshake(provider):
    link, event = deferred(provider)
    assert wire.CERTIFICATE_VERIFY not in messages(link)
    event.request.complete(right_signature(event.request))
    check_alive(link.run())


def test_deferred_signature_through_the_connection_completes_the_handshake(provider):
    link, event = deferred(provider)
    link.events += link.client.complete_signature(event.request, right_signature(event.request)) or []
    check_alive(link.run())


def test_wrong_deferred_signature_is_our_error(provider):
    """CAUTH-12."""
    link, event = deferred(provider)
    with pytest.raises(errors.SignerError):
        event.request.complete(pki.key("p256/thief").sign(event.request.message, _ecdsa()))
    link.run()
    assert link.server.alerts == [(wire.FATAL, wire.INTERNAL_ERROR)]
    assert wire.CERTIFICATE_VERIFY not in messages(link)


def test_refused_deferred_signature_ends_the_handshake(provider):
    """CAUTH-16."""
    link, event = deferred(provider)
    with pytest.raises(errors.SignerError):
        event.request.fail(RuntimeError("the user pressed cancel"))
    link.run()
    assert link.server.alerts == [(wire.FATAL, wire.INTERNAL_ERROR)]


@pytest.mark.parametrize("last", ["complete", "fail"])
def test_signature_that_comes_after_the_end_meets_the_error_of_the_end(provider, last):
    """The server had no patience: its alert is what went wrong, not the signature (CAUTH-16)."""
    link, event = deferred(provider)
    link.deliver(wire.record(wire.ALERT, wire.alert(wire.FATAL, 90)))
    assert type(link.error) is errors.PeerAlert
    arguments = {"complete": right_signature(event.request), "fail": RuntimeError("too late")}
    with pytest.raises(errors.PeerAlert) as caught:
        getattr(event.request, last)(arguments[last])
    assert caught.value is link.error
    assert wire.CERTIFICATE_VERIFY not in messages(link)


def _ecdsa():
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.ECDSA(hashes.SHA256())
