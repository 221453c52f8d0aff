"""TCP connections of AT modems as transports: `Modem(port).open_tcp(host, port)` for `lighttls.Stream`."""

from lighttls.transports.at_modem.aio import AsyncConnection, AsyncModem
from lighttls.transports.at_modem.data_call import DataCall
from lighttls.transports.at_modem.dialect import Dialect
from lighttls.transports.at_modem.modem import Modem, ModemTransport
from lighttls.transports.at_modem.module_tls import ModuleTls
from lighttls.transports.at_modem.ports import SerialPort, open_serial
from lighttls.transports.at_modem.registration import Identity, Registration
from lighttls.transports.at_modem.results import CommandRefused, CommandTimedOut, ModemError, ModuleReset
from lighttls.transports.at_modem.settings import Settings

__all__ = [
    "AsyncConnection",
    "AsyncModem",
    "CommandRefused",
    "CommandTimedOut",
    "DataCall",
    "Dialect",
    "Identity",
    "Modem",
    "ModemError",
    "ModemTransport",
    "ModuleReset",
    "ModuleTls",
    "Registration",
    "SerialPort",
    "Settings",
    "open_serial",
]
