"""PRF, master secret, Finished and exporter (rules sheet 3.1 to 3.7)."""

from __future__ import annotations

import pytest

from lighttls.crypto import SUITES, CryptoProvider, Suite
from lighttls.errors import DecryptError, InternalError, UsageError
from support.inside import expected_prf, prf, server_side

CLIENT, SERVER = bytes(range(32)), bytes(range(100, 132))
MASTER = bytes(range(200, 248))
DIGEST_LENGTH = {"sha256": 32, "sha384": 48}

every_suite = pytest.mark.parametrize("suite", SUITES.values(), ids=lambda suite: suite.code.name.lower())

PUBLISHED = {
    # The vectors that the IETF's TLS working group exchanged in 2009; every TLS library has them.
    "sha256": (
        "9bbe436ba940f017b17652849a71db35",
        "a0ba9f936cda311827a6f796ffd5198c",
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077d"
        "ef17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66",
    ),
    "sha384": (
        "b80b733d6ceefcdc71566ea48e5567df",
        "cd665cf6a8447dd6ff8b27555edb7465",
        "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e534cb400fed"
        "2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5bf8cd4d90fa0d31e2dec4"
        "79e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f",
    ),
}


@pytest.mark.parametrize("algorithm", PUBLISHED)
def test_prf_gives_the_published_bytes(implementation: CryptoProvider, algorithm: str) -> None:
    """RFC 5246 §5."""
    secret, seed, output = (bytes.fromhex(text) for text in PUBLISHED[algorithm])
    assert prf(implementation, algorithm, secret, b"test label", seed, len(output)) == output


@pytest.mark.parametrize("algorithm", PUBLISHED)
@pytest.mark.parametrize("length", [0, 1, 12, 31, 32, 33, 48, 49, 64, 65, 96, 97, 200])
def test_prf_of_any_length_is_a_prefix(implementation: CryptoProvider, algorithm: str, length: int) -> None:
    whole = expected_prf(algorithm, b"secret", b"label", b"seed", 200)
    assert prf(implementation, algorithm, b"secret", b"label", b"seed", length) == whole[:length]


def test_master_secret_is_the_published_one(implementation: CryptoProvider) -> None:
    """RFC 5246 §8.1, the first TLS 1.2 SHA-256 case of NIST's SP 800-135 vectors."""
    secret = bytes.fromhex(
        "f8938ecc9edebc5030c0c6a441e213cd24e6f770a50dda07876f8d55da062bcadb386b411fd4fe4313a604fce6c17fbc"
    )
    client = bytes.fromhex("36c129d01a3200894b9179faac589d9835d58775f9b5ea3587cb8fd0364cae8c")
    server = bytes.fromhex("f6c9575ed7ddd73e1f7d16eca115415812a43c2b747daaaae043abfb50053fce")
    suite = next(suite for suite in SUITES.values() if suite.prf_hash == "sha256")
    schedule = implementation.key_schedule(suite, implementation.premaster(bytearray(secret)), client, server, None)
    assert schedule.master_secret() == bytes.fromhex(
        "202c88c00f84a17a20027079604787461176455539e705be730890602c289a5001e34eeb3a043e5d52a65e66125188bf"
    )


@every_suite
@pytest.mark.parametrize("length", [1, 32, 48, 66])
def test_plain_master_secret_comes_from_both_randoms(implementation: CryptoProvider, suite: Suite, length: int) -> None:
    """RFC 5246 §8.1."""
    secret = bytes(range(1, 1 + length))
    schedule = implementation.key_schedule(suite, implementation.premaster(bytearray(secret)), CLIENT, SERVER, None)
    assert schedule.master_secret() == expected_prf(suite.prf_hash, secret, b"master secret", CLIENT + SERVER, 48)


@every_suite
def test_extended_master_secret_comes_from_the_session_hash(implementation: CryptoProvider, suite: Suite) -> None:
    """EMS-03, RFC 7627 §4."""
    secret = bytes(range(1, 33))
    session_hash = bytes(range(50, 50 + DIGEST_LENGTH[suite.prf_hash]))
    premaster = implementation.premaster(bytearray(secret))
    schedule = implementation.key_schedule(suite, premaster, CLIENT, SERVER, session_hash)
    expected = expected_prf(suite.prf_hash, secret, b"extended master secret", session_hash, 48)
    assert schedule.master_secret() == expected


