"""profile="cellular": less is said, and nothing less is demanded."""

from __future__ import annotations

import os
from typing import Any

import pytest

from hostile import certificates, keys, wire
from hostile.cases import Case, Refused, Tolerated, both_splits, check_alive, client
from hostile.link import drive, pieces
from hostile.server import Server
from hostile.sessions import Earlier

CHACHA, GCM = 0xCCA9, 0xC02B
LEAN = {"profile": "cellular"}
EMS, RI = (wire.EXTENDED_MASTER_SECRET, b""), (wire.RENEGOTIATION_INFO, b"\x00")


def test_client_hello_is_the_shortest_that_is_secure(provider: Any) -> None:
    """RI-01, EMS-01, SNI-01, GRP-01, GRP-03, GRP-08, CH-04, CH-08."""
    hello = Tolerated("CH-08", "", settings=LEAN).check(provider, None).server.client_hello
    assert hello.suites == [CHACHA, GCM, wire.SCSV]
    assert hello.types == [wire.EXTENDED_MASTER_SECRET, wire.SERVER_NAME, 10, 13]
    assert hello.numbers(wire.SUPPORTED_GROUPS) == [wire.X25519, wire.P256]
    assert hello.numbers(wire.SIGNATURE_ALGORITHMS) == [0x0403, 0x0503]
    assert (hello.session_id, hello.compression) == (b"", b"\x00")


CASES: list[Case] = [
    Tolerated("RI-06", "answer to the signal", settings=LEAN),
    Tolerated("SH-19", "second suite", settings=LEAN, suite=GCM),
    Tolerated("CAUTH-03", "client certificate", settings=LEAN | {"identity": "p256/device"}, request=True),
    Refused("RI-02", "signal not answered", wire.HANDSHAKE_FAILURE, settings=LEAN, hello={"extensions": [EMS]}),
    Refused(
        "RI-03",
        "answer to the signal not empty",
        wire.HANDSHAKE_FAILURE,
        settings=LEAN,
        hello={"extensions": [EMS, (wire.RENEGOTIATION_INFO, b"\x0c" + bytes(12))]},
    ),
    Refused("SH-06", "signal chosen as a suite", wire.ILLEGAL_PARAMETER, settings=LEAN, suite=wire.SCSV),
    Refused("SH-06", "suite of the default profile", wire.ILLEGAL_PARAMETER, settings=LEAN, suite=0xC02C),
    Refused("SH-14", "point formats answered", wire.UNSUPPORTED_EXTENSION, settings=LEAN, extra=[(11, b"\x01\x00")]),
    Tolerated("SKE-03", "second group", settings=LEAN, group=wire.P256),
    Refused("SKE-03", "group not offered", wire.ILLEGAL_PARAMETER, settings=LEAN, group=wire.P384),
]


@both_splits
@pytest.mark.parametrize("case", CASES, ids=str)
def test_server_is_judged_as_by_any_other_client(provider: Any, case: Case, split: int | None) -> None:
    case.check(provider, split)


def test_server_with_an_rsa_certificate_alone_has_no_suite_to_choose(provider: Any) -> None:
    connection = client(provider, **LEAN)
    connection.initiate_connection()
    hello = wire.ClientHello(wire.split_records(connection.data_to_send())[0][0][2])
    assert not [code for code in hello.suites if code in keys.SUITES and keys.SUITES[code].key_type == "rsa"]


@both_splits
@pytest.mark.parametrize("by", ["ticket", "id"])
def test_session_is_resumed(provider: Any, by: str, split: int | None) -> None:
    """RESUME-04, RI-05: the signal stands in the second hello too."""
    earlier = Earlier(provider, by, settings=LEAN)
    server = Server(certificates.leaf(), known=earlier.known)
    link = drive(client(provider, sessions=earlier.store(), **LEAN), server, split)
    check_alive(link)
    assert link.client.info.session_resumed
    assert len(server.client_hello.session_id) == (1 if by == "ticket" else 32)  # TICKET-03
    assert server.client_hello.suites[-1] == wire.SCSV


@both_splits
@pytest.mark.parametrize("answer", [b"", b"\x2a" * 32, b"\x2a"], ids=["none", "usual", "short"])
def test_ticket_that_is_not_taken_leads_to_a_full_handshake(provider: Any, answer: bytes, split: int | None) -> None:
    """TICKET-04: any other ID than ours means that."""
    earlier = Earlier(provider, settings=LEAN)
    draws = [b"\x01" * 32, b"\x02"]  # the ClientHello's random, its ID

    def entropy(count: int) -> bytes:
        return draws.pop(0) if draws and len(draws[0]) == count else os.urandom(count)

    server = Server(certificates.leaf(), hello={"session_id": answer})
    link = drive(client(provider, sessions=earlier.store(), insecure_entropy=entropy, **LEAN), server, split)
    check_alive(link)
    assert server.client_hello.session_id == b"\x02"
    assert not link.client.info.session_resumed


@both_splits
@pytest.mark.parametrize("profile", ["default", "cellular"])
def test_finished_and_the_first_data_are_one_piece(provider: Any, profile: str, split: int | None) -> None:
    """HS-13: in a resumed handshake, where the server has finished already."""
    earlier = Earlier(provider, settings={"profile": profile})
    server = Server(certificates.leaf(), known=earlier.known)
    connection = client(provider, sessions=earlier.store(), profile=profile)
    connection.initiate_connection()
    server.receive(connection.data_to_send())
    for piece in pieces(server.take(), split):
        connection.receive_data(piece)
    assert connection.is_established
    connection.send_data(b"first")
    sent = connection.data_to_send()
    assert [kind for kind, _, _ in wire.split_records(sent)[0]] == [20, 22, 23]
    server.receive(sent)
    assert server.received == b"first"


def test_resumed_server_must_answer_the_signal_too(provider: Any) -> None:
    """RI-05."""
    earlier = Earlier(provider, settings=LEAN)
    server = Server(certificates.leaf(), known=earlier.known, hello={"extensions": [EMS]})
    link = drive(client(provider, sessions=earlier.store(), **LEAN), server)
    assert link.server.alerts == [(wire.FATAL, wire.HANDSHAKE_FAILURE)]
    assert not link.completed
