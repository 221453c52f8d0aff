"""PPP between two stacks: what both sides agree on, how it ends, and that a bad line costs time but no byte."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lighttls import ConfigurationError, UsageError
from lighttls.testing.modem.ppp import AnsweringPpp
from lighttls.transports.lwip import Connection, LwipError, PppError, PppInterface, Stack
from support.lwip import Together, cores

ASKS = {"user": "user", "password": "secret"}
Noise = Callable[[bytes], bytes]


class Line(Together):
    """A client and a server with a serial line between them. `noise` alters what passes, in both directions."""

    def __init__(self, client: dict[str, str], server: dict[str, str]) -> None:
        super().__init__()
        self.client = PppInterface(self.stacks[0], **client)
        self.server = AnsweringPpp(self.stacks[1], **server)
        self.noise: Noise = lambda data: data
        self.carried = self.largest_burst = 0
        self.open()

    def open(self) -> None:
        self.server.open()
        self.client.open()

    def step(self) -> bool:
        moved = False
        for here, there in ((self.client, self.server), (self.server, self.client)):
            burst = here.frames_to_send()
            self.largest_burst = max(self.largest_burst, sum(map(len, burst)))
            for data in burst:
                moved = True
                self.carried += len(data)
                if arrived := self.noise(data):
                    there.receive(arrived)
        while self.server.call():
            self.server.admit()
        return moved

    def come_up(self) -> None:
        self.run(lambda: self.client.up and self.server.up)

    def failure(self) -> PppError:
        """What ends the client's link."""
        self.run(lambda: self.client.error)
        assert self.client.error is not None
        return self.client.error

    def connection(self, address: str = "192.0.2.80", port: int = 443) -> tuple[Connection, Connection]:
        """Both ends of a TCP connection, to an address that nobody has been given."""
        listener = self.stacks[1].listen(port)
        ours = self.stacks[0].connect(address, port)
        accepted: list[Connection] = []

        def answered() -> bool:
            if theirs := listener.accept():
                accepted.append(theirs)
            return bool(accepted) and ours.established

        self.run(answered)
        listener.close()
        return ours, accepted[0]

    def transfer(self, data: bytes) -> tuple[bytes, bytes]:
        """The same bytes both ways at once; what arrived."""
        ends = self.connection()
        left, got = [data, data], [b"", b""]

        def done() -> bool:
            for number in (0, 1):
                if left[number]:
                    left[number] = left[number][ends[number].send(left[number]) :]
                if arrived := ends[1 - number].receive(65536):
                    got[number] += arrived
            return all(len(one) == len(data) for one in got)

        self.run(done, patience=3600)
        return got[0], got[1]

    def close(self) -> None:
        for stack in self.stacks:
            stack.close()


def pretend(monkeypatch: pytest.MonkeyPatch, link: Line, function: str, value: int) -> None:
    """Have one function of the client's lwIP say something else."""
    lib = link.stacks[0].lib

    class Lib:
        def __getattr__(self, name: str) -> Any:
            return (lambda handle: value) if name == function else getattr(lib, name)

    monkeypatch.setattr(link.client, "_lib", Lib())


@contextmanager
def line(client: dict[str, str] | None = None, server: dict[str, str] | None = None) -> Iterator[Line]:
    made = Line(client or {}, server or {})
    try:
        yield made
    finally:
        made.close()


def noisy(seed: int, *, flipped: float = 0.0, lost: float = 0.0) -> Noise:
    """Chances for each byte."""
    chance = random.Random(seed)

    def noise(data: bytes) -> bytes:
        heard = bytearray()
        for byte in data:
            drawn = chance.random()
            if drawn >= lost:
                heard.append(byte ^ (1 << chance.randrange(8)) if drawn < lost + flipped else byte)
        return bytes(heard)

    return noise


