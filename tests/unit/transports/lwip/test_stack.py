"""Two stacks in one process, joined by a wire that may lose, double and reorder, in time of its own."""

from __future__ import annotations

import gc
import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from lighttls.errors import ConfigurationError, UsageError
from lighttls.transports.lwip import Connection, LwipError, Stack
from support import require
from support.lwip import Wire, cores, unreliable, wired

WINDOW = 44 * 1460


def payload(size: int, name: str = "payload") -> bytes:
    return hashlib.shake_256(name.encode()).digest(size)


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired() as made:
        yield made


def joined(wire: Wire, address: str = "10.77.0.2") -> tuple[Connection, Connection]:
    """A connection from the first stack to the second: both ends."""
    listener = wire.stacks[1].listen()
    ours = wire.stacks[0].connect(address, listener.port)
    wire.run(lambda: ours.established)
    theirs: list[Connection] = []
    wire.run(lambda: (one := listener.accept()) is not None and not theirs.append(one))
    listener.close()
    return ours, theirs[0]


class Pour:
    """`data` from one end to the other, as fast as both take it."""

    def __init__(self, source: Connection, sink: Connection, data: bytes, piece: int = 65536) -> None:
        self._source, self._sink, self._data, self._piece = source, sink, data, piece
        self._sent = 0
        self.arrived = bytearray()

    def __call__(self) -> bool:
        while self._sent < len(self._data):
            taken = self._source.send(self._data[self._sent : self._sent + self._piece])
            if not taken:
                break
            self._sent += taken
        while data := self._sink.receive(self._piece):
            self.arrived += data
        return len(self.arrived) >= len(self._data)


def pour(wire: Wire, source: Connection, sink: Connection, data: bytes, piece: int = 65536) -> None:
    poured = Pour(source, sink, data, piece)
    wire.run(poured)
    assert poured.arrived == data


@pytest.mark.parametrize("packets", [False, True], ids=["frames", "packets"])
@pytest.mark.parametrize("address", ["10.77.0.2", "fd77::2"])
def test_bytes_arrive_exactly_once_and_in_order_both_ways(packets: bool, address: str) -> None:
    with wired(packets=packets) as wire:
        ours, theirs = joined(wire, address)
        there, back = Pour(ours, theirs, payload(300_000)), Pour(theirs, ours, payload(200_001, "back"), 777)
        wire.run(lambda: there() & back())
        assert there.arrived == payload(300_000)
        assert back.arrived == payload(200_001, "back")


@pytest.mark.parametrize("mtu", [576, 1280, 1500, 9000])
def test_no_frame_is_longer_than_the_link_takes(mtu: int) -> None:
    longest = 0

    def note(frame: bytes) -> list[bytes]:
        nonlocal longest
        longest = max(longest, len(frame) - 14)
        return [frame]

    with wired(mtu=mtu) as wire:
        wire.mishap = note
        pour(wire, *joined(wire), payload(50_000))
    assert mtu - 100 <= longest <= mtu or longest == 1500 < mtu


@pytest.mark.parametrize(
    "chances",
    [{"lost": 0.02}, {"doubled": 0.1}, {"swapped": 0.1}, {"lost": 0.05, "doubled": 0.05, "swapped": 0.05}],
    ids=lambda chances: "-".join(chances),
)
@pytest.mark.parametrize("seed", range(100 if require.LONG else 2))
def test_lost_doubled_and_reordered_frames_change_no_byte(wire: Wire, chances: dict[str, float], seed: int) -> None:
    ours, theirs = joined(wire)
    wire.mishap = unreliable(seed, **chances)
    pour(wire, ours, theirs, payload(200_000))
    pour(wire, theirs, ours, payload(200_000, "back"))


def test_damaged_frames_are_dropped_and_sent_again(wire: Wire) -> None:
    """What a checksum of 16 bits notices; TLS notices the rest."""
    ours, theirs = joined(wire)
    count = 0

    def damage(frame: bytes) -> list[bytes]:
        nonlocal count
        count += 1
        return [frame[:-1] + bytes([frame[-1] ^ 0x40])] if count % 20 == 0 and len(frame) > 60 else [frame]

    wire.mishap = damage
    pour(wire, ours, theirs, payload(200_000))


