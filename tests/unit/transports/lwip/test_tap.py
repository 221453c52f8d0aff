"""lwIP against the kernel's TCP, over a TAP or TUN device in a network namespace of the test's own."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lighttls.errors import ConfigurationError, UsageError
from lighttls.testing.aws_iot_server import AwsIotServer
from lighttls.transports import lwip
from lighttls.transports.lwip import Host, LwipError, Tap, memory_links, stack
from support import pki, require
from support.lwip import cores, library_core
from support.tap import KERNEL, KERNEL_V6, OURS, OURS_V6, Namespace, namespace, relayed

DATA = hashlib.shake_256(b"tap").digest(2_000_000)


@contextmanager
def attached(*, packets: bool = False, **settings: Any) -> Iterator[tuple[Namespace, Host]]:
    settings = {"gateway": (KERNEL, KERNEL_V6), "dns": (KERNEL,), "core": cores()[0]} | settings
    with namespace(packets=packets) as made:
        host = Host(made.tap, f"{OURS}/24", f"{OURS_V6}/64", **settings)
        try:
            yield made, host
        finally:
            host.close()


def echo(listening: socket.socket) -> threading.Thread:
    def run() -> None:
        caller, _ = listening.accept()
        with caller:
            while data := caller.recv(65536):
                caller.sendall(data)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("packets", [False, True], ids=["tap", "tun"])
@pytest.mark.parametrize("address", [KERNEL, KERNEL_V6])
def test_bytes_through_the_kernel_come_back_exactly(packets: bool, address: str) -> None:
    with attached(packets=packets) as (made, host):
        check_echo(made, host, address)


@pytest.mark.parametrize("address", [KERNEL, KERNEL_V6])
def test_library_of_debian_carries_the_same(address: str) -> None:
    with attached(core=library_core(), gateway=KERNEL, dns=()) as (made, host):
        check_echo(made, host, address)
        with pytest.raises(LwipError, match="TCP: not connected: the peer reset it"):
            host.open_tcp(KERNEL, 9)


def test_library_of_debian_says_what_it_cannot() -> None:
    for setting in ({"dns": (KERNEL,)}, {"gateway": KERNEL_V6}):
        with pytest.raises(ConfigurationError):
            Host(memory_links()[0], f"{OURS}/24", core=library_core(), **setting)
    with Host(memory_links()[0], f"{OURS}/24", core=library_core()) as host, pytest.raises(LwipError, match="DNS"):
        host.open_tcp("server.example", 443)


def check_echo(made: Namespace, host: Host, address: str) -> None:
    with made.listen(address) as listening:
        thread = echo(listening)
        link = host.open_tcp(address, listening.getsockname()[1])
        arrived, left = bytearray(), DATA
        while len(arrived) < len(DATA):
            if left:
                left = left[link.send(left[:30_000]) :]
            arrived += link.recv(65536, 0 if left else 20) or b""
        assert arrived == DATA
        link.close()
        thread.join(20)
        assert not thread.is_alive()


def test_kernel_that_refuses_names_tcp() -> None:
    with attached() as (_, host), pytest.raises(LwipError, match="TCP: not connected: the peer reset it"):
        host.open_tcp(KERNEL, 9)


def test_kernel_that_resets_in_the_middle_is_named() -> None:
    with attached() as (made, host), made.listen() as listening:
        link = host.open_tcp(KERNEL, listening.getsockname()[1])
        caller, _ = listening.accept()
        link.send(b"unread")
        assert link.recv(1, 0.1) is None
        caller.close()  # with data unread, which makes the kernel reset the connection
        with pytest.raises(LwipError, match="the connection is lost: the peer reset it"):
            link.recv(1, 20)
        link.close()


def test_host_outside_the_network_is_reached_by_the_gateway() -> None:
    with attached() as (_, host), pytest.raises(LwipError, match=r"TCP: (no answer|not connected|nobody answers)"):
        host.open_tcp("192.0.2.1", 9, timeout=0.5)


def test_name_is_resolved_by_the_dns_server() -> None:
    with attached() as (made, host):
        asked = made.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        made.inside(lambda: asked.bind((KERNEL, 53)))

        def answer() -> None:
            for record in (b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + socket.inet_aton(KERNEL), b""):
                question, peer = asked.recvfrom(512)
                code = b"\x81\x80" if record else b"\x81\x83"  # without error; no such name
                count = b"\0\x01" if record else b"\0\0"
                asked.sendto(question[:2] + code + b"\0\x01" + count + bytes(4) + question[12:] + record, peer)

        thread = threading.Thread(target=answer)
        thread.start()
        with asked, made.listen() as listening:
            link = host.open_tcp("server.example", listening.getsockname()[1], timeout=10)
            link.close()
            with pytest.raises(LwipError, match="DNS: no address for 'nowhere"):
                host.resolve("nowhere.example", timeout=10)
            thread.join(20)


def test_dns_server_that_is_silent_times_out() -> None:
    with attached() as (_, host), pytest.raises(LwipError, match="DNS: no answer about") as failure:
        host.resolve("silence.example", timeout=0.3)
    assert failure.value.timed_out


def test_interface_that_is_down_says_how_to_set_it_up() -> None:
    core = cores()[0]
    with namespace() as made:
        tap = made.inside(lambda: Tap("lwip1"))
        with Host(tap, "10.78.0.2/24", core=core) as host:
            with pytest.raises(LwipError, match="link: the interface lwip1 takes no frames") as failure:
                host.open_tcp("10.78.0.1", 9)
            assert failure.value.hint == "Set it up: ip link set lwip1 up"


def test_interface_in_use_is_named() -> None:
    with namespace() as made, pytest.raises(LwipError, match="link: cannot use the interface lwip0"):
        made.inside(lambda: Tap("lwip0"))


def test_tap_device_that_is_taken_for_a_tun_device_says_so() -> None:
    with namespace() as made:
        with pytest.raises(LwipError, match="cannot use the interface lwip0") as failure:
            made.inside(lambda: Tap("lwip0", packets=True))
        assert "TUN" in failure.value.hint


def test_host_that_nobody_refers_to_gives_its_device_back() -> None:
    with namespace() as made:
        made.tap.close()
        for _ in range(2):
            host = Host(made.inside(lambda: Tap("lwip0")), f"{OURS}/24", core=cores()[0])
            del host


def test_closed_device_is_a_usage_error() -> None:
    with namespace() as made:
        tap = made.inside(lambda: Tap("lwip2"))
        tap.close()
        tap.close()
        for use in (lambda: tap.send(b"frame"), lambda: tap.receive(0)):
            with pytest.raises(UsageError, match="closed"):
                use()


def test_missing_device_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(LwipError, match="link: cannot open /dev/net/tun") as failure:
        Tap("tap0")
    assert "modprobe tun" in failure.value.hint


def test_program_of_the_page_publishes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    page = (require.REPOSITORY / "docs" / "lwip.md").read_text(encoding="utf-8")
    program = page.split("```python\n")[1].split("```")[0]
    certificates = pki.shared()
    leaf, device = certificates.ecdsa_server, certificates.ec_device
    monkeypatch.setattr(stack, "default_core", lambda: cores()[0])
    with (
        AwsIotServer([(certificates.server_chain(leaf), leaf.key.to_pem())], certificates.device_ca.to_pem()) as server,
        namespace() as made,
        relayed(made, server.port) as port,
    ):
        monkeypatch.setattr(lwip, "Tap", {"tap0": made.tap}.__getitem__)
        exec(program, {"port": port, "config": pki.config(device)})
    assert capsys.readouterr().out == "HTTP/1.1 200 OK\n"


@pytest.mark.parametrize("name", ["", "aNameThatIsTooLong", "a b", "a/b", "a\0b"])
def test_impossible_name_of_an_interface_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="1 to 15 characters"):
        Tap(name)
