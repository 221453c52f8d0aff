"""False Start: application data right behind our Finished, a round trip before the server's (RFC 7918).

What the server's Finished would prove is not known then: that nobody changed the hellos on their way. Who did can have
made us choose the weakest of what we offer, and nothing else, so data may only go early where even that is strong: with
every suite and group of ours that is allowed here, to a server whose chain was judged in full, dates included. The
server must have shown before that it copes with this suite, since some have been found that do not.
"""

from __future__ import annotations

from lighttls._typing import Final
from lighttls.crypto.suites import AES_CCM, AES_GCM, CHACHA20_POLY1305
from lighttls.handshake.states import Agreed, PeerVerified, RawKeyVerified

_CIPHERS: Final = frozenset((AES_GCM, AES_CCM, CHACHA20_POLY1305))  # FS-03: what may, so that none slips in
_TAG_LENGTH: Final = 16  # never CCM_8: its tags are guessed 2^64 times more easily


def may_start_early(agreed: Agreed, peer: PeerVerified | RawKeyVerified) -> bool:
    """Whether data may be sent before the server's Finished.

    Asked only where the configuration wants it (FS-01) and the server did not ask for our certificate (FS-05), after
    its chain and its signature on the key exchange were verified (FS-02); a raw public key has none. Every group we
    offer has some 256 bits or more (FS-04).
    """
    client = agreed.offer.client
    return (
        agreed.suite.aead in _CIPHERS
        and agreed.suite.tag_length == _TAG_LENGTH
        and isinstance(peer, PeerVerified)
        and peer.path.time_checked
        and client.config.has_completed(client.server.text, agreed.suite.code)
    )