def test_frames_of_garbage_disturb_nobody(wire: Wire) -> None:
    ours, theirs = joined(wire)
    for size in (1, 13, 14, 15, 33, 34, 53, 54, 1514, 65535, 70000):
        for seed in range(20):
            frame = payload(size, f"garbage {seed}")
            for end in wire.ends:
                end.receive(frame)
                end.receive(
                    b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02" + (b"\x08\0\x45" if seed % 2 else b"\x86\xdd\x60") + frame
                )
    wire.step()
    pour(wire, ours, theirs, payload(20_000))


@pytest.mark.parametrize("packets", [False, True], ids=["frames", "packets"])
@pytest.mark.parametrize("address", ["10.77.0.2", "fd77::2"])
@pytest.mark.parametrize("seed", range(20 if require.LONG else 2))
def test_mutilated_frames_leave_the_stack_working(seed: int, packets: bool, address: str) -> None:
    """Each frame also comes cut and altered, with its checksums as they were: most of it lwIP has to refuse."""
    chance = random.Random(seed)

    def mutilate(frame: bytes) -> list[bytes]:
        copies = [frame]
        for _ in range(3):
            altered = bytearray(frame[: chance.randrange(1, len(frame) + 1)] if chance.random() < 0.5 else frame)
            for _ in range(chance.randrange(4)):
                altered[chance.randrange(min(len(altered), 80))] = chance.randrange(256)
            copies.append(bytes(altered))
        chance.shuffle(copies)
        return copies

    with wired(packets=packets) as wire:
        ours, theirs = joined(wire, address)
        wire.mishap = mutilate
        with suppress(LwipError):  # a reset may get through: its checksum is right, or 0 for «none»
            wire.run(Pour(ours, theirs, payload(100_000)), patience=3000)
        wire.mishap = lambda frame: [frame]
        wire.pass_time(100)
        pour(wire, *joined(wire, address), payload(30_000))


def answered(query: bytes, rest: bytes) -> bytes:
    """The frame that answers a frame with a DNS query: addresses and ports changed over, no checksum of UDP."""
    question = query[42:]
    message = question[:2] + b"\x81\x80" + question[4:6] + b"\0\x01" + question[8:] + rest
    udp = query[36:38] + query[34:36] + (8 + len(message)).to_bytes(2, "big") + bytes(2) + message
    ip = bytearray(query[14:34])
    ip[2:4] = (20 + len(udp)).to_bytes(2, "big")
    ip[10:20] = bytes(2) + query[30:34] + query[26:30]
    total = sum(int.from_bytes(ip[at : at + 2], "big") for at in range(0, 20, 2))
    ip[10:12] = ((total & 0xFFFF) + (total >> 16) ^ 0xFFFF).to_bytes(2, "big")
    return query[6:12] + query[:6] + query[12:14] + bytes(ip) + udp


ADDRESS = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07"  # 192.0.2.7 for a minute


def answering(wire: Wire, rest: bytes) -> Callable[[bytes], list[bytes]]:
    """A DNS server that says the same of every name of the first stack's."""

    def mishap(frame: bytes) -> list[bytes]:
        if frame[36:38] != b"\0\x35":
            return [frame]
        wire.ends[0].receive(answered(frame, rest))
        return []

    return mishap


def test_answer_of_the_dns_server_is_found(wire: Wire) -> None:
    wire.stacks[0].set_dns_servers("10.77.0.2")
    wire.mishap = answering(wire, ADDRESS)
    found = wire.stacks[0].lookup("one.example")
    wire.run(found.result)
    assert found.result() == "192.0.2.7"


def test_next_stack_has_forgotten_what_the_dns_said_to_the_last() -> None:
    for rest, expected in ((ADDRESS, "192.0.2.7"), (ADDRESS[:-1] + b"\x08", "192.0.2.8")):
        with wired() as wire:
            wire.stacks[0].set_dns_servers("10.77.0.2")
            wire.mishap = answering(wire, rest)
            asked = wire.stacks[0].lookup("same.example")
            unanswered = wire.stacks[0].lookup("other.example")
            wire.run(asked.result)
            assert asked.result() == expected
            del unanswered


