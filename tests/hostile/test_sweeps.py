"""Every number of its kind, so that none has a meaning that nobody thought of: types, extensions, alerts, suites."""

from __future__ import annotations

import pytest

from hostile import certificates as pki
from hostile import wire
from hostile.cases import check_alive, check_refusal, client
from hostile.link import drive
from hostile.server import FIRST, SECOND, Server
from hostile.steps import alert, fragment, message
from lighttls import errors

FULL = (*FIRST, *SECOND)
MEANT = {  # which handshake type the table has a row for, by what it comes before
    "server_hello": {0, 2},
    "certificate": {0, 11},
    "server_key_exchange": {0, 12},
    "server_hello_done": {0, 13, 14},
    "change_cipher_spec": {0},
    "finished": {20},
}
USUAL = [(wire.RENEGOTIATION_INFO, b"\x00"), (wire.EXTENDED_MASTER_SECRET, b"")]
ASKED_FOR = {0, 10, 11, 23, 0xFF01}  # 10 may be answered, by mistake (SH-17)
KNOWN_NUMBERS = (*range(80), *range(0x0A0A, 0x10000, 0x1010), 0x3374, 0x7550, 0xFE0D, 0xFF02, 0xFFFF)


@pytest.mark.parametrize("place", FULL)
def test_every_other_handshake_type_is_refused_in_every_place(provider, place):
    """HS-01, HS-02, HS-03: with an empty body, so that nothing but the type is wrong."""
    before = FULL.index(place)
    first, second = FIRST[:before], FULL[len(FIRST) : before]
    for number in set(range(256)) - MEANT[place]:
        step = message(wire.handshake(number, b""))
        script = {"first": [*first, step]} if before < len(FIRST) else {"second": [*second, step]}
        link = drive(client(provider), Server(pki.leaf(), **script))
        check_refusal(link, wire.UNEXPECTED_MESSAGE, errors.UnexpectedMessage)


def test_every_handshake_type_is_refused_after_the_handshake(provider):
    """HS-10: HelloRequest alone is not."""
    for number in range(1, 256):
        link = drive(client(provider), Server(pki.leaf(), tail=[message(wire.handshake(number, b""))]))
        check_refusal(link, wire.UNEXPECTED_MESSAGE, errors.UnexpectedMessage)
        assert link.completed


def test_every_other_content_type_is_refused(provider):
    """REC-01: in the clear and protected, where it would otherwise pass."""
    for number in set(range(256)) - {20, 21, 22, 23}:
        for script in ({"first": [wire.record(number, b"x")]}, {"tail": [fragment(number, b"x")]}):
            link = drive(client(provider), Server(pki.leaf(), **script))
            check_refusal(link, wire.UNEXPECTED_MESSAGE, errors.UnexpectedMessage)


@pytest.mark.parametrize("body", [b"", b"\x00", bytes(4)], ids=["empty", "one-byte", "four-bytes"])
def test_every_extension_that_nobody_asked_for_is_refused(provider, body):
    """SH-14 to SH-16."""
    for number in set(KNOWN_NUMBERS) - ASKED_FOR:
        link = drive(client(provider), Server(pki.leaf(), hello={"extensions": [*USUAL, (number, body)]}))
        check_refusal(link, wire.UNSUPPORTED_EXTENSION, errors.UnsupportedExtension)


def test_every_warning_is_borne_and_every_fatal_alert_is_the_end(provider):
    """ALERT-03 to ALERT-05: whatever number it has; close_notify, 0, has its own rules."""
    for number in range(1, 256):
        check_alive(drive(client(provider), Server(pki.leaf(), first=[alert(wire.WARNING, number), *FIRST])))
    for number in range(256):
        link = drive(client(provider), Server(pki.leaf(), first=[alert(wire.FATAL, number)]))
        assert type(link.error) is errors.PeerAlert
        assert link.error.description == number
        assert link.server.alerts == []


def test_every_other_alert_level_is_refused(provider):
    """ALERT-02."""
    for level in set(range(256)) - {wire.WARNING, wire.FATAL}:
        link = drive(client(provider), Server(pki.leaf(), first=[alert(level, wire.HANDSHAKE_FAILURE)]))
        check_refusal(link, wire.ILLEGAL_PARAMETER, errors.IllegalParameter)


@pytest.mark.parametrize("high", [0x00, 0x13, 0x56, 0xC0, 0xCC, 0xD0, 0xFA])
def test_every_suite_that_is_not_offered_is_refused(provider, high):
    """SH-06, SH-07."""
    offered = set(client(provider)._client.config.cipher_suites)
    for suite in {high << 8 | low for low in range(256)} - offered:
        link = drive(client(provider), Server(pki.leaf(), suite=suite))
        check_refusal(link, wire.ILLEGAL_PARAMETER, errors.IllegalParameter)


def test_every_other_curve_type_is_refused(provider):
    """SKE-02."""
    for curve_type in set(range(256)) - {3}:
        link = drive(client(provider), Server(pki.leaf(), ske={"curve_type": curve_type}))
        check_refusal(link, wire.ILLEGAL_PARAMETER, errors.IllegalParameter)


def test_every_scheme_that_is_not_offered_or_does_not_fit_is_refused(provider):
    """SKE-12 to SKE-14: all of the forms that 1.2 and 1.3 have; 0807 and 0808 are EdDSA."""
    fits = {0x0403, 0x0503, 0x0603}  # with the EC key of the certificate
    for scheme in {high << 8 | low for high in range(10) for low in range(12)} - fits:
        link = drive(client(provider), Server(pki.leaf(), ske={"scheme": scheme, "signing_scheme": 0x0403}))
        check_refusal(link, wire.ILLEGAL_PARAMETER, errors.IllegalParameter)


def test_every_group_that_is_not_offered_is_refused(provider):
    """SKE-03."""
    for group in {*range(64), *range(0x0100, 0x0106), 0x11EB, 0x11EC, 0x6399, 0xFF01, 0xFF02} - {23, 24, 29}:
        link = drive(client(provider), Server(pki.leaf(), ske={"group": group}))
        check_refusal(link, wire.ILLEGAL_PARAMETER, errors.IllegalParameter)
