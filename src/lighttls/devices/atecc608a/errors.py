"""What goes wrong between us and the chip, each with its remedy."""

from __future__ import annotations

from lighttls.errors import LightTLSError

STATUS_NAMES = {
    0x01: "miscompare",
    0x03: "parse error",
    0x05: "ECC fault",
    0x07: "self-test failure",
    0x08: "random number generator's health test failed",
    0x0F: "execution error",
    0x11: "just woke, no command yet",
    0xEE: "watchdog about to expire",
    0xFF: "CRC or communication error",
}

_STATUS_HINTS = {
    0x03: "The chip does not know this command or its parameters: is it an ATECC608?",
    0x05: "A computation on the curve failed inside the chip, or a public key is no point of P-256.",
    0x07: "The chip failed its self-test and refuses to work. Cut its power and try again; if it stays so, replace it.",
    0x08: "The chip's random source is broken. Replace the chip.",
    0x0F: "The chip's configuration forbids this: an unlocked zone, an empty slot, or a slot that is not for this use.",
    0x11: "The chip restarts or is woken by other traffic on its bus. Check its power and the bus speed.",
    0xEE: "The chip's watchdog strikes: something holds the bus for a second. Look for other users of it.",
    0xFF: "Commands arrive altered. Check wiring, pull-up resistors and bus speed.",
}


class ChipError(LightTLSError):
    """The chip, or the bus to it, failed. Within a handshake it becomes a SignerError with the same hint."""

    hint = "Look at the secure element: power, wiring, address, and its configuration."


class ChipAbsent(ChipError):
    """Nothing answered the wake pulse."""

    hint = (
        "Check power, wiring and address (0x60 on blank chips, 0x35 on Trust&GO, 0x36 on TrustFLEX), and that the bus "
        "runs at 100 kHz: the wake pulse is too short on a faster one."
    )


class ChipSilent(ChipError):
    """The chip woke, but then refused its address, or no answer came through unaltered."""

    hint = "Check power, wiring and pull-up resistors; other users of the same bus disturb it, too."


class ChipRefused(ChipError):
    """The chip answered with an error status; `status` is its number."""

    def __init__(self, command: str, status: int) -> None:
        name = STATUS_NAMES.get(status, "unknown")
        super().__init__(f"the chip refused {command}: status {status:02X}, {name}", hint=_STATUS_HINTS.get(status))
        self.status = status
