"""What a modem says of a command that it could not carry out (3GPP TS 27.007 §9.2, 27.005 §3.2.5)."""

from __future__ import annotations

from typing import Final

from lighttls.errors import TransportError

CME_ERRORS: Final = {
    0: "phone failure",
    3: "operation not allowed",
    4: "operation not supported",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    14: "SIM busy",
    15: "wrong SIM",
    16: "incorrect password",
    20: "memory full",
    21: "invalid index",
    22: "not found",
    23: "memory failure",
    24: "text too long",
    25: "invalid characters",
    30: "no network service",
    31: "network timeout",
    32: "emergency calls only",
    50: "incorrect parameters",
    100: "unknown",
    107: "GPRS services not allowed",
    148: "unspecified GPRS error",
    149: "PDP authentication failure",
}
CMS_ERRORS: Final = {
    300: "phone failure",
    301: "SMS service reserved",
    302: "operation not allowed",
    303: "operation not supported",
    304: "invalid parameter",
    310: "SIM not inserted",
    311: "SIM PIN required",
    313: "SIM failure",
    314: "SIM busy",
    316: "SIM PUK required",
    320: "memory failure",
    321: "invalid memory index",
    322: "memory full",
    330: "service centre address unknown",
    331: "no network service",
    332: "network timeout",
    500: "unknown error",
}
_HINTS: Final = {
    10: "Put a SIM into the modem's holder, the right way round.",
    11: "Give the SIM's PIN.",
    12: "The SIM is blocked. Unblock it with its PUK, in a telephone for example.",
    13: "Take the SIM out and put it in again; try another one.",
    14: "The SIM was still busy. Try again in a few seconds.",
    16: "The PIN is wrong. After three wrong ones the SIM blocks itself.",
    30: "The modem finds no network. Check the antenna and the place.",
    149: "The network refused user name or password of the APN.",
}


_SHOWN: Final = 160  # characters


def text_of(said: bytes) -> str:
    """What a modem said as text that can be shown: it must not control a terminal, nor fill a log."""
    text = "".join(sign if sign.isprintable() else "?" for sign in said[:_SHOWN].decode("latin-1"))
    return text if len(said) <= _SHOWN else f"{text}…"


class ModemError(TransportError):
    """The modem, or something behind it, failed. `layer` is the lowest layer that did not do its part.

    It is one of "serial line", "module", "SIM", "registration", "PDP context", "DNS", "TCP" and "module TLS";
    `code` is the number that the modem gave, if any. Both are in `context`, too.
    """

    def __init__(
        self, message: str, layer: str, *, code: int | None = None, timed_out: bool = False, hint: str | None = None
    ) -> None:
        super().__init__(f"{layer}: {message}", timed_out=timed_out, hint=hint or _LAYER_HINTS[layer], layer=layer)
        self.layer = layer
        self.code = code
        if code is not None:
            self.context["code"] = code


class CommandRefused(ModemError):
    """A final result other than success; `result` is its text, with its meaning if the standard gives one."""

    def __init__(self, name: str, result: str) -> None:
        kind, _, rest = result.partition(": ")
        number = rest.split(",")[0].strip()
        code = int(number) if number.isdecimal() else None
        meaning = {"+CME ERROR": CME_ERRORS, "+CMS ERROR": CMS_ERRORS}.get(kind, {}).get(-1 if code is None else code)
        hint = _HINTS.get(code) if kind == "+CME ERROR" and code is not None else None
        layer = "SIM" if kind == "+CME ERROR" and code in range(10, 17) else "module"
        self.result = f"{result} ({meaning})" if meaning else result
        super().__init__(f"{name} failed: {self.result}", layer, code=code, hint=hint)


class CommandTimedOut(ModemError):
    """A command got no answer in its time."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(f"{name} got no answer within {seconds:g} s", "module", timed_out=True)


class ModuleReset(ModemError):
    """The module started anew by itself: all its connections are gone."""

    def __init__(self, sign: str) -> None:
        super().__init__(f"the module was reset ({sign}); its connections are gone", "module", hint=_RESET)


def port_failure(doing: str, cause: Exception) -> ModemError:
    """What a port raised, as an error of the serial line: ports are other people's, and raise what they like."""
    if isinstance(cause, ModemError):
        return cause
    text = str(cause) if isinstance(cause, OSError | TransportError) else f"{type(cause).__name__}: {cause}"
    error = ModemError(f"{doing} failed: {text}", "serial line")
    error.__cause__ = cause
    return error


_LAYER_HINTS: Final = {
    "serial line": (
        "Bytes were lost or altered between this computer and the modem. Use RTS/CTS flow control, a lower baud rate, "
        "a shorter cable; see that no other program reads the port."
    ),
    "module": "The modem itself failed. Check its power supply; switch it off and on if this comes again.",
    "SIM": "Check that the SIM is in place, activated, and that its PIN is right.",
    "registration": "The modem is in no network. Check antenna, coverage, and that the SIM may roam here.",
    "PDP context": "The network gave no data connection, or took it away. Check the APN, its user name and password.",
    "DNS": "The name could not be resolved over the modem. Check its spelling, and that the APN offers DNS.",
    "TCP": "The server did not accept the connection, or it was lost. Check host, port, and what the APN lets through.",
    "module TLS": (
        "The TLS inside the module failed, and does not say why. Open the same server by open_tcp and lighttls, which "
        "does. Usual causes: another root, a clock that was never set, a suite or key type that this firmware lacks."
    ),
}
_RESET = (
    "A power supply too weak for the modem's bursts (2 A) is the usual cause. Reconnect: the session can be resumed."
)
