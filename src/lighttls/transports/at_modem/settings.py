"""What a modem must be told beside a host and a port."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from lighttls.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the network wants to know, and how long it may take.

    `authentication` is "none", "pap", "chap" or "either" (default: none without a user). `access` is how received data
    comes: "buffer" (the module keeps it until we ask), "push" (it sends it at once) or "transparent" (the serial line
    becomes the connection); see docs/transports.md. `hex_mode` is for u-blox alone.
    """

    apn: str = ""
    user: str = ""
    password: str = ""
    authentication: str = ""
    pin: str = ""
    access: str = "buffer"
    hex_mode: bool = False
    flow_control: bool = False
    registration_limit: float = 180.0  # seconds to find a network
    send_limit: float = 120.0  # seconds without any progress of what is sent

    def __post_init__(self) -> None:
        for name in ("apn", "user", "password", "pin"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise ConfigurationError(f"the modem's setting {name} is text, not {type(value).__name__}")
            if not value.isascii() or not value.isprintable() or '"' in value or len(value) > 100:
                raise ConfigurationError(f"the modem's setting {name} cannot be written inside quotes of a command")
        for name in ("registration_limit", "send_limit"):
            seconds = getattr(self, name)
            if type(seconds) not in (int, float) or not seconds >= 0:
                raise ConfigurationError(f"the modem's setting {name} is a number of seconds, not {seconds!r}")
        if self.authentication not in ("", "none", "pap", "chap", "either"):
            raise ConfigurationError(f"authentication is none, pap, chap or either, not {self.authentication!r}")
        if self.pin and not self.pin.isdecimal():
            raise ConfigurationError("a PIN has digits only")

    @property
    def authentication_number(self) -> int:
        """As 3GPP and the makers count: 0 none, 1 PAP, 2 CHAP, 3 either."""
        kind = self.authentication or ("chap" if self.user else "none")
        return ("none", "pap", "chap", "either").index(kind)


def settings_of(values: dict[str, Any]) -> Settings:
    """Settings by their names. Raises ConfigurationError also where there is none of a name."""
    known = [field.name for field in fields(Settings)]
    unknown = ", ".join(sorted(set(values) - set(known)))
    if unknown:
        raise ConfigurationError(f"a modem has no setting {unknown}", hint=f"There are {', '.join(known)}.")
    return Settings(**values)
