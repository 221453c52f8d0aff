"""The transport in memory keeps the contract of all transports."""

from __future__ import annotations

import threading
import time

import pytest

from lighttls.transports import memory_pair


def test_each_end_receives_what_the_other_sent_in_order() -> None:
    here, there = memory_pair()
    assert here.send(b"one") == 3
    here.send(b"two")
    there.send(b"back")
    assert there.recv(4, 0) == b"onet"
    assert there.recv(100, 0) == b"wo"
    assert here.recv(100, 0) == b"back"


def test_recv_without_data_returns_none_after_the_timeout() -> None:
    here, _ = memory_pair()
    began = time.monotonic()
    assert here.recv(1, 0.05) is None
    assert time.monotonic() - began >= 0.05


def test_waiting_recv_returns_as_soon_as_data_comes() -> None:
    here, there = memory_pair()
    sender = threading.Timer(0.02, there.send, [b"late"])
    sender.start()
    assert here.recv(10, None) == b"late"
    sender.join()


def test_close_delivers_what_was_sent_then_ends_the_stream() -> None:
    here, there = memory_pair()
    here.send(b"last")
    here.close()
    here.close()
    assert there.recv(10, None) == b"last"
    assert there.recv(10, None) == b""
    with pytest.raises(BrokenPipeError):
        there.send(b"too late")
