"""Everything lighttls raises, the alert the peer hears, and what to tell the person in front of the device.

Three readers, three texts: `str(error)` says what was expected, what came and where; `error.alert`
is what the peer hears; `explain(error)` says in two or three sentences what most likely happened
and what to do next.
"""

from __future__ import annotations

from enum import Enum

from lighttls._typing import Any
from lighttls.iana import Alert


class LightTLSError(Exception):
    """Every error lighttls raises.

    `alert` is what the peer is told (None: nothing is sent), `hint` the next step for a person,
    `context` facts for programs, `events` what was already earned before the error, in order.
    """

    alert: Alert | None = None
    hint: str = ""

    def __init__(self, message: str, *, hint: str | None = None, **context: Any) -> None:
        super().__init__(message)
        self.context: dict[str, Any] = context
        self.events: list[Any] = []
        if hint is not None:
            self.hint = hint

    def advice(self) -> str:
        """What to do next, in one to five sentences: what `explain` says after the message."""
        return self.hint


class ProtocolError(LightTLSError):
    """The peer broke the rules of TLS; an alert for it is queued."""

    hint = "The server (or something between) does not speak TLS 1.2 correctly. Capture the bytes and report it."


class DecodeError(ProtocolError):
    """Bytes do not have the declared shape (RFC 5246 §7.2.2)."""

    alert = Alert.DECODE_ERROR
    hint = "A message was malformed: the link may lose or alter bytes. Check the transport first, then the server."


class UnexpectedMessage(ProtocolError):
    """A well-formed message at the wrong moment (RFC 5246 §7.2.2)."""

    alert = Alert.UNEXPECTED_MESSAGE
    hint = "The server sent a message out of order, or it is not a TLS server at all. Check host and port."


class IllegalParameter(ProtocolError):
    """A well-formed message with a forbidden value (RFC 5246 §7.2.2)."""

    alert = Alert.ILLEGAL_PARAMETER
    hint = "The server chose something we did not offer or that is not allowed. Its TLS stack is faulty."


class UnsupportedExtension(ProtocolError):
    """The server answered an extension we did not send (RFC 5246 §7.4.1.4)."""

    alert = Alert.UNSUPPORTED_EXTENSION
    hint = "The server answered an extension nobody asked for. Its TLS stack is faulty."


class ProtocolVersion(ProtocolError):
    """The server does not speak TLS 1.2 (RFC 5246 §7.2.2)."""

    alert = Alert.PROTOCOL_VERSION
    hint = "lighttls speaks TLS 1.2 only. Enable TLS 1.2 on the server; older and newer versions cannot be used."


class HandshakeFailure(ProtocolError):
    """No acceptable common parameters (RFC 5246 §7.2.2)."""

    alert = Alert.HANDSHAKE_FAILURE
    hint = "Client and server have no acceptable setting in common. Compare what each side offers."


class NoApplicationProtocol(ProtocolError):
    """The server agreed on no application protocol, and `require_alpn` wants one (RFC 7301 §3.2)."""

    alert = Alert.NO_APPLICATION_PROTOCOL
    hint = "The server does not answer ALPN: it may be another service than expected. Check host, port and names."


class BadRecordMac(ProtocolError):
    """A record failed authentication (RFC 5246 §7.2.2)."""

    alert = Alert.BAD_RECORD_MAC
    hint = "The link corrupted data or someone altered it. Reconnect; if it repeats, capture the bytes."


class RecordOverflow(ProtocolError):
    """A record is longer than TLS allows (RFC 5246 §7.2.2)."""

    alert = Alert.RECORD_OVERFLOW
    hint = "The link lost bytes, so that lengths are read from the wrong place, or the server ignores the size limit."


class DecryptError(ProtocolError):
    """A handshake signature or Finished is wrong (RFC 5246 §7.2.2)."""

    alert = Alert.DECRYPT_ERROR
    hint = (
        "The server's proof does not check out: the link or someone on it altered the handshake, or the server's key "
        "does not fit its certificate. Reconnect; if it repeats, capture the bytes."
    )


