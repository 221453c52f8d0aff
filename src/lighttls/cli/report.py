"""A verdict for the terminal, with the paths as a tree from the leaf upwards; or as JSON."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from textwrap import wrap
from typing import Any, Final

from lighttls.errors import CertificateError, ChainReason, LightTLSError, explain
from lighttls.x509 import Anchor, Attempt, Certificate, VerifiedPath

_ENDS_DRAWN: Final = 12  # paths of one tree: hostile chains have many that say the same
_WIDTH: Final = 110
_MARKS: Final = {"├─ ": "|- ", "└─ ": "`- ", "│  ": "|  ", "✗": "x", "✓": "+", "…": "..."}

End = tuple[Sequence[Certificate], Anchor | None, str]
"""A path, the anchor it reached, and what is said there."""


class Report:
    """One chain, what was asked about it, and what came out; None: a raw public key was shown, and is the right one."""

    def __init__(
        self,
        chain: Sequence[bytes],
        outcome: VerifiedPath | CertificateError | None,
        host: str | None,
        at: float,
    ) -> None:
        self.outcome = outcome
        self._host = host
        self._at = _time(at)
        self._sent = [_parsed(der) for der in chain]
        self._number = {der: number for number, der in reversed(list(enumerate(chain, 1)))}
        self.notes: list[str] = [*_remarks(self._sent), *_options(outcome)]
        self.more: dict[str, Any] = {}

    @property
    def ok(self) -> bool:
        """The chain is good."""
        return not isinstance(self.outcome, CertificateError)

    def show(self, as_json: bool) -> None:
        """Print it on standard output."""
        if as_json:
            print(json.dumps(self.data(), indent=2))
            return
        for line in self.lines():
            print(_printable(line))

    # --- for programs --------------------------------------------------------------------------

    def data(self) -> dict[str, Any]:
        """Everything, with certificates as their numbers in the order they were sent, from 1."""
        found: dict[str, Any] = {"ok": self.ok, "host": self._host, "at": self._at}
        if isinstance(self.outcome, VerifiedPath):
            found |= {
                "path": self._numbers(self.outcome.certificates),
                "anchor": _anchor(self.outcome.anchor),
                "constraints": [
                    {"kind": each.kind, "origin": each.origin, "detail": each.detail}
                    for each in self.outcome.constraints
                ],
            }
        elif self.outcome is not None:
            found |= self._refusal(self.outcome)
        found["certificates"] = [_described(number, each) for number, each in enumerate(self._sent, 1)]
        return {**found, "notes": self.notes, **self.more}

    def _refusal(self, error: CertificateError) -> dict[str, Any]:
        best = error.context.get("attempt")
        missing = None if best is None else best.missing_issuer
        return {
            "reason": error.reason.value,
            "alert": None if error.alert is None else error.alert.name.lower(),
            "message": str(error),
            "explanation": explain(error),
            "depth": error.context.get("depth"),
            "missing": missing
            and {
                "subject": missing.subject_text,
                "key_identifier": missing.key_identifier and missing.key_identifier.hex(),
                "urls": list(missing.urls),
            },
            "attempts": [
                {
                    "path": self._numbers(attempt.certificates),
                    "anchor": _anchor(attempt.anchor),
                    "reason": attempt.reason.value,
                    "depth": attempt.depth,
                    "culprit": attempt.culprit,
                    "detail": attempt.detail,
                    "most_telling": attempt is best,
                }
                for attempt in error.context.get("attempts", ())
            ],
        }

    def _numbers(self, certificates: Sequence[Certificate]) -> list[int | None]:
        return [self._number.get(each.der) for each in certificates]

    # --- for people ----------------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        """The verdict, the tree, and what to do."""
        who = self._host or "any name (no name was checked)"
        if isinstance(self.outcome, VerifiedPath):
            yield f"good for {who} at {self._at}"
            yield ""
            yield from self._tree([(self.outcome.certificates, self.outcome.anchor, "✓ the path ends here")])
            met = self.outcome.constraints
            if met:
                yield ""
                yield "what it had to meet"
                for each in met:
                    yield from _filled(f"{each.kind.replace('_', ' ')}: {each.detail} ({each.origin})", "  ")
        elif self.outcome is None:
            yield f"good for {who} at {self._at}: its raw public key is the one that was given"
        else:
            yield f"refused for {who} at {self._at}: {self.outcome.reason.value}"
            yield ""
            yield from self._tree(_ends(self.outcome)) if self.outcome.context.get("attempts") else self._listed()
            yield ""
            yield from _filled(_explained(self.outcome), "")
        if self.notes:
            yield ""
            for note in self.notes:
                yield from _filled(note, "note: ", "      ")

    def _tree(self, ends: Sequence[End]) -> Iterator[str]:
        root: dict[str, Any] = {}
        for certificates, anchor, end in ends:
            branch = root
            for certificate in certificates:
                branch = branch.setdefault(self._line(certificate), {})
            if anchor is not None:
                branch = branch.setdefault(f"{anchor}, {_of_store(anchor)}", {})
            branch[end] = {}
        for line, branches in root.items():
            yield line
            yield from _branches(branches, "")

    def _line(self, certificate: Certificate) -> str:
        number = self._number.get(certificate.der)
        facts = [] if number is None else [f"number {number} sent"]
        facts.append(f"{_time(certificate.not_before)[:10]} to {_time(certificate.not_after)[:10]}")
        facts += [_key(certificate), f"signed with {certificate.signature_algorithm}"]
        return f"{certificate}, {', '.join(facts)}"

    def _listed(self) -> Iterator[str]:
        for number, each in enumerate(self._sent, 1):
            yield f"number {number}: {each}" if isinstance(each, str) else self._line(each)


def say_failure(command: str, error: LightTLSError, as_json: bool) -> int:
    """Say why there is no verdict, and return the exit status, which is not that of a refusal."""
    if as_json:
        found = {"ok": False, "error": type(error).__name__, "message": str(error), "explanation": explain(error)}
        print(json.dumps(found, indent=2))
    else:
        print(f"lighttls {command}: {type(error).__name__}: {explain(error)}", file=sys.stderr)
    return 2


def _ends(error: CertificateError) -> list[End]:
    attempts: Sequence[Attempt] = error.context["attempts"]
    best = error.context["attempt"]
    shown = [best, *(each for each in attempts if each is not best)][:_ENDS_DRAWN]
    ends: list[End] = [(each.certificates, each.anchor, _end(each, each is best)) for each in attempts if each in shown]
    if len(attempts) > len(shown):
        ends.append((best.certificates[:1], None, f"… and {len(attempts) - len(shown)} more paths"))
    return ends


def _explained(error: CertificateError) -> str:
    """As `explain`, but for the paths that were tried besides, which the tree shows."""
    best: Attempt | None = error.context.get("attempt")
    return explain(
        error if best is None else CertificateError(f"{best.culprit}: {best.detail}", error.reason, hint=error.advice())
    )


def _end(attempt: Attempt, best: bool) -> str:
    mark = "✗ " if best else "  "
    at_end = attempt.depth == len(attempt.certificates) - (attempt.anchor is None)
    return f"{mark}{attempt.reason.value}: {'' if at_end else f'{attempt.culprit}: '}{attempt.detail}"


def _branches(branches: dict[str, Any], indent: str) -> Iterator[str]:
    left = len(branches)
    for line, further in branches.items():
        left -= 1
        head, below = ("├─ ", "│  ") if left else ("└─ ", "   ")
        for number, part in enumerate(
            wrap(line, _WIDTH - len(indent), subsequent_indent="  ", break_on_hyphens=False) or [""]
        ):
            yield f"{indent}{below if number else head}{part}"
        yield from _branches(further, indent + below)


def _filled(text: str, indent: str, later: str | None = None) -> list[str]:
    width = min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns)
    subsequent = indent if later is None else later
    return wrap(text, max(width, 40), initial_indent=indent, subsequent_indent=subsequent, break_on_hyphens=False)


def _printable(line: str) -> str:
    """The line with signs that the terminal can show."""
    try:
        line.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        for sign, plain in _MARKS.items():
            line = line.replace(sign, plain)
        line = line.encode(sys.stdout.encoding or "ascii", "backslashreplace").decode(sys.stdout.encoding or "ascii")
    return line


def _time(seconds: float) -> str:
    try:
        return f"{datetime(1970, 1, 1) + timedelta(seconds=seconds // 1):%Y-%m-%dT%H:%M:%SZ}"
    except OverflowError:
        return f"{seconds:.0f} seconds since 1970"


def _remarks(sent: Sequence[Certificate | str]) -> Iterator[str]:
    """What lighttls does not mind and others do, or what costs bytes."""
    readable = [each for each in sent if isinstance(each, Certificate)]
    if len({each.der for each in readable}) < len(readable):
        yield "a certificate is sent more than once"
    subjects = {each.subject for each in readable}
    if any(below.issuer in subjects - {above.subject} for below, above in pairwise(readable)):
        yield "the certificates are not in the order that TLS asks for, each followed by its issuer; some clients mind"
    for each in readable[1:]:
        if each.subject == each.issuer:
            yield f"the root '{each}' is sent as well ({len(each.der)} bytes), and no client needs it"


def _options(outcome: VerifiedPath | CertificateError | None) -> Iterator[str]:
    """What the explanation would have in a program, as an option of this command."""
    attempt: Attempt | None = outcome.context.get("attempt") if isinstance(outcome, CertificateError) else None
    if attempt is not None and attempt.anchor is not None and attempt.reason in _ALLOWING:
        option = _ALLOWING[attempt.reason]
        yield f"{option} '{attempt.anchor}' shows what follows if that is allowed"


_ALLOWING: Final = {
    ChainReason.WEAK_SIGNATURE: "--allow-sha1-below",
    ChainReason.WEAK_KEY: "--allow-rsa1024-below",
}


def _parsed(der: bytes) -> Certificate | str:
    try:
        return Certificate.parse(bytes(der))
    except CertificateError as error:
        return f"unreadable: {error}"


def _key(certificate: Certificate) -> str:
    try:
        key = certificate.public_key
    except CertificateError:
        return "an unreadable key"
    return f"{'P-' if key.kind == 'ec' else 'RSA '}{key.bits}" if key.bits else f"a key of kind {key.kind}"


def _of_store(anchor: Anchor) -> str:
    try:
        certificate = anchor.certificate
    except CertificateError:
        return "an unreadable certificate in the trust store"
    if certificate is None:
        return "a name and a key in the trust store"
    return f"in the trust store, until {_time(certificate.not_after)[:10]}"


def _anchor(anchor: Anchor | None) -> dict[str, Any] | None:
    if anchor is None:
        return None
    return {"subject": str(anchor), "sha256": sha256(anchor.der).hexdigest() if anchor.der else None}


def _described(number: int, each: Certificate | str) -> dict[str, Any]:
    if isinstance(each, str):
        return {"number": number, "error": each}
    return {
        "number": number,
        "subject": str(each),
        "issuer": each.issuer_text,
        "serial": f"{each.serial_number:x}",
        "not_before": _time(each.not_before),
        "not_after": _time(each.not_after),
        "key": _key(each),
        "signature_algorithm": each.signature_algorithm,
        "sha256": sha256(each.der).hexdigest(),
    }
