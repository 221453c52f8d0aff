"""The secure element: whether it answers, may be used, signs, and is the one that the certificate is for."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, Final

from lighttls.cli import verdict_options
from lighttls.cli.doctor.walk import Walk
from lighttls.devices.atecc608a import Atecc608a, ChipAbsent, ChipError, ChipSigner, LinuxI2C
from lighttls.errors import ConfigurationError
from lighttls.identity import Identity
from lighttls.keys import Signer
from lighttls.x509 import Certificate

_ADDRESSES: Final = {0x60: "as blank chips have", 0x35: "as Trust&GO chips have", 0x36: "as TrustFLEX chips have"}


def ask_chip(walk: Walk, options: Namespace, at_end: ExitStack) -> ChipSigner:
    """A signer by the chip's slot, after it was asked whether it can be one."""
    with walk.asking("chip"):
        chip = _answering(walk, options, at_end)
        revision, number = chip.revision(), chip.serial_number()
    walk.passed("chip", f"ATECC608, revision {revision.hex()}, serial number {number.hex()}")
    _ask_locks(walk, chip, options.slot)
    with walk.asking("chip key"):
        signer = ChipSigner(chip, options.slot)
        signer.check()
    walk.passed("chip key", f"slot {options.slot} signs")
    return signer


def ask_certificate(walk: Walk, options: Namespace, signer: Signer | None) -> Identity | None:
    """Whom we claim to be, if anybody: the certificate, and the key that it must be for."""
    if not options.cert:
        walk.not_asked("certificate", "no --cert")
        return None
    with walk.asking("certificate"):
        if options.key and signer is not None:
            raise ConfigurationError(
                "--key and --i2c are both given", hint="The key is in a file or in the chip: leave one out."
            )
        identity = Identity.from_file(options.cert, signer, key=options.key)
        if identity.signer is None:
            raise ConfigurationError(f"the file {options.cert} holds no private key", hint="Give --key, or --i2c.")
        leaf = Certificate.parse(identity.chain[0])
        until = datetime.fromtimestamp(leaf.not_after, UTC)
    walk.passed("certificate", f"{leaf} fits its key, until {until:%Y-%m-%d}")
    return identity


def _answering(walk: Walk, options: Namespace, at_end: ExitStack) -> Atecc608a:
    if not options.i2c.startswith("/"):
        return Atecc608a(_named_bus(options.i2c))
    chip = Atecc608a(_bus(options.i2c, options.i2c_address, at_end))
    try:
        chip.revision()
    except ChipError as error:
        found = [address for address in _ADDRESSES if address != options.i2c_address and _is_at(options.i2c, address)]
        if not found:
            raise
        remedy = f"A chip answers at {found[0]:#04x}, {_ADDRESSES[found[0]]}: give --i2c-address {found[0]:#04x}."
        raise walk.fail("chip", f"{error} at {options.i2c_address:#04x}", remedy) from error
    return chip


def _bus(path: str, address: int, at_end: ExitStack) -> LinuxI2C:
    return at_end.enter_context(LinuxI2C(path, address))


def _is_at(path: str, address: int) -> bool:
    with ExitStack() as at_end:
        try:
            Atecc608a(_bus(path, address, at_end)).revision()
        except ChipError:
            return False
    return True


def _named_bus(words: str) -> Any:
    """An object with wake, write and read, or what a class or function of that name makes."""
    found = verdict_options.named(words, "--i2c")
    if isinstance(found, type) or not hasattr(found, "wake"):
        found = found() if callable(found) else found
    if not all(hasattr(found, method) for method in ("wake", "write", "read")):
        raise ChipAbsent(
            f"--i2c {words} is no bus: it has no methods wake, write and read",
            hint="Give /dev/i2c-1, or MODULE:NAME of such an object, such as lighttls.testing.atecc608a:locked_chip.",
        )
    return found


def _ask_locks(walk: Walk, chip: Atecc608a, slot: int) -> None:
    with walk.asking("chip locks"):
        found = chip.configuration()
        problem = (
            "the configuration zone is not locked"
            if not found.config_locked
            else "the data zone is not locked"
            if not found.data_locked
            else f"slot {slot} is not for a private key that signs handshakes"
            if not found.signs_digests(slot)
            else None
        )
        if problem:
            raise walk.fail("chip locks", problem, _SLOT if found.data_locked else _UNLOCKED)
    walk.passed("chip locks", f"configuration and data are locked, slot {slot} may sign")


_UNLOCKED: Final = (
    "The chip is not set up yet, and makes no key before it is. docs/secure-element.md says in its third section what "
    "a slot for TLS looks like and how to lock it; locks are for ever, so try it on a simulated chip first."
)
_SLOT: Final = "Another slot may have the key: give --slot. What a slot is for was settled when the chip was locked."
