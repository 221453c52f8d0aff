"""Every program in examples/ runs as its user would run it, against the loopback server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import lighttls
from support import loopback, pki, require

EXAMPLES = require.REPOSITORY / "examples"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(lighttls.__file__).parents[1])}

CASES = {
    "publish_over_socket.py": (["a/b", '{"uptime":42}', "--key", "device.key"], "HTTP/1.1 200 OK"),
    "sign_in_secure_element.py": (["--chip", "device.key"], "certificate sent: True"),
    "sans_io_loop.py": (["--key", "device.key"], '{"message":"OK"'),
    "sign_remotely.py": (["--key", "device.key"], '{"message":"OK"'),
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


def run(name: str, folder: Path, roots: str, server: str | None = None) -> subprocess.CompletedProcess[str]:
    target = server if server is not None else f"localhost:{loopback.server().port}"
    command = [sys.executable, str(EXAMPLES / name), target, *CASES[name][0], "--roots", roots, "--cert", "device.pem"]
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


@pytest.mark.parametrize("name", CASES)
def test_example_explains_a_missing_key(name: str, folder: Path) -> None:
    (folder / "device.key").unlink()
    done = run(name, folder, "roots.pem")
    assert done.returncode == 1
    assert "No such file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", CASES)
def test_example_explains_that_nobody_listens(name: str, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = run(name, folder, "roots.pem", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert "refused" in done.stderr.lower()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", CASES)
def test_example_takes_a_host_without_a_port_and_no_other_port_than_a_number(name: str, folder: Path) -> None:
    done = run(name, folder, "roots.pem", "nowhere.invalid")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert run(name, folder, "roots.pem", "localhost:https").returncode == 2


def test_sans_io_loop_tells_the_cause_when_the_link_breaks(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def reset() -> None:
            client, _ = listener.accept()
            client.recv(1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close by RST
            client.close()

        thread = threading.Thread(target=reset)
        thread.start()
        done = run("sans_io_loop.py", folder, "roots.pem", f"localhost:{listener.getsockname()[1]}")
        thread.join()
    assert done.returncode == 1
    assert done.stderr.startswith("ConnectionResetError")


def test_secure_element_that_is_not_there_is_named(folder: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "sign_in_secure_element.py"), "localhost:1", "--i2c", "/dev/i2c-none"]
    done = subprocess.run(
        [*command, "--roots", "roots.pem", "--cert", "device.pem"],
        capture_output=True,
        text=True,
        cwd=folder,
        env=ENVIRONMENT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "I2C bus /dev/i2c-none cannot be opened" in done.stderr
    assert "raspi-config" in done.stderr
