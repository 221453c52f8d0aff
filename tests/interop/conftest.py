"""Servers that the tests of a file share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from interop.peers.base import Files
from interop.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(Files(tmp_path_factory.mktemp("interop")))
    yield stage
    stage.clear()
