"""What an application above TLS may derive from a connection: keying material and channel bindings.

RFC 5705, 5929 and 9266; rules EXP-01 to EXP-06. Both hang on the extended master secret, without
which two connections may share their secrets (RFC 7627 §1).
"""

from __future__ import annotations

from lighttls._typing import Final
from lighttls.errors import UsageError
from lighttls.handshake.resumption import end_point
from lighttls.handshake.states import Connected, PskHandshake, Resumption

_LABELS_OF_TLS: Final = frozenset(
    (b"client finished", b"server finished", b"master secret", b"extended master secret", b"key expansion")
)
_LONGEST: Final = 1 << 16  # bytes in one export; nobody needs more, and it is computed at once


def keying_material(state: Connected, label: str, context: bytes | None, length: int) -> bytes:
    """Derive `length` bytes (RFC 5705 §4)."""
    _need_extended_master_secret(state, "an exporter")
    if not (isinstance(label, str) and isinstance(length, int) and isinstance(context, bytes | None)):
        raise UsageError("an exporter takes a label (str), a context (bytes or None) and a length (int)")
    if not label.isascii() or not label or label.encode() in _LABELS_OF_TLS:  # EXP-02
        raise UsageError(f"{label!r} is no label for an exporter: ASCII, and none that TLS uses itself")
    if not 1 <= length <= _LONGEST:
        raise UsageError(f"an exporter of {length} bytes was asked, 1 to {_LONGEST} are possible")
    return state.schedule.export(label.encode(), context, length)


def channel_binding(state: Connected, kind: str) -> bytes:
    """The binding of this connection."""
    if kind == "tls-unique":  # EXP-04: the first Finished, which in a resumed handshake is the server's
        _need_extended_master_secret(state, kind)
        return state.finished.server_verify_data if state.resumed else state.finished.client_verify_data
    if kind == "tls-server-end-point":  # EXP-05: of the certificate that was verified, now or when the session began
        if isinstance(state.proof, Resumption):
            bound = state.proof.session.facts.end_point
        elif isinstance(state.proof, PskHandshake):
            bound = b""
        else:
            bound = end_point(state.agreed.offer.client.provider, state.proof.peer) or b""
        if not bound:
            raise UsageError(  # RPK-14: nor for a raw public key
                "tls-server-end-point is not defined for the signature algorithm of this certificate, nor without one"
            )
        return bound
    if kind == "tls-exporter":  # EXP-06
        return keying_material(state, "EXPORTER-Channel-Binding", b"", 32)
    raise UsageError(f"{kind!r} is no channel binding: tls-unique, tls-server-end-point or tls-exporter")


def _need_extended_master_secret(state: Connected, what: str) -> None:
    if not state.agreed.terms.extended_master_secret:  # EMS-07, EMS-08
        raise UsageError(f"{what} needs the extended master secret (RFC 7627), which this server does not support")
