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
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
server = settings.wrap_bio(incoming, outgoing, server_side=True)
client = ClientConnection(ClientConfig(trust=TrustStore.from_pem((folder / "root.pem").read_bytes())), "localhost")
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
print(*sorted(name for name in sys.modules if name.partition(".")[0] == "cryptography"))
"""


@pytest.mark.parametrize(("kind", "engine"), [("ecdsa", "native"), ("rsa", "native"), ("ecdsa", "pure")])
def test_handshake_imports_cryptography_on_the_pure_engine_only(tmp_path: Path, kind: str, engine: str) -> None:
    require.native()
    certificates = pki.shared()
    leaf = certificates.ecdsa_server if kind == "ecdsa" else certificates.rsa_server
    (tmp_path / "chain.pem").write_bytes(certificates.server_chain(leaf) + leaf.key.to_pem())
    (tmp_path / "root.pem").write_bytes(certificates.root.to_pem())
    run = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", PROGRAM, str(tmp_path)],
        env={**os.environ, "LIGHTTLS_PROVIDER": engine, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert ("cryptography" in run.stdout.split()) == (engine == "pure")
