"""Whatever an owner does, and whenever the timer strikes: nothing is lost, doubled or out of order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile import certificates, wire
from hostile.server import Server
from hostile.sessions import Earlier
from hostile.test_faces import Timer, Wire, config
from hostile.test_false_start import GCM, acquainted
from lighttls import LightTLSError, Stream
from support import engines

STEPS = st.lists(st.sampled_from(["send", "receive", "flush", "expire", "break", "mend"]), max_size=8)
PREPARED: dict[str, Any] = {}


def opened(kind: str) -> tuple[Wire, Stream, Timer]:
    """A connection whose last flight is held; what comes before is made once."""
    provider = engines.provider(engines.ENGINES[0])
    if kind not in PREPARED:
        PREPARED[kind] = Earlier(provider) if kind == "resumed" else acquainted(provider)
    made = PREPARED[kind]
    if kind == "resumed":
        link, settings = Wire(Server(certificates.leaf(), known=made.known)), config(provider, sessions=made.store())
    else:
        link, settings = Wire(Server(certificates.leaf(), suite=GCM)), made
    timer = Timer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stream, "_start_timer", timer)
        return link, Stream(link, settings, certificates.HOST, timeout=0.001), timer


@pytest.mark.parametrize("kind", ["resumed", "false start"])
@given(steps=STEPS, part=st.integers(0, 60))
def test_server_reads_what_was_sent_until_the_link_broke(kind: str, steps: list[str], part: int) -> None:
    link, tls, timer = opened(kind)
    sent, received, broken = b"", b"", False
    assert link.pieces == []
    for number, step in enumerate(steps):
        piece = bytes([number]) * 3
        try:
            if step == "send":
                tls.sendall(piece)
                sent += piece
            elif step == "receive" and len(received) < len(sent):
                received += tls.recv(2)
            elif step == "flush":
                tls.flush()
            elif step == "expire":
                timer.expire()
            elif step == "break" and link.fault is None:
                link.fault, link.takes = ConnectionResetError("reset"), part
            elif step == "mend":
                link.fault = link.takes = None
        except LightTLSError:
            broken = True
    before = len(link.sent)
    link.fault = link.takes = None
    tls.close()
    assert link.closed
    assert sent.startswith(received)
    if broken:
        assert len(link.sent) == before
        assert sent.startswith(link.server.received)
    elif not any("break" in step for step in steps):
        assert link.server.received == sent
        assert link.server.alerts == [(wire.WARNING, 0)]
