"""ServerKeyExchange: the server's ephemeral key, signed by its certificate's key or its raw one (RFC 8422 §5.4)."""

from __future__ import annotations

from lighttls._typing import TYPE_CHECKING
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

if TYPE_CHECKING:
    from lighttls.x509 import PublicKey

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
    agreed, peer, body = state.agreed, state.peer, msg.body
    client = agreed.offer.client
    # 1.
    judge_curve_type(body)
    params = SignedEcdhParams.parse(body)
    group = judge_point(client.config, params.named_curve, params.public)
    # 2.
    scheme = _judge_scheme(client.config.signature_schemes, peer.public_key, params.scheme)
    _check_signature(agreed, peer, scheme, params, body)
    # 3.
    public, premaster = agree(client, group, params.public)
    return WaitRequestOrDone(agreed, peer, KeyExchangeVerified(group, scheme, public, premaster))


def _judge_scheme(offered: tuple[SignatureScheme, ...], key: PublicKey, number: int) -> SignatureScheme:
    if number not in offered:  # SKE-12, SKE-13
        raise IllegalParameter(f"the server signed with {name_of(SignatureScheme, number)}, which we did not offer")
    scheme = offered[offered.index(number)]  # a quarter of the time that the enum takes to find it
    if _KEY_KINDS.get(scheme) != key.kind:  # SKE-14
        raise IllegalParameter(f"the server signed with {scheme.name.lower()}, which does not fit its key")
    if key.bits < _SMALLEST_RSA_FOR_PSS.get(scheme, 0):  # SKE-18
        raise IllegalParameter(f"the server signed with {scheme.name.lower()}, for which its key is too short")
    return scheme


def _check_signature(
    agreed: Agreed, peer: PeerVerified | RawKeyVerified, scheme: SignatureScheme, params: SignedEcdhParams, body: bytes
) -> None:
    offer = agreed.offer
    signed = offer.random + agreed.server_random + params.signed_params(body)
    try:
        offer.client.provider.verify(scheme, peer.spki, params.signature, signed)
    except BadKey as cause:  # CERT-11
        raise IllegalParameter(f"the server has an impossible key: {cause}") from cause
    except BadSignature as cause:  # SKE-17 to SKE-25
        raise DecryptError("the server's signature over its key exchange does not verify") from cause
