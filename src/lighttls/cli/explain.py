"""`lighttls explain HOST[:PORT]`: is this server's chain good, and if not, what is to be done?

The chain is judged inside a real handshake, so that everything that belongs to it is there: the stapled OCSP response,
and the extensions that the certificate promises. Nothing is ever sent over the connection.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from lighttls.cli import verdict_options
from lighttls.cli.connect import address
from lighttls.cli.report import Report, say_failure
from lighttls.config import ClientConfig
from lighttls.errors import CertificateError, LightTLSError, PeerAlert, TransportError, TruncatedStream, explain
from lighttls.transports import connect
from lighttls.x509 import ChainVerifier, TrustStore, VerificationRequest, VerifiedPath, verify_chain

_PATIENCE: Final = 30.0  # seconds that the handshake may take


class Recorder:
    """A verifier that keeps the chain, and judges as it would be judged without it."""

    def __init__(self, inner: ChainVerifier | None) -> None:
        self._inner = inner
        self.chain: Sequence[bytes] = ()
        self.path: VerifiedPath | None = None

    def verify(self, request: VerificationRequest) -> VerifiedPath:
        self.chain = request.chain
        self.path = request.verify() if self._inner is None else self._inner.verify(request)
        return self.path


def run(options: Namespace) -> int:
    """Print the verdict on the chain; 0 if it is good and the server proved that it is its own, 2 if there is none."""
    try:
        host, port = address(options.server)
        name = options.servername or host
        at = verdict_options.moment(options.at, "--at")
        recorder = Recorder(verdict_options.own_verifier(options))
        if options.raw_key:
            key = verdict_options.public_key_in(options.raw_key)
            # with no roots given, a key is all that is asked for
            trust = verdict_options.trust_store(options) if options.cafile else TrustStore.empty()
            policy = verdict_options.verify_policy(options, raw_keys={name: key})
        else:
            trust = verdict_options.trust_store(options)
            policy = verdict_options.verify_policy(options, verifier=recorder)
        config = ClientConfig(trust=trust, verify=policy, request_ocsp=True, clock=lambda: at, trace=True)
        handshake = _Handshake(host, port, name, config)
        chain = recorder.chain or handshake.chain
        outcome = _outcome(handshake, recorder, chain, name, at, config)
    except LightTLSError as error:
        return say_failure("explain", error, options.json)
    report = Report(chain, outcome, name, at)
    return _finish(report, handshake, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", options.json)


class _Handshake:
    """One handshake, what it showed, and the error that ended it, if any."""

    def __init__(self, host: str, port: int, name: str, config: ClientConfig) -> None:
        self.error: LightTLSError | None = None
        self.path: VerifiedPath | None = None
        try:
            tls = connect((host, port), config, server_hostname=name, timeout=_PATIENCE, deadline=_PATIENCE)
        except LightTLSError as error:
            self.error = error
            trace = error.context.get("trace") or []
        else:
            trace = tls.connection.trace or []
            self.path = tls.info.verified_path
            with suppress(LightTLSError):  # the server may have gone by now
                tls.close()
        received = {entry.name: entry.message for entry in trace if not entry.sent}
        self.chain: tuple[bytes, ...] = getattr(received.get("Certificate"), "certificate_list", ())
        self.key_shown = "RawPublicKey" in received
        self.stapled = "CertificateStatus" in received
        self.wants_certificate = "CertificateRequest" in received

    @property
    def proved(self) -> bool:
        """The server holds its certificate's key, and goes no further only because we have no certificate."""
        wanted = self.wants_certificate and isinstance(self.error, PeerAlert | TruncatedStream | TransportError)
        return self.error is None or wanted


def _outcome(
    handshake: _Handshake, recorder: Recorder, chain: Sequence[bytes], name: str, at: float, config: ClientConfig
) -> VerifiedPath | CertificateError | None:
    """The verdict; None if a raw key was shown and is the right one."""
    error = handshake.error
    if recorder.path is not None:
        return recorder.path
    if error is None:
        return handshake.path
    if isinstance(error, CertificateError) and (not chain or "question" in error.context):
        return error
    if not chain:
        raise error
    # the handshake ended before its chain was judged: the leaf does not fit what was agreed, or there are too many
    try:
        path = verify_chain(chain, config.trust, server_hostname=name, at=at, policy=config.verify)
    except CertificateError as refusal:
        return refusal
    return error if isinstance(error, CertificateError) else path


def _finish(report: Report, handshake: _Handshake, server: str, as_json: bool) -> int:
    error = handshake.error
    if error is not None and error is not report.outcome:
        report.notes.append(f"the handshake went no further: {explain(error)}")
    if handshake.wants_certificate:
        report.notes.append("the server asks for a client certificate, and none was sent")
    report.more["server"] = {
        "address": server,
        "ocsp_stapled": handshake.stapled,
        "raw_key": handshake.key_shown,
        "client_certificate_requested": handshake.wants_certificate,
    }
    report.show(as_json)
    return 0 if report.ok and handshake.proved else 1