@every_suite
def test_finished_uses_the_label_of_its_sender(implementation: CryptoProvider, suite: Suite) -> None:
    """RFC 5246 §7.4.9."""
    transcript_hash = bytes(range(DIGEST_LENGTH[suite.prf_hash]))
    schedule = implementation.resume(suite, MASTER, CLIENT, SERVER)
    ours, servers = (
        expected_prf(suite.prf_hash, MASTER, label, transcript_hash, 12)
        for label in (b"client finished", b"server finished")
    )
    assert schedule.finished(transcript_hash) == schedule.finish(transcript_hash)[0] == ours
    schedule.check_finished(transcript_hash, servers)
    with pytest.raises(DecryptError):
        schedule.check_finished(transcript_hash, ours)


def test_finished_that_is_wrong_in_any_bit_or_its_length_is_refused(implementation: CryptoProvider) -> None:
    """FIN-01, FIN-02, PROF-05."""
    suite = next(iter(SUITES.values()))
    transcript_hash = bytes(DIGEST_LENGTH[suite.prf_hash])
    schedule = implementation.resume(suite, MASTER, CLIENT, SERVER)
    right = expected_prf(suite.prf_hash, MASTER, b"server finished", transcript_hash, 12)
    schedule.check_finished(transcript_hash, right)
    flipped = ((int.from_bytes(right, "big") ^ 1 << bit).to_bytes(12, "big") for bit in range(96))
    for wrong in (*flipped, b"", right[:11], right + b"\0", bytes(12)):
        with pytest.raises(DecryptError):
            schedule.check_finished(transcript_hash, wrong)


@every_suite
def test_finishing_first_gives_the_same_keys(implementation: CryptoProvider, suite: Suite) -> None:
    schedule = implementation.resume(suite, MASTER, CLIENT, SERVER)
    _, sealer, opener = schedule.finish(bytes(DIGEST_LENGTH[suite.prf_hash]))
    assert sealer.seal(23, b"data", 100) == schedule.record_keys()[0].seal(23, b"data", 100)
    sealed = server_side(schedule)[0].seal(23, b"data", 100)
    assert opener.open(sealed, 100) == ([(23, b"data")], len(sealed))


@every_suite
@pytest.mark.parametrize("context", [None, b"", b"context", bytes(0xFFFF)], ids=["none", "empty", "short", "longest"])
@pytest.mark.parametrize("length", [1, 32, 100])
def test_exporter_tells_no_context_from_an_empty_one(
    provider: CryptoProvider, suite: Suite, context: bytes | None, length: int
) -> None:
    """EXP-01, RFC 5705 §4."""
    seed = CLIENT + SERVER + (b"" if context is None else len(context).to_bytes(2, "big") + context)
    expected = expected_prf(suite.prf_hash, MASTER, b"EXPORTER-test", seed, length)
    assert provider.resume(suite, MASTER, CLIENT, SERVER).export(b"EXPORTER-test", context, length) == expected


@every_suite
def test_exporter_refuses_a_context_of_65536_bytes(provider: CryptoProvider, suite: Suite) -> None:
    """EXP-01."""
    with pytest.raises(UsageError, match="65536"):
        provider.resume(suite, MASTER, CLIENT, SERVER).export(b"EXPORTER-test", bytes(0x10000), 32)


@every_suite
def test_resumed_schedule_has_the_stored_master_secret(provider: CryptoProvider, suite: Suite) -> None:
    assert provider.resume(suite, MASTER, CLIENT, SERVER).master_secret() == MASTER


@pytest.mark.parametrize("length", [0, 1, 31, 33])
def test_random_of_another_length_is_refused(provider: CryptoProvider, length: int) -> None:
    suite = next(iter(SUITES.values()))
    for client, server in ((bytes(length), SERVER), (CLIENT, bytes(length))):
        with pytest.raises(InternalError, match="random"):
            provider.resume(suite, MASTER, client, server)
        with pytest.raises(InternalError, match="random"):
            provider.key_schedule(suite, provider.premaster(bytearray(32)), client, server, None)


@pytest.mark.parametrize("length", [0, 1, 47, 49])
def test_master_secret_of_another_length_is_refused(provider: CryptoProvider, length: int) -> None:
    with pytest.raises(InternalError, match="master secret"):
        provider.resume(next(iter(SUITES.values())), bytes(length), CLIENT, SERVER)


def test_wiped_schedule_has_no_master_secret(provider: CryptoProvider) -> None:
    schedule = provider.resume(next(iter(SUITES.values())), MASTER, CLIENT, SERVER)
    schedule.wipe()
    with pytest.raises(InternalError):
        schedule.master_secret()
    with pytest.raises(InternalError):
        schedule.finished(bytes(32))
    with pytest.raises(InternalError):
        schedule.check_finished(bytes(32), bytes(12))
    with pytest.raises(InternalError):
        schedule.finish(bytes(32))
