"""The program `openssl verify`, strict or as it is without -x509_strict."""

from __future__ import annotations

import shutil
import subprocess
from base64 import encodebytes
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from support.judges import Question, Verdict

PROCESSES = 2
SETTINGS = ("-no-CApath", "-no-CAstore", "-partial_chain", "-auth_level", "2", "-policy_check")
"""Level 2 is what its TLS clients have since 3.2, -partial_chain what Python's `ssl` gives them since 3.13."""


def pem(kind: str, data: bytes) -> bytes:
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (kind.encode(), encodebytes(data), kind.encode())


def judge(question: Question, *more: str) -> Verdict:
    with TemporaryDirectory() as name:
        folder = Path(name)

        def written(what: str, kind: str, parts: Iterable[bytes]) -> str:
            path = folder / what
            path.write_bytes(b"".join(pem(kind, part) for part in parts))
            return str(path)

        command = ["openssl", "verify", *SETTINGS, *more, "-attime", str(question.at)]
        command += ["-purpose", "sslserver" if question.server else "sslclient"]
        command += ["-CAfile", written("anchors", "CERTIFICATE", question.anchors)]
        if question.others:
            command += ["-untrusted", written("others", "CERTIFICATE", question.others)]
        if question.name:
            command += ["-verify_hostname" if question.name[0] == "DNS" else "-verify_ip", question.name[1]]
        if question.depth is not None:
            command += ["-verify_depth", str(question.depth)]
        if question.crls:
            command += ["-crl_check_all", "-CRLfile", written("crls", "X509 CRL", question.crls)]
        command.append(written("leaf", "CERTIFICATE", [question.leaf]))
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, errors="replace")
    words = [line for line in result.stderr.splitlines() if line.startswith("error ")]
    return Verdict(result.returncode == 0, words[0] if words else result.stderr[-200:])


class OpenSSL:
    def __init__(self, *, strict: bool) -> None:
        self.name = "OpenSSL, strict" if strict else "OpenSSL"
        self._more = ("-x509_strict",) if strict else ()

    def version(self) -> str:
        return subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.split()[1]

    def missing(self) -> str:
        return "" if shutil.which("openssl") else "no `openssl` here"

    def verdicts(self, questions: Sequence[Question]) -> list[Verdict | None]:
        with ThreadPoolExecutor(PROCESSES) as pool:
            return list(pool.map(lambda question: judge(question, *self._more), questions))
