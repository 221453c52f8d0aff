"""The layers in their order, and what was found at each until the first that fails.

The walk runs in a thread of its own: a name server, a serial driver or a bus that never returns must not hold up the
answer, which then is that this layer did not end in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Final

from lighttls.errors import LightTLSError

LAYERS: Final = (
    "serial port",
    "modem",
    "SIM",
    "registration",
    "PDP context",
    "DNS",
    "TCP",
    "chip",
    "chip locks",
    "chip key",
    "certificate",
    "clock",
    "TLS",
    "chain",
    "client certificate",
)
OK: Final = "ok"
FAILED: Final = "failed"
NOT_ASKED: Final = "not asked"


@dataclass(frozen=True)
class Finding:
    """What is said of a layer; `remedy` only of the one that failed."""

    layer: str
    state: str
    detail: str = ""
    remedy: str = ""


class Stopped(Exception):
    """The walk is over: a layer failed, which is noted."""


class Walk:
    """Findings as they come; `tell` hears each of them once, in the order of the layers."""

    def __init__(self, tell: Callable[[Finding], None]) -> None:
        self.findings: list[Finding] = []
        self._tell = tell
        self._turn = Lock()  # the walk, and whoever ends it from outside
        self._ended = False

    @property
    def failure(self) -> Finding | None:
        """The layer that failed."""
        return next((each for each in self.findings if each.state == FAILED), None)

    def passed(self, layer: str, detail: str) -> None:
        self._note(Finding(layer, OK, detail))

    def not_asked(self, layer: str, why: str) -> None:
        self._note(Finding(layer, NOT_ASKED, why))

    def fail(self, layer: str, detail: str, remedy: str) -> Stopped:
        """Note the failure; what is returned ends the walk when it is raised."""
        self._note(Finding(layer, FAILED, detail, remedy))
        return Stopped()

    def fail_after_all(self, layer: str, detail: str, remedy: str) -> Stopped:
        """Note that a layer which had passed has failed since; ends the walk as `fail` does."""
        with self._turn:
            if self._ended:
                raise Stopped
            self._ended = True
            finding = self.findings[LAYERS.index(layer)] = Finding(layer, FAILED, detail, remedy)
            self._tell(finding)
        return Stopped()

    def has_passed(self, layer: str) -> bool:
        return any(each.layer == layer and each.state == OK for each in self.findings)

    @contextmanager
    def asking(self, layer: str) -> Iterator[None]:
        """Whatever goes wrong inside is a failure of `layer`."""
        try:
            yield
        except Stopped:
            raise
        except LightTLSError as error:
            said = str(error).removeprefix(f"{layer}: ")  # a modem's error names its layer
            raise self.fail(layer, said, error.advice()) from error
        except OSError as error:
            raise self.fail(layer, f"the system refused: {error}", _SYSTEM) from error
        except Exception as error:  # of an object that the command line named, or ours
            raise self.fail(layer, f"{type(error).__name__}: {error}", _UNFORESEEN) from error

    def run(self, steps: Callable[[], None], limit: float) -> None:
        """Carry out the walk within so many seconds."""
        escaped: list[BaseException] = []

        def work() -> None:
            try:
                steps()
            except Stopped:
                pass
            except BaseException as error:  # standard output has gone, for one; the caller's thread raises it
                escaped.append(error)

        thread = Thread(target=work, daemon=True)
        thread.start()
        try:
            thread.join(limit)
        finally:  # whatever it finds from here on is too late
            with self._turn:
                late = len(self.findings) < len(LAYERS) and not self._ended and not escaped
                self._ended = True
        if late:
            self._tell(
                self._added(Finding(LAYERS[len(self.findings)], FAILED, f"it did not end within {limit:g} s", _LATE))
            )
        if escaped:
            raise escaped[0]
        for layer in LAYERS[len(self.findings) :]:
            self._tell(self._added(Finding(layer, NOT_ASKED)))

    def _note(self, finding: Finding) -> None:
        with self._turn:
            if self._ended:  # too late: the walk was ended from outside
                raise Stopped
            self._ended = finding.state == FAILED
            self._tell(self._added(finding))

    def _added(self, finding: Finding) -> Finding:
        assert finding.layer == LAYERS[len(self.findings)]
        self.findings.append(finding)
        return finding


_SYSTEM: Final = "The text is the operating system's own. Look up what it means for this device, then ask again."
_UNFORESEEN: Final = (
    "Nobody expected this here. If the command line names an object of yours, look there; otherwise it is a bug in "
    "lighttls: please report it with this text."
)
_LATE: Final = (
    "Something below holds the request and does not return: a driver, a bus or a name server. Look at what it is "
    "connected to, restart that, and ask again."
)
