"""The extensions we understand: their contents as values (RFC 5280 section 4.2.1).

Each function takes the contents of one extension and raises CertificateError if they are
malformed, so that one bad extension is judged alone. `read` finds the function by OID.
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls._struct import struct
from lighttls._typing import Any, Final
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import der

SUBJECT_KEY_IDENTIFIER: Final = der.oid("2.5.29.14")
KEY_USAGE: Final = der.oid("2.5.29.15")
SUBJECT_ALT_NAME: Final = der.oid("2.5.29.17")
BASIC_CONSTRAINTS: Final = der.oid("2.5.29.19")
NAME_CONSTRAINTS: Final = der.oid("2.5.29.30")
CERTIFICATE_POLICIES: Final = der.oid("2.5.29.32")
POLICY_MAPPINGS: Final = der.oid("2.5.29.33")
CRL_DISTRIBUTION_POINTS: Final = der.oid("2.5.29.31")
AUTHORITY_KEY_IDENTIFIER: Final = der.oid("2.5.29.35")
POLICY_CONSTRAINTS: Final = der.oid("2.5.29.36")
EXTENDED_KEY_USAGE: Final = der.oid("2.5.29.37")
INHIBIT_ANY_POLICY: Final = der.oid("2.5.29.54")
AUTHORITY_INFO_ACCESS: Final = der.oid("1.3.6.1.5.5.7.1.1")
TLS_FEATURE: Final = der.oid("1.3.6.1.5.5.7.1.24")

NAMES: Final = {
    SUBJECT_KEY_IDENTIFIER: "subjectKeyIdentifier",
    KEY_USAGE: "keyUsage",
    SUBJECT_ALT_NAME: "subjectAltName",
    BASIC_CONSTRAINTS: "basicConstraints",
    NAME_CONSTRAINTS: "nameConstraints",
    CRL_DISTRIBUTION_POINTS: "cRLDistributionPoints",
    CERTIFICATE_POLICIES: "certificatePolicies",
    POLICY_MAPPINGS: "policyMappings",
    AUTHORITY_KEY_IDENTIFIER: "authorityKeyIdentifier",
    POLICY_CONSTRAINTS: "policyConstraints",
    EXTENDED_KEY_USAGE: "extendedKeyUsage",
    INHIBIT_ANY_POLICY: "inhibitAnyPolicy",
    AUTHORITY_INFO_ACCESS: "authorityInfoAccess",
    TLS_FEATURE: "tlsFeature",
}

ANY_POLICY: Final = der.oid("2.5.29.32.0")
_KNOWN_QUALIFIERS: Final = frozenset((der.oid("1.3.6.1.5.5.7.2.1"), der.oid("1.3.6.1.5.5.7.2.2")))  # CPS, user notice

ANY_EXTENDED_KEY_USAGE: Final = der.oid("2.5.29.37.0")
SERVER_AUTH: Final = der.oid("1.3.6.1.5.5.7.3.1")
CLIENT_AUTH: Final = der.oid("1.3.6.1.5.5.7.3.2")
OCSP_SIGNING: Final = der.oid("1.3.6.1.5.5.7.3.9")
_CA_ISSUERS: Final = der.oid("1.3.6.1.5.5.7.48.2")

# bits of keyUsage, as positions in the BIT STRING (RFC 5280 4.2.1.3)
DIGITAL_SIGNATURE: Final = 0
KEY_CERT_SIGN: Final = 5
CRL_SIGN: Final = 6

# kinds of GeneralName, by the number of their context tag (RFC 5280 4.2.1.6)
OTHER_NAME: Final = 0
RFC822_NAME: Final = 1
DNS_NAME: Final = 2
DIRECTORY_NAME: Final = 4
URI: Final = 6
IP_ADDRESS: Final = 7

GeneralName = tuple[int, bytes]
"""Kind and contents; of a directoryName the whole Name (DER)."""

_CONTEXT: Final = 0x80
_CONSTRUCTED: Final = 0x20
_FORMS: Final = {
    # otherName, x400Address, directoryName and ediPartyName are constructed
    (_CONTEXT | kind | (_CONSTRUCTED if kind in (0, 3, 4, 5) else 0)): kind
    for kind in range(9)
}


def name_of(oid: bytes) -> str:
    """Name an extension for people."""
    return NAMES.get(oid) or der.dotted(oid)


@struct
class BasicConstraints:
    """May this key sign certificates, and how many authorities may follow (RFC 5280 4.2.1.9)."""

    ca: bool
    path_length: int | None


@struct
class NameConstraints:
    """Subtrees in which names of certificates below must lie, or must not (RFC 5280 4.2.1.10)."""

    permitted: tuple[GeneralName, ...]
    excluded: tuple[GeneralName, ...]


@struct
class CertificatePolicies:
    """The policies a certificate is issued under (RFC 5280 4.2.1.4)."""

    policies: frozenset[bytes]
    """OIDs, ANY_POLICY perhaps among them."""
    understood: bool
    """No qualifier is of a kind that RFC 5280 does not know."""


@struct
class PolicyConstraints:
    """After how many certificates a policy is demanded, and mapping ends (RFC 5280 4.2.1.11). None: it does not say."""

    require_explicit_policy: int | None
    inhibit_policy_mapping: int | None


def read(oid: bytes, value: bytes) -> Any:
    """What an extension says whose OID is in `READERS`. Raises CertificateError."""
    return READERS[oid](value)


def basic_constraints(value: bytes) -> BasicConstraints:
    """basicConstraints. An encoded FALSE breaks DER but is common in private PKIs, so it passes."""
    at = der.whole(value, der.SEQUENCE, "basicConstraints")
    end = len(value)
    ca = False
    path_length = None
    if at < end and value[at] == der.BOOLEAN:
        start, at = der.expect(value, at, end, der.BOOLEAN, "basicConstraints")
        ca = der.boolean(value, start, at, "basicConstraints")
    if at < end:
        start, at = der.expect(value, at, end, der.INTEGER, "basicConstraints path length")
        path_length = _count(value, start, at, "basicConstraints path length")
    if at != end:
        raise der.malformed("basicConstraints: bytes after the end")
    return BasicConstraints(ca, path_length)


def key_usage(value: bytes) -> frozenset[int]:
    """keyUsage, as the positions of the bits that are set. Trailing zero bits pass, and none permits nothing."""
    start = der.whole(value, der.BIT_STRING, "keyUsage")
    bits = value[start + 1 :]
    unused = value[start] if start < len(value) else 8
    if len(bits) > 2 or unused > 7 or (unused and not bits) or (bits and bits[-1] & ((1 << unused) - 1)):
        raise der.malformed("keyUsage: not a BIT STRING of up to sixteen bits")
    return frozenset(i for i in range(8 * len(bits)) if bits[i >> 3] & (0x80 >> (i & 7)))


def extended_key_usage(value: bytes) -> frozenset[bytes]:
    """extendedKeyUsage, as the OIDs of its purposes; there is at least one."""
    purposes = der.items(value, der.SEQUENCE, "extendedKeyUsage")
    if not purposes or any(tag != der.OID or at == stop for tag, at, stop in purposes):
        raise der.malformed("extendedKeyUsage: not a list of one or more purposes")
    return frozenset(value[at:stop] for _, at, stop in purposes)


_MEMO_ENTRIES: Final = 64
_MEMO_BYTES: Final = 128  # longer ones are not remembered
_memo: dict[bytes, tuple[GeneralName, ...]] = {}  # a server's names come back with every certificate of it


def subject_alt_name(value: bytes) -> tuple[GeneralName, ...]:
    """subjectAltName; there is at least one name, and an iPAddress has 4 or 16 bytes."""
    names = _memo.get(value)
    if names is None:
        names = _subject_alt_name(value)
        if len(value) <= _MEMO_BYTES:
            if len(_memo) >= _MEMO_ENTRIES:
                _memo.clear()
            _memo[value] = names
    return names


def _subject_alt_name(value: bytes) -> tuple[GeneralName, ...]:
    names = tuple(
        general_name(value, element, "subjectAltName") for element in der.items(value, der.SEQUENCE, "subjectAltName")
    )
    if not names:
        raise der.malformed("subjectAltName: empty")
    for kind, name in names:
        if kind == IP_ADDRESS and len(name) not in (4, 16):
            raise der.malformed(f"subjectAltName: an iPAddress of {len(name)} bytes")
    return names


def subject_key_identifier(value: bytes) -> bytes:
    """subjectKeyIdentifier: bytes without further meaning."""
    return value[der.whole(value, der.OCTET_STRING, "subjectKeyIdentifier") :]


def authority_key_identifier(value: bytes) -> bytes | None:
    """The keyIdentifier of authorityKeyIdentifier, which may be absent; the rest is not used."""
    identifier = None
    last = -1
    for tag, at, stop in der.items(value, der.SEQUENCE, "authorityKeyIdentifier"):
        if tag not in (0x80, 0xA1, 0x82) or tag & 0x1F <= last:
            raise der.malformed("authorityKeyIdentifier: unknown or repeated field")
        last = tag & 0x1F
        if tag == 0x80:
            identifier = value[at:stop]
    return identifier


def name_constraints(value: bytes) -> NameConstraints:
    """nameConstraints; at least one list is there and none is empty."""
    lists: dict[int, tuple[GeneralName, ...]] = {}
    for tag, at, stop in der.items(value, der.SEQUENCE, "nameConstraints"):
        if tag not in (0xA0, 0xA1) or any(tag <= seen for seen in lists) or at == stop:
            raise der.malformed("nameConstraints: neither permitted nor excluded subtrees, or an empty list")
        lists[tag] = tuple(_subtree(value, element) for element in der.elements(value, at, stop))
    if not lists:
        raise der.malformed("nameConstraints: empty")
    return NameConstraints(lists.get(0xA0, ()), lists.get(0xA1, ()))


def ca_issuers(value: bytes) -> tuple[str, ...]:
    """Where authorityInfoAccess says the issuer's certificate can be had (RFC 5280 4.2.2.1)."""
    places = []
    descriptions = der.items(value, der.SEQUENCE, "authorityInfoAccess")
    if not descriptions:
        raise der.malformed("authorityInfoAccess: empty")
    for tag, at, stop in descriptions:
        if tag != der.SEQUENCE:
            raise der.malformed("authorityInfoAccess: a description is not a SEQUENCE")
        method_at, method_stop = der.expect(value, at, stop, der.OID, "authorityInfoAccess method")
        location = der.read(value, method_stop, stop)
        if location[2] != stop:
            raise der.malformed("authorityInfoAccess: bytes after a location")
        kind, name = general_name(value, location, "authorityInfoAccess")
        if kind == URI and value[method_at:method_stop] == _CA_ISSUERS:
            places.append(name.decode("ascii", "backslashreplace"))
    return tuple(places)


