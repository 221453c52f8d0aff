"""Who signs for us: the protocol, and signers from a function or a PEM key."""

from lighttls._typing import TYPE_CHECKING
from lighttls.keys.callback import message_signer, raw_ecdsa
from lighttls.keys.signer import SignatureRequest, Signer
from lighttls.keys.software import software_key

if TYPE_CHECKING:  # a protocol, which nothing needs at run time
    from lighttls.keys.key_exchange import KeyExchange as KeyExchange

__all__ = ["SignatureRequest", "Signer", "message_signer", "raw_ecdsa", "software_key"]
