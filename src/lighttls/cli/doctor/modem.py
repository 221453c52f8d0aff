"""From the serial port to a TCP connection over a modem, and the modem's time."""

from __future__ import annotations

import errno
import os
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Final

from lighttls.cli.doctor.walk import Walk
from lighttls.errors import LightTLSError, TransportError
from lighttls.transports import Transport
from lighttls.transports.at_modem import Modem, ModemError, Registration, SerialPort, open_serial

LAYERS: Final = ("serial port", "modem", "SIM", "registration", "PDP context")
_BRINGING_UP: Final = ("SIM", "registration", "PDP context")
_DENIED: Final = 3
_NAMES: Final = {"serial line": "serial port", "module": "modem"}  # of an error's layer here
_HEARD: Final = 400  # bytes that tell what speaks


@contextmanager
def blaming(walk: Walk, doing: str) -> Iterator[None]:
    """A modem's failure in here is that of the layer which its error names, though it had passed before."""
    try:
        yield
    except ModemError as error:
        layer = _NAMES.get(error.layer, error.layer)
        if not walk.has_passed(layer):
            raise
        raise walk.fail_after_all(layer, f"while {doing}: {_bare(error)}", error.advice()) from error


class Listener:
    """A port that keeps the first bytes that came, by which silence, noise and another program are told apart."""

    def __init__(self, port: SerialPort) -> None:
        self._port = port
        self.heard = b""

    def monotonic(self) -> float:
        return time.monotonic()

    def read(self, n: int, timeout: float | None) -> bytes:
        data = self._port.read(n, timeout)
        self.heard += data[: _HEARD - len(self.heard)]
        return data

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def close(self) -> None:
        self._port.close()


class Line:
    """A modem that is asked layer by layer."""

    def __init__(self, walk: Walk, options: Namespace, at_end: ExitStack) -> None:
        self._walk = walk
        self._options = options
        with walk.asking("serial port"):
            try:
                file = open_serial(options.modem, options.baud, flow_control=False)
            except TransportError as error:
                raise walk.fail("serial port", *_unopened(options.modem, error)) from error
        self._port = Listener(SerialPort(file))
        at_end.callback(self._port.close)
        walk.passed("serial port", f"{options.modem} can be read and written, {options.baud} baud")
        self._modem = self._speak()
        self._bring_up()

    def network_time(self) -> datetime | None:
        """The time that the network gave, if any: it only stands beside the clock, and no failure of it matters."""
        with suppress(TransportError):
            return self._modem.network_time()
        return None

    def connect(self, host: str, port: int, *, is_name: bool) -> Transport:
        """DNS and TCP."""
        walk = self._walk
        if is_name:
            with walk.asking("DNS"), blaming(walk, "the name was asked for"):
                address = self._modem.resolve(host)
            walk.passed("DNS", f"the module finds {host} at {address}")
        else:
            walk.not_asked("DNS", f"{host} is an address")
        with walk.asking("TCP"), blaming(walk, "the connection was opened"):
            link = self._modem.open_tcp(host, port)
        walk.passed("TCP", f"the module is connected to {host} port {port}")
        return link

    def _speak(self) -> Modem:
        options = self._options
        with self._walk.asking("modem"):
            settings = {"apn": options.apn, "user": options.user, "password": options.password, "pin": options.sim_pin}
            modem = Modem(self._port, options.dialect, registration_limit=options.registration_limit, **settings)
            try:
                found = modem.identify()
            except ModemError as error:
                raise self._walk.fail("modem", _bare(error), self._remedy_of_silence(error)) from error
        self._walk.passed(
            "modem", f"{found.maker} {found.model}, firmware {found.firmware}, {modem.dialect.name} dialect"
        )
        return modem

    def _bring_up(self) -> None:
        """SIM, network and data connection, which the modem does in one go: the error's layer says how far it got."""
        walk, modem = self._walk, self._modem
        with walk.asking("SIM"), blaming(walk, "it was brought up"):
            try:
                modem.bring_up()
            except ModemError as error:
                if error.layer not in _BRINGING_UP:
                    raise
                raise self._stopped(error) from error
            walk.passed("SIM", "ready")
        with walk.asking("registration"), blaming(walk, "the network was asked for"):
            found = modem.registration()
            walk.passed("registration", f"{_network(found)}, {_power(modem.signal())}")
        walk.passed("PDP context", f"a data connection of APN {self._options.apn or '(none given: the default)'}")

    def _stopped(self, error: ModemError) -> Exception:
        """Note how far the modem got, and what failed there."""
        failed = error.layer
        for layer in _BRINGING_UP[: _BRINGING_UP.index(failed)]:
            self._walk.passed(layer, "as it should be")
        remedy = {
            "SIM": self._remedy_of_sim,
            "registration": self._remedy_of_network,
            "PDP context": self._remedy_of_apn,
        }
        return self._walk.fail(failed, _bare(error), remedy[failed](error))

    # What this command can say beyond the error's own advice

    def _remedy_of_silence(self, error: ModemError) -> str:
        heard = self._port.heard
        if b"OK\r" in heard or b"ERROR\r" in heard:
            return _RELATIVE if not self._options.dialect and "dialect" in error.hint else error.advice()
        if not heard:
            return (
                "Not one byte came back. Switch the modem on, check that TX and RX are crossed, and try the other "
                "ports: a USB modem has several, and one of them answers AT."
            )
        if sum(byte in b"\r\n\t" or 32 <= byte < 127 for byte in heard) < 0.9 * len(heard):
            return (
                f"What comes is no text ({heard[:8].hex(' ')} …), so the baud rate is most likely wrong: "
                f"{self._options.baud} was used. Give the modem's with --baud; common are 9600, 115200 and 921600."
            )
        return (
            f"Something else speaks here: {heard.split()[0][:40].decode('latin-1')!r}. It may be the modem's port for "
            "positions or diagnosis, or a console: try the modem's other ports."
        )

    def _remedy_of_sim(self, error: ModemError) -> str:
        if not self._options.sim_pin and "PIN" in str(error):
            return "Give the PIN with --sim-pin, or have a telephone switch it off. Three wrong ones block the SIM."
        return error.advice()

    def _remedy_of_network(self, error: ModemError) -> str:
        state: Registration | None = None
        power: int | None = None
        with suppress(LightTLSError):
            state, power = self._modem.registration(), self._modem.signal()
        if state is not None and state.state == _DENIED:
            return (
                "The network knows this SIM and does not let it in. See that the SIM is activated and paid for, that "
                "it may roam here, and that its contract covers what the modem uses (LTE, LTE-M, NB-IoT)."
            )
        return (
            f"The modem is in no network: {_power(power)}. Check antenna and place; the first search may take minutes."
        )

    def _remedy_of_apn(self, error: ModemError) -> str:
        return (
            error.advice() if self._options.apn else f"No --apn was given, and most networks want one. {error.advice()}"
        )


