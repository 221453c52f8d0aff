"""Drive a connection yourself: no face, no thread, only bytes in and bytes out.

The link here is a plain socket, but nothing below knows that: `link_send` and `link_receive`
could be a modem's commands or a queue. The signature is made outside too, when the connection
asks for it, so that it may come from another machine minutes later.

    python sans_io_loop.py HOST[:PORT] --roots roots.pem --cert device.pem --key device.key < request > answer
"""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from lighttls import (
    ClientConfig,
    ClientConnection,
    DataReceived,
    HandshakeCompleted,
    Identity,
    LightTLSError,
    PeerClosed,
    SignatureRequested,
    TrustStore,
    explain,
    software_key,
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Send standard input over TLS and print the answer.")
    parser.add_argument("server", metavar="HOST[:PORT]", type=address, help="port 443 unless told")
    parser.add_argument("--roots", required=True, help="PEM file of the roots to trust")
    parser.add_argument("--cert", required=True, help="PEM file of the device's certificate chain")
    parser.add_argument("--key", required=True, help="PEM file of its private key")
    options = parser.parse_args(argv)

    try:
        config = ClientConfig(
            trust=TrustStore.from_file(options.roots),
            identity=Identity.from_file(options.cert),  # no signer: signatures will be asked for by an event
        )
        remote_signer = software_key(Path(options.key).read_bytes())
        connection = ClientConnection(config, options.server[0])
        with socket.create_connection(options.server, timeout=10) as link:
            try:
                answer = exchange(
                    connection, sys.stdin.buffer.read(), link.sendall, lambda: link.recv(16384), remote_signer.sign
                )
            finally:
                with suppress(OSError):  # the link may be what failed
                    link.sendall(connection.data_to_send())  # close_notify, or the alert after an error
    except (LightTLSError, OSError) as error:
        print(explain(error), file=sys.stderr)
        return 1
    sys.stdout.buffer.write(answer)
    return 0


def address(text: str) -> tuple[str, int]:
    """HOST or HOST:PORT, as argparse calls it."""
    host, _, port = text.partition(":")
    return host, int(port or 443)


def exchange(
    connection: ClientConnection,
    request: bytes,
    link_send: Callable[[bytes], object],
    link_receive: Callable[[], bytes],
    sign: Callable[..., bytes],
) -> bytes:
    """Make the handshake, send `request` and return everything until the server closes."""
    answer = b""
    events = connection.initiate_connection()
    while True:
        for event in events:
            match event:
                case SignatureRequested(request=wanted):
                    wanted.complete(sign(wanted))
                case HandshakeCompleted(info=info):
                    print(f"connected: {info.cipher_suite.name}, {info.flights} flights", file=sys.stderr)
                    connection.send_data(request)
                case DataReceived(data=data):
                    answer += data
                case PeerClosed():
                    return answer
        if data_out := connection.data_to_send():
            link_send(data_out)
        received = link_receive()
        events = connection.receive_data(received) if received else connection.receive_eof()


if __name__ == "__main__":
    sys.exit(main())
