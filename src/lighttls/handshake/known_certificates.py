"""Certificates that once stood in a verified path, kept parsed: a server's chain is read once, not on each connection.

What is kept is the reading of bytes, no verdict: dates, names and all else are judged every time, and of signatures it
is remembered which have verified (`VerifiedSignatures`), unless the configuration wants no such memory. Nothing
comes in that did not lead to an anchor, so a stranger cannot fill it. Connections to one server also share its chain's
memory this way.
"""

from __future__ import annotations

from collections.abc import Sequence

from lighttls._typing import TYPE_CHECKING, Final
from lighttls.config import ClientConfig
from lighttls.x509 import Certificate, VerifiedPath, VerifiedSignatures

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider

MOST: Final = 64  # certificates; a device meets a handful


class KnownCertificates:
    """Belongs to a configuration, whose connections may run in several threads: each step is one of a dict's own."""

    __slots__ = ("_by_der", "_provider", "signatures")

    def __init__(self, config: ClientConfig) -> None:
        self._by_der: dict[bytes, Certificate] = {}
        self._provider: CryptoProvider = config.provider
        self.signatures = VerifiedSignatures() if config.cache_signatures else None

    @classmethod
    def of(cls, config: ClientConfig) -> KnownCertificates:
        """The one that this configuration's connections share."""
        return config.derived("known certificates", cls)

    def parse(self, der: bytes) -> Certificate:
        """As `Certificate.parse`."""
        return self._by_der.get(der) or Certificate.parse(der, self._provider)

    def look_up(self, chain: Sequence[bytes]) -> tuple[Certificate | bytes, ...]:
        """`chain` with each known certificate in the place of its bytes."""
        return tuple(map(self._by_der.get, chain, chain))

    def keep(self, path: VerifiedPath) -> None:
        """Remember the certificates of a path that we found. One without an anchor was not verified."""
        if path.anchor is None:
            return
        for certificate in path.certificates:
            if len(self._by_der) >= MOST and certificate.der not in self._by_der:
                self._forget()
            self._by_der.setdefault(certificate.der, certificate)

    def _forget(self) -> None:
        """Of what is forgotten here, connections that still hold it need no more than the bytes."""
        forgotten, self._by_der = self._by_der, {}
        for certificate in forgotten.copy().values():  # a thread that still has it may be adding to it
            certificate.condense()

    def share(self, chain: Sequence[bytes]) -> tuple[bytes, ...]:
        """The same bytes, in the copies that are kept."""
        shared = []
        for der in chain:
            known = self._by_der.get(der)
            shared.append(der if known is None else known.der)
        return tuple(shared)
