"""Records sealed and opened by both engines (rules sheet REC, 3.5)."""

from __future__ import annotations

import struct
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from lighttls.crypto import SUITES, CryptoProvider, Suite, by_name
from lighttls.errors import (
    BadRecordMac,
    InternalError,
    LightTLSError,
    ProtocolVersion,
    RecordOverflow,
    UnexpectedMessage,
    UsageError,
)
from lighttls.iana import CipherSuite, ContentType
from support.inside import expected_key_block, server_side, set_sequence

MASTER, CLIENT, SERVER = bytes(range(48)), b"c" * 32, b"s" * 32
LIMIT = 1 << 14
ALERT, HANDSHAKE, DATA = ContentType.ALERT, ContentType.HANDSHAKE, ContentType.APPLICATION_DATA

GCM = SUITES[CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]
CHACHA = SUITES[CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]
CCM = SUITES[CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM]
CCM_8 = SUITES[CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8]

with_certificate = [suite for suite in SUITES.values() if not suite.pre_shared]  # records do not tell them from others
every_suite = pytest.mark.parametrize("suite", with_certificate, ids=lambda suite: suite.code.name.lower())
each_aead = pytest.mark.parametrize("suite", [GCM, CHACHA, CCM, CCM_8], ids=["gcm", "chacha20", "ccm", "ccm-8"])


def schedule(provider: CryptoProvider, suite: Suite) -> Any:
    return provider.resume(suite, MASTER, CLIENT, SERVER)


def pair(provider: CryptoProvider, suite: Suite) -> tuple[Any, Any]:
    """A client's sealer and the server's opener for it."""
    one = schedule(provider, suite)
    return one.record_keys()[0], server_side(one)[1]


def with_explicit_nonce(suite: Suite, key: bytes) -> Any:
    """RFC 5288 and RFC 6655 §3: AES-GCM, or AES-CCM with a tag of 16 bytes, or of 8 where the name says so."""
    name = suite.code.name
    return AESGCM(key) if "GCM" in name else AESCCM(key, 8 if name.endswith("CCM_8") else 16)


def header(record: bytes) -> tuple[int, int, int]:
    return struct.unpack(">BHH", record[:5])


def opened_one(opener: Any, record: bytes, limit: int) -> bytes:
    """The plaintext of one record of application data."""
    [(content_type, plaintext)], consumed = opener.open(record, limit)
    assert (content_type, consumed) == (DATA, len(record))
    return plaintext


def text(length: int) -> bytes:
    return (b"The quick brown fox. " * (length // 21 + 1))[:length]


# ---- Bytes on the wire ---------------------------------------------------------------------------


@every_suite
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 64, 1000, LIMIT])
def test_record_has_the_bytes_of_its_rfc(implementation: CryptoProvider, suite: Suite, length: int) -> None:
    """REC-31, REC-33, REC-34; RFC 5246 §6.2.3.3, 5288 §3, 7905 §2: built here a second time."""
    sealer, opener = schedule(implementation, suite).record_keys()
    keys = expected_key_block(suite, MASTER, CLIENT, SERVER)
    for sequence in range(3):
        counter = sequence.to_bytes(8, "big")
        records = []
        for key, iv in ((keys.client_key, keys.client_iv), (keys.server_key, keys.server_iv)):
            if suite.explicit_nonce_length:
                aead: Any = with_explicit_nonce(suite, key)
                explicit, nonce = counter, iv + counter
            else:
                aead = ChaCha20Poly1305(key)
                explicit = b""
                nonce = (int.from_bytes(iv, "big") ^ sequence).to_bytes(12, "big")
            aad = counter + struct.pack(">BHH", DATA, 0x0303, length)
            fragment = explicit + aead.encrypt(nonce, text(length), aad)
            records.append(struct.pack(">BHH", DATA, 0x0303, len(fragment)) + fragment)
        assert sealer.seal(DATA, text(length), LIMIT) == records[0]
        assert opened_one(opener, records[1], LIMIT) == text(length)


