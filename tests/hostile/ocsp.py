"""OCSP responses about the test leaves, right ones and others (RFC 6960), and CRLs; `cryptography` makes them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import OCSPNoCheck, ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from hostile import certificates as pki

GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN
BY_KEY, BY_NAME = ocsp.OCSPResponderEncoding.HASH, ocsp.OCSPResponderEncoding.NAME
NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
DAY = datetime.timedelta(days=1)


@cache
def delegate(
    *,
    issuer: str = "p256/intermediate",
    issuer_name: str = "test intermediate",
    purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.OCSP_SIGNING,),
    until: datetime.timedelta = DAY,
    critical: bool = False,
    digital_signature: bool = True,
    no_check: bytes | None = None,
) -> bytes:
    """A responder's certificate, by default as the intermediate ought to issue it.

    no_check: the value of id-pkix-ocsp-nocheck.
    """
    usage = x509.KeyUsage(digital_signature, False, not digital_signature, False, False, False, False, False, False)
    builder = pki._builder("test responder", "p256/responder", issuer_name).add_extension(usage, True)
    builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.1"), b"\x05\x00"), critical)
    if no_check is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(OCSPNoCheck.oid, no_check), False)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), False)
    builder._not_valid_after = (NOW + until).replace(tzinfo=None)
    return builder.sign(pki.key(issuer), hashes.SHA256()).public_bytes(Encoding.DER)


def response(
    leaf: pki.Credential | None = None,
    *,
    status: ocsp.OCSPCertStatus = GOOD,
    about: tuple[bytes, bytes] | None = None,
    hash_: hashes.HashAlgorithm | None = None,
    since: datetime.timedelta = -DAY,
    until: datetime.timedelta | None = DAY,
    responder: bytes | None = None,
    key: str = "p256/intermediate",
    encoding: ocsp.OCSPResponderEncoding = BY_KEY,
    sent: tuple[bytes, ...] = (),
    signing_hash: hashes.HashAlgorithm | None = None,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> bytes:
    """One, by default right, signed by the intermediate, about the usual leaf.

    about: certificate and issuer that it speaks of. responder: the certificate that it is by; key: who signs.
    """
    certificate, issuer = about or (leaf or pki.leaf("p256")).chain[:2]
    revoked = status is REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=x509.load_der_x509_certificate(certificate),
        issuer=x509.load_der_x509_certificate(issuer),
        algorithm=hash_ or hashes.SHA1(),
        cert_status=status,
        this_update=NOW + since,
        next_update=None if until is None else NOW + until,
        revocation_time=NOW - 2 * DAY if revoked else None,
        revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    builder = builder.responder_id(encoding, x509.load_der_x509_certificate(responder or issuer))
    if sent:
        builder = builder.certificates([x509.load_der_x509_certificate(each) for each in sent])
    return builder.sign(pki.key(key), signing_hash or hashes.SHA256()).public_bytes(Encoding.DER)


def delegated(**made: Any) -> bytes:
    """One that a delegate signed, whose certificate comes with it; arguments are those of `delegate`."""
    certificate = delegate(**made)
    return response(responder=certificate, key="p256/responder", sent=(certificate,))


@cache
def crl(issuer: str, *revoked: bytes, until: datetime.timedelta = DAY, key: str = "") -> bytes:
    """By `cryptography`, since nothing here is to be wrong but what it says. `revoked` are certificates."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(pki._name(f"test {issuer}"))
        .last_update(NOW - 9 * DAY)
        .next_update(NOW + until)
        .add_extension(x509.CRLNumber(1), False)
    )
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().revocation_date(NOW - DAY)
        entry = entry.serial_number(x509.load_der_x509_certificate(each).serial_number)
        builder = builder.add_revoked_certificate(
            entry.add_extension(x509.CRLReason(x509.ReasonFlags.superseded), False).build()
        )
    return builder.sign(pki.key(key or f"p256/{issuer}"), hashes.SHA256()).public_bytes(Encoding.DER)


def refusal(status: ocsp.OCSPResponseStatus) -> bytes:
    """A responder's answer that says nothing about any certificate."""
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


Change = Callable[[list[bytes]], list[bytes]]


def rewritten(
    *,
    outer: Change | None = None,
    basic: Change | None = None,
    signed: Change | None = None,
    key: str = "p256/intermediate",
) -> bytes:
    """The right response with other elements in the OCSPResponse, the BasicOCSPResponse or what is signed.

    The signature is made anew, with `key`, over what is signed then.
    """
    status, wrapped = pki.children(response())
    kind, octets = pki.children(pki.children(wrapped)[0])
    fields = pki.children(octets[pki._header(octets) :])
    if signed is not None:
        fields[0] = pki.der(0x30, *signed(pki.children(fields[0])))
    signer = pki.key(key)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    fields[2] = pki.der(0x03, b"\x00", signer.sign(fields[0], ec.ECDSA(hashes.SHA256())))
    fields = fields if basic is None else basic(fields)
    parts = [status, pki.der(0xA0, pki.der(0x30, kind, pki.der(0x04, pki.der(0x30, *fields))))]
    return pki.der(0x30, *(parts if outer is None else outer(parts)))


def single(change: Change) -> Change:
    """A change of the only SingleResponse, as a change of what is signed: responderID, producedAt, responses."""

    def apply(fields: list[bytes]) -> list[bytes]:
        only = pki.children(fields[2])[0]
        return [*fields[:2], pki.der(0x30, pki.der(0x30, *change(pki.children(only)))), *fields[3:]]

    return apply
