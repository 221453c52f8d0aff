"""Each cell of the matrix against each real server.

A change is tried against the peers that CI has, on some of the cells, in which any two values meet. `make interop`
(LIGHTTLS_INTEROP names a file for the results) tries every cell on every peer with the native engine, and some with the
pure one. What a peer cannot do is in its file (`Peer.lacks`) and is tried too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from interop.cells import CELLS, Cell, cover, meetings
from interop.peers import ALL, HERE
from interop.peers.base import Peer
from interop.stage import Stage
from interop.trial import attempt
from lighttls.crypto.provider import CryptoProvider
from support import engines, require

MANY = 5  # failures in a batch, after which the rest would only take time
_FEW, _SOME = cover(CELLS, 1), cover(CELLS, 2)


def _plan() -> Iterator[tuple[Peer, str, list[Cell]]]:
    """(peer, engine, cells) in batches of one suite each."""
    for peer in HERE:
        for engine in engines.ENGINES:
            cells = (CELLS if ALL else _SOME) if engine == "native" else (_SOME if ALL else _FEW)
            for suite in dict.fromkeys(cell.suite for cell in cells):
                yield peer, engine, [cell for cell in cells if cell.suite == suite]


PLAN = [pytest.param(*batch, id=f"{batch[0].name}-{batch[1]}-{batch[2][0].suite.name}") for batch in _plan()]


def described(cell: Cell) -> tuple[str, ...]:
    """A cell in words, for tools/interop.py."""
    return (cell.suite.name, cell.group.name.lower(), cell.device, cell.resumption, cell.size)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("peer", "engine", "cells"), PLAN)
def test_peer_does_what_is_asked_or_lacks_it_for_a_known_reason(
    peer: Peer, engine: str, cells: list[Cell], stage: Stage, results: dict[str, dict[str, Any]]
) -> None:
    require.peer(peer.missing())
    if engine == "native":
        require.native()
    provider: CryptoProvider = engines.provider(engine)
    outcomes, failures = [], []
    for cell in cells:
        try:
            server = stage.server(peer, peer.setup(cell, stage.files))
            outcomes.append((*described(cell), *attempt(peer, cell, server, provider)))
        except Exception as error:
            failures.append(f"{cell}: {type(error).__name__}: {error}")
            if len(failures) == MANY:
                break
    assert not failures, "\n".join(failures)
    entry = results.setdefault(peer.name, {"version": peer.version(), "notes": list(peer.notes)})
    entry.setdefault(engine, []).extend(outcomes)


@pytest.mark.parametrize("strength", [1, 2])
def test_selection_covers_what_it_should_in_few_cells(strength: int) -> None:
    chosen = cover(CELLS, strength)
    covered, possible = ({each for cell in cells for each in meetings(cell, strength)} for cells in (chosen, CELLS))
    assert covered == possible
    assert len(chosen) <= {1: 10, 2: 45}[strength]
