"""Module, SIM, network and signal, as 3GPP TS 27.007 has them for every modem."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from lighttls.transports.at_modem.clock import parse_time
from lighttls.transports.at_modem.results import CommandRefused, ModemError, text_of
from lighttls.transports.at_modem.steps import Command, Reply, Steps, Wait

if TYPE_CHECKING:
    from lighttls.transports.at_modem.settings import Settings

STATES: Final = {
    0: "not registered and not searching",
    1: "registered at home",
    2: "searching for a network",
    3: "registration denied",
    4: "unknown, out of coverage perhaps",
    5: "registered, roaming",
}
TECHNOLOGIES: Final = {0: "GSM", 2: "UTRAN", 7: "LTE", 8: "LTE Cat-M1", 9: "LTE NB-IoT"}
_SIM_BUSY: Final = 14
_SIM_TRIES: Final = 20


class Identity(NamedTuple):
    """Who the module is. IMSI and ICCID are the SIM's, empty if it cannot be read."""

    maker: str
    model: str
    firmware: str
    imei: str
    imsi: str
    iccid: str


class Registration(NamedTuple):
    """What +CEREG, +CGREG or +CREG says; `state` is one of `STATES`."""

    state: int
    operator: str
    technology: str

    @property
    def registered(self) -> bool:
        return self.state in (1, 5)

    @property
    def text(self) -> str:
        return STATES.get(self.state, f"state {self.state}")


def identify(iccid_command: str) -> Steps[Identity]:
    """Ask module and SIM who they are."""
    texts = []
    for command in ("AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN", "AT+CIMI", iccid_command):
        reply: Reply = yield Command(command, info=None, tolerant=True)
        text = text_of(reply.lines[-1]) if reply.ok and reply.lines else ""
        texts.append(text.rpartition(": ")[2].strip().strip('"'))
    return Identity(*texts)


def unlock_sim(pin: str) -> Steps[None]:
    """See that the SIM is ready, with the PIN if it wants one. A wrong PIN is tried once only."""
    for _ in range(_SIM_TRIES):
        try:
            reply: Reply = yield Command("AT+CPIN?", info=(b"+CPIN:",))
        except CommandRefused as refusal:
            if refusal.code != _SIM_BUSY:
                raise ModemError(
                    f"the SIM cannot be used: {refusal.result}", "SIM", code=refusal.code, hint=refusal.hint
                ) from refusal
            yield Wait(0.5)
            continue
        state = reply.lines[-1].partition(b": ")[2] if reply.lines else b""
        if state == b"READY":
            return
        if state != b"SIM PIN":
            raise ModemError(f"the SIM is not ready: it wants {text_of(state) or 'nothing that it names'}", "SIM")
        if not pin:
            raise ModemError("the SIM wants its PIN", "SIM", hint="Give it: pin=….")
        try:
            yield Command(f'AT+CPIN="{pin}"', info=())
        except CommandRefused as refusal:
            raise ModemError("the SIM refuses the PIN", "SIM", code=refusal.code, hint=refusal.hint) from refusal
        pin = ""
        yield Wait(0.5)
    raise ModemError("the SIM stays busy", "SIM")


def registration() -> Steps[Registration]:
    """Ask for the state in LTE, then in 3G and 2G: the first that is registered counts."""
    best = Registration(4, "", "")
    for name in ("CEREG", "CGREG", "CREG"):
        reply: Reply = yield Command(f"AT+{name}?", info=(f"+{name}:".encode(),), tolerant=True)
        for line in reply.lines:
            fields = line.partition(b": ")[2].split(b",")
            if len(fields) > 1 and fields[1].isdigit():
                found = Registration(int(fields[1]), "", "")
                if found.registered:
                    return (yield from _with_operator(found))
                if best.state == 4 or found.state in (2, 3):
                    best = found
    return best


def _with_operator(found: Registration) -> Steps[Registration]:
    reply: Reply = yield Command("AT+COPS?", 60.0, info=(b"+COPS:",), tolerant=True)
    for line in reply.lines:
        fields = line.partition(b": ")[2].split(b",")
        if len(fields) > 2:
            number = int(fields[3]) if len(fields) > 3 and fields[3].isdigit() else -1
            return Registration(found.state, text_of(fields[2].strip(b'"')), TECHNOLOGIES.get(number, ""))
    return found


def wait_for_network(settings: Settings) -> Steps[Registration]:
    """SIM, then a network. Raises ModemError that names the layer which is missing."""
    yield from unlock_sim(settings.pin)
    left = settings.registration_limit
    while True:
        found = yield from registration()
        if found.registered:
            return found
        if left <= 0:
            raise ModemError(
                f"no network after {settings.registration_limit:g} s: {found.text}", "registration", timed_out=True
            )
        yield Wait(1.0)
        left -= 1.0


def signal() -> Steps[int | None]:
    """Received power in dBm; None if there is nothing to measure."""
    reply: Reply = yield Command("AT+CSQ", info=(b"+CSQ:",))
    value = reply.lines[-1].partition(b": ")[2].split(b",")[0] if reply.lines else b""
    number = int(value) if value.isdigit() else 99
    return None if number > 31 else 2 * number - 113


def network_clock() -> Steps[datetime | None]:
    """The modem's clock, in UTC; None if it was never set."""
    yield Command("AT+CTZU=1", tolerant=True)
    reply: Reply = yield Command("AT+CCLK?", info=(b"+CCLK:",), tolerant=True)
    return parse_time(text_of(reply.lines[-1].partition(b": ")[2])) if reply.ok and reply.lines else None
