from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lighttls.transports.at_modem import engine
from support.clinic import Clinic
from support.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, capsys)


@pytest.fixture
def clinic(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    """A modem that says nothing is given up after a third of a second, not after ten."""
    monkeypatch.setattr(engine, "_RESYNC_TRIES", 1)
    monkeypatch.setattr(engine, "_RESYNC_LIMIT", 0.3)
    with ExitStack() as stack:
        yield Clinic(terminal, stack, monkeypatch)