class ChainReason(Enum):
    """Why a certificate chain was refused: (name, alert, explanation)."""

    alert: Alert
    explanation: str

    def __new__(cls, name: str, alert: Alert, explanation: str) -> ChainReason:
        member = object.__new__(cls)
        member._value_ = name
        member.alert = alert
        member.explanation = explanation
        return member

    MALFORMED = (
        "malformed",
        Alert.BAD_CERTIFICATE,
        "A certificate could not be read. Ask whoever runs the server to check its certificate file.",
    )
    UNKNOWN_ISSUER = (
        "unknown_issuer",
        Alert.UNKNOWN_CA,
        "No path leads from the server's certificate to a root you trust. Either the root is missing from your "
        "trust store, or the server does not send its intermediate certificate.",
    )
    SELF_SIGNED = (
        "self_signed",
        Alert.UNKNOWN_CA,
        "The server's certificate (or its root) is self-signed and not in your trust store. If you run that server, "
        "add its certificate to the trust store.",
    )
    BAD_SIGNATURE = (
        "bad_signature",
        Alert.BAD_CERTIFICATE,
        "A certificate's signature does not verify under its issuer's key. A root with the right name but another key "
        "is the usual cause: compare fingerprints.",
    )
    EXPIRED = (
        "expired",
        Alert.CERTIFICATE_EXPIRED,
        "A certificate has expired, or this device's clock is ahead. Check the clock, then renew the certificate.",
    )
    NOT_YET_VALID = (
        "not_yet_valid",
        Alert.CERTIFICATE_EXPIRED,
        "A certificate is not valid yet: this device's clock is most likely behind or unset. Set the clock "
        "(network time, modem time), or use a time policy made for devices without one.",
    )
    NAME_MISMATCH = (
        "name_mismatch",
        Alert.BAD_CERTIFICATE,
        "The certificate is valid, but for other host names. Connect by a name the certificate lists, or correct the "
        "server's certificate (subjectAltName counts, the common name does not).",
    )
    NOT_A_CA = (
        "not_a_ca",
        Alert.BAD_CERTIFICATE,
        "A certificate that is no certificate authority was used to sign another one. Somebody's chain is assembled "
        "wrongly, or forged.",
    )
    PATH_TOO_LONG = (
        "path_too_long",
        Alert.BAD_CERTIFICATE,
        "The chain has more certificates than an authority in it, or your policy, allows.",
    )
    KEY_USAGE = (
        "key_usage",
        Alert.BAD_CERTIFICATE,
        "A certificate's key usage forbids what its key was used for. The certificate was issued for another purpose.",
    )
    EXTENDED_KEY_USAGE = (
        "extended_key_usage",
        Alert.UNSUPPORTED_CERTIFICATE,
        "A certificate was issued for another purpose than TLS server authentication. Issue it with serverAuth.",
    )
    NAME_CONSTRAINTS = (
        "name_constraints",
        Alert.BAD_CERTIFICATE,
        "An authority in the chain is limited to certain names, and the certificate's names lie outside.",
    )
    CERTIFICATE_POLICY = (
        "certificate_policy",
        Alert.BAD_CERTIFICATE,
        "The chain was not issued under the certificate policies that your VerifyPolicy, or an authority in the chain, "
        "demands. Get a certificate that was, or correct VerifyPolicy(initial_policies=...).",
    )
    PROFILE_VIOLATION = (
        "profile_violation",
        Alert.BAD_CERTIFICATE,
        "A certificate breaks a rule that RFC 5280 makes for certificates on the Internet. Whoever issued it must "
        "issue it anew, correctly.",
    )
    UNKNOWN_CRITICAL_EXTENSION = (
        "unknown_critical_extension",
        Alert.UNSUPPORTED_CERTIFICATE,
        "A certificate has a critical extension that we do not know, and RFC 5280 forbids ignoring it.",
    )
    WEAK_SIGNATURE = (
        "weak_signature",
        Alert.BAD_CERTIFICATE,
        "A certificate below the root is signed with an outdated algorithm such as SHA-1. Renew it; if you cannot, "
        "allow it for this one root with SignaturePolicy(sha1=True). (A root's own SHA-1 signature does not matter.)",
    )
    WEAK_KEY = (
        "weak_key",
        Alert.BAD_CERTIFICATE,
        "A key in the chain is too small, too large, or of a form that is not allowed (RSA of 2048 to 8192 bits, or a "
        "named curve). If it cannot be renewed, a SignaturePolicy for its root may permit RSA-1024.",
    )
    ALGORITHM_MISMATCH = (
        "algorithm_mismatch",
        Alert.BAD_CERTIFICATE,
        "A certificate names one signature algorithm inside and another outside. It is damaged or forged.",
    )
    UNSUPPORTED_ALGORITHM = (
        "unsupported_algorithm",
        Alert.UNSUPPORTED_CERTIFICATE,
        "A certificate uses a key type or signature algorithm that lighttls does not implement.",
    )
    LIMIT_EXCEEDED = (
        "limit_exceeded",
        Alert.BAD_CERTIFICATE,
        "Checking the chain took more work than allowed; real chains never do. The server sends a hostile chain.",
    )
    PIN_MISMATCH = (
        "pin_mismatch",
        Alert.BAD_CERTIFICATE,
        "The chain is valid, but holds none of the pinned keys. The server's key was replaced, or someone intercepts.",
    )
    UNKNOWN_RAW_KEY = (
        "unknown_raw_key",
        Alert.HANDSHAKE_FAILURE,  # RFC 7925 §6: without certificates none of their alerts
        "The server showed a raw public key that is not configured for this host. Its key was replaced, or someone "
        "intercepts. If it was replaced, add the new one to VerifyPolicy(raw_keys=...).",
    )
    CERTIFICATE_TYPE = (
        "certificate_type",
        Alert.UNSUPPORTED_CERTIFICATE,
        "Server and client do not agree on certificates or raw public keys (RFC 7250). Look at what the server is "
        "configured to use, and at VerifyPolicy(raw_keys=...) and the trust store here.",
    )
    REFUSED_BY_VERIFIER = (
        "refused_by_verifier",
        Alert.CERTIFICATE_UNKNOWN,
        "The application's own verifier refused the certificate.",
    )
    MISSING_FEATURE = (
        "missing_feature",
        Alert.BAD_CERTIFICATE,
        "A certificate promises that its server answers a TLS extension (RFC 7633), and the server, or a certificate "
        "below it, does not keep that promise. The server's configuration does not fit its certificate.",
    )
    BAD_STATUS = (
        "bad_status",
        Alert.BAD_CERTIFICATE_STATUS_RESPONSE,
        "The OCSP response that the server staples is missing though its certificate promises one, is too old, or is "
        "not by its authority. Check this device's clock; then the server's stapling.",
    )
    REVOKED = (
        "revoked",
        Alert.CERTIFICATE_REVOKED,
        "The certificate was revoked by its authority. The server needs a new one.",
    )
    REVOCATION_UNKNOWN = (
        "revocation_unknown",
        Alert.CERTIFICATE_UNKNOWN,
        "Whether the certificate is revoked cannot be known: no CRL that was given covers it. Give its issuer's CRL to "
        'RevocationPolicy(crls=...); with mode="soft" only what is known to be revoked is refused.',
    )
    CRL_EXPIRED = (
        "crl_expired",
        Alert.CERTIFICATE_UNKNOWN,
        "The list of revoked certificates is out of date, so it cannot show that the certificate is still good. Check "
        "this device's clock, then get the issuer's newest CRL.",
    )
    CRL_UNUSABLE = (
        "crl_unusable",
        Alert.CERTIFICATE_UNKNOWN,
        "The list of revoked certificates proves nothing: its signature does not verify, it is signed by somebody who "
        "is not entitled to, or it is malformed. Get it anew from the certificate's issuer.",
    )


