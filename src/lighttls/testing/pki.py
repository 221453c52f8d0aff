"""Certificates for tests and demonstrations, including kinds that ordinary tools refuse to make.

`issue` makes one certificate: it writes the TBSCertificate itself (RFC 5280 §4.1) and signs it
with the raw key, because builders refuse SHA-1 and much else that a client must be tested with.
`Pki` is the set the demo uses: a SHA-1 self-signed root named and shaped like VeriSign's of
2006, an intermediate, two server leaves, a device authority and its devices.

Keys live in memory and are made anew each time. Nothing here is fit for production.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import encodebytes
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from typing import Any

from lighttls.testing import der_writer as der

Name = str | Sequence[tuple[str, str]]
"""A distinguished name: its attributes in order, such as ("O", "Example"), or just a common name."""

Extension = tuple[str, bool, bytes]
"""Object identifier, critical, and the extension's value in DER."""

_ATTRIBUTES = {
    "CN": "2.5.4.3",
    "SERIALNUMBER": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
}
_SIGNATURE_OIDS = {
    ("rsa", "md5"): "1.2.840.113549.1.1.4",
    ("rsa", "sha1"): "1.2.840.113549.1.1.5",
    ("rsa", "sha256"): "1.2.840.113549.1.1.11",
    ("rsa", "sha384"): "1.2.840.113549.1.1.12",
    ("rsa", "sha512"): "1.2.840.113549.1.1.13",
    ("ec", "sha1"): "1.2.840.10045.4.1",
    ("ec", "sha256"): "1.2.840.10045.4.3.2",
    ("ec", "sha384"): "1.2.840.10045.4.3.3",
    ("ec", "sha512"): "1.2.840.10045.4.3.4",
}
_KEY_USAGE_BITS = {
    "digital_signature": 0,
    "content_commitment": 1,
    "key_encipherment": 2,
    "data_encipherment": 3,
    "key_agreement": 4,
    "key_cert_sign": 5,
    "crl_sign": 6,
}
_PURPOSES = {
    "any": "2.5.29.37.0",
    "server_auth": "1.3.6.1.5.5.7.3.1",
    "client_auth": "1.3.6.1.5.5.7.3.2",
    "code_signing": "1.3.6.1.5.5.7.3.3",
}

_PRINTABLE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")

SUBJECT_KEY_ID = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
SUBJECT_ALT_NAME = "2.5.29.17"
BASIC_CONSTRAINTS = "2.5.29.19"
AUTHORITY_KEY_ID = "2.5.29.35"
EXTENDED_KEY_USAGE = "2.5.29.37"

VERISIGN_G5: Name = (
    ("C", "US"),
    ("O", "VeriSign, Inc."),
    ("OU", "VeriSign Trust Network"),
    ("OU", "(c) 2006 VeriSign, Inc. - For authorized use only"),
    ("CN", "VeriSign Class 3 Public Primary Certification Authority - G5"),
)


class PrivateKey:
    """An RSA or ECDSA key in software."""

    def __init__(self, key: Any, kind: str) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        self._key = key
        self.kind = kind
        self.spki: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data: bytes, hash_name: str = "sha256") -> bytes:
        """Sign with PKCS #1 v1.5, or with ECDSA in DER."""
        from cryptography.hazmat.primitives.asymmetric import ec, padding

        algorithm = _hash(hash_name)
        signature: bytes = (
            self._key.sign(data, padding.PKCS1v15(), algorithm)
            if self.kind == "rsa"
            else self._key.sign(data, ec.ECDSA(algorithm))
        )
        return signature

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign a SHA-256 digest with a P-256 key and return r and s, 32 bytes each: what a secure element does."""
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        signature = self._key.sign(digest, ec.ECDSA(utils.Prehashed(_hash("sha256"))))
        return b"".join(number.to_bytes(32, "big") for number in utils.decode_dss_signature(signature))

    def to_pem(self) -> bytes:
        """PKCS #8 without encryption."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        pem: bytes = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return pem


