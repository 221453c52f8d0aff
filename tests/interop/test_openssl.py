"""Against the system's `openssl s_server`: every suite, every group, every kind of client certificate, both engines.

The server says what it saw (`print_ssl_summary`), so both sides' views are compared. In `-rev`
mode it answers each line with the same line reversed: application data both ways.
"""

from __future__ import annotations

import struct
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import ocsp

from lighttls import (
    Alert,
    CertificateError,
    ChainReason,
    CipherSuite,
    Identity,
    NamedGroup,
    PeerAlert,
    SignaturePolicy,
    TLSSocket,
    TrustStore,
    connect,
    explain,
)
from lighttls.crypto.provider import CryptoProvider
from lighttls.testing import Pki, ec_key, issue
from support import pki, require

SUITES = {
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
    CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
    CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
    CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
    CipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
}
CCM_SUITES = {
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM: "ECDHE-ECDSA-AES128-CCM",
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CCM: "ECDHE-ECDSA-AES256-CCM",
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8: "ECDHE-ECDSA-AES128-CCM8",
    CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8: "ECDHE-ECDSA-AES256-CCM8",
}
"""OpenSSL has CCM_8 at security level 0 only."""
GROUPS = {NamedGroup.X25519: "X25519", NamedGroup.SECP256R1: "prime256v1", NamedGroup.SECP384R1: "secp384r1"}
DEVICES = {"none": None, "ec": "ec_device", "rsa": "rsa_device"}


class SServer:
    """One `openssl s_server` process on an ephemeral port, with an ECDSA and an RSA chain."""

    def __init__(self, folder: Path, *options: str, certificates: Pki | None = None) -> None:
        certificates = certificates or pki.shared()
        paths = {"ca": folder / "clients.pem", "chain": folder / "chain.pem", "log": folder / "log"}
        paths["ca"].write_bytes(certificates.device_ca.to_pem())
        paths["chain"].write_bytes(certificates.intermediate.to_pem())
        for name in ("rsa_server", "ecdsa_server"):
            leaf = getattr(certificates, name)
            paths[name] = folder / f"{name}.pem"
            paths[name].write_bytes(leaf.to_pem() + leaf.key.to_pem())
        self._command = [
            *(require.command("openssl"), "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-rev"),
            *("-cert", paths["rsa_server"], "-cert_chain", paths["chain"]),
            *("-dcert", paths["ecdsa_server"], "-dcert_chain", paths["chain"]),
            *("-CAfile", paths["ca"], "-groups", "X25519:P-256:P-384", *options),
        ]
        self._log = paths["log"]

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            self.port = int(self.wait_for("ACCEPT ").rpartition(":")[2])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait(20)

    def wait_for(self, text: str) -> str:
        """The last complete line of the server's output that contains `text`, as soon as there is one."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            lines = self._log.read_text(errors="replace").splitlines(keepends=True)
            found = [line for line in lines if text in line and line.endswith("\n")]
            if found:
                return found[-1].strip()
            assert self._process.poll() is None, lines
            time.sleep(0.01)
        raise AssertionError(f"openssl s_server did not print {text!r}: {lines}")

    def summary(self) -> dict[str, str]:
        """What the server says of its last connection."""
        _, _, last = self._log.read_text(errors="replace").rpartition("CONNECTION ESTABLISHED")
        return {name: value.strip() for name, _, value in (line.partition(":") for line in last.splitlines())}


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SServer]:
    """Asks for no certificate."""
    with SServer(tmp_path_factory.mktemp("open")) as server:
        yield server


@pytest.fixture(scope="module")
def ccm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SServer]:
    """Knows no suites but those with CCM."""
    ciphers = ":".join(CCM_SUITES.values()) + ":@SECLEVEL=0"
    with SServer(tmp_path_factory.mktemp("ccm"), "-cipher", ciphers) as server:
        yield server


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SServer]:
    """Insists on a certificate of the devices' authority."""
    with SServer(tmp_path_factory.mktemp("strict"), "-Verify", "2", "-verify_return_error") as server:
        yield server