@pytest.mark.parametrize("seed", range(200 if require.LONG else 10))
def test_mutilated_answers_of_a_dns_server_end_in_an_address_or_an_error(wire: Wire, seed: int) -> None:
    chance = random.Random(seed)
    wire.stacks[0].set_dns_servers("10.77.0.2")

    def lie(frame: bytes) -> list[bytes]:
        if frame[36:38] != b"\0\x35":
            return [frame]
        answer = bytearray(answered(frame, ADDRESS * chance.randrange(3)))
        for _ in range(chance.randrange(1, 5)):
            answer[chance.randrange(44, len(answer))] = chance.choice((0, 1, 0x3F, 0xC0, 0xFF, chance.randrange(256)))
        wire.ends[0].receive(
            bytes(answer[: chance.randrange(44, len(answer) + 1)] if chance.random() < 0.3 else answer)
        )
        return []

    wire.mishap = lie
    asked = wire.stacks[0].lookup(f"{'a' * (seed % 60 + 1)}.{seed}.example")
    with suppress(LwipError):
        wire.run(asked.result)
    asked.abort()


def test_peer_stops_at_the_window_while_nobody_takes(wire: Wire) -> None:
    ours, theirs = joined(wire)
    data = payload(300_000)
    sent = 0
    for _ in range(50):
        sent += ours.send(data[sent:])
        wire.pass_time(1.0)
    assert theirs.waiting == WINDOW
    assert ours.room == 0
    assert sent == 2 * WINDOW  # what waits there, and what waits here
    arrived = b""
    while len(arrived) < len(data):
        arrived += theirs.receive(1000) or b""
        sent += ours.send(data[sent:])
        wire.pass_time(0.01)
    assert arrived == data


def test_window_closed_for_an_hour_opens_again_though_its_update_is_lost(wire: Wire) -> None:
    ours, theirs = joined(wire)
    while ours.send(bytes(60000)):
        wire.pass_time(1.0)
    wire.pass_time(3600)
    wire.mishap = lambda frame: []
    assert theirs.receive(WINDOW)
    wire.step()
    wire.mishap = lambda frame: [frame]
    wire.run(lambda: ours.room > 0)


def test_closed_port_refuses(wire: Wire) -> None:
    ours = wire.stacks[0].connect("10.77.0.2", 9)
    with pytest.raises(LwipError, match="TCP: not connected: the peer reset it") as failure:
        wire.run(lambda: ours.established)
    assert failure.value.layer == failure.value.context["layer"] == "TCP"
    assert not failure.value.timed_out


def test_host_that_is_not_there_is_given_up(wire: Wire) -> None:
    ours = wire.stacks[0].connect("10.77.0.9", 9)
    with pytest.raises(LwipError, match="nobody answers") as failure:
        wire.run(lambda: ours.established)
    assert failure.value.timed_out


def test_address_without_a_link_is_refused_at_once() -> None:
    stack = Stack(cores()[0])
    try:
        with pytest.raises(LwipError, match=r"IP: there is no way to 192\.0\.2\.1"):
            stack.connect("192.0.2.1", 443)
    finally:
        stack.close()


def test_reset_in_the_middle_comes_after_what_arrived_before(wire: Wire) -> None:
    ours, theirs = joined(wire)
    theirs.send(b"last words")
    wire.run(lambda: ours.waiting)
    theirs.abort()
    wire.step()
    assert ours.receive(100) == b"last words"
    for _ in range(2):
        with pytest.raises(LwipError, match="the connection is lost: the peer reset it"):
            ours.receive(100)
        with pytest.raises(LwipError, match="reset"):
            ours.send(b"more")


def test_end_comes_after_what_arrived_before_and_stays(wire: Wire) -> None:
    ours, theirs = joined(wire)
    theirs.send(b"goodbye")
    theirs.close()
    wire.run(lambda: ours.waiting)
    wire.step()
    assert ours.receive(3) == b"goo"
    assert ours.receive(100) == b"dbye"
    assert ours.receive(100) == b""
    wire.pass_time(600)
    assert ours.receive(100) == b""


