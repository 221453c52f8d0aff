"""What one certificate must fulfil in its place in a path (CERT-21; RFC 5280 section 6.1.3, 6.1.4).

Each function raises CertificateError. None looks at more than one certificate, so a candidate is
refused before the search goes on above it.
"""

from __future__ import annotations

from collections.abc import Iterable

from lighttls._typing import Any, Final
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import extensions, signatures
from lighttls.x509.certificate import EMPTY_NAME, Certificate
from lighttls.x509.policy import TimePolicy
from lighttls.x509.signatures import Algorithm

# What may be critical, since we process it.
_PROCESSED: Final = frozenset(
    (
        extensions.BASIC_CONSTRAINTS,
        extensions.KEY_USAGE,
        extensions.EXTENDED_KEY_USAGE,
        extensions.SUBJECT_ALT_NAME,
        extensions.NAME_CONSTRAINTS,
        extensions.CERTIFICATE_POLICIES,
        extensions.POLICY_MAPPINGS,
        extensions.POLICY_CONSTRAINTS,
        extensions.INHIBIT_ANY_POLICY,
        extensions.TLS_FEATURE,
        extensions.CRL_DISTRIBUTION_POINTS,  # where CRLs are; without any at hand they are read and no more
    )
)

_NEVER_CRITICAL: Final = {
    extensions.AUTHORITY_KEY_IDENTIFIER: "4.2.1.1",
    extensions.SUBJECT_KEY_IDENTIFIER: "4.2.1.2",
    extensions.AUTHORITY_INFO_ACCESS: "4.2.2.1",
}


def check_leaf(leaf: Certificate, time: TimePolicy, at: int, purpose: str) -> None:
    """The certificate of the peer itself."""
    said = check_every(leaf, time, at)
    if leaf.subject == EMPTY_NAME and leaf.extensions.get(extensions.SUBJECT_ALT_NAME, (True,))[0] is False:
        raise _violation("empty subject, and subjectAltName is not critical (RFC 5280 4.2.1.6)")
    constraints = said.get(extensions.BASIC_CONSTRAINTS)
    if constraints is None or not constraints.ca:
        usage = said.get(extensions.KEY_USAGE)
        if usage is not None and extensions.KEY_CERT_SIGN in usage:
            raise CertificateError(
                "keyCertSign in a certificate that is no authority (RFC 5280 4.2.1.3)", ChainReason.KEY_USAGE
            )
        if extensions.NAME_CONSTRAINTS in said:
            raise _violation("nameConstraints in a certificate that is no authority (RFC 5280 4.2.1.10)")
    if extensions.EXTENDED_KEY_USAGE in said and not leaf.allows(purpose):
        raise CertificateError(f"extendedKeyUsage does not allow {purpose}", ChainReason.EXTENDED_KEY_USAGE)


def check_issuer(issuer: Certificate, time: TimePolicy, at: int, purpose: str, authorities_below: int) -> None:
    """A certificate that signed another one; `authorities_below` does not count self-issued ones."""
    said = check_every(issuer, time, at)
    constraints = said.get(extensions.BASIC_CONSTRAINTS)
    if constraints is None or not constraints.ca:
        raise CertificateError("is no authority (basicConstraints), but signed a certificate", ChainReason.NOT_A_CA)
    _check_authority(issuer, said, purpose, authorities_below)


def check_anchor(anchor: Certificate, time: TimePolicy, at: int, purpose: str, authorities_below: int) -> None:
    """An anchor's certificate, as an issuer.

    RFC 5280 would use its name and key alone. What it says about itself is taken as the wish of
    whoever made it, as others do: dates, constraints, usage. Before version 3 it could say nothing,
    and a name and key are enough.
    """
    said = check_every(anchor, time, at)
    if anchor.version == 3 and not anchor.is_ca:
        raise CertificateError("is no authority (basicConstraints), but signed a certificate", ChainReason.NOT_A_CA)
    _check_authority(anchor, said, purpose, authorities_below)


