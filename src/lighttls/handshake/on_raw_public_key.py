"""The server's raw public key: no chain, so it has to be one that we were told of (RFC 7250 §4.2)."""

from __future__ import annotations

from binascii import b2a_base64

from lighttls._typing import Final
from lighttls.errors import CertificateError, ChainReason, DecodeError, IllegalParameter
from lighttls.handshake.on_certificate import judge_key
from lighttls.handshake.output import Output
from lighttls.handshake.states import RawKeyVerified, WaitRawPublicKey, WaitServerKeyExchange
from lighttls.messages import RawPublicKey
from lighttls.x509 import check_raw_key, parse_public_key

_KEYS_SHOWN: Final = 4


def on_raw_public_key(out: Output, state: WaitRawPublicKey, msg: RawPublicKey) -> WaitServerKeyExchange:
    """1. It is a key. 2. It fits the suite and groups, and is strong enough. 3. It is one of the host's.

    Nothing else is asked of it: no name, no date, no revocation (RPK-14). None of the alerts about certificates is
    sent for it (ALERT-17, RFC 7925 §6).
    """
    spki = msg.subject_public_key_info
    client = state.agreed.offer.client
    # 1.
    try:
        key = parse_public_key(spki)
    except CertificateError as cause:  # RPK-07; a certificate list (RPK-10) is no key either
        raise DecodeError(f"the server's raw public key cannot be read: {cause}") from cause
    if not key.known:  # RPK-07
        raise DecodeError(f"the server's raw public key is of the unknown kind {key.kind}")
    # 2.
    judge_key(state.agreed, key, "the server")  # RPK-08
    try:
        check_raw_key(key)
    except CertificateError as cause:
        raise IllegalParameter(f"the server's raw public key cannot be used: {cause}") from cause
    # 3.
    ours = client.config.verify.raw_keys_of(client.server.text)
    digest = client.provider.digest("sha256", spki)
    if spki not in ours and digest not in ours:  # RPK-09
        wanted = (each if len(each) == len(digest) else client.provider.digest("sha256", each) for each in ours)
        raise CertificateError(
            f"the server's raw public key, of SHA-256 {_shown(digest)}, is none of those configured for "
            f"{client.server.text}: {', '.join(sorted(map(_shown, wanted))[:_KEYS_SHOWN])}",
            ChainReason.UNKNOWN_RAW_KEY,
        )
    return WaitServerKeyExchange(state.agreed, RawKeyVerified(spki, key))


def _shown(digest: bytes) -> str:
    """As `raw_keys` takes it."""
    return b2a_base64(digest, newline=False).decode()
