"""The way to the chip: three calls, which /dev/i2c-N fulfils on Linux and any object of yours elsewhere."""

from __future__ import annotations

import errno
import os
import threading
from typing import Protocol, Self

from lighttls.devices.atecc608a.errors import ChipAbsent

_SET_ADDRESS = 0x0703  # I2C_SLAVE of <linux/i2c-dev.h>


class Bus(Protocol):
    """An I2C bus and the chip's address on it.

    A bus that several chips share has an attribute `lock` besides, a threading.RLock, which the driver holds while it
    talks.
    """

    def wake(self) -> None:
        """Hold SDA low for 60 µs at least. Nobody acknowledges that; whether the chip woke shows later."""

    def write(self, data: bytes) -> None:
        """One write transaction. Raises OSError: the chip does not acknowledge."""

    def read(self, count: int) -> bytes:
        """One read transaction. Raises OSError: the chip does not acknowledge, as while it works."""


class LinuxI2C:
    """A bus of Linux. It must run at 100 kHz or slower, or its wake pulse is too short.

    `address` has seven bits: 0x60 on blank chips, 0x35 on Trust&GO, 0x36 on TrustFLEX.
    Raises ChipAbsent, which says why the device file cannot be used.
    """

    def __init__(self, path: str = "/dev/i2c-1", address: int = 0x60) -> None:
        try:
            from fcntl import ioctl
        except ImportError as cause:
            raise ChipAbsent(
                "this system has no I2C buses as Linux has them",
                hint="Give Atecc608a an object with wake, write and read instead.",
            ) from cause
        self.lock = threading.RLock()
        self._ioctl = ioctl
        self._address = address
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as cause:
            raise ChipAbsent(
                f"the I2C bus {path} cannot be opened: {cause.strerror}",
                hint=_OPENING.get(cause.errno or 0),
            ) from cause
        try:
            ioctl(self._file, _SET_ADDRESS, address)
        except OSError as cause:
            self.close()
            raise ChipAbsent(
                f"the address {address:#04x} on {path} cannot be used: {cause.strerror}",
                hint="EBUSY means that a driver of the kernel holds it; anything else that this is no I2C bus.",
            ) from cause

    def wake(self) -> None:
        # A transfer to address 0 keeps SDA low for its eight bits, which takes 80 µs at 100 kHz. Who should answer
        # that general call takes a data byte of 1 for no command.
        self._ioctl(self._file, _SET_ADDRESS, 0)
        try:
            os.write(self._file, b"\x01")
        except OSError:
            pass  # nobody acknowledges
        finally:
            self._ioctl(self._file, _SET_ADDRESS, self._address)

    def write(self, data: bytes) -> None:
        if os.write(self._file, data) != len(data):
            raise OSError(errno.EIO, "the bus took a part of the packet")

    def read(self, count: int) -> bytes:
        return os.read(self._file, count)

    def close(self) -> None:
        """Let go of the device file. Twice does no harm."""
        file, self._file = self._file, -1  # which no system call takes; the old number may soon be another file's
        if file >= 0:
            os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_OPENING = {
    errno.ENOENT: "Is I2C switched on? On a Raspberry Pi: raspi-config, Interface Options, I2C. Then see /dev/i2c-*.",
    errno.EISDIR: "That is a directory. See /dev/i2c-* for the buses.",
    errno.EACCES: "Add your user to the group i2c (sudo usermod -aG i2c $USER), and log in again.",
}
