"""What the handshake's hashes cover."""

from __future__ import annotations

import hashlib
from typing import Any

from lighttls.handshake import Output, Transcript
from lighttls.messages import Finished


def test_digest_covers_everything_so_far_and_may_be_taken_again(provider: Any) -> None:
    transcript = Transcript(provider)
    for number in range(3):
        transcript.add(bytes((number,)) * 100)
        raw = b"".join(bytes((n,)) * 100 for n in range(number + 1))
        for algorithm in ("sha256", "sha384", "sha512"):
            assert transcript.digest(algorithm) == hashlib.new(algorithm, raw).digest()
        assert transcript.raw() == raw


def test_cleared_transcript_is_empty(provider: Any) -> None:
    transcript = Transcript(provider)
    transcript.add(b"message")
    before = transcript.digest("sha256")
    transcript.clear()
    assert transcript.raw() == b""
    assert transcript.digest("sha256") == hashlib.sha256(b"").digest()
    transcript.add(b"another")
    assert transcript.digest("sha256") == hashlib.sha256(b"another").digest() != before


def test_first_hash_goes_on_and_others_are_computed_anew(provider: Any) -> None:
    asked = []

    class Counting:
        def __init__(self, algorithm: str = "") -> None:
            self.running: Any = provider.running_digest(algorithm) if algorithm else None

        def running_digest(self, algorithm: str) -> Counting:
            return Counting(algorithm)

        def on(self, data: bytes) -> bytes:
            asked.append(("on", len(data)))
            digest: bytes = self.running.on(data)
            return digest

        def digest(self, algorithm: str, data: bytes) -> bytes:
            asked.append((algorithm, len(data)))
            digest: bytes = provider.digest(algorithm, data)
            return digest

    transcript = Transcript(Counting())  # type: ignore[arg-type]
    transcript.add(b"hello")
    assert transcript.digest("sha384") == transcript.digest("sha384") == hashlib.sha384(b"hello").digest()
    transcript.digest("sha256")
    transcript.add(b"done")
    assert transcript.digest("sha384") == hashlib.sha384(b"hellodone").digest()
    transcript.digest("sha256")
    assert asked == [("on", 5), ("sha256", 5), ("on", 4), ("sha256", 9)]


def test_message_enters_the_transcript_when_it_is_sent_not_when_it_leaves(provider: Any) -> None:
    """HS-11: header and body; the next message of the same flight may hash it."""
    out = Output(Transcript(provider))
    message = Finished(bytes(12))
    out.send(message)
    assert out.transcript.raw() == bytes.fromhex("1400000c") + bytes(12)
    assert out.actions == [(Finished, message.encode())]
