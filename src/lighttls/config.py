"""ClientConfig: the frozen settings of one client, clock and entropy included."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

from lighttls._typing import TYPE_CHECKING, Any, Final, TypeVar
from lighttls.crypto import default_provider
from lighttls.crypto.provider import CryptoProvider, KeySchedule, missing_from
from lighttls.crypto.suites import SUITES
from lighttls.errors import ConfigurationError, EntropyError
from lighttls.iana import FRAGMENT_LENGTHS, CipherSuite, NamedGroup, SignatureScheme
from lighttls.identity import Identity, IdentitySelector
from lighttls.profiles import PROFILES
from lighttls.psk import Psk, PskSelector, check_strength
from lighttls.session import SessionStore
from lighttls.x509 import TrustStore, VerifyPolicy

if TYPE_CHECKING:
    from lighttls.keys import KeyExchange

SMALLEST_SIZE_LIMIT: Final = 64  # RFC 8449 §4
LARGEST_SIZE_LIMIT: Final = 1 << 14  # RFC 5246 §6.2.1

_N = TypeVar("_N", CipherSuite, NamedGroup, SignatureScheme)
_D = TypeVar("_D")


class ClientConfig:
    """Everything about a client that does not change from connection to connection.

    Immutable, and shared by any number of connections and threads; it freezes `trust`.
    Sequences are in order of preference; `cipher_suites` are by default all that the other settings can
    finish. `profile="cellular"` is for links that are paid by the byte: unless these settings say otherwise, it offers
    ECDHE-ECDSA alone, with ChaCha20-Poly1305 and AES-128-GCM, x25519 and P-256, in the shortest ClientHello that is as
    secure; a server with an RSA certificate alone refuses it. docs/bytes.md has the numbers.
    `identity` may be a function: it is asked with an `IdentityRequest` when a server wants a certificate, and
    gives an Identity, or None to go on without. `psk` is a pre-shared key, or a function that is asked with a
    `PskRequest` and gives one; it needs PSK suites in `cipher_suites`, of which none is there unless it is listed. With
    no other suites `trust` may be None: there is no certificate to judge.
    `key_exchange` makes the ephemeral keys of its groups, in a secure element; without `groups` no others are offered,
    and what `groups` lists beyond them the engine does.
    `clock` gives seconds since 1970 in UTC. `key_log` is called with one line in NSS key log format: whoever reads it
    reads the traffic.
    `sessions` keeps what later connections resume with; tickets are offered where it is set, a session is given to the
    connection, or `offer_tickets` says so (False: session IDs alone). `allow_non_ems_resumption` keeps sessions of
    servers without the extended master secret too, which RFC 7627 §5.3 advises against.
    RFC 7925's profile for devices is a matter of listing (PROF-02): one of its suites, group and scheme, a store, and
    `max_fragment_length`.
    `require_extended_master_secret=True` refuses servers without it (RFC 7627 §5.2), `require_alpn=True` those that
    choose none of `alpn_protocols` (RFC 9325 §3.8).
    `max_fragment_length` asks that records carry at most 512, 1024, 2048 or 4096 bytes, both ways (RFC 6066 §4).
    `record_size_limit` says how many bytes, 64 to 16384, we take in a protected record, and lets the server say what
    it takes (RFC 8449). A server may ignore either and send up to 16384 bytes; `ClientConnection.info` shows it.
    `request_ocsp` and `request_scts` ask for an OCSP response (RFC 6066 §8) and for signed certificate timestamps
    (RFC 6962): both are handed on as they come, to `verify.verifier` and in the info. A response that comes must say
    that the server's certificate is good (RFC 6960), and must come if that certificate promises one (RFC 7633);
    timestamps are not judged.
    `false_start=True` lets data follow our Finished at once (RFC 7918), a round trip earlier, to a server that has
    completed a handshake with this configuration and the same suite before, does not ask for a certificate, and whose
    certificates' dates are checked. `ClientConnection.can_send_data` is then true before `is_established` is, and the
    faces return then. Of what was sent nothing is known to have arrived before the server's Finished came.
    `insecure_fallback_scsv=True` tells the server that a higher version was tried before and failed (RFC 7507): for
    callers that really come back with less. Every server that speaks more than TLS 1.2 refuses it.
    `cache_signatures` remembers, within this configuration, which signatures on certificates have verified, so that a
    chain that comes again costs none; everything else about it is judged every time.
    `insecure_entropy(n)` replaces the system's random source: every key hangs on it.
    `trace=True` keeps the decoded handshake messages in `ClientConnection.trace`.

    Raises ConfigurationError, which names the setting.
    """

    __slots__ = (
        "_completed",
        "_derived",
        "_last_draw",
        "allow_non_ems_resumption",
        "alpn_protocols",
        "cache_signatures",
        "cipher_suites",
        "clock",
        "false_start",
        "groups",
        "identity",
        "insecure_allow_legacy_renegotiation",
        "insecure_entropy",
        "insecure_fallback_scsv",
        "key_exchange",
        "key_log",
        "max_fragment_length",
        "offer_tickets",
        "profile",
        "provider",
        "psk",
        "record_size_limit",
        "request_ocsp",
        "request_scts",
        "require_alpn",
        "require_extended_master_secret",
        "sessions",
        "signature_schemes",
        "trace",
        "trust",
        "verify",
    )

    trust: TrustStore  # empty if None was given
    identity: Identity | IdentitySelector | None
    psk: Psk | PskSelector | None
    key_exchange: KeyExchange | None
    alpn_protocols: tuple[bytes, ...]
    cipher_suites: tuple[CipherSuite, ...]
    groups: tuple[NamedGroup, ...]
    signature_schemes: tuple[SignatureScheme, ...]
    verify: VerifyPolicy
    sessions: SessionStore | None
    offer_tickets: bool | None
    allow_non_ems_resumption: bool
    require_extended_master_secret: bool
    require_alpn: bool
    max_fragment_length: int | None
    record_size_limit: int | None
    request_ocsp: bool
    request_scts: bool
    false_start: bool
    insecure_allow_legacy_renegotiation: bool
    insecure_fallback_scsv: bool
    clock: Callable[[], float]
    key_log: Callable[[str], None] | None
    insecure_entropy: Callable[[int], bytes] | None
    provider: CryptoProvider
    profile: str
    trace: bool
    cache_signatures: bool
    _last_draw: list[int | None]
    _derived: dict[str, Any]
    _completed: set[tuple[str, int]]

    def __init__(
        self,
        *,
        trust: TrustStore | None,
        identity: Identity | IdentitySelector | None = None,
        psk: Psk | PskSelector | None = None,
        key_exchange: KeyExchange | None = None,
        alpn_protocols: Iterable[str] = (),
        cipher_suites: Iterable[int] | None = None,
        groups: Iterable[int] | None = None,
        signature_schemes: Iterable[int] | None = None,
        verify: VerifyPolicy | None = None,
        sessions: SessionStore | None = None,
        offer_tickets: bool | None = None,
        allow_non_ems_resumption: bool = False,
        require_extended_master_secret: bool = False,
        require_alpn: bool = False,
        max_fragment_length: int | None = None,
        record_size_limit: int | None = None,
        request_ocsp: bool = False,
        request_scts: bool = False,
        false_start: bool = False,
        insecure_allow_legacy_renegotiation: bool = False,
        insecure_fallback_scsv: bool = False,
        clock: Callable[[], float] = time.time,
        key_log: Callable[[str], None] | None = None,
        insecure_entropy: Callable[[int], bytes] | None = None,
        provider: CryptoProvider | None = None,
        profile: str = "default",
        trace: bool = False,
        cache_signatures: bool = True,
    ) -> None:
        if trust is not None and not isinstance(trust, TrustStore):
            raise ConfigurationError(_TRUST_NEEDED)
        if identity is not None and not isinstance(identity, Identity) and not callable(identity):
            raise ConfigurationError(
                "the setting identity must be an Identity, a function that chooses one, or None",
                hint="Identity.from_file(path, key=path) reads one.",
            )
        if psk is not None and not isinstance(psk, Psk) and not callable(psk):
            raise ConfigurationError("the setting psk must be a Psk, a function that chooses one, or None")
        if key_exchange is not None and not all(hasattr(key_exchange, each) for each in _KEY_EXCHANGE):
            raise ConfigurationError(
                f"{type(key_exchange).__name__} is no KeyExchange: that has {', '.join(_KEY_EXCHANGE)}"
            )
        if verify is not None and not isinstance(verify, VerifyPolicy):
            raise ConfigurationError("the setting verify must be a VerifyPolicy or None")
        if sessions is not None and not all(hasattr(sessions, each) for each in ("load", "save", "delete")):
            raise ConfigurationError(f"{type(sessions).__name__} is no SessionStore: that has load, save and delete")
        if not isinstance(profile, str) or profile not in PROFILES:
            raise ConfigurationError(
                f"the setting profile is {profile!r}; it can be {' or '.join(map(repr, PROFILES))}"
            )
        if provider is not None and (missing := missing_from(provider)):
            raise ConfigurationError(
                f"{type(provider).__name__} is no CryptoProvider (lighttls.crypto.provider): it lacks "
                f"{', '.join(missing)}"
            )
        usual = PROFILES[profile]
        if groups is None:
            groups = usual.groups if key_exchange is None else key_exchange.groups
        signature_schemes = usual.signature_schemes if signature_schemes is None else signature_schemes
        engine = provider if provider is not None else default_provider()
        settings: dict[str, Any] = {
            "trust": trust if trust is not None else TrustStore.empty(),
            "identity": identity,
            "psk": psk,
            "key_exchange": key_exchange,
            "alpn_protocols": _protocols(alpn_protocols),
            "groups": _choice("groups", NamedGroup, groups, engine.groups),
            "signature_schemes": _choice(  # what the engine verifies, here and in certificates (GRP-11, GRP-12)
                "signature_schemes", SignatureScheme, signature_schemes, engine.signature_schemes - _SHA1_SCHEMES
            ),
            "verify": verify if verify is not None else VerifyPolicy(),
            "sessions": sessions,
            "offer_tickets": offer_tickets,
            "allow_non_ems_resumption": allow_non_ems_resumption,
            "require_extended_master_secret": require_extended_master_secret,
            "require_alpn": require_alpn,
            "max_fragment_length": _fragment_length(max_fragment_length),
            "record_size_limit": _size_limit(record_size_limit),
            "request_ocsp": request_ocsp,
            "request_scts": request_scts,
            "false_start": false_start,
            "insecure_allow_legacy_renegotiation": insecure_allow_legacy_renegotiation,
            "insecure_fallback_scsv": insecure_fallback_scsv,
            "clock": clock,
            "key_log": key_log,
            "insecure_entropy": insecure_entropy,
            "provider": engine,
            "profile": profile,
            "trace": trace,
            "cache_signatures": cache_signatures,
            "_last_draw": [None],
            "_completed": set(),
            "_derived": {},
        }
        settings["cipher_suites"] = _suites(
            cipher_suites, usual.cipher_suites, settings["groups"], settings["signature_schemes"], psk
        )
        if trust is None and not all(SUITES[code].pre_shared for code in settings["cipher_suites"]):
            raise ConfigurationError(_TRUST_NEEDED)
        revocation = settings["verify"].revocation
        if revocation is not None and revocation.ocsp == "require" and not request_ocsp:
            raise ConfigurationError(
                'RevocationPolicy(ocsp="require") wants a stapled response, which needs ClientConfig(request_ocsp=True)'
            )
        if require_alpn and not settings["alpn_protocols"]:
            raise ConfigurationError("require_alpn is set, but there are no alpn_protocols to choose from")
        settings["trust"].freeze()
        for name, value in settings.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a ClientConfig is immutable; make a new one to change {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a ClientConfig is immutable; {name} stays")

    def derived(self, name: str, make: Callable[[ClientConfig], _D]) -> _D:
        """What follows from these settings alone, or a bounded memory of such, made at its first use and kept."""
        if name not in self._derived:
            self._derived[name] = make(self)
        value: _D = self._derived[name]
        return value

    def note_completed(self, host: str, suite: int) -> None:
        """Remember for False Start that a full handshake with this host and suite was completed."""
        if len(self._completed) >= _REMEMBERED_HANDSHAKES:
            self._completed.clear()
        self._completed.add((host, suite))

    def has_completed(self, host: str, suite: int) -> bool:
        """Whether such a handshake is remembered."""
        return (host, suite) in self._completed

    def now(self) -> float:
        """The clock's time, in seconds since 1970. Raises ConfigurationError if it has none."""
        try:
            return float(self.clock())
        except Exception as cause:
            raise ConfigurationError(f"the configured clock failed: {type(cause).__name__}: {cause}") from cause

    def log_keys(self, client_random: bytes, schedule: KeySchedule) -> None:
        """Hand the master secret to the key log that there is (PROF-06).

        Raises ConfigurationError, which does not repeat what the log said: that may hold the secret.
        """
        try:
            self.key_log(  # type: ignore[misc] # whoever calls has looked
                f"CLIENT_RANDOM {client_random.hex()} {schedule.master_secret().hex()}"
            )
        except Exception as cause:
            raise ConfigurationError(f"the configured key_log failed with {type(cause).__name__}") from None

    def random(self, count: int) -> bytearray:
        """Random bytes from the configured source (PROF-04), in a buffer that whoever draws a secret wipes.

        Raises EntropyError: it failed, gave too little, or gave the same 32 bytes twice in a row.
        """
        source = self.insecure_entropy
        try:
            given = os.urandom(count) if source is None else source(count)
        except Exception as cause:
            raise EntropyError(f"the random source failed: {cause}") from cause
        if type(given) is not bytes and not isinstance(given, bytes | bytearray):
            raise EntropyError(f"the random source gave {type(given).__name__}, expected bytes")
        if len(given) != count:
            raise EntropyError(f"the random source gave {len(given)} bytes, asked were {count}")
        if count >= 32:
            # Python's keyed 64-bit hash of it is kept, not the draw: that may be a private key.
            trace = hash(bytes(given[:32]))
            if trace == self._last_draw[0]:
                raise EntropyError("the random source gave the same bytes twice")
            self._last_draw[0] = trace
        return bytearray(given)


