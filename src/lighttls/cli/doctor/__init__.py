"""`lighttls doctor HOST[:PORT]`: which layer between here and the server is the first that fails, and what to do?

Each layer is asked only when all below it have answered, so that what is named is the cause and not its shadow.
"""

from __future__ import annotations

import json
from argparse import Namespace
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from textwrap import fill
from time import monotonic
from typing import Final

from lighttls.cli import verdict_options
from lighttls.cli.connect import address
from lighttls.cli.doctor import host, modem
from lighttls.cli.doctor.chip import ask_certificate, ask_chip
from lighttls.cli.doctor.clock import ask_clock
from lighttls.cli.doctor.tls import ask_server
from lighttls.cli.doctor.walk import FAILED, Finding, Walk
from lighttls.cli.explain import Recorder
from lighttls.cli.report import say_failure
from lighttls.config import ClientConfig
from lighttls.errors import LightTLSError
from lighttls.transports import Transport
from lighttls.x509 import TrustStore, VerifyPolicy

_LIMIT: Final = 300.0  # seconds for all layers, besides those that the modem has to find a network
_WIDTH: Final = 100


@dataclass(frozen=True)
class Question:
    """What the command line asks."""

    options: Namespace
    host: str
    port: int
    trust: TrustStore
    policy: VerifyPolicy
    recorder: Recorder

    @property
    def limit(self) -> float:
        return _LIMIT + (self.options.registration_limit if self.options.modem else 0)


def run(options: Namespace) -> int:
    """Walk the layers; 0 if all of them do their part."""
    try:
        question = _question(options)
    except LightTLSError as error:
        return say_failure("doctor", error, options.json)
    walk = Walk(_say_nothing if options.json else _say)
    try:
        walk.run(lambda: _visit(walk, question), question.limit)
    except KeyboardInterrupt:
        return 130
    _conclude(walk, question)
    return 1 if walk.failure else 0


def _question(options: Namespace) -> Question:
    """Raises ConfigurationError before anything is asked."""
    server, port = address(options.server)
    recorder = Recorder(verdict_options.own_verifier(options))
    verdict_options.moment(options.at, "--at")
    policy = verdict_options.verify_policy(options, verifier=recorder)
    return Question(options, server, port, verdict_options.trust_store(options), policy, recorder)


def _visit(walk: Walk, question: Question) -> None:
    with ExitStack() as at_end:
        _ask_all(walk, question, at_end)


def _ask_all(walk: Walk, question: Question, at_end: ExitStack) -> None:
    options, server, port = question.options, question.host, question.port
    network_time = None
    if options.modem:
        line = modem.Line(walk, options, at_end)
        link: Transport = line.connect(server, port, is_name=_is_name(server))
        at_end.callback(_close, link)
        network_time = line.network_time
    else:
        for layer in modem.LAYERS:
            walk.not_asked(layer, "no --modem")
        link = host.connect(walk, server, port, at_end, is_name=_is_name(server))
    signer = None
    if options.i2c:
        signer = ask_chip(walk, options, at_end)
    else:
        for layer in ("chip", "chip locks", "chip key"):
            walk.not_asked(layer, "no --i2c")
    identity = ask_certificate(walk, options, signer)
    at = ask_clock(walk, options, network_time)
    asked = monotonic()
    with walk.asking("TLS"):
        config = ClientConfig(
            trust=question.trust,
            verify=question.policy,
            identity=identity,
            request_ocsp=True,
            clock=lambda: at + monotonic() - asked,  # it must run: the handshake is timed by it
            trace=True,
        )
    ask_server(walk, link, config, question.recorder, options.servername or server)


def _close(link: Transport) -> None:
    with suppress(LightTLSError, OSError):  # what could fail has been said
        link.close()


def _is_name(server: str) -> bool:
    try:
        ip_address(server)
    except ValueError:
        return True
    return False


def _conclude(walk: Walk, question: Question) -> None:
    failure = walk.failure
    if question.options.json:
        print(json.dumps(_data(walk, question), indent=2))
    elif failure is None:
        print(f"\nEvery layer that was asked does its part, as far as {question.host} port {question.port}.")
    else:
        print(f"\nThe first layer that fails is: {failure.layer}.")
        print(fill(_explained(failure), _WIDTH))


def _explained(failure: Finding) -> str:
    said = f"{failure.detail.rstrip('.')}. {failure.remedy}"
    begins_with_a_word = said.partition(" ")[0].isalpha()  # not with a file's name
    return said[:1].upper() + said[1:] if begins_with_a_word else said


def _data(walk: Walk, question: Question) -> dict[str, object]:
    failure = walk.failure
    return {
        "ok": failure is None,
        "host": question.host,
        "port": question.port,
        "failed": failure and failure.layer,
        "detail": failure and failure.detail,
        "remedy": failure and failure.remedy,
        "layers": [{"layer": each.layer, "state": each.state, "detail": each.detail} for each in walk.findings],
    }


def _say(finding: Finding) -> None:
    mark = finding.state.upper() if finding.state == FAILED else finding.state
    print(f"{finding.layer:<18}  {mark:<9}  {finding.detail}".rstrip(), flush=True)


def _say_nothing(finding: Finding) -> None:
    """JSON comes at the end, whole."""
