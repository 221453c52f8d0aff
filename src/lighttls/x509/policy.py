"""What the owner of a device decides: time, names, depth, pins, and leniency below one anchor."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterable, Mapping

from lighttls._struct import struct
from lighttls._typing import TYPE_CHECKING, Final
from lighttls.errors import CertificateError, ChainReason, ConfigurationError
from lighttls.x509 import der

if TYPE_CHECKING:
    from datetime import date, datetime

    from lighttls.x509.certificate import Certificate
    from lighttls.x509.raw_keys import RawKey
    from lighttls.x509.revocation_policy import RevocationPolicy
    from lighttls.x509.verdict import ChainVerifier

LARGEST_RSA_BITS: Final = 8192
"""No policy goes beyond: one verification with 16384 bits costs as much as sixteen with 4096."""
_SMALLEST_RSA_BITS: Final = 1024  # below, keys have been factored in public

_ANY_POLICY: Final = der.oid("2.5.29.32.0")

SLACK: Final = 300
"""Seconds by which our clock may differ from that of who publishes what is revoked."""

DEFAULT_DEPTH: Final = 10
"""Authorities between leaf and anchor. Public chains have one to three, cross-signed ones four."""


@struct
class SignaturePolicy:
    """How weak signatures and keys on certificates *below one anchor* may be.

    It never reaches the handshake's own signatures. MD5 and older never pass.
    """

    sha1: bool
    min_rsa_bits: int

    def __init__(self, *, sha1: bool = False, min_rsa_bits: int = 2048) -> None:
        if not _SMALLEST_RSA_BITS <= min_rsa_bits <= LARGEST_RSA_BITS:
            raise ConfigurationError(
                f"SignaturePolicy: min_rsa_bits is {min_rsa_bits}; it must lie between "
                f"{_SMALLEST_RSA_BITS} and {LARGEST_RSA_BITS}"
            )
        _set(self, "sha1", sha1)
        _set(self, "min_rsa_bits", min_rsa_bits)


@struct
class TimePolicy:
    """How far the device's clock is believed. Made by `required`, `floor` or `insecure_until_checked`."""

    checks_dates: bool
    earliest: int | None
    """Seconds since 1970: a clock that shows less is known to be wrong."""

    @classmethod
    def required(cls) -> TimePolicy:
        """The clock is right: both dates of every certificate hold at its time."""
        return cls(True, None)

    @classmethod
    def floor(cls, date: date | datetime | float) -> TimePolicy:
        """The clock may be unset, but it is not before `date` (the build date of the firmware, say).

        With a clock before `date`, notAfter must not be before `date`, and notBefore is not looked
        at. A clock at or after `date` is believed.
        """
        return cls(True, seconds(date))

    @classmethod
    def insecure_until_checked(cls) -> TimePolicy:
        """No date is checked now. The verdict says so, and must be repeated once the time is known (CERT-26)."""
        return cls(False, None)

    def check(self, certificate: Certificate, at: int) -> None:
        """Refuse a certificate outside its validity period; both ends belong to it (CERT-18; RFC 5280 4.1.2.5)."""
        if not self.checks_dates:
            return
        if self.earliest is not None and at < self.earliest:
            at = self.earliest
        elif at < certificate.not_before:
            raise CertificateError(
                f"not valid before {date_text(certificate.not_before)}, and the clock says {date_text(at)}",
                ChainReason.NOT_YET_VALID,
            )
        if at > certificate.not_after:
            raise CertificateError(
                f"expired on {date_text(certificate.not_after)}, and the time is taken as {date_text(at)}",
                ChainReason.EXPIRED,
            )

    def untimely(self, since: int, until: int, at: int) -> str:
        """Why what is published anew all the time, a CRL or an OCSP response, is not current; empty if it is (OCSP-12).

        As for certificates, a clock that is known to be behind shows no date as too early.
        """
        if not self.checks_dates:
            return ""
        if self.earliest is not None and at < self.earliest:
            at = self.earliest
        elif at < since - SLACK:
            return f"is from {date_text(since)}, and the clock says {date_text(at)}"
        if at > until + SLACK:
            return f"ended on {date_text(until)}, and the time is taken as {date_text(at)}"
        return ""


