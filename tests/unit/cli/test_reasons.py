"""Each reason for a refusal, as `lighttls verify` and `lighttls explain` say it."""

from __future__ import annotations

import sys
from base64 import b64encode, encodebytes
from hashlib import sha256
from types import ModuleType

import pytest

from hostile import certificates as hostile
from hostile import ocsp, wire
from hostile.server import FIRST, Server
from hostile.steps import message
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import VerificationRequest, VerifiedPath
from support import refused
from support.refused import LEAF, MIDDLE, Refused
from support.terminal import Shown, Terminal, listening, showing

ELSEWHERE = {
    # what a chain alone cannot show; the tests below do
    ChainReason.UNKNOWN_RAW_KEY,
    ChainReason.CERTIFICATE_TYPE,
    ChainReason.REFUSED_BY_VERIFIER,
    ChainReason.BAD_STATUS,
}


def test_every_reason_is_shown_here() -> None:
    assert {case.reason for case in refused.CASES} | ELSEWHERE == set(ChainReason)
    assert not ELSEWHERE & {case.reason for case in refused.CASES}


def alert_of(case: Refused) -> str:
    return case.reason.alert.name.lower()


@pytest.mark.parametrize("case", refused.CASES, ids=str)
def test_verify_says_why_a_chain_is_refused(case: Refused, terminal: Terminal) -> None:
    options = ("--host", case.host, *terminal.options(case))
    shown = terminal.verify(case.chain, *options, anchors=case.anchors, at=case.at)
    assert shown.status == 1
    assert shown.out.splitlines()[0].endswith(f": {case.reason.value}")
    assert f"✗ {case.reason.value}: " in shown.words
    assert [each for each in case.words if each not in shown.words] == [], shown.out


@pytest.mark.parametrize("case", refused.CASES, ids=str)
def test_verify_says_it_to_programs(case: Refused, terminal: Terminal) -> None:
    options = ("--host", case.host, "--json", *terminal.options(case))
    data = terminal.verify(case.chain, *options, anchors=case.anchors, at=case.at).data
    assert (data["ok"], data["reason"], data["alert"]) == (False, case.reason.value, alert_of(case))
    assert [each for each in case.words if each not in data["explanation"]] == []
    (best,) = [attempt for attempt in data["attempts"] if attempt["most_telling"]]
    assert (best["reason"], best["depth"]) == (case.reason.value, data["depth"])
    assert best["path"][0] == 1
    assert len(data["certificates"]) == len(case.chain)


@pytest.mark.parametrize("case", refused.CASES, ids=str)
def test_explain_says_why_a_server_is_refused(case: Refused, terminal: Terminal) -> None:
    server = showing(*case.chain)
    shown = terminal.explain(server, *terminal.options(case), anchors=case.anchors, at=case.at, host=case.host)
    assert shown.status == 1
    assert shown.out.splitlines()[0].endswith(f": {case.reason.value}")
    assert [each for each in case.words if each not in shown.words] == [], shown.out
    assert server.alerts == [(2, case.reason.alert)]
    assert server.received == b""