_REMEMBERED_HANDSHAKES: Final = 1024

_KEY_EXCHANGE: Final = ("groups", "generate", "derive")

# Offered neither here (GRP-09) nor in signature_algorithms_cert, which we do not send (GRP-10).
_SHA1_SCHEMES: Final = frozenset((SignatureScheme.RSA_PKCS1_SHA1, SignatureScheme.ECDSA_SHA1))


def _choice(setting: str, enum: type[_N], wanted: Iterable[int], possible: Iterable[int]) -> tuple[_N, ...]:
    known = frozenset(possible)
    chosen: list[_N] = []
    for value in wanted:
        if value not in known:
            raise ConfigurationError(
                f"{setting}: {value!r} is none that this client can use", hint=f"Give members of {enum.__name__}."
            )
        if value in chosen:
            raise ConfigurationError(f"{setting}: {enum(value).name} stands there twice")
        chosen.append(enum(value))
    if not chosen:
        raise ConfigurationError(f"the setting {setting} is empty")
    return tuple(chosen)


_LONGEST_PROTOCOL_LIST: Final = 1 << 15  # all extensions together must stay below 2^16 (RFC 5246 §7.4.1.4)


def _protocols(names: Iterable[str]) -> tuple[bytes, ...]:
    if isinstance(names, str):
        raise ConfigurationError("alpn_protocols must be a list of names, not one string")
    encoded = []
    for name in names:
        if not isinstance(name, str) or not name.isascii() or not 1 <= len(name) <= 255:  # ALPN-01
            raise ConfigurationError(f"alpn_protocols: {name!r} is no protocol name of 1 to 255 ASCII characters")
        encoded.append(name.encode("ascii"))
    if sum(map(len, encoded)) + len(encoded) > _LONGEST_PROTOCOL_LIST:
        raise ConfigurationError(f"alpn_protocols: together longer than {_LONGEST_PROTOCOL_LIST} bytes")
    return tuple(encoded)


