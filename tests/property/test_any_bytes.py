"""Any bytes whatever from the server: events or a LightTLSError, never more, in bounded memory.

The connection is brought to each place of a handshake first, so that noise meets every state; part
of the noise is well-formed records and messages, since plain noise never gets past the first header.
"""

from __future__ import annotations

import gc
import random
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostile import certificates as pki
from hostile import wire
from hostile.cases import client
from hostile.link import Link, drive
from hostile.server import FIRST_WITH_REQUEST, Server
from hostile.steps import HELLO_REQUEST, alert, data, fragment
from lighttls import errors
from lighttls.events import DataReceived, HandshakeCompleted

PLACES = (*FIRST_WITH_REQUEST, "change_cipher_spec", "finished", "connected")


def brought_to(provider: Any, place: str) -> Link:
    """A client that waits for the message of that name, or is connected."""
    number = PLACES.index(place)
    first, second = FIRST_WITH_REQUEST[:number], PLACES[5 : max(number, 5)]
    return drive(client(provider), Server(pki.leaf(), first=first, second=second))


noise = st.binary(max_size=200)
types = st.sampled_from((20, 21, 22, 23, 24, 0))
messages = st.builds(
    lambda kind, body, off: wire.handshake(kind, body, length=max(0, len(body) + off)),
    st.sampled_from((0, 1, 2, 4, 11, 12, 13, 14, 15, 16, 20, 22, 99)),
    noise,
    st.sampled_from((0, 0, 0, 1, -1, 70_000)),
)
plain_records = st.builds(
    lambda kind, body, version: wire.record(kind, body, version=version),
    types,
    noise | messages,
    st.sampled_from((0x0303, 0x0303, 0x0301, 0x0203)),
)
stirred = st.lists(noise | plain_records | messages.map(lambda m: wire.record(22, m)), max_size=8).map(b"".join)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), octets=stirred)
def test_any_bytes_give_events_or_a_lighttls_error(provider, place, octets):
    """The server does not read the answers: noise may be a right message that it does not know of."""
    connection = brought_to(provider, place).client
    error = None
    try:
        events = connection.receive_data(octets)
    except errors.LightTLSError as caught:
        error, events = caught, caught.events
    assert not isinstance(error, errors.InternalError)
    assert error is None or not connection.is_established
    assert not any(isinstance(event, HandshakeCompleted | DataReceived) for event in events)
    connection.data_to_send()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content_type=types, octets=noise | messages, after=stirred)
def test_any_protected_bytes_give_events_or_a_lighttls_error(provider, content_type, octets, after):
    """A server that holds the keys may still say anything."""
    link = brought_to(provider, "connected")
    link.server.play([fragment(content_type, octets), after])
    link.run()
    assert link.error is None or isinstance(link.error, errors.LightTLSError)
    assert not isinstance(link.error, errors.InternalError)
    assert link.data == (octets if content_type == wire.APPLICATION_DATA else b"")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FIRST_WITH_REQUEST[:-1]), octets=noise, cut=st.integers(0, 400), kept=st.booleans())
def test_any_body_in_its_place_gives_a_lighttls_error(provider, name, octets, cut, kept):
    """A message of the right type, its body noise or the right one with noise in it."""

    def change(message: bytes) -> bytes:
        body = message[4:]
        changed = body[:cut] + octets + body[cut + len(octets) :] if kept else octets
        return wire.handshake(message[0], changed)

    link = drive(client(provider), Server(pki.leaf(), request=True, edit={name: change}, tail=[data(b"x")]))
    assert link.error is None or isinstance(link.error, errors.LightTLSError)
    assert not isinstance(link.error, errors.InternalError)


def growth(link: Link, chunks: Any) -> int:
    """Bytes of memory that the client holds more after these chunks, at worst."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for chunk in chunks:
            link.client.receive_data(chunk)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_an_unfinished_message_holds_no_more_than_its_limit(provider):
    """REC-22: 64 KiB in pieces of one byte and of 1 KiB."""
    for size in (1, 1024):
        link = brought_to(provider, "certificate")
        link.client.receive_data(wire.record(22, b"\x0b\x01\x00\x00"))
        piece = wire.record(22, bytes(size))
        assert growth(link, (piece for _ in range(65_535 // size))) < 4 * 65_536


def test_an_unfinished_record_holds_no_more_than_its_limit(provider):
    link = brought_to(provider, "connected")
    link.client.receive_data(b"\x17\x03\x03\x40\x18")
    assert growth(link, (b"x" for _ in range(16_384))) < 4 * 16_384


def test_data_received_is_not_kept(provider):
    link = brought_to(provider, "connected")
    sealed = data(bytes(16_384))
    chunks = [sealed(link.server) for _ in range(64)]
    assert growth(link, chunks) < 8 * 16_384


@pytest.mark.parametrize("seed", range(4))
def test_records_without_progress_are_refused_in_the_end(provider, seed):
    """REC-15, ALERT-06, HS-08: whatever the mixture, a server cannot keep us busy for ever.

    At most 32 HelloRequests; between two of them 4 warnings; between two of those 32 empty records.
    """
    dice = random.Random(seed)
    steps = (data(b""), alert(wire.WARNING, 90), HELLO_REQUEST)
    weights = ((30, 3, 1), (10, 10, 1), (100, 3, 0), (1, 1, 1))[seed]
    link = brought_to(provider, "connected")
    for count in range(33 * 5 * 33 + 1):  # noqa: B007
        (step,) = dice.choices(steps, weights)
        link.server.play([step])
        if link.run().error is not None:
            break
    assert type(link.error) is errors.UnexpectedMessage, count


@pytest.mark.parametrize("seed", range(2))
def test_plain_records_without_progress_are_refused_in_the_end(provider, seed):
    dice = random.Random(seed)
    link = brought_to(provider, "certificate")
    for _ in range(33 * 5 + 1):
        (step,) = dice.choices((alert(wire.WARNING, 90), HELLO_REQUEST), ((4, 1), (1, 1))[seed])
        link.server.play([step])
        if link.run().error is not None:
            break
    assert type(link.error) is errors.UnexpectedMessage
