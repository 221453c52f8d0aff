"""Numbers in what a modem answers."""

from __future__ import annotations

from collections.abc import Callable

from lighttls.transports.at_modem.results import ModemError
from lighttls.transports.at_modem.steps import Reply


def numbers_in(line: bytes) -> list[int]:
    """The numbers of a line such as `+QISEND: 10,8,2`, up to what is none."""
    found = []
    for part in line.partition(b": ")[2].split(b","):
        try:
            found.append(int(part))
        except ValueError:
            break
    return found


def only_line(reply: Reply, command: str, check: Callable[[list[int]], bool]) -> list[int]:
    """The numbers of the answer's line. Raises ModemError if there is none of the shape that was expected."""
    for line in reply.lines:
        numbers = numbers_in(line)
        if check(numbers):
            return numbers
    raise ModemError(f"the answer to {command} is not complete; bytes were lost or altered", "serial line")
