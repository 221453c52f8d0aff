"""The TLS inside a Quectel module (AT+QSSL…), as a transport of plaintext: to be compared with, not to be used.

What it is not. The module judges the server: nobody here sees its chain, and a refusal is one number. The private key
leaves for the module's file system. Dates are compared only if we ask for it, and with the module's clock; older
firmware does not compare the server's name at all. Suites, keys and signatures are those of the firmware's age. The
end of the stream is a bare `closed`, the same with close_notify and without. Plaintext passes over the serial line,
where nothing notices a byte that changes. `lighttls.Stream` over `open_tcp` has none of this.

The settings of an SSL context are read when a connection is opened on it, so all of them are set each time, on the
context that AT+QSSLOPEN then names: a module keeps what the last program left there. The files are deleted again once
the handshake is over, whatever came of it; those that could not be, because the line failed, before the next one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from lighttls.errors import ConfigurationError
from lighttls.transports.at_modem.answers import numbers_in, only_line
from lighttls.transports.at_modem.link import Link, check_host, check_port
from lighttls.transports.at_modem.parser import Counted
from lighttls.transports.at_modem.quectel_errors import FILE_ERRORS, IN_USE, TIMEOUT, describe, layer_of
from lighttls.transports.at_modem.results import CommandRefused, ModemError
from lighttls.transports.at_modem.steps import READ_LIMIT, Command, Reply, Steps, Wait

if TYPE_CHECKING:
    from lighttls.transports.at_modem.quectel import Quectel

ALL_SUITES: Final = 0xFFFF
_PDP_CONTEXT: Final = 1
_TLS_CONTEXT: Final = 1
_TLS_1_2: Final = 3
_NEGOTIATION: Final = 120  # seconds that the module may take for a handshake; 10 to 300
_OPEN_LIMIT: Final = 150.0
_SEND_LIMIT: Final = 120.0
_CLOSE_LIMIT: Final = 15.0
_FILE_LIMIT: Final = 10240  # bytes, what AT+QFUPL takes unless it is told more
_UPLOAD_LIMIT: Final = 120.0  # seconds for one file, over a line of 1200 baud too
_UPLOAD_SILENCE: Final = 10  # seconds without a byte after which the module gives an upload up

_READ: Final = Counted(re.compile(rb"\+QSSLRECV: (?P<count>[1-9]\d{0,4})\r\n"), 1500, b"\r\n")


@dataclass(frozen=True, kw_only=True)
class ModuleTls:
    """Settings of the module's own TLS, which is not lighttls and much less: see the table in docs/transports.md.

    root, certificate   PEM: whom the module trusts, and who we are
    key_to_upload       PEM of our private key. It leaves this process for the module's file system
    cipher_suite        the one that is offered, by its IANA value; the module knows one or all
    folder              where the files go: "RAM:" forgets them at a reset, "UFS:" is flash
    """

    root: bytes = b""
    certificate: bytes = b""
    key_to_upload: bytes = field(default=b"", repr=False)
    cipher_suite: int = ALL_SUITES
    folder: str = "RAM:"
    insecure_skip_verify: bool = False  # the server may be anybody
    insecure_skip_name: bool = False  # the server may be anybody whom the root vouches for
    insecure_skip_dates: bool = False  # certificates may have expired, or not begun: the module's default

    def __post_init__(self) -> None:
        if not self.root and not self.insecure_skip_verify:
            raise ConfigurationError("the module's TLS needs a root to trust")
        if bool(self.certificate) != bool(self.key_to_upload):
            raise ConfigurationError("a certificate and its key go to the module together, or neither does")
        if self.certificate and self.insecure_skip_verify:
            raise ConfigurationError("the module presents a certificate only where it verifies the server's")
        if self.folder not in ("RAM:", "UFS:"):
            raise ConfigurationError(f"a module's folder is RAM: or UFS:, not {self.folder!r}")
        for name, data in self.files():
            if not isinstance(data, bytes) or not data.startswith(b"-----BEGIN ") or not data.isascii():
                raise ConfigurationError(f"the file {name} for the module is not PEM")
            if len(data) > _FILE_LIMIT:
                raise ConfigurationError(f"the file {name} for the module has more than {_FILE_LIMIT} bytes")

    @property
    def level(self) -> int:
        """As AT+QSSLCFG counts: 0 nobody is verified, 1 the server, 2 both sides."""
        return 0 if self.insecure_skip_verify else 2 if self.certificate else 1

    def files(self) -> list[tuple[str, bytes]]:
        """What goes to the module, by the name of its setting."""
        files = [("cacert", self.root), ("clientcert", self.certificate), ("clientkey", self.key_to_upload)]
        return [(name, data) for name, data in files if data and self.level]


class QuectelTls:
    """The commands of TLS connections: a `Speaker` for their links."""

    def __init__(self, dialect: Quectel) -> None:
        self._dialect = dialect
        self._files: list[str] = []  # that the module may hold

    def open(self, host: str, port: int, tls: ModuleTls) -> Steps[Link]:
        """Set the context up, and connect."""
        dialect = self._dialect
        check_host(host)
        check_port(port)
        if dialect.settings.access == "transparent":
            raise ConfigurationError("the module's TLS needs access='buffer'")
        if len(host) > dialect.host_limit:
            raise ConfigurationError(
                f"the module's TLS takes host names of {dialect.host_limit} characters, this one has {len(host)}",
                hint="Nothing was sent. By its address it would lose the name that the certificate must have.",
            )
        yield from dialect.bring_up()
        link = yield from dialect.take_number(host)
        link.speaker = self
        try:
            yield from self._forget()
            yield from self._configure(host, tls)
            yield from self._connect(link, port)
        except BaseException:
            dialect.give_back(link, stale=True)
            raise
        finally:
            yield from self._forget()
        return link

    def _configure(self, host: str, tls: ModuleTls) -> Steps[None]:
        for setting, value in (
            ("sslversion", str(_TLS_1_2)),
            ("ciphersuite", f"0X{tls.cipher_suite:04X}"),
            ("seclevel", str(tls.level)),
            ("ignorelocaltime", str(int(tls.insecure_skip_dates))),
            ("negotiatetime", str(_NEGOTIATION)),
        ):
            yield from _set(setting, value)
        yield from _set("sni", str(int(not _is_address(host))), tolerant=True)  # older firmware has none
        checks = tls.level > 0 and not tls.insecure_skip_name
        reply = yield from _set("checkhost", str(int(checks)), tolerant=True)
        if checks and not reply.ok:
            raise ModemError("this firmware does not compare the server's name", "module TLS", hint=_NO_NAME_CHECK)
        for setting, data in tls.files():
            name = f"{tls.folder}lighttls_{setting}.pem"
            yield from self._upload(name, without_escape(data))
            yield from _set(setting, f'"{name}"')

    def _upload(self, name: str, data: bytes) -> Steps[None]:
        """Store a file. Its count and checksum say whether the serial line changed it."""
        yield Command(f'AT+QFDEL="{name}"', tolerant=True)  # one of that name would be an error
        self._files.append(name)
        try:
            reply: Reply = yield Command(
                f'AT+QFUPL="{name}",{len(data)},{_UPLOAD_SILENCE}',
                _UPLOAD_LIMIT,
                info=(b"+QFUPL:",),
                prompt=b"CONNECT\r\n",
                data=data,
            )
        except CommandRefused as refusal:
            meaning = FILE_ERRORS.get(refusal.code or 0)
            text = f"{refusal.result} ({meaning})" if meaning else refusal.result
            raise ModemError(f"it does not take the file {name}: {text}", "module", code=refusal.code) from refusal
        stored = [line.partition(b": ")[2].lower() for line in reply.lines]
        if stored != [b"%d,%x" % (len(data), checksum(data))]:
            raise ModemError(f"the file {name} is not what was sent to the module", "serial line")

    def _forget(self) -> Steps[None]:
        """Delete the files, as far as the module can be asked."""
        while self._files and self._dialect.engine.trusted:
            try:
                yield Command(f'AT+QFDEL="{self._files[-1]}"', tolerant=True)
            except ModemError:
                return  # the next connection begins with them
            self._files.pop()

    def _connect(self, link: Link, port: int) -> Steps[None]:
        command = f'AT+QSSLOPEN={_PDP_CONTEXT},{_TLS_CONTEXT},{link.number},"{link.host}",{port},0'
        for attempt in (1, 2):
            link.opened = None
            try:
                yield Command(command, _OPEN_LIMIT)
            except CommandRefused as refusal:
                link.check()
                raise (yield from self._dialect.why(link, port, refusal.result)) from refusal
            told = yield Wait(_OPEN_LIMIT, lambda: link.opened is not None or link.failure)
            link.check()
            if link.opened == 0:
                return
            if link.opened != IN_USE or attempt == 2:
                break
            yield from self.release(link)
        code = link.opened
        raise ModemError(
            f"no TLS connection of the module's to {link.host} port {port}: "
            + (describe(code) if told else f"no answer within {_OPEN_LIMIT:g} s"),
            layer_of(code) if told else "module TLS",
            code=code,
            timed_out=not told or code == TIMEOUT,
        )

    # As `Dialect` says

    def send(self, link: Link, data: bytes) -> Steps[int]:
        reply: Reply = yield Command(
            f"AT+QSSLSEND={link.number},{len(data)}",
            _SEND_LIMIT,
            ends=(b"SEND OK", b"SEND FAIL"),
            prompt=b">",
            data=data,
        )
        return len(data) if reply.final == b"SEND OK" else 0

    def read(self, link: Link) -> Steps[bytes]:
        reply: Reply = yield Command(
            f"AT+QSSLRECV={link.number},{self._dialect.read_size}",
            READ_LIMIT,
            info=(b"+QSSLRECV:",),
            counted=(_READ,),
            tolerant=link.closed,
        )
        if reply.blocks:
            return reply.blocks[0].data
        if reply.ok:
            only_line(reply, "AT+QSSLRECV", lambda numbers: numbers == [0])
        return b""

    def unacknowledged(self, link: Link) -> Steps[int | None]:
        """It keeps no count that it would tell."""
        yield from ()
        return None

    def settle(self, link: Link) -> Steps[None]:
        yield from ()

    def look(self, link: Link) -> Steps[None]:
        reply: Reply = yield Command("AT+QSSLSTATE", info=(b"+QSSLSTATE:",), tolerant=True)
        number = str(link.number).encode()
        fields = [line.partition(b": ")[2].split(b",") for line in reply.lines]
        link.closed = link.closed or not any(one[0] == number and one[5:6] == [b"2"] for one in fields)
        link.readable = True

    def release(self, link: Link) -> Steps[None]:
        yield Command(f"AT+QSSLCLOSE={link.number}", _CLOSE_LIMIT, tolerant=True)

    def on_line(self, line: bytes) -> None:
        """`+QSSLOPEN` and `+QSSLURC`."""
        if line.startswith(b"+QSSLOPEN: "):
            numbers = numbers_in(line)
            link = self._dialect.links.get(numbers[0]) if len(numbers) == 2 else None
            if link is not None and link.speaker is self:
                link.opened = numbers[1]
            return
        kind, _, number = line.partition(b": ")[2].partition(b",")
        link = self._dialect.links.get(int(number)) if number.isdigit() and len(number) < 3 else None
        if link is None or link.speaker is not self:
            return
        if kind == b'"recv"':
            link.readable = True
        elif kind == b'"closed"':
            link.told_closed()


def checksum(data: bytes) -> int:
    """What AT+QFUPL tells of a file: the exclusive or of its big-endian 16-bit words, a last odd byte padded with 0."""
    even = data + b"\0" * (len(data) % 2)
    return _xor(even[::2]) << 8 | _xor(even[1::2])


def without_escape(pem: bytes) -> bytes:
    """The same PEM without `+++` in it, which ends an upload: a line of Base64 may break anywhere (RFC 7468 §2)."""
    while b"+++" in pem:
        pem = pem.replace(b"+++", b"++\n+")
    return pem


def _xor(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value


def _set(setting: str, value: str, *, tolerant: bool = False) -> Steps[Reply]:
    reply: Reply = yield Command(f'AT+QSSLCFG="{setting}",{_TLS_CONTEXT},{value}', tolerant=tolerant)
    return reply


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


_NO_NAME_CHECK = (
    "Anybody with a certificate of that root could pass for the server. Use open_tcp and lighttls, which compares it, "
    "or say insecure_skip_name=True."
)
