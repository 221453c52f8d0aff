"""Lists of revoked certificates in a handshake: which alert the server hears, and what no list excuses (CERT-19)."""

from __future__ import annotations

from typing import Any

import pytest

from hostile import certificates as pki
from hostile import ocsp, wire
from hostile.cases import Refused, Tolerated, both_splits
from hostile.ocsp import DAY, NOW, crl
from hostile.server import FIRST
from hostile.steps import message
from lighttls import ChainReason, ClientConfig, ConfigurationError, RevocationPolicy, TrustStore, VerifyPolicy


def checking(*lists: bytes, mode: str = "hard", **more: Any) -> dict[str, Any]:
    return {"verify": VerifyPolicy(revocation=RevocationPolicy(crls=lists, mode=mode, **more))}


LEAF = pki.leaf("p256").chain[0]
BOTH = crl("root"), crl("intermediate")
STAPLED = [*FIRST[:2], message(wire.certificate_status(ocsp.response())), *FIRST[2:]]
ANNOUNCED = [(wire.STATUS_REQUEST, b"")]

REFUSED = [
    (wire.CERTIFICATE_REVOKED, "revoked leaf", ChainReason.REVOKED, checking(BOTH[0], crl("intermediate", LEAF))),
    (
        wire.CERTIFICATE_REVOKED,
        "revoked leaf in soft mode",
        ChainReason.REVOKED,
        checking(crl("intermediate", LEAF), mode="soft"),
    ),
    (
        wire.CERTIFICATE_REVOKED,
        "revoked intermediate",
        ChainReason.REVOKED,
        checking(crl("root", pki.intermediate()), BOTH[1]),
    ),
    (wire.CERTIFICATE_UNKNOWN, "no list", ChainReason.REVOCATION_UNKNOWN, checking()),
    (wire.CERTIFICATE_UNKNOWN, "no list about the leaf", ChainReason.REVOCATION_UNKNOWN, checking(BOTH[0])),
    (
        wire.CERTIFICATE_UNKNOWN,
        "list that ended",
        ChainReason.CRL_EXPIRED,
        checking(BOTH[0], crl("intermediate", until=-DAY)),
    ),
    (
        wire.CERTIFICATE_UNKNOWN,
        "list by a stranger",
        ChainReason.CRL_UNUSABLE,
        checking(BOTH[0], crl("intermediate", key="p256/stranger")),
    ),
    (
        wire.BAD_STATUS_RESPONSE,
        "no stapled response though required",
        ChainReason.BAD_STATUS,
        checking(*BOTH, ocsp="require") | {"request_ocsp": True},
    ),
]


@both_splits
@pytest.mark.parametrize(("alert", "what", "reason", "settings"), REFUSED, ids=lambda value: str(value)[:40])
def test_certificate_whose_status_does_not_satisfy_is_refused(alert, what, reason, settings, provider, split):
    link = Refused("CERT-19", what, alert, settings=settings).check(provider, split)
    assert link.error.reason is reason


TOLERATED = [
    Tolerated("CERT-19", "lists for all", settings=checking(*BOTH)),
    Tolerated("CERT-19", "no list in soft mode", settings=checking(mode="soft")),
    Tolerated("CERT-19", "list that ended in soft mode", settings=checking(crl("root", until=-DAY), mode="soft")),
    Tolerated(
        "CERT-19",
        "good response in place of a list about the leaf",
        settings=checking(BOTH[0]) | {"request_ocsp": True},
        first=STAPLED,
        extra=ANNOUNCED,
    ),
    Tolerated(
        "CERT-19",
        "response that is required",
        settings=checking(BOTH[0], ocsp="require") | {"request_ocsp": True},
        first=STAPLED,
        extra=ANNOUNCED,
    ),
]


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_certificate_whose_status_satisfies_is_borne(case, provider, split):
    case.check(provider, split)


@pytest.mark.parametrize("status", [ocsp.REVOKED, ocsp.UNKNOWN])
def test_list_does_not_excuse_a_stapled_response(status, provider):
    alert = wire.CERTIFICATE_REVOKED if status is ocsp.REVOKED else wire.BAD_STATUS_RESPONSE
    first = [*FIRST[:2], message(wire.certificate_status(ocsp.response(status=status))), *FIRST[2:]]
    settings = checking(*BOTH) | {"request_ocsp": True}
    Refused("CERT-19", "", alert, settings=settings, first=first, extra=ANNOUNCED).check(provider, None)


