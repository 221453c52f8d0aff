"""Extensions without a body: extended_master_secret, and answers to server_name (RFC 7627 §5.1, 6066 §3)."""

from __future__ import annotations

from lighttls.wire import Structure, structure


@structure
class EmptyBody(Structure):
    """Nothing; any byte is a DecodeError (EMS-02, SNI-05)."""
