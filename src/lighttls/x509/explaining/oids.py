"""What extensions, purposes and key usages are called, for explanations; the verdict knows none of these names."""

from __future__ import annotations

from lighttls._typing import Final
from lighttls.x509 import der

EXTENSIONS: Final = {
    der.oid("1.3.6.1.4.1.11129.2.4.3"): (
        "the poison of a precertificate (RFC 6962), which exists to be logged: the server shows the draft of its "
        "certificate in place of the certificate"
    ),
    der.oid("1.3.6.1.5.5.7.1.3"): "qcStatements of a qualified certificate (RFC 3739)",
    der.oid("1.3.6.1.5.5.7.1.11"): "subjectInfoAccess, which RFC 5280 4.2.2.2 forbids to be critical",
    der.oid("1.3.6.1.5.5.7.1.14"): "proxyCertInfo of a proxy certificate (RFC 3820)",
    der.oid("1.3.6.1.5.5.7.48.1.5"): "id-pkix-ocsp-nocheck, which belongs to OCSP responders",
    der.oid("2.5.29.9"): "subjectDirectoryAttributes, which RFC 5280 4.2.1.8 forbids to be critical",
    der.oid("2.5.29.16"): "privateKeyUsagePeriod, which RFC 5280 dropped",
    der.oid("2.5.29.18"): "issuerAltName, which RFC 5280 4.2.1.7 wants not critical",
    der.oid("2.5.29.46"): "freshestCRL, which RFC 5280 4.2.1.15 forbids to be critical",
    der.oid("2.16.840.1.113730.1.1"): "Netscape's certificate type of 1996, before extendedKeyUsage",
    der.oid("1.3.6.1.4.1.311.21.7"): "the certificate template of Microsoft's authority",
    der.oid("1.3.6.1.4.1.311.21.10"): "the application policies of Microsoft's authority",
}

_PURPOSES: Final = {
    der.oid("2.5.29.37.0"): "any purpose",
    der.oid("1.3.6.1.5.5.7.3.1"): "serverAuth",
    der.oid("1.3.6.1.5.5.7.3.2"): "clientAuth",
    der.oid("1.3.6.1.5.5.7.3.3"): "codeSigning",
    der.oid("1.3.6.1.5.5.7.3.4"): "emailProtection",
    der.oid("1.3.6.1.5.5.7.3.5"): "ipsecEndSystem",
    der.oid("1.3.6.1.5.5.7.3.7"): "ipsecUser",
    der.oid("1.3.6.1.5.5.7.3.8"): "timeStamping",
    der.oid("1.3.6.1.5.5.7.3.9"): "OCSPSigning",
    der.oid("1.3.6.1.5.5.7.3.17"): "ipsecIKE",
    der.oid("1.3.6.1.4.1.311.10.3.3"): "Microsoft's server gated cryptography",
    der.oid("1.3.6.1.4.1.311.20.2.2"): "Microsoft's smart card logon",
    der.oid("2.16.840.1.113730.4.1"): "Netscape's server gated cryptography",
}

KEY_USAGES: Final = {
    0: "digitalSignature",
    1: "contentCommitment",
    2: "keyEncipherment",
    3: "dataEncipherment",
    4: "keyAgreement",
    5: "keyCertSign",
    6: "cRLSign",
    7: "encipherOnly",
    8: "decipherOnly",
}


def purpose(oid: bytes) -> str:
    """Name a purpose of extendedKeyUsage; its OID with dots if it is none of the known ones."""
    return _PURPOSES.get(oid) or der.dotted(oid)
