"""Pre-shared keys: what makes one, who may see it, and which settings go with it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from lighttls import CipherSuite, ClientConfig, ConfigurationError, Psk, PskRequest, TrustStore
from lighttls.crypto import SUITES
from lighttls.crypto.suites import DEFAULT_SUITES
from lighttls.profiles import PROFILES

KEY = bytes(range(100, 132))
PSK = CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256
ECDHE_PSK = CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256
AES_256 = [suite for suite in SUITES.values() if suite.pre_shared and "AES_256" in suite.code.name]


def config(**settings: Any) -> ClientConfig:
    return ClientConfig(**{"trust": None, "psk": Psk("i", KEY), "cipher_suites": [PSK]} | settings)


# ---- the key -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "sent"), [("Gerät", b"Ger\xc3\xa4t"), (b"Ger\xe4t", b"Ger\xe4t"), ("", b""), ("é" * 32_767, None)]
)
def test_identity_is_sent_in_utf8_and_bytes_as_they_are(given: str | bytes, sent: bytes | None) -> None:
    """PSK-02, RFC 4279 §5.1."""
    assert Psk(given, KEY).identity == (given.encode() if sent is None and isinstance(given, str) else sent)


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ("x" * 65_536, "65536 bytes"),
        (b"x" * 65_536, "65536 bytes"),
        ("é" * 32_768, "65536 bytes"),
        ("\ud800", "UTF-8"),
        (None, "NoneType"),
        (7, "int"),
    ],
)
def test_impossible_identity_is_refused(identity: Any, message: str) -> None:
    """PSK-02."""
    with pytest.raises(ConfigurationError, match=message):
        Psk(identity, KEY)


@pytest.mark.parametrize("size", [16, 17, 64, 128])
def test_key_of_16_to_128_bytes_is_taken(size: int) -> None:
    """PSK-03."""
    assert Psk("i", bytes(size)).key == bytes(size)


@pytest.mark.parametrize("size", [0, 1, 15, 129, 1000])
def test_key_of_another_length_is_refused(size: int) -> None:
    """PSK-03: shorter ones are passwords, or as easy to guess."""
    with pytest.raises(ConfigurationError, match=f"{size} bytes was given, it needs 16 to 128"):
        Psk("i", bytes(size))


@pytest.mark.parametrize("key", ["a password of some length", None, 16, memoryview(KEY)])
def test_what_is_no_key_is_refused_with_a_word_on_passwords(key: Any) -> None:
    """PSK-03."""
    with pytest.raises(ConfigurationError, match="must be bytes") as caught:
        Psk("i", key)
    assert "password is no key" in caught.value.hint


def test_key_shows_in_no_repr_or_error() -> None:
    """PROF-05."""
    psk = Psk("device", KEY)
    assert repr(psk) == "Psk(b'device', key of 32 bytes)"
    assert repr(config(psk=psk)).find(KEY.hex()) < 0
    with pytest.raises(ConfigurationError) as caught:
        Psk("device", KEY * 5)
    assert repr(KEY)[2:20] not in repr(caught.value)


def test_key_is_copied_and_overwritten_with_the_last_reference() -> None:
    """PROF-05: the caller's own buffer stays its own."""
    given = bytearray(KEY)
    psk = Psk("i", given)
    inside = psk.key
    given[:] = bytes(len(given))
    assert inside == KEY
    del psk
    assert inside == bytes(32)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_key_is_neither_copied_nor_pickled(duplicate: Callable[[Psk], object]) -> None:
    """A shallow copy that goes would leave 32 zeros to the one that stays, which everybody can guess."""
    psk = Psk("i", KEY)
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        duplicate(psk)
    assert psk.key == KEY


# ---- the settings ------------------------------------------------------------------------------


def test_no_suite_with_a_pre_shared_key_is_offered_unless_it_is_listed() -> None:
    """PSK-01, PSK-12: in no profile, and never by default."""
    offered = {*DEFAULT_SUITES, *(code for profile in PROFILES.values() for code in profile.cipher_suites)}
    assert not any(SUITES[code].pre_shared for code in offered)
    assert ClientConfig(trust=TrustStore.empty()).psk is None
    with pytest.raises(ConfigurationError, match="cipher_suites lists no suite with a pre-shared key"):
        config(trust=TrustStore.empty(), cipher_suites=None)


@pytest.mark.parametrize("suite", [suite.code for suite in SUITES.values() if suite.pre_shared])
def test_suite_needs_a_key(suite: CipherSuite) -> None:
    """PSK-01, CH-09."""
    assert config(cipher_suites=[suite]).cipher_suites == (suite,)
    with pytest.raises(ConfigurationError, match=f"psk has no pre-shared key, which {suite.name} needs"):
        config(cipher_suites=[suite], psk=None)


def test_trust_may_be_none_where_no_certificate_can_come() -> None:
    """PSK-01."""
    assert len(config().trust) == 0
    with pytest.raises(ConfigurationError, match="trust must be a TrustStore"):
        config(cipher_suites=[PSK, CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256])
    with pytest.raises(ConfigurationError, match="trust must be a TrustStore"):
        ClientConfig(trust=None)


def test_suites_with_a_key_need_no_scheme_or_curve_of_certificates() -> None:
    """PSK-01, CH-09."""
    only_x25519 = config(cipher_suites=[ECDHE_PSK], groups=[29], signature_schemes=[0x0401])
    assert only_x25519.cipher_suites == (ECDHE_PSK,)


@pytest.mark.parametrize("wrong", ["i", KEY, ("i", KEY), 1])
def test_setting_that_is_neither_key_nor_selector_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="psk must be a Psk"):
        config(psk=wrong)


@pytest.mark.parametrize("suite", AES_256, ids=lambda suite: suite.code.name)
def test_aes_256_needs_a_key_of_24_bytes(suite: Any) -> None:
    """PSK-03."""
    assert config(psk=Psk("i", bytes(24)), cipher_suites=[suite.code]).psk is not None
    with pytest.raises(ConfigurationError, match=f"23 bytes was given, {suite.code.name} needs 24"):
        config(psk=Psk("i", bytes(23)), cipher_suites=[PSK, suite.code])


def test_key_of_16_bytes_is_enough_for_aes_128_and_chacha20() -> None:
    """PSK-03."""
    weaker = [suite.code for suite in SUITES.values() if suite.pre_shared and suite not in AES_256]
    assert config(psk=Psk("i", bytes(16)), cipher_suites=weaker).cipher_suites == tuple(weaker)


def test_selector_is_not_asked_before_a_server_is_there() -> None:
    """PSK-04."""

    def choose(request: PskRequest) -> Psk:
        raise AssertionError("nobody wanted a key yet")

    assert config(psk=choose).psk is choose


def test_suites_without_forward_secrecy_come_after_those_with_it() -> None:
    """PSK-12: in our own order of all that there is."""
    kinds = [suite.ephemeral for suite in SUITES.values()]
    assert kinds == sorted(kinds, reverse=True)
    assert all(suite.ephemeral for suite in SUITES.values() if not suite.pre_shared)
