"""Handshake messages: declarations, and the joiner that puts them together from records."""

from lighttls.messages.base import Extension, Message
from lighttls.messages.certificate import (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    RawPublicKey,
)
from lighttls.messages.describe import describe
from lighttls.messages.finished import VERIFY_DATA_LENGTH, Finished
from lighttls.messages.hello import ClientHello, HelloRequest, ServerHello, ServerHelloDone
from lighttls.messages.joiner import Joiner
from lighttls.messages.key_exchange import ClientKeyExchange, EcdhParams, ServerKeyExchange, SignedEcdhParams
from lighttls.messages.new_session_ticket import NewSessionTicket
from lighttls.messages.psk_key_exchange import (
    EcdhePskClientKeyExchange,
    PskClientKeyExchange,
    PskServerKeyExchange,
)

__all__ = [
    "VERIFY_DATA_LENGTH",
    "Certificate",
    "CertificateRequest",
    "CertificateStatus",
    "CertificateVerify",
    "ClientHello",
    "ClientKeyExchange",
    "EcdhParams",
    "EcdhePskClientKeyExchange",
    "Extension",
    "Finished",
    "HelloRequest",
    "Joiner",
    "Message",
    "NewSessionTicket",
    "PskClientKeyExchange",
    "PskServerKeyExchange",
    "RawPublicKey",
    "ServerHello",
    "ServerHelloDone",
    "ServerKeyExchange",
    "SignedEcdhParams",
    "describe",
]