def _fragment_length(wanted: int | None) -> int | None:
    if wanted is not None and not (isinstance(wanted, int) and wanted in FRAGMENT_LENGTHS):  # SIZE-01
        possible = ", ".join(map(str, FRAGMENT_LENGTHS))
        raise ConfigurationError(f"max_fragment_length is {wanted!r}; it can be {possible} or None")
    return wanted


def _size_limit(wanted: int | None) -> int | None:
    if wanted is not None and not (isinstance(wanted, int) and SMALLEST_SIZE_LIMIT <= wanted <= LARGEST_SIZE_LIMIT):
        raise ConfigurationError(  # SIZE-08
            f"record_size_limit is {wanted!r}; it can be {SMALLEST_SIZE_LIMIT} to {LARGEST_SIZE_LIMIT} or None"
        )
    return wanted


_TRUST_NEEDED: Final = (
    "the setting trust must be a TrustStore; there is no default, since it decides who is believed. "
    "None will do where every suite has a pre-shared key, TrustStore.empty() where raw keys alone are believed"
)


def _suites(
    wanted: Iterable[int] | None,
    usual: tuple[int, ...],
    groups: tuple[NamedGroup, ...],
    schemes: tuple[SignatureScheme, ...],
    psk: Psk | PskSelector | None,
) -> tuple[CipherSuite, ...]:
    """CH-09, PSK-01: only what we can finish is offered."""
    chosen = _choice("cipher_suites", CipherSuite, usual if wanted is None else wanted, SUITES)
    if psk is not None and not any(SUITES[code].pre_shared for code in chosen):
        raise ConfigurationError("psk is set, but cipher_suites lists no suite with a pre-shared key")
    missing = {code: _missing(code, groups, schemes, psk) for code in chosen}
    possible = tuple(code for code in chosen if not missing[code])
    if possible and wanted is None:
        return possible
    for code in chosen:
        if missing[code]:
            raise ConfigurationError(f"{missing[code]}, which {code.name} needs")
        if isinstance(psk, Psk) and SUITES[code].pre_shared:
            check_strength(psk, SUITES[code])
    return chosen


def _missing(
    suite: CipherSuite,
    groups: tuple[NamedGroup, ...],
    schemes: tuple[SignatureScheme, ...],
    psk: Psk | PskSelector | None,
) -> str:
    """What a suite lacks, as the start of a sentence; empty if nothing."""
    if SUITES[suite].pre_shared:
        return "" if psk is not None else "the setting psk has no pre-shared key"
    family = "ECDSA" if SUITES[suite].key_type == "ec" else "RSA"
    if not any(scheme.name.startswith(family) for scheme in schemes):
        return f"the setting signature_schemes has no {family} scheme"
    if family == "ECDSA" and all(group == NamedGroup.X25519 for group in groups):  # GRP-02, CERT-10
        return "the setting groups has no curve for a server certificate's key, such as secp256r1"
    return ""
