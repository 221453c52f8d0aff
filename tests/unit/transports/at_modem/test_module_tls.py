"""The TLS inside a Quectel module, driven for comparison: what it verifies, what it cannot, and what stays behind."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from hostile.test_lying_modem import lying
from lighttls import ConfigurationError
from lighttls.testing.modem import Echo, Faults, Network, Pty, RealTimeline, SimulatedModem, Situation
from lighttls.transports.at_modem import AsyncModem, Modem, ModemError, ModuleReset, ModuleTls
from lighttls.transports.at_modem.module_tls import checksum, without_escape
from support import pki, require
from support.memory_server import MemoryServer
from support.modem import FAMILIES, TlsServer

HOST = "localhost"  # the name in the server's certificate
AMAZON_ROOT_CA_1 = b"""\
-----BEGIN CERTIFICATE-----
MIIDQTCCAimgAwIBAgITBmyfz5m/jAo54vB4ikPmljZbyjANBgkqhkiG9w0BAQsF
ADA5MQswCQYDVQQGEwJVUzEPMA0GA1UEChMGQW1hem9uMRkwFwYDVQQDExBBbWF6
b24gUm9vdCBDQSAxMB4XDTE1MDUyNjAwMDAwMFoXDTM4MDExNzAwMDAwMFowOTEL
MAkGA1UEBhMCVVMxDzANBgNVBAoTBkFtYXpvbjEZMBcGA1UEAxMQQW1hem9uIFJv
b3QgQ0EgMTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBALJ4gHHKeNXj
ca9HgFB0fW7Y14h29Jlo91ghYPl0hAEvrAIthtOgQ3pOsqTQNroBvo3bSMgHFzZM
9O6II8c+6zf1tRn4SWiw3te5djgdYZ6k/oI2peVKVuRF4fn9tBb6dNqcmzU5L/qw
IFAGbHrQgLKm+a/sRxmPUDgH3KKHOVj4utWp+UhnMJbulHheb4mjUcAwhmahRWa6
VOujw5H5SNz/0egwLX0tdHA114gk957EWW67c4cX8jJGKLhD+rcdqsq08p8kDi1L
93FcXmn/6pUCyziKrlA4b9v7LWIbxcceVOF34GfID5yHI9Y/QCB/IIDEgEw+OyQm
jgSubJrIqg0CAwEAAaNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMC
AYYwHQYDVR0OBBYEFIQYzIU07LwMlJQuCFmcx7IQTgoIMA0GCSqGSIb3DQEBCwUA
A4IBAQCY8jdaQZChGsV2USggNiMOruYou6r4lK5IpDB/G/wkjUu0yKGX9rbxenDI
U5PMCCjjmCXPI6T53iHTfIUJrU6adTrCC2qJeHZERxhlbI1Bjjt/msv0tadQ1wUs
N+gDS63pYaACbvXy8MWy7Vu33PqUXHeeE6V/Uq2V8viTO96LXFvKWlJbYK8U90vv
o/ufQJVtMVT8QtPHRh8jrdkPSHCa2XV4cdFyQzR1bldZwgJcJmApzyMZFo6IQ6XU
5MsI+yMRQ+hDKXJioaldXgjUkK642M4UwtBV8ob2xJNDd2ZhwLnoQdeXeGADbkpy
rqXRfboQnoZsG4q5WTP468SQvvG5
-----END CERTIFICATE-----
"""


class EchoServer(TlsServer):
    """OpenSSL, which returns every byte."""

    def received(self, data: bytes) -> None:
        try:
            self.server.receive(data)
            if self.server.established and (heard := self.server.read()):
                self.server.tls.write(heard)
        except ssl.SSLError:
            self.link.close()
            return
        self.link.send(self.server.take())
        if self.server.got_close_notify or self.server.error:
            self.link.close()


def settings(**more: object) -> ModuleTls:
    return ModuleTls(**({"root": pki.shared().root.to_pem()} | more))


def with_identity() -> ModuleTls:
    device = pki.shared().ec_device
    return settings(certificate=pki.shared().device_chain(device), key_to_upload=device.key.to_pem())


def board(
    *, faults: Faults | None = None, situation: Situation | None = None, server: MemoryServer | None = None
) -> tuple[Modem, SimulatedModem]:
    first = server or MemoryServer()
    network = Network(lambda host, port: EchoServer(first.again()), round_trip=0.05)
    simulated = SimulatedModem("EC21", network, faults=faults, situation=situation)
    return Modem(simulated, "quectel"), simulated


def exchange(connection, data: bytes) -> bytes:
    """Send all of it and read as much."""
    left = data
    while left:
        left = left[connection.send(left) :]
    return receive(connection, len(data))


def use_until_it_fails(connection) -> None:
    while True:
        connection.send(b"x")
        connection.recv(10, 5)


def receive(connection, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = connection.recv(count - len(got), 30)
        assert piece
        got += piece
    return got


def test_module_makes_the_handshake_and_every_byte_passes_once() -> None:
    modem, simulated = board()
    connection = modem.open_module_tls(HOST, 8443, settings())
    data = bytes(range(256)) * 100
    assert exchange(connection, data) == data
    assert simulated.module.contexts.keys() == {1}  # the one that AT+QSSLOPEN named
    connection.close()
    again = modem.open_module_tls(HOST, 8443, settings())
    assert exchange(again, b"again") == b"again"


def test_module_presents_the_certificate_that_was_uploaded() -> None:
    modem, _ = board(server=MemoryServer(ask_client=True))
    assert exchange(modem.open_module_tls(HOST, 8443, with_identity()), b"hello") == b"hello"
    with pytest.raises(ModemError, match="579"):
        exchange(modem.open_module_tls(HOST, 8443, settings()), b"hello")


def test_no_file_stays_in_the_module_whatever_came_of_the_handshake() -> None:
    modem, simulated = board()
    modem.open_module_tls(HOST, 8443, with_identity())
    assert simulated.module.files == {}
    with pytest.raises(ModemError):
        modem.open_module_tls("other.example", 8443, with_identity())
    assert simulated.module.files == {}


@pytest.mark.parametrize(
    ("host", "another_root", "loosened"),
    [
        (HOST, True, {"root": b"", "insecure_skip_verify": True}),
        ("other.example", False, {"insecure_skip_name": True}),
    ],
    ids=["another root", "another name"],
)
def test_server_that_is_not_the_right_one_is_refused_by_a_number(
    host: str, another_root: bool, loosened: dict[str, object]
) -> None:
    modem, _ = board()
    given = {"root": pki.shared().device_ca.to_pem()} if another_root else {}
    with pytest.raises(ModemError, match=r"error 579 \(SSL handshake failed\)") as caught:
        modem.open_module_tls(host, 8443, settings(**given))
    assert (caught.value.layer, caught.value.code) == ("module TLS", 579)
    assert "lighttls" in str(caught.value.hint)
    assert exchange(modem.open_module_tls(host, 8443, settings(**loosened)), b"x") == b"x"


def test_module_whose_clock_was_never_set_refuses_every_certificate_unless_dates_are_skipped() -> None:
    modem, _ = board(situation=Situation(clock="80/01/06,00:00:10+00"))
    with pytest.raises(ModemError, match="579"):
        modem.open_module_tls(HOST, 8443, settings())
    assert exchange(modem.open_module_tls(HOST, 8443, settings(insecure_skip_dates=True)), b"x") == b"x"


def test_firmware_that_compares_no_names_is_refused_unless_told_otherwise() -> None:
    modem, simulated = board(situation=Situation(old_tls=True))
    with pytest.raises(ModemError, match="does not compare the server's name") as caught:
        modem.open_module_tls(HOST, 8443, with_identity())
    assert caught.value.layer == "module TLS"
    assert not simulated.module.connections
    loosened = settings(insecure_skip_name=True)
    assert exchange(modem.open_module_tls("other.example", 8443, loosened), b"x") == b"x"


@pytest.mark.parametrize(
    ("code", "layer", "words"),
    [
        (552, "TCP", "invalid parameters"),
        (561, "PDP context", "opening the PDP context failed"),
        (565, "DNS", "DNS parse failed"),
        (566, "TCP", "socket connect failed"),
        (569, "TCP", "operation timeout"),
        (579, "module TLS", "SSL handshake failed"),
        (593, "module TLS", "not documented"),
    ],
)
def test_number_of_a_failed_open_is_explained(code: int, layer: str, words: str) -> None:
    modem = lying("quectel", {"AT+QSSLOPEN": b"\r\nOK\r\n\r\n+QSSLOPEN: 0,%d\r\n" % code})
    with pytest.raises(ModemError, match=rf"error {code} \({words}\)") as caught:
        modem.open_module_tls(HOST, 8443, settings(root=b"", insecure_skip_verify=True))
    assert (caught.value.layer, caught.value.code, caught.value.timed_out) == (layer, code, code == 569)


def test_open_that_is_refused_at_once_or_never_answered_says_so() -> None:
    careless = settings(root=b"", insecure_skip_verify=True)
    refused = {"AT+QSSLOPEN": b"\r\nERROR\r\n", "AT+QIGETERROR": b'\r\n+QIGETERROR: 573,"no APN"\r\n\r\nOK\r\n'}
    with pytest.raises(ModemError, match="no APN") as caught:
        lying("quectel", refused).open_module_tls(HOST, 8443, careless)
    assert caught.value.layer == "PDP context"
    with pytest.raises(ModemError, match="no answer within 150 s") as late:
        lying("quectel", {"AT+QSSLOPEN": b"\r\nOK\r\n"}).open_module_tls(HOST, 8443, careless)
    assert late.value.timed_out
    assert late.value.layer == "module TLS"


def test_number_that_another_program_left_open_is_taken_over() -> None:
    modem, simulated = board()
    modem.open_module_tls(HOST, 8443, settings())
    second = Modem(simulated, "quectel")
    assert exchange(second.open_module_tls(HOST, 8443, settings()), b"x") == b"x"


# --- uploads ---------------------------------------------------------------------------------------


def test_checksum_is_what_a_module_said_of_amazons_root() -> None:
    """A BG95 answered `+QFUPL: 1208,5769` to it, with CR LF for line ends."""
    pem = AMAZON_ROOT_CA_1.replace(b"\n", b"\r\n")
    assert (len(pem), checksum(pem)) == (1208, 0x5769)


def test_checksum_pads_an_odd_last_byte_with_zero() -> None:
    assert checksum(b"\x12\x34\x56") == 0x1234 ^ 0x5600
    assert checksum(b"") == 0


@pytest.mark.parametrize("text", [b"ab+++cd", b"++++", b"+++++++++", b"a++\nb", b"plain"])
def test_escape_inside_a_file_is_broken_by_a_line_end(text: bytes) -> None:
    safe = without_escape(text)
    assert b"+++" not in safe
    assert safe.replace(b"\n", b"") == text.replace(b"\n", b"")


def bytes_before_the_file(simulated_faults: Faults | None = None) -> int:
    """How many bytes go to the module before those of the first file."""
    modem, simulated = board(faults=simulated_faults)
    where = []
    take = simulated.module._store
    simulated.module._store = lambda name, data: (
        where.append(simulated.line.bytes_to_module - len(data)),
        take(name, data),
    )
    modem.open_module_tls(HOST, 8443, settings())
    return where[0]


def test_file_that_the_serial_line_changed_is_noticed_and_never_used() -> None:
    modem, simulated = board(faults=Faults(flipped_to_modem=[bytes_before_the_file() + 100]))
    with pytest.raises(ModemError, match="not what was sent") as caught:
        modem.open_module_tls(HOST, 8443, settings())
    assert caught.value.layer == "serial line"
    assert simulated.module.files == {}
    assert exchange(modem.open_module_tls(HOST, 8443, settings()), b"x") == b"x"


def test_file_that_arrives_short_is_refused_by_the_module_and_the_next_attempt_works() -> None:
    modem, simulated = board(faults=Faults(dropped_to_modem=[bytes_before_the_file() + 100]))
    with pytest.raises(ModemError, match=r"RAM:lighttls_cacert.pem: .*421.* \(time out\)") as caught:
        modem.open_module_tls(HOST, 8443, settings())
    assert (caught.value.layer, caught.value.code) == ("module", 421)
    assert exchange(modem.open_module_tls(HOST, 8443, settings()), b"x") == b"x"
    assert simulated.module.files == {}


@pytest.mark.parametrize("answer", [b"", b"\r\n+QFUPL: 12\r\n", b"\r\n+QFUPL: 12,zz\r\n"])
def test_upload_without_its_count_and_checksum_is_not_believed(answer: bytes) -> None:
    modem = lying("quectel", {"AT+QFUPL": b"\r\nCONNECT\r\n" + answer + b"\r\nOK\r\n"})
    with pytest.raises(ModemError) as caught:
        modem.open_module_tls(HOST, 8443, settings())
    assert caught.value.layer == "serial line"


# --- the connection ----------------------------------------------------------------------------------


def test_end_comes_after_the_data_before_it() -> None:
    first = MemoryServer()
    servers: list[EchoServer] = []

    def dial(host: str, port: int) -> EchoServer:
        servers.append(EchoServer(first.again()))
        return servers[-1]

    simulated = SimulatedModem("EC21", Network(dial, round_trip=0.05))
    connection = Modem(simulated, "quectel").open_module_tls(HOST, 8443, settings())
    server = servers[0]
    server.link.send(server.server.seal(bytes(5000)) + server.server.say_goodbye())
    server.link.close()
    assert receive(connection, 5000) == bytes(5000)
    assert connection.recv(100, 60) == b""


def test_news_that_is_lost_only_delays() -> None:
    modem, _ = board(faults=Faults(lost_news=1.0))
    assert exchange(modem.open_module_tls(HOST, 8443, settings()), b"hello") == b"hello"


def test_send_that_finds_no_room_is_made_again() -> None:
    modem, _ = board(faults=Faults(send_fails=0.5))
    data = bytes(range(256)) * 20
    assert exchange(modem.open_module_tls(HOST, 8443, settings()), data) == data


@pytest.mark.parametrize("seed", range(6))
def test_slow_and_talkative_module_loses_no_plaintext(seed: int) -> None:
    faults = Faults(
        seed=seed,
        split=0.3,
        stray_news=0.3,
        bare_prompts=bool(seed & 1),
        late_prompts=0.2,
        send_fails=0.3,
        late_results=0.1,
        lost_news=0.3,
        slow_news=0.05,
    )
    modem, simulated = board(faults=faults, server=MemoryServer(ask_client=True))
    data = bytes(range(256)) * 30
    assert exchange(modem.open_module_tls(HOST, 8443, with_identity()), data) == data
    assert simulated.module.files == {}


@pytest.mark.parametrize("kind", ["reset", "data lost"])
def test_connection_that_the_module_loses_ends_by_name(kind: str) -> None:
    modem, simulated = board()
    connection = modem.open_module_tls(HOST, 8443, settings())
    simulated.module.reset() if kind == "reset" else simulated.module.lose_data()
    with pytest.raises(ModemError) as caught:
        use_until_it_fails(connection)
    assert isinstance(caught.value, ModuleReset) == (kind == "reset")
    assert caught.value.layer == {"reset": "module", "data lost": "PDP context"}[kind]
    assert exchange(modem.open_module_tls(HOST, 8443, settings()), b"x") == b"x"


def test_byte_that_changes_on_the_serial_line_is_delivered_as_if_it_were_right() -> None:
    """Over `open_tcp` TLS refuses it: `test_flipped_byte_is_refused_and_the_link_is_suspect`."""
    modem, _ = board(faults=Faults(flipped_payload=[2]))
    assert exchange(modem.open_module_tls(HOST, 8443, settings()), b"hello") == b"hemlo"


def test_tls_of_the_module_and_tcp_beside_it_keep_apart() -> None:
    first = MemoryServer()
    network = Network(lambda host, port: Echo() if port == 7 else EchoServer(first.again()), round_trip=0.05)
    modem = Modem(SimulatedModem("EC21", network), "quectel")
    plain, secured = modem.open_tcp(HOST, 7), modem.open_module_tls(HOST, 8443, settings())
    assert exchange(secured, b"secured") == b"secured"
    assert exchange(plain, b"plain") == b"plain"
    plain.close()
    secured.close()
    assert exchange(modem.open_tcp(HOST, 7), b"x") == b"x"


# --- what is refused before anything is sent -----------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"root": b""},
        {"root": b"0\x82"},
        {"root": b"-----BEGIN " + b"x" * 10240},
        {"certificate": b"-----BEGIN CERTIFICATE-----"},
        {"key_to_upload": b"-----BEGIN PRIVATE KEY-----"},
        {
            "certificate": b"-----BEGIN CERTIFICATE-----",
            "key_to_upload": b"-----BEGIN PRIVATE KEY-----",
            "insecure_skip_verify": True,
        },
        {"folder": '"'},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        settings(**wrong)


def test_key_is_not_shown() -> None:
    assert b"PRIVATE" in with_identity().key_to_upload
    assert "PRIVATE" not in repr(with_identity())


@pytest.mark.parametrize("dialect", sorted(FAMILIES.keys() - {"quectel"}))
def test_other_dialects_have_none(dialect: str) -> None:
    simulated = SimulatedModem(FAMILIES[dialect], Network(lambda host, port: Echo()))
    with pytest.raises(ConfigurationError, match="is not driven"):
        Modem(simulated, dialect).open_module_tls(HOST, 8443, settings())
    assert simulated.line.bytes_to_module == 0


@pytest.mark.parametrize(
    ("host", "port", "access"),
    [("a" * 151, 443, "buffer"), ('"', 443, "buffer"), (HOST, 0, "buffer"), (HOST, 1, "transparent")],
)
def test_host_port_or_access_that_cannot_be_is_refused_before_anything_is_sent(
    host: str, port: int, access: str
) -> None:
    simulated = SimulatedModem("EC21", Network(lambda host, port: Echo()))
    with pytest.raises(ConfigurationError):
        Modem(simulated, "quectel", access=access).open_module_tls(host, port, settings())
    assert simulated.line.bytes_to_module == 0


def test_asyncio_has_it_too() -> None:
    require.module("serial")
    first = MemoryServer()
    network = Network(lambda host, port: EchoServer(first.again()))
    simulated = SimulatedModem("EC21", network, baud=921600, timeline=RealTimeline())

    async def talk(name: str) -> bytes:
        async with await AsyncModem.open(name, "quectel") as modem:
            link = await modem.open_module_tls(HOST, 8443, settings())
            link.write(b"hello")
            return await link.read(5)

    with Pty(simulated) as pty:
        assert asyncio.run(talk(pty.name)) == b"hello"
