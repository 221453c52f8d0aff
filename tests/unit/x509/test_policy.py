"""What the owner decides: time, pins, depth, leniency."""

from __future__ import annotations

import math
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from lighttls.errors import CertificateError, ChainReason, ConfigurationError
from lighttls.x509 import Certificate, SignaturePolicy, TimePolicy, VerifyPolicy
from lighttls.x509.policy import seconds
from support import certificates as kit

CERTIFICATE = Certificate.parse(kit.make("x", kit.ec_key("policy"), not_before=1000, not_after=2000).der)


def verdict(policy: TimePolicy, at: int) -> ChainReason | None:
    try:
        policy.check(CERTIFICATE, at)
    except CertificateError as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (999, ChainReason.NOT_YET_VALID),
        (1000, None),  # both ends belong to the period (RFC 5280 §4.1.2.5)
        (1500, None),
        (2000, None),
        (2001, ChainReason.EXPIRED),
    ],
)
def test_required_time_must_lie_within_the_period(at: int, reason: ChainReason | None) -> None:
    assert verdict(TimePolicy.required(), at) is reason


@pytest.mark.parametrize(
    ("floor", "at", "reason"),
    [
        (1500, 0, None),  # clock unset: only the floor is certain
        (1500, 1499, None),
        (500, 0, None),  # notBefore is not looked at
        (2000, 0, None),
        (2001, 0, ChainReason.EXPIRED),
        (500, 600, ChainReason.NOT_YET_VALID),  # a clock after the floor is believed
        (500, 2001, ChainReason.EXPIRED),
    ],
)
def test_floor_replaces_a_clock_that_is_known_to_be_wrong(floor: int, at: int, reason: ChainReason | None) -> None:
    assert verdict(TimePolicy.floor(floor), at) is reason


@pytest.mark.parametrize("at", [0, 1500, 1 << 35])
def test_unchecked_time_accepts_every_date(at: int) -> None:
    assert verdict(TimePolicy.insecure_until_checked(), at) is None
    assert not TimePolicy.insecure_until_checked().checks_dates


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (5, 5),
        (5.999, 5),
        (-0.5, -1),
        (datetime(1970, 1, 2, tzinfo=UTC), 86400),
        (datetime(1970, 1, 2, 1, tzinfo=timezone(timedelta(hours=1))), 86400),
        (datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC), 1),
        (date(1970, 1, 2), 86400),
    ],
)
def test_times_become_whole_seconds(when: float | date | datetime, expected: int) -> None:
    assert seconds(when) == expected


@pytest.mark.parametrize("when", [math.nan, math.inf, -math.inf, 1e30, datetime(2026, 1, 1)])
def test_what_is_no_moment_is_refused(when: float | datetime) -> None:
    with pytest.raises(ConfigurationError):
        seconds(when)


def test_defaults_are_strict() -> None:
    assert (SignaturePolicy().sha1, SignaturePolicy().min_rsa_bits) == (False, 2048)
    policy = VerifyPolicy()
    assert policy.time.checks_dates
    assert policy.check_hostname
    assert not policy.insecure_skip_verify


@pytest.mark.parametrize("bits", [0, 512, 1023, 8193])
def test_rsa_minimum_has_limits_itself(bits: int) -> None:
    with pytest.raises(ConfigurationError, match="between 1024 and 8192"):
        SignaturePolicy(min_rsa_bits=bits)


def test_pins_are_bytes_or_base64() -> None:
    digest = bytes(range(32))
    assert VerifyPolicy(pins=[digest]).pins == VerifyPolicy(pins=[b64encode(digest).decode()]).pins == {digest}


@pytest.mark.parametrize("pins", [[b"short"], ["not base64!"], ["YWJj"], "A" * 44, b"x" * 32])
def test_what_is_no_pin_is_refused(pins: object) -> None:
    with pytest.raises(ConfigurationError, match="pin"):
        VerifyPolicy(pins=pins)  # type: ignore[arg-type]


def test_negative_depth_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_depth"):
        VerifyPolicy(max_depth=-1)


def test_equal_settings_are_equal_policies() -> None:
    assert VerifyPolicy(max_depth=3) == VerifyPolicy(max_depth=3)
    assert VerifyPolicy(max_depth=3) != VerifyPolicy()