class Device:
    """The hostile server's own certificates, which are of today."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.roots = terminal.file("root.der", hostile.root())

    def explain(self, server: Server, *more: str) -> Shown:
        with listening(server) as address:
            return self._terminal.run("explain", address, "--servername", hostile.HOST, *more)


@pytest.fixture
def device(terminal: Terminal) -> Device:
    return Device(terminal)


def stapling(response: bytes) -> Server:
    first = [*FIRST[:2], message(wire.certificate_status(response)), *FIRST[2:]]
    return Server(hostile.leaf("p256"), first=first, extra=[(wire.STATUS_REQUEST, b"")])


def test_revoked_certificate_says_so_by_its_stapled_response(device: Device, terminal: Terminal) -> None:
    response = ocsp.response(status=ocsp.REVOKED)
    shown = device.explain(stapling(response), "--cafile", device.roots)
    assert (shown.status, shown.out.splitlines()[0].rpartition(" ")[2]) == (1, "revoked")
    assert "needs a new certificate with a new key" in shown.words
    chain = terminal.file("chain.pem", hostile.leaf("p256").pem)
    stapled = ("--ocsp", terminal.file("response.der", response))
    assert "revoked" in terminal.run("verify", chain, "--host", hostile.HOST, "--cafile", device.roots, *stapled).words


def test_stale_response_is_a_bad_status(device: Device) -> None:
    old = ocsp.response(since=-3 * ocsp.DAY, until=-2 * ocsp.DAY)
    shown = device.explain(stapling(old), "--cafile", device.roots)
    assert (shown.status, shown.out.splitlines()[0].rpartition(" ")[2]) == (1, "bad_status")
    assert "the server staples what it fetched long ago" in shown.words


def test_must_staple_without_a_response_says_how_to_turn_it_on(device: Device) -> None:
    shown = device.explain(Server(hostile.leaf(features=(5,))), "--cafile", device.roots)
    assert (shown.status, shown.out.splitlines()[0].rpartition(" ")[2]) == (1, "bad_status")
    assert "ssl_stapling on" in shown.words


def test_extension_that_was_promised_and_not_answered_is_named(device: Device) -> None:
    shown = device.explain(Server(hostile.leaf(features=(23,)), extended_master_secret=False), "--cafile", device.roots)
    assert (shown.status, shown.out.splitlines()[0].rpartition(" ")[2]) == (1, "missing_feature")
    assert "23 is extended_master_secret" in shown.words


def test_raw_key_is_the_right_one_or_another(device: Device, terminal: Terminal) -> None:
    own, other = hostile.spki("p256"), hostile.spki("p256/other")
    server = {"raw_key": own}
    good = device.explain(Server(hostile.leaf("p256"), **server), "--raw-key", terminal.file("own.der", own))
    assert (good.status, good.out.count("raw public key is the one that was given")) == (0, 1), good.err
    text = b"-----BEGIN PUBLIC KEY-----\n" + encodebytes(other) + b"-----END PUBLIC KEY-----\n"
    bad = device.explain(Server(hostile.leaf("p256"), **server), "--raw-key", terminal.file("other.pem", text))
    assert (bad.status, bad.out.splitlines()[0].rpartition(" ")[2]) == (1, "unknown_raw_key")
    assert "VerifyPolicy(raw_keys=...)" in bad.words
    assert b64encode(sha256(own).digest()).decode() in bad.words


def test_chain_where_a_raw_key_was_asked_for(device: Device, terminal: Terminal) -> None:
    key = terminal.file("own.der", hostile.spki("p256"))
    shown = device.explain(Server(hostile.leaf("p256")), "--raw-key", key)
    assert (shown.status, shown.out.splitlines()[0].rpartition(" ")[2]) == (1, "certificate_type")
    assert "RFC 7250" in shown.words


class Broken:
    """A verifier that cannot be made."""

    def __init__(self) -> None:
        raise OSError("no list of serial numbers")


class Refuser:
    """An application's verifier, named on the command line."""

    def verify(self, request: VerificationRequest) -> VerifiedPath:
        request.verify()
        raise CertificateError("serial number 7 is not one of ours", ChainReason.REFUSED_BY_VERIFIER)


class Believer:
    """One that leaves the verdict as it is."""

    def verify(self, request: VerificationRequest) -> VerifiedPath:
        return request.verify()


def test_own_verifier_is_asked_as_in_a_connection(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("verifiers_of_test_verdicts")
    found = {"Refuser": Refuser, "believer": Believer(), "number": 5, "Broken": Broken}
    vars(module).update(found)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    options = ("--host", "host.example", "--verifier")
    for shown in (
        terminal.verify([LEAF, MIDDLE], *options, f"{module.__name__}:Refuser"),
        terminal.explain(showing(LEAF, MIDDLE), "--verifier", f"{module.__name__}:Refuser"),
    ):
        assert (shown.status, shown.out.splitlines()[0].rpartition(" ")[2]) == (1, "refused_by_verifier")
        assert "number 7 is not one of ours" in shown.words
    assert terminal.verify([LEAF, MIDDLE], *options, f"{module.__name__}:believer").status == 0
    assert terminal.explain(showing(LEAF, MIDDLE), "--verifier", f"{module.__name__}:believer").status == 0
    for wrong, words in (
        ("number", "no method verify"),
        ("nothing", "nothing"),
        ("Broken", "OSError: no list of serial numbers"),
        ("", "MODULE:NAME"),
    ):
        shown = terminal.verify([LEAF, MIDDLE], *options, f"{module.__name__}:{wrong}")
        assert shown.status == 2
        assert words in shown.err
