"""Settings: the defaults, every refusal by name, immutability, and the random source."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lighttls import (
    CipherSuite,
    ClientConfig,
    ConfigurationError,
    EntropyError,
    NamedGroup,
    SignatureScheme,
    TrustStore,
    UsageError,
    VerifyPolicy,
    explain,
)
from lighttls.crypto.suites import DEFAULT_SUITES
from support import pki

ECDSA_128 = CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
RSA_128 = CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256


def made(**settings: Any) -> ClientConfig:
    return ClientConfig(**{"trust": TrustStore.empty()} | settings)


def test_configuration_without_settings_offers_the_safe_choice(provider: Any) -> None:
    config = made(provider=provider)
    assert config.cipher_suites == DEFAULT_SUITES
    assert config.cipher_suites[:2] == (ECDSA_128, RSA_128)  # CH-05
    assert not any("CCM" in suite.name for suite in config.cipher_suites)
    assert config.groups == (NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP384R1)
    assert all(scheme >> 8 != 2 for scheme in config.signature_schemes)  # GRP-09
    assert len(config.signature_schemes) == 9
    assert config.alpn_protocols == ()
    assert config.max_fragment_length is None
    assert config.record_size_limit is None
    assert not config.request_ocsp
    assert not config.request_scts
    assert not config.false_start
    assert config.profile == "default"
    assert config.identity is None
    assert config.key_log is None  # PROF-06
    assert config.clock is time.time
    assert config.verify == VerifyPolicy()
    assert not config.insecure_allow_legacy_renegotiation
    assert not config.insecure_fallback_scsv


def test_choices_keep_their_order_and_become_enums(provider: Any) -> None:
    config = made(
        provider=provider,
        cipher_suites=(0xC02F, 0xC02B),
        groups=iter([24, 29]),
        signature_schemes=[0x0804, 0x0403],
        alpn_protocols=iter(["mqtt", "x-amzn-mqtt-ca"]),
    )
    assert config.cipher_suites == (RSA_128, ECDSA_128)
    assert config.groups == (NamedGroup.SECP384R1, NamedGroup.X25519)
    assert config.signature_schemes == (
        SignatureScheme.RSA_PSS_RSAE_SHA256,
        SignatureScheme.ECDSA_SECP256R1_SHA256,
    )
    assert type(config.groups[0]) is NamedGroup
    assert config.alpn_protocols == (b"mqtt", b"x-amzn-mqtt-ca")


def test_cellular_profile_changes_what_is_offered_and_nothing_else(provider: Any) -> None:
    """CH-05, CH-09."""
    clock = lambda: 0.0  # noqa: E731
    usual, config = (made(provider=provider, profile=each, clock=clock) for each in ("default", "cellular"))
    assert config.cipher_suites == (CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, ECDSA_128)
    assert config.groups == (NamedGroup.X25519, NamedGroup.SECP256R1)
    assert config.signature_schemes == (0x0403, 0x0503)
    different = {name for name in ClientConfig.__slots__ if getattr(config, name) != getattr(usual, name)}
    assert different - {"trust"} == {"profile", "cipher_suites", "groups", "signature_schemes"}


def test_settings_win_over_the_profile(provider: Any) -> None:
    config = made(
        provider=provider,
        profile="cellular",
        cipher_suites=(ECDSA_128, RSA_128),
        groups=(24, 23),
        signature_schemes=(0x0403, 0x0401),
    )
    assert config.cipher_suites == (ECDSA_128, RSA_128)
    assert config.groups == (24, 23)
    assert config.signature_schemes == (0x0403, 0x0401)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"trust": None}, "trust must be a TrustStore"),
        ({"trust": "ca.pem"}, "trust must be a TrustStore"),
        *(
            ({"profile": bad}, "profile is .*; it can be 'default' or 'cellular'")
            for bad in ("satellite", "", "Cellular", None, ["cellular"])
        ),
        (
            {"profile": "cellular", "signature_schemes": (0x0804,)},
            "signature_schemes has no ECDSA scheme, which TLS_ECDHE_ECDSA",
        ),
        (
            {"profile": "cellular", "groups": (NamedGroup.X25519,)},
            "groups has no curve for a server certificate's key, such as secp256r1, which TLS_ECDHE_ECDSA",
        ),
        ({"identity": "device.pem"}, "identity must be an Identity, a function that chooses one, or None"),
        ({"verify": False}, "verify must be a VerifyPolicy or None"),
        ({"cipher_suites": ()}, "cipher_suites is empty"),
        ({"cipher_suites": (0x002F,)}, "cipher_suites: 47 is none"),
        ({"cipher_suites": (0x00FF, ECDSA_128)}, "cipher_suites: 255 is none"),
        ({"cipher_suites": ("TLS_ECDHE",)}, "cipher_suites: 'TLS_ECDHE' is none"),
        ({"cipher_suites": (RSA_128, RSA_128)}, f"cipher_suites: {RSA_128.name} stands there twice"),
        ({"groups": ()}, "groups is empty"),
        ({"groups": (NamedGroup.SECP521R1,)}, "groups: .* is none"),
        ({"groups": (256,)}, "groups: 256 is none"),
        ({"groups": (29, 29)}, "groups: X25519 stands there twice"),
        ({"signature_schemes": ()}, "signature_schemes is empty"),
        ({"signature_schemes": (SignatureScheme.RSA_PKCS1_SHA1,)}, "signature_schemes: .* is none"),
        ({"signature_schemes": (SignatureScheme.ECDSA_SHA1,)}, "signature_schemes: .* is none"),
        ({"signature_schemes": (0x0807,)}, "signature_schemes: 2055 is none"),
        ({"signature_schemes": (0x0403, 0x0403, 0x0401)}, "stands there twice"),
        (
            {"cipher_suites": (0xC02F,), "signature_schemes": (0x0403,)},
            "signature_schemes has no RSA scheme, which TLS_ECDHE_RSA",
        ),
        (
            {"cipher_suites": (0xC02B,), "signature_schemes": (0x0804,)},
            "signature_schemes has no ECDSA scheme, which TLS_ECDHE_ECDSA",
        ),
        (
            {"cipher_suites": (0xC02B,), "groups": (NamedGroup.X25519,)},
            "groups has no curve for a server certificate's key, such as secp256r1, which TLS_ECDHE_ECDSA",
        ),
        *(
            ({"max_fragment_length": bad}, f"max_fragment_length is {bad!r}; it can be 512, 1024, 2048, 4096")
            for bad in (0, 1, 4, 511, 512.0, 16384, "512")
        ),
        *(
            ({"record_size_limit": bad}, f"record_size_limit is {bad!r}; it can be 64 to 16384")
            for bad in (0, 63, 16385, "64")
        ),
        ({"alpn_protocols": "h2"}, "a list of names, not one string"),
        ({"alpn_protocols": [""]}, "alpn_protocols: ''"),
        ({"alpn_protocols": ["x" * 256]}, "alpn_protocols: 'xxx"),
        ({"alpn_protocols": ["käse"]}, "alpn_protocols: 'käse'"),
        ({"alpn_protocols": [b"h2"]}, "alpn_protocols: b'h2'"),
        ({"alpn_protocols": [f"{number:0255}" for number in range(200)]}, "alpn_protocols: together"),
    ],
)
def test_bad_setting_is_named(provider: Any, settings: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigurationError, match=what) as caught:
        made(provider=provider, **settings)
    assert any(name in explain(caught.value) for name in settings)  # spelled as it is written in a program


def test_engine_that_lacks_something_is_refused_before_a_handshake_needs_it(provider: Any) -> None:
    class Older:
        def __getattr__(self, name: str) -> Any:
            if name == "signing_key":
                raise AttributeError(name)
            return getattr(provider, name)

    with pytest.raises(ConfigurationError, match=r"^Older is no CryptoProvider .* lacks signing_key$"):
        made(provider=Older())
    with pytest.raises(ConfigurationError, match=r"^str is no CryptoProvider .* lacks name, groups, .*, verify$"):
        made(provider="native")
    assert made(provider=provider).provider is provider


def test_one_family_of_suites_needs_schemes_of_that_family_only(provider: Any) -> None:
    """CH-09."""
    made(provider=provider, cipher_suites=(ECDSA_128,), signature_schemes=(0x0403,))
    made(provider=provider, cipher_suites=(RSA_128,), signature_schemes=(0x0804,))


def test_longest_protocol_name_passes(provider: Any) -> None:
    assert made(provider=provider, alpn_protocols=["x" * 255]).alpn_protocols == (b"x" * 255,)


def test_settings_are_keywords_only() -> None:
    with pytest.raises(TypeError):
        ClientConfig(TrustStore.empty())  # type: ignore[misc]


@pytest.mark.parametrize("name", ["trust", "groups", "verify", "insecure_allow_legacy_renegotiation", "new"])
def test_settings_cannot_be_changed_removed_or_added(name: str) -> None:
    config = made()
    with pytest.raises(AttributeError, match="immutable"):
        setattr(config, name, None)
    with pytest.raises(AttributeError, match="immutable"):
        delattr(config, name)


def test_trust_is_frozen_by_the_configuration_that_uses_it() -> None:
    trust = TrustStore.empty()
    root = pki.shared().root.der
    trust.add(root)
    made(trust=trust)
    with pytest.raises(UsageError, match="in use by a ClientConfig"):
        trust.add(root)


def test_trust_stays_open_when_the_configuration_was_refused() -> None:
    trust = TrustStore.empty()
    with pytest.raises(ConfigurationError):
        made(trust=trust, groups=())
    trust.add(pki.shared().root.der)


def test_random_bytes_come_from_the_system_unless_told() -> None:
    config = made()
    first, second = config.random(32), config.random(32)
    assert len(first) == len(second) == 32
    assert first != second


def test_random_bytes_come_from_the_given_source(provider: Any) -> None:
    asked: list[int] = []

    def source(count: int) -> bytes:
        asked.append(count)
        return bytes((len(asked),)) * count

    config = made(insecure_entropy=source, provider=provider)
    assert [bytes(config.random(count)) for count in (32, 48, 16)] == [b"\1" * 32, b"\2" * 48, b"\3" * 16]
    assert asked == [32, 48, 16]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (lambda count: bytes(count - 1), "gave 31 bytes, asked were 32"),
        (lambda count: bytes(count + 1), "gave 33 bytes, asked were 32"),
        (lambda count: b"", "gave 0 bytes"),
        (lambda count: None, "gave NoneType"),
        (lambda count: count, "gave int"),  # what readinto() returns: bytes(32) would be 32 zeros
        (lambda count: "x" * count, "gave str"),
        (lambda count: 1 / 0, "failed: division by zero"),
    ],
)
def test_source_that_fails_or_gives_something_else_is_an_entropy_error(source: Any, what: str) -> None:
    """PROF-04: no fallback."""
    with pytest.raises(EntropyError, match=what):
        made(insecure_entropy=source).random(32)


def test_source_that_raises_keeps_its_cause() -> None:
    def source(count: int) -> bytes:
        raise OSError("chip asleep")

    with pytest.raises(EntropyError, match="chip asleep") as caught:
        made(insecure_entropy=source).random(32)
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize(("first", "second"), [(32, 32), (32, 48), (48, 32)])
def test_two_equal_draws_in_a_row_are_an_entropy_error(provider: Any, first: int, second: int) -> None:
    config = made(insecure_entropy=lambda count: b"\7" * count, provider=provider)
    config.random(first)
    with pytest.raises(EntropyError, match="the same bytes twice"):
        config.random(second)


def test_short_draws_may_repeat(provider: Any) -> None:
    config = made(insecure_entropy=lambda count: b"\7" * count, provider=provider)
    assert config.random(16) == config.random(16)


def test_configuration_keeps_no_bytes_it_has_drawn(provider: Any) -> None:
    """A draw becomes an ephemeral private key, which nothing may outlive (RFC 9325 §6.3, forward secrecy)."""
    config = made(provider=provider)
    drawn = bytes(config.random(32))
    kept = [getattr(config, name) for name in ClientConfig.__slots__]
    assert drawn not in kept
    assert [drawn] not in kept


@pytest.mark.parametrize(
    ("settings", "family"),
    [({"signature_schemes": (0x0403,)}, "ECDSA"), ({"groups": (NamedGroup.X25519,)}, "RSA")],
)
def test_default_suites_are_those_that_the_other_settings_can_finish(
    provider: Any, settings: dict[str, Any], family: str
) -> None:
    """CH-09."""
    suites = made(provider=provider, **settings).cipher_suites
    assert len(suites) == 3
    assert all(f"_{family}_" in suite.name for suite in suites)


@pytest.mark.parametrize("clock", [lambda: 1 / 0, lambda: None, lambda: "noon"])
def test_clock_without_a_time_is_named(provider: Any, clock: Any) -> None:
    with pytest.raises(ConfigurationError, match="the configured clock failed"):
        made(provider=provider, clock=clock).now()
