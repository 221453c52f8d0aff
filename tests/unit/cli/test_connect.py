"""`lighttls connect` as a process of its own, against the test server."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import lighttls
from lighttls import ConfigurationError, profiles
from lighttls.cli import PROFILES, connect, main
from lighttls.transports import SocketTransport
from support import loopback, pki, require
from support.openssl_peer import OpenSSLPeer, context

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(lighttls.__file__).parents[1])}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """root.pem, device.pem, device.key and both.pem."""
    certificates = pki.shared()
    device = certificates.ec_device
    (tmp_path / "root.pem").write_bytes(certificates.root.to_pem())
    (tmp_path / "device.pem").write_bytes(certificates.device_chain(device))
    (tmp_path / "device.key").write_bytes(device.key.to_pem())
    (tmp_path / "both.pem").write_bytes(device.to_pem() + device.key.to_pem())
    return tmp_path


def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command: Sequence[str | Path] = [sys.executable, "-m", "lighttls", "connect", *arguments]
    return subprocess.run(command, capture_output=True, env=ENVIRONMENT, timeout=60, check=False, **options)


def run_in_shell(shell: str, script: str, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run a script, in which "$@" is the command."""
    command = [require.command(shell), "-c", script, shell, sys.executable, "-m", "lighttls", "connect", *arguments]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT, timeout=60, check=False
    )


def here() -> str:
    return f"localhost:{loopback.server().port}"


def test_profile_is_used_and_its_cost_told(files: Path) -> None:
    costs = {}
    for profile in PROFILES:
        arguments = ("--cafile", files / "root.pem", "--cert", files / "both.pem", "--profile", profile)
        done = run(here(), *arguments, input=loopback.PUBLISH)
        assert done.returncode == 0
        costs[profile] = int(done.stderr.decode().partition(" bytes sent")[0].rpartition(" ")[2])
    assert costs["cellular"] < costs["default"]


def test_profiles_are_those_that_there_are() -> None:
    assert tuple(profiles.PROFILES) == PROFILES


