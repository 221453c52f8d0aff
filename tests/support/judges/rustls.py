"""rustls and its verifier rustls-webpki, through the package rtls, which has no way to ask the verifier alone.

So it is asked in a TLS 1.2 handshake that goes as far as ServerHelloDone. rustls judges the chain first and then the
signature on the key exchange, and that one names a scheme that its suite does not go with: a handshake that fails for
the scheme has accepted the chain. The server's key is not needed. The clock is the process's own, so questions about
each moment are asked in a process whose clock says so (fixed_clock.c).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from support.judges import Question, Verdict

CLOCK = Path(__file__).with_name("fixed_clock.c")
ACCEPTED = "SignedKxWithWrongAlgorithm"
"""What rustls calls a signature scheme that its suite does not go with."""


class Rustls:
    name = "rustls-webpki"

    def version(self) -> str:
        """That of the verifier, which the compiled module names among its sources."""
        spec = find_spec("rtls._rustls")
        assert spec
        assert spec.origin
        found = re.search(rb"rustls-webpki-(\d+\.\d+\.\d+)", Path(spec.origin).read_bytes())
        return found.group(1).decode() if found else "of unknown version"

    def missing(self) -> str:
        return "" if find_spec("rtls") else "no package rtls here"

    def verdicts(self, questions: Sequence[Question]) -> list[Verdict | None]:
        """Neither clients' certificates nor limits of depth nor CRLs can be asked about in this way."""
        by_time: dict[int, list[int]] = {}
        for number, question in enumerate(questions):
            if question.server and question.name and question.depth is None and not question.crls:
                by_time.setdefault(question.at, []).append(number)
        found: list[Verdict | None] = [None] * len(questions)
        with TemporaryDirectory() as folder:
            library = Path(folder) / "fixed_clock.so"
            subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, CLOCK], check=True)
            for at, numbers in by_time.items():
                answers = _in_a_process(library, at, [questions[number] for number in numbers])
                for number, words in zip(numbers, answers, strict=True):
                    found[number] = Verdict(ACCEPTED in words, words)
        return found


def _in_a_process(library: Path, at: int, questions: Sequence[Question]) -> list[str]:
    lines = [
        json.dumps(
            {
                "chain": [b64encode(der).decode() for der in (question.leaf, *question.others)],
                "anchors": [b64encode(der).decode() for der in question.anchors],
                "name": question.name[1] if question.name else "",
            }
        )
        for question in questions
    ]
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "FIXED_CLOCK": str(at),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    result = subprocess.run(
        [sys.executable, "-m", "support.judges.rustls"],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return list(json.loads(result.stdout))


def _ask(question: dict[str, Any]) -> str:
    import rtls

    context = rtls.SSLContext(rtls.PROTOCOL_TLS_CLIENT)
    context.maximum_version = rtls.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=b"".join(_pem(anchor) for anchor in question["anchors"]).decode())
        incoming, outgoing = rtls.MemoryBIO(), rtls.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing, server_hostname=question["name"])
        with suppress(rtls.SSLWantReadError):
            client.do_handshake()
        for record in _flight([b64decode(text) for text in question["chain"]]):
            incoming.write(record)
            with suppress(rtls.SSLWantReadError):
                client.do_handshake()
    except (rtls.SSLError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return "the handshake went on"


def _pem(text: str) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + text.encode() + b"\n-----END CERTIFICATE-----\n"


def _vector(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size, "big") + data


def _flight(chain: Sequence[bytes]) -> list[bytes]:
    """Records from ServerHello to ServerHelloDone (RFC 5246 §7.4), the key exchange signed by RSA for ECDHE_ECDSA."""
    hello = b"\x03\x03" + bytes(range(32)) + b"\x00" + b"\xc0\x2b" + b"\x00"
    hello += _vector(2, b"\x00\x17\x00\x00" + b"\xff\x01\x00\x01\x00")  # extended_master_secret, renegotiation_info
    point = bytes.fromhex("09") + bytes(31)  # X25519's base point
    exchange = b"\x03\x00\x1d" + _vector(1, point) + b"\x04\x01" + _vector(2, bytes(64))  # rsa_pkcs1_sha256
    messages = (
        (2, hello),
        (11, _vector(3, b"".join(_vector(3, der) for der in chain))),
        (12, exchange),
        (14, b""),
    )
    flight = b"".join(bytes((kind,)) + _vector(3, body) for kind, body in messages)
    return [b"\x16\x03\x03" + _vector(2, flight[at : at + 16384]) for at in range(0, len(flight), 16384)]


if __name__ == "__main__":
    print(json.dumps([_ask(json.loads(line)) for line in sys.stdin]))