def _unopened(name: str, error: TransportError) -> tuple[str, str]:
    """What to say of a port that cannot be opened, and what to do."""
    cause = error.__cause__
    # pyserial gives no number where the file opens and cannot be set up as a line
    number = (cause.errno or errno.ENOTTY) if isinstance(cause, OSError) else errno.EINVAL
    return f"{name} cannot be opened: {os.strerror(number)}", _OPENING.get(number, error.advice())


def _bare(error: ModemError) -> str:
    """The error without the name of its layer, which stands before it anyway."""
    return str(error).removeprefix(f"{error.layer}: ")


def _network(found: Registration) -> str:
    where = " ".join(part for part in (found.operator, found.technology) if part)
    return f"{found.text}, {where}" if where else found.text


def _power(power: int | None) -> str:
    return "no signal that it could measure" if power is None else f"signal {power} dBm"


_RELATIVE: Final = (
    "If it is a relative of a module that is known, say of which: --dialect. `lighttls doctor --help` has the list, "
    "and docs/transports.md says which modules each is for."
)
_NOT_SERIAL: Final = "This is no serial port. A modem's is /dev/ttyUSB2, /dev/ttyACM0, /dev/ttyAMA0 or the like."
_IN_USE: Final = (
    "Another program has the port. ModemManager takes modems as they come: `systemctl stop ModemManager`; else "
    "`fuser -v` with the port's name says who it is."
)
_OPENING: Final = {
    errno.ENOENT: (
        "There is no such port. See which there are (`ls /dev/ttyUSB* /dev/ttyACM* /dev/serial/by-id`), and whether "
        "the modem is plugged in and has power; after a reset it may come back under another name."
    ),
    errno.EACCES: (
        "You may not read and write it. Add your user to the group dialout (`sudo usermod -aG dialout $USER`), and log "
        "in again."
    ),
    errno.EBUSY: _IN_USE,
    errno.EAGAIN: _IN_USE,
    errno.ENOTTY: _NOT_SERIAL,
    errno.EISDIR: _NOT_SERIAL,
}