# --- coming up ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["pap", "chap", "either"])
@pytest.mark.parametrize("demanded", ["pap", "chap"])
def test_link_comes_up_with_the_method_that_is_demanded(method: str, demanded: str) -> None:
    with line(ASKS | {"authentication": method}, ASKS | {"authentication": demanded}) as link:
        if method in ("either", demanded):
            link.come_up()
            assert (link.client.address, link.client.peer) == ("10.64.0.2", "10.64.0.1")
            assert link.client.dns_server == "10.64.0.53"
            assert link.carried < 1000
        else:
            failure = link.failure()
            assert failure.layer == "PPP link"
            assert "before it gave an address" in str(failure)
            assert "authentication=" in str(failure.hint)


def test_link_without_a_user_comes_up_where_none_is_demanded() -> None:
    with line() as link:
        link.come_up()
        assert link.client.address == "10.64.0.2"


@pytest.mark.parametrize("method", ["pap", "chap"])
@pytest.mark.parametrize("wrong", [{"password": "another"}, {"user": "another"}])
def test_wrong_user_or_password_is_named_authentication(method: str, wrong: dict[str, str]) -> None:
    with line(ASKS | {"authentication": method} | wrong, ASKS | {"authentication": method}) as link:
        failure = link.failure()
        assert failure.layer == "PPP authentication"
        assert failure.code == 7
        assert "authentication=" in str(failure.hint)
        assert failure.context == {"layer": "PPP authentication", "code": 7}


def test_user_that_is_missing_where_one_is_demanded_is_hinted_at() -> None:
    with line({}, ASKS) as link:
        failure = link.failure()
        assert "before it gave an address" in str(failure)
        assert "user=" in str(failure.hint)


def test_password_is_on_the_line_with_pap_and_not_with_chap() -> None:
    for method, there in (("pap", True), ("chap", False)):
        with line(ASKS | {"authentication": method}, ASKS | {"authentication": method}) as link:
            heard: list[bytes] = []
            link.noise = lambda data, heard=heard: heard.append(data) or data  # type: ignore[misc]
            link.come_up()
            assert (b"secret" in b"".join(heard)) == there


def test_every_address_and_port_behind_the_link_can_be_called() -> None:
    with line() as link:
        link.come_up()
        for address, port in (("192.0.2.80", 443), ("8.8.8.8", 8883), ("10.64.0.1", 80)):
            ours, theirs = link.connection(address, port)
            assert theirs.peer_port == ours.port


# --- how it ends ---------------------------------------------------------------------------------------


def test_close_is_agreed_on_and_the_link_comes_up_again() -> None:
    with line(ASKS, ASKS) as link:
        link.come_up()
        link.client.close()
        link.run(lambda: link.client.finished and link.server.finished)
        assert link.client.error is not None
        assert "closed by us" in str(link.client.error)
        assert link.server.error is not None
        assert link.server.error.code == 6
        assert not link.client.address
        link.open()
        assert link.client.error is None
        link.come_up()


def test_peer_that_ends_the_link_is_named() -> None:
    with line() as link:
        link.come_up()
        link.server.close()
        failure = link.failure()
        assert (failure.layer, failure.code) == ("PPP link", 6)
        assert "the other side ended it" in str(failure)


def test_peer_that_is_gone_without_a_word_is_noticed_by_its_silence() -> None:
    with line() as link:
        link.come_up()
        ours, _ = link.connection()
        before = link.clock.seconds
        link.noise = lambda data: b""
        failure = link.failure()
        assert (failure.layer, failure.code) == ("serial line", 9)
        link.run(lambda: link.client.finished)
        assert str(link.client.error) == str(failure)
        assert 60 < link.clock.seconds - before < 200
        with pytest.raises(LwipError):
            ours.check()


def test_line_that_only_echoes_is_told_from_a_peer() -> None:
    with line() as link:
        for _ in range(400):
            for data in link.client.frames_to_send():
                link.client.receive(data)
            link.stacks[0].run()
            link.clock.seconds += 0.5
        assert link.client.error is not None
        assert (link.client.error.layer, link.client.error.code) == ("serial line", 12)


