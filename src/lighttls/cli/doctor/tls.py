"""TLS, the server's chain and our own certificate, in one handshake that is closed at its end: no data is sent."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from lighttls.cli.doctor.modem import blaming
from lighttls.cli.doctor.walk import Stopped, Walk
from lighttls.cli.explain import Recorder
from lighttls.config import ClientConfig
from lighttls.errors import CertificateError, LightTLSError, PeerAlert, SignerError, TransportError, TruncatedStream
from lighttls.info import ConnectionInfo
from lighttls.transports import Stream, Transport
from lighttls.transports.at_modem import ModemError

_PATIENCE: Final = 60.0  # seconds that the handshake may take: a slow modem's line is slow


def ask_server(walk: Walk, link: Transport, config: ClientConfig, recorder: Recorder, name: str) -> None:
    """Make the handshake, and say of each of its layers what became of it."""
    with walk.asking("TLS"), blaming(walk, "the handshake was made"):
        try:
            tls = Stream(link, config, name, timeout=_PATIENCE, deadline=_PATIENCE)
        except LightTLSError as error:
            if isinstance(error, ModemError) and not _may_be_a_refusal(error):
                raise
            raise _refused(walk, error, recorder, alone=config.identity is None) from error
        info = tls.info
        with suppress(LightTLSError):  # the server may have gone by now
            tls.close()
    walk.passed("TLS", _agreed(info))
    walk.passed("chain", _judged(recorder, name))
    if info.requested_certificate_types is None:
        walk.not_asked("client certificate", "the server wants none")
    elif info.client_certificate_sent:
        walk.passed("client certificate", "the server took it")
    else:
        walk.passed("client certificate", "the server asked for one, and goes on without")


def _refused(walk: Walk, error: LightTLSError, recorder: Recorder, *, alone: bool) -> Stopped:
    """Note how far the handshake got, and why it went no further. `alone`: we had no certificate to show."""
    received = _received(error)
    if isinstance(error, CertificateError):
        walk.passed("TLS", "the server speaks TLS 1.2")
        return walk.fail("chain", str(error), error.advice())
    if recorder.path is not None and "CertificateRequest" in received and _is_about_us(error):
        walk.passed("TLS", "the server speaks TLS 1.2")
        walk.passed("chain", f"it leads to {recorder.path.anchor}")
        return walk.fail("client certificate", str(error), _NONE_GIVEN if alone else error.advice())
    return walk.fail("TLS", str(error), error.advice())


def _is_about_us(error: LightTLSError) -> bool:
    """Whether an error after the server has asked for a certificate may come of what it got; some just hang up."""
    return isinstance(error, SignerError | PeerAlert | TruncatedStream | TransportError)


def _may_be_a_refusal(error: ModemError) -> bool:
    """A server that refuses us may just hang up, which a modem tells as the loss of a TCP connection."""
    return error.layer == "TCP" and not error.timed_out


def _received(error: LightTLSError) -> set[str]:
    """The names of the server's messages."""
    trace: list[Any] = error.context.get("trace") or []
    return {entry.name for entry in trace if not entry.sent}


def _agreed(info: ConnectionInfo) -> str:
    group = "" if info.group is None else f", {info.group.name.lower()}"
    return f"TLS 1.2, {info.cipher_suite.name}{group}, in {info.flight_times[-1] * 1000:.0f} ms"


def _judged(recorder: Recorder, name: str) -> str:
    anchor = recorder.path.anchor if recorder.path else None
    return f"good for {name}" + (f", it leads to {anchor}" if anchor else "")


_NONE_GIVEN: Final = (
    "The server asked who we are, and no certificate was given. Give --cert with --key, or with --i2c where the key is "
    "in a chip."
)
