"""signed_certificate_timestamp (RFC 6962 §3.3.1); the wish for it is empty."""

from __future__ import annotations

from lighttls.wire import ListOf, Structure, Vector, field, structure


@structure
class SignedCertificateTimestampList(Structure):
    """The answer: at least one timestamp, none of them empty or looked into (SCT-02 to SCT-04)."""

    sct_list: tuple[bytes, ...] = field(ListOf(Vector(1, 0xFFFF), 1, 0xFFFF))
