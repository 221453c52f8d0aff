"""Let a signing service elsewhere hold the key: the handshake waits for its answer, and the event loop does not.

The service here is pretended: it runs in this program, on a port of its own, with a key from a PEM file. It reads a
SHA-256 digest as a line of hexadecimal digits and answers with the signature in DER, likewise. A real one has to be
reached over a protected link, and must know who is asking.

    python sign_remotely.py HOST[:PORT] --roots roots.pem --cert device.pem --key services-key.pem < request > answer
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lighttls import (
    ClientConfig,
    ClientConnection,
    DataReceived,
    HandshakeCompleted,
    Identity,
    LightTLSError,
    PeerClosed,
    SignatureRequest,
    SignatureRequested,
    TrustStore,
    explain,
)

LONGEST_SIGNATURE = 10  # seconds


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Send standard input over TLS and print the answer.")
    parser.add_argument("server", metavar="HOST[:PORT]", type=address, help="port 443 unless told")
    parser.add_argument("--roots", required=True, help="PEM file of the roots to trust")
    parser.add_argument("--cert", required=True, help="PEM file of the device's certificate chain")
    parser.add_argument("--key", required=True, help="PEM file of the key of the pretended signing service")
    options = parser.parse_args(argv)

    try:
        config = ClientConfig(
            trust=TrustStore.from_file(options.roots),
            identity=Identity.from_file(options.cert),  # no signer: signatures will be asked for by an event
        )
        key = load(options.key)
        answer = asyncio.run(publish(config, options.server, key, sys.stdin.buffer.read()))
    except (LightTLSError, OSError) as error:
        print(explain(error), file=sys.stderr)
        return 1
    sys.stdout.buffer.write(answer)
    return 0


async def publish(config: ClientConfig, server: tuple[str, int], key: Any, request: bytes) -> bytes:
    """Start the service, then talk to the server."""
    service = await asyncio.start_server(lambda *streams: serve(key, *streams), "127.0.0.1", 0)
    async with service:
        where = service.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*server)
        connection = ClientConnection(config, server[0])
        try:
            return await exchange(connection, reader, writer, request, where)
        finally:
            writer.write(connection.data_to_send())  # close_notify, or the alert after an error
            writer.close()


async def exchange(
    connection: ClientConnection,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    request: bytes,
    service: tuple[str, int],
) -> bytes:
    """Make the handshake, send `request`, and collect what comes until the server closes."""
    answer = b""
    events = connection.initiate_connection()
    while True:
        for event in events:
            match event:
                case SignatureRequested(request=wanted):
                    await sign(wanted, service)
                case HandshakeCompleted():
                    connection.send_data(request)
                case DataReceived(data=data):
                    answer += data
                case PeerClosed():
                    return answer
        writer.write(connection.data_to_send())
        await writer.drain()
        data = await reader.read(16384)
        events = connection.receive_data(data) if data else connection.receive_eof()


async def sign(wanted: SignatureRequest, service: tuple[str, int]) -> None:
    """Have the service sign. Other tasks run meanwhile; the server waits, for as long as it likes to."""
    try:
        async with asyncio.timeout(LONGEST_SIGNATURE):
            reader, writer = await asyncio.open_connection(*service)
            writer.write(wanted.digest.hex().encode() + b"\n")
            signature = bytes.fromhex((await reader.readline()).decode())
            writer.close()
    except (OSError, ValueError) as cause:  # TimeoutError is an OSError
        wanted.fail(cause)
    else:
        wanted.complete(signature)


def load(path: str) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(Path(path).read_bytes(), password=None)


async def serve(key: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The pretended service: one digest, one signature."""
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    digest = bytes.fromhex((await reader.readline()).decode())
    writer.write(key.sign(digest, ec.ECDSA(utils.Prehashed(SHA256()))).hex().encode() + b"\n")
    await writer.drain()
    writer.close()


def address(text: str) -> tuple[str, int]:
    """HOST or HOST:PORT, as argparse calls it."""
    host, _, port = text.partition(":")
    return host, int(port or 443)


if __name__ == "__main__":
    sys.exit(main())
