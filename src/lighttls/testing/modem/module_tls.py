"""The TLS inside a simulated Quectel module: AT+QSSL…, and the files that it reads.

OpenSSL plays the module's part towards a real server: it verifies what the settings of the SSL context say, of the very
context that AT+QSSLOPEN names, and of a failure tells a number and nothing else. Dates are compared with this
computer's clock, unless the module's own was never set.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import reduce
from operator import xor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from lighttls.testing.modem.module import Request
from lighttls.testing.modem.network import WINDOW, Connection
from lighttls.testing.modem.standard import StandardModule

_HANDSHAKE_FAILED: Final = 579
_TIMED_OUT: Final = 569
_BAD_SETTING: Final = 552
_SEND_LIMIT: Final = 1460
_READ_LIMIT: Final = 1500
_FILE_TIMED_OUT: Final = 421
_SECURED: Final = 3  # in place of an access mode, for a number that is taken so
_NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)  # X509_V_FLAG_NO_CHECK_TIME, which the module `ssl` does not name
_SUITES: Final = {
    "0XFFFF": "DEFAULT",
    "0X0035": "AES256-SHA",
    "0X002F": "AES128-SHA",
    "0X003D": "AES256-SHA256",
    "0XC02B": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "0XC02F": "ECDHE-RSA-AES128-GCM-SHA256",
    "0XC030": "ECDHE-RSA-AES256-GCM-SHA384",
}
_DEFAULTS: Final = {
    "sslversion": "4",
    "ciphersuite": "0XFFFF",
    "seclevel": "0",
    "ignorelocaltime": "1",
    "negotiatetime": "300",
    "cacert": "",
    "clientcert": "",
    "clientkey": "",
}
_NEWER: Final = {"sni": "0", "checkhost": "0"}


class Secured:
    """TLS over one connection of the module."""

    def __init__(
        self, connection: Connection, settings: dict[str, str], files: dict[str, bytes], stirred: Callable[[], None]
    ) -> None:
        self.connection = connection
        self.inbox = bytearray()
        self.result: int | None = None  # of the handshake
        self.ended = self.told_open = self.told = self.told_end = False
        self._stirred = stirred
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        named = settings.get("sni") == "1" or settings.get("checkhost") == "1"
        self._tls = _context(settings, files).wrap_bio(
            self._incoming, self._outgoing, server_hostname=connection.host if named else None
        )

    def go_on(self) -> None:
        """Take what has come, and say what there is to be said."""
        while self.connection.inbox and len(self.inbox) < WINDOW:
            self._incoming.write(self.connection.take(WINDOW))
        if self.connection.ended and not self.connection.inbox:
            self._incoming.write_eof()
        if self.result is None:
            self._shake_hands()
        if self.result == 0:
            self._read()
        self._flush()
        self._stirred()

    def write(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def say_goodbye(self) -> None:
        with suppress(ssl.SSLError):  # it would wait for the server's
            self._tls.unwrap()
        self._flush()

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
            self.result = 0
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.result = _HANDSHAKE_FAILED

    def _read(self) -> None:
        try:
            while data := self._tls.read(16384):
                self.inbox += data
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:  # with close_notify or without, the module says the same
            self.ended = True

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self.connection.transmit(data)


class ModuleTls(StandardModule):
    """Commands of SSL contexts, TLS connections and files."""

    access: dict[int, int]
    error: int

    def _start(self) -> None:
        super()._start()
        self.secured: dict[int, Secured] = {}
        self.contexts: dict[int, dict[str, str]] = {}
        flash = getattr(self, "files", {}).items()
        self.files: dict[str, bytes] = {name: data for name, data in flash if not name.startswith("RAM:")}

    # Settings and files

    def do_qsslcfg(self, request: Request) -> None:
        name, number = request.text(0), request.number(1)
        known = _DEFAULTS if self.situation.old_tls else _DEFAULTS | _NEWER
        if name not in known or not 0 <= number <= 5:
            self.fail()
            return
        settings = self.contexts.setdefault(number, dict(known))
        if len(request.arguments) == 2:
            quote = '"' if name in ("cacert", "clientcert", "clientkey") else ""
            self.answer(f'+QSSLCFG: "{name}",{number},{quote}{settings[name]}{quote}')
        elif name == "ciphersuite" and request.text(2).upper() not in _SUITES:
            self.fail()
        else:
            settings[name] = request.text(2).upper() if name == "ciphersuite" else request.text(2)
            self.answer()

    def do_qfupl(self, request: Request) -> None:
        name, size = request.text(0), request.number(1)
        if not 0 < size <= 102400:
            self.fail(423)
        elif name in self.files:
            self.fail(407)
        else:
            self.ask_for_data(b"\r\nCONNECT\r\n", size, lambda data: self._store(name, data), late=_FILE_TIMED_OUT)

    def _store(self, name: str, data: bytes) -> None:
        self.files[name] = data
        words = (int.from_bytes(data[place : place + 2].ljust(2, b"\0"), "big") for place in range(0, len(data), 2))
        self.answer(f"+QFUPL: {len(data)},{reduce(xor, words, 0):x}")

    def do_qfdel(self, request: Request) -> None:
        if self.files.pop(request.text(0), None) is None:
            self.fail(405)
        else:
            self.answer()

    def do_qflst(self, request: Request) -> None:
        self.answer(*(f'+QFLST: "{name}",{len(data)}' for name, data in self.files.items()))

    # Connections

    def do_qsslopen(self, request: Request) -> None:
        number, host, port = request.number(2), request.text(3), request.number(4)
        if not 0 <= number < self.connection_count or len(host) > self.host_limit or not 0 < port < 65536:
            self.error = _BAD_SETTING
            self.fail()
        else:
            self.answer(then=lambda: self._open_secured(request.number(1), number, host, port))

    def _open_secured(self, context: int, number: int, host: str, port: int) -> None:
        settings = self.contexts.get(context, dict(_DEFAULTS))
        if number in self.access:
            self._tell_open(number, 563)
            return
        if not self.has_data:
            self._tell_open(number, 561)
            return
        self.access[number] = _SECURED
        found = self.dial(number, host, port)
        if isinstance(found, str):
            self._tell_open(number, {"dns": 565, "refused": 566}[found])
            return
        try:
            secured = Secured(found, settings, self.files, lambda: self._stirred_secured(number))
        except (KeyError, ValueError, ssl.SSLError):  # a file that is missing, or holds something else
            self._fail_secured(number, _BAD_SETTING)
            return
        self.secured[number] = secured
        unset = settings["ignorelocaltime"] == "0" and self.situation.clock[:2] in ("70", "80")
        if settings["sslversion"] not in ("3", "4") or unset:  # no server takes less; every certificate lies ahead
            secured.result = _HANDSHAKE_FAILED
        secured.go_on()
        self.later(float(settings["negotiatetime"]), lambda: self._give_up(secured))

    def _give_up(self, secured: Secured) -> None:
        if secured.result is None:
            secured.result = _TIMED_OUT
            self._stirred_secured(secured.connection.number)

    def _tell_open(self, number: int, result: int) -> None:
        self.error = result
        self.later(self.network.round_trip, lambda: self.news(f"+QSSLOPEN: {number},{result}"))

    def _fail_secured(self, number: int, result: int) -> None:
        self.secured.pop(number, None)
        self.hang_up(number)
        self._tell_open(number, result)

    def _stirred_secured(self, number: int) -> None:
        """Tell what there is to tell."""
        secured = self.secured.get(number)
        if secured is None or secured.result is None:
            return
        if secured.result != 0:
            self._fail_secured(number, secured.result)
            return
        if not secured.told_open:
            secured.told_open = True
            self.error = 0
            self.news(f"+QSSLOPEN: {number},0")
        if secured.inbox and not secured.told:
            secured.told = True
            if not self.faults.happens(self.faults.lost_news):
                self.news(f'+QSSLURC: "recv",{number}')
        if secured.ended and not secured.told_end:
            secured.told_end = True
            self.news(f'+QSSLURC: "closed",{number}')

    def do_qsslsend(self, request: Request) -> None:
        secured, count = self.secured.get(request.number(0)), request.number(1)
        if secured is None or secured.ended or not secured.connection.alive or not 0 < count <= _SEND_LIMIT:
            self.fail()
        else:
            self.ask_for_data(b"\r\n> ", count, lambda data: self._send_secured(secured, data))

    def _send_secured(self, secured: Secured, data: bytes) -> None:
        if not secured.connection.has_room(len(data)) or self.faults.happens(self.faults.send_fails):
            self.answer(final="SEND FAIL")
        else:
            secured.write(data)
            self.answer(final="SEND OK")

    def do_qsslrecv(self, request: Request) -> None:
        secured = self.secured.get(request.number(0))
        if secured is None:
            self.fail()
            return
        count = min(request.number(1), _READ_LIMIT)
        data = bytes(secured.inbox[:count])
        del secured.inbox[:count]
        if data:
            self.answer(b"\r\n+QSSLRECV: %d\r\n%b\r\n" % (len(data), self.payload(data)))
        else:
            self.answer(b"\r\n+QSSLRECV: 0\r\n")
        secured.told = bool(secured.inbox)
        secured.go_on()

    def do_qsslstate(self, request: Request) -> None:
        self.answer(
            *(
                f'+QSSLSTATE: {number},"SSLClient","{self.network.resolve(one.connection.host)}",{one.connection.port},'
                f'4097,{4 if one.ended else 2},1,0,0,"uart1",1'
                for number, one in self.secured.items()
                if one.result == 0 and one.connection.alive
            )
        )

    def do_qsslclose(self, request: Request) -> None:
        number = request.number(0)
        secured = self.secured.pop(number, None)
        if self.access.get(number) == _SECURED:
            del self.access[number]
        if secured is not None:
            secured.say_goodbye()
        self.answer(delay=self.network.round_trip if secured is not None and self.hang_up(number) else 0.0)


def _context(settings: dict[str, str], files: dict[str, bytes]) -> ssl.SSLContext:
    """What the settings of an SSL context come to. Raises KeyError for a file that is not there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_SUITES[settings["ciphersuite"]])
    context.verify_mode = ssl.CERT_NONE if settings["seclevel"] == "0" else ssl.CERT_REQUIRED
    if context.verify_mode is ssl.CERT_REQUIRED:
        context.check_hostname = settings.get("checkhost") == "1"
        context.load_verify_locations(cadata=files[settings["cacert"]].decode("ascii"))
        if settings["ignorelocaltime"] == "1":
            context.verify_flags |= _NO_CHECK_TIME
    if settings["seclevel"] == "2":
        with TemporaryDirectory() as folder:
            both = Path(folder, "client.pem")
            both.write_bytes(files[settings["clientcert"]] + b"\n" + files[settings["clientkey"]])
            context.load_cert_chain(both)
    return context
