"""Signatures that have verified, remembered: connections to the same servers check the same few again and again.

One fact is kept: the signature on this certificate, which names its algorithm, verifies under this
SubjectPublicKeyInfo. It is true for ever and for everybody, and it is all that is skipped: policy, dates, names,
constraints, the anchor and the way to it are judged every time. Only successes are kept, and only those on a path that
led to an anchor, so a stranger cannot fill the memory.
"""

from __future__ import annotations

from collections.abc import Iterable

from lighttls._typing import Final

Fact = tuple[bytes, bytes]
"""The SubjectPublicKeyInfo and the certificate, both DER. Comparing them costs less than a digest of them."""

MOST: Final = 64  # as many as `KnownCertificates` keeps: mostly it is the same certificates, and no memory of its own


class VerifiedSignatures:
    """Belongs to a configuration, whose connections may run in several threads: each step is one of a dict's own."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Fact, None] = {}

    def __contains__(self, fact: Fact) -> bool:
        return fact in self._known

    def keep(self, facts: Iterable[Fact]) -> None:
        """Remember what was verified on a path that was found."""
        for fact in facts:
            if len(self._known) >= MOST and fact not in self._known:
                self._known.clear()
            self._known[fact] = None