@every_suite
def test_engines_read_each_other(suite: Suite) -> None:
    pytest.importorskip("lighttls.crypto.native", reason="native engine not built")
    engines = [by_name("pure"), by_name("native")]
    for ours, theirs in (engines, engines[::-1]):
        client_seal, client_open = schedule(ours, suite).record_keys()
        server_seal, server_open = server_side(schedule(theirs, suite))
        for length in (1, 100, LIMIT):
            assert opened_one(server_open, client_seal.seal(DATA, text(length), LIMIT), LIMIT) == text(length)
            assert opened_one(client_open, server_seal.seal(DATA, text(length), LIMIT), LIMIT) == text(length)


@each_aead
def test_explicit_nonce_of_the_peer_may_be_anything(implementation: CryptoProvider, suite: Suite) -> None:
    """REC-32; for ChaCha20-Poly1305 there is none to choose, so the same bytes do not open."""
    opener = schedule(implementation, suite).record_keys()[1]
    keys = expected_key_block(suite, MASTER, CLIENT, SERVER)
    explicit = b"explicit"
    aad = bytes(8) + struct.pack(">BHH", DATA, 0x0303, 5)
    if suite is not CHACHA:
        fragment = explicit + with_explicit_nonce(suite, keys.server_key).encrypt(
            keys.server_iv + explicit, b"hello", aad
        )
        assert opened_one(opener, struct.pack(">BHH", DATA, 0x0303, len(fragment)) + fragment, LIMIT) == b"hello"
    else:
        fragment = ChaCha20Poly1305(keys.server_key).encrypt(keys.server_iv[:4] + explicit, b"hello", aad)
        with pytest.raises(BadRecordMac):
            opener.open(struct.pack(">BHH", DATA, 0x0303, len(fragment)) + fragment, LIMIT)


# ---- Sealing -------------------------------------------------------------------------------------


