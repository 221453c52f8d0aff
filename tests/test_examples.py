"""Every program in examples/ runs as its user would run it, against the loopback server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lighttls
from support import loopback, pki, require

EXAMPLES = require.REPOSITORY / "examples"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(lighttls.__file__).parents[1])}

CASES = {
    "publish_over_socket.py": (["a/b", '{"uptime":42}', "--key", "device.key"], "HTTP/1.1 200 OK"),
    "sign_in_secure_element.py": (["--chip", "device.key"], "the server trusts us: True"),
    "sans_io_loop.py": (["--key", "device.key"], '{"message":"OK"'),
}
"""Example -> arguments beside the common ones, and what it must print."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    certificates = pki.shared()
    (tmp_path / "roots.pem").write_bytes(certificates.root.to_pem())
    (tmp_path / "other-roots.pem").write_bytes(certificates.device_ca.to_pem())
    (tmp_path / "device.pem").write_bytes(certificates.device_chain(certificates.ec_device))
    (tmp_path / "device.key").write_bytes(certificates.ec_device.key.to_pem())
    return tmp_path


def run(name: str, folder: Path, roots: str) -> subprocess.CompletedProcess[str]:
    server = f"localhost:{loopback.server().port}"
    command = [sys.executable, str(EXAMPLES / name), server, *CASES[name][0], "--roots", roots, "--cert", "device.pem"]
    return subprocess.run(
        command,
        input=loopback.PUBLISH.decode(),
        capture_output=True,
        text=True,
        cwd=folder,
        env=ENVIRONMENT,
        timeout=60,
        check=False,
    )


def test_every_example_is_run() -> None:
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_example_works(name: str, folder: Path) -> None:
    done = run(name, folder, "roots.pem")
    assert done.returncode == 0, done.stderr
    assert CASES[name][1] in done.stdout


@pytest.mark.parametrize("name", CASES)
def test_example_explains_a_refusal(name: str, folder: Path) -> None:
    done = run(name, folder, "other-roots.pem")
    assert done.returncode == 1
    assert "trust store" in done.stderr
    assert "Traceback" not in done.stderr
