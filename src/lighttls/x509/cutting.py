"""Where the parts of a certificate lie (RFC 5280 section 4.1): a row of numbers, from which they are sliced.

The native engine cuts in C, as strictly; what it does not cut, malformed or merely large, comes here, where a refusal
says what is wrong. The row: start and end of the signed part, end of the outer algorithm, start of the signature,
version, start and end of the serial number, end of the inner algorithm, end of the issuer, notBefore and notAfter (in
seconds since 1970 UTC), end of the validity, of the subject, of the public key; what follows another part starts at its
end.

Then what the certificate says, if it says what nearly all say: facts, the path length it allows (-1: any), by which TLS
SignatureScheme it is signed, the form of its key (see `public_key.FORMS`), start and end of subjectAltName's value.
The native engine sees all that on its way. Here nothing is said, which makes the way longer and no verdict different.

Then for each extension: start and end of its OID, whether it is critical, start and end of its value.
"""

from __future__ import annotations

from lighttls._typing import Final
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import der, extensions

# Facts. Without the first there is no other.
ORDINARY: Final = 1  # what plays a part in a path is well-formed, and says nothing about other certificates
AUTHORITY: Final = 2  # it may sign certificates
CERT_SIGN: Final = 4  # keyUsage says that its key may sign them
DIGITAL_SIGNATURE: Final = 8  # its key may sign handshakes
PURPOSES: Final = {"server_auth": 16, "client_auth": 32}  # extendedKeyUsage allows them
KEY: Final = 64  # its public key has one of the forms in `public_key.FORMS`

FIRST_EXTENSION: Final = 20  # where they start in the row
_NOTHING_SAID: Final = (0, -1, 0, 0, 0, 0)


def cut(data: bytes) -> list[int]:
    """The row of numbers. Raises CertificateError (malformed)."""
    expect = der.expect
    size = len(data)
    tbs_at = der.whole(data, 0x30, "certificate")
    at, tbs_end = expect(data, tbs_at, size, 0x30, "signed part")
    _, outer_end = expect(data, tbs_end, size, 0x30, "signature algorithm")
    signature_at, stop = expect(data, outer_end, size, 0x03, "signature")
    if stop != size:
        raise der.malformed("certificate: bytes after the signature")
    if signature_at == stop or data[signature_at] != 0:
        raise der.malformed("signature: BIT STRING is empty or does not hold whole bytes")
    at, version = _version(data, at, tbs_end)
    serial_at, serial_end = expect(data, at, tbs_end, 0x02, "serial number")
    der.integer(data, serial_at, serial_end, "serial number")
    _, inner_end = expect(data, serial_end, tbs_end, 0x30, "inner signature algorithm")
    _, issuer_end = expect(data, inner_end, tbs_end, 0x30, "issuer")
    at, validity_end = expect(data, issuer_end, tbs_end, 0x30, "validity")
    tag, start, at = der.read(data, at, validity_end)
    not_before = der.time(tag, data[start:at])
    tag, start, at = der.read(data, at, validity_end)
    not_after = der.time(tag, data[start:at])
    if at != validity_end:
        raise der.malformed("validity: bytes after the second date")
    _, subject_end = expect(data, validity_end, tbs_end, 0x30, "subject")
    _, spki_end = expect(data, subject_end, tbs_end, 0x30, "public key")
    return [
        tbs_at,
        tbs_end,
        outer_end,
        signature_at + 1,
        version,
        serial_at,
        serial_end,
        inner_end,
        issuer_end,
        not_before,
        not_after,
        validity_end,
        subject_end,
        spki_end,
        *_NOTHING_SAID,
        *_extensions(data, spki_end, tbs_end, version),
    ]


def peek_subject(data: bytes) -> bytes:
    """Return the subject Name (DER) of a certificate, looking at no more than the way there.

    For trust bundles: most of their certificates are never needed beyond their name.
    """
    expect = der.expect
    at = der.whole(data, 0x30, "certificate")
    at, end = expect(data, at, len(data), 0x30, "signed part")
    at, _ = _version(data, at, end)
    for tag, what in ((0x02, "serial number"), (0x30, "signature algorithm"), (0x30, "issuer"), (0x30, "validity")):
        _, at = expect(data, at, end, tag, what)
    _, stop = expect(data, at, end, 0x30, "subject")
    expect(data, stop, end, 0x30, "public key")
    return data[at:stop]


def _version(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the serial number starts, and the version (1 where none is written)."""
    if at < end and data[at] == 0xA0:
        field = data[at : at + 5]
        if field == b"\xa0\x03\x02\x01\x02":
            return at + 5, 3
        if field == b"\xa0\x03\x02\x01\x01":
            return at + 5, 2
        raise der.malformed("version is not 1, 2 or 3, or 1 is written out")
    return at, 1


def _extensions(data: bytes, at: int, end: int, version: int) -> list[int]:
    """Read the end of the signed part: unique identifiers, which are ignored, and extensions."""
    read = der.read
    last = 0
    numbers: list[int] = []
    while at < end:
        tag, start, at = read(data, at, end)
        if tag not in (0x81, 0x82, 0xA3) or tag & 0x1F <= last:
            raise der.malformed(f"unexpected field with DER tag {tag:#04x} at the end of the signed part")
        last = tag & 0x1F
        if version < (3 if tag == 0xA3 else 2):
            raise der.malformed(f"a version {version} certificate has a field of a later version")
    if last != 3:
        return numbers
    start, stop = der.expect(data, start, at, 0x30, "extensions")
    if stop != at or start == stop:
        raise der.malformed("extensions: empty, or bytes after the end")
    seen = set()
    while start < stop:
        tag, at, end = read(data, start, stop)
        if tag != 0x30:
            raise der.malformed("an extension is not a SEQUENCE")
        start = end
        tag, oid_at, oid_end = read(data, at, end)
        if tag != 0x06 or oid_at == oid_end:
            raise der.malformed("an extension does not start with its OID")
        tag, value_at, at = read(data, oid_end, end)
        critical = False
        if tag == 0x01:
            critical = der.boolean(data, value_at, at, "critical")
            if not critical:
                raise der.malformed("an extension spells out its default, critical FALSE")
            tag, value_at, at = read(data, at, end)
        oid = data[oid_at:oid_end]
        if tag != 0x04 or at != end:
            raise der.malformed(f"{extensions.name_of(oid)}: not wrapped in one OCTET STRING")
        if oid in seen:
            raise CertificateError(f"extension {extensions.name_of(oid)} appears twice", ChainReason.MALFORMED)
        seen.add(oid)
        numbers += (oid_at, oid_end, int(critical), value_at, at)
    return numbers
