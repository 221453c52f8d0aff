"""Microchip's own compiled library, which believes that the simulated chip is on its I2C bus.

The package `cryptoauthlib` brings the library; of its Python nothing is used. Its functions are called by ctypes, and
its hardware layer is replaced by callbacks.
"""

from __future__ import annotations

import ctypes as c
import importlib.util
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lighttls.testing.atecc608a import SimulatedChip
from support import require

_COMMUNICATION_FAILED = 0xF0
_I2C = 0

_Init = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p)
_PostInit = c.CFUNCTYPE(c.c_int, c.c_void_p)
_Send = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_uint8, c.POINTER(c.c_uint8), c.c_int)
_Receive = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_uint8, c.POINTER(c.c_uint8), c.POINTER(c.c_uint16))
_Control = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_uint8, c.c_void_p, c.c_size_t)
_Release = c.CFUNCTYPE(c.c_int, c.c_void_p)


class _Hal(c.Structure):
    _fields_ = (
        ("init", _Init),
        ("post_init", _PostInit),
        ("send", _Send),
        ("receive", _Receive),
        ("control", _Control),
        ("release", _Release),
    )


class Library:
    """Calls functions of the library; each must return success, unless `status` asks what it returned."""

    def __init__(self, path: Path) -> None:
        self.native = c.CDLL(str(path))
        self.chip: SimulatedChip | None = None
        self.opcodes: set[int] = set()  # of all commands that it sent
        self._hal = _Hal(
            _Init(lambda *_: 0),
            _PostInit(lambda *_: 0),
            _Send(self._send),
            _Receive(self._receive),
            _Control(lambda *_: 0),
            _Release(lambda *_: 0),
        )
        assert self.native.hal_iface_register_hal(_I2C, c.byref(self._hal), None, None, None) == 0

    def status(self, function: str, *args: Any) -> int:
        return int(getattr(self.native, function)(*args))

    def call(self, function: str, *args: Any) -> None:
        status = self.status(function, *args)
        assert status == 0, f"{function} returned {status:#x}"

    def fill(self, size: int, function: str, *before: Any, after: tuple[Any, ...] = ()) -> bytes:
        """Call a function that fills a buffer of `size`, given between the other arguments."""
        buffer = c.create_string_buffer(size)
        self.call(function, *before, buffer, *after)
        return buffer.raw

    @contextmanager
    def driving(self, chip: SimulatedChip) -> Iterator[None]:
        self.chip = chip
        self.call("atcab_init", c.byref(c.c_char.in_dll(self.native, "cfg_ateccx08a_i2c_default")))
        try:
            yield
        finally:
            self.call("atcab_release")
            self.chip = None

    def _send(self, _: Any, word: int, data: Any, size: int) -> int:
        assert self.chip is not None
        try:
            if size > 0:
                self.opcodes.add(data[1])
                self.chip.write(bytes((word,)) + c.string_at(data, size))
            elif self._sleeping():
                self.chip.wake()
            else:
                self.chip.write(bytes((word,)))
        except OSError:
            return _COMMUNICATION_FAILED
        return 0

    def _sleeping(self) -> bool:
        """The library says a wake pulse as it says Sleep: the state of the chip tells which it is."""
        assert self.chip is not None
        return self.chip.is_asleep

    def _receive(self, _: Any, address: int, buffer: Any, size: Any) -> int:
        assert self.chip is not None
        try:
            got = self.chip.read(size.contents.value)
        except OSError:
            return _COMMUNICATION_FAILED
        c.memmove(buffer, got, len(got))
        return 0


def library() -> Library:
    """The library. Skips the test where the package is not installed: it is built for few systems."""
    if sys.platform != "linux" or platform.machine() != "x86_64" or sys.version_info >= (3, 14):
        pytest.skip(require.NO_COMMAND_BRINGS + "cryptoauthlib: it is built for Linux on x86-64, to Python 3.13")
    found = importlib.util.find_spec("cryptoauthlib")
    if found is None or found.origin is None:
        pytest.skip("no `cryptoauthlib` here: pip install -e '.[test]'")
    return Library(Path(found.origin).with_name("libcryptoauth.so"))
