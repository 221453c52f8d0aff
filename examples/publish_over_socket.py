"""Publish a message to AWS IoT Core over HTTPS, with the device's key in a file.

python publish_over_socket.py ENDPOINT:8443 TOPIC MESSAGE --roots AmazonRootCA1.pem --cert device.pem --key device.key
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from urllib.parse import quote

import lighttls


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Publish a message to AWS IoT Core over HTTPS.")
    parser.add_argument("endpoint", metavar="HOST[:PORT]", type=address, help="port 8443 unless told")
    parser.add_argument("topic")
    parser.add_argument("message")
    parser.add_argument("--roots", required=True, help="PEM file of the roots to trust")
    parser.add_argument("--cert", required=True, help="PEM file of the device's certificate chain")
    parser.add_argument("--key", required=True, help="PEM file of its private key")
    options = parser.parse_args(argv)

    try:
        config = lighttls.ClientConfig(
            trust=lighttls.TrustStore.from_file(options.roots),
            identity=lighttls.Identity.from_file(options.cert, key=options.key),
        )
        with lighttls.connect(options.endpoint, config, timeout=10, deadline=30) as tls:
            status = publish(tls, options.endpoint[0], options.topic, options.message.encode())
    except (lighttls.LightTLSError, OSError) as error:
        print(lighttls.explain(error), file=sys.stderr)
        return 1
    print(status)
    return 0 if " 200 " in status else 1


def address(text: str) -> tuple[str, int]:
    """HOST or HOST:PORT, as argparse calls it."""
    host, _, port = text.partition(":")
    return host, int(port or 8443)


def publish(tls: lighttls.TLSSocket, host: str, topic: str, payload: bytes) -> str:
    """Send one request and return the status line of the answer."""
    head = (
        f"POST /topics/{quote(topic)}?qos=1 HTTP/1.1\r\n"
        f"Host: {host}\r\n"
        f"Content-Length: {len(payload)}\r\n"
        "Connection: close\r\n\r\n"
    )
    tls.sendall(head.encode() + payload)
    with tls.makefile("r", encoding="latin-1", newline="\r\n") as answer:
        status: str = answer.readline()
        answer.read()  # to the end: the server closes
    return status.strip()


if __name__ == "__main__":
    sys.exit(main())
