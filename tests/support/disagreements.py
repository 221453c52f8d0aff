"""Where other verifiers judge a planted flaw (flaws.py) otherwise than we do, and why we stand by our verdict.

tests/differential/test_x509_flaws.py fails on a disagreement that is not here, and on one that no longer is;
tools/compare_x509.py prints this table into docs/x509.md.
"""

from __future__ import annotations

from typing import NamedTuple

RECORDED = {"cryptography": "50.", "OpenSSL, strict": "3.0."}
"""The releases whose verdicts these are; of others none is expected."""


class Disagreement(NamedTuple):
    flaw: str
    judge: str
    places: str  # L leaf, I intermediate, R root
    why: str


PYCA, OPENSSL = "cryptography", "OpenSSL, strict"

_INCLUSIVE = "the last second belongs to the period (RFC 5280 4.1.2.5)"
_GENERALIZED = "the form of a date is its issuer's duty; the moment is as clear"
_CERTIFICATE_OF_CA = "a rule for issuers (RFC 5280 4.2.1.9); it is processed either way"
_KEY_USAGE = "absent keyUsage forbids nothing (RFC 5280 4.2.1.3 asks issuers for it); private authorities leave it out"
_IDENTIFIERS = "key identifiers help to find a path and refuse none"
_COMPRESSED = "RFC 5480 2.2 lets readers refuse compressed points; the C core reads uncompressed ones alone"
_SERIAL = "no decision depends on a serial number; old and private authorities have such"
_ANCHOR_SIGNATURE = "an anchor is a name and a key; its own signature plays no part (RFC 5280 6.1)"
_CURVE = "no TLS client of today offers the curve"
_POLICIES = "certificate policies are processed here and not there, so that a critical extension of theirs is unknown"
_DER = "a certificate is signed in DER, and here it is none"
_STRICT_READER = "malformed is malformed, used or not"

DISAGREEMENTS = (
    # they refuse, we accept
    Disagreement("ends this very second", OPENSSL, "LIR", _INCLUSIVE),
    Disagreement("dates as GeneralizedTime before 2050", PYCA, "LIR", _GENERALIZED),
    Disagreement(
        "basicConstraints write FALSE out", PYCA, "L", "common in private PKIs, and nothing else can be meant"
    ),
    Disagreement("basicConstraints not critical", PYCA, "IR", _CERTIFICATE_OF_CA),
    Disagreement("basicConstraints not critical", OPENSSL, "IR", _CERTIFICATE_OF_CA),
    Disagreement("no keyUsage", PYCA, "IR", _KEY_USAGE),
    Disagreement("no keyUsage", OPENSSL, "IR", _KEY_USAGE),
    Disagreement("for any purpose", OPENSSL, "IR", "anyExtendedKeyUsage in an authority limits nothing below it"),
    Disagreement("another algorithm inside", PYCA, "R", _ANCHOR_SIGNATURE),
    Disagreement("another algorithm inside", OPENSSL, "R", _ANCHOR_SIGNATURE),
    Disagreement("another algorithm outside", PYCA, "R", _ANCHOR_SIGNATURE),
    Disagreement("another algorithm outside", OPENSSL, "R", _ANCHOR_SIGNATURE),
    Disagreement("no subjectKeyIdentifier", OPENSSL, "IR", _IDENTIFIERS),
    Disagreement("no authorityKeyIdentifier", PYCA, "L", _IDENTIFIERS),
    Disagreement("no authorityKeyIdentifier", OPENSSL, "LI", _IDENTIFIERS),
    Disagreement("authorityKeyIdentifier of nobody", OPENSSL, "LI", _IDENTIFIERS),
    Disagreement("some policy, critical", PYCA, "LI", _POLICIES),
    Disagreement("anyPolicy inhibited", PYCA, "IR", _POLICIES),
    Disagreement("negative serial number", PYCA, "LIR", _SERIAL),
    Disagreement("serial number of 30 bytes", PYCA, "LIR", _SERIAL),
    Disagreement(
        "a malformed distribution point, and no lists asked for",
        OPENSSL,
        "LIR",
        "where to fetch a list from is not looked at where nobody asked for lists",
    ),
    # they accept, we refuse
    Disagreement("for a wildcard in a label", OPENSSL, "L", "a wildcard is a whole label (RFC 9525 6.3)"),
    Disagreement("name in the common name alone", OPENSSL, "L", "the common name never counts (RFC 9525 2)"),
    Disagreement("an address of five bytes beside the name", PYCA, "L", _STRICT_READER),
    Disagreement("an address of five bytes beside the name", OPENSSL, "L", _STRICT_READER),
    Disagreement("constraints in a leaf", OPENSSL, "L", "nameConstraints are for authorities only (RFC 5280 4.2.1.10)"),
    Disagreement("constraints without a list", OPENSSL, "IR", "RFC 5280 4.2.1.10 forbids them to be empty"),
    Disagreement("RSA key of 1024 bits", PYCA, "L", "it measures the keys of authorities only"),
    Disagreement("key on secp256k1", PYCA, "L", _CURVE),
    Disagreement("key on secp256k1", OPENSSL, "LIR", _CURVE),
    Disagreement("curve spelled out", PYCA, "L", "RFC 5480 2.1.1 forbids it, and CVE-2020-0601 came of it"),
    Disagreement("point compressed", PYCA, "LIR", _COMPRESSED),
    Disagreement("point compressed", OPENSSL, "LIR", _COMPRESSED),
    Disagreement("subjectKeyIdentifier critical", PYCA, "L", "RFC 5280 4.2.1.2 forbids it"),
    *(
        Disagreement(flaw, judge, "LIR", _STRICT_READER)
        for flaw in ("TLS features that are no numbers", "a TLS feature beyond 65535")
        for judge in (PYCA, OPENSSL)
    ),
    *(
        Disagreement("must-staple in an authority alone", judge, "IR", "what it promises, all below promise (RFC 7633)")
        for judge in (PYCA, OPENSSL)
    ),
    Disagreement(
        "policy required and nowhere", OPENSSL, "R", "what a root's certificate says is taken as its owner's wish"
    ),
    Disagreement("the same policy twice", PYCA, "LI", "RFC 5280 4.2.1.4 forbids it"),
    Disagreement("version 4", OPENSSL, "LIR", "nobody has defined what it means"),
    Disagreement("bytes after the end", OPENSSL, "LIR", _DER),
    Disagreement("length not in its shortest form", OPENSSL, "LIR", _DER),
)
EXPLAINED = {(each.judge, each.flaw, place) for each in DISAGREEMENTS for place in each.places}
