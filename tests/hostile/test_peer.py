"""The hostile server is a right server when it wants to be: OpenSSL, through `ssl`, finds no fault in it."""

from __future__ import annotations

import ssl

import pytest

from hostile import certificates, keys, wire
from hostile.link import drive
from hostile.server import Server
from hostile.steps import data

LEAVES = {"ec": "p256", "rsa": "rsa2048"}


class OpenSSLClient:
    """`ssl` over memory, with the calls of a sans-IO connection."""

    def __init__(self, identity: certificates.Credential | None, tmp_path) -> None:
        context = ssl.create_default_context(cadata=certificates.root())
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(":".join(suite.name for suite in keys.SUITES.values()))
        if identity is not None:
            path = tmp_path / "identity.pem"
            path.write_bytes(identity.pem + identity.key_pem)
            context.load_cert_chain(path)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=certificates.HOST)
        self.established, self.plaintext = False, b""

    def initiate_connection(self) -> list:
        return self.receive_data(b"")

    def receive_data(self, data: bytes) -> list:
        self.incoming.write(data)
        try:
            if not self.established:
                self.tls.do_handshake()
                self.established = True
            self.plaintext += self.tls.read()
        except ssl.SSLWantReadError:
            pass
        return []

    def data_to_send(self) -> bytes:
        return self.outgoing.read()


@pytest.mark.parametrize("identity", [None, "p256/device", "rsa2048/device"], ids=str)
@pytest.mark.parametrize("group", keys.GROUPS)
@pytest.mark.parametrize("suite", keys.SUITES.values(), ids=lambda suite: suite.name)
def test_openssl_client_completes_and_exchanges_data(suite, group, identity, tmp_path):
    credential = None if identity is None else certificates.device(identity)
    leaf = certificates.leaf(LEAVES[suite.key_type])
    peer = Server(leaf, suite=suite.code, group=group, request=identity is not None, tail=[data(b"hello")])
    client = OpenSSLClient(credential, tmp_path)
    link = drive(client, peer)
    client.tls.write(b"ping")
    link.run()
    assert link.error is None
    assert client.plaintext == b"helloping"
    assert peer.received == b"ping"
    assert client.tls.cipher()[0] == suite.name
    assert (peer.client_chain or [])[:1] == ([credential.chain[0]] if credential else [])


@pytest.mark.parametrize("leaf", ["p256", "p384", "p521", "rsa2048"])
@pytest.mark.parametrize("ems", [True, False], ids=["ems", "no-ems"])
def test_openssl_client_accepts_every_leaf_with_and_without_extended_master_secret(leaf, ems, tmp_path):
    client = OpenSSLClient(None, tmp_path)
    drive(client, Server(certificates.leaf(leaf), extended_master_secret=ems))
    assert client.established


@pytest.mark.parametrize("options", [{"coalesce": True}, {"fragment": 7}, {"coalesce": True, "fragment": 33}], ids=str)
def test_openssl_client_accepts_coalesced_and_cut_messages(options, tmp_path):
    client = OpenSSLClient(None, tmp_path)
    drive(client, Server(certificates.leaf(), **options), split=1)
    assert client.established


def test_openssl_client_refuses_a_wrong_finished_with_decrypt_error(tmp_path):
    peer = Server(certificates.leaf(), edit={"finished": lambda value: value[:-1] + bytes([value[-1] ^ 1])})
    link = drive(OpenSSLClient(None, tmp_path), peer)
    assert isinstance(link.error, ssl.SSLError)
    assert peer.alerts == [(wire.FATAL, wire.DECRYPT_ERROR)]