def tls_feature(value: bytes) -> frozenset[int]:
    """The TLS extensions that a server with this certificate answers if it is asked (RFC 7633 §4)."""
    features = der.items(value, der.SEQUENCE, "tlsFeature")
    if not features or any(tag != der.INTEGER for tag, _, _ in features):
        raise der.malformed("tlsFeature: not a list of one or more numbers")
    numbers = frozenset(der.integer(value, at, stop, "tlsFeature") for _, at, stop in features)
    if not all(0 <= number <= 0xFFFF for number in numbers):
        raise der.malformed("tlsFeature: a number that no TLS extension has")
    return numbers


def certificate_policies(value: bytes) -> CertificatePolicies:
    """certificatePolicies. Qualifiers are for people: only what kind they are is looked at."""
    policies = set()
    understood = True
    listed = der.items(value, der.SEQUENCE, "certificatePolicies")
    for tag, at, stop in listed:
        if tag != der.SEQUENCE:
            raise der.malformed("certificatePolicies: a policy is not a SEQUENCE")
        oid_at, at = der.expect(value, at, stop, der.OID, "certificatePolicies policy")
        policies.add(value[oid_at:at])
        if at < stop:
            understood &= _known_qualifiers(value, at, stop)
    if not policies or len(policies) < len(listed):
        raise der.malformed("certificatePolicies: no policy, or one that appears twice")
    return CertificatePolicies(frozenset(policies), understood)


