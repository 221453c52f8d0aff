"""What the other rooms need from a crypto engine, and nothing else.

Two engines fulfil it: `native` (our C) and `pure` (`cryptography` and hashlib, the executable
specification). Secrets stay behind these objects; they leave by named exits only
(`KeySchedule.master_secret` for key log and session, `KeySchedule.export`).
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls._typing import Protocol
from lighttls.crypto.suites import Suite

Entropy = Callable[[int], bytes | bytearray]
"""Random bytes on demand; `bytearray` results are wiped after use."""


class Premaster(Protocol):
    """A premaster secret that only a key schedule of the same engine can read."""

    def wipe(self) -> None: ...


class RecordSealer(Protocol):
    """Protects what we send: key, nonces and sequence number of one direction."""

    def seal(self, content_type: int, data: bytes | bytearray | memoryview, limit: int) -> bytes:
        """Protect `data` as records of at most `limit` (1 to 16384) plaintext bytes each, headers included.

        Empty `data` makes one empty record. Raises UsageError when the key has protected as many
        records as it may (REC-26); nothing is sealed then.
        """

    def seal_data(self, data: bytes | memoryview) -> bytes:
        """The short way for application data, in the largest records there are."""

    @property
    def short_bytes(self) -> int:
        """Bytes that `seal_data` has returned: counted here, so that the caller need not count each time."""

    def close(self, content_type: int, data: bytes) -> bytes:
        """Protect one last short record (an alert), which the budget of REC-26 always leaves room for."""


class RecordOpener(Protocol):
    """Opens what we receive: key, nonces and sequence number of one direction."""

    def open_data(self, data: bytes) -> bytes | None:
        """The short way for application data: the plaintext of `data` if it is exactly one record of it, not empty.

        None: it is something else, and nothing was done. Raises BadRecordMac.
        """

    @property
    def short_bytes(self) -> int:
        """Bytes of the records that `open_data` has opened."""

    def open_into(self, data: bytes | memoryview, out: memoryview) -> tuple[int, int]:
        """Open the application_data records at the start of `data` straight to `out`: (bytes written, bytes consumed).

        As many as are complete, not empty and fit; stops before anything else, a record that fails included.
        """

    def open(self, data: bytes | bytearray | memoryview, limit: int) -> tuple[list[tuple[int, bytes]], int]:
        """Open the complete records at the start of `data`; `limit` (1 to 16384) is the largest plaintext.

        The result is ([(content type, plaintext)], bytes consumed). Opening stops after a record
        that is not application_data, before an incomplete record, before one that fails, and when
        the engine's buffer is full: call again with the rest. No records at all mean that the
        first one is incomplete.
        Raises only if the first record fails: UnexpectedMessage (REC-01), ProtocolVersion,
        RecordOverflow, BadRecordMac (REC-04 to REC-09, REC-11); the opener must not be used
        afterwards.
        """


class SigningKey(Protocol):
    """A private key on P-256 inside an engine; several threads may sign with it."""

    def sign(self, digest: bytes, random: bytes | bytearray) -> bytes:
        """An ECDSA signature (DER) of a SHA-256, SHA-384 or SHA-512 digest.

        The nonce comes from key, digest and `random` together (RFC 6979 §3.6), so it is a secret even if that is none
        (CAUTH-13).
        """


class RunningDigest(Protocol):
    """A hash that goes on, of what is no secret."""

    def on(self, data: bytes) -> bytes:
        """Take more bytes; the hash of all that it has taken so far."""


class KeySchedule(Protocol):
    """The secrets of one connection, from the master secret on (RFC 5246 §6.3, §8.1)."""

    def finished(self, transcript_hash: bytes) -> bytes:
        """The 12 bytes of our verify_data (RFC 5246 §7.4.9)."""

    def check_finished(self, transcript_hash: bytes, verify_data: bytes) -> None:
        """Compare the server's verify_data with what it must be, in a time that depends on the lengths only (PROF-05).

        Raises DecryptError.
        """

    def record_keys(self) -> tuple[RecordSealer, RecordOpener]:
        """Keys for what a client writes and for what it reads (RFC 5246 §6.3)."""

    def finish(self, transcript_hash: bytes) -> tuple[bytes, RecordSealer, RecordOpener]:
        """What a client needs to finish first, in one call: `finished` and `record_keys`."""

    def export(self, label: bytes, context: bytes | None, length: int) -> bytes:
        """Keying material for the application (RFC 5705 §4). A named exit of secrets."""

    def master_secret(self) -> bytes:
        """The 48 bytes, for the key log and for sessions. A named exit of secrets."""

    def wipe(self) -> None: ...


class CryptoProvider(Protocol):
    """One crypto engine. Instances may be shared, what they return may not.

    They keep nothing but what makes public keys that return quicker; no result depends on it.
    """

    name: str
    groups: frozenset[int]
    signature_schemes: frozenset[int]

    def digest(self, algorithm: str, data: bytes | bytearray | memoryview) -> bytes:
        """Hash `data` with "sha1" (legacy signatures only), "sha256", "sha384" or "sha512"."""

    def running_digest(self, algorithm: str) -> RunningDigest:
        """One that goes on with "sha256", "sha384" or "sha512"."""

    def key_agreement(self, group: int, entropy: Entropy, peer_public: bytes) -> tuple[bytes, Premaster]:
        """ECDH on `group` (IANA number) with a key pair of ours that lives as long as this call (SKE-29).

        Gives our public key in wire form (04 X Y, or 32 bytes for x25519) and the secret. Raises IllegalParameter: the
        peer's is not a point of the group, or an all-zero x25519 result (SKE-05 to SKE-11); EntropyError.
        """

    def premaster(self, secret: bytearray) -> Premaster:
        """Take over a secret from outside (a secure element's ECDH); `secret` is wiped."""

    def psk_premaster(self, key: bytes | bytearray, shared: Premaster | None) -> Premaster:
        """The premaster secret of a pre-shared key of at most 128 bytes.

        With an ECDH secret, which is used up, that of ECDHE_PSK (RFC 5489 §2); with None that of plain PSK
        (RFC 4279 §2). `key` stays the caller's. Raises InternalError: a length that cannot be, or another engine's
        secret.
        """

    def key_schedule(
        self, suite: Suite, premaster: Premaster, client_random: bytes, server_random: bytes, session_hash: bytes | None
    ) -> KeySchedule:
        """Derive the master secret; `session_hash` selects the extended one (RFC 7627 §4). Wipes `premaster`."""

    def resume(self, suite: Suite, master_secret: bytes, client_random: bytes, server_random: bytes) -> KeySchedule:
        """Go on with a stored master secret."""

    def signing_key(self, scalar: bytearray) -> SigningKey | None:
        """Take over a private key on P-256 of 32 bytes, which are wiped. None: this engine does not sign by itself."""

    def at_rest(self, key: bytes, salt: bytes) -> tuple[RecordSealer, RecordOpener]:
        """Protection for data that is kept: what the sealer makes, the opener of the same key and salt opens.

        `key` and `salt` have 32 bytes each. AES-256-GCM under keys that both derive, so one pair seals once:
        whoever seals draws a new salt.
        """

    def cut_certificate(self, data: bytes) -> list[int] | None:
        """Where the parts of a certificate (DER) lie, and what it says: the row of `x509.cutting`, cut as strictly.

        Extensions come in it only where there are no facts. None: malformed, or not for this engine; the caller has to
        look for itself.
        """

    def verify(self, scheme: int, spki: bytes, signature: bytes, message: bytes | bytearray | memoryview) -> None:
        """Check a signature under a SubjectPublicKeyInfo (DER).

        ECDSA schemes bind the hash only, the curve is the key's; the schemes with SHA-1 are for
        certificates below an anchor that permits them. Strict: DER without leeway, PSS salts as
        long as the hash. Raises BadSignature, also for a key that does not fit the scheme; BadKey if
        the key is none at all.
        """


def missing_from(engine: object) -> list[str]:
    """What `engine` lacks of a `CryptoProvider`: better known before a handshake needs it."""
    wanted = (*CryptoProvider.__annotations__, *vars(CryptoProvider))
    return [name for name in wanted if name[0] != "_" and not hasattr(engine, name)]
