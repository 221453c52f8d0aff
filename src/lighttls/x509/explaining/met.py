"""The constraints that an accepted path met: what narrowed it, and who said so."""

from __future__ import annotations

from lighttls._struct import struct
from lighttls.x509.certificate import Certificate
from lighttls.x509.explaining import near_names, oids
from lighttls.x509.policy import date_text
from lighttls.x509.verdict import VerifiedPath


@struct
class Constraint:
    """Something that a path had to fulfil, and did."""

    kind: str
    """validity, path_length, extended_key_usage, name_constraints, policy_constraints, inhibit_any_policy, tls_feature,
    sha1 or min_rsa_bits."""
    origin: str
    """The certificate or anchor that says so, for people."""
    detail: str


def constraints_met(path: VerifiedPath) -> list[Constraint]:
    """What narrowed the verdict, from the leaf upwards; a permission that was needed or not comes last."""
    found = []
    everyone = list(path.certificates)
    if path.anchor is not None and path.anchor.certificate is not None:
        everyone.append(path.anchor.certificate)
    if path.time_checked:
        found.append(_validity(everyone))
    for depth, certificate in enumerate(everyone):
        found += _of(certificate, depth)
    if path.anchor is not None:
        if path.anchor.allow.sha1:
            found.append(Constraint("sha1", str(path.anchor), "SHA-1 is permitted below it"))
        if path.anchor.allow.min_rsa_bits != 2048:
            bits = path.anchor.allow.min_rsa_bits
            found.append(Constraint("min_rsa_bits", str(path.anchor), f"RSA keys below it have {bits} bits or more"))
    return found


def _validity(everyone: list[Certificate]) -> Constraint:
    last = min(everyone, key=lambda each: each.not_after)
    start = max(each.not_before for each in everyone)
    return Constraint("validity", str(last), f"all are valid from {date_text(start)} to {date_text(last.not_after)}")


def _of(certificate: Certificate, depth: int) -> list[Constraint]:
    who, found = str(certificate), []
    basic = certificate.basic_constraints
    if depth and basic is not None and basic.path_length is not None:
        found.append(Constraint("path_length", who, f"at most {basic.path_length} authorities below it"))
    purposes = certificate.extended_key_usage
    if purposes is not None:
        listed = ", ".join(sorted(map(oids.purpose, purposes)))
        found.append(Constraint("extended_key_usage", who, f"{'only for ' if depth else 'for '}{listed}"))
    if limits := near_names.subtrees(certificate):
        found.append(Constraint("name_constraints", who, limits))
    demands = certificate.policy_constraints
    if demands is not None and demands.require_explicit_policy is not None:
        said = f"a certificate policy is demanded{_after(demands.require_explicit_policy)}"
        found.append(Constraint("policy_constraints", who, said))
    if demands is not None and demands.inhibit_policy_mapping is not None:
        said = f"policies are not translated{_after(demands.inhibit_policy_mapping)}"
        found.append(Constraint("policy_constraints", who, said))
    if certificate.inhibit_any_policy is not None:
        said = f"anyPolicy stands for no policy{_after(certificate.inhibit_any_policy)}"
        found.append(Constraint("inhibit_any_policy", who, said))
    if certificate.tls_features:
        listed = ", ".join(map(str, sorted(certificate.tls_features)))
        found.append(Constraint("tls_feature", who, f"servers answer the TLS extensions {listed}"))
    return found


def _after(count: int) -> str:
    return f" after {count} more" if count else ""