class CertificateError(LightTLSError):
    """The server's chain was refused; `reason` says why.

    `context` has the paths that were tried ("attempts"), the one whose end is the reason ("attempt"), the place of the
    certificate at fault ("depth", leaf 0), and what the verdict was about ("question"), where these exist.
    """

    def __init__(
        self, message: str, reason: ChainReason, *, alert: Alert | None = None, hint: str | None = None, **context: Any
    ) -> None:
        super().__init__(message, hint=hint if hint is not None else reason.explanation, **context)
        self.reason = reason
        self.alert = reason.alert if alert is None else alert

    def advice(self) -> str:
        """The hint that was given; else what can be said of this very chain, which is looked into only now."""
        question = self.context.get("question")
        if question is None or self.hint != self.reason.explanation:
            return self.hint
        advice: str = question.advice(self)
        return advice


class PeerAlert(LightTLSError):
    """The peer gave up with a fatal alert; nothing is sent back (RFC 5246 §7.2). `description` is its number."""

    def __init__(self, message: str, description: int, *, hint: str | None = None, **context: Any) -> None:
        super().__init__(
            message, hint=hint if hint is not None else _PEER_ADVICE.get(description, _PEER_GAVE_UP), **context
        )
        self.description = description


class TruncatedStream(LightTLSError):
    """The stream ended without close_notify (RFC 5246 §7.2.1)."""

    hint = "The connection was cut: by the network, the modem, or a server that closes without saying so."


class UsageError(LightTLSError):
    """The caller's mistake; the connection stays as it was."""