def _known_qualifiers(value: bytes, at: int, end: int) -> bool:
    at, stop = der.expect(value, at, end, der.SEQUENCE, "certificatePolicies qualifiers")
    if at == stop or stop != end:
        raise der.malformed("certificatePolicies: an empty list of qualifiers, or bytes after it")
    known = True
    for tag, start, end_of_one in der.elements(value, at, stop):
        if tag != der.SEQUENCE:
            raise der.malformed("certificatePolicies: a qualifier is not a SEQUENCE")
        kind_at, kind_stop = der.expect(value, start, end_of_one, der.OID, "certificatePolicies qualifier")
        if der.read(value, kind_stop, end_of_one)[2] != end_of_one:
            raise der.malformed("certificatePolicies: bytes after a qualifier")
        known &= value[kind_at:kind_stop] in _KNOWN_QUALIFIERS
    return known


def policy_mappings(value: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """policyMappings: (a policy of the issuer, one of the subject that stands for it). None is anyPolicy."""
    mappings: dict[tuple[bytes, bytes], None] = {}
    for tag, at, stop in der.items(value, der.SEQUENCE, "policyMappings"):
        if tag != der.SEQUENCE:
            raise der.malformed("policyMappings: a mapping is not a SEQUENCE")
        first_at, first_stop = der.expect(value, at, stop, der.OID, "policyMappings policy")
        second_at, second_stop = der.expect(value, first_stop, stop, der.OID, "policyMappings policy")
        if second_stop != stop:
            raise der.malformed("policyMappings: bytes after a mapping")
        mapping = value[first_at:first_stop], value[second_at:second_stop]
        if ANY_POLICY in mapping:
            raise CertificateError("policyMappings maps anyPolicy (RFC 5280 4.2.1.5)", ChainReason.PROFILE_VIOLATION)
        mappings[mapping] = None
    if not mappings:
        raise der.malformed("policyMappings: empty")
    return tuple(mappings)


def policy_constraints(value: bytes) -> PolicyConstraints:
    """policyConstraints; it says at least one of the two things it can say."""
    said: list[int | None] = [None, None]
    for tag, at, stop in der.items(value, der.SEQUENCE, "policyConstraints"):
        kind = tag - 0x80
        if kind not in (0, 1) or any(each is not None for each in said[kind:]):
            raise der.malformed("policyConstraints: unknown or repeated field")
        said[kind] = _count(value, at, stop, "policyConstraints")
    if said == [None, None]:
        raise der.malformed("policyConstraints: empty")
    return PolicyConstraints(*said)


def inhibit_any_policy(value: bytes) -> int:
    """inhibitAnyPolicy: how many more certificates may use anyPolicy (RFC 5280 4.2.1.14)."""
    return _count(value, der.whole(value, der.INTEGER, "inhibitAnyPolicy"), len(value), "inhibitAnyPolicy")


_ENDLESS: Final = 1 << 31  # certificates: more than any path has, and Python prints no number of a thousand digits


def _count(value: bytes, at: int, stop: int, what: str) -> int:
    number = der.integer(value, at, stop, what)
    if number < 0:
        raise der.malformed(f"{what}: a negative number of certificates")
    return min(number, _ENDLESS)


READERS: Final[dict[bytes, Callable[[bytes], Any]]] = {
    BASIC_CONSTRAINTS: basic_constraints,
    KEY_USAGE: key_usage,
    EXTENDED_KEY_USAGE: extended_key_usage,
    SUBJECT_ALT_NAME: subject_alt_name,
    SUBJECT_KEY_IDENTIFIER: subject_key_identifier,
    AUTHORITY_KEY_IDENTIFIER: authority_key_identifier,
    NAME_CONSTRAINTS: name_constraints,
    CERTIFICATE_POLICIES: certificate_policies,
    POLICY_MAPPINGS: policy_mappings,
    POLICY_CONSTRAINTS: policy_constraints,
    INHIBIT_ANY_POLICY: inhibit_any_policy,
    AUTHORITY_INFO_ACCESS: ca_issuers,
    TLS_FEATURE: tls_feature,
}


def general_name(data: bytes, element: tuple[int, int, int], what: str) -> GeneralName:
    """Read one GeneralName, given as `der` gives elements; `what` it stands in is for the error."""
    tag, at, stop = element
    kind = _FORMS.get(tag)
    if kind is None:
        raise der.malformed(f"{what}: no GeneralName has tag {tag:#04x}")
    if kind == DIRECTORY_NAME:  # the only one with an explicit tag: it is a CHOICE (X.680 30.6)
        _, inner_stop = der.expect(data, at, stop, der.SEQUENCE, f"{what} directoryName")
        if inner_stop != stop:
            raise der.malformed(f"{what}: bytes after a directoryName")
    return kind, data[at:stop]


def _subtree(data: bytes, element: tuple[int, int, int]) -> GeneralName:
    tag, at, stop = element
    if tag != der.SEQUENCE:
        raise der.malformed("nameConstraints: a subtree is not a SEQUENCE")
    base = der.read(data, at, stop)
    # RFC 5280: minimum is 0 and maximum absent. A minimum of 0 that is written out breaks DER but passes.
    if data[base[2] : stop] not in (b"", b"\x80\x01\x00"):
        raise der.malformed("nameConstraints: a subtree with minimum or maximum")
    return general_name(data, base, "nameConstraints")
