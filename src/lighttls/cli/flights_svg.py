"""The time lines of several connections as one SVG, on one scale, so that one sees what a resumed handshake saves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, log10
from typing import Final

from lighttls.cli.flights import Flight

_WIDTH: Final = 960  # of the picture; below: where the time lines begin, and their length
_LEFT: Final = 80
_LENGTH: Final = 850
_HEIGHT: Final = 170  # of one time line with its title
_BAR: Final = 20
_FOOT: Final = 30
_TICKS: Final = 12  # at most
_LABEL: Final = 45  # half the width of one
_LANES: Final = {"sent": ("device", 60, "#1f6feb"), "received": ("server", 105, "#bc4c00")}
"""Direction -> who speaks, how far down, and the colour."""

_STYLE: Final = "text{font:12px sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:bold}"


def svg(lines: Sequence[tuple[str, Sequence[Flight]]], subject: str) -> str:
    """A picture of titled time lines."""
    longest = max((flights[-1].ended - flights[0].began) * 1000 for _, flights in lines)
    height = _HEIGHT * len(lines) + _FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{subject}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for number, (title, flights) in enumerate(lines):
        parts.append(f'<g transform="translate(0 {number * _HEIGHT})">')
        parts += _line(title, flights, max(longest, 1.0))
        parts.append("</g>")
    parts.append(f'<text x="{_LEFT}" y="{height - 10}">bytes of TLS / bytes on the serial line; {subject}</text>')
    return "\n".join((*parts, "</svg>", ""))


def _line(title: str, flights: Sequence[Flight], longest: float) -> Iterator[str]:
    scale, start = _LENGTH / longest, flights[0].began
    total, serial = sum(one.bytes for one in flights), sum(one.serial_bytes for one in flights)
    took = (flights[-1].ended - start) * 1000
    yield f'<text class="title" x="{_LEFT}" y="28">{title}: {took:.0f} ms, {total} / {serial} bytes</text>'
    for name, top, _ in _LANES.values():
        yield f'<text x="{_LEFT - 10}" y="{top + 15}" text-anchor="end">{name}</text>'
    for milliseconds in _ticks(longest):
        x = _LEFT + milliseconds * scale
        yield f'<path d="M{x:.1f} 45V135" stroke="#d0d7de"/>'
        yield f'<text x="{x:.1f}" y="150" text-anchor="middle">{milliseconds}{"" if milliseconds else " ms"}</text>'
    for flight in flights:
        _, top, colour = _LANES[flight.direction]
        x = _LEFT + (flight.began - start) * 1000 * scale
        width = max((flight.ended - flight.began) * 1000 * scale, 2.0)
        middle = min(max(x + width / 2, _LEFT + _LABEL), _WIDTH - _LABEL)
        yield f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>'
        yield f'<text x="{middle:.1f}" y="{top - 4}" text-anchor="middle">{flight.bytes} / {flight.serial_bytes}</text>'


def _ticks(longest: float) -> range:
    """Round numbers of milliseconds: steps of 1, 2 or 5 times a power of ten."""
    power = 10 ** max(0, ceil(log10(longest / _TICKS)) - 1)
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * _TICKS >= longest)
    return range(0, int(longest) + 1, step)
