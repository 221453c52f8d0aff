"""What a server may mean that closes without a word.

Most send an alert when they refuse a client. BearSSL never does; mbedTLS does not when a client certificate is missing,
nor wolfSSL then or when a pre-shared key's identity is unknown.
"""

from __future__ import annotations

from lighttls._typing import Final
from lighttls.handshake.states import PskHandshake, State, WaitChangeCipherSpec, WaitTicket


def advice(state: State | None) -> str | None:
    """What to tell a person whose server closes in this state; None if the state does not hint at anything."""
    if not isinstance(state, WaitTicket | WaitChangeCipherSpec):  # our proof of who we are is out
        return None
    if isinstance(state.proof, PskHandshake):
        return _UNKNOWN_IDENTITY
    if state.proof.auth is None:
        return None
    return _NO_CERTIFICATE if state.proof.auth.identity is None else _OTHER_CERTIFICATE


_NO_CERTIFICATE: Final = (
    "The server asked for a client certificate and got none, which some answer by closing. "
    "Configure an identity of a kind that it takes."
)
_OTHER_CERTIFICATE: Final = (
    "The server asked for a client certificate and may not accept ours, which some answer by closing. "
    "See whether it knows the authority that issued it."
)
_UNKNOWN_IDENTITY: Final = (
    "The server may not know our identity or have another key for it, which some answer by closing. "
    "Compare identity and key with those of the server."
)
