"""Which dialect a module speaks."""

from __future__ import annotations

from lighttls.errors import ConfigurationError
from lighttls.transports.at_modem.dialect import Dialect
from lighttls.transports.at_modem.engine import Engine
from lighttls.transports.at_modem.quectel import Quectel
from lighttls.transports.at_modem.results import ModemError, text_of
from lighttls.transports.at_modem.settings import Settings
from lighttls.transports.at_modem.sim800 import Sim800
from lighttls.transports.at_modem.simcom import A7670, Sim7600
from lighttls.transports.at_modem.steps import Command, Reply, Steps
from lighttls.transports.at_modem.transparent import TransparentQuectel
from lighttls.transports.at_modem.ublox import SaraR4, SaraU201

FAMILIES: dict[str, type[Dialect]] = {
    "quectel": Quectel,
    "sim800": Sim800,
    "a7670": A7670,
    "simcom": Sim7600,
    "ublox-r4": SaraR4,
    "ublox": SaraU201,
}
"""What a face's `dialect` may be. Where two could be meant by what a module says, the first is."""


def family(name: str, engine: Engine, settings: Settings) -> Dialect:
    """The dialect of that name. Raises ConfigurationError."""
    if name not in FAMILIES:
        raise ConfigurationError(f"there is no modem dialect {name!r}", hint=f"There are {', '.join(FAMILIES)}.")
    return _made(FAMILIES[name], engine, settings)


def _made(dialect: type[Dialect], engine: Engine, settings: Settings) -> Dialect:
    if dialect is Quectel and settings.access == "transparent":
        return TransparentQuectel(engine, settings)
    return dialect(engine, settings)


class Unknown(Dialect):
    """Enough to ask a module who it is."""

    name = "unknown"
    accesses = ("buffer", "push", "transparent")
    has_hex_mode = True


def detect(engine: Engine, settings: Settings) -> Steps[Dialect]:
    """Ask the module for its maker and model, and return its dialect."""
    stranger = Unknown(engine, settings)
    yield from stranger.configure()
    said = []
    for command in ("AT+CGMI", "AT+CGMM"):
        reply: Reply = yield Command(command, info=None, tolerant=True)
        said += [text_of(line) for line in reply.lines]
    text = " ".join(said).lower()
    for dialect in FAMILIES.values():
        if any(maker in text for maker in dialect.makers):
            return _made(dialect, engine, settings)
    raise ModemError(f"no dialect is known for {' '.join(said) or 'a module without a name'}", "module", hint=_SAY)


_SAY = f"If it is a relative of one that is known, say which: dialect= is one of {', '.join(FAMILIES)}."