TIMESTAMPS = bytes.fromhex("000d 0006") + b"\0first" + bytes.fromhex("0003") + b"\0nd"


@cache
def ocsp_response() -> bytes:
    """That the RSA certificate is good, by its issuer."""
    shared = pki.shared()
    leaf, issuer = (x509.load_der_x509_certificate(each.der) for each in (shared.rsa_server, shared.intermediate))
    now = datetime.now(UTC)
    builder = ocsp.OCSPResponseBuilder().responder_id(ocsp.OCSPResponderEncoding.HASH, issuer)
    builder = builder.add_response(
        cert=leaf,
        issuer=issuer,
        algorithm=hashes.SHA1(),
        cert_status=ocsp.OCSPCertStatus.GOOD,
        this_update=now - timedelta(hours=1),
        next_update=now + timedelta(days=1),
        revocation_time=None,
        revocation_reason=None,
    )
    key = load_pem_private_key(shared.intermediate.key.to_pem(), None)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.fixture(scope="module")
def stapling_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SServer]:
    """Has an OCSP response and certificate timestamps for who asks."""
    folder = tmp_path_factory.mktemp("stapling")
    (folder / "response.der").write_bytes(ocsp_response())
    extension = struct.pack(">HH", 18, len(TIMESTAMPS)) + TIMESTAMPS
    label = "SERVERINFO FOR TIMESTAMPS"
    (folder / "info.pem").write_text(
        f"-----BEGIN {label}-----\n{b64encode(extension).decode()}\n-----END {label}-----\n"
    )
    options = ("-status_file", folder / "response.der", "-serverinfo", folder / "info.pem")
    with SServer(folder, *map(str, options)) as server:
        yield server


def exchange_lines(tls: TLSSocket) -> None:
    """Short and long lines, which come back reversed."""
    for line in (b"x", bytes(range(0x20, 0x7F)) * 10, bytes(range(0x30, 0x3A)) * 1500):
        tls.sendall(line + b"\n")
        answer = b""
        while len(answer) <= len(line):
            part = tls.recv(65536)
            assert part
            answer += part
        assert answer == line[::-1] + b"\n"


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("group", GROUPS, ids=GROUPS.get)
@pytest.mark.parametrize("suite", SUITES, ids=SUITES.get)
def test_handshake_and_data_both_ways(
    suite: CipherSuite,
    group: NamedGroup,
    device: str,
    open_server: SServer,
    strict_server: SServer,
    provider: CryptoProvider,
) -> None:
    server = strict_server if device != "none" else open_server
    identity = getattr(pki.shared(), DEVICES[device]) if DEVICES[device] else None
    config = pki.config(identity, cipher_suites=[suite], groups=_with_p256(group), provider=provider)
    with connect(("127.0.0.1", server.port), config, server_hostname="localhost", timeout=20, deadline=60) as tls:
        exchange_lines(tls)
        info = tls.info

    assert (info.cipher_suite, info.group) == (suite, group)
    assert info.client_certificate_sent is (device != "none")
    assert info.extended_master_secret
    assert info.secure_renegotiation
    seen = server.summary()
    assert seen["Ciphersuite"] == SUITES[suite]
    assert seen["Protocol version"] == "TLSv1.2"
    assert seen.get("Peer certificate", "none").endswith(device)


@pytest.mark.parametrize("suite", CCM_SUITES, ids=CCM_SUITES.get)
def test_handshake_and_data_both_ways_with_ccm(
    suite: CipherSuite, ccm_server: SServer, provider: CryptoProvider
) -> None:
    config = pki.config(pki.shared().ec_device, cipher_suites=[suite], provider=provider)
    with connect(("127.0.0.1", ccm_server.port), config, server_hostname="localhost", timeout=20, deadline=60) as tls:
        exchange_lines(tls)
        assert tls.info.cipher_suite == suite
    assert ccm_server.summary()["Ciphersuite"] == CCM_SUITES[suite]