@struct
class VerifyPolicy:
    """What a chain must fulfil. Immutable and shared freely.

    `pins`: SHA-256 digests of SubjectPublicKeyInfos (32 bytes, or base64), one of which must be in
    the verified path, anchor included. `max_depth`: authorities between leaf and anchor,
    self-issued ones not counted. `verifier` replaces our verdict, or adds to it. `revocation` says what must be known
    about revocation, and has the lists of revoked certificates.

    The inputs of RFC 5280 6.1.1 (c) to (g) on certificate policies: `require_explicit_policy` demands a path that was
    issued under one of `initial_policies` (OIDs with dots, such as "2.23.140.1.2.2"; None: under any, so long as it is
    the same from the anchor down), `inhibit_policy_mapping` lets no authority translate policies, and with
    `inhibit_any_policy` anyPolicy in a certificate stands for nothing. Without `require_explicit_policy` they are used
    only where an authority in the path demands a policy.

    `raw_keys` says which raw public keys a host may show instead of a chain (RFC 7250): SubjectPublicKeyInfos (DER) or
    their SHA-256 digests (32 bytes, or base64), one or several, by host name or address. They hold for that host
    alone; nothing else about the server is checked then, and neither `pins`, `verifier` nor `insecure_skip_verify`
    has a say. A chain from that host passes as well if the trust store has anchors; with an empty one only these
    keys do.
    """

    time: TimePolicy
    check_hostname: bool
    max_depth: int
    initial_policies: frozenset[bytes] | None
    """OIDs as in DER; None for any."""
    require_explicit_policy: bool
    inhibit_policy_mapping: bool
    inhibit_any_policy: bool
    revocation: RevocationPolicy | None
    """None: no CRLs, and an OCSP response only if one is stapled or promised."""
    pins: frozenset[bytes]
    raw_keys: tuple[tuple[str, frozenset[bytes]], ...]
    verifier: ChainVerifier | None
    insecure_skip_verify: bool

    def __init__(
        self,
        *,
        time: TimePolicy | None = None,
        check_hostname: bool = True,
        max_depth: int = DEFAULT_DEPTH,
        initial_policies: Iterable[str] | None = None,
        require_explicit_policy: bool = False,
        inhibit_policy_mapping: bool = False,
        inhibit_any_policy: bool = False,
        revocation: RevocationPolicy | None = None,
        pins: Iterable[bytes | str] = (),
        raw_keys: Mapping[str, RawKey | Iterable[RawKey]] | None = None,
        verifier: ChainVerifier | None = None,
        insecure_skip_verify: bool = False,
    ) -> None:
        if max_depth < 0:
            raise ConfigurationError(f"VerifyPolicy: max_depth is {max_depth}; it must not be negative")
        if revocation is not None and not hasattr(revocation, "crls"):
            raise ConfigurationError("VerifyPolicy: revocation must be a RevocationPolicy or None")
        if isinstance(pins, (bytes, str)):
            raise ConfigurationError("VerifyPolicy: pins must be a collection of pins, not one pin")
        _set(self, "time", TimePolicy.required() if time is None else time)
        _set(self, "check_hostname", check_hostname)
        _set(self, "max_depth", max_depth)
        _set(self, "initial_policies", None if initial_policies is None else _policies(initial_policies))
        _set(self, "require_explicit_policy", require_explicit_policy)
        _set(self, "inhibit_policy_mapping", inhibit_policy_mapping)
        _set(self, "inhibit_any_policy", inhibit_any_policy)
        _set(self, "revocation", revocation)
        _set(self, "pins", frozenset(pin_digest(pin) for pin in pins))
        _set(self, "raw_keys", () if raw_keys is None else _raw_keys(raw_keys))
        _set(self, "verifier", verifier)
        _set(self, "insecure_skip_verify", insecure_skip_verify)

    def raw_keys_of(self, host: str) -> frozenset[bytes]:
        """The keys and digests of a host, by its name in the form for comparison."""
        return next((keys for name, keys in self.raw_keys if name == host), frozenset())


def _policies(given: Iterable[str]) -> frozenset[bytes] | None:
    """OIDs of policies from their written form; None if anyPolicy is among them."""
    written = () if isinstance(given, str) else tuple(given)
    if not written:
        raise ConfigurationError("VerifyPolicy: initial_policies must be a collection of one or more OIDs, or None")
    for each in written:
        arcs = each.split(".") if isinstance(each, str) and each.isascii() else ()
        if (
            len(arcs) < 2
            or not all(map(str.isdigit, arcs))
            or int(arcs[0]) > 2
            or (arcs[0] < "2" and int(arcs[1]) > 39)
        ):
            raise ConfigurationError(f"VerifyPolicy: initial_policies has {each!r}, which is no OID written with dots")
    policies = frozenset(map(der.oid, written))
    return None if _ANY_POLICY in policies else policies


def _raw_keys(given: Mapping[str, RawKey | Iterable[RawKey]]) -> tuple[tuple[str, frozenset[bytes]], ...]:
    from lighttls.x509 import raw_keys  # which reads keys and names by modules that import this one

    return raw_keys.by_host(given)


def seconds(when: date | datetime | float) -> int:
    """Whole seconds since 1970 UTC; a `datetime` must know its zone, a `date` means its first second."""
    if isinstance(when, (int, float)):
        if not -(1 << 40) < when < 1 << 40:  # also false for NaN
            raise ConfigurationError(f"{when} is no time in seconds since 1970")
        return int(when // 1)
    timestamp = getattr(when, "timestamp", None)  # a datetime; its module is not imported for this question
    if timestamp is None:
        return (when.toordinal() - 719163) * 86400
    if getattr(when, "tzinfo", None) is None:
        raise ConfigurationError("a datetime without a time zone; use datetime.now(UTC) and the like")
    return int(timestamp() // 1)


def date_text(when: int) -> str:
    """Write seconds since 1970 as an ISO 8601 date and time in UTC."""
    from datetime import UTC, datetime, timedelta  # for messages only: its import takes milliseconds

    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=when)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:
        return f"{when} seconds since 1970"


def pin_digest(pin: bytes | str) -> bytes:
    """A SHA-256 digest from its 32 bytes or from base64. Raises ConfigurationError."""
    if isinstance(pin, str):
        try:
            pin = a2b_base64(pin, strict_mode=True)
        except (Base64Error, ValueError) as error:
            raise ConfigurationError(f"VerifyPolicy: pin {pin!r} is not base64") from error
    if len(pin) != 32:
        raise ConfigurationError(f"VerifyPolicy: a pin has {len(pin)} bytes; a SHA-256 digest has 32")
    return bytes(pin)


_set: Final = object.__setattr__