def rsa_key(bits: int = 2048) -> PrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return PrivateKey(rsa.generate_private_key(65537, bits), "rsa")


def ec_key(curve: str = "secp256r1") -> PrivateKey:
    """A key on the curve that `cryptography` calls `curve`, such as secp384r1."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return PrivateKey(ec.generate_private_key(getattr(ec, curve.upper())()), "ec")


class Certificate:
    """A certificate and the key it was made for."""

    def __init__(self, encoded: bytes, subject: bytes, key: PrivateKey) -> None:
        self.der = encoded
        self.subject = subject
        self.key = key

    def to_pem(self) -> bytes:
        return b"-----BEGIN CERTIFICATE-----\n" + _lines_of_64(self.der) + b"-----END CERTIFICATE-----\n"


def issue(
    subject: Name,
    key: PrivateKey,
    *,
    issuer: Certificate | None = None,
    hash_name: str = "sha256",
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    ca: bool = False,
    path_length: int | None = None,
    key_usage: Iterable[str] | None = None,
    extended_key_usage: Iterable[str] = (),
    dns_names: Iterable[str] = (),
    ip_addresses: Iterable[str] = (),
    extensions: Iterable[Extension] = (),
) -> Certificate:
    """Make a certificate; without `issuer` it signs itself.

    It is valid from yesterday for a year unless told. `key_usage` defaults to what an authority
    needs or to digital_signature; give () to leave the extension out. An extension in
    `extensions` replaces the one of the same object identifier.
    """
    today = datetime.now(UTC).replace(microsecond=0)
    signing_key = issuer.key if issuer else key
    name = _name(subject)
    algorithm = _signature_algorithm(signing_key, hash_name)
    parts = {
        BASIC_CONSTRAINTS: (True, _basic_constraints(ca, path_length)),
        SUBJECT_KEY_ID: (False, der.octet_string(_key_id(key))),
    }
    if key_usage is None:
        key_usage = ("key_cert_sign", "crl_sign") if ca else ("digital_signature",)
    if bits := [_KEY_USAGE_BITS[usage] for usage in key_usage]:
        parts[KEY_USAGE] = (True, der.named_bits(*bits))
    if purposes := [der.oid(_PURPOSES[purpose]) for purpose in extended_key_usage]:
        parts[EXTENDED_KEY_USAGE] = (False, der.sequence(*purposes))
    if names := [der.implicit(2, host.encode("ascii")) for host in dns_names] + [
        der.implicit(7, ip_address(address).packed) for address in ip_addresses
    ]:
        parts[SUBJECT_ALT_NAME] = (False, der.sequence(*names))
    if issuer:
        parts[AUTHORITY_KEY_ID] = (False, der.sequence(der.implicit(0, _key_id(issuer.key))))
    parts |= {identifier: (critical, value) for identifier, critical, value in extensions}
    tbs = der.sequence(
        der.explicit(0, der.integer(2)),  # v3
        der.integer(secrets.randbits(126) | 1 << 126),
        algorithm,
        issuer.subject if issuer else name,
        der.sequence(
            _time(not_before or today - timedelta(days=1)),
            _time(not_after or today + timedelta(days=365)),
        ),
        name,
        key.spki,
        der.explicit(3, der.sequence(*(_extension(oid, *part) for oid, part in parts.items()))),
    )
    signature = signing_key.sign(tbs, hash_name)
    return Certificate(der.sequence(tbs, algorithm, der.bit_string(signature)), name, key)


def chain_pem(*chain: Certificate) -> bytes:
    """The certificates as one PEM text, in the order given."""
    return b"".join(certificate.to_pem() for certificate in chain)


class Pki:
    """Two small hierarchies, one for servers and one for devices; each part is made when first asked for.

    `host_names` are the servers' DNS names. With `sha1_intermediate` the certificate below the
    root is signed with SHA-1 as well, which a client must refuse unless told otherwise.
    """

    def __init__(self, host_names: Sequence[str] = ("localhost",), *, sha1_intermediate: bool = False) -> None:
        self.host_names = tuple(host_names)
        self._intermediate_hash = "sha1" if sha1_intermediate else "sha256"

    @cached_property
    def root(self) -> Certificate:
        """Self-signed with SHA-1: VeriSign's name, dates and shape, but a key of ours."""
        return issue(
            VERISIGN_G5,
            rsa_key(),
            hash_name="sha1",
            not_before=datetime(2006, 11, 8, tzinfo=UTC),
            not_after=datetime(2036, 7, 16, 23, 59, 59, tzinfo=UTC),
            ca=True,
        )

    @cached_property
    def intermediate(self) -> Certificate:
        return issue(
            (("O", "lighttls test"), ("CN", "Test Server CA")),
            rsa_key(),
            issuer=self.root,
            hash_name=self._intermediate_hash,
            ca=True,
            path_length=0,
        )

    @cached_property
    def ecdsa_server(self) -> Certificate:
        return self._server(ec_key())

    @cached_property
    def rsa_server(self) -> Certificate:
        return self._server(rsa_key())

    @cached_property
    def device_ca(self) -> Certificate:
        return issue((("O", "lighttls test"), ("CN", "Test Device CA")), ec_key(), ca=True)

    @cached_property
    def ec_device(self) -> Certificate:
        return self._device("device-ec", ec_key())

    @cached_property
    def rsa_device(self) -> Certificate:
        return self._device("device-rsa", rsa_key())

    def server_chain(self, leaf: Certificate) -> bytes:
        """PEM of what a server sends: the leaf and the intermediate."""
        return chain_pem(leaf, self.intermediate)

    def device_chain(self, leaf: Certificate) -> bytes:
        """PEM of what a device sends: its certificate and the authority's."""
        return chain_pem(leaf, self.device_ca)

    def _server(self, key: PrivateKey) -> Certificate:
        return issue(
            self.host_names[0],
            key,
            issuer=self.intermediate,
            dns_names=self.host_names,
            extended_key_usage=("server_auth",),
        )

    def _device(self, name: str, key: PrivateKey) -> Certificate:
        return issue(name, key, issuer=self.device_ca, extended_key_usage=("client_auth",))