@each_aead
@pytest.mark.parametrize("limit", [1, 7, 512, LIMIT])
@pytest.mark.parametrize("length", [0, 1, 7, 8, 1024, LIMIT, LIMIT + 1])
def test_data_is_cut_at_the_limit(implementation: CryptoProvider, suite: Suite, limit: int, length: int) -> None:
    """REC-27; REC-28: empty data makes one empty record."""
    if length // limit > 3000:
        length = 3000 * limit
    sealer, opener = pair(implementation, suite)
    sealed = sealer.seal(DATA, text(length), limit)
    lengths, contents, at = [], [], 0
    while at < len(sealed):
        size = 5 + header(sealed[at:])[2]
        opened = opener.open(sealed[at : at + size], limit)
        contents.append(opened[0][0][1])
        lengths.append(len(contents[-1]))
        at += size
    assert b"".join(contents) == text(length)
    assert lengths == [limit] * (length // limit) + [length % limit] * (length % limit > 0) or [0]
    assert len(sealed) == length + len(lengths) * (5 + suite.expansion)


@pytest.mark.parametrize("size", [0, 1, 16384, 4 * 16384, 4 * 16384 + 1, 300000])
@pytest.mark.parametrize("make", [bytes, memoryview], ids=lambda make: make.__name__)
def test_short_way_seals_like_the_long_one(implementation: CryptoProvider, make: Any, size: int) -> None:
    expected = schedule(implementation, GCM).record_keys()[0].seal(DATA, text(size), LIMIT)
    sealer = schedule(implementation, GCM).record_keys()[0]
    assert sealer.seal_data(make(text(size))) == expected
    assert sealer.short_bytes == len(expected)


@pytest.mark.parametrize("size", [0, 1, 16384, 70000, 300000])
@pytest.mark.parametrize("make", [bytearray, memoryview], ids=lambda make: make.__name__)
def test_any_buffer_can_be_sealed_and_opened(implementation: CryptoProvider, make: Any, size: int) -> None:
    sealer, opener = pair(implementation, GCM)
    expected = schedule(implementation, GCM).record_keys()[0].seal(DATA, text(size), LIMIT)
    sealed = sealer.seal(DATA, make(text(size)), LIMIT)
    assert sealed == expected
    assert drained(opener, make(sealed)) == text(size)


def drained(opener: Any, data: Any) -> bytes:
    """Everything in `data`, by as many calls as it takes."""
    contents, at = [], 0
    view = memoryview(data)
    while at < len(view):
        records, consumed = opener.open(view[at:], LIMIT)
        assert records
        assert consumed > 0
        contents += [content for _, content in records]
        at += consumed
    return b"".join(contents)


@pytest.mark.parametrize("make", [bytearray, memoryview], ids=lambda make: make.__name__)
def test_buffers_are_let_go(provider: CryptoProvider, make: Any) -> None:
    """A bytearray that somebody still looks into cannot be resized; also not while an error is being handled."""
    sealer, opener = pair(provider, GCM)
    data = bytearray(b"data")
    sealed = bytearray(sealer.seal(DATA, make(data), LIMIT))
    data.clear()
    sealed[-1] ^= 1
    with memoryview(sealed) as view, pytest.raises(BadRecordMac) as caught:
        opener.open(view if make is memoryview else sealed, LIMIT)
    sealed.clear()
    assert caught.value is not None
    set_sequence(sealer, GCM.record_limit)
    data += b"data"
    with memoryview(data) as view, pytest.raises(UsageError) as worn_out:
        sealer.seal(DATA, view if make is memoryview else data, LIMIT)
    data.clear()
    assert worn_out.value is not None


@each_aead
def test_key_protects_as_many_records_as_it_may(implementation: CryptoProvider, suite: Suite) -> None:
    """REC-26: 2^24 with GCM and CCM, 2^48 with ChaCha20; the last one is kept for an alert."""
    sealer, opener = pair(implementation, suite)
    set_sequence(sealer, suite.record_limit - 3)
    set_sequence(opener, suite.record_limit - 3)
    with pytest.raises(UsageError, match="REC-26"):
        sealer.seal(DATA, b"three", 2)
    sealed = sealer.seal(DATA, b"two", 2)
    assert opener.open(sealed, LIMIT) == ([(DATA, b"tw"), (DATA, b"o")], len(sealed))
    for data in (b"", b"x", bytearray(b"x")):
        with pytest.raises(UsageError, match="REC-26"):
            sealer.seal(DATA, data, LIMIT)
    with pytest.raises(UsageError, match="REC-26"):
        sealer.seal_data(b"x")
    alert = sealer.close(ALERT, b"\1\0")
    assert opener.open(alert, LIMIT) == ([(ALERT, b"\1\0")], len(alert))
    with pytest.raises(UsageError, match="REC-26"):
        sealer.close(ALERT, b"\1\0")


@each_aead
@pytest.mark.parametrize("make", [bytes, bytearray])
@pytest.mark.parametrize("limit", [LIMIT, 1000])
def test_long_data_is_sealed_whole_or_not_at_all(
    implementation: CryptoProvider, suite: Suite, make: Any, limit: int
) -> None:
    """REC-26 for more than an engine's buffer holds: no part is sealed, so the sequence number has not moved."""
    data = make(text(300000))
    records = -(-len(data) // limit)
    sealer, opener = pair(implementation, suite)
    start = suite.record_limit - records
    set_sequence(sealer, start)
    set_sequence(opener, start)
    with pytest.raises(UsageError, match="REC-26"):
        sealer.seal(DATA, data, limit)
    assert opened_one(opener, sealer.seal(DATA, b"x", limit), limit) == b"x"
    set_sequence(sealer, start - 1)
    set_sequence(opener, start - 1)
    assert drained(opener, sealer.seal(DATA, data, limit)) == data
    with pytest.raises(UsageError, match="REC-26"):
        sealer.seal(DATA, b"x", limit)


@pytest.mark.parametrize("limit", [0, LIMIT + 1])
@pytest.mark.parametrize("data", [b"", b"x" * 40, bytearray(), bytearray(100000)])
def test_limit_that_cannot_be_is_refused(implementation: CryptoProvider, data: Any, limit: int) -> None:
    sealer, opener = pair(implementation, GCM)
    with pytest.raises(InternalError):
        sealer.seal(DATA, data, limit)
    with pytest.raises(InternalError):
        opener.open(data, limit)
    assert opened_one(opener, sealer.seal(DATA, b"x", LIMIT), LIMIT) == b"x"


@each_aead
def test_close_before_the_budget_ends_is_a_record_like_others(provider: CryptoProvider, suite: Suite) -> None:
    closing, sealing = pair(provider, suite)[0], pair(provider, suite)[0]
    assert closing.close(ALERT, b"\1\0") == sealing.seal(ALERT, b"\1\0", LIMIT)


# ---- Opening -------------------------------------------------------------------------------------


@each_aead
def test_records_are_opened_until_one_that_is_not_data(implementation: CryptoProvider, suite: Suite) -> None:
    sealer, opener = pair(implementation, suite)
    first = sealer.seal(DATA, b"one", LIMIT) + sealer.seal(DATA, b"", LIMIT) + sealer.seal(HANDSHAKE, b"two", LIMIT)
    second = sealer.seal(ALERT, b"\1\0", LIMIT)
    records, consumed = opener.open(first + second, LIMIT)
    assert records == [(DATA, b"one"), (DATA, b""), (HANDSHAKE, b"two")]
    assert consumed == len(first)
    assert opener.open(second, LIMIT) == ([(ALERT, b"\1\0")], len(second))


@each_aead
def test_input_may_end_anywhere(implementation: CryptoProvider, suite: Suite) -> None:
    """REC-24."""
    contents = [b"one", b"", b"three" * 10]
    sealer = pair(implementation, suite)[0]
    records = [sealer.seal(DATA, content, LIMIT) for content in contents]
    whole = b"".join(records)
    for cut in range(len(whole) + 1):
        opener = pair(implementation, suite)[1]
        got, consumed = opener.open(whole[:cut], LIMIT)
        count = len(got)
        assert got == [(DATA, content) for content in contents[:count]]
        assert consumed == sum(map(len, records[:count])) <= cut
        assert count == 3 or cut < sum(map(len, records[: count + 1]))
        assert drained(opener, whole[consumed:]) == b"".join(contents[count:])


@each_aead
def test_short_way_opens_one_record_of_data_and_leaves_alone_what_is_something_else(
    implementation: CryptoProvider, suite: Suite
) -> None:
    sealer, opener = pair(implementation, suite)
    record = sealer.seal(DATA, b"data", LIMIT)
    others = [record[:cut] for cut in range(len(record))]
    others += [record + b"\x17", bytes((ALERT,)) + record[1:], record[:2] + b"\2" + record[3:]]
    others += [bytes((DATA, 3, 3)) + (5 + size).to_bytes(2, "big") + bytes(5 + size) for size in (0, 18000)]
    for other in others:
        assert opener.open_data(other) is None
    assert opener.short_bytes == 0
    assert opener.open_data(record) == b"data"
    assert opener.short_bytes == len(record)
    for plaintext, content_type in ((b"", DATA), (b"\1\0", ALERT)):
        record = sealer.seal(content_type, plaintext, LIMIT)
        assert opener.open_data(record) is None
        assert opener.open(record, LIMIT) == ([(content_type, plaintext)], len(record))
    record = sealer.seal(DATA, text(LIMIT), LIMIT)
    assert opener.open_data(record) == text(LIMIT)
    with pytest.raises(BadRecordMac):
        opener.open_data(record)  # REC-12


@each_aead
def test_many_records_come_in_several_calls(implementation: CryptoProvider, suite: Suite) -> None:
    """More than an engine's buffer holds, by number and by size."""
    for count, length in ((100, 1), (100, 0), (7, LIMIT), (5, LIMIT - 1)):
        sealer, opener = pair(implementation, suite)
        sealed = b"".join(sealer.seal(DATA, text(length), LIMIT) for _ in range(count))
        assert drained(opener, sealed) == text(length) * count


def test_rest_behind_a_record_is_not_copied(implementation: CryptoProvider) -> None:
    """It is handed over again with the next call: with a copy each time many short records cost their square."""
    sealer, opener = pair(implementation, GCM)
    records = [sealer.seal(ALERT, b"\1\0", LIMIT) for _ in range(2)]
    data = bytearray(b"".join(records) + bytes(1 << 20))
    with memoryview(data) as view:
        assert opener.open(view, LIMIT)[1] == len(records[0])  # imports and buffers are made once
        tracemalloc.start()
        try:
            assert opener.open(view[len(records[0]) :], LIMIT)[1] == len(records[1])
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 1 << 17


def test_one_data_record_is_returned_alone(implementation: CryptoProvider) -> None:
    sealer, opener = pair(implementation, GCM)
    assert opened_one(opener, sealer.seal(DATA, b"x", LIMIT), LIMIT) == b"x"
    empty = sealer.seal(DATA, b"", LIMIT)
    assert opener.open(empty, LIMIT) == ([(DATA, b"")], len(empty))  # REC-14
    record = sealer.seal(DATA, b"x", LIMIT)
    assert opener.open(record + b"\x17", LIMIT) == ([(DATA, b"x")], len(record))
    for content_type in (20, ALERT, HANDSHAKE):
        record = sealer.seal(content_type, b"x", LIMIT)
        assert opener.open(record, LIMIT) == ([(content_type, b"x")], len(record))


@pytest.mark.parametrize("limit", [64, 512, LIMIT])
@each_aead
def test_plaintext_of_the_limit_is_legal_and_one_more_is_not(
    implementation: CryptoProvider, suite: Suite, limit: int
) -> None:
    """REC-06, REC-07, REC-10: judged on the header, before the body is there."""
    sealer, opener = pair(implementation, suite)
    assert opened_one(opener, sealer.seal(DATA, text(limit), LIMIT), limit) == text(limit)
    too_long = struct.pack(">BHH", DATA, 0x0303, limit + 1 + suite.expansion)
    with pytest.raises(RecordOverflow):
        opener.open(too_long, limit)


@each_aead
def test_record_too_short_for_nonce_and_tag_is_bad(implementation: CryptoProvider, suite: Suite) -> None:
    """REC-08."""
    for length in range(suite.expansion):
        opener = pair(implementation, suite)[1]
        with pytest.raises(BadRecordMac):
            opener.open(struct.pack(">BHH", DATA, 0x0303, length) + bytes(length), LIMIT)


def test_unprotected_alert_is_a_bad_record(implementation: CryptoProvider) -> None:
    """REC-11."""
    with pytest.raises(BadRecordMac):
        pair(implementation, GCM)[1].open(b"\x15\x03\x03\x00\x02\x02\x28", LIMIT)


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302, 0x0304, 0x0203, 0x0403, 0x0000])
def test_other_version_is_refused_on_the_header(implementation: CryptoProvider, version: int) -> None:
    """REC-04."""
    sealer, opener = pair(implementation, GCM)
    record = sealer.seal(DATA, b"x", LIMIT)
    with pytest.raises(ProtocolVersion, match=f"{version:#06x}"):
        opener.open(record[:1] + version.to_bytes(2, "big") + record[3:5], LIMIT)


