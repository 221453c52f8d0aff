"""Two stacks in one process, joined by a wire, in time of their own."""

from __future__ import annotations

import gc
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from lighttls.errors import ConfigurationError, UsageError
from lighttls.transports.lwip import LwipError, Stack
from support.lwip import Pour, Wire, cores, joined, payload, pour, wired

WINDOW = 44 * 1460


@pytest.mark.parametrize("packets", [False, True], ids=["frames", "packets"])
@pytest.mark.parametrize("address", ["10.77.0.2", "fd77::2"])
def test_bytes_arrive_exactly_once_and_in_order_both_ways(packets: bool, address: str) -> None:
    with wired(packets=packets) as wire:
        ours, theirs = joined(wire, address)
        there, back = Pour(ours, theirs, payload(300_000)), Pour(theirs, ours, payload(200_001, "back"), 777)
        wire.run(lambda: there() & back())
        assert there.arrived == payload(300_000)
        assert back.arrived == payload(200_001, "back")


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
    for sender in (ours, theirs):
        with pytest.raises(UsageError, match="our end of the stream was sent"):
            sender.send(b"too late")
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


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_caller_that_resets_before_it_is_accepted_is_not_accepted(wire: Wire, gone: int) -> None:
    listener = wire.stacks[1].listen()
    callers = [wire.stacks[0].connect("10.77.0.2", listener.port) for _ in range(3)]
    wire.run(lambda: all(caller.established for caller in callers))
    wire.pass_time(1)
    callers.pop(gone).abort()
    wire.pass_time(1)
    callers.append(wire.stacks[0].connect("10.77.0.2", listener.port))
    wire.run(lambda: callers[-1].established)
    wire.pass_time(1)
    accepted = [listener.accept() for _ in callers]
    assert [one and one.peer_port for one in accepted] == [caller.port for caller in callers]
    assert listener.accept() is None


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


def test_stack_that_nobody_refers_to_leaves_its_copy_of_lwip_to_the_next_one() -> None:
    for _ in range(3):
        stack = Stack(cores()[0])
        link = stack.add_interface(mac=bytes(6))
        link.add_address("10.77.0.9/24")
        listener, caller = stack.listen(7), stack.connect("10.77.0.1", 7)
        with pytest.raises(UsageError, match="in use"):
            Stack(cores()[0])
        del stack, link, listener, caller
    with wired() as wire:
        wire.stacks[0].listen(7)
        pour(wire, *joined(wire), payload(1000))


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


WRONG = ["10.1.2.3", "10.1.2.3/", "10.1.2.3/33", "10.1.2.3/9999999999", "10.1.2.3/\u0662\u0664", "10.1.2/24"]
WRONG += ["10.1.2.3 and more/24", "10.1.2.3\0/24", "::1/129", "nowhere/24", "fd00::1/48", "fd00::1zz/64"]


@pytest.mark.parametrize("address", WRONG)
def test_address_that_is_none_is_refused(wire: Wire, address: str) -> None:
    interface = wire.stacks[0].add_interface(mac=None)
    with pytest.raises(ConfigurationError):
        interface.add_address(address)


def test_settings_out_of_range_are_refused(wire: Wire) -> None:
    stack = wire.stacks[0]
    refused: list[Any] = [
        lambda: stack.add_interface(mac=b"short"),
        lambda: stack.add_interface(mac=None, mtu=100),
        lambda: stack.set_dns_servers("a.name"),
        lambda: stack.set_dns_servers("192.0.2.1", "192.0.2.2", "192.0.2.3"),
        lambda: wire.ends[0].set_gateway("a.name"),
        lambda: wire.ends[0].set_gateway("10.77.0.9 and more"),
        lambda: wire.ends[0].set_gateway("fd77::9zz"),
        lambda: stack.set_dns_servers("10.77"),
        lambda: stack.add_interface(mac=None, mtu=1500.5),  # type: ignore[arg-type]
    ]
    for setting in refused:
        with pytest.raises(ConfigurationError):
            setting()


def test_second_address_of_ipv4_is_refused_and_the_first_one_stays(wire: Wire) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot have the address '10\.78\.0\.1/24'"):
        wire.ends[0].add_address("10.78.0.1/24")
    joined(wire)


def test_target_beyond_the_network_takes_a_gateway(wire: Wire) -> None:
    with pytest.raises(LwipError, match=r"IP: there is no way to 192\.0\.2\.1") as failure:
        wire.stacks[0].connect("192.0.2.1", 9)
    assert "gateway" in failure.value.hint
    wire.ends[0].set_gateway("10.77.0.2")
    wire.stacks[0].connect("192.0.2.1", 9)


@pytest.mark.parametrize("address", ["10.77", "10.77.0.2 and more", "10.77.0.2\0", "fd77::2zz", "name"])
def test_peer_that_has_no_whole_address_is_refused(wire: Wire, address: str) -> None:
    with pytest.raises(LwipError, match="that is no address"):
        wire.stacks[0].connect(address, 9)


@pytest.mark.parametrize("count", [0, -1])
def test_receiving_no_byte_is_a_usage_error_and_not_the_end(wire: Wire, count: int) -> None:
    ours, theirs = joined(wire)
    theirs.send(b"x")
    wire.run(lambda: ours.waiting)
    with pytest.raises(UsageError, match="at least one byte"):
        ours.receive(count)
    assert ours.receive(1) == b"x"


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
