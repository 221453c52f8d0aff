"""What single modules and firmwares are known to do: answers typed by hand, one trap each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lighttls import Stream
from lighttls.testing.modem import Faults, Network, SimulatedModem
from lighttls.transports.at_modem import CommandRefused, Modem, ModemError, Settings
from lighttls.transports.at_modem.clock import parse_time
from lighttls.transports.at_modem.engine import Engine
from lighttls.transports.at_modem.link import Link
from lighttls.transports.at_modem.quectel import Quectel
from lighttls.transports.at_modem.sim800 import Sim800
from lighttls.transports.at_modem.simcom import Sim7600
from lighttls.transports.at_modem.steps import Command, Steps
from lighttls.transports.at_modem.ublox import SaraR4, SaraU201
from support import pki
from support.memory_server import MemoryServer
from support.modem import FAMILIES, Recorder, TlsServer, modem


class Conversation:
    """A dialect with an open connection, and a modem that says what it is told to."""

    def __init__(self, dialect: Callable[..., object], **settings: object) -> None:
        self.engine = Engine()
        self.dialect = dialect(self.engine, Settings(**settings))
        self.engine.echo_is_off = True
        self.dialect.configured = self.dialect.has_data = True
        self.run(self.dialect.configure(), {"AT+UDCONF": b"\r\nOK\r\n"})
        self.link = self.dialect.links[0] = Link(0, "server.example")
        self.now = 0.0

    def run(self, steps: Steps, answers: dict[str, bytes], *, limit: float = 1000.0):
        """Carry out `steps`; each command is answered with what stands for its beginning."""
        now = 0.0
        task = self.engine.start(steps, now)
        while not task.done:
            said = self.engine.data_to_send().decode("latin-1")
            answer = next((text for begin, text in answers.items() if said and said.startswith(begin)), None)
            if answer:
                now += 0.01
                self.engine.receive(answer, now)
            else:
                deadline = self.engine.deadline()
                assert deadline is not None
                now = max(now, deadline)
                assert now < limit, "it waits for ever"
                self.engine.advance(now)
        return task.result()


def test_second_program_takes_over_numbers_that_the_first_left_open() -> None:
    """Quectel answers 563, SIMCom an error, and a u-blox has no number left."""
    for dialect, model in FAMILIES.items():
        simulated = SimulatedModem(model, Network(lambda host, port: Recorder(b"here")))
        first = Modem(simulated, dialect)
        for _ in range(first.dialect.numbers):
            first.open_tcp("server.example", 7)
        assert Modem(simulated, dialect).open_tcp("server.example", 7).recv(10, 5) == b"here"


@pytest.mark.parametrize("dialect", sorted(FAMILIES))
def test_error_instead_of_the_prompt_ends_the_connection(dialect: str) -> None:
    line, simulated = modem(dialect, Recorder())
    connection = line.open_tcp("server.example", 7)
    command = {"quectel": "qisend", "ublox": "usowr", "ublox-r4": "usowr"}.get(dialect, "cipsend")
    setattr(simulated.module, f"do_{command}", lambda request: simulated.module.fail())
    with pytest.raises(ModemError, match="ERROR") as caught:
        connection.send(b"hello")
    assert caught.value.layer == "module"
    with pytest.raises(ModemError):
        connection.recv(10, 1)
    connection.close()


@pytest.mark.parametrize("dialect", sorted(FAMILIES))
def test_error_instead_of_the_prompt_of_a_connection_that_is_gone_names_tcp(dialect: str) -> None:
    line, simulated = modem(dialect, Recorder())
    connection = line.open_tcp("server.example", 7)
    simulated.module.hang_up(0)
    with pytest.raises(ModemError, match="the peer has closed") as caught:
        connection.send(b"hello")
    assert caught.value.layer == "TCP"


@pytest.mark.parametrize(("baud", "round_trip"), [(9600, 2.0), (115200, 20.0)])
def test_slow_link_makes_its_handshake(baud: int, round_trip: float) -> None:
    line, simulated = modem("quectel", TlsServer(MemoryServer()), baud=baud, round_trip=round_trip)
    transport = line.open_tcp("server.example", 443)
    with Stream(transport, pki.config(), "localhost", timeout=3 * round_trip, hold_flight=0) as tls:
        tls.sendall(b"x")
        assert tls.recv(10) == b"got x"
    assert simulated.monotonic() > 3 * round_trip


def test_bytes_that_the_module_did_not_take_are_noticed() -> None:
    talk = Conversation(Quectel)
    talk.link.sent = 1460
    with pytest.raises(ModemError, match="given 1460 bytes and says that it took 146") as caught:
        talk.run(talk.dialect.unacknowledged(talk.link), {"AT+QISEND=0,0": b"\r\n+QISEND: 146,146,0\r\n\r\nOK\r\n"})
    assert caught.value.layer == "serial line"


def test_bytes_that_did_not_arrive_are_noticed_at_the_end() -> None:
    talk = Conversation(Quectel)
    talk.link.closed, talk.link.received = True, 100
    answers = {
        "AT+QIRD=0,1500": b"\r\n+QIRD: 0\r\n\r\nOK\r\n",
        "AT+QIRD=0,0": b"\r\n+QIRD: 110,110,0\r\n\r\nOK\r\n",
    }
    with pytest.raises(ModemError, match="handed over 110 bytes and 100 came"):
        talk.run(talk.dialect.incoming(talk.link), answers)


def test_error_that_answers_nothing_means_that_the_line_is_not_to_be_trusted() -> None:
    talk = Conversation(Quectel)
    talk.engine.receive(b"\r\nERROR\r\n", 0.0)
    with pytest.raises(ModemError, match="nobody gave") as caught:
        talk.link.check()
    assert caught.value.layer == "serial line"


def test_prompt_is_not_awaited_as_long_as_the_result_of_a_send() -> None:
    talk = Conversation(Quectel)
    task = talk.engine.start(talk.dialect.send(talk.link, b"hello"), 0.0)
    assert talk.engine.deadline() == 15.0
    talk.engine.receive(b"\r\n> ", 14.0)
    assert talk.engine.deadline() == 14.0 + 120.0
    talk.engine.receive(b"\r\nSEND OK\r\n", 100.0)
    assert task.result() == 5


def test_late_result_of_a_command_that_timed_out_is_not_taken_for_the_next_one() -> None:
    talk = Conversation(Quectel)

    def steps() -> Steps[bytes]:
        with pytest.raises(ModemError):
            yield Command("AT+SLOW", 1.0)
        reply = yield Command("AT+CSQ", info=(b"+CSQ:",))
        return reply.lines[0]

    answers = {
        "AT+CMEE?": b"\r\nOK\r\n\r\n+CMEE: 1\r\n\r\nOK\r\n",  # the first OK is that of AT+SLOW
        "AT+CSQ": b"\r\n+CSQ: 7,99\r\n\r\nOK\r\n",
    }
    assert talk.run(steps(), answers) == b"+CSQ: 7,99"


def test_reset_that_nobody_told_of_is_seen_by_the_settings_it_forgot() -> None:
    talk = Conversation(Quectel)

    def steps() -> Steps[None]:
        with pytest.raises(ModemError):
            yield Command("AT+SLOW", 1.0)
        yield Command("AT")

    talk.run(steps(), {"AT+CMEE?": b"\r\n+CMEE: 0\r\n\r\nOK\r\n", "AT\r": b"\r\nOK\r\n"})
    with pytest.raises(ModemError, match="reset"):
        talk.link.check()


def test_modem_that_answers_by_numbers_is_set_to_words() -> None:
    talk = Conversation(Quectel)
    talk.engine.trusted = False
    answers = {"ATV1": b"\r\nOK\r\n", "AT+CSQ": b"\r\n+CSQ: 7,99\r\n\r\nOK\r\n"}
    said: list[str] = []

    def steps() -> Steps[None]:
        yield Command("AT+CSQ", info=(b"+CSQ:",))

    task = talk.engine.start(steps(), 0.0)
    now, verbose = 0.0, False
    while not task.done:
        out = talk.engine.data_to_send().decode()
        said.append(out)
        verbose = verbose or "ATV1" in out
        if "AT+CMEE?" in out:
            talk.engine.receive(b"\r\n+CMEE: 1\r\n\r\nOK\r\n" if verbose else b"+CMEE: 1\r0\r", now)
        elif out.startswith("AT+CSQ"):
            talk.engine.receive(answers["AT+CSQ"], now)
        elif not out:
            now = max(now, talk.engine.deadline() or now)
            talk.engine.advance(now)
    task.result()
    assert any("ATV1" in out for out in said)


def test_refusal_is_named_and_never_shows_the_arguments() -> None:
    talk = Conversation(Quectel)

    def steps() -> Steps[None]:
        yield Command('AT+CPIN="1234"')

    with pytest.raises(CommandRefused, match=r"AT\+CPIN failed: \+CME ERROR: 16 \(incorrect password\)") as caught:
        talk.run(steps(), {"AT+CPIN": b"\r\n+CME ERROR: 16\r\n"})
    assert "1234" not in str(caught.value)
    assert (caught.value.code, caught.value.layer) == (16, "SIM")
    with pytest.raises(CommandRefused, match="SMS service reserved"):
        talk.run(steps(), {"AT+CPIN": b"\r\n+CMS ERROR: 301\r\n"})


def test_simcom_open_that_fails_at_once_ends_without_ok() -> None:
    talk = Conversation(Sim7600)
    with pytest.raises(ModemError, match="DNS failed") as caught:
        talk.run(
            talk.dialect.connect(talk.link, "nobody.example", 7), {"AT+CIPOPEN": b"\r\n+CIPOPEN: 0,11\r\n\r\nERROR\r\n"}
        )
    assert caught.value.layer == "DNS"


def test_simcom_that_confirms_less_gets_the_rest_again() -> None:
    talk = Conversation(Sim7600)
    answers = {"AT+CIPSEND": b"\r\n>", "hello": b"\r\nOK\r\n\r\n+CIPSEND: 0,5,3\r\n"}
    assert talk.run(talk.dialect.send(talk.link, b"hello"), answers) == 3


@pytest.mark.parametrize(("result", "words"), [(b"0,5,-1", "closed while sending"), (b"0,4,4", "given 5 bytes")])
def test_simcom_send_that_went_wrong_is_named(result: bytes, words: str) -> None:
    talk = Conversation(Sim7600)
    answers = {"AT+CIPSEND": b"\r\n>", "hello": b"\r\nOK\r\n\r\n+CIPSEND: %b\r\n" % result}
    with pytest.raises(ModemError, match=words):
        talk.run(talk.dialect.send(talk.link, b"hello"), answers)


@pytest.mark.parametrize("header", [b"+RECEIVE,0,5:", b"+RECEIVE,0,5", b"+IPD5", b"+IPD,5:"])
@pytest.mark.parametrize("after", [b"", b"\r\n", b"\r\n\r\n+CREG: 5\r\n"])
def test_simcom_pushes_in_several_forms(header: bytes, after: bytes) -> None:
    talk = Conversation(Sim7600, access="push")
    talk.engine.receive(b"\r\nRECV FROM:192.0.2.1:7\r\n" + header + b"\r\nOK\r\n!" + after, 0.0)
    assert bytes(talk.link.pushed) == b"OK\r\n!"


def test_simcom_push_without_a_name_and_with_two_connections_is_refused() -> None:
    talk = Conversation(Sim7600, access="push")
    talk.dialect.links[1] = Link(1, "other.example")
    talk.engine.receive(b"\r\n+IPD5\r\nhello\r\n", 0.0)
    with pytest.raises(ModemError, match="without saying"):
        talk.link.check()


def test_sim800_that_could_not_send_what_it_accepted_ends_the_connection() -> None:
    talk = Conversation(Sim800)
    talk.engine.receive(b"\r\n0, SEND FAIL\r\n", 0.0)
    with pytest.raises(ModemError, match="accepted"):
        talk.link.check()


@pytest.mark.parametrize(
    ("state", "over"),
    [("CONNECTED", False), ("CONNECTING", False), ("CLOSED", True), ("REMOTE CLOSING", True), ("INITIAL", True)],
)
def test_sim800_that_lost_the_news_of_a_close_is_asked_for_the_state(state: str, over: bool) -> None:
    talk = Conversation(Sim800)
    answer = f'\r\n+CIPSTATUS: 0,0,"TCP","192.0.2.1","7","{state}"\r\n\r\nOK\r\n'.encode()
    talk.run(talk.dialect.look(talk.link), {"AT+CIPSTATUS=0": answer})
    assert talk.link.closed is over


@pytest.mark.parametrize(
    "answer", [b"\r\nERROR\r\n", b"\r\nOK\r\n", b'\r\n+CIPSTATUS: 1,0,"TCP","192.0.2.1","7","CLOSED"\r\n\r\nOK\r\n']
)
def test_sim800_that_does_not_tell_the_state_is_not_taken_for_closed(answer: bytes) -> None:
    talk = Conversation(Sim800)
    talk.run(talk.dialect.look(talk.link), {"AT+CIPSTATUS=0": answer})
    assert not talk.link.closed


def test_simcom_that_refuses_to_count_is_asked_whether_the_connection_is_over() -> None:
    talk = Conversation(Sim800)
    answers = {
        "AT+CIPRXGET=4,0": b"\r\nERROR\r\n",
        "AT+CIPSTATUS=0": b'\r\n+CIPSTATUS: 0,0,"TCP","","","CONNECTED"\r\n',
    }
    answers["AT+CIPSTATUS=0"] += b"\r\nOK\r\n"
    with pytest.raises(CommandRefused, match="CIPRXGET"):
        talk.run(talk.dialect.read(talk.link), answers)
    answers["AT+CIPSTATUS=0"] = answers["AT+CIPSTATUS=0"].replace(b"CONNECTED", b"CLOSED")
    assert talk.run(talk.dialect.incoming(talk.link), answers) == b""


def test_ublox_that_only_says_ok_is_asked_how_much_it_took() -> None:
    talk = Conversation(SaraU201)
    talk.link.sent = 100
    answers = {
        "AT+USOWR": b"\r\n@",
        "hello": b"\r\nOK\r\n",
        "AT+USOCTL=0,2": b"\r\n+USOCTL: 0,2,105\r\n\r\nOK\r\n",
    }
    assert talk.run(talk.dialect.send(talk.link, b"hello"), answers) == 5
    answers["AT+USOCTL=0,2"] = b"\r\n+USOCTL: 0,2,100\r\n\r\nOK\r\n"
    assert talk.run(talk.dialect.send(talk.link, b"hello"), answers) == 0


def test_ublox_gets_its_data_fifty_milliseconds_after_the_prompt() -> None:
    talk = Conversation(SaraU201)
    task = talk.engine.start(talk.dialect.send(talk.link, b"hello"), 0.0)
    assert talk.engine.data_to_send() == b"AT+USOWR=0,5\r"
    talk.engine.receive(b"\r\n@", 1.0)
    assert talk.engine.data_to_send() == b""
    assert talk.engine.deadline() == 1.05
    talk.engine.advance(1.05)
    assert talk.engine.data_to_send() == b"hello"
    talk.engine.receive(b"\r\n+USOWR: 0,5\r\n\r\nOK\r\n", 1.1)
    assert task.result() == 5


@pytest.mark.parametrize("empty", [b'+USORD: 0,0,""', b'+USORD: 0,""', b"+USORD: 0,0"])
@pytest.mark.parametrize("hex_mode", [False, True])
def test_ublox_empty_read_has_three_forms(empty: bytes, hex_mode: bool) -> None:
    talk = Conversation(SaraU201, hex_mode=hex_mode)
    assert talk.run(talk.dialect.read(talk.link), {"AT+USORD": b"\r\n%b\r\n\r\nOK\r\n" % empty}) == b""


@pytest.mark.parametrize("line", [b'+USORD: 0,5,"68656c6c6"', b'+USORD: 0,4,"68656c6c6f"', b'+USORD: 0,5,"68656c6c6x"'])
def test_ublox_hex_that_does_not_fit_its_count_is_refused(line: bytes) -> None:
    talk = Conversation(SaraU201, hex_mode=True)
    with pytest.raises(ModemError, match="not complete"):
        talk.run(talk.dialect.read(talk.link), {"AT+USORD": b"\r\n%b\r\n\r\nOK\r\n" % line})


def test_ublox_that_has_closed_a_connection_is_not_asked_to_close_it_again() -> None:
    """Closing what is closed can lock an R4 for minutes."""
    talk = Conversation(SaraR4)
    talk.engine.receive(b"\r\n+UUSOCL: 0\r\n", 0.0)
    talk.run(talk.dialect.close(talk.link), {})
    assert talk.dialect.links == {}


def test_quectel_context_that_is_active_is_not_activated_again() -> None:
    talk = Conversation(Quectel)
    talk.run(talk.dialect.activate(), {"AT+QIACT?": b'\r\n+QIACT: 1,1,1,"10.1.2.3"\r\n\r\nOK\r\n'})


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ('"26/11/22,13:00:00+04"', datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ('"26/11/22,13:00:00-20"', datetime(2026, 11, 22, 18, tzinfo=UTC)),
        ('"2026/11/22,13:00:00+04,1"', datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ('"26/11/22,13:00:00"', datetime(2026, 11, 22, 13, tzinfo=UTC)),
        ('"26/12/31,23:59:60+00"', datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ('"80/01/06,00:00:00+00"', None),
        ('"1980/01/06,00:00:00+00"', None),
        ('"70/01/01,00:00:00+00"', None),
        ('"04/01/01,00:00:00+00"', None),
        ('"26/13/22,13:00:00+04"', None),
        ('""', None),
        ("", None),
        ("565", None),
    ],
)
def test_time_that_was_never_set_is_none(text: str, time: datetime | None) -> None:
    assert parse_time(text) == time


def test_quectel_time_by_ntp_that_fails_names_dns() -> None:
    talk = Conversation(Quectel)
    with pytest.raises(ModemError, match="565") as caught:
        talk.run(talk.dialect.ntp_time("pool.ntp.org"), {"AT+QNTP": b"\r\nOK\r\n\r\n+QNTP: 565,\r\n"})
    assert caught.value.layer == "DNS"


def test_quectel_without_network_time_falls_back_to_its_clock() -> None:
    talk = Conversation(Quectel)
    answers = {
        "AT+QLTS": b'\r\n+QLTS: ""\r\n\r\nOK\r\n',
        "AT+CTZU": b"\r\nOK\r\n",
        "AT+CCLK?": b'\r\n+CCLK: "80/01/06,00:00:12+00"\r\n\r\nOK\r\n',
    }
    assert talk.run(talk.dialect.network_time(), answers) is None
    answers["AT+CCLK?"] = b'\r\n+CCLK: "26/11/22,13:00:00+04"\r\n\r\nOK\r\n'
    assert talk.run(talk.dialect.network_time(), answers) == datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_file_without_a_descriptor_serves_as_a_port() -> None:
    """Anything with `read` and `write`: here one that gives a byte at a time, or nothing."""
    simulated = SimulatedModem("EC21", Network(lambda host, port: Recorder(b"here")), baud=0)

    class File:
        def read(self, n: int) -> bytes:
            return simulated.read(1, 0.01)

        def write(self, data: bytes) -> int:
            simulated.write(data[:7])
            return len(data[:7])

        def close(self) -> None:
            simulated.close()

    with Modem(File(), "quectel") as line:
        assert line.open_tcp("server.example", 7).recv(10, 5) == b"here"
    assert simulated.closed


def test_port_that_breaks_is_a_transport_error() -> None:
    line, simulated = modem("quectel", Recorder())
    connection = line.open_tcp("server.example", 7)
    simulated.close()
    with pytest.raises(ModemError, match="writing failed") as caught:
        connection.send(b"hello")
    assert caught.value.layer == caught.value.context["layer"] == "serial line"


def test_answer_that_breaks_off_ends_in_a_timeout_and_the_next_connection_works() -> None:
    line, simulated = modem("quectel", Recorder(b"here"), faults=Faults())
    connection = line.open_tcp("server.example", 7)
    simulated.faults.truncated = [simulated.module.commands + 1]
    with pytest.raises(ModemError, match="no answer"):
        connection.recv(10, 60)
    connection.close()
    assert line.open_tcp("server.example", 7).recv(10, 5) == b"here"


@pytest.mark.parametrize(
    ("dialect", "header"), [(Quectel, b'+QIURC: "recv",0,10'), (Sim7600, b"+RECEIVE,0,10"), (Sim800, b"+RECEIVE,0,10:")]
)
def test_pushed_data_that_a_command_without_an_answer_cuts_in_two_ends_its_connection(
    dialect: Callable[..., object], header: bytes
) -> None:
    """What has come is forgotten with the answer's beginning, so that the rest would stand behind a gap."""
    talk = Conversation(dialect, access="push")
    talk.engine.receive(b"\r\n" + header + b"\r\nfirst", 0.0)

    def ask() -> Steps[None]:
        yield Command("AT+CSQ")

    with pytest.raises(ModemError, match="no answer"):
        talk.run(ask(), {})
    talk.engine.receive(b"\r\n" + header + b"\r\nand behind", 100.0)
    assert talk.link.failure is not None
    assert not talk.link.pushed