def test_line_where_nobody_answers_is_named_after_a_minute() -> None:
    with line() as link:
        link.noise = lambda data: b""
        failure = link.failure()
        assert failure.layer == "PPP link"
        assert failure.timed_out
        assert "nobody answers" in str(failure)


@pytest.mark.parametrize(
    ("phase", "layer"),
    [(0, "PPP link"), (6, "PPP link"), (7, "PPP authentication"), (9, "IP"), (10, "IP")],
)
def test_link_that_is_late_names_how_far_it_came(monkeypatch: pytest.MonkeyPatch, phase: int, layer: str) -> None:
    with line() as link:
        pretend(monkeypatch, link, "lw_ppp_furthest", phase)
        error = link.client.late(30)
        monkeypatch.undo()
        assert (error.layer, error.timed_out) == (layer, True)
        assert "30 s" in str(error)


def test_line_that_is_lost_ends_the_link_and_its_connections_at_once_in_every_phase() -> None:
    for steps in range(12):
        with line(ASKS, ASKS) as link:
            for _ in range(steps):
                link.step()
            link.client.lost()
            assert link.client.finished
            link.client.lost()  # twice is no error
            link.server.lost()
            link.open()
            link.come_up()
            ours, _ = link.connection()
            link.client.lost()
            with pytest.raises(LwipError):
                ours.check()


@pytest.mark.parametrize("method", ["pap", "chap"])
def test_link_that_is_removed_in_any_phase_leaves_nothing_behind(method: str) -> None:
    """Not even a timer, of which lwIP forgets some: the sanitizers would see it look into what is gone."""
    for steps in range(12):
        with line(ASKS | {"authentication": method}, ASKS | {"authentication": method}) as link:
            for _ in range(steps):
                link.step()
            link.client.remove()
            link.client.remove()
            with pytest.raises(UsageError):
                link.client.receive(b"~")
            for _ in range(100):
                link.stacks[0].run()
                link.clock.seconds += 1.0


