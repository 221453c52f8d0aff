"""python -m bounds FILE [-DNAME ...]: what is proven about the functions of a C file, and what is not."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bounds.check import check_function
from bounds.source import parse


def main() -> int:
    unit = parse(Path(sys.argv[1]), tuple(word for word in sys.argv[2:] if word.startswith("-")))
    wanted = [word for word in sys.argv[2:] if not word.startswith("-")]
    failed = False
    for name in wanted or unit.stated:
        start = time.monotonic()
        report = check_function(unit, name)
        failed |= bool(report.findings)
        verdict = "not proven" if report.findings else "holds"
        print(f"{name}: {verdict}, {report.paths} paths, {time.monotonic() - start:.2f} s")
        for finding in report.findings:
            print(f"    {finding}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
