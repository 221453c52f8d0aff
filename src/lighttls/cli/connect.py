"""`lighttls connect HOST[:PORT]`: bytes in, bytes out, and a summary of what was agreed."""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Final

from lighttls.config import ClientConfig
from lighttls.errors import ConfigurationError, LightTLSError, TransportError, explain
from lighttls.identity import Identity
from lighttls.info import ConnectionInfo
from lighttls.transports import TLSSocket, connect
from lighttls.x509 import TrustStore

_PATIENCE: Final = 30.0  # seconds the handshake may stand still, or a send may find no room
_CHUNK: Final = 65536


def run(options: Namespace) -> int:
    """Connect and carry bytes until the server closes; 0 if it did so cleanly."""
    try:
        host, port = address(options.server)
        with ExitStack() as at_end:
            config = _config(options, at_end)
            return _converse(host, port, config, options.servername)
    except LightTLSError as error:
        _show_trace(error.context.get("trace"))
        _say(f"lighttls connect: {type(error).__name__}: {explain(error)}")
        return 1
    except KeyboardInterrupt:
        return 130


def address(text: str) -> tuple[str, int]:
    """HOST or HOST:PORT, taken apart. Raises ConfigurationError."""
    if "://" in text:
        raise ConfigurationError(f"{text!r} is a URL; give HOST or HOST:PORT, not a URL")
    if text.startswith("["):  # an IPv6 address in brackets
        host, _, port = (text[1:-1], "", "443") if text.endswith("]") else text[1:].partition("]:")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, "443"
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigurationError(
            f"{text!r} is not HOST or HOST:PORT", hint="For example example.com:8883 or [::1]:443."
        )
    return host, int(port)


def _config(options: Namespace, at_end: ExitStack) -> ClientConfig:
    key_log = None
    if options.keylog:
        try:
            descriptor = os.open(options.keylog, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as cause:
            raise ConfigurationError(f"the key log {options.keylog} cannot be written: {cause.strerror}") from cause
        at_end.callback(os.close, descriptor)

        def key_log(line: str) -> None:
            os.write(descriptor, f"{line}\n".encode("ascii"))

    if options.key and not options.cert:
        raise ConfigurationError("--key needs --cert", hint="A private key is of use only with its certificate.")
    identity = Identity.from_file(options.cert, key=options.key) if options.cert else None
    if identity is not None and identity.signer is None:
        raise ConfigurationError(f"the file {options.cert} holds no private key; give --key")
    return ClientConfig(
        trust=TrustStore.from_file(options.cafile) if options.cafile else TrustStore.system(),
        identity=identity,
        alpn_protocols=options.alpn.split(",") if options.alpn else (),
        key_log=key_log,
        profile=options.profile,
        trace=options.trace,
    )


def _converse(host: str, port: int, config: ClientConfig, server_hostname: str | None) -> int:
    with connect((host, port), config, server_hostname=server_hostname, timeout=_PATIENCE) as tls:
        _show_trace(tls.connection.trace)
        for line in _summary(host, port, tls.info):
            _say(line)
        try:
            _carry(tls)
        finally:
            _say(f"closed: {tls.info.bytes_sent} bytes sent, {tls.info.bytes_received} received")
    return 0


def _carry(tls: TLSSocket) -> None:
    """Carry bytes both ways until the server's close_notify."""
    with ExitStack() as at_end:
        typed = _standard_input(at_end)
        while True:
            watched: list[TLSSocket | socket.socket] = [tls, typed] if typed else [tls]
            ready = [tls] if tls.pending else select.select(watched, [], [])[0]
            if typed and typed in ready and not _send_typed(typed, tls):
                typed = None  # the server may still have much to say
            if tls in ready and not _print_received(tls):
                return


def _send_typed(typed: socket.socket, tls: TLSSocket) -> bool:
    """Send what was typed; False at the end of it."""
    data = typed.recv(_CHUNK)
    tls.settimeout(_PATIENCE)
    tls.sendall(data)
    return bool(data)


def _print_received(tls: TLSSocket) -> bool:
    """Print what is there, which may be nothing yet; False at the end of the stream."""
    tls.settimeout(0)
    try:
        data = tls.recv(_CHUNK)
    except TransportError as error:
        if error.timed_out:  # part of a record, or one without data
            return True
        raise
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return bool(data)


def _standard_input(at_end: ExitStack) -> socket.socket | None:
    """Standard input, be it pipe, file or terminal, as a socket: that can be waited for beside another."""
    if sys.stdin is None or sys.stdin.closed:
        return None
    here, there = socket.socketpair()
    at_end.enter_context(here)
    threading.Thread(target=_copy, args=(sys.stdin.fileno(), there), daemon=True).start()
    return here


def _copy(descriptor: int, target: socket.socket) -> None:
    with target, suppress(OSError):  # standard input cannot be read, or the connection is over
        while data := os.read(descriptor, _CHUNK):
            target.sendall(data)


def _summary(host: str, port: int, info: ConnectionInfo) -> Iterator[str]:
    yield f"connected to {host} port {port}"
    keys = "session resumed" if info.group is None else info.group.name.lower()
    yield f"  agreed    TLS 1.2, {info.cipher_suite.name}, {keys}" + (
        f", ALPN {info.alpn_protocol}" if info.alpn_protocol else ""
    )
    if info.verified_path:
        yield "  server    " + " <- ".join(map(str, info.verified_path.certificates))
        yield f"  root      {info.trust_anchor}"
    yield f"  client    {_client_side(info)}"
    if not info.extended_master_secret:
        yield "  note      the server does not know the extended master secret (RFC 7627)"
    yield (
        f"  cost      {info.flights} flights, {info.flight_times[-1] * 1000:.1f} ms, "
        f"{info.bytes_sent} bytes sent, {info.bytes_received} received"
    )


def _client_side(info: ConnectionInfo) -> str:
    if info.requested_certificate_types is None:
        return "the server asked for no certificate"
    if info.client_signature_scheme is None:
        return "the server asked for a certificate, none was sent"
    return f"certificate sent, signed with {info.client_signature_scheme.name.lower()}"


def _show_trace(trace: object) -> None:
    if isinstance(trace, list):
        for entry in trace:
            _say(f"{(entry.time - trace[0].time) * 1000:6.1f} ms {entry}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
