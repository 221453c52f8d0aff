"""`selfserv` of NSS."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import PrivateFormat, load_pem_private_key, pkcs12
from cryptography.x509 import load_pem_x509_certificates

from interop.cells import Cell
from interop.peers.base import Files, Lack, Peer, Setup, Word, debian_version, missing_program, output
from lighttls import PeerAlert, TLSSocket

SUITES = ":c02b:c02c:cca9:c02f:c030:cca8"  # some of them are off unless named
PASSWORD = "of the container only"


class NSS(Peer):
    name = "NSS"
    ready = None
    notes = ("selfserv has no option to listen on one address: while it runs, the network can reach it.",)

    def missing(self) -> str:
        return missing_program("selfserv", "certutil", "pk12util")

    def version(self) -> str:
        return debian_version("libnss3-tools")

    def setup(self, cell: Cell, files: Files) -> Setup:
        # -r -r: ask for a certificate and insist on one
        return (cell.server_key, *(("-r", "-r") if cell.device != "none" else ()))

    def command(self, setup: Setup, files: Files, port: int) -> list[Word]:
        kind, *strict = setup
        name = ("-n" if kind == "rsa" else "-e", "server")
        settings = ("-V", "tls1.2:tls1.2", "-c", SUITES, "-I", "x25519,P256,P384", "-u", "-G")
        return ["selfserv", "-d", f"sql:{_database(files, kind)}", "-p", str(port), *name, *settings, *strict]

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        found = {}
        if "CCM" in cell.suite.name:
            found["suite"] = Lack("NSS has no AES-CCM", PeerAlert)
        if cell.max_fragment_length:
            found["size"] = Lack("NSS has no max_fragment_length")
        return found

    def talk(self, tls: TLSSocket) -> None:
        """It answers one request with what it read of it, at most 10 KB, and closes."""
        request = b"GET / HTTP/1.0\r\nX: " + b"0123456789abcdef" * 500 + b"\r\n\r\n"
        tls.sendall(request)
        answer = bytearray()
        while part := tls.recv(65536):
            answer += part
        assert request in answer


def _database(files: Files, kind: str) -> Path:
    """Certificates and one key as NSS keeps them, without a password; of one subject it can keep only one name."""
    folder = files.folder / f"nss-{kind}"
    if not folder.exists():
        folder.mkdir()
        database = ("-d", f"sql:{folder}")
        output("certutil", "-N", *database, "--empty-password")
        output("certutil", "-A", *database, "-n", "clients", "-t", "TC,,", "-i", files.clients)
        output("pk12util", *database, "-i", _container(files, kind), "-W", PASSWORD, "-K", "")
    return folder


def _container(files: Files, kind: str) -> Path:
    """PKCS #12 in the old manner, the only one that every NSS reads."""
    leaf, *others = load_pem_x509_certificates(files.chain(kind).read_bytes())
    key = load_pem_private_key(files.key(kind).read_bytes(), None)
    manner = (
        PrivateFormat.PKCS12.encryption_builder()
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())
        .build(PASSWORD.encode())
    )
    path = files.folder / f"{kind}.p12"
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"server", key, leaf, others, manner))
    return path
