"""A handshake on the native engine leaves the package `cryptography` (73 ms, 18 MiB) unimported.

Only a private key of ours in software would load it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lighttls
from support import pki, require

SOURCE = str(Path(lighttls.__file__).parents[1])

PROGRAM = """
import ssl, sys
from pathlib import Path
from lighttls import ClientConfig, ClientConnection, TrustStore

folder = Path(sys.argv[1])
settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
settings.maximum_version = ssl.TLSVersion.TLSv1_2
settings.load_cert_chain(folder / "chain.pem")
if sys.argv[2] != "X25519":  # which is what OpenSSL chooses
    settings.set_ecdh_curve({"SECP256R1": "prime256v1", "SECP384R1": "secp384r1"}[sys.argv[2]])
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
server = settings.wrap_bio(incoming, outgoing, server_side=True)
trust = TrustStore.from_pem((folder / "root.pem").read_bytes())
client = ClientConnection(ClientConfig(trust=trust), "localhost")
client.initiate_connection()
for _ in range(3):
    incoming.write(client.data_to_send())
    try:
        server.do_handshake()
    except ssl.SSLWantReadError:
        pass
    client.receive_data(outgoing.read())
client.send_data(b"ping")
incoming.write(client.data_to_send())
assert server.read() == b"ping"
assert client.is_established
assert client.info.group.name == sys.argv[2]
print(*sorted(name for name in sys.modules if name.partition(".")[0] == "cryptography"))
"""


def modules_of_a_handshake(folder: Path, kind: str, group: str, engine: str) -> list[str]:
    """Those of `cryptography` that a program has imported once it has shaken hands."""
    require.native()
    certificates = pki.shared()
    leaf = certificates.ecdsa_server if kind == "ecdsa" else certificates.rsa_server
    (folder / "chain.pem").write_bytes(certificates.server_chain(leaf) + leaf.key.to_pem())
    (folder / "root.pem").write_bytes(certificates.root.to_pem())
    run = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", PROGRAM, str(folder), group],
        env={**os.environ, "LIGHTTLS_PROVIDER": engine, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


@pytest.mark.parametrize("group", ["X25519", "SECP256R1", "SECP384R1"])
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_handshake_on_the_native_engine_does_not_import_cryptography(tmp_path: Path, kind: str, group: str) -> None:
    assert modules_of_a_handshake(tmp_path, kind, group, "native") == []


def test_handshake_on_the_pure_engine_imports_cryptography(tmp_path: Path) -> None:
    """Which shows that the test above would see it."""
    assert "cryptography" in modules_of_a_handshake(tmp_path, "ecdsa", "X25519", "pure")
