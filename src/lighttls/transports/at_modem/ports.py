"""Where the bytes of a modem go: a serial port, or whatever has `read` and `write`."""

from __future__ import annotations

import importlib
import select
from time import monotonic, sleep
from typing import Any, Final, Protocol

from lighttls.errors import ConfigurationError
from lighttls.transports.at_modem.results import ModemError

_READ_SIZE: Final = 4096
_NAP: Final = 0.005  # seconds between two looks at a port that cannot be waited for


class Port(Protocol):
    """A byte carrier to a modem. One that keeps its own time, as simulators do, has `monotonic()` as well."""

    def read(self, n: int, timeout: float | None) -> bytes:
        """What has come, at most `n` bytes, as soon as there is anything; b"" after so many seconds."""

    def write(self, data: bytes) -> None:
        """Hand over all of `data`."""

    def close(self) -> None: ...


class SerialPort:
    """A serial port of pyserial, or any file-like object whose `read` returns what there is.

    It is waited for by its `fileno()`; where it has none (Windows), by pyserial's own `timeout`. An object with neither
    is asked every 5 ms.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._has_descriptor = False
        try:
            file.fileno()
            select.select([file], [], [], 0)
            self._has_descriptor = True
            if hasattr(file, "timeout"):
                file.timeout = 0
        except (AttributeError, OSError, ValueError):
            pass

    def read(self, n: int, timeout: float | None) -> bytes:
        if self._has_descriptor:
            if not select.select([self._file], [], [], timeout)[0]:
                return b""
            return self._take(n, ended=True)
        if hasattr(self._file, "timeout"):
            self._file.timeout = timeout
            first = self._file.read(1) or b""
            return first + self._file.read(min(n - 1, self._file.in_waiting)) if first else b""
        end = None if timeout is None else monotonic() + timeout
        while not (data := self._take(n, ended=False)) and (end is None or monotonic() < end):
            sleep(_NAP)
        return data

    def write(self, data: bytes) -> None:
        while data:
            taken = self._file.write(data)
            if taken is None:
                return
            data = data[taken:]
        flush = getattr(self._file, "flush", None)
        if flush is not None and not hasattr(self._file, "timeout"):  # pyserial's flush waits for the last bit
            flush()

    def close(self) -> None:
        self._file.close()

    def _take(self, n: int, *, ended: bool) -> bytes:
        """`ended`: it is said to be readable, so that nothing means the end."""
        waiting = getattr(self._file, "in_waiting", None)
        size = n if waiting is None else max(1, min(n, waiting))
        data: bytes = self._file.read(size) or b""
        if not data and ended:
            raise ModemError("the port was closed or unplugged", "serial line", hint=_UNPLUGGED)
        return data


def as_port(thing: Any, baud: int, *, flow_control: bool) -> Port:
    """`thing` itself if it is a port, the serial port of that name, or a port around a file-like object."""
    if isinstance(thing, str):
        return SerialPort(open_serial(thing, baud, flow_control=flow_control))
    if not hasattr(thing, "read") or not hasattr(thing, "write"):
        raise ConfigurationError(f"a modem's port is a name such as /dev/ttyUSB2 or has read and write, not {thing!r}")
    return thing if hasattr(thing, "monotonic") or isinstance(thing, SerialPort) else SerialPort(thing)


def open_serial(name: str, baud: int, *, flow_control: bool) -> Any:
    """A port of pyserial, 8 bits, no parity, one stop bit. XON/XOFF is off: payload may have any byte."""
    if type(baud) is not int or baud < 1:
        raise ConfigurationError(f"a baud rate is a number such as 115200, not {baud!r}")
    try:
        serial: Any = importlib.import_module("serial")
    except ImportError as cause:
        raise ConfigurationError(
            "opening a serial port by name needs pyserial", hint="Install it: pip install 'lighttls[modem]'."
        ) from cause
    try:
        return serial.Serial(name, baud, timeout=0, rtscts=flow_control, xonxoff=False, exclusive=True)
    except (OSError, ValueError) as cause:
        raise ModemError(f"cannot open {name}: {cause}", "serial line", hint=_CANNOT_OPEN) from cause


_CANNOT_OPEN = (
    "Check the name (`ls /dev/ttyUSB* /dev/ttyAMA* /dev/serial/by-id`), that you belong to the group dialout, and that "
    "no other program such as ModemManager has it open."
)
_UNPLUGGED = "Check the cable and the modem's power; after a reset a USB modem may come back under another name."
