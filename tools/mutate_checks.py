"""Switch off the checks of the protocol one by one, and see that a test fails each time.

A check is an `if` that raises, in the rooms between the wire and the application. Each is made to find nothing, in
a copy of the tree; then the hostile server plays, first the cases of the rules that the check cites, then all. What
only our own side can get wrong (a caller's mistake, an error in lighttls), and what is wrong inside a certificate or
below an engine's surface, may also be noticed by a unit test. A check that nobody misses is a hole in the tests, or
needless.

    tools/mutate_checks.py [--sample 50] [--seed 1] [part of a file's name …]
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lighttls import errors
from lighttls.crypto import default_provider

REPOSITORY = Path(__file__).parents[1]
PACKAGE = Path("src/lighttls")
ROOMS = (
    *("wire", "record", "messages", "handshake", "conversation.py", "connection.py", "x509", "session"),
    *("crypto/pure.py", "crypto/_ecdh.py", "crypto/_signatures.py"),
)
UNIT_TESTS = tuple(f"tests/unit/{room}" for room in (*ROOMS, "crypto") if "." not in room)
PEER_ERRORS = (errors.ProtocolError, errors.CertificateError, errors.PeerAlert, errors.TruncatedStream)
RULE = re.compile(r"\b[A-Z]{2,6}-\d\d\b")
SECONDS = 1800  # that tests may take before anything is switched off; a mutant that takes far longer hangs, and fails
MEMORY = 4 << 20  # KiB that tests may take; a mutant without a bound on what it keeps fails for want of it


@dataclass(frozen=True)
class Check:
    """One `if` that raises: where its condition stands, and what it cites."""

    file: str
    line: int
    start: int  # of the condition, in bytes from the start of the file
    end: int
    text: str
    rules: tuple[str, ...]
    ours: bool  # raises what no peer can cause

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: if {self.text}"


def checks(root: Path) -> Iterator[Check]:
    """Every check of the rooms, in order."""
    for room in ROOMS:
        start = root / PACKAGE / room
        for path in [start] if start.is_file() else sorted(start.glob("**/*.py")):
            name = path.relative_to(root).as_posix()
            yield from _checks_in(path.read_bytes(), name)
            if room == "wire":
                yield from _generated_checks(path.read_bytes(), name)


def _generated_checks(data: bytes, name: str) -> Iterator[Check]:
    """Checks in the text of the parsers and builders that declarations compile to."""
    for found in re.finditer(rb'"if ([^"]+): raise (\w+)\(', data):
        yield Check(
            file=name,
            line=data.count(b"\n", 0, found.start()) + 1,
            start=found.start(1),
            end=found.end(1),
            text=found[1].decode(),
            rules=(),
            ours=found[2] == b"out_of_range",  # a value that does not fit is refused when it is built
        )


def _checks_in(data: bytes, name: str) -> Iterator[Check]:
    lines = data.splitlines(keepends=True)
    starts = [sum(map(len, lines[:at])) for at in range(len(lines) + 1)]
    for node in ast.walk(ast.parse(data)):
        if not isinstance(node, ast.If) or not isinstance(node.body[-1], ast.Raise):
            continue
        test, last = node.test, node.body[-1]
        assert test.end_lineno
        assert test.end_col_offset
        assert last.end_lineno
        around = b"".join(lines[node.lineno - 1 : last.end_lineno]).decode()
        yield Check(
            file=name,
            line=node.lineno,
            start=starts[test.lineno - 1] + test.col_offset,
            end=starts[test.end_lineno - 1] + test.end_col_offset,
            text=" ".join(ast.unparse(test).split()),
            rules=tuple(dict.fromkeys(RULE.findall(around))),
            ours=_is_ours(last),
        )


def _is_ours(node: ast.Raise) -> bool:
    called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    raised = getattr(errors, called.id, None) if isinstance(called, ast.Name) else None
    return isinstance(raised, type) and not issubclass(raised, PEER_ERRORS)


def switched_off(source: bytes, check: Check) -> bytes:
    """The source with a condition that still runs, and never holds."""
    return source[: check.start] + b"(" + source[check.start : check.end] + b") and False" + source[check.end :]


def quick(engine: str, rules: Iterable[str] = ()) -> list[str]:
    """The hostile server's cases on one engine, with whole flights; those of some rules, or all."""
    chosen = f"{engine} and not byte-by-byte"
    return ["tests/hostile", "-k", f"({' or '.join(rules)}) and {chosen}" if rules else chosen]


def runs(tree: Path, check: Check) -> Iterator[list[str]]:
    """The tests that may notice, likely ones first."""
    engine = "pure" if "/crypto/" in check.file else default_provider().name
    if check.rules:
        yield quick(engine, check.rules)
    for room in ("x509", "crypto"):  # a chain has more ways to be wrong than a server to send one; likewise a signature
        if f"/{room}/" in check.file:
            yield [f"tests/unit/{room}"]
    yield quick(engine)
    if check.ours:
        yield [*UNIT_TESTS, *sorted(path.relative_to(tree).as_posix() for path in tree.glob("tests/unit/*.py"))]


def failing_test(tree: Path, selections: Iterable[list[str]], seconds: float = SECONDS) -> str | None:
    """The first test that fails in this tree, or takes too long, or None."""
    for arguments in selections:
        command = ["sh", "-c", f'ulimit -v {MEMORY} && exec "$@"', "sh", sys.executable, "-m", "pytest"]
        command += ["-x", "-q", "--no-header", "-p", "no:cacheprovider", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
        try:
            done = subprocess.run(
                command, cwd=tree, env=environment, capture_output=True, text=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return "a test that hangs"
        if done.returncode not in (0, 5):  # 5: no case has that number
            failed = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", done.stdout, re.MULTILINE)
            return failed[1] if failed else f"pytest itself ({done.returncode})"
    return None


def copy(to: Path) -> None:
    """The parts of the tree that tests need, built modules included."""
    for name in ("src", "tests", "csrc", "docs"):
        shutil.copytree(REPOSITORY / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", to)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, default=0, help="how many checks (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("files", nargs="*", help="only files whose name contains one of these")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        copy(tree)
        found = [
            check for check in checks(tree) if not options.files or any(name in check.file for name in options.files)
        ]
        if options.sample and options.sample < len(found):
            found = sorted(random.Random(options.seed).sample(found, options.sample), key=lambda c: (c.file, c.line))
        usual = dict.fromkeys(tuple(run) for check in found for run in runs(tree, replace(check, rules=())))
        longest = 0.0
        for run in usual:
            start = time.monotonic()
            if broken := failing_test(tree, [list(run)]):
                print(f"{broken} fails before any check is switched off")
                return 1
            longest = max(longest, time.monotonic() - start)
        survivors = []
        for check in found:
            path = tree / check.file
            source = path.read_bytes()
            path.write_bytes(switched_off(source, check))
            killer = failing_test(tree, runs(tree, check), 60 + 4 * longest)
            path.write_bytes(source)
            for stale in path.parent.glob(f"__pycache__/{path.stem}.*"):
                stale.unlink()  # two mutants of one second and one size look the same to Python
            print(f"{'missed by nobody' if killer is None else 'ok'}: {check}\n    {killer or ''}".rstrip(), flush=True)
            if killer is None:
                survivors.append(check)
    print(f"{len(found)} checks switched off, {len(survivors)} missed by no test")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
