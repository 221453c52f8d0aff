"""Three readers, three texts: what `str`, `alert` and `explain` say for each error."""

from __future__ import annotations

from typing import Any

import pytest

from lighttls import Alert, ChainReason, LightTLSError, errors, explain

ALERTS = {
    errors.ProtocolError: None,
    errors.DecodeError: Alert.DECODE_ERROR,
    errors.UnexpectedMessage: Alert.UNEXPECTED_MESSAGE,
    errors.IllegalParameter: Alert.ILLEGAL_PARAMETER,
    errors.UnsupportedExtension: Alert.UNSUPPORTED_EXTENSION,
    errors.ProtocolVersion: Alert.PROTOCOL_VERSION,
    errors.HandshakeFailure: Alert.HANDSHAKE_FAILURE,
    errors.NoApplicationProtocol: Alert.NO_APPLICATION_PROTOCOL,
    errors.BadRecordMac: Alert.BAD_RECORD_MAC,
    errors.RecordOverflow: Alert.RECORD_OVERFLOW,
    errors.DecryptError: Alert.DECRYPT_ERROR,
    errors.TruncatedStream: None,
    errors.UsageError: None,
    errors.ConfigurationError: None,
    errors.SignerError: Alert.INTERNAL_ERROR,
    errors.KeyExchangeError: Alert.INTERNAL_ERROR,
    errors.EntropyError: Alert.INTERNAL_ERROR,
    errors.InternalError: Alert.INTERNAL_ERROR,
    errors.TransportError: None,
    errors.BadSignature: None,
    errors.BadKey: None,
    LightTLSError: None,
}
"""What the peer hears (RFC 5246 §7.2.2); the classes with a reason or a number of their own stand below."""

WITHOUT_HINT = {LightTLSError, errors.UsageError, errors.ConfigurationError, errors.BadSignature, errors.BadKey}
"""Their message says it all, or nobody outside sees them."""

NEVER_SENT = {
    Alert.DECRYPTION_FAILED,
    Alert.DECOMPRESSION_FAILURE,
    Alert.NO_CERTIFICATE,
    Alert.EXPORT_RESTRICTION,
}
"""ALERT-16."""


def classes(base: type[LightTLSError] = LightTLSError) -> set[type[LightTLSError]]:
    own = {base} if base.__module__ == errors.__name__ else set()
    return own.union(*(classes(sub) for sub in base.__subclasses__()))


def test_every_class_is_judged_here() -> None:
    assert classes() == ALERTS.keys() | {errors.CertificateError, errors.PeerAlert}


@pytest.mark.parametrize("cls", ALERTS, ids=lambda cls: cls.__name__)
def test_class_has_its_alert_and_a_hint(cls: Any) -> None:
    error = cls("something happened")
    assert error.alert is ALERTS[cls]
    assert bool(error.hint) is (cls not in WITHOUT_HINT)
    assert (str(error), error.context, error.events) == ("something happened", {}, [])


def test_protocol_errors_all_tell_the_peer() -> None:
    assert all(cls.alert is not None for cls in classes(errors.ProtocolError) - {errors.ProtocolError})


def test_configuration_error_is_a_value_error_too() -> None:
    assert issubclass(errors.ConfigurationError, ValueError)


def test_hint_and_context_may_be_given() -> None:
    error = errors.DecodeError("cut", hint="Use another cable.", position=7)
    assert error.hint == "Use another cable."
    assert error.context == {"position": 7}
    assert errors.DecodeError("cut").hint == errors.DecodeError.hint


def test_events_and_context_are_each_errors_own() -> None:
    first, second = errors.DecodeError("one"), errors.DecodeError("two")
    first.events.append("event")
    first.context["key"] = 1
    assert (second.events, second.context) == ([], {})


# ---- certificates --------------------------------------------------------------------------------

REASONS = {
    "malformed": Alert.BAD_CERTIFICATE,
    "unknown_issuer": Alert.UNKNOWN_CA,
    "self_signed": Alert.UNKNOWN_CA,
    "bad_signature": Alert.BAD_CERTIFICATE,
    "expired": Alert.CERTIFICATE_EXPIRED,
    "not_yet_valid": Alert.CERTIFICATE_EXPIRED,
    "name_mismatch": Alert.BAD_CERTIFICATE,
    "not_a_ca": Alert.BAD_CERTIFICATE,
    "path_too_long": Alert.BAD_CERTIFICATE,
    "key_usage": Alert.BAD_CERTIFICATE,
    "extended_key_usage": Alert.UNSUPPORTED_CERTIFICATE,
    "name_constraints": Alert.BAD_CERTIFICATE,
    "certificate_policy": Alert.BAD_CERTIFICATE,
    "profile_violation": Alert.BAD_CERTIFICATE,
    "unknown_critical_extension": Alert.UNSUPPORTED_CERTIFICATE,
    "weak_signature": Alert.BAD_CERTIFICATE,
    "weak_key": Alert.BAD_CERTIFICATE,
    "algorithm_mismatch": Alert.BAD_CERTIFICATE,
    "unsupported_algorithm": Alert.UNSUPPORTED_CERTIFICATE,
    "limit_exceeded": Alert.BAD_CERTIFICATE,
    "pin_mismatch": Alert.BAD_CERTIFICATE,
    "unknown_raw_key": Alert.HANDSHAKE_FAILURE,
    "certificate_type": Alert.UNSUPPORTED_CERTIFICATE,
    "refused_by_verifier": Alert.CERTIFICATE_UNKNOWN,
    "missing_feature": Alert.BAD_CERTIFICATE,
    "bad_status": Alert.BAD_CERTIFICATE_STATUS_RESPONSE,
    "revoked": Alert.CERTIFICATE_REVOKED,
    "revocation_unknown": Alert.CERTIFICATE_UNKNOWN,
    "crl_expired": Alert.CERTIFICATE_UNKNOWN,
    "crl_unusable": Alert.CERTIFICATE_UNKNOWN,
}


