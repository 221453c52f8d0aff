"""Whatever `make coverage` leaves out says why, where it stands."""

from __future__ import annotations

import re

from support.require import REPOSITORY


def test_every_exclusion_gives_its_reason() -> None:
    unexplained = [
        f"{path.relative_to(REPOSITORY)}:{number}"
        for path in sorted((REPOSITORY / "src").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "pragma: no" in line and not re.search(r"pragma: no (cover|branch) - \w+ \w+", line)
    ]
    assert unexplained == []
