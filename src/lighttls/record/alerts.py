"""The alert record (RFC 5246 §7.2)."""

from __future__ import annotations

from lighttls.errors import DecodeError, IllegalParameter
from lighttls.iana import Alert, AlertLevel


def read_alert(fragment: bytes) -> tuple[AlertLevel, int]:
    """Level and description of the one alert in a record.

    Raises DecodeError: none, cut, or more than one (ALERT-01). IllegalParameter: an unknown level (ALERT-02).
    """
    if len(fragment) != 2:
        raise DecodeError(f"an alert record holds {len(fragment)} bytes, expected 2")
    level, description = fragment
    if level not in (AlertLevel.WARNING, AlertLevel.FATAL):
        raise IllegalParameter(f"an alert has level {level}, expected 1 or 2")
    return AlertLevel(level), description


_NEVER_FATAL = frozenset(
    (
        Alert.CLOSE_NOTIFY,
        Alert.DECRYPTION_FAILED,
        Alert.DECOMPRESSION_FAILURE,
        Alert.NO_CERTIFICATE,
        Alert.EXPORT_RESTRICTION,
    )
)


def fatal_alert(wanted: object) -> Alert:
    """The alert itself if it exists and may be sent as a fatal one (ALERT-16), else internal_error."""
    return wanted if isinstance(wanted, Alert) and wanted not in _NEVER_FATAL else Alert.INTERNAL_ERROR
