"""What all modems have in common: from power to a data connection, and how bytes of a connection are asked for.

A dialect is a table of limits and a few command sequences. Everything here is `Steps` for the engine; what a face adds
is waiting.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address
from math import inf
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from lighttls.errors import ConfigurationError, LightTLSError
from lighttls.transports.at_modem.engine import Engine
from lighttls.transports.at_modem.link import Link, Speaker, check_host, check_port
from lighttls.transports.at_modem.parser import Data
from lighttls.transports.at_modem.registration import Identity, identify, network_clock, wait_for_network
from lighttls.transports.at_modem.results import CommandRefused, CommandTimedOut, ModemError, text_of
from lighttls.transports.at_modem.settings import Settings
from lighttls.transports.at_modem.steps import ESCAPE, GUARD, Command, Steps, Task, Wait

T = TypeVar("T")
if TYPE_CHECKING:
    from lighttls.transports.at_modem.module_tls import ModuleTls

POLL: Final = 2.0  # seconds of silence after which a connection is looked at: news of data can be lost
LONGEST_POLL: Final = 15.0  # seconds, once nothing has come for long

_CONTRADICTIONS: Final = 3  # times that a module may say that it holds data and then have none
_LONGEST_WAIT: Final = 10  # times send_limit: however small the progress is that the module claims
_LATE_NEWS: Final = 60.0  # seconds in which news of a connection may come after its number was given back
_LATE_DATA: Final = 5.0  # the same of data that is pushed, which carries nothing but the number
_PUSHED_LIMIT: Final = 4 << 20  # bytes that a module may send ahead of whoever reads them


class Dialect:
    """One module and its connections. Made by a face; subclasses are the families."""

    name: ClassVar[str]
    makers: ClassVar[tuple[str, ...]] = ()  # what AT+CGMI says
    accesses: ClassVar[tuple[str, ...]] = ("buffer",)
    has_hex_mode: ClassVar[bool] = False
    numbers: ClassVar[int]  # how many connections at a time
    send_size: ClassVar[int]  # bytes of one send
    read_size: ClassVar[int]
    line_limit: ClassVar[int]  # characters of a command line
    host_limit: ClassVar[int]  # characters of a host where a connection is opened
    name_limit: ClassVar[int]  # characters of a host where its address is asked for
    iccid_command: ClassVar[str] = "AT+CCID"
    boot_lines: ClassVar[tuple[bytes, ...]] = ()
    news: ClassVar[tuple[bytes, ...]] = ()  # beginnings of lines that are unsolicited always

    def __init__(self, engine: Engine, settings: Settings) -> None:
        if settings.access not in self.accesses:
            raise ConfigurationError(f"{self.name} modules have no access mode {settings.access!r}")
        if settings.hex_mode and not self.has_hex_mode:
            raise ConfigurationError(f"{self.name} modules have no hex mode")
        self.engine = engine
        self.settings = settings
        self.links: dict[int, Link] = {}
        self.stale: dict[int, Speaker | None] = {}  # numbers that the module may still hold, and who closes them
        self.freed: dict[int, float] = {}  # numbers, and when they were given back
        self.configured = False
        self.has_data = False  # the PDP context is up
        engine.on_line = self.on_line
        engine.on_data = self.on_data
        engine.on_lost = self.on_lost
        engine.is_news = self.is_news

    # From power to a data connection

    def bring_up(self) -> Steps[None]:
        """Everything that must be done before a connection can be opened, as far as it is not done yet."""
        yield from self.find_network()
        if not self.has_data:
            yield from self.activate()
            self.has_data = True

    def find_network(self) -> Steps[None]:
        """The same without the data connection."""
        if not self.engine.trusted and self.configured:
            yield Command("AT")  # which finds the place again first, and a reset on the way
        if not self.configured:
            yield from self.configure()
            yield from wait_for_network(self.settings)
            self.configured = True

    def configure(self) -> Steps[None]:
        """Find the modem on the line, and set it to what the engine understands."""
        if self.engine.echo_is_off and self.engine.trusted:
            return  # it was found before, and not reset since
        self.engine.trusted = False
        try:
            yield Command("ATE0")
        except ModemError as cause:
            if not cause.timed_out:  # a refusal, or a port that failed
                raise
            yield from self._call_back(cause)
        self.engine.echo_is_off = True
        yield Command("AT+CMEE=1")
        yield Command("AT+IFC=2,2" if self.settings.flow_control else "AT+IFC=0,0", tolerant=True)

    def _call_back(self, cause: ModemError) -> Steps[None]:
        """Nothing answers: a program that ended may have left the modem in data mode, where silence would be a sign."""
        nobody = ModemError("nothing answers AT commands here", "serial line", hint=_NO_ANSWER)
        if self.engine.silent_for < GUARD:
            raise nobody from cause
        self.engine.send_raw(ESCAPE)
        if not (yield Wait(2 * GUARD, lambda: self.engine.silent_for < GUARD)):
            raise nobody from cause
        try:
            yield Command("ATH", tolerant=True)
            yield Command("ATE0")
        except ModemError as again:
            if not again.timed_out:
                raise
            raise nobody from cause

    def activate(self) -> Steps[None]:
        """Get a data connection from the network."""
        raise NotImplementedError

    def data_is_up(self) -> Steps[bool]:
        """Whether the module has a data connection."""
        raise NotImplementedError

    def when_configured(self, steps: Steps[T]) -> Steps[T]:
        """`steps`, with a module that may have been just switched on."""
        if not self.configured:
            yield from self.configure()
        return (yield from steps)

    def identify(self) -> Steps[Identity]:
        """Ask module and SIM who they are."""
        return self.when_configured(identify(self.iccid_command))

    def network_time(self) -> Steps[datetime | None]:
        """The network's time in UTC; None if it never told."""
        return (yield from network_clock())

    def ntp_time(self, server: str) -> Steps[datetime]:
        """The time in UTC that the module gets by NTP."""
        raise ConfigurationError(f"{self.name} modules are not asked for time by NTP", hint="Use network_time().")

    def look_up(self, host: str) -> Steps[str]:
        """An address of `host`; what the module's limits do not let through is refused before anything is sent."""
        check_host(host)
        if len(host) > self.name_limit:
            raise self._too_long(host)
        yield from self.bring_up()
        return (yield from self.address_of(host))

    # Connections

    def open(self, host: str, port: int) -> Steps[Link]:
        """Open a TCP connection. What the module's limits do not let through is refused before anything is sent."""
        check_host(host)
        check_port(port)
        if len(host) > max(self.host_limit, self.name_limit):
            raise self._too_long(host)
        yield from self.bring_up()
        where = host
        if len(host) > self.host_limit or self.line_length(host, port) > self.line_limit:
            where = yield from self.address_of(host)
        link = yield from self.take_number(host)
        try:
            yield from self.connect(link, where, port)
        except BaseException:
            self.give_back(link, stale=True)
            raise
        return link

    def open_module_tls(self, host: str, port: int, tls: ModuleTls) -> Steps[Link]:
        """Open a connection whose TLS is the module's."""
        raise ConfigurationError(f"the TLS inside {self.name} modules is not driven", hint="Use open_tcp and lighttls.")

    def line_length(self, host: str, port: int) -> int:
        """Characters of the command that opens a connection to `host`."""
        return len(f'AT+XXXXXXXX=16,11,"TCP","{host}",{port},0,0')

    def take_number(self, host: str) -> Steps[Link]:
        """A connection number that nobody has, and nobody had lately: news of a connection can outlive it."""
        free = [number for number in range(self.numbers) if number not in self.links]
        if not free:
            raise ModemError(f"all {self.numbers} connections that the module can have are open", "module", hint=_CLOSE)
        number = min(free, key=lambda one: (one in self.stale, self.freed.get(one, -inf), one))
        age = self.age_of(number)
        link = self.take(number, host)
        if self.settings.access == "push" and age < _LATE_DATA:
            yield Wait(_LATE_DATA - age)
        if number in self.stale:
            try:
                yield from (self.stale[number] or self).release(link)
            except ModemError:
                del self.links[number]
                raise
            del self.stale[number]
        link.pushed.clear()  # what came until here was the former connection's
        return link

    def take(self, number: int, host: str) -> Link:
        """Make the connection of that number, instead of one that may have had it."""
        link = Link(number, host, successor=number in self.links or self.age_of(number) < _LATE_NEWS)
        self.links[number] = link
        return link

    def age_of(self, number: int) -> float:
        """Seconds since another connection had that number."""
        return self.engine.now - self.freed.get(number, -inf)

    def give_back(self, link: Link, *, stale: bool) -> None:
        """Forget a connection. `stale`: the module may not have."""
        if self.links.get(link.number) is link:
            del self.links[link.number]
            self.freed[link.number] = self.engine.now
            if stale:
                self.stale[link.number] = link.speaker

    def address_of(self, host: str) -> Steps[str]:
        """What `resolve` brings, if it is an address: it goes into the next command, and bytes can be altered."""
        found = yield from self.resolve(host)
        try:
            return str(ip_address(found))
        except ValueError as cause:
            raise ModemError(f"the module says that {host} is {found!r}, which is no address", "DNS") from cause

    def resolve(self, host: str) -> Steps[str]:
        """The address of `host`, asked of the network's DNS, as the module tells it."""
        raise NotImplementedError

    def connect(self, link: Link, host: str, port: int) -> Steps[None]:
        """Open the module's connection `link.number`."""
        raise NotImplementedError

    def send(self, link: Link, data: bytes) -> Steps[int]:
        """Give the module `data`, at most `send_size` bytes; how many it took, 0 if it has no room."""
        raise NotImplementedError

    def read(self, link: Link) -> Steps[bytes]:
        """Take what the module has received, at most `read_size` bytes; b"" if nothing."""
        raise NotImplementedError

    def unacknowledged(self, link: Link) -> Steps[int | None]:
        """Bytes that the peer has not acknowledged, None if the module does not say; checks the count of all bytes."""
        raise NotImplementedError

    def settle(self, link: Link) -> Steps[None]:
        """Before the end of the stream is told: compare counts, if the module keeps any; mark what is still unread."""
        yield from ()

    def look(self, link: Link) -> Steps[None]:
        """Ask for the connection's state, and set its marks: what should have told of it may have been lost."""
        raise NotImplementedError

    def release(self, link: Link) -> Steps[None]:
        """Close the module's connection, also one that is closed or was never open."""
        raise NotImplementedError

    def incoming(self, link: Link) -> Steps[bytes]:
        """The next bytes from the peer as soon as there are any; b"" at the end, when the module has none left."""
        pause, speaker, contradictions = POLL, link.speaker or self, 0
        try:
            while True:
                if link.pushed:
                    data = bytes(link.pushed)
                    link.pushed.clear()
                    return data
                link.check()
                if link.abandoned:
                    return b""
                if link.doubtful:
                    link.doubtful = False
                    yield from self.look_at(link)
                closed, link.readable = link.closed, False  # what is marked from here on counts for the next round
                try:
                    data = yield from speaker.read(link)
                except CommandRefused:
                    yield from self.look_at(link)
                    if not link.closed:
                        raise
                    continue  # once: it may be over, and nobody have said so yet
                if len(data) > self.read_size:
                    raise ModemError(f"the module was asked for {self.read_size} bytes and gave {len(data)}", "module")
                if data:
                    link.received += len(data)
                    link.readable = True
                    return data
                if closed and not link.pushed:
                    yield from speaker.settle(link)
                    if link.unannounced and self.settings.access == "push":
                        yield Wait(_LATE_DATA, lambda: link.pushed or link.failure or not link.unannounced)
                    if link.pushed or link.failure:
                        continue
                    if not link.readable:
                        return b""
                    contradictions += 1
                    if contradictions > _CONTRADICTIONS:
                        raise ModemError("the module says that it holds data, and hands none over", "module")
                if not link.stirred and not (yield Wait(pause, lambda: link.stirred)):
                    yield from self.look_at(link)
                    pause = min(pause * 2, LONGEST_POLL)
        except ModemError as error:
            raise self.fail(link, error) from error.__cause__

    def outgoing(self, link: Link, data: bytes) -> Steps[int]:
        """Hand over the first bytes of `data` and return how many; waits while the module has no room for them."""
        patience, pause, before, speaker = self.settings.send_limit, 0.05, None, link.speaker or self
        give_up = self.engine.now + _LONGEST_WAIT * patience
        try:
            while True:
                link.check()
                if link.closed:
                    raise ModemError("the peer has closed the connection", "TCP")
                try:
                    taken = yield from speaker.send(link, data[: self.send_size])
                except CommandRefused as refusal:
                    yield from self._see_why(link, refusal)
                    raise
                if taken:
                    link.sent += taken
                    return taken
                waiting = yield from speaker.unacknowledged(link)
                if waiting is not None and (before is None or waiting < before):
                    patience, before = self.settings.send_limit, waiting
                if patience <= 0 or self.engine.now >= give_up:
                    raise ModemError(
                        f"the module had no room for {self.settings.send_limit:g} s: the peer takes nothing",
                        "TCP",
                        timed_out=True,
                    )
                yield Wait(pause, lambda: link.failure)
                patience -= pause
                pause = min(pause * 2, 5.0)
        except ModemError as error:
            raise self.fail(link, error) from error.__cause__

    def _see_why(self, link: Link, refusal: CommandRefused) -> Steps[None]:
        """Raises what is behind the refusal of a send, if the connection is over and the news of that was lost."""
        with suppress(ModemError):
            yield from self.look_at(link)
        if link.failure is not None:
            raise link.failure from refusal
        if link.closed:
            raise ModemError("the peer has closed the connection", "TCP") from refusal

    def look_at(self, link: Link) -> Steps[None]:
        """Ask for its state. If it is over, and nobody said so, it may be the data connection that is."""
        known = link.closed
        yield from (link.speaker or self).look(link)
        if link.closed and not known:
            link.unannounced = True
            if not (yield from self.data_is_up()):
                self.lose_data("the module did not say so")

    def close(self, link: Link) -> Steps[None]:
        """Give the connection back. One that the module cannot be asked about now is cleaned up before its next use."""
        link.abandoned = True  # whoever still waits for its data must not ask for that of the next one
        if self.links.get(link.number) is not link:
            return
        if link.failure is not None and not self.engine.trusted:
            self.give_back(link, stale=True)
            return
        try:
            yield from (link.speaker or self).release(link)
        except ModemError:
            self.give_back(link, stale=True)
        else:
            self.give_back(link, stale=False)

    def discard(self, opening: Task[Link]) -> Steps[None]:
        """Nobody waits for this connection any more: close it once it is open."""
        yield Wait(inf, lambda: opening.done)
        with suppress(LightTLSError):
            yield from self.close(opening.result())

    def fail(self, link: Link, error: ModemError) -> ModemError:
        """End a connection; its first failure counts."""
        if link.failure is None:
            if isinstance(error, CommandRefused | CommandTimedOut):
                text = f"{str(error).partition(': ')[2]}: bytes may be lost, so the connection to {link.host} is over"
                link.failure = ModemError(text, error.layer, code=error.code, timed_out=error.timed_out)
            else:
                link.failure = error
        return link.failure

    def _too_long(self, host: str) -> ConfigurationError:
        return ConfigurationError(
            f"the host name has {len(host)} characters; {self.name} modules take {self.name_limit}",
            hint="Nothing was sent. Resolve the name elsewhere, open its address, and give the name to TLS alone.",
        )

    # What comes by itself

    def is_news(self, line: bytes) -> bool:
        return line.startswith(self.news) or line.startswith(self.boot_lines)

    def on_line(self, line: bytes) -> None:
        """A line that answers no command. What nobody knows is ignored: firmwares add their own."""
        if line.startswith(self.boot_lines) and self.configured:
            self.engine.reset_seen(f"it says {text_of(line)}")

    def on_data(self, data: Data) -> None:
        """Counted data that answers no command."""

    def take_pushed(self, link: Link, data: bytes) -> None:
        """Keep what the module sent by itself. After a failure bytes may be missing in front of it."""
        if link.failure is not None:
            return
        if len(link.pushed) + len(data) > _PUSHED_LIMIT:
            text = f"more than {_PUSHED_LIMIT >> 20} MiB came, and nobody read them"
            self.fail(link, ModemError(text, "module", hint=_READ_ON))
            return
        link.pushed += data
        link.received += len(data)

    def on_lost(self, error: ModemError) -> None:
        """All connections are over."""
        self.configured = self.has_data = False
        self.stale.clear()
        self.fail_all(error)

    def lose_data(self, detail: str) -> None:
        """The network took the data connection away, and all TCP connections with it."""
        self.has_data = False
        self.fail_all(ModemError(f"the network ended the data connection ({detail})", "PDP context"))

    def fail_all(self, error: ModemError) -> None:
        for number, link in tuple(self.links.items()):
            self.fail(link, error)
            self.stale[number] = link.speaker


_NO_ANSWER = (
    "Check that this is the modem's AT port (modems have several, try the next), the baud rate, that the modem is "
    "switched on, and that no other program such as ModemManager uses the port."
)
_READ_ON = "Read all the time, or use access='buffer', where the module keeps what is not asked for."
_CLOSE = "Close connections that are not needed any more."
