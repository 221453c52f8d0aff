"""The handshake with a pre-shared key: no certificate, and Finished is the only proof on either side (RFC 4279 §2).

With ECDHE_PSK the server sends an ephemeral key that nobody signs (RFC 5489 §2): whoever puts another one in its place
cannot make a Finished without the pre-shared key, nor any record that opens (PSK-11). So nothing is known of the server
before its Finished, and no data leaves earlier (FS-03). What is refused here is refused without a word on certificates,
as RFC 7925 §6 wants it (ALERT-17).
"""

from __future__ import annotations

from lighttls._typing import cast
from lighttls.errors import ConfigurationError, DecodeError, HandshakeFailure
from lighttls.handshake.ecdh_params import agree, judge_curve_type, judge_point
from lighttls.handshake.on_server_hello_done import derive_keys, send_last_flight
from lighttls.handshake.output import Output
from lighttls.handshake.states import (
    Agreed,
    PskHandshake,
    State,
    WaitChangeCipherSpec,
    WaitFinished,
    WaitPskDone,
    WaitPskHint,
    WaitPskParams,
    WaitTicket,
)
from lighttls.iana import Alert
from lighttls.messages import (
    EcdhePskClientKeyExchange,
    EcdhParams,
    PskClientKeyExchange,
    PskServerKeyExchange,
    ServerHelloDone,
)
from lighttls.psk import Psk, PskRequest, PskSelector, check_strength

_LONGEST_HINT = 128  # bytes; RFC 4279 §5.3 asks nobody for more

_NO_KEY = "Add a pre-shared key for this server, or list suites that need none."
_OTHER_KEY = (
    "The server refused our pre-shared key. It has another one for this identity, does not know the identity, or has "
    "not activated it. Compare both with the server's."
)


def on_psk_hint(out: Output, state: WaitPskHint, msg: PskServerKeyExchange) -> WaitPskDone:
    """Plain PSK: the server has a hint, and nothing else (PSK-06)."""
    if msg.params:
        raise DecodeError(f"{len(msg.params)} bytes follow the server's PSK identity hint, expected none")
    return WaitPskDone(state.agreed, _judged_hint(state.agreed, msg.psk_identity_hint), None, b"", None)


def on_psk_params(out: Output, state: WaitPskParams, msg: PskServerKeyExchange) -> WaitPskDone:
    """ECDHE_PSK: 1. The hint. 2. Curve type, group and point; nothing behind them (PSK-07). 3. ECDH (PSK-08)."""
    client = state.agreed.offer.client
    # 1.
    hint = _judged_hint(state.agreed, msg.psk_identity_hint)
    # 2.
    judge_curve_type(msg.params)
    params = EcdhParams.parse(msg.params)
    group = judge_point(client.config, params.named_curve, params.public)
    # 3.
    public, premaster = agree(client, group, params.public)
    return WaitPskDone(state.agreed, hint, group, public, premaster)


def on_psk_done_without_hint(
    out: Output, state: WaitPskHint, msg: ServerHelloDone
) -> WaitTicket | WaitChangeCipherSpec:
    """Plain PSK, and the server has nothing to say (PSK-05)."""
    return on_psk_done(out, WaitPskDone(state.agreed, None, None, b"", None), msg)


def on_psk_done(out: Output, state: WaitPskDone, msg: ServerHelloDone) -> WaitTicket | WaitChangeCipherSpec:
    """Our identity, and what makes the server's Finished hang on the key."""
    agreed = state.agreed
    psk = _chosen(agreed, state.hint)
    if state.group is None:
        out.send(PskClientKeyExchange(psk.identity))
    else:
        out.send(EcdhePskClientKeyExchange(psk.identity, state.our_public))
    premaster = agreed.offer.client.provider.psk_premaster(psk.key, state.shared)
    schedule = derive_keys(out, agreed, premaster)
    return send_last_flight(out, agreed, PskHandshake(psk.identity, state.group), schedule)


def advice(state: State | None, alert: int) -> str | None:
    """What to tell a person whose server ends a handshake like this when it has seen our Finished (ALERT-18).

    A key that is not the server's shows in what it cannot decrypt; and a server may hide that way that it does not know
    an identity (RFC 4279 §2).
    """
    if not isinstance(state, WaitTicket | WaitChangeCipherSpec | WaitFinished):
        return None
    refused = alert in (Alert.BAD_RECORD_MAC, Alert.DECRYPT_ERROR, Alert.HANDSHAKE_FAILURE)
    return _OTHER_KEY if refused and isinstance(state.proof, PskHandshake) else None


def _judged_hint(agreed: Agreed, hint: bytes) -> bytes:
    if not isinstance(agreed.offer.client.config.psk, Psk) and len(hint) > _LONGEST_HINT:  # PSK-10
        raise HandshakeFailure(f"the server's identity hint has {len(hint)} bytes, at most {_LONGEST_HINT} are read")
    return hint


def _chosen(agreed: Agreed, hint: bytes | None) -> Psk:
    """The only key, whatever the hint (PSK-04), or the one that a selector gives."""
    client = agreed.offer.client
    configured = client.config.psk
    if isinstance(configured, Psk):
        return configured
    request = PskRequest(client.server.text, agreed.suite.code, hint)
    try:
        psk = cast(PskSelector, configured)(request)  # not None, or no PSK suite was offered (PSK-01)
    except ConfigurationError:
        raise
    except Exception as cause:  # what it says may hold the key
        raise ConfigurationError(f"the configured PSK selector failed with {type(cause).__name__}") from None
    if psk is None:
        raise HandshakeFailure("there is no pre-shared key for this server", hint=_NO_KEY)
    if not isinstance(psk, Psk):
        raise ConfigurationError(f"the configured PSK selector returned {type(psk).__name__}, expected a Psk or None")
    check_strength(psk, agreed.suite)
    return psk
