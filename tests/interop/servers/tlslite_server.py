"""An echo server on tlslite-ng; tests/interop/peers/base.py says what the arguments mean."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from tlslite.api import X509, HandshakeSettings, SessionCache, TLSConnection, X509CertChain, parsePEMKey
from tlslite.constants import CipherSuite
from tlslite.errors import TLSError
from tlslite.utils.pem import dePemList

TIMEOUT = 20  # seconds


class Refused(Exception):
    """What tlslite-ng leaves to the program to look at: the client's certificate."""


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("chain", "key", "clients", "group"):
        parser.add_argument(f"--{name}")
    arguments = parser.parse_args()
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    with open(arguments.key, encoding="ascii") as file:
        key = parsePEMKey(file.read(), private=True)
    handshake = {
        "certChain": chain(arguments.chain),
        "privateKey": key,
        "reqCert": arguments.clients is not None,
        "sessionCache": SessionCache(),
        "settings": settings(arguments.group),
    }
    authority = x509.load_der_x509_certificate(certificates(arguments.clients)[0]) if arguments.clients else None
    listener = socket.create_server(("127.0.0.1", 0))
    print("ready", listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        client.settimeout(TIMEOUT)
        with client:
            try:
                serve(TLSConnection(client), handshake, authority)
            except (TLSError, OSError, Refused) as error:
                print("failed", type(error).__name__, error, flush=True)


def serve(connection: TLSConnection, handshake: dict[str, object], authority: x509.Certificate | None) -> None:
    connection.handshakeServer(**handshake)
    suite = CipherSuite.ietfNames[connection.session.cipherSuite]
    resumed = "yes" if connection.resumed else "no"
    print(f"connected suite={suite} resumed={resumed} client={client_name(connection, authority)}", flush=True)
    while data := connection.read(65536):
        connection.sendall(data)
    connection.close()


def client_name(connection: TLSConnection, authority: x509.Certificate | None) -> str:
    """The common name of the client's certificate, which the authority must have signed."""
    if authority is None:
        return "-"
    chain = connection.session.clientCertChain
    if not chain:
        raise Refused("no certificate")
    leaf = x509.load_der_x509_certificate(bytes(chain.x509List[0].bytes))
    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, InvalidSignature) as error:  # another issuer's name; the same name, another key
        raise Refused("a stranger's certificate") from error
    return str(leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def settings(group: str) -> HandshakeSettings:
    chosen = HandshakeSettings()
    chosen.minVersion = chosen.maxVersion = (3, 3)
    chosen.cipherNames = [*chosen.cipherNames, "aes128ccm_8", "aes256ccm_8"]
    chosen.eccCurves = list(dict.fromkeys((group, "secp256r1")))
    chosen.keyShares = chosen.eccCurves  # of TLS 1.3, but its default would contradict the line above
    chosen.ticketKeys = [bytearray(os.urandom(32))]
    return chosen


def chain(path: str) -> X509CertChain:
    found = []
    for der in certificates(path):
        found.append(X509())
        found[-1].parseBinary(der)
    return X509CertChain(found)


def certificates(path: str) -> list[bytes]:
    """DER of each certificate in a PEM file."""
    with open(path, encoding="ascii") as file:
        return [bytes(der) for der in dePemList(file.read(), "CERTIFICATE")]


def end_with_standard_input() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
