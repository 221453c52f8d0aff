"""Who signs for us: the protocol, and signers from a function or a PEM key."""

from lighttls.keys.callback import message_signer, raw_ecdsa
from lighttls.keys.signer import SignatureRequest, Signer
from lighttls.keys.software import software_key

__all__ = ["SignatureRequest", "Signer", "message_signer", "raw_ecdsa", "software_key"]
