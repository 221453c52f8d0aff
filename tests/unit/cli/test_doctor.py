"""`lighttls doctor`: each planted fault is named as the first failing layer, with what to do about it."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hostile import wire
from lighttls.cli import DIALECTS, doctor
from lighttls.cli.doctor import chip as doctor_chip
from lighttls.cli.doctor.walk import LAYERS
from lighttls.testing.modem import SimulatedModem
from lighttls.transports.at_modem import SerialPort
from lighttls.transports.at_modem.families import FAMILIES
from support import certificates as kit
from support import patients, refused
from support.clinic import Clinic
from support.refused import EXPIRED, LEAF, MIDDLE, NEW_YEAR_1980, ROOT
from support.terminal import listening, showing

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")

NOWHERE = "127.0.0.1:1"  # nobody listens there
STRANGER = b"\r\n+CMEE: 1\r\n\r\nACME\r\n\r\nOK\r\n"


Plant = Callable[[Clinic], list[str]]


@dataclass(frozen=True)
class Fault:
    what: str
    layer: str
    words: tuple[str, ...]
    plant: Plant

    def __str__(self) -> str:
        return self.what.replace(" ", "-")


def not_writable(clinic: Clinic) -> list[str]:
    port = clinic.using(patients.saying(b""))
    os.chmod(port, 0)
    if os.geteuid() == 0:  # whom no permissions hold
        os.seteuid(65534)
        clinic.at_end(os.seteuid, 0)
    return clinic.line(port)


def in_use(clinic: Clinic) -> list[str]:
    import fcntl  # which Windows has not

    port = clinic.using(patients.saying(b""))
    other = os.open(port, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX)
    clinic.at_end(os.close, other)
    return clinic.line(port)


def answering(answer: bytes) -> Plant:
    return lambda clinic: clinic.line(clinic.using(patients.saying(answer)))


def chip_at_another_address(clinic: Clinic) -> list[str]:
    class Bus:
        """One chip, at 0x35."""

        def __init__(self, path: str, address: int) -> None:
            self._chip = patients.sound_chip() if address == 0x35 else patients.absent_chip()
            self.wake, self.write, self.read = self._chip.wake, self._chip.write, self._chip.read

        def __enter__(self) -> Bus:
            return self

        def __exit__(self, *_: object) -> None: ...

    clinic.patch.setattr(doctor_chip, "LinuxI2C", Bus)
    return [clinic.somewhere(), "--i2c", "/dev/i2c-1"]


def certificate_of_another_key(clinic: Clinic) -> list[str]:
    other = kit.make("device", kit.ec_key("another device"), ROOT)
    return [*clinic.chip("sound_chip"), "--cert", clinic.file("device.pem", refused.pem([other]))]


def clock_never_set(clinic: Clinic) -> list[str]:
    clinic.patch.setattr(time, "time", lambda: float(NEW_YEAR_1980))
    return [clinic.somewhere()]


def clock_never_set_beside_a_modem(clinic: Clinic) -> list[str]:
    return [*clinic.modem("host.example:" + clinic.somewhere().partition(":")[2]), "--at", "1980-01-06"]


def tls_refused(clinic: Clinic) -> list[str]:
    class Refusing:
        def receive(self, data: bytes) -> None: ...

        def take(self) -> bytes:
            return wire.record(wire.ALERT, wire.alert(2, 70))

    return [*clinic.behind(Refusing()), *clinic.trusting(), "--at", str(kit.NOW)]


def no_tls(clinic: Clinic) -> list[str]:
    class Web:
        def receive(self, data: bytes) -> None: ...

        def take(self) -> bytes:
            return b"HTTP/1.1 400 Bad Request\r\n\r\n"

    return [*clinic.behind(Web()), *clinic.trusting(), "--at", str(kit.NOW)]


def certificate_wanted(clinic: Clinic) -> list[str]:
    return clinic.server(request=True, second=[lambda server: wire.record(wire.ALERT, wire.alert(2, 40))])


def certificate_not_taken(clinic: Clinic) -> list[str]:
    unknown = [lambda server: wire.record(wire.ALERT, wire.alert(2, 48))]
    return [
        *clinic.server(request=True, second=unknown),
        "--i2c",
        "support.patients:sound_chip",
        "--cert",
        clinic.device(),
    ]


def chip_fails_in_the_handshake(clinic: Clinic) -> list[str]:
    return [*clinic.server(request=True), "--i2c", "support.patients:FailingLater", "--cert", clinic.device()]


FAULTS = [
    Fault("no such port", "serial port", ("No such file", "ls /dev/ttyUSB*"), lambda c: c.line("/dev/ttyNowhere7")),
    Fault("port not writable", "serial port", ("Permission denied", "dialout"), not_writable),
    Fault("port in use", "serial port", ("Another program has the port", "ModemManager"), in_use),
    Fault("no serial port", "serial port", ("This is no serial port",), lambda c: c.line("/dev/null")),
    Fault("modem silent", "modem", ("Not one byte came back", "TX and RX are crossed"), answering(b"")),
    Fault("wrong baud rate", "modem", ("is no text", "--baud"), answering(bytes.fromhex("f8 80 00 e6 fe 18"))),
    Fault("port for positions", "modem", ("'$GPGGA,1,,'", "other ports"), answering(b"$GPGGA,1,,\r\n")),
    Fault("unknown module", "modem", ("no dialect is known for", "ACME", "--dialect"), answering(STRANGER)),
    Fault("no SIM", "SIM", ("SIM not inserted", "the right way round"), lambda c: c.modem(sim="")),
    Fault("PIN needed", "SIM", ("the SIM wants its PIN", "--sim-pin"), lambda c: c.modem(sim="SIM PIN")),
    Fault(
        "wrong PIN", "SIM", ("refuses the PIN", "three wrong"), lambda c: [*c.modem(sim="SIM PIN"), "--sim-pin", "0000"]
    ),
    Fault("PUK needed", "SIM", ("it wants SIM PUK",), lambda c: c.modem(sim="SIM PUK")),
    Fault("denied", "registration", ("registration denied", "activated and paid"), lambda c: c.modem(registration=3)),
    Fault("not registered", "registration", ("searching", "-73 dBm", "antenna"), lambda c: c.modem(registration=2)),
    Fault(
        "no data connection",
        "PDP context",
        ("no data connection", "Check the APN"),
        lambda c: c.modem(data_allowed=False),
    ),
    Fault("name unknown to the modem", "DNS", ("host.example", "spelling"), lambda c: c.modem(knows="other.example")),
    Fault("name unknown", "DNS", ("nowhere.invalid", "spelling"), lambda c: ["nowhere.invalid:443"]),
    Fault("refused over the modem", "TCP", ("Check host, port", "APN lets through"), lambda c: c.modem()),
    Fault("refused", "TCP", ("refused", "server is running"), lambda c: [NOWHERE]),
    Fault("no bus", "chip", ("/dev/i2c-77", "raspi-config"), lambda c: [c.somewhere(), "--i2c", "/dev/i2c-77"]),
    Fault("chip absent", "chip", ("no secure element answers", "power, wiring"), lambda c: c.chip("absent_chip")),
    Fault("chip at another address", "chip", ("0x60", "--i2c-address 0x35"), chip_at_another_address),
    Fault("chip silent", "chip", ("arrive altered", "pull-up"), lambda c: c.chip("silent_chip")),
    Fault("bus that is none", "chip", ("no methods wake", "locked_chip"), lambda c: c.chip("NOT_A_BUS")),
    Fault("bus with a bug", "chip", ("ZeroDivisionError", "object of yours"), lambda c: c.chip("broken_bus")),
    Fault("chip unlocked", "chip locks", ("not locked", "docs/secure-element.md"), lambda c: c.chip("unlocked_chip")),
    Fault("chip half locked", "chip locks", ("the data zone is not", "for ever"), lambda c: c.chip("half_locked_chip")),
    Fault("slot of another kind", "chip locks", ("slot 9", "--slot"), lambda c: [*c.chip("sound_chip"), "--slot", "9"]),
    Fault("slot without a key", "chip key", ("execution error", "empty slot"), lambda c: c.chip("empty_chip")),
    Fault(
        "chip that signs wrongly",
        "chip key",
        ("does not fit its public key", "Replace"),
        lambda c: c.chip("lying_chip"),
    ),
    Fault("certificate of another key", "certificate", ("device.pem", "key"), certificate_of_another_key),
    Fault("certificate without key", "certificate", ("--key",), lambda c: [c.somewhere(), "--cert", c.device()]),
    Fault("clock of 1980", "clock", ("1980-01-01", "never set", "--floor"), clock_never_set),
    Fault(
        "clock beside a network's",
        "clock",
        ("1980-01-06", "modem's network 2026-11-22", " h away"),
        clock_never_set_beside_a_modem,
    ),
    Fault("TLS refused", "TLS", ("protocol_version", "does not accept TLS 1.2"), tls_refused),
    Fault("no TLS", "TLS", ("another protocol on this port",), no_tls),
    Fault("unknown issuer", "chain", ("trust store",), lambda c: c.server(kit.server(kit.root("Stranger")))),
    Fault("chain ended", "chain", ("5 days ago", "renew"), lambda c: c.server(kit.server(MIDDLE, **EXPIRED), MIDDLE)),
    Fault("wrong host", "chain", ("a.example",), lambda c: c.server(kit.server(MIDDLE, "a.example"), MIDDLE)),
    Fault("certificate wanted", "client certificate", ("no certificate was given", "--cert"), certificate_wanted),
    Fault("certificate not taken", "client certificate", ("unknown_ca", "Register it"), certificate_not_taken),
    Fault(
        "chip fails in the handshake",
        "client certificate",
        ("the secure element did not sign", "pull-up"),
        chip_fails_in_the_handshake,
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_planted_fault_is_the_first_that_fails(fault: Fault, clinic: Clinic) -> None:
    shown = clinic.run(fault.plant(clinic))
    assert shown.status == 1, shown.out + shown.err
    assert f"The first layer that fails is: {fault.layer}." in shown.words
    for words in fault.words:
        assert words in shown.words, shown.out
    assert "Traceback" not in shown.out + shown.err
    states = [line[20:29].strip() for line in shown.out.splitlines()[: len(LAYERS)]]
    failed = LAYERS.index(fault.layer)
    assert states[failed] == "FAILED"
    assert "FAILED" not in states[:failed]
    assert set(states[failed + 1 :]) <= {"not asked"}


# --- all is well -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["EC21", "SIM7600", "SARA-R4"])
def test_all_layers_of_a_device_in_good_health(model: str, clinic: Clinic) -> None:
    server = showing(LEAF, MIDDLE, request=True)
    port = clinic.using(listening(server)).partition(":")[2]
    over = clinic.modem(f"host.example:{port}", model)
    chip = ["--i2c", "support.patients:sound_chip", "--cert", clinic.device()]
    shown = clinic.run([*over, *chip, *clinic.trusting(), "--at", str(kit.NOW)])
    assert shown.status == 0, shown.out
    lines = shown.out.splitlines()[: len(LAYERS)]
    assert [line[:18].strip() for line in lines] == list(LAYERS)
    assert {line[20:29].strip() for line in lines} == {"ok"}
    assert "Every layer that was asked does its part" in shown.words
    assert server.client_chain == [patients.device(ROOT).der]
    assert server.received == b""
    assert server.alerts == [(1, 0)]  # close_notify


def test_without_modem_and_chip_only_the_host_s_own_layers_are_asked(clinic: Clinic) -> None:
    shown = clinic.run(clinic.server(), "--json")
    assert shown.status == 0, shown.out
    asked = [each["layer"] for each in shown.data["layers"] if each["state"] == "ok"]
    assert asked == ["TCP", "clock", "TLS", "chain"]


def test_server_that_asks_and_goes_on_without_a_certificate_is_well(clinic: Clinic) -> None:
    shown = clinic.run(clinic.server(request=True))
    assert shown.status == 0, shown.out
    assert "the server asked for one, and goes on without" in shown.words


def test_pin_that_is_given_is_used(clinic: Clinic) -> None:
    shown = clinic.run([*clinic.modem(sim="SIM PIN"), "--sim-pin", "1234"])
    assert "The first layer that fails is: TCP." in shown.words


def test_floor_stands_in_for_a_clock_that_was_never_set(clinic: Clinic) -> None:
    floor = ["--floor", "2026-06-01"]
    shown = clinic.run([*clinic.server(at=NEW_YEAR_1980), *floor])
    assert shown.status == 0, shown.out
    assert "no earlier time is believed than --floor" in shown.words


# --- what programs read ------------------------------------------------------------------------


def test_json_names_the_first_failing_layer_and_lists_all(clinic: Clinic) -> None:
    shown = clinic.run(clinic.modem(sim=""), "--json")
    found = shown.data
    assert (shown.status, found["ok"], found["failed"]) == (1, False, "SIM")
    assert (found["host"], found["port"]) == ("host.example", 1)
    assert "SIM not inserted" in found["detail"]
    assert "Put a SIM" in found["remedy"]
    assert [each["layer"] for each in found["layers"]] == list(LAYERS)
    assert {tuple(each) for each in found["layers"]} == {("layer", "state", "detail")}
    assert [each["state"] for each in found["layers"]] == ["ok", "ok", "failed"] + ["not asked"] * 12


def test_json_of_good_health_has_no_failure(clinic: Clinic) -> None:
    found = clinic.run(clinic.server(), "--json").data
    assert (found["ok"], found["failed"], found["detail"], found["remedy"]) == (True, None, None, None)


@pytest.mark.parametrize(
    "wrong", [["--cafile", "/nowhere.pem"], ["--at", "yesterday"], ["--verifier", "nothing:at_all"]]
)
def test_question_that_makes_no_sense_is_refused_before_anything_is_asked(wrong: list[str], clinic: Clinic) -> None:
    shown = clinic.run([NOWHERE, *wrong], "--json")
    assert shown.status == 2
    assert (shown.data["ok"], shown.data["error"]) == (False, "ConfigurationError")
    assert clinic.run([NOWHERE, *wrong]).err.startswith("lighttls doctor: ConfigurationError: ")


def test_dialects_of_the_command_line_are_those_there_are() -> None:
    assert tuple(FAMILIES) == DIALECTS


@pytest.mark.parametrize("wrong", [["--registration-limit", "nan"], ["--i2c-address", "sixty"], ["--slot", "16"]])
def test_command_line_with_nonsense_is_refused_with_status_2(wrong: list[str], clinic: Clinic) -> None:
    with pytest.raises(SystemExit) as ended:
        clinic.run([NOWHERE, *wrong])
    assert ended.value.code == 2


# --- what does not end, or ends from outside ---------------------------------------------------


def test_layer_that_never_ends_is_named(clinic: Clinic) -> None:
    clinic.patch.setattr(doctor, "_LIMIT", 0.3)
    released = threading.Event()
    clinic.patch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(20))
    shown = clinic.run(["host.example"])
    released.set()
    assert shown.status == 1
    assert "The first layer that fails is: DNS. It did not end within 0.3 s." in shown.words


def test_interruption_ends_the_walk(clinic: Clinic) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    clinic.patch.setattr("lighttls.cli.doctor.walk.Thread.join", interrupted)
    assert clinic.run([clinic.somewhere()]).status == 130


def loses_its_network(board: SimulatedModem) -> None:
    board.module.fail()
    board.module.lose_data()


@pytest.mark.parametrize(
    ("command", "dying", "layer", "words"),
    [
        ("qisend", {}, "modem", "while the handshake was made: the module was reset"),
        ("qisend", {"dying": loses_its_network}, "PDP context", "the network ended the data connection"),
        ("qiopen", {}, "modem", "while the connection was opened: the module was reset"),
        ("qidnsgip", {}, "modem", "while the name was asked for: the module was reset"),
        ("csq", {}, "modem", "while the network was asked for: the module was reset"),
    ],
)
def test_modem_that_dies_later_is_what_fails_though_it_had_passed(
    command: str, dying: dict[str, Any], layer: str, words: str, clinic: Clinic
) -> None:
    port = clinic.somewhere().partition(":")[2]
    shown = clinic.run([*clinic.dying_modem(f"host.example:{port}", command, **dying), "--at", str(kit.NOW)])
    assert shown.status == 1
    assert f"The first layer that fails is: {layer}. " in shown.words
    assert words in shown.words.lower()


def test_port_that_is_unplugged_in_the_handshake_is_what_fails(clinic: Clinic) -> None:
    def unplug(board: SimulatedModem) -> None:
        clinic.patch.setattr(SerialPort, "read", unplugged)

    def unplugged(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    server = f"host.example:{clinic.somewhere().partition(':')[2]}"
    shown = clinic.run([*clinic.dying_modem(server, "qisend", dying=unplug), "--at", str(kit.NOW), "--json"])
    found = shown.data
    assert (found["failed"], found["ok"]) == ("serial port", False)
    assert found["detail"] == "while the handshake was made: reading failed: [Errno 5] Input/output error"
    assert [each["layer"] for each in found["layers"]] == list(LAYERS)
    states = {each["layer"]: each["state"] for each in found["layers"]}
    assert states["serial port"] == "failed"
    assert {states[layer] for layer in LAYERS[1:7]} == {"ok"}
    assert states["TLS"] == "not asked"


def test_server_that_hangs_up_in_the_handshake_is_no_failure_of_the_modem(clinic: Clinic) -> None:
    class HangingUp:
        def receive(self, data: bytes) -> None:
            raise ConnectionResetError

    port = clinic.using(listening(HangingUp())).partition(":")[2]
    shown = clinic.run([*clinic.modem(f"host.example:{port}"), "--at", str(kit.NOW)])
    assert "The first layer that fails is: TLS. " in shown.words
