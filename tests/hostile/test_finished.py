"""Finished, and the derivations behind it (FIN, EMS)."""

from __future__ import annotations

import pytest

from hostile import keys, wire
from hostile.cases import Refused, Tolerated, both_splits
from hostile.server import FIRST, SECOND, Server
from hostile.steps import message

EC, EC_SHA384, CHACHA = 0xC02B, 0xC02C, 0xCCA9


def finished(data: bytes):
    return {"finished": lambda _: wire.handshake(wire.FINISHED, data)}


def flipped(place: int):
    def change(message: bytes) -> bytes:
        changed = bytearray(message)
        changed[4 + place] ^= 0x01
        return bytes(changed)

    return {"finished": change}


def computed(label: bytes, **changes: object):
    """A Finished over the right or another transcript, with any label and secret."""

    def step(server: Server) -> bytes:
        transcript = changes.get("transcript", lambda server: server.transcript)(server)
        master = changes.get("master", lambda server: server.master)(server)
        data = keys.verify_data(str(changes.get("hash", server.suite.hash)), master, label, transcript)
        return message(wire.handshake(wire.FINISHED, data))(server)

    return ["change_cipher_spec", step]


def reflected(server: Server) -> bytes:
    """The client's own protected Finished, as it came."""
    return server.finished_record


def without_client_finished(server: Server) -> bytes:
    return server.transcript[: -len(server.client_messages[-1])]


REFUSED = [
    *(Refused("FIN-01", f"byte {place} flipped", wire.DECRYPT_ERROR, edit=flipped(place)) for place in range(12)),
    Refused("FIN-01", "all zero", wire.DECRYPT_ERROR, edit=finished(bytes(12))),
    *(
        Refused("FIN-01", f"{what} with suite 0x{suite:04x}", wire.DECRYPT_ERROR, suite=suite, second=second)
        for suite in (EC, EC_SHA384, CHACHA)
        for what, second in (
            ("label of the client", computed(b"client finished")),
            ("transcript without our finished", computed(b"server finished", transcript=without_client_finished)),
            ("empty transcript", computed(b"server finished", transcript=lambda server: b"")),
            ("empty master secret", computed(b"server finished", master=lambda server: b"")),
        )
    ),
    Refused(
        "FIN-01",
        "hash of another suite",
        wire.DECRYPT_ERROR,
        suite=EC_SHA384,
        second=computed(b"server finished", hash="sha256"),
    ),
    *(
        Refused(
            "FIN-02",
            f"{length} bytes",
            wire.DECRYPT_ERROR,
            edit={"finished": lambda m, length=length: wire.handshake(20, (m[4:] + bytes(32))[:length])},
        )
        for length in (0, 1, 11, 13, 32, 36)
    ),
    Refused("FIN-03", "without ccs", wire.UNEXPECTED_MESSAGE, second=["finished", "change_cipher_spec"]),
    Refused("FIN-04", "our own record reflected", wire.BAD_RECORD_MAC, second=["change_cipher_spec", reflected]),
    Refused("FIN-05", "ccs and finished after hello", wire.UNEXPECTED_MESSAGE, first=["server_hello", *SECOND]),
    Refused("FIN-05", "ccs and finished after certificate", wire.UNEXPECTED_MESSAGE, first=[*FIRST[:2], *SECOND]),
    Refused("FIN-05", "ccs and finished after key exchange", wire.UNEXPECTED_MESSAGE, first=[*FIRST[:3], *SECOND]),
    Refused("FIN-05", "ccs and finished before hello", wire.UNEXPECTED_MESSAGE, first=[*SECOND, *FIRST]),
    Refused("HS-03", "finished twice", wire.UNEXPECTED_MESSAGE, tail=["finished"]),
]

TOLERATED = [
    *(
        Tolerated(
            "EMS-03",
            f"{suite.name}, extended {ems}",
            leaf={"ec": "p256", "rsa": "rsa2048"}[suite.key_type],
            suite=suite.code,
            extended_master_secret=ems,
            request=asks,
        )
        for suite in keys.SUITES.values()
        for ems in (True, False)
        for asks in (False, True)
    ),
    *(
        Tolerated(
            "REC-16",
            f"finished in pieces of {size}",
            second=["change_cipher_spec", lambda server, size=size: in_pieces(server, size)],
        )
        for size in (1, 4, 15)
    ),
]


def in_pieces(server: Server, size: int) -> bytes:
    """The right Finished over several protected records."""
    data = keys.verify_data(server.suite.hash, server.master, b"server finished", server.transcript)
    value = wire.handshake(wire.FINISHED, data)
    server.transcript += value
    return b"".join(server.protect(wire.HANDSHAKE, value[start : start + size]) for start in range(0, len(value), size))


@both_splits
@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_wrong_finished_is_refused(case, provider, split):
    case.check(provider, split)


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_right_finished_completes(case, provider, split):
    link = case.check(provider, split)
    assert link.client.info.extended_master_secret == link.server.ems
