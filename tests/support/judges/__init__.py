"""Other libraries' verdicts on a chain, each asked the same question, for comparing ours with theirs.

Each judge is set up as a careful TLS client sets it up: the name and the purpose are checked, dates too, with
2048 bits of RSA and SHA-256 as the least where there is a switch for it, and whatever is trusted is an anchor,
self-signed or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Question:
    """Is this chain good for this name, at this time?"""

    leaf: bytes  # all certificates are DER
    others: tuple[bytes, ...]
    anchors: tuple[bytes, ...]
    name: tuple[str, str] | None  # its kind, "DNS" or "IP", and the name
    at: int  # seconds since 1970
    server: bool = True  # whose certificate it is: a server's, or else a client's
    depth: int | None = None  # authorities between leaf and anchor at most
    crls: tuple[bytes, ...] = ()  # DER; if there are any, every certificate is to be looked for in them


@dataclass(frozen=True)
class Verdict:
    """What a judge says."""

    accepted: bool
    words: str
    """Its own words for a refusal."""


class Judge(Protocol):
    """One library; `name` and `version` are for people."""

    name: str

    def version(self) -> str:
        """What this machine has of it."""

    def missing(self) -> str:
        """What it lacks here, or an empty string."""

    def verdicts(self, questions: Sequence[Question]) -> list[Verdict | None]:
        """One verdict for each question; None where the library has no way to ask it."""