def expected_refusal(record: bytes, suite: Suite) -> type[LightTLSError] | None:
    """What the header alone decides; None: the record is incomplete now."""
    content_type, version, length = header(record)
    if not 20 <= content_type <= 23:
        return UnexpectedMessage
    if version != 0x0303:
        return ProtocolVersion
    if length > LIMIT + suite.expansion:
        return RecordOverflow
    if length < suite.expansion or length <= len(record) - 5:
        return BadRecordMac
    return None


@each_aead
def test_any_flipped_bit_is_refused(implementation: CryptoProvider, suite: Suite) -> None:
    """REC-09."""
    record = pair(implementation, suite)[0].seal(DATA, b"some data", LIMIT)
    for bit in range(8 * len(record)):
        altered = bytearray(record)
        altered[bit // 8] ^= 1 << bit % 8
        opener = pair(implementation, suite)[1]
        refusal = expected_refusal(bytes(altered), suite)
        assert refusal is not None or bit // 8 in (3, 4)
        if refusal is None:
            assert opener.open(bytes(altered), LIMIT) == ([], 0)
        else:
            with pytest.raises(refusal):
                opener.open(bytes(altered), LIMIT)


@each_aead
def test_replayed_dropped_or_swapped_records_fail(implementation: CryptoProvider, suite: Suite) -> None:
    """REC-12."""
    sealer = pair(implementation, suite)[0]
    one, two = sealer.seal(DATA, b"one", LIMIT), sealer.seal(DATA, b"two", LIMIT)
    replayed = pair(implementation, suite)[1]
    assert opened_one(replayed, one, LIMIT) == b"one"
    with pytest.raises(BadRecordMac):
        replayed.open(one, LIMIT)
    for data in (two, two + one):
        with pytest.raises(BadRecordMac):
            pair(implementation, suite)[1].open(data, LIMIT)


@each_aead
@pytest.mark.parametrize("fault", ["tag", "version", "overflow", "short", "type"])
def test_good_records_before_a_bad_one_come_first(implementation: CryptoProvider, suite: Suite, fault: str) -> None:
    sealer, opener = pair(implementation, suite)
    good = sealer.seal(DATA, b"one", LIMIT) + sealer.seal(DATA, b"two", LIMIT)
    bad = bytearray(sealer.seal(DATA, b"three", LIMIT))
    error: type[LightTLSError] = BadRecordMac
    if fault == "tag":
        bad[-1] ^= 0x80
    elif fault == "version":
        bad[2], error = 4, ProtocolVersion
    elif fault == "overflow":
        bad[3], error = 0xFF, RecordOverflow
    elif fault == "short":
        bad[3:5] = b"\0\1"
    else:
        bad[0], error = 99, UnexpectedMessage
    assert opener.open(good + bad, LIMIT) == ([(DATA, b"one"), (DATA, b"two")], len(good))
    with pytest.raises(error):
        opener.open(bytes(bad), LIMIT)


@pytest.mark.parametrize("content_type", [0, 19, 24, 255])
def test_unknown_content_type_is_refused_on_the_header(implementation: CryptoProvider, content_type: int) -> None:
    """REC-01, heartbeat included."""
    with pytest.raises(UnexpectedMessage, match=str(content_type)):
        pair(implementation, GCM)[1].open(bytes((content_type, 3, 3, 0, 25)), LIMIT)


@each_aead
def test_reading_goes_on_beyond_the_budget_of_writing(implementation: CryptoProvider, suite: Suite) -> None:
    """REC-26 binds what we write; REC-25: 64 bits for what we read."""
    keys = expected_key_block(suite, MASTER, CLIENT, SERVER)
    opener = schedule(implementation, suite).record_keys()[1]
    for sequence in (suite.record_limit, 2**32 - 1, 2**32, 2**63):
        counter = sequence.to_bytes(8, "big")
        aad = counter + struct.pack(">BHH", DATA, 0x0303, 5)
        if suite is not CHACHA:
            fragment = counter + with_explicit_nonce(suite, keys.server_key).encrypt(
                keys.server_iv + counter, b"hello", aad
            )
        else:
            nonce = (int.from_bytes(keys.server_iv, "big") ^ sequence).to_bytes(12, "big")
            fragment = ChaCha20Poly1305(keys.server_key).encrypt(nonce, b"hello", aad)
        set_sequence(opener, sequence)
        assert opened_one(opener, struct.pack(">BHH", DATA, 0x0303, len(fragment)) + fragment, LIMIT) == b"hello"


def test_two_threads_on_one_key_never_share_a_nonce(provider: CryptoProvider) -> None:
    """They break the rule that a connection belongs to one thread; what must not break is GCM (REC-31)."""
    sealer, _ = schedule(provider, GCM).record_keys()
    sealed: list[bytes] = []
    refused: list[UsageError] = []
    data = bytes(400_000)

    def seal() -> None:
        for _ in range(20):
            try:
                sealed.append(sealer.seal(23, data, 16384))
            except UsageError as error:
                refused.append(error)

    threads = [threading.Thread(target=seal) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    nonces = [nonce for records in sealed for nonce in explicit_nonces(records)]
    assert len(nonces) == len(set(nonces)) >= 25
    assert all("two threads" in str(error) for error in refused)


def explicit_nonces(records: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(records):
        yield records[at + 5 : at + 13]
        at += 5 + int.from_bytes(records[at + 3 : at + 5], "big")