@pytest.mark.parametrize("dialect", [SaraU201, SaraR4])
def test_late_end_of_a_connection_that_failed_is_not_believed_of_the_next_one(dialect: Callable[..., object]) -> None:
    """The network's loss is told first, then the end of each connection; the module gives their numbers out again."""
    talk = Conversation(dialect)
    talk.dialect.lose_data("UUPSDD")
    again = talk.run(talk.dialect.take_number("server.example"), {"AT+USOCR": b"\r\n+USOCR: 0\r\n\r\nOK\r\n"})
    assert again is not talk.link
    talk.engine.receive(b"\r\n+UUSOCL: 0\r\n", 1.0)
    assert not again.closed
    established = b"\r\n+USOCTL: 0,10,4\r\n\r\nOK\r\n"
    read = {"AT+USOCTL=0,10": established, "AT+USORD": b'\r\n+USORD: 0,4,"here"\r\n\r\nOK\r\n'}
    assert talk.run(talk.dialect.incoming(again), read) == b"here"


@pytest.mark.parametrize(
    ("dialect", "said"),
    [
        (Sim800, b"\r\nDATA ACCEPT:0,6\r\n"),
        (Sim800, b"\r\nDATA ACCEPT:1,5\r\n"),
        (Sim7600, b"\r\nOK\r\n\r\n+CIPSEND: 0,5,6\r\n"),
        (Sim7600, b"\r\nOK\r\n\r\n+CIPSEND: 0,4,4\r\n"),
        (SaraU201, b"\r\n+USOWR: 0,6\r\n\r\nOK\r\n"),
    ],
)
def test_module_that_takes_other_than_it_was_given_ends_the_connection(
    dialect: Callable[..., object], said: bytes
) -> None:
    """Were it believed, bytes of the next send would be left out."""
    talk = Conversation(dialect)
    prompt = b"\r\n@" if dialect is SaraU201 else b"\r\n> "
    with pytest.raises(ModemError, match="the module was given 5 bytes") as caught:
        talk.run(talk.dialect.outgoing(talk.link, b"hello"), {"AT+CIPSEND": prompt, "AT+USOWR": prompt, "hello": said})
    assert caught.value.layer == "serial line"
    assert talk.link.failure is caught.value


def test_modem_gets_a_tenth_of_a_second_to_itself_after_an_error() -> None:
    engine, said = Engine(), []

    def ask() -> Steps[None]:
        for _ in range(2):
            yield Command("AT+CSQ", tolerant=True)

    engine.start(ask(), 0.0)
    for now, answer in ((1.0, b""), (2.0, b"\r\nERROR\r\n"), (2.09, b""), (2.11, b"")):
        engine.receive(answer, now) if answer else engine.advance(now)
        said.append((now, engine.data_to_send()))
    assert said == [(1.0, b"AT+CSQ\r"), (2.0, b""), (2.09, b""), (2.11, b"AT+CSQ\r")]