@pytest.mark.parametrize("asked", [True, False], ids=["asked", "not-asked"])
def test_stapled_response_and_timestamps_come_when_asked_for(
    asked: bool, stapling_server: SServer, provider: CryptoProvider
) -> None:
    """OCSP-04, SCT-01; the timestamps hang on the first certificate of s_server, which is for RSA."""
    suite = CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    config = pki.config(cipher_suites=[suite], request_ocsp=asked, request_scts=asked, provider=provider)
    address = ("127.0.0.1", stapling_server.port)
    with connect(address, config, server_hostname="localhost", timeout=20, deadline=60) as tls:
        exchange_lines(tls)
        info = tls.info
    assert (info.ocsp_response, info.sct_list) == ((ocsp_response(), TIMESTAMPS) if asked else (None, None))


@pytest.mark.parametrize("length", [512, 1024, 2048, 4096])
def test_both_sides_keep_to_the_fragment_length(length: int, open_server: SServer, provider: CryptoProvider) -> None:
    """SIZE-04, SIZE-06: OpenSSL answers a longer record with an alert."""
    config = pki.config(max_fragment_length=length, provider=provider)
    address = ("127.0.0.1", open_server.port)
    with connect(address, config, server_hostname="localhost", timeout=20, deadline=60) as tls:
        exchange_lines(tls)
        assert tls.info.max_fragment_length == length


def test_missing_client_certificate_is_refused_by_the_server_and_explained(strict_server: SServer) -> None:
    with pytest.raises(PeerAlert) as caught:
        connect(("127.0.0.1", strict_server.port), pki.config(), server_hostname="localhost", timeout=20)
    assert caught.value.description == Alert.HANDSHAKE_FAILURE
    assert "client certificate" in explain(caught.value)


def test_client_certificate_of_an_unknown_authority_is_refused_by_the_server(strict_server: SServer) -> None:
    stranger = issue("stranger", ec_key(), extended_key_usage=("client_auth",))
    config = pki.config(identity=Identity.from_pem(stranger.to_pem() + stranger.key.to_pem()))
    with pytest.raises(PeerAlert) as caught:
        connect(("127.0.0.1", strict_server.port), config, server_hostname="localhost", timeout=20)
    assert caught.value.description in (Alert.UNKNOWN_CA, Alert.BAD_CERTIFICATE)


def test_refusal_of_the_chain_reaches_the_server(open_server: SServer) -> None:
    with pytest.raises(CertificateError):
        connect(("127.0.0.1", open_server.port), pki.config(), server_hostname="other.example", timeout=20)
    open_server.wait_for("alert bad certificate")


def test_sha1_intermediate_passes_only_if_its_anchor_permits_it(tmp_path: Path) -> None:
    certificates = Pki(sha1_intermediate=True)
    root = certificates.root.to_pem()
    lenient = TrustStore.empty()
    lenient.add(root, allow=SignaturePolicy(sha1=True))
    with SServer(tmp_path, "-cipher", "DEFAULT:@SECLEVEL=0", certificates=certificates) as server:
        address = ("127.0.0.1", server.port)
        with pytest.raises(CertificateError) as caught:
            connect(address, pki.config(trust=TrustStore.from_pem(root)), server_hostname="localhost", timeout=20)
        assert caught.value.reason is ChainReason.WEAK_SIGNATURE
        with connect(address, pki.config(trust=lenient), server_hostname="localhost", timeout=20) as tls:
            assert tls.info.verified_path is not None
            assert tls.info.verified_path.certificates[1].signature_algorithm == "sha1WithRSAEncryption"


def _with_p256(group: NamedGroup) -> list[NamedGroup]:
    """The group wanted first; P-256 stays, for it is also the curve of the ECDSA certificates (RFC 8422 §5.1)."""
    return [group] if group == NamedGroup.SECP256R1 else [group, NamedGroup.SECP256R1]