def test_pipe_goes_to_the_server_and_its_answer_to_standard_output(files: Path) -> None:
    done = run(
        here(),
        *("--cafile", files / "root.pem", "--cert", files / "device.pem", "--key", files / "device.key"),
        input=loopback.PUBLISH,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(done.stdout.partition(b"\r\n\r\n")[2]) == 65
    summary = done.stderr.decode()
    for expected in ("TLS 1.2", "x25519", "VeriSign", "certificate sent", "4 flights", "received"):
        assert expected in summary


def test_file_as_standard_input(files: Path, tmp_path: Path) -> None:
    request = tmp_path / "request"
    request.write_bytes(loopback.PUBLISH)
    with request.open("rb") as file:
        done = run(here(), "--cafile", files / "root.pem", "--cert", files / "both.pem", stdin=file)
    assert (done.returncode, done.stdout[:15]) == (0, b"HTTP/1.1 200 OK")


@contextmanager
def serving(talk: Callable[[OpenSSLPeer], None], settings: ssl.SSLContext | None = None) -> Iterator[str]:
    """An OpenSSL server for one connection, as HOST:PORT."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with OpenSSLPeer(SocketTransport(client), talk, settings):
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"localhost:{listener.getsockname()[1]}"
        thread.join(20)
        assert not thread.is_alive()


def talks_unasked(peer: OpenSSLPeer) -> None:
    peer.send(b"unasked")
    peer.say_goodbye()


def test_closed_standard_input_only_listens(files: Path) -> None:
    with serving(talks_unasked) as server:
        done = run_in_shell("sh", 'exec "$@" <&-', server, "--cafile", files / "root.pem")
    assert (done.returncode, done.stdout) == (0, b"unasked"), done.stderr


def test_end_of_standard_input_does_not_end_the_connection(files: Path) -> None:
    def answers_late(peer: OpenSSLPeer) -> None:
        received = peer.recv()
        time.sleep(0.2)
        peer.send(b"you said " + received)
        peer.say_goodbye()

    with serving(answers_late) as server:
        done = run(server, "--cafile", files / "root.pem", input=b"hello")
    assert (done.returncode, done.stdout) == (0, b"you said hello"), done.stderr


def test_much_data_flows_both_ways_at_once(files: Path) -> None:
    def echo(peer: OpenSSLPeer) -> None:
        left = len(data)
        while left:
            part = peer.recv()
            left -= len(part)
            peer.send(part)
        peer.say_goodbye()

    data = bytes(range(256)) * 8000
    with serving(echo) as server:
        done = run(server, "--cafile", files / "root.pem", input=data)
    assert done.returncode == 0, done.stderr
    assert done.stdout == data


def test_reader_of_our_output_that_leaves_is_no_crash(files: Path) -> None:
    def floods(peer: OpenSSLPeer) -> None:
        for _ in range(1000):
            peer.send(bytes(16384))

    with serving(floods) as server:
        shell = '"$@" | head -c 10 >/dev/null; exit ${PIPESTATUS[0]}'
        done = run_in_shell("bash", shell, server, "--cafile", files / "root.pem")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_full_standard_output_is_said_in_one_line(files: Path) -> None:
    with serving(talks_unasked) as server:
        done = run_in_shell("sh", '"$@" >/dev/full', server, "--cafile", files / "root.pem")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"No space left" in done.stderr.splitlines()[-1]


def test_closed_standard_output_is_said_before_anybody_is_called(files: Path) -> None:
    done = run_in_shell("sh", '"$@" >&-', here(), "--cafile", files / "root.pem")
    assert (done.returncode, done.stderr) == (1, b"lighttls connect: standard output is closed\n")


def test_truncated_answer_is_printed_and_fails(files: Path) -> None:
    with serving(lambda peer: peer.send(b"half an ans")) as server:
        done = run(server, "--cafile", files / "root.pem", input=b"")
    assert (done.returncode, done.stdout) == (1, b"half an ans")
    assert b"TruncatedStream" in done.stderr


def test_alpn_servername_keylog_and_trace(files: Path, tmp_path: Path) -> None:
    settings = context(pki.shared().rsa_server)
    settings.set_alpn_protocols(["http/1.1"])
    log = tmp_path / "keys.log"
    with serving(talks_unasked, settings) as server:
        done = run(
            server.replace("localhost", "127.0.0.1"),
            *("--cafile", files / "root.pem", "--servername", "localhost", "--alpn", "x-amzn-mqtt-ca,http/1.1"),
            *("--keylog", log, "--trace"),
            input=b"",
        )
    assert done.returncode == 0, done.stderr
    shown = done.stderr.decode()
    assert "ALPN http/1.1" in shown
    for message in ("ClientHello", "ServerHello", "Certificate", "ServerKeyExchange", "Finished", "ChangeCipherSpec"):
        assert message in shown
    label, client_random, secret = log.read_text().split()
    assert (label, len(client_random), len(secret)) == ("CLIENT_RANDOM", 64, 96)
    assert secret not in shown
    if os.name == "posix":
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_failed_handshake_shows_its_trace_and_the_reason(files: Path) -> None:
    done = run(here(), "--cafile", files / "root.pem", "--servername", "other.example", "--trace", input=b"")
    shown = done.stderr.decode()
    assert done.returncode == 1
    assert shown.index("ServerHello") < shown.index("CertificateError: ")
    assert "other.example" in shown.splitlines()[-1]
    assert "subjectAltName" in shown.splitlines()[-1]


def test_missing_client_certificate_is_explained(files: Path) -> None:
    done = run(here(), "--cafile", files / "root.pem", input=loopback.PUBLISH)
    assert done.returncode == 1
    assert b"client certificate" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["localhost:0"], "HOST:PORT"),
        (["localhost:http"], "HOST:PORT"),
        ([":443"], "HOST:PORT"),
        (["https://localhost"], "HOST:PORT, not a URL"),
        (["https://localhost:8443/path"], "HOST:PORT, not a URL"),
        (["localhost", "--cafile", "root.pem", "--cert", "device.pem"], "device.pem holds no private key; give --key"),
        (["localhost", "--cafile", "root.pem", "--cert", "device.pem", "--key", "nope"], "The key file nope cannot"),
        (["localhost", "--cafile", "root.pem", "--cert", "nope"], "The certificate file nope cannot"),
        (["localhost", "--cafile", "root.pem", "--keylog", "."], "The key log . cannot"),
        (["localhost", "--key", "device.key"], "--cert"),
        (["localhost", "--cafile", "missing.pem"], "missing.pem"),
        (["localhost", "--cafile", "device.key"], "device.key"),
        (["localhost", "--cafile", "root.pem", "--cert", "missing.pem"], "missing.pem"),
        (["localhost", "--cafile", "root.pem", "--cert", "root.pem", "--key", "device.key"], "key does not belong"),
        (["localhost", "--cafile", "root.pem", "--keylog", "no/such/folder"], "no/such/folder"),
        (["localhost", "--cafile", "root.pem", "--alpn", "a,,b"], "alpn_protocols"),
        (["nowhere.invalid", "--cafile", "root.pem"], "nowhere.invalid"),
    ],
)
def test_wrong_setting_is_named_with_exit_status_1(
    arguments: list[str],
    words: str,
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(files)
    assert main(["connect", *arguments]) == 1
    assert words in capsys.readouterr().err


def test_wrong_command_line_has_exit_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["connect"], ["nonsense"], ["connect", "localhost", "--nonsense"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
    assert "usage: lighttls" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("example.com", ("example.com", 443)),
        ("example.com:8883", ("example.com", 8883)),
        ("[::1]", ("::1", 443)),
        ("[2001:db8::1]:8443", ("2001:db8::1", 8443)),
        ("2001:db8::1", ("2001:db8::1", 443)),
    ],
)
def test_address_without_a_port_means_443_and_brackets_are_of_ipv6(text: str, address: tuple[str, int]) -> None:
    assert connect.address(text) == address


@pytest.mark.parametrize("text", ["[::1]443", "host:", "host:65536", "host:-1", "host:٤٤٣", "[::1", ""])
def test_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        connect.address(text)
