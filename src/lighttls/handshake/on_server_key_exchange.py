"""ServerKeyExchange: the server's ephemeral key, signed by its certificate's key or its raw one (RFC 8422 §5.4)."""

from __future__ import annotations

from lighttls.errors import BadKey, BadSignature, DecryptError, IllegalParameter
from lighttls.handshake.ecdh_params import agree, judge_curve_type, judge_point
from lighttls.handshake.output import Output
from lighttls.handshake.states import (
    Agreed,
    KeyExchangeVerified,
    PeerVerified,
    RawKeyVerified,
    WaitRequestOrDone,
    WaitServerKeyExchange,
)
from lighttls.iana import SignatureScheme, name_of
from lighttls.messages import ServerKeyExchange, SignedEcdhParams

_SMALLEST_RSA_FOR_PSS = {  # bits: the encoded message is one bit shorter and holds hash, salt and two bytes
    SignatureScheme.RSA_PSS_RSAE_SHA256: 8 * 65 + 2,
    SignatureScheme.RSA_PSS_RSAE_SHA384: 8 * 97 + 2,
    SignatureScheme.RSA_PSS_RSAE_SHA512: 8 * 129 + 2,
}

_KEY_KINDS = {  # of the key that signs by a scheme
    scheme: kind
    for scheme in SignatureScheme
    for family, kind in (("ECDSA_", "ec"), ("RSA_", "rsa"))
    if scheme.name.startswith(family)
}


def on_server_key_exchange(out: Output, state: WaitServerKeyExchange, msg: ServerKeyExchange) -> WaitRequestOrDone:
    """1. Shape, curve type, group, point. 2. The scheme and its signature. 3. Only then ECDH (SKE-28)."""
    config = state.agreed.offer.client.config
    # 1.
    judge_curve_type(msg.body)
    params = SignedEcdhParams.parse(msg.body)
    group = judge_point(config, params.named_curve, params.public)
    # 2.
    scheme = _judge_scheme(state, params.scheme)
    _check_signature(state.agreed, state.peer, scheme, params, msg.body)
    # 3.
    public, premaster = agree(state.agreed.offer.client, group, params.public)
    return WaitRequestOrDone(state.agreed, state.peer, KeyExchangeVerified(group, scheme, public, premaster))


def _judge_scheme(state: WaitServerKeyExchange, number: int) -> SignatureScheme:
    offered = state.agreed.offer.client.config.signature_schemes
    if number not in offered:  # SKE-12, SKE-13
        raise IllegalParameter(f"the server signed with {name_of(SignatureScheme, number)}, which we did not offer")
    scheme = offered[offered.index(number)]  # a quarter of the time that the enum takes to find it
    key = state.peer.public_key
    if _KEY_KINDS.get(scheme) != key.kind:  # SKE-14
        raise IllegalParameter(f"the server signed with {scheme.name.lower()}, which does not fit its key")
    if key.bits < _SMALLEST_RSA_FOR_PSS.get(scheme, 0):  # SKE-18
        raise IllegalParameter(f"the server signed with {scheme.name.lower()}, for which its key is too short")
    return scheme


def _check_signature(
    agreed: Agreed, peer: PeerVerified | RawKeyVerified, scheme: SignatureScheme, params: SignedEcdhParams, body: bytes
) -> None:
    signed = agreed.offer.random + agreed.server_random + params.signed_params(body)
    try:
        agreed.offer.client.provider.verify(scheme, peer.spki, params.signature, signed)
    except BadKey as cause:  # CERT-11
        raise IllegalParameter(f"the server has an impossible key: {cause}") from cause
    except BadSignature as cause:  # SKE-17 to SKE-25
        raise DecryptError("the server's signature over its key exchange does not verify") from cause
