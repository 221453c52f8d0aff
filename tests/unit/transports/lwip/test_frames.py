"""Frames that are lost, doubled, reordered, damaged or lies: what lwIP makes of a bad link, and of a hostile one."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from lighttls.transports.lwip import LwipError
from support import require
from support.lwip import Pour, Wire, joined, payload, pour, unreliable, wired


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