class ConfigurationError(LightTLSError, ValueError):
    """A bad file or setting: the message says which, and what is wrong with it."""


class SignerError(LightTLSError):
    """The signer failed, or made a signature that does not fit our certificate."""

    alert = Alert.INTERNAL_ERROR
    hint = (
        "The private key does not belong to the certificate, or the secure element failed. Compare their public keys."
    )


class KeyExchangeError(LightTLSError):
    """The secure element that makes our ephemeral keys failed, or gave what is no key."""

    alert = Alert.INTERNAL_ERROR
    hint = "The secure element failed. Look at its driver and its bus. Without `key_exchange` the engine makes keys."


class EntropyError(LightTLSError):
    """The random source failed or repeated itself."""

    alert = Alert.INTERNAL_ERROR
    hint = "The random source is broken. Do not use this device for TLS until it is repaired."


class InternalError(LightTLSError):
    """A bug in lighttls."""

    alert = Alert.INTERNAL_ERROR
    hint = "This is a bug in lighttls. Please report it with the text of the error."


class TransportError(LightTLSError):
    """The transport failed; `timed_out` tells a deadline from a broken link."""

    hint = "The link below TLS failed. Check that the host can be reached and the connection is up."

    def __init__(self, message: str, *, timed_out: bool = False, hint: str | None = None, **context: Any) -> None:
        super().__init__(message, hint=hint, **context)
        self.timed_out = timed_out


class BadSignature(LightTLSError):
    """A signature does not verify. Raised by crypto engines; the rooms above turn it into their own error."""


class BadKey(BadSignature):
    """A public key is none, such as a point that is not on its curve, so that no signature can be checked with it."""


_PEER_GAVE_UP = "The server ended the connection. Its log will say why; the alert's name is the best clue from here."

_PEER_ADVICE: dict[int, str] = {  # ALERT-18
    Alert.HANDSHAKE_FAILURE: (
        "The server found no acceptable setting in common, or it wants a client certificate and got none."
    ),
    Alert.PROTOCOL_VERSION: "The server does not accept TLS 1.2, the only version lighttls speaks.",
    Alert.UNKNOWN_CA: (
        "The server does not know the authority that issued our certificate. Register it with the server."
    ),
    Alert.BAD_CERTIFICATE: "The server refused our certificate. Check that it is the right one, and complete.",
    Alert.UNSUPPORTED_CERTIFICATE: (
        "The server refused the type or purpose of our certificate. Was it issued for clientAuth?"
    ),
    Alert.CERTIFICATE_EXPIRED: "The server says that our certificate has expired (or its clock is wrong). Renew it.",
    Alert.CERTIFICATE_REVOKED: "The server says that our certificate was revoked. Get a new one.",
    Alert.CERTIFICATE_UNKNOWN: (
        "The server does not accept our certificate: it is not registered there, or not active yet."
    ),
    Alert.CERTIFICATE_REQUIRED: "The server wants a client certificate. Configure an identity.",
    Alert.ACCESS_DENIED: "The server knows our certificate but does not let it in. Check its access rules.",
    Alert.DECRYPT_ERROR: (
        "The server could not verify our proof: the private key does not belong to the certificate, or the link "
        "altered the handshake."
    ),
    Alert.BAD_RECORD_MAC: "The server received altered bytes: the link corrupts data.",
    Alert.UNRECOGNIZED_NAME: "The server does not serve this host name. Check the name we connect to.",
    Alert.NO_APPLICATION_PROTOCOL: (
        "The server speaks none of the offered ALPN protocols. Check the ALPN list and the port."
    ),
    Alert.INAPPROPRIATE_FALLBACK: "The server supports a higher version than offered. Do not set the fallback signal.",
    Alert.UNKNOWN_PSK_IDENTITY: "The server does not know our PSK identity. Check its spelling and registration.",
    Alert.INSUFFICIENT_SECURITY: "The server wants stronger parameters than we offer.",
    Alert.INTERNAL_ERROR: "The server had a problem of its own. Try again later.",
}


def explain(error: BaseException) -> str:
    """Say in a few sentences what most likely happened and what to do next, for the person who runs the device."""
    if not isinstance(error, LightTLSError):
        return f"{type(error).__name__}: {error}"
    text = str(error)
    if text and text[-1] not in ".!?":
        text += "."
    if text.partition(" ")[0].isalpha():  # a word, not a file's name or a setting's
        text = text[:1].upper() + text[1:]
    return f"{text} {error.advice()}".strip()
