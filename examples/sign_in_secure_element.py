"""Connect with a private key that cannot be read: a secure element that signs digests.

`chip_sign` stands for your driver's call, which sends 32 bytes to the chip and returns the 64
bytes of its signature, as the Sign command of an ATECC608A does. Here a key in a PEM file plays
the chip, so that the program can be tried without one.

    python sign_in_secure_element.py HOST[:PORT] --roots roots.pem --cert device.pem --chip pretended-chip.pem
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import lighttls


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Connect with a private key in a secure element.")
    parser.add_argument("server", metavar="HOST[:PORT]", type=address, help="port 443 unless told")
    parser.add_argument("--roots", required=True, help="PEM file of the roots to trust")
    parser.add_argument("--cert", required=True, help="PEM file of the device's certificate chain")
    parser.add_argument("--chip", required=True, help="PEM file of the key inside the pretended chip")
    options = parser.parse_args(argv)

    try:
        chip_sign = pretended_chip(Path(options.chip).read_bytes())
        config = lighttls.ClientConfig(
            trust=lighttls.TrustStore.from_file(options.roots),
            identity=lighttls.Identity.from_file(options.cert, signer=lighttls.raw_ecdsa(chip_sign)),
        )
        with lighttls.connect(options.server, config, timeout=10, deadline=30) as tls:
            info = tls.info
    except (lighttls.LightTLSError, OSError) as error:
        print(lighttls.explain(error), file=sys.stderr)
        return 1
    print(f"connected: {info.cipher_suite.name}, {info.group.name}")
    print(f"certificate sent: {info.client_certificate_sent}; the server is trusted through {info.trust_anchor}")
    return 0


def address(text: str) -> tuple[str, int]:
    """HOST or HOST:PORT, as argparse calls it."""
    host, _, port = text.partition(":")
    return host, int(port or 443)


def pretended_chip(pem: bytes) -> Callable[[bytes], bytes]:
    """What a driver offers: a function from a SHA-256 digest to r and s, 32 bytes each."""
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)

    def sign(digest: bytes) -> bytes:
        r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(utils.Prehashed(SHA256()))))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


if __name__ == "__main__":
    sys.exit(main())
