"""What may be an address or a name: lwIP itself takes a part of one, and more."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

from lighttls.errors import ConfigurationError

_NAME_LIMIT: Final = 253  # characters of a host name (RFC 1035 §2.3.4)
_LABEL_LIMIT: Final = 63  # between two dots


def is_address(text: str) -> bool:
    """Whether it is an IP address in full: lwIP itself stops reading where one ends, and fills up shorter ones."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError, ValueError):  # the latter for a zero byte
            socket.inet_pton(family, text)
            return True
    return False


def check_name(name: str) -> None:
    """Raises ConfigurationError unless it can be a host's name."""
    labels = name.removesuffix(".").split(".")
    printable = name.isascii() and name.isprintable() and " " not in name
    if not printable or len(name) > _NAME_LIMIT or not all(0 < len(label) <= _LABEL_LIMIT for label in labels):
        raise ConfigurationError(
            f"{name!r} can be no host name",
            hint=f"It has at most {_NAME_LIMIT} characters of ASCII, {_LABEL_LIMIT} between two dots; write an "
            "international one as xn--….",
        )
