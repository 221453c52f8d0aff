"""The test server of `lighttls.testing` with the shared certificates, one process for a whole run."""

from __future__ import annotations

import atexit
from functools import cache

from lighttls.testing import AwsIotServer
from support import pki

PUBLISH = b"POST /topics/a/b?qos=1 HTTP/1.1\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"


@cache
def server() -> AwsIotServer:
    """Listens on 127.0.0.1 and demands a certificate of the shared PKI."""
    certificates = pki.shared()
    leaves = (certificates.ecdsa_server, certificates.rsa_server)
    chains = [(certificates.server_chain(leaf), leaf.key.to_pem()) for leaf in leaves]
    running = AwsIotServer(chains, certificates.device_ca.to_pem()).__enter__()
    atexit.register(running.__exit__, None, None, None)
    return running