def test_every_reason_has_its_alert() -> None:
    assert {reason.value: reason.alert for reason in ChainReason} == REASONS
    assert all(reason.value == reason.name.lower() for reason in ChainReason)


@pytest.mark.parametrize("reason", ChainReason, ids=lambda reason: reason.value)
def test_reason_is_explained_in_one_to_three_sentences_of_its_own(reason: ChainReason) -> None:
    error = errors.CertificateError("the chain was refused", reason)
    assert error.alert is reason.alert
    assert explain(error) == f"The chain was refused. {reason.explanation}"
    assert reason.explanation[0].isupper()
    assert reason.explanation[-1] in ".)"
    assert 1 <= reason.explanation.count(". ") + 1 <= 3
    assert sum(other.explanation == reason.explanation for other in ChainReason) == 1


def test_alert_and_hint_of_a_refusal_may_be_given() -> None:
    error = errors.CertificateError("no", ChainReason.REVOKED, alert=Alert.ACCESS_DENIED, hint="Ask.", depth=1)
    assert (error.alert, error.hint, error.reason, error.context) == (
        Alert.ACCESS_DENIED,
        "Ask.",
        ChainReason.REVOKED,
        {"depth": 1},
    )


# ---- alerts of the peer ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alert", "advice"),
    [
        (Alert.HANDSHAKE_FAILURE, "wants a client certificate"),
        (Alert.PROTOCOL_VERSION, "does not accept TLS 1.2"),
        (Alert.UNKNOWN_CA, "issued our certificate"),
        (Alert.BAD_CERTIFICATE, "refused our certificate"),
        (Alert.UNSUPPORTED_CERTIFICATE, "clientAuth"),
        (Alert.CERTIFICATE_EXPIRED, "our certificate has expired"),
        (Alert.CERTIFICATE_REVOKED, "our certificate was revoked"),
        (Alert.CERTIFICATE_UNKNOWN, "not registered there"),
        (Alert.CERTIFICATE_REQUIRED, "Configure an identity"),
        (Alert.ACCESS_DENIED, "access rules"),
        (Alert.DECRYPT_ERROR, "does not belong to the certificate"),
        (Alert.BAD_RECORD_MAC, "the link corrupts data"),
        (Alert.UNRECOGNIZED_NAME, "host name"),
        (Alert.NO_APPLICATION_PROTOCOL, "ALPN"),
        (Alert.INAPPROPRIATE_FALLBACK, "fallback"),
        (Alert.UNKNOWN_PSK_IDENTITY, "PSK identity"),
        (Alert.INSUFFICIENT_SECURITY, "stronger parameters"),
        (Alert.INTERNAL_ERROR, "problem of its own"),
        (Alert.UNEXPECTED_MESSAGE, "Its log will say why"),
        (250, "Its log will say why"),
    ],
)
def test_alert_of_the_peer_is_explained_with_a_remedy(alert: int, advice: str) -> None:
    """ALERT-18; nothing is sent back (ALERT-03)."""
    error = errors.PeerAlert("the server gave up", alert)
    assert error.description == alert
    assert error.alert is None
    assert explain(error).startswith("The server gave up. ")
    assert advice in explain(error)


def test_transport_error_tells_a_timeout_from_a_broken_link() -> None:
    assert errors.TransportError("no answer for 20 s", timed_out=True).timed_out
    assert not errors.TransportError("reset").timed_out


def test_nothing_we_raise_sends_an_alert_that_must_not_be_sent() -> None:
    """ALERT-16."""
    sent = {cls.alert for cls in classes()} | {reason.alert for reason in ChainReason}
    assert not sent & NEVER_SENT


# ---- explain ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (errors.UsageError("no data can be sent"), "No data can be sent."),
        (errors.UsageError("Is it open?"), "Is it open?"),
        (errors.UsageError(""), ""),
        (errors.DecodeError("x is cut", hint="Check."), "X is cut. Check."),
        (errors.DecodeError("x is cut.", hint=""), "X is cut."),
        (errors.ConfigurationError("device.pem cannot be read", hint="Check."), "device.pem cannot be read. Check."),
        (ValueError("not ours"), "ValueError: not ours"),
    ],
)
def test_explanation_is_message_and_hint_as_sentences(error: Exception, text: str) -> None:
    assert explain(error) == text