@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_stapled_response_does_not_excuse_from_a_list(mode, provider):
    settings = checking(BOTH[0], crl("intermediate", LEAF), mode=mode) | {"request_ocsp": True}
    case = Refused("CERT-19", "", wire.CERTIFICATE_REVOKED, settings=settings, first=STAPLED, extra=ANNOUNCED)
    case.check(provider, None)


def test_stapled_response_is_about_the_leaf_alone(provider):
    settings = checking(BOTH[1]) | {"request_ocsp": True}
    case = Refused("CERT-19", "", wire.CERTIFICATE_UNKNOWN, settings=settings, first=STAPLED, extra=ANNOUNCED)
    assert "intermediate 'CN=test intermediate'" in str(case.check(provider, None).error)


def stapled_by(responder: bytes) -> list[Any]:
    """The first flight with a response that this delegate of the intermediate signed."""
    response = ocsp.response(responder=responder, key="p256/responder", sent=(responder,))
    return [*FIRST[:2], message(wire.certificate_status(response)), *FIRST[2:]]


RESPONDER, ANSWERED_FOR = ocsp.delegate(), ocsp.delegate(no_check=b"\x05\x00")


@both_splits
@pytest.mark.parametrize(
    ("what", "responder", "settings", "said"),
    [
        ("no list about it", RESPONDER, checking(BOTH[0]), "no CRL that was given covers"),
        (
            "ocsp-nocheck that is none",
            ocsp.delegate(no_check=b"\x05"),
            checking(BOTH[0]),
            "no CRL that was given covers",
        ),
        (
            "list that ended",
            RESPONDER,
            checking(BOTH[0], crl("intermediate", until=-DAY)),
            "the CRL number 1 of 'CN=test intermediate' ended on",
        ),
        ("revoked", RESPONDER, checking(BOTH[0], crl("intermediate", RESPONDER)), "revoked on"),
        ("revoked, in soft mode", RESPONDER, checking(crl("intermediate", RESPONDER), mode="soft"), "revoked on"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_responder_whose_own_status_does_not_satisfy_is_not_believed(what, responder, settings, said, provider, split):
    """RFC 6960 §4.2.2.2.1: without ocsp-nocheck it is for the client's policy to say."""
    settings = settings | {"request_ocsp": True}
    first = stapled_by(responder)
    case = Refused("OCSP-11", what, wire.BAD_STATUS_RESPONSE, settings=settings, first=first, extra=ANNOUNCED)
    error = case.check(provider, split).error
    assert error.reason is ChainReason.BAD_STATUS
    assert f"its responder's certificate: {said}" in str(error)


@both_splits
@pytest.mark.parametrize(
    ("what", "responder", "settings"),
    [
        ("ocsp-nocheck and no list", ANSWERED_FOR, checking(BOTH[0])),
        ("ocsp-nocheck, and revoked", ANSWERED_FOR, checking(BOTH[0], crl("intermediate", ANSWERED_FOR))),
        ("list about it", RESPONDER, checking(*BOTH)),
        ("no list in soft mode", RESPONDER, checking(mode="soft")),
        ("nobody who asks", RESPONDER, {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_responder_whose_own_status_satisfies_is_believed(what, responder, settings, provider, split):
    settings = settings | {"request_ocsp": True}
    Tolerated("OCSP-11", what, settings=settings, first=stapled_by(responder), extra=ANNOUNCED).check(provider, split)


def test_reason_and_date_of_a_revocation_are_told(provider):
    first = [*FIRST[:2], message(wire.certificate_status(ocsp.response(status=ocsp.REVOKED))), *FIRST[2:]]
    settings = {"request_ocsp": True}
    case = Refused("OCSP-13", "", wire.CERTIFICATE_REVOKED, settings=settings, first=first, extra=ANNOUNCED)
    date = (NOW - 2 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert f"revoked on {date} (keyCompromise), says the OCSP response" in str(case.check(provider, None).error)


def test_response_that_is_required_must_be_asked_for():
    with pytest.raises(ConfigurationError, match="request_ocsp=True"):
        ClientConfig(trust=TrustStore.empty(), **checking(ocsp="require"))