def _check_authority(issuer: Certificate, said: dict[bytes, Any], purpose: str, authorities_below: int) -> None:
    """Key usage, purposes and path length of an authority."""
    usage = said.get(extensions.KEY_USAGE)
    if usage is not None and extensions.KEY_CERT_SIGN not in usage:
        raise CertificateError("keyUsage does not allow it to sign certificates", ChainReason.KEY_USAGE)
    purposes = said.get(extensions.EXTENDED_KEY_USAGE, ())
    if purposes and not issuer.allows(purpose) and extensions.ANY_EXTENDED_KEY_USAGE not in purposes:
        raise CertificateError(f"extendedKeyUsage of an authority excludes {purpose}", ChainReason.EXTENDED_KEY_USAGE)
    constraints = said.get(extensions.BASIC_CONSTRAINTS)
    limit = None if constraints is None else constraints.path_length
    if limit is not None and authorities_below > limit:
        raise CertificateError(
            f"allows {limit} authorities below it, but there are {authorities_below}", ChainReason.PATH_TOO_LONG
        )


def check_features(authority: Certificate, below: Iterable[Certificate]) -> None:
    """What an authority says servers will do, every certificate below it says too (OCSP-18; RFC 7633 §4.2.2)."""
    features = authority.tls_features
    for certificate in below:
        if not features <= certificate.tls_features:
            raise CertificateError(
                f"lacks the TLS features {sorted(features - certificate.tls_features)} that '{authority}' demands",
                ChainReason.MISSING_FEATURE,
                culprit=certificate,
            )


def check_every(certificate: Certificate, time: TimePolicy, at: int) -> dict[bytes, Any]:
    """What holds in every place: readable, nothing unknown that is critical, within its dates.

    Returns `what_it_says`.
    """
    said = what_it_says(certificate)
    time.check(certificate, at)
    return said


def what_it_says(certificate: Certificate) -> dict[bytes, Any]:
    """All extensions that we know, by OID, once what hangs on the certificate's bytes alone has been found good."""
    said = certificate.checked
    if said is None:
        said = certificate.checked = _check_form(certificate)
    return said


def _check_form(certificate: Certificate) -> dict[bytes, Any]:
    if certificate.issuer == EMPTY_NAME:
        raise _violation("empty issuer (RFC 5280 4.1.2.4)")
    certificate.subject_name  # noqa: B018 - names and extensions that we know must be readable
    certificate.issuer_name  # noqa: B018
    said = certificate.said
    for oid, (critical, value) in certificate.extensions.items():
        if oid not in said and oid in extensions.READERS:
            said[oid] = extensions.read(oid, value)
        if not critical:
            continue
        if oid not in _PROCESSED:
            section = _NEVER_CRITICAL.get(oid)
            if section:
                raise _violation(f"{extensions.name_of(oid)} is critical, against RFC 5280 {section}")
            raise CertificateError(
                f"critical extension {extensions.name_of(oid)} is not implemented",
                ChainReason.UNKNOWN_CRITICAL_EXTENSION,
            )
        if oid == extensions.CRL_DISTRIBUTION_POINTS:
            from lighttls.x509 import distribution_points  # late: nearly nobody has them critical

            distribution_points.of(certificate)
        if oid == extensions.CERTIFICATE_POLICIES and not said[oid].understood:
            raise CertificateError(
                "certificatePolicies is critical, with a qualifier that is not known (RFC 5280 4.2.1.4)",
                ChainReason.UNKNOWN_CRITICAL_EXTENSION,
            )
    return said


def signature_algorithm(certificate: Certificate) -> Algorithm:
    """The algorithm a certificate is signed with: known, and the same inside and outside (RFC 5280 4.1.1.2)."""
    inner, outer = certificate.inner_algorithm, certificate.outer_algorithm
    algorithm = signatures.ALGORITHMS.get(outer)
    if inner != outer:
        raise CertificateError(
            f"signature algorithm is {signatures.name_of(inner)} inside, {signatures.name_of(outer)} outside",
            ChainReason.ALGORITHM_MISMATCH,
        )
    if algorithm is None:
        raise CertificateError(
            f"signed with {signatures.name_of(outer)}, which is not implemented",
            ChainReason.UNSUPPORTED_ALGORITHM,
        )
    return algorithm


def _violation(text: str) -> CertificateError:
    return CertificateError(text, ChainReason.PROFILE_VIOLATION)
