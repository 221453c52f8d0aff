"""The matrix: one cell for each combination of suite, group, client certificate, resumption and record size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from itertools import combinations, product

from lighttls.crypto.suites import SUITES
from lighttls.iana import CipherSuite, NamedGroup


@dataclass(frozen=True)
class Cell:
    """One combination. A field is an axis."""

    suite: CipherSuite
    group: NamedGroup
    device: str  # our certificate: a value of DEVICES
    resumption: str  # what the second connection resumes by: a value of RESUMPTIONS
    size: str  # what we ask for: a value of SIZES

    @property
    def server_key(self) -> str:
        """What key the server's certificate must have: "rsa", "ecdsa" (P-256), "ecdsa384"."""
        if SUITES[self.suite].key_type == "rsa":
            return "rsa"
        return "ecdsa384" if self.group == NamedGroup.SECP384R1 else "ecdsa"

    @property
    def device_key(self) -> str:
        """What key our certificate has, likewise; or "none"."""
        return "ecdsa384" if (self.device, self.group) == ("ecdsa", NamedGroup.SECP384R1) else self.device

    @property
    def groups(self) -> tuple[NamedGroup, ...]:
        """What to offer: the one group, and behind X25519 the curve of ECDSA certificates, theirs and ours.

        That it concerns their certificate is RFC 8422 §5.1; OpenSSL holds a client's certificate to it as well.
        """
        if self.group == NamedGroup.X25519 and "ecdsa" in (self.server_key, self.device):
            return (self.group, NamedGroup.SECP256R1)
        return (self.group,)

    @property
    def max_fragment_length(self) -> int | None:
        return self._size("mfl-")

    @property
    def record_size_limit(self) -> int | None:
        return self._size("rsl-")

    def _size(self, kind: str) -> int | None:
        return int(self.size.removeprefix(kind)) if self.size.startswith(kind) else None

    def __str__(self) -> str:
        group = self.group.name.lower()
        return f"{self.suite.name} {group} device={self.device} resumption={self.resumption} size={self.size}"


AXES = tuple(field.name for field in fields(Cell))

ECDHE_SUITES = (
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CCM,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8,
)
GROUPS = (NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP384R1)
DEVICES = ("none", "ecdsa", "rsa")
RESUMPTIONS = ("none", "ticket", "id")
SIZES = ("none", "mfl-512", "mfl-2048", "rsl-600")

CELLS = tuple(Cell(*values) for values in product(ECDHE_SUITES, GROUPS, DEVICES, RESUMPTIONS, SIZES))


def cover(cells: Iterable[Cell], strength: int) -> list[Cell]:
    """A few of the cells, in which every `strength` values of different axes meet that meet in any cell.

    Greedy, and the same at each run: next comes the cell that has most of what is not covered yet.
    """
    brings = {cell: set(meetings(cell, strength)) for cell in cells}
    wanted = set().union(*brings.values())
    chosen = []
    while wanted:
        best = max(brings, key=lambda cell: len(brings[cell] & wanted))
        chosen.append(best)
        wanted -= brings.pop(best)
    return chosen


def meetings(cell: Cell, strength: int) -> Iterator[tuple[tuple[str, object], ...]]:
    """Each choice of `strength` axes with the cell's values."""
    return combinations(zip(AXES, astuple(cell), strict=True), strength)