@pytest.mark.parametrize("first", [0, 1])
def test_half_closed_connection_carries_the_other_half(wire: Wire, first: int) -> None:
    ends = joined(wire)
    ours, theirs = ends[first], ends[1 - first]
    ours.shutdown()
    wire.run(lambda: theirs.receive(1) == b"")
    pour(wire, theirs, ours, payload(100_000))
    theirs.shutdown()
    wire.run(lambda: ours.receive(1) == b"")
    assert ours.send(b"too late") == theirs.send(b"too late") == 0
    wire.pass_time(300)  # longer than TIME_WAIT: lwIP has freed all it had
    assert ours.receive(1) == theirs.receive(1) == b""
    ours.close()
    theirs.close()


def test_both_ends_that_close_at_once_are_rid_of_each_other(wire: Wire) -> None:
    ours, theirs = joined(wire)
    ours.shutdown()
    theirs.shutdown()
    wire.run(lambda: ours.receive(1) == b"" and theirs.receive(1) == b"")
    wire.pass_time(300)
    ours.close()
    theirs.close()
    assert [stack.lingering for stack in wire.stacks] == [0, 0]


def test_closed_connection_still_delivers_what_was_sent(wire: Wire) -> None:
    ours, theirs = joined(wire)
    assert ours.send(payload(40_000)) == 40_000
    ours.close()
    assert wire.stacks[0].lingering == 1
    arrived = bytearray()

    def ended() -> bool:
        while data := theirs.receive(5000):
            arrived.extend(data)
        return data == b""

    wire.run(ended)
    assert arrived == payload(40_000)
    assert wire.stacks[0].lingering == 0


def test_link_that_is_gone_ends_the_connection_in_the_end(wire: Wire) -> None:
    ours, _theirs = joined(wire)
    wire.mishap = lambda frame: []
    ours.send(b"anybody there?")
    with pytest.raises(LwipError, match="the peer confirms nothing") as failure:
        wire.run(lambda: ours.receive(1), patience=3600)
    assert failure.value.timed_out


def test_removed_link_ends_its_connections(wire: Wire) -> None:
    ours, _theirs = joined(wire)
    wire.ends[0].remove()
    with pytest.raises(LwipError, match="TCP"):
        ours.receive(1)
    with pytest.raises(UsageError, match="removed"):
        wire.ends[0].receive(b"frame")
    wire.ends[0] = wire.stacks[0].add_interface(mac=None)


def test_many_connections_at_once_keep_apart(wire: Wire) -> None:
    pairs = [joined(wire) for _ in range(50)]
    pours = [
        Pour(*(ends if number % 2 else ends[::-1]), payload(5000 + number, str(number)))
        for number, ends in enumerate(pairs)
    ]
    wire.run(lambda: min([each() for each in pours]))
    for number, each in enumerate(pours):
        assert each.arrived == payload(5000 + number, str(number))


def test_callers_beyond_the_backlog_wait_and_then_come_in(wire: Wire) -> None:
    listener = wire.stacks[1].listen(backlog=2)
    callers = [wire.stacks[0].connect("10.77.0.2", listener.port) for _ in range(5)]
    wire.pass_time(6)
    assert sum(caller.established for caller in callers) == 2
    accepted = []
    wire.run(lambda: (one := listener.accept()) is not None and (accepted.append(one), len(accepted) == 5)[1])
    wire.run(lambda: all(caller.established for caller in callers))


def test_listener_that_closes_resets_who_waits(wire: Wire) -> None:
    listener = wire.stacks[1].listen()
    ours = wire.stacks[0].connect("10.77.0.2", listener.port)
    wire.run(lambda: ours.established)
    wire.step()
    listener.close()
    with pytest.raises(LwipError, match="reset"):
        wire.run(lambda: ours.receive(1))


def test_port_in_use_is_refused(wire: Wire) -> None:
    listener = wire.stacks[0].listen()
    with pytest.raises(LwipError, match=f"cannot listen at port {listener.port}"):
        wire.stacks[0].listen(listener.port)


