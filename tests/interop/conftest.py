"""Servers that the tests of a file share, and what `make interop` keeps of what they did."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interop.peers.base import Files
from interop.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(Files(tmp_path_factory.mktemp("interop")))
    yield stage
    stage.clear()


@pytest.fixture(scope="session")
def results() -> Iterator[dict[str, dict[str, Any]]]:
    """By peer, what tools/interop.py draws; written to the file that LIGHTTLS_INTEROP names."""
    collected: dict[str, dict[str, Any]] = {}
    yield collected
    if path := os.environ.get("LIGHTTLS_INTEROP"):
        Path(path).write_text(json.dumps(collected, indent=0))
