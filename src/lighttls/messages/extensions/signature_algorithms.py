"""signature_algorithms (RFC 5246 §7.4.1.4.1)."""

from __future__ import annotations

from lighttls.wire import ListOf, Structure, Uint, field, structure


@structure
class SignatureAlgorithms(Structure):
    """Signature schemes we accept, most wanted first (GRP-08, GRP-09)."""

    supported_signature_algorithms: tuple[int, ...] = field(ListOf(Uint(2), 2, 0xFFFE))