def test_open_link_is_not_opened_again() -> None:
    with line() as link, pytest.raises(UsageError, match="open already"):
        link.client.open()


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99])
def test_every_end_has_a_layer_and_a_next_step(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    with line() as link:
        link.come_up()

        pretend(monkeypatch, link, "lw_ppp_error", code)
        error = link.client.error
        assert error is not None
        assert error.code == code
        assert error.layer in ("serial line", "PPP link", "PPP authentication", "IP")
        assert error.hint
        monkeypatch.undo()


# --- bad lines -------------------------------------------------------------------------------------------


def test_every_byte_passes_once_whatever_it_is() -> None:
    with line() as link:
        link.come_up()
        data = bytes(range(256)) * 200 + b"~}" * 500 + b"\r\nNO CARRIER\r\n" * 20
        assert link.transfer(data) == (data, data)


def test_burst_of_a_whole_window_has_room() -> None:
    """Whatever TCP hands out at once, and though each of its bytes is escaped: else it would wait to send it again."""
    with line() as link:
        link.come_up()
        data = b"~" * 300_000
        assert link.transfer(data) == (data, data)
        assert link.largest_burst > 65536


@pytest.mark.parametrize("seed", range(3))
def test_bytes_that_the_line_alters_or_loses_only_cost_time(seed: int) -> None:
    with line() as link:
        link.come_up()
        link.noise = noisy(seed, flipped=0.00015, lost=0.00005)
        data = random.Random(seed).randbytes(60_000)
        assert link.transfer(data) == (data, data)


def test_one_flipped_byte_costs_its_frame_and_nothing_else() -> None:
    with line() as link:
        link.come_up()
        hit = []

        def flip_once(data: bytes) -> bytes:
            if len(data) > 1000 and not hit:
                hit.append(data)
                return data[:500] + bytes([data[500] ^ 0x10]) + data[501:]
            return data

        link.noise = flip_once
        data = bytes(5000)
        assert link.transfer(data) == (data, data)
        assert hit


@pytest.mark.parametrize("seed", range(4))
def test_link_comes_up_over_a_line_that_starts_with_noise(seed: int) -> None:
    with line(ASKS, ASKS) as link:
        link.client.receive(b"\r\nCONNECT 150000000\r\n")
        link.noise = noisy(seed, flipped=0.0005, lost=0.0002)
        link.come_up()


def test_bytes_that_make_no_sense_are_dropped() -> None:
    chance = random.Random(5)
    with line() as link:
        link.come_up()
        for _ in range(300):
            link.client.receive(chance.randbytes(chance.randrange(1, 200)) + b"~" * chance.randrange(2))
            link.client.receive(b"\x7e\xff\x03" + chance.randbytes(chance.randrange(1, 60)) + b"\x7e")
        assert link.client.up
        assert link.transfer(b"hello") == (b"hello", b"hello")


def framed(protocol: int, packet: bytes) -> bytes:
    """A frame of PPP with its checksum, everything escaped that may be (RFC 1662 §3.1, §4.2, C.2)."""
    content = b"\xff\x03" + protocol.to_bytes(2, "big") + packet
    check = 0xFFFF
    for byte in content:
        check ^= byte
        for _ in range(8):
            check = check >> 1 ^ (0x8408 if check & 1 else 0)
    whole = content + (check ^ 0xFFFF).to_bytes(2, "little")
    escaped = b"".join(bytes((0x7D, byte ^ 0x20)) if byte < 32 or byte in b"}~" else bytes((byte,)) for byte in whole)
    return b"~" + escaped + b"~"


PROTOCOLS = (0xC021, 0xC023, 0xC223, 0x8021, 0x8057, 0x0021, 0x0057, 0x80FD, 0xC025, 0x00FD, 0x4321)


@pytest.mark.parametrize("seed", range(2))
def test_frames_that_make_no_sense_but_have_their_checksum_end_the_link_at_most(seed: int) -> None:
    """Packets of every protocol and code, with options of random kinds and lengths that lie, in every phase."""
    chance = random.Random(seed)
    for number in range(60):
        ask = ASKS | {"authentication": chance.choice(["pap", "chap", "either"])}
        with line(ask, ask) as link:
            for _ in range(number % 12):
                link.step()
            for _ in range(20):
                options = b"".join(
                    bytes((chance.randrange(16), max(0, len(body) + 2 + chance.choice([0, 0, 0, -2, -1, 1, 9, 200]))))
                    + body
                    for body in (chance.randbytes(chance.randrange(8)) for _ in range(chance.randrange(6)))
                )
                length = max(0, len(options) + 4 + chance.choice([0, 0, 0, 0, -4, -1, 1, 1000]))
                head = bytes((chance.randrange(1, 15), chance.randrange(3))) + length.to_bytes(2, "big")
                frame = framed(chance.choice(PROTOCOLS), head + options)
                chance.choice([link.client, link.server]).receive(frame)
                link.step()
            for stack in link.stacks:
                stack.run()
            link.client.lost()
            link.server.lost()
            link.open()
            link.come_up()


# --- settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong", [{"authentication": "eap"}, {"user": "\xe9"}, {"user": "u", "password": "p" * 256}, {"password": "\0"}]
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, str]) -> None:
    stack = Stack(cores()[0])
    try:
        with pytest.raises(ConfigurationError):
            PppInterface(stack, **wrong)
    finally:
        stack.close()


def test_lwip_without_ppp_says_so() -> None:
    stack = Stack(cores()[0])
    try:
        stack.features = frozenset()
        with pytest.raises(ConfigurationError, match="without PPP"):
            PppInterface(stack)
    finally:
        stack.close()


def test_link_that_nobody_refers_to_is_taken_away_before_the_next_stack_begins() -> None:
    for _ in range(2):
        stack = Stack(cores()[0])
        AnsweringPpp(stack).open()  # a stack has one at most
        del stack
