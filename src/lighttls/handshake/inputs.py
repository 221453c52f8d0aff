"""What moves the handshake besides messages: it stands in the table like them."""

from __future__ import annotations

from lighttls._struct import struct


@struct
class ChangeCipherSpec:
    """The server's switch to its new keys (RFC 5246 §7.1)."""


@struct
class ApplicationData:
    """The plaintext of one application_data record."""

    data: bytes


@struct
class SignatureReady:
    """The deferred signature of our CertificateVerify has come, or its failure."""

    outcome: bytes | BaseException