def test_connection_that_nobody_refers_to_is_reset(wire: Wire) -> None:
    ours, theirs = joined(wire)
    ours.send(b"x")
    del ours
    gc.collect()
    with pytest.raises(LwipError, match="reset"):
        wire.run(lambda: theirs.receive(1) is None and theirs.check())


def test_connection_lives_while_it_is_referred_to(wire: Wire) -> None:
    ours, theirs = joined(wire)
    for _ in range(4):
        gc.collect()
        wire.pass_time(1000)
        pour(wire, ours, theirs, payload(100))


def test_use_after_close_is_a_usage_error(wire: Wire) -> None:
    ours, theirs = joined(wire)
    ours.close()
    ours.close()
    ours.abort()
    for use in (lambda: ours.send(b"x"), lambda: ours.receive(1), ours.shutdown, ours.check, lambda: ours.room):
        with pytest.raises(UsageError, match="connection was closed"):
            use()
    for stack in wire.stacks:
        stack.close()
        stack.close()
    for use in (lambda: theirs.receive(1), wire.stacks[1].run, lambda: wire.stacks[1].connect("10.77.0.1", 9)):
        with pytest.raises(UsageError, match="closed"):
            use()


def test_one_copy_of_lwip_is_one_stack(wire: Wire) -> None:
    with pytest.raises(UsageError, match="in use by another Stack"):
        Stack(cores()[0])


def test_clock_of_the_next_stack_may_start_anywhere() -> None:
    for start in (1e6, 0.0, 5e9):
        stack = Stack(cores()[0], clock=lambda start=start: start)  # type: ignore[misc]
        stack.run()
        stack.close()
    with wired() as wire:
        pour(wire, *joined(wire), payload(1000))


def test_time_wraps_around_without_a_stop(wire: Wire) -> None:
    """After 49.7 days the count of milliseconds starts again."""
    ours, theirs = joined(wire)
    for _ in range(60):
        wire.clock.seconds += 86_400
        pour(wire, ours, theirs, payload(3000))


@pytest.mark.parametrize("address", ["10.1.2.3", "10.1.2.3/", "10.1.2.3/33", "::1/129", "nowhere/24", "fd00::1/48"])
def test_address_that_is_none_is_refused(wire: Wire, address: str) -> None:
    with pytest.raises(ConfigurationError):
        wire.ends[0].add_address(address)


def test_settings_out_of_range_are_refused(wire: Wire) -> None:
    stack = wire.stacks[0]
    refused: list[Any] = [
        lambda: stack.add_interface(mac=b"short"),
        lambda: stack.add_interface(mac=None, mtu=100),
        lambda: stack.set_dns_servers("a.name"),
        lambda: stack.set_dns_servers("192.0.2.1", "192.0.2.2", "192.0.2.3"),
        lambda: wire.ends[0].set_gateway("a.name"),
    ]
    for setting in refused:
        with pytest.raises(ConfigurationError):
            setting()


def test_ports_and_sequence_numbers_cannot_be_guessed(wire: Wire) -> None:
    seen: list[tuple[int, int]] = []

    def note(frame: bytes) -> list[bytes]:
        if frame[12:14] == b"\x08\0" and frame[23] == 6 and frame[47] & 0x12 == 2:  # a TCP SYN
            seen.append((int.from_bytes(frame[34:36]), int.from_bytes(frame[38:42])))
        return [frame]

    wire.mishap = note
    for _ in range(8):
        joined(wire)[0].abort()
    assert len({number for _, number in seen}) == len(seen) == 8
    steps = {(after[1] - before[1]) % 2**32 // 2**24 for before, after in pairwise(seen)}
    assert len(steps) > 2, "sequence numbers follow each other"


def test_unbuilt_extension_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lighttls.transports.lwip._core", None)
    with pytest.raises(ConfigurationError, match="lwIP is not built") as failure:
        Stack()
    assert "LIGHTTLS_LWIP_SOURCE" in failure.value.hint


def test_stack_takes_any_module_of_that_shape() -> None:
    core = SimpleNamespace(lib=cores()[0].lib, ffi=cores()[0].ffi)
    Stack(core).close()
    assert core.stack is None