def _name(name: Name) -> bytes:
    attributes = (("CN", name),) if isinstance(name, str) else name
    return der.sequence(
        *(der.set_of(der.sequence(der.oid(_ATTRIBUTES[kind]), _text(text))) for kind, text in attributes)
    )


def _text(text: str) -> bytes:
    """PrintableString where it suffices, as old authorities wrote; else UTF8String."""
    return der.printable_string(text) if set(text) <= _PRINTABLE else der.utf8_string(text)


def _signature_algorithm(key: PrivateKey, hash_name: str) -> bytes:
    identifier = der.oid(_SIGNATURE_OIDS[key.kind, hash_name])
    return der.sequence(identifier, der.null()) if key.kind == "rsa" else der.sequence(identifier)


def _time(moment: datetime) -> bytes:
    """UTCTime through 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5)."""
    moment = moment.astimezone(UTC)
    if moment.year < 2050:
        return der.element(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
    return der.element(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def _basic_constraints(ca: bool, path_length: int | None) -> bytes:
    if not ca:
        return der.sequence()
    return der.sequence(der.boolean(True), b"" if path_length is None else der.integer(path_length))


def _extension(identifier: str, critical: bool, value: bytes) -> bytes:
    return der.sequence(der.oid(identifier), der.boolean(True) if critical else b"", der.octet_string(value))


def _key_id(key: PrivateKey) -> bytes:
    """The first method of RFC 5280 §4.2.1.2, over the whole SubjectPublicKeyInfo: any stable value will do."""
    return hashlib.sha1(key.spki, usedforsecurity=False).digest()


def _hash(name: str) -> Any:
    from cryptography.hazmat.primitives import hashes

    return getattr(hashes, name.upper())()


def _lines_of_64(data: bytes) -> bytes:
    text = encodebytes(data).replace(b"\n", b"")
    return b"".join(text[start : start + 64] + b"\n" for start in range(0, len(text), 64))
