"""Whether the clock can be right: certificates are judged by it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from lighttls.cli import verdict_options
from lighttls.cli.doctor.walk import Walk

_EARLIEST: Final = datetime(2025, 1, 1, tzinfo=UTC).timestamp()  # lighttls is younger
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_APART: Final = 3600.0  # seconds beyond which two clocks do not agree


def ask_clock(walk: Walk, options: Namespace, ask_network: Callable[[], datetime | None] | None) -> float:
    """The time to judge by, in seconds since 1970."""
    with walk.asking("clock"):
        network_time = ask_network() if ask_network else None
        at = verdict_options.moment(options.at, "--at")
        said = [f"it says {_shown(at)}"]
        if network_time is not None:
            said.append(f"the modem's network {_shown(network_time.timestamp())}{_difference(at, network_time)}")
        if options.floor is not None and at < verdict_options.moment(options.floor, "--floor"):
            said.append("no earlier time is believed than --floor")
        elif not _EARLIEST <= at < _LATEST:
            raise walk.fail("clock", "; ".join(said), _remedy(network_time))
    walk.passed("clock", "; ".join(said))
    return at


def _difference(at: float, network_time: datetime) -> str:
    seconds = abs(at - network_time.timestamp())
    return f", which is {seconds / 3600:.0f} h away" if seconds > _APART else ""


def _remedy(network_time: datetime | None) -> str:
    source = (
        "by NTP, or from the modem's network, which nobody vouches for"
        if network_time
        else "by NTP or from a clock chip"
    )
    return (
        f"The clock was never set, and by it no certificate is valid. Set it {source}; a device without a clock gives "
        "ClientConfig(clock=...) or VerifyPolicy(time=TimePolicy.floor(...)), and this command --floor."
    )


def _shown(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds // 1, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):
        return f"{seconds:.0f} seconds since 1970"
