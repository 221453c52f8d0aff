"""A stapled OCSP response and signed certificate timestamps: when they may come, and to whom they go (OCSP, SCT)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509

from hostile import certificates as pki
from hostile import ocsp, wire
from hostile.cases import SECRET, Refused, Tolerated, both_splits, check_refusal, client
from hostile.link import Link, drive
from hostile.server import FIRST, FIRST_WITH_REQUEST, Server
from hostile.steps import HELLO_REQUEST, data, message
from lighttls import Alert, CertificateError, ChainReason, VerifyPolicy

RESPONSE = ocsp.response(pki.leaf("p256"))
LONG = ocsp.response(extensions=((x509.OCSPNonce(bytes(16_000)), False),))
SCTS = wire.vec16(wire.vec16(b"\x00first") + wire.vec16(b"\x7fof an unknown version"))

ANNOUNCED: dict[str, Any] = {"settings": {"request_ocsp": True}, "extra": [(wire.STATUS_REQUEST, b"")]}


def status_before(name: str, status: bytes = RESPONSE, flight: tuple[str, ...] = FIRST, **fields: Any) -> list[Any]:
    """A first flight with a CertificateStatus before the message of that name."""
    place = flight.index(name)
    return [*flight[:place], message(wire.certificate_status(status, **fields)), *flight[place:]]


def stapled(status: bytes = RESPONSE, **fields: Any) -> list[Any]:
    return status_before("server_key_exchange", status, **fields)


def timestamps(body: bytes) -> dict[str, Any]:
    return {"settings": {"request_scts": True}, "extra": [(wire.SIGNED_CERTIFICATE_TIMESTAMP, body)]}


REFUSED = [
    *(
        Refused(
            "OCSP-02",
            f"answer {body.hex()}",
            wire.DECODE_ERROR,
            settings={"request_ocsp": True},
            extra=[(wire.STATUS_REQUEST, body)],
        )
        for body in (b"\x00", b"\x01\x00\x00\x00\x00")
    ),
    Refused("OCSP-04", "neither asked for nor announced", wire.UNEXPECTED_MESSAGE, first=stapled()),
    Refused(
        "OCSP-04",
        "asked for but not announced",
        wire.UNEXPECTED_MESSAGE,
        settings={"request_ocsp": True},
        first=stapled(),
    ),
    Refused("SH-14", "announced but not asked for", wire.UNSUPPORTED_EXTENSION, extra=[(wire.STATUS_REQUEST, b"")]),
    *(
        Refused(
            "OCSP-05",
            f"before {name}",
            wire.UNEXPECTED_MESSAGE,
            first=status_before(name, flight=FIRST_WITH_REQUEST),
            **ANNOUNCED,
        )
        for name in ("server_hello", "certificate", "certificate_request", "server_hello_done")
    ),
    Refused(
        "SEQ-05",
        "status twice",
        wire.UNEXPECTED_MESSAGE,
        first=["server_hello", "certificate", *[message(wire.certificate_status(RESPONSE))] * 2, *FIRST[2:]],
        **ANNOUNCED,
    ),
    *(
        Refused(
            "SEQ-05" if with_status else "SEQ-03",
            f"{name} instead of the key exchange",
            wire.UNEXPECTED_MESSAGE,
            first=[*(stapled()[:3] if with_status else FIRST[:2]), name],
            **ANNOUNCED,
        )
        for name in ("certificate", "certificate_request", "server_hello_done")
        for with_status in (True, False)
    ),
    *(
        Refused("OCSP-07", f"type {kind}", wire.DECODE_ERROR, first=stapled(status_type=kind), **ANNOUNCED)
        for kind in (0, 2, 255)
    ),
    Refused("OCSP-08", "empty response", wire.DECODE_ERROR, first=stapled(b""), **ANNOUNCED),
    Refused("OCSP-08", "length too long", wire.DECODE_ERROR, first=stapled(length=len(RESPONSE) + 1), **ANNOUNCED),
    Refused("OCSP-08", "length too short", wire.DECODE_ERROR, first=stapled(length=len(RESPONSE) - 1), **ANNOUNCED),
    Refused("OCSP-08", "byte left over", wire.DECODE_ERROR, first=stapled(tail=b"\x00"), **ANNOUNCED),
    Refused(
        "OCSP-08",
        "no length at all",
        wire.DECODE_ERROR,
        first=["server_hello", "certificate", message(wire.handshake(wire.CERTIFICATE_STATUS, b"\x01")), *FIRST[2:]],
        **ANNOUNCED,
    ),
    *(
        Refused(
            "CERT-15",
            f"intermediate missing, {what}",
            wire.UNKNOWN_CA,
            edit={"certificate": lambda message: wire.certificate(pki.leaf().chain[:1])},
            first=first,
            **ANNOUNCED,
        )
        for what, first in (("with a status", stapled()), ("status left out", FIRST))
    ),
    *(
        Refused("SCT-02", f"body {body.hex() or 'missing'}", wire.DECODE_ERROR, **timestamps(body))
        for body in (b"", b"\x00", b"\x00\x00", SCTS + b"\x00", wire.vec16(SCTS[2:], len(SCTS)), SCTS[:-1])
    ),
    *(
        Refused("SCT-03", f"list {body.hex()}", wire.DECODE_ERROR, **timestamps(wire.vec16(body)))
        for body in (b"\x00\x00", b"\x00\x01a\x00\x00", b"\x00\x02a", b"\x00")
    ),
]


@both_splits
@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_wrong_status_or_timestamps_are_refused(case, provider, split):
    case.check(provider, split)


@both_splits
@pytest.mark.parametrize(
    ("case", "response"),
    [
        (Tolerated("OCSP-06", "announced and left out", **ANNOUNCED), None),
        (Tolerated("OCSP-06", "not announced", settings={"request_ocsp": True}), None),
        (Tolerated("OCSP-04", "announced and sent", first=stapled(), **ANNOUNCED), RESPONSE),
        (Tolerated("OCSP-04", "long", first=stapled(LONG), **ANNOUNCED), LONG),
        (
            Tolerated(
                "HS-06",
                "hello requests around the status",
                first=[*FIRST[:2], HELLO_REQUEST, *stapled()[2:3], HELLO_REQUEST, *FIRST[2:]],
                **ANNOUNCED,
            ),
            RESPONSE,
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, Tolerated) else "",
)
def test_status_is_handed_over_as_it_came(case, response, provider, split):
    assert case.check(provider, split).client.info.ocsp_response == response


@both_splits
@pytest.mark.parametrize("body", [SCTS, wire.vec16(wire.vec16(b"\xff"))], ids=["two", "one-unreadable"])
def test_timestamps_are_handed_over_as_they_came(provider, split, body):
    """SCT-04."""
    link = Tolerated("SCT-04", "", **timestamps(body)).check(provider, split)
    assert link.client.info.sct_list == body
    assert Tolerated("SCT-04", "", settings={"request_scts": True}).check(provider, split).client.info.sct_list is None


class Recorder:
    def __init__(self, refuse: bool) -> None:
        self.refuse, self.asked = refuse, []

    def verify(self, request: Any) -> Any:
        self.asked.append((request.ocsp_response, request.sct_list))
        if self.refuse:
            raise CertificateError(
                "revoked, says the staple", ChainReason.REFUSED_BY_VERIFIER, alert=Alert.CERTIFICATE_REVOKED
            )
        return request.verify()


def asked(provider: Any, verifier: Recorder, **script: Any) -> Link:
    connection = client(provider, request_ocsp=True, request_scts=True, verify=VerifyPolicy(verifier=verifier))
    extra = [(wire.STATUS_REQUEST, b""), (wire.SIGNED_CERTIFICATE_TIMESTAMP, SCTS)]
    return drive(connection, Server(pki.leaf("p256"), extra=extra, tail=[data(SECRET)], **script))


@pytest.mark.parametrize(("first", "response"), [(stapled(), RESPONSE), (FIRST, None)], ids=["stapled", "left-out"])
def test_verifier_is_asked_once_with_all_that_came(provider, first, response):
    verifier = Recorder(refuse=False)
    assert asked(provider, verifier, first=first).completed
    assert verifier.asked == [(response, SCTS)]


def test_verifier_may_refuse_for_what_was_stapled(provider):
    verifier = Recorder(refuse=True)
    link = asked(provider, verifier, first=stapled())
    check_refusal(link, 44, CertificateError)
    assert link.data == b""


def test_request_is_on_the_wire_only_when_asked_for(provider):
    """OCSP-01, SCT-01."""
    for settings, status, scts in (
        ({}, None, None),
        ({"request_ocsp": True}, b"\x01\x00\x00\x00\x00", None),
        ({"request_scts": True}, None, b""),
    ):
        hello = drive(client(provider, **settings), Server(pki.leaf())).server.client_hello
        assert hello is not None
        assert (hello.get(wire.STATUS_REQUEST), hello.get(wire.SIGNED_CERTIFICATE_TIMESTAMP)) == (status, scts)
