"""Handshake messages: declarations, and the joiner that puts them together from records."""

from lighttls.messages.base import MESSAGES, Extension, Message
from lighttls.messages.certificate import Certificate, CertificateRequest, CertificateStatus, CertificateVerify
from lighttls.messages.describe import describe
from lighttls.messages.finished import Finished
from lighttls.messages.hello import ClientHello, HelloRequest, ServerHello, ServerHelloDone
from lighttls.messages.joiner import Joiner
from lighttls.messages.key_exchange import ClientKeyExchange, ServerKeyExchange, SignedEcdhParams

__all__ = [
    "MESSAGES",
    "Certificate",
    "CertificateRequest",
    "CertificateStatus",
    "CertificateVerify",
    "ClientHello",
    "ClientKeyExchange",
    "Extension",
    "Finished",
    "HelloRequest",
    "Joiner",
    "Message",
    "ServerHello",
    "ServerHelloDone",
    "ServerKeyExchange",
    "SignedEcdhParams",
    "describe",
]
