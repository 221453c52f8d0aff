"""Reasons that are about revocation: what lists and stapled responses say, or fail to say."""

from __future__ import annotations

from collections.abc import Sequence

from lighttls._typing import Final
from lighttls.x509 import distinguished_name, distribution_points, extensions
from lighttls.x509.certificate import Certificate
from lighttls.x509.crl import RevocationList
from lighttls.x509.explaining.case import Case, called, identified, issuer_called, quietly
from lighttls.x509.policy import date_text
from lighttls.x509.signatures import name_of
from lighttls.x509.trust_store import Anchor
from lighttls.x509.verdict import Attempt

_LISTS_SHOWN: Final = 3
_STATUS_REQUEST: Final = 5  # TLS feature: must-staple


def revoked(case: Case, attempts: Sequence[Attempt]) -> str:
    """Whether the server is to be renewed, or its authority is not to be believed."""
    certificate = case.certificate
    if case.at_leaf:
        return (
            "Its authority took it back, mostly because its key leaked: no setting allows it. The server needs a new "
            "certificate with a new key; if it has one, it still shows the old."
        )
    return (
        f"The authority {called(certificate)} is not to be believed any more, nor what it issued. The server needs a "
        f"certificate of another."
    )


def revocation_unknown(case: Case, attempts: Sequence[Attempt]) -> str:
    """Whose CRL is missing, and where it is published."""
    certificate = case.certificate
    return (
        f"Your policy wants to know of every certificate that it is not revoked, and nothing says so of "
        f"{called(certificate)}. {_give(certificate)}"
    )


def crl_expired(case: Case, attempts: Sequence[Attempt]) -> str:
    """Whose CRL to renew, and where it is published."""
    certificate = case.certificate
    return (
        f"Check this device's clock; if it is right, get the newest CRL of "
        f"{issuer_called(certificate)}{_published(certificate)}. A list that is out of date cannot show that a "
        f"certificate is still good."
    )


def crl_unusable(case: Case, attempts: Sequence[Attempt]) -> str:
    """Which lists of that issuer were given, whose signature counts, and where a new one is published."""
    certificate, path, depth = case.certificate, case.attempt.certificates, case.attempt.depth
    revocation = case.question.policy.revocation
    lists = [] if revocation is None else revocation.issued_by(certificate.issuer_name)
    issuer: Certificate | Anchor = path[depth + 1] if depth + 1 < len(path) else case.anchor
    signer = issuer.certificate if isinstance(issuer, Anchor) else issuer
    key = identified(signer) if signer is not None else ""
    given = "; ".join(map(_described, lists[:_LISTS_SHOWN]))
    return (
        f"It proves nothing about {called(certificate)}. {f'You gave {given}. ' if given else ''}The signature that "
        f"counts is that of {called(issuer)}{key}, or of whom it or its own issuer certified for that. Get it "
        f"anew{_published(certificate)}."
    )


def _described(one: RevocationList) -> str:
    end = "without an end" if one.next_update is None else f"to {date_text(one.next_update)}"
    return f"the {one}, from {date_text(one.this_update)} {end}, signed with {name_of(one.outer_algorithm)}"


def bad_status(case: Case, attempts: Sequence[Attempt]) -> str:
    """Who demands a response; which certificate it should be about; what its responder lacks."""
    detail, leaf = case.attempt.detail, case.attempt.certificates[0]
    if "no OCSP response" in detail:
        promised = _STATUS_REQUEST in leaf.tls_features
        demand = (
            "The server's certificate has OCSP must-staple (RFC 7633)" if promised else "Your policy demands stapling"
        )
        instead = "use a certificate without must-staple" if promised else 'do without RevocationPolicy(ocsp="require")'
        return (
            f"{demand}, and the server does not staple. Turn it on there (nginx: ssl_stapling on; Apache: "
            f"SSLUseStapling on), or {instead}."
        )
    if "about other certificates" in detail or "does not know" in detail:
        return (
            f"It should be about the serial number {format(leaf.serial_number, 'x')[:64]} of {issuer_called(leaf)}. "
            f"Either the server staples what it fetched for the certificate that it had before, and must fetch a "
            f"response anew, or that authority knows of no such certificate."
        )
    if "it ended on" in detail or "it is from" in detail:
        return (
            "If this device's clock is right, the server staples what it fetched long ago, or its own clock is wrong: "
            "it must fetch a response anew."
        )
    if "its responder's certificate: revoked on" in detail:
        return f"Whoever has that key could say anything. {issuer_called(leaf)} must answer with another one."
    if "its responder's certificate: " in detail and "CRL" in detail:
        return (
            f"Your policy wants to know of every certificate that it is not revoked, and the responder's has no "
            f"ocsp-nocheck. {_give(leaf)}"
        )
    return ""


def _give(certificate: Certificate) -> str:
    return (
        f"Give the CRL of {issuer_called(certificate)} to RevocationPolicy(crls=...){_published(certificate)}; with "
        f'mode="soft" only what is known to be revoked is refused.'
    )


def _published(certificate: Certificate) -> str:
    """Where a certificate says that its CRL is; nothing here fetches it."""
    points = quietly(lambda: distribution_points.of(certificate)) or ()
    for point in points:
        for kind, name in sorted(point.name.full, key=str) if point.name is not None else ():
            if kind == extensions.URI and isinstance(name, bytes):
                return f" (it is published at {distinguished_name.printable(name[:300].decode('ascii', 'replace'))})"
    return ""
