"""One set of certificates for all tests of a run, and configurations that use it."""

from __future__ import annotations

from functools import cache
from typing import Any

from lighttls import ClientConfig, Identity, TrustStore, raw_ecdsa
from lighttls.testing import Certificate, Pki


@cache
def shared() -> Pki:
    return Pki()


def config(device: Certificate | None = None, **settings: Any) -> ClientConfig:
    """A client that trusts the shared root, and is `device` if given (with its key in the same PEM)."""
    pki = shared()
    identity = Identity.from_pem(pki.device_chain(device) + device.key.to_pem()) if device else None
    return ClientConfig(**{"trust": TrustStore.from_pem(pki.root.to_pem()), "identity": identity} | settings)


def element_config(**settings: Any) -> ClientConfig:
    """A client whose key can only sign digests."""
    device = shared().ec_device
    signer = raw_ecdsa(device.key.sign_digest)
    return config(identity=Identity.from_pem(shared().device_chain(device), signer=signer), **settings)
