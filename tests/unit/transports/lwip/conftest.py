"""Two stacks for a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.lwip import Wire, wired


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired() as made:
        yield made
