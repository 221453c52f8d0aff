"""Signatures that have verified, remembered: connections to the same servers check the same few again and again.

One fact is kept: this signature over this TBS verifies under this SubjectPublicKeyInfo with this algorithm. It is
true for ever and for everybody, and it is all that is skipped: policy, dates, names, constraints, the anchor and the
way to it are judged every time. Only successes are kept, and only those of a search that ended at an anchor, so a
stranger cannot fill the memory.
"""

from __future__ import annotations

from collections.abc import Iterable

from lighttls._typing import Final
from lighttls.crypto.provider import CryptoProvider

MOST: Final = 128  # facts, of some 150 bytes each; a path has one for each certificate in it


class VerifiedSignatures:
    """Belongs to a configuration, whose connections may run in several threads: each step is one of a dict's own."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, None] = {}

    @staticmethod
    def fact(provider: CryptoProvider, scheme: int, spki: bytes, signature: bytes, tbs: bytes) -> bytes:
        """The SHA-256 that stands for all four; lengths come first, so that no two facts give the same bytes."""
        lengths = b"%d %d %d " % (scheme, len(spki), len(signature))
        return provider.digest("sha256", lengths + spki + signature + tbs)

    def __contains__(self, fact: bytes) -> bool:
        return fact in self._known

    def keep(self, facts: Iterable[bytes]) -> None:
        """Remember what a search has verified that found a path."""
        for fact in facts:
            if len(self._known) >= MOST and fact not in self._known:
                self._known.clear()
            self._known[fact] = None
