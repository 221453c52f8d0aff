"""What a peer can make lwIP hold: counted in bytes of the C library's heap."""

from __future__ import annotations

import ctypes
import gc
import platform

import pytest

from support.lwip import Wire, joined

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this processor has no glibc to be asked")

CONNECTION = 66_000  # the window, and lwIP's own of a connection
MANY = 2000


class MallInfo(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


def in_use() -> int:
    """Bytes that malloc has given out."""
    gc.collect()
    ask = ctypes.CDLL(None).mallinfo2
    ask.restype = MallInfo
    told = ask()
    return int(told.uordblks + told.hblkhd)


def test_segments_of_one_byte_that_nobody_takes_cost_no_more_than_the_window(wire: Wire) -> None:
    ours, theirs = joined(wire)
    before = in_use()
    for _ in range(MANY):
        wire.run(lambda: ours.send(b"x"))
        while wire.step():
            pass
    assert theirs.waiting == MANY
    assert in_use() - before < 100_000


def test_segments_out_of_order_are_held_in_a_bounded_number(wire: Wire) -> None:
    ours, theirs = joined(wire)
    ours.send(b"lost")
    wire.ends[0].frames_to_send()
    before = in_use()
    for _ in range(MANY):
        if not ours.send(b"x"):
            break
        for frame in wire.ends[0].frames_to_send():
            wire.ends[1].receive(frame)
        wire.ends[1].frames_to_send()
    assert theirs.waiting == 0
    assert in_use() - before < 100_000  # with what waits here to be confirmed


def test_frames_that_nobody_fetches_are_dropped_beyond_a_bound(wire: Wire) -> None:
    joined(wire)
    before = in_use()
    echo = wire.ends[0]
    request = bytes.fromhex("020000000001 020000000002 0800")
    body = bytes.fromhex("4500 05dc 0000 0000 4001 0000 0a4d0002 0a4d0001")
    total = sum(int.from_bytes(body[at : at + 2]) for at in range(0, 20, 2))
    total = (total & 0xFFFF) + (total >> 16)
    ping = b"\x08\0\xf7\xff" + bytes(1476)
    packet = request + body[:10] + (total ^ 0xFFFF).to_bytes(2) + body[12:] + ping
    for _ in range(MANY):
        echo.receive(packet)
    assert in_use() - before < 300_000
    assert 100 < len(echo.frames_to_send()) < 200


def test_connections_that_are_over_leave_nothing(wire: Wire) -> None:
    def once() -> None:
        ours, theirs = joined(wire)
        ours.send(b"hello")
        wire.run(lambda: theirs.receive(5))
        theirs.send(b"unread")
        ours.close()
        wire.pass_time(0.1)
        theirs.close()

    once()
    wire.pass_time(300)
    before = in_use()
    for _ in range(200):
        once()
    wire.pass_time(300)  # until TIME_WAIT is over
    assert in_use() - before < 2 * CONNECTION


def test_callers_that_nobody_accepts_are_bounded(wire: Wire) -> None:
    listener = wire.stacks[1].listen(backlog=4)
    callers = [wire.stacks[0].connect("10.77.0.2", listener.port) for _ in range(4)]
    wire.pass_time(5)
    before = in_use()
    for _ in range(50):
        caller = wire.stacks[0].connect("10.77.0.2", listener.port)
        wire.pass_time(0.5)
        caller.abort()
    assert in_use() - before < 2 * CONNECTION
    assert all(caller.established for caller in callers)


def test_callers_that_reset_before_anybody_accepts_leave_nothing(wire: Wire) -> None:
    listener = wire.stacks[1].listen(backlog=4)
    before = in_use()
    for _ in range(50):
        caller = wire.stacks[0].connect("10.77.0.2", listener.port)
        wire.run(lambda: caller.established)  # noqa: B023
        caller.abort()
        while wire.step():
            pass
    assert in_use() - before < 2 * CONNECTION
    assert listener.accept() is None


def test_packets_for_a_neighbour_that_nobody_knows_do_not_pile_up(wire: Wire) -> None:
    """Each ping has an answer, which waits for the address of whoever asked."""
    source, target = bytes.fromhex("fd77" + 13 * "00" + "99"), bytes.fromhex("fd77" + 13 * "00" + "01")
    ping = b"\x80\0\0\0" + bytes(1404)
    total = sum(bytes_in_pairs(source + target + len(ping).to_bytes(4, "big") + b"\0\0\0\x3a" + ping))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    ping = ping[:2] + (total ^ 0xFFFF).to_bytes(2, "big") + ping[4:]
    ethernet = bytes.fromhex("020000000001 020000000099 86dd")
    packet = ethernet + b"\x60\0\0\0" + len(ping).to_bytes(2, "big") + b"\x3a\x40" + source + target + ping
    before = in_use()
    for _ in range(MANY):
        wire.ends[0].receive(packet)
        wire.ends[0].frames_to_send()
    assert 1000 < in_use() - before < 100_000


def bytes_in_pairs(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
