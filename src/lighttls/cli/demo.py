"""`lighttls demo`: a device whose key can only sign publishes over mutual TLS 1.2, and three others fail."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from ssl import OPENSSL_VERSION
from tempfile import TemporaryDirectory
from textwrap import fill
from typing import Any, Final

from lighttls.cli.publishing import common_name, publish, run_report
from lighttls.config import ClientConfig
from lighttls.errors import LightTLSError, explain
from lighttls.iana import CipherSuite
from lighttls.identity import Identity
from lighttls.info import ConnectionInfo
from lighttls.keys import raw_ecdsa
from lighttls.testing import AwsIotServer, Pki, PrivateKey, ec_key, issue, rsa_key
from lighttls.transports import connect
from lighttls.x509 import TrustStore

_TIMEOUT: Final = 20.0  # seconds; everything happens on this machine

_SUITES: Final = {
    "ECDSA": (
        CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    "RSA": (
        CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        CipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
}
"""The suites decide which of its two chains the server sends."""

_REFUSALS: Final = {
    "wrong host name": ("CertificateError", "bad_certificate"),
    "unknown root": ("CertificateError", "unknown_ca"),
    "key of another certificate": ("SignerError", "internal_error"),
}
"""What each case must end in: the error's class, and the alert the server hears."""


class SecureElement:
    """Stands for a chip: there is no way to its key, it only signs 32-byte digests."""

    def __init__(self, key: PrivateKey) -> None:
        self._sign_digest = key.sign_digest
        self.signatures_made = 0

    def sign(self, digest: bytes) -> bytes:
        self.signatures_made += 1
        return self._sign_digest(digest)


class _Device:
    """Connects as one device does."""

    def __init__(self, port: int, folder: Path) -> None:
        self._port = port
        self._folder = folder

    def publish(
        self,
        element: SecureElement,
        *,
        chain: str = "ECDSA",
        root: str = "root.pem",
        server_hostname: str = "localhost",
    ) -> tuple[ClientConfig, ConnectionInfo, bytes]:
        """Publish once; what the server answered comes last."""
        config = ClientConfig(
            trust=TrustStore.from_file(self._folder / root),
            identity=Identity.from_file(self._folder / "device.pem", signer=raw_ecdsa(element.sign)),
            cipher_suites=_SUITES[chain],
        )
        with connect(
            ("127.0.0.1", self._port), config, server_hostname=server_hostname, timeout=_TIMEOUT, deadline=_TIMEOUT
        ) as tls:
            answer = publish(tls)
            return config, tls.info, answer


def run(options: Namespace) -> int:
    """Tell the story, or print it as JSON; 0 only if everything went as it must."""
    say: Callable[[str], None] = (lambda line: None) if options.json else print
    report: dict[str, Any] = {"ok": False, "provider": None, "runs": [], "refusals": []}
    status = 1
    try:
        _tell(report, say)
        report["ok"] = _as_expected(report)
        status = 0 if report["ok"] else 1
    except LightTLSError as error:
        print(f"lighttls demo: {type(error).__name__}: {explain(error)}", file=sys.stderr)
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print("\nok" if report["ok"] else "\nfailed")
    return status


def _tell(report: dict[str, Any], say: Callable[[str], None]) -> None:
    pki = Pki()
    say("A root like VeriSign's of 2006, signed with SHA-1 by itself; an intermediate; two server certificates.")
    say("A device certificate, and its key in an element that offers nothing but sign(digest).")
    with _prepared(pki) as folder, _server(pki) as server:
        say(f"A server on port {server.port} ({OPENSSL_VERSION}, TLS 1.2) that demands the device's certificate.")
        device = _Device(server.port, folder)
        for kind in _SUITES:
            say(f"\nPublish, server with an {kind} certificate")
            report["runs"].append(_published(device, kind, SecureElement(pki.ec_device.key), report))
            for line in _run_lines(report["runs"][-1]):
                say(f"  {line}")
        say("\nThree connections that must fail")
        attempts: dict[str, Callable[[], object]] = {
            "wrong host name": lambda: device.publish(
                SecureElement(pki.ec_device.key), server_hostname="other.example"
            ),
            "unknown root": lambda: device.publish(SecureElement(pki.ec_device.key), root="other-root.pem"),
            "key of another certificate": lambda: device.publish(SecureElement(ec_key())),
        }
        for case, attempt in attempts.items():
            refusal = _refused(case, attempt)
            report["refusals"].append(refusal)
            say(f"  {case}: {refusal['error']}, alert {refusal['alert']}")
            say(fill(refusal["explanation"], 110, initial_indent="    ", subsequent_indent="    "))


@contextmanager
def _prepared(pki: Pki) -> Iterator[Path]:
    """A temporary folder with what a device has on its disk: certificates, but no key."""
    other_root = issue("Another Test Root", rsa_key(), ca=True)
    with TemporaryDirectory(prefix="lighttls-demo-") as name:
        folder = Path(name)
        folder.joinpath("root.pem").write_bytes(pki.root.to_pem())
        folder.joinpath("other-root.pem").write_bytes(other_root.to_pem())
        folder.joinpath("device.pem").write_bytes(pki.device_chain(pki.ec_device))
        yield folder


def _server(pki: Pki) -> AwsIotServer:
    leaves = (pki.ecdsa_server, pki.rsa_server)
    return AwsIotServer([(pki.server_chain(leaf), leaf.key.to_pem()) for leaf in leaves], pki.device_ca.to_pem())


def _published(device: _Device, kind: str, element: SecureElement, report: dict[str, Any]) -> dict[str, Any]:
    config, info, answer = device.publish(element, chain=kind)
    report["provider"] = config.provider.name
    return run_report(info, answer, element.signatures_made)


def _run_lines(run: dict[str, Any]) -> Iterator[str]:
    anchor = run["trust_anchor"]
    yield f"agreed   {run['tls_version']}, {run['cipher_suite']}, {run['group']}"
    yield "server   " + " <- ".join(common_name(certificate["subject"]) for certificate in run["server_chain"])
    yield f"root     {common_name(anchor['subject'])}"
    yield f"         its own signature is {anchor['signature_algorithm']}: no matter, a root is a name and a key"
    sent = "certificate sent" if run["client_certificate_sent"] else "no certificate sent"
    yield f"device   {sent}, signatures made by its element: {run['signatures_made']}"
    traffic = f"{run['bytes_sent']} bytes sent, {run['bytes_received']} received"
    yield f"cost     {run['flights']} flights in {run['handshake_ms']} ms; {traffic}"
    yield f"answer   {run['http_status']} {run['response']}"


def _refused(case: str, attempt: Callable[[], object]) -> dict[str, Any]:
    try:
        attempt()
    except LightTLSError as error:
        return {
            "case": case,
            "error": type(error).__name__,
            "alert": None if error.alert is None else error.alert.name.lower(),
            "explanation": explain(error),
        }
    return {"case": case, "error": None, "alert": None, "explanation": "It was not refused. That is a fault."}


def _as_expected(report: dict[str, Any]) -> bool:
    runs, refusals = report["runs"], report["refusals"]
    return (
        all(
            run["http_status"] == 200
            and run["client_certificate_sent"]
            and run["signatures_made"] == 1
            and run["trust_anchor"]["signature_algorithm"] == "sha1WithRSAEncryption"
            for run in runs
        )
        and {refusal["case"]: (refusal["error"], refusal["alert"]) for refusal in refusals} == _REFUSALS
    )
