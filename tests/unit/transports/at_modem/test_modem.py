"""The blocking modem over simulated modules: what each dialect must do whatever the module is."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from lighttls import ConfigurationError, Stream, UsageError
from lighttls.testing.modem import Echo, Faults, Network, Pty, RealTimeline, SimulatedModem, Situation
from lighttls.transports.at_modem import Modem, ModemError, ModuleReset, Settings
from support import pki
from support.memory_server import MemoryServer
from support.modem import FAMILIES, Recorder, TlsServer, modem

HOSTILE = b'\r\nOK\r\n\r\nERROR\r\n\r\n+QIURC: "closed",0\r\n> \r\nSEND OK\r\n\x1a\x1b\x11\x13+++\x00\xff@"\r\nRDY\r\n'

each_dialect = pytest.mark.parametrize("dialect", sorted(FAMILIES))


def receive_all(connection) -> bytes:
    got = b""
    while piece := connection.recv(65536, 30):
        got += piece
    assert piece == b""
    return got


def use_until_it_fails(connection, data: bytes = b"x") -> None:
    for _ in range(1000):
        connection.send(data)
        connection.recv(10, 1 if len(data) == 1 else 0)


@each_dialect
def test_handshake_and_data_over_the_modem(dialect: str) -> None:
    server = MemoryServer(ask_client=True)
    line, simulated = modem(dialect, TlsServer(server))
    with line, Stream(line.open_tcp("server.example", 443), pki.config(pki.shared().ec_device), "localhost") as tls:
        tls.sendall(HOSTILE * 50)
        got = b""
        while len(got) < 50 * len(HOSTILE) + 4:
            got += tls.recv(65536)
        assert got.replace(b"got ", b"") == HOSTILE * 50
    simulated.timeline.run_until(simulated.monotonic() + 1)
    assert server.got_close_notify


@each_dialect
def test_payload_that_looks_like_answers_passes_unread(dialect: str) -> None:
    data = HOSTILE * 400
    line, _ = modem(dialect, Echo())
    connection = line.open_tcp("server.example", 7)
    sent, got = 0, b""
    while len(got) < len(data):
        if sent < len(data):
            sent += connection.send(data[sent : sent + 700])
        got += connection.recv(4096, 0 if sent < len(data) else 20) or b""
    assert got == data


@each_dialect
def test_data_before_the_close_is_delivered_first_then_the_end(dialect: str) -> None:
    data = Random(1).randbytes(70_000)
    peer = Recorder(data)
    line, _ = modem(dialect, peer)
    connection = line.open_tcp("server.example", 7)
    peer.link.close()
    assert receive_all(connection) == data
    assert connection.recv(10, 0) == b""
    connection.close()


@each_dialect
def test_nothing_within_the_timeout_is_none(dialect: str) -> None:
    line, simulated = modem(dialect, Recorder())
    connection = line.open_tcp("server.example", 7)
    before = simulated.monotonic()
    assert connection.recv(10, 7.0) is None
    assert 7.0 <= simulated.monotonic() - before < 7.5
    assert connection.recv(10, 0) is None


@each_dialect
def test_news_of_data_that_is_lost_only_delays(dialect: str) -> None:
    peer = Recorder()
    line, _ = modem(dialect, peer, faults=Faults(lost_news=1.0))
    connection = line.open_tcp("server.example", 7)
    assert connection.recv(10, 1.0) is None
    peer.link.send(b"late")
    assert connection.recv(10, 10.0) == b"late"


@each_dialect
def test_news_of_the_end_that_is_lost_only_delays(dialect: str) -> None:
    peer = Recorder(b"last words")
    line, simulated = modem(dialect, peer, faults=Faults(lost_closes=1.0))
    connection = line.open_tcp("server.example", 7)
    peer.link.close()
    before = simulated.monotonic()
    assert receive_all(connection) == b"last words"
    assert simulated.monotonic() - before < 5
    assert connection.recv(10, 0) == b""


@each_dialect
def test_send_after_an_end_of_which_the_news_was_lost_names_the_peer_not_the_module(dialect: str) -> None:
    peer = Recorder()
    line, simulated = modem(dialect, peer, faults=Faults(lost_closes=1.0))
    connection = line.open_tcp("server.example", 7)
    peer.link.close()
    simulated.timeline.run_until(simulated.monotonic() + 1)
    with pytest.raises(ModemError, match="the peer has closed the connection") as caught:
        connection.send(b"hello")
    assert caught.value.layer == "TCP"


@each_dialect
def test_several_connections_at_once_keep_apart(dialect: str) -> None:
    peers: list[Recorder] = []

    def dial(host: str, port: int) -> Recorder:
        peers.append(Recorder(host.encode()))
        return peers[-1]

    simulated = SimulatedModem(FAMILIES[dialect], Network(dial, round_trip=0.05))
    line = Modem(simulated, dialect)
    names = [f"host-{number}.example" for number in range(line.dialect.numbers)]
    connections = [line.open_tcp(name, 7) for name in names]
    for name, connection in zip(names, connections, strict=True):
        assert connection.send(name[::-1].encode()) == len(name)
    for name, connection in zip(reversed(names), reversed(connections), strict=True):
        assert connection.recv(100, 5) == name.encode()
    with pytest.raises(ModemError, match=r"all .* connections"):
        line.open_tcp("one-more.example", 7)
    assert all(connection.recv(10, 1) is None for connection in connections)
    assert [bytes(peer.heard) for peer in peers] == [name[::-1].encode() for name in names]
    for connection in connections:
        connection.close()
    for _ in range(2 * len(names)):  # and again, so that no number stays taken
        line.open_tcp("again.example", 7).close()
    simulated.timeline.run_until(simulated.monotonic() + 1)
    assert all(peer.gone for peer in peers)


@each_dialect
def test_reset_is_named_and_the_next_connection_works(dialect: str) -> None:
    peer = Recorder()
    line, simulated = modem(dialect, peer)
    connection = line.open_tcp("server.example", 7)
    simulated.module.reset()
    with pytest.raises(ModemError, match=r"reset|lost") as caught:
        use_until_it_fails(connection)
    assert caught.value.layer in ("module", "serial line")
    with pytest.raises(ModemError):
        connection.recv(10, 1)
    connection.close()
    again = line.open_tcp("server.example", 7)
    assert again.send(b"hello") == 5
    assert again.recv(10, 1) is None
    assert peer.heard.endswith(b"hello")


@each_dialect
def test_echo_that_comes_back_is_a_reset(dialect: str) -> None:
    peer = Recorder()
    line, simulated = modem(dialect, peer)
    connection = line.open_tcp("server.example", 7)
    simulated.module.reset(silent=True)
    simulated.timeline.run_until(simulated.monotonic() + 5)
    with pytest.raises(ModuleReset, match="echo"):
        connection.send(b"hello")
    assert peer.heard == b""
    line.open_tcp("server.example", 7).close()


@each_dialect
def test_loss_of_the_data_connection_is_named_and_mended_by_the_next_open(dialect: str) -> None:
    line, simulated = modem(dialect, Recorder(b"unread"))
    connection = line.open_tcp("server.example", 7)
    simulated.timeline.run_until(simulated.monotonic() + 1)
    simulated.module.lose_data()
    with pytest.raises(ModemError) as caught:
        receive_all(connection)
    assert caught.value.layer == "PDP context"
    connection.close()
    assert line.open_tcp("server.example", 7).recv(10, 5) == b"unread"


@each_dialect
def test_module_without_room_makes_the_sender_wait_and_nothing_is_lost(dialect: str) -> None:
    data = Random(2).randbytes(40_000)
    peer = Recorder()
    line, _ = modem(dialect, peer, faults=Faults(seed=3, send_fails=0.5), round_trip=2.0, baud=921600)
    connection = line.open_tcp("server.example", 7)
    left = data
    while left:
        left = left[connection.send(left) :]
    assert connection.recv(10, 5) is None
    assert peer.heard == data


@each_dialect
def test_peer_that_takes_nothing_ends_in_a_timeout(dialect: str) -> None:
    line, simulated = modem(dialect, Recorder(), round_trip=1000.0, baud=921600, send_limit=20.0)
    simulated.network.round_trip = 0.0
    connection = line.open_tcp("server.example", 7)
    simulated.network.round_trip = 1e6
    with pytest.raises(ModemError) as caught:
        use_until_it_fails(connection, bytes(1000))
    assert caught.value.timed_out
    assert caught.value.layer == "TCP"
    assert simulated.monotonic() < 100


@each_dialect
def test_sending_to_a_peer_that_has_closed_is_refused(dialect: str) -> None:
    peer = Recorder()
    line, _ = modem(dialect, peer)
    connection = line.open_tcp("server.example", 7)
    peer.link.close()
    assert connection.recv(10, 10) == b""
    with pytest.raises(ModemError, match="closed"):
        connection.send(b"hello")


@each_dialect
def test_refused_connection_names_tcp_and_leaves_no_number_taken(dialect: str) -> None:
    def refuse(host: str, port: int) -> Recorder:
        if port == 9:
            raise ConnectionRefusedError
        return Recorder()

    line = Modem(SimulatedModem(FAMILIES[dialect], Network(refuse)), dialect)
    for _ in range(line.dialect.numbers + 2):
        with pytest.raises(ModemError) as caught:
            line.open_tcp("server.example", 9)
        assert caught.value.layer == "TCP"
    line.open_tcp("server.example", 7).close()


@each_dialect
def test_name_that_nobody_has_names_dns(dialect: str) -> None:
    line = Modem(SimulatedModem(FAMILIES[dialect], Network(lambda host, port: Recorder(), names={})), dialect)
    with pytest.raises(ModemError) as caught:
        line.open_tcp("nobody.example", 7)
    assert caught.value.layer == "DNS"


@each_dialect
@pytest.mark.parametrize("host", ["", 'a","TCP', "a\r\nAT+CFUN=0", "a b", "naïve.example", "x" * 254, "a;b"])
def test_host_that_cannot_be_one_is_refused_before_anything_is_sent(dialect: str, host: str) -> None:
    line, simulated = modem(dialect, Recorder())
    with pytest.raises(ConfigurationError):
        line.open_tcp(host, 443)
    assert simulated.line.bytes_to_module == 0


@each_dialect
def test_long_host_name_is_resolved_first(dialect: str) -> None:
    line, simulated = modem(dialect, Recorder(b"here"))
    name = ".".join(["a" * 40] * 5)
    assert simulated.module.host_limit < len(name) <= line.dialect.name_limit
    assert line.open_tcp(name, 443).recv(10, 5) == b"here"


@each_dialect
def test_command_that_the_module_never_answers_ends_in_a_timeout_that_names_it(dialect: str) -> None:
    line, simulated = modem(dialect, Recorder())
    connection = line.open_tcp("server.example", 7)
    simulated.faults.frozen_at = simulated.module.commands + 1
    with pytest.raises(ModemError) as caught:
        connection.recv(10, 200)
    assert caught.value.timed_out
    assert caught.value.layer == "module"
    connection.close()


@pytest.mark.parametrize(
    ("situation", "layer", "words"),
    [
        (Situation(sim=""), "SIM", "not inserted"),
        (Situation(sim="SIM PIN"), "SIM", "PIN"),
        (Situation(sim="SIM PUK"), "SIM", "PUK"),
        (Situation(registration=2), "registration", "searching"),
        (Situation(registration=3), "registration", "denied"),
        (Situation(data_allowed=False), "PDP context", "data connection"),
    ],
)
@each_dialect
def test_missing_layer_is_named(dialect: str, situation: Situation, layer: str, words: str) -> None:
    simulated = SimulatedModem(FAMILIES[dialect], Network(lambda host, port: Recorder()), situation=situation)
    with pytest.raises(ModemError, match=words) as caught:
        Modem(simulated, dialect, registration_limit=5.0).open_tcp("server.example", 443)
    assert caught.value.layer == layer
    assert caught.value.hint


@each_dialect
def test_pin_unlocks_the_sim_and_a_wrong_one_is_tried_once(dialect: str) -> None:
    for pin, unlocked in (("1234", True), ("9999", False)):
        simulated = SimulatedModem(
            FAMILIES[dialect], Network(lambda host, port: Recorder()), situation=Situation(sim="SIM PIN")
        )
        line = Modem(simulated, dialect, pin=pin)
        if unlocked:
            line.open_tcp("server.example", 443).close()
        else:
            with pytest.raises(ModemError, match="refuses the PIN") as caught:
                line.open_tcp("server.example", 443)
            assert pin not in str(caught.value)


@each_dialect
def test_dialect_is_found_out_by_asking(dialect: str) -> None:
    simulated = SimulatedModem(FAMILIES[dialect], Network(lambda host, port: Recorder(b"here")))
    line = Modem(simulated)
    assert line.dialect.name == Modem(simulated, dialect).dialect.name
    assert line.open_tcp("server.example", 443).recv(10, 5) == b"here"
    assert line.identify().imei == "861234567890123"
    assert line.identify().iccid == "8981100000000000001F"
    assert line.registration().registered
    assert line.signal() == -73
    assert str(line.network_time()) == "2026-11-22 12:00:00+00:00"


def test_silent_line_is_named() -> None:
    simulated = SimulatedModem("EC21", Network(lambda host, port: Recorder()), faults=Faults(frozen_at=1))
    with pytest.raises(ModemError, match="nothing answers") as caught:
        Modem(simulated).open_tcp("server.example", 443)
    assert caught.value.layer == "serial line"


@pytest.mark.parametrize(
    ("dialect", "settings"),
    [
        ("hayes", {}),
        ("quectel", {"apn": 'a"b'}),
        ("quectel", {"pin": "12a4"}),
        ("quectel", {"authentication": "md5"}),
        ("quectel", {"access": "psychic"}),
        ("quectel", {"colour": "red"}),
    ],
)
def test_bad_setting_is_refused(dialect: str, settings: dict[str, str]) -> None:
    simulated = SimulatedModem("EC21", Network(lambda host, port: Recorder()))
    with pytest.raises(ConfigurationError):
        Modem(simulated, dialect, **settings)


def test_use_after_close_is_refused() -> None:
    line, _ = modem("quectel", Recorder())
    connection = line.open_tcp("server.example", 7)
    connection.close()
    connection.close()
    with pytest.raises(UsageError):
        connection.recv(1, 0)
    line.close()
    with pytest.raises(UsageError):
        line.signal()


@pytest.mark.parametrize(
    "faults",
    [
        {"bare_prompts": True},
        {"late_prompts": 3.0},
        {"late_results": 0.3},
        {"stray_news": 0.7, "split": 1.0},
        {"slow_news": 5.0},
    ],
    ids=lambda faults: "+".join(faults),
)
@each_dialect
def test_slow_and_talkative_module_loses_nothing(dialect: str, faults: dict) -> None:
    data = Random(4).randbytes(9000)
    line, _ = modem(dialect, Echo(), faults=Faults(seed=1, **faults))
    connection = line.open_tcp("server.example", 7)
    left, got = data, b""
    while left:
        left = left[connection.send(left) :]
    while len(got) < len(data):
        got += connection.recv(4096, 60)
    assert got == data


@each_dialect
def test_lost_prompt_ends_the_connection_and_nothing_is_padded(dialect: str) -> None:
    peer = Recorder()
    line, _ = modem(dialect, peer, faults=Faults(lost_prompts=[2]))
    connection = line.open_tcp("server.example", 7)
    assert connection.send(b"first") == 5
    with pytest.raises(ModemError):
        connection.send(b"second")
    connection.close()
    again = line.open_tcp("server.example", 7)
    assert bytes(peer.heard) == b"first"
    assert again.send(b"third") == 5
    assert again.recv(10, 1) is None
    assert bytes(peer.heard) == b"firstthird"


@pytest.mark.parametrize("access", ["buffer", "push", "transparent"])
@each_dialect
def test_reader_of_a_closed_connection_takes_nothing_of_the_next_one(dialect: str, access: str) -> None:
    simulated = SimulatedModem(FAMILIES[dialect], Network(lambda host, port: Recorder(host.encode()), round_trip=0.05))
    try:
        line = Modem(simulated, dialect, access=access)
    except ConfigurationError:
        assert access != "buffer"
        return
    for name in ("first.example", "second.example", "third.example"):
        connection = line.open_tcp(name, 7)
        assert connection.recv(100, 5) == name.encode()
        assert connection.recv(100, 1) is None  # and goes on waiting behind the scenes
        connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize("dialect", ["quectel", "simcom", "ublox"])
def test_two_threads_may_share_a_modem(dialect: str) -> None:
    def use(line: Modem, port: int) -> bytes:
        connection = line.open_tcp("server.example", port)
        data, got = bytes([port]) * 6_000, b""
        left = data
        while left:
            left = left[connection.send(left) :]
        while len(got) < len(data):
            got += connection.recv(4096, 20) or b""
        assert got == data
        connection.close()
        return got

    simulated = SimulatedModem(FAMILIES[dialect], Network(lambda host, port: Echo()), baud=0, timeline=RealTimeline())
    with (
        Pty(simulated) as port,
        open(port.name, "r+b", buffering=0) as file,
        Modem(file) as line,
        ThreadPoolExecutor(2) as pool,
    ):
        assert [len(got) for got in pool.map(lambda number: use(line, number), (7, 8))] == [6_000] * 2


@pytest.mark.parametrize("name", ["apn", "user", "password", "pin"])
def test_setting_that_is_no_text_is_named(name: str) -> None:
    """A PIN is easily written as a number, and would lose its leading zeros."""
    with pytest.raises(ConfigurationError, match=f"setting {name} is text, not int"):
        Settings(**{name: 1234})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"apm": "iot.example"}, "a modem has no setting apm"),
        ({"registration_limit": "60"}, "registration_limit is a number of seconds, not '60'"),
        ({"send_limit": -1}, "send_limit is a number of seconds, not -1"),
        ({"send_limit": float("nan")}, "send_limit is a number of seconds, not nan"),
        ({"authentication": 2}, "authentication is none, pap, chap or either, not 2"),
        ({"access": 0}, "have no access mode 0"),
    ],
)
def test_setting_that_cannot_be_is_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        modem("quectel", Recorder(), **settings)


@pytest.mark.parametrize("baud", ["fast", 0, -9600, 9600.0, None])
def test_baud_rate_that_cannot_be_is_named(baud: Any) -> None:
    with pytest.raises(ConfigurationError, match="a baud rate is a number such as 115200"):
        Modem("/dev/null", baud=baud)


@each_dialect
def test_sending_nothing_does_nothing_and_what_is_no_bytes_is_refused(dialect: str) -> None:
    peer = Recorder()
    line, _ = modem(dialect, peer)
    connection = line.open_tcp("server.example", 7)
    assert connection.send(b"") == 0
    for wrong in ("text", None, 7):
        with pytest.raises(UsageError, match="expected bytes"):
            connection.send(wrong)
    assert connection.send(bytearray(b"ab")) == connection.send(memoryview(b"cd")) == 2
    assert connection.recv(10, 1) is None
    assert bytes(peer.heard) == b"abcd"


@pytest.mark.parametrize("n", [0, -1, "x", None, 1.5])
def test_receiving_nothing_is_refused_for_it_would_look_like_the_end(n: Any) -> None:
    line, _ = modem("quectel", Recorder(b"data"))
    connection = line.open_tcp("server.example", 7)
    with pytest.raises(UsageError, match="1 or more"):
        connection.recv(n, 5)
    assert connection.recv(10, 5) == b"data"


def test_connection_may_be_closed_after_its_modem() -> None:
    line, _ = modem("quectel", Recorder())
    connection = line.open_tcp("server.example", 7)
    line.close()
    connection.close()


@each_dialect
def test_hex_mode_where_there_is_none_is_refused(dialect: str) -> None:
    port = SimulatedModem(FAMILIES[dialect], Network(lambda host, port: Recorder()))
    if dialect.startswith("ublox"):
        assert Modem(port, dialect, hex_mode=True).settings.hex_mode
    else:
        with pytest.raises(ConfigurationError, match="have no hex mode"):
            Modem(port, dialect, hex_mode=True)
