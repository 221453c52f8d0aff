"""Connect with a private key that cannot be read: a secure element that signs digests.

The chip is an ATECC608A on an I2C bus, with its key in slot 0. To try the program without one, a key
in a PEM file plays the chip; so would any function that sends 32 bytes to a driver of yours and
returns the 64 bytes of a signature.

    python sign_in_secure_element.py HOST[:PORT] --roots roots.pem --cert device.pem --i2c /dev/i2c-1
    python sign_in_secure_element.py HOST[:PORT] --roots roots.pem --cert device.pem --chip pretended-chip.pem
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import lighttls
from lighttls.devices.atecc608a import Atecc608a, ChipSigner


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Connect with a private key in a secure element.")
    parser.add_argument("server", metavar="HOST[:PORT]", type=address, help="port 443 unless told")
    parser.add_argument("--roots", required=True, help="PEM file of the roots to trust")
    parser.add_argument("--cert", required=True, help="PEM file of the device's certificate chain")
    chip = parser.add_mutually_exclusive_group(required=True)
    chip.add_argument("--i2c", metavar="BUS", help="the bus that the chip is on, such as /dev/i2c-1")
    chip.add_argument("--chip", help="PEM file of the key inside the pretended chip")
    parser.add_argument("--address", type=lambda text: int(text, 0), default=0x60, help="the chip's, 0x60 unless told")
    options = parser.parse_args(argv)

    try:
        signer = (
            ChipSigner(Atecc608a.open(options.i2c, options.address))
            if options.i2c
            else lighttls.raw_ecdsa(pretended_chip(Path(options.chip).read_bytes()))
        )
        config = lighttls.ClientConfig(
            trust=lighttls.TrustStore.from_file(options.roots),
            identity=lighttls.Identity.from_file(options.cert, signer=signer),
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
