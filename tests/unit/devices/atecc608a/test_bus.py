"""LinuxI2C on a kernel that the test plays: which transfers it asks for, and what its refusals become."""

from __future__ import annotations

import errno
import os
import sys

import pytest

from lighttls import explain
from lighttls.devices.atecc608a import Atecc608a, ChipAbsent, ChipSilent, LinuxI2C, bus
from lighttls.testing.atecc608a import SimulatedChip, locked_chip
from support import require

FILE = 1000
fcntl = pytest.importorskip("fcntl", reason=require.NO_COMMAND_BRINGS + "fcntl: only Unix has it")


class Kernel:
    """/dev/i2c-1 with one chip on it."""

    def __init__(self, chip: SimulatedChip, address: int = 0x60) -> None:
        self.chip = chip
        self.chips_address = address
        self.address: int | None = None
        self.refuses: dict[str, int] = {}
        self.log: list[tuple[str, object]] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bus.os, "open", self.open)
        monkeypatch.setattr(bus.os, "write", self.write)
        monkeypatch.setattr(bus.os, "read", self.read)
        monkeypatch.setattr(bus.os, "close", lambda file: self.log.append(("close", file)))
        monkeypatch.setattr(fcntl, "ioctl", self.ioctl)

    def _may(self, call: str) -> None:
        if call in self.refuses:
            raise OSError(self.refuses[call], os.strerror(self.refuses[call]))

    def open(self, path: str, flags: int) -> int:
        self._may("open")
        assert path == "/dev/i2c-1"
        assert flags & os.O_RDWR
        return FILE

    def ioctl(self, file: int, request: int, value: int) -> int:
        self._may("ioctl")
        assert (file, request) == (FILE, 0x0703)
        self.address = value
        return 0

    def write(self, file: int, data: bytes) -> int:
        assert file == FILE
        self.log.append(("write", (self.address, bytes(data))))
        if self.address == 0:
            self.chip.wake()  # the address alone is the pulse
            raise OSError(errno.EREMOTEIO, "nobody acknowledges")
        if self.address != self.chips_address:
            raise OSError(errno.ENXIO, "nobody there")
        self.chip.write(data)
        return len(data)

    def read(self, file: int, count: int) -> bytes:
        assert file == FILE
        if self.address != self.chips_address:
            raise OSError(errno.ENXIO, "nobody there")
        return self.chip.read(count)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel(locked_chip(pace=0.01))
    made.install(monkeypatch)
    return made


def test_chip_is_woken_by_address_zero_and_talked_to_at_its_own(kernel: Kernel) -> None:
    chip = Atecc608a.open("/dev/i2c-1")
    assert kernel.log[0] == ("write", (0, b"\x01"))
    assert kernel.log[1] == ("write", (0x60, bytes.fromhex("03 07 30 00 00 00 03 5D")))
    assert kernel.log[-1] == ("write", (0x60, b"\x02"))
    assert len(chip.sign(0, bytes(32))) == 64


def test_wrong_address_names_the_usual_ones(kernel: Kernel) -> None:
    kernel.chips_address = 0x35
    with pytest.raises(ChipAbsent) as caught:
        Atecc608a.open("/dev/i2c-1", 0x60)
    assert "0x35 on Trust&GO" in explain(caught.value)
    assert kernel.log[-1] == ("close", FILE)
    assert Atecc608a.open("/dev/i2c-1", 0x35).revision()


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOENT, "raspi-config"),
        (errno.EACCES, "group i2c"),
        (errno.EISDIR, "directory"),
        (errno.EIO, "power, wiring"),
    ],
)
def test_bus_that_cannot_be_opened_says_what_to_do(kernel: Kernel, code: int, advice: str) -> None:
    kernel.refuses["open"] = code
    with pytest.raises(ChipAbsent, match=r"/dev/i2c-1 cannot be opened") as caught:
        LinuxI2C("/dev/i2c-1")
    assert advice in explain(caught.value)


def test_system_without_such_buses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(ChipAbsent, match="has no I2C buses") as caught:
        LinuxI2C()
    assert "wake, write and read" in explain(caught.value)


def test_address_in_use_is_named_and_the_file_closed(kernel: Kernel) -> None:
    kernel.refuses["ioctl"] = errno.EBUSY
    with pytest.raises(ChipAbsent, match="0x60 on /dev/i2c-1 cannot be used"):
        LinuxI2C("/dev/i2c-1")
    assert ("close", FILE) in kernel.log


def test_bus_that_takes_half_a_packet_is_an_error(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    chip = Atecc608a.open("/dev/i2c-1")
    write = kernel.write
    monkeypatch.setattr(bus.os, "write", lambda file, data: write(file, data) - (kernel.address != 0 and len(data) > 3))
    with pytest.raises(ChipSilent, match="took a part of the packet"):
        chip.serial_number()


def test_bus_is_closed_at_the_end_of_with(kernel: Kernel) -> None:
    with LinuxI2C("/dev/i2c-1") as opened:
        assert opened.lock
    assert kernel.log == [("close", FILE)]


def test_bus_that_is_closed_twice_closes_no_other_file(kernel: Kernel) -> None:
    """By then its number may be that of another open file."""
    with LinuxI2C("/dev/i2c-1") as bus:
        bus.close()
    assert kernel.log == [("close", FILE)]
