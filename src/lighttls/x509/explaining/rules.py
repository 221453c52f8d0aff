"""Reasons that are about a rule that a certificate breaks: name, usage, constraints, strength, pins."""

from __future__ import annotations

from collections.abc import Sequence

from lighttls._typing import Final
from lighttls.errors import CertificateError
from lighttls.iana import ExtensionType, name_of
from lighttls.x509 import der, extensions
from lighttls.x509.certificate import EMPTY_NAME, Certificate
from lighttls.x509.explaining import near_names, oids, what_if
from lighttls.x509.explaining.case import Case, called, issuer_called, pin, shown
from lighttls.x509.policy import SignaturePolicy
from lighttls.x509.signatures import ALGORITHMS
from lighttls.x509.trust_store import Anchor
from lighttls.x509.verdict import Attempt

_PINS_SHOWN: Final = 6
_NEVER_CRITICAL: Final = (
    extensions.AUTHORITY_KEY_IDENTIFIER,
    extensions.SUBJECT_KEY_IDENTIFIER,
    extensions.AUTHORITY_INFO_ACCESS,
)


def malformed(case: Case, attempts: Sequence[Attempt]) -> str:
    """Which extension cannot be read, and why."""
    certificate = case.certificate
    for oid, (_, value) in certificate.extensions.items():
        if oid in extensions.READERS:
            try:
                extensions.read(oid, value)
            except CertificateError as error:
                return (
                    f"The extension {extensions.name_of(oid)} of {called(certificate)} cannot be read: {error}. "
                    f"Whoever issued it must issue it anew; if it is this device's trust store that holds it, get a "
                    f"new copy."
                )
    return ""


def name_mismatch(case: Case, attempts: Sequence[Attempt]) -> str:
    """The names that it is for, and one that is nearly right: www., a wildcard, an address."""
    reference = case.question.reference
    if reference is None:
        return ""
    near = near_names.near_miss(reference, case.attempt.certificates[0])
    return near or (
        f"The chain is good, but its certificate is not for {reference.text}: connect by a name that it lists, or have "
        f"{reference.text} added to its subjectAltName. A server that does not know the name often shows a default "
        f"certificate, and so does a captive portal."
    )


def profile_violation(case: Case, attempts: Sequence[Attempt]) -> str:
    """What must be there in its place, and who has to issue it anew."""
    certificate = case.certificate
    wrong = [extensions.name_of(oid) for oid in _NEVER_CRITICAL if certificate.extensions.get(oid, (False,))[0]]
    if wrong:
        wanted = f"{' and '.join(wrong)} not critical"
    elif certificate.issuer == EMPTY_NAME:
        wanted = "the name of its issuer in it"
    elif certificate.subject == EMPTY_NAME:
        wanted = "a subject, or a critical subjectAltName"
    elif case.at_leaf and extensions.NAME_CONSTRAINTS in certificate.extensions:
        wanted = "no nameConstraints, which are for authorities"
    else:
        wanted = "no mapping of anyPolicy in policyMappings"
    issuer = "its issuer" if certificate.issuer == EMPTY_NAME else issuer_called(certificate)
    return f"{called(certificate)} must be issued anew by {issuer}, with {wanted}; no setting allows it as it is."


def algorithm_mismatch(case: Case, attempts: Sequence[Attempt]) -> str:
    """The fingerprint by which to see whether it was altered on its way."""
    fingerprint = case.question.provider.digest("sha256", case.certificate.der).hex()
    return (
        f"Both must be the same. Compare the SHA-256 fingerprint of {called(case.certificate)} ({fingerprint}) with "
        f"what {issuer_called(case.certificate)} issued: if they differ, it was damaged or forged on its way; if not, "
        f"it must be issued anew."
    )


def refused_by_verifier(case: Case, attempts: Sequence[Attempt]) -> str:
    """Which verifier that was, and whether there is a good path without it."""
    verifier = type(case.question.policy.verifier).__name__
    beyond = what_if.with_store(case.question, case.question.trust)
    by_itself = "finds a good path and the right name" if beyond is None else f"would refuse it too: {shown(beyond)}"
    return f"The word of {verifier}, the application's own verifier, counts. Without it lighttls {by_itself}."


def not_a_ca(case: Case, attempts: Sequence[Attempt]) -> str:
    """An authority without basicConstraints, of version 1, or a self-signed server that was renewed."""
    certificate = case.certificate
    if certificate.version < 3:
        return (
            f"{called(certificate)} is of version {certificate.version}, which cannot say that it is an authority. As "
            f"an anchor in your trust store it would do; as an intermediate it must be issued anew."
        )
    words = (
        f"{called(certificate)} signed another certificate and is no authority. If it is your own, issue it anew with "
        f"basicConstraints = critical, CA:TRUE"
    )
    if isinstance(case.culprit, Anchor):
        if len(case.attempt.certificates) == 1 and case.attempt.certificates[0].self_issued:
            return (
                f"The server's self-signed certificate is another one than {called(case.culprit)} in your trust store, "
                f"with the same name and key: it was renewed. Add the new one; a server's own certificate counts byte "
                f"by byte."
            )
        return f"{words}; or trust its name and key whatever it says of itself, by trust.add_anchor(subject, spki)."
    return f"{words}; if not, the chain is assembled wrongly, or forged."


def path_too_long(case: Case, attempts: Sequence[Attempt]) -> str:
    """Whose limit it is, an authority's or your own."""
    certificate = case.certificate
    limit = certificate.basic_constraints
    if (
        certificate is not None
        and limit is not None
        and limit.path_length is not None
        and "allows" in case.attempt.detail
    ):
        return (
            f"{called(certificate)} was made with pathLenConstraint {limit.path_length}, and an authority below it "
            f"certified another one although it may not. Let {called(certificate)} be issued anew with a larger one, "
            f"or the server's certificate by an authority higher up."
        )
    return (
        f"The limit is this client's own, VerifyPolicy(max_depth={case.question.policy.max_depth}): raise it if the "
        f"chain is as it should be."
    )


def key_usage(case: Case, attempts: Sequence[Attempt]) -> str:
    """What the key may be used for."""
    usage = sorted(case.certificate.key_usage or ())
    listed = ", ".join(oids.KEY_USAGES.get(bit, f"bit {bit}") for bit in usage) or "nothing"
    wanted = "without keyCertSign (or as an authority)" if case.at_leaf else "with keyCertSign"
    return f"Its keyUsage allows {listed}. Issue it anew {wanted}."


def extended_key_usage(case: Case, attempts: Sequence[Attempt]) -> str:
    """What it was issued for."""
    listed = ", ".join(sorted(map(oids.purpose, case.certificate.extended_key_usage or ())))
    wanted = "serverAuth" if case.question.purpose == "server_auth" else "clientAuth"
    if not case.at_leaf:
        return f"This authority may issue certificates for {listed} only: another one must issue those for {wanted}."
    return f"It was issued for {listed}, and must be issued anew for {wanted}."


def name_constraints(case: Case, attempts: Sequence[Attempt]) -> str:
    """Which names the authorities may speak for."""
    path, anchor = case.attempt.certificates, case.attempt.anchor
    above = list(path[case.attempt.depth + 1 :])
    if anchor is not None and anchor.certificate is not None:
        above.append(anchor.certificate)
    limits = [f"{called(each)} ({said})" for each in above if (said := near_names.subtrees(each))]
    if "no readable text" in case.attempt.detail:
        return (
            f"These authorities may not speak for certain names: {'; '.join(limits[:2])}. The certificate has a name "
            f"of which nobody can say whether it is one of them: have it issued anew with values that are text (UTF-8)."
        )
    return (
        f"These authorities are limited to certain names: {'; '.join(limits[:2])}. The certificate needs a name "
        f"inside, or an issuer that may speak for it."
    )


def unknown_critical(case: Case, attempts: Sequence[Attempt]) -> str:
    """What the extension is, where it is a known one."""
    for oid, known in oids.EXTENSIONS.items():
        if f" {extensions.name_of(oid)} " in case.attempt.detail:
            return f"This extension is {known}. Whoever issued the certificate must leave it out, or not critical."
    return ""


def weak_signature(case: Case, attempts: Sequence[Attempt]) -> str:
    """Whose signature counts and whose does not, how to allow it below one anchor, and what follows then."""
    certificate, anchor = case.certificate, case.anchor
    algorithm = ALGORITHMS.get(certificate.outer_algorithm)
    if algorithm is None or not algorithm.sha1:
        return (
            f"Collisions for {certificate.signature_algorithm} are made in seconds, so that no setting allows it. "
            f"{called(certificate)} must be issued anew."
        )
    allow = SignaturePolicy(sha1=True, min_rsa_bits=anchor.allow.min_rsa_bits)
    beyond = what_if.with_leniency(case.question, anchor, allow)
    after = "with that the chain is good" if beyond is None else f"even then, {shown(beyond)}"
    if "sha1" in (anchor.signature_algorithm or "").lower():
        words = (
            f"The root {called(anchor)} is signed with SHA-1, which does not matter; {called(certificate)} below it "
            f"is, which does."
        )
    else:
        words = (
            f"How a root is signed does not matter, but {called(certificate)} stands below the root {called(anchor)}."
        )
    return (
        f"{words} Have it issued anew; if you cannot, allow SHA-1 below that one anchor by "
        f"trust.add(..., allow=SignaturePolicy(sha1=True)): {after}."
    )


def weak_key(case: Case, attempts: Sequence[Attempt]) -> str:
    """How to allow it below one anchor, and what follows then."""
    anchor, certificate = case.anchor, case.certificate
    key = certificate.public_key
    if key.kind != "rsa" or not 1024 <= key.bits < anchor.allow.min_rsa_bits:
        return ""
    allow = SignaturePolicy(sha1=anchor.allow.sha1, min_rsa_bits=key.bits)
    beyond = what_if.with_leniency(case.question, anchor, allow)
    after = "with that the chain is good" if beyond is None else f"even then, {shown(beyond)}"
    return (
        f"Have {called(certificate)} issued anew with a key of 2048 bits or more, or on P-256. If you cannot, allow it "
        f"below the one anchor {called(anchor)} by trust.add(..., allow=SignaturePolicy(min_rsa_bits={key.bits})): "
        f"{after}."
    )


def certificate_policy(case: Case, attempts: Sequence[Attempt]) -> str:
    """Under which policies it was issued, and which are demanded."""
    said = case.attempt.certificates[0].certificate_policies
    has = ", ".join(sorted(map(der.dotted, said.policies))) if said is not None and said.policies else "none"
    wanted = case.question.policy.initial_policies
    if not case.question.policy.require_explicit_policy:
        demand = "an authority in the path demands one that all of it has in common"
    elif wanted is None:
        demand = "you demand one that all of the path has in common"
    else:
        demand = f"you demand {', '.join(sorted(map(der.dotted, wanted)))} from the root down"
    return (
        f"The server's certificate was issued under {has} of the certificate policies, and {demand}. Get a certificate "
        f"that was issued under it, or correct VerifyPolicy(initial_policies=...)."
    )


def missing_feature(case: Case, attempts: Sequence[Attempt]) -> str:
    """What was promised by its name, and who does not keep the promise."""
    path, anchor = case.attempt.certificates, case.attempt.anchor
    above = list(path[case.attempt.depth + 1 :])
    if anchor is not None and anchor.certificate is not None:
        above.append(anchor.certificate)
    by_authority = "that '" in case.attempt.detail
    promised = frozenset().union(*(each.tls_features for each in (above if by_authority else path[:1])))
    listed = ", ".join(f"{number} is {name_of(ExtensionType, number)}" for number in sorted(promised))
    if by_authority:
        return (
            f"An authority demands these TLS extensions of every server below it ({listed}; RFC 7633), and "
            f"{called(path[case.attempt.depth])} does not promise them: have it issued anew with the same tlsFeature."
        )
    return (
        f"The server's certificate promises these TLS extensions ({listed}; RFC 7633), and the server does not answer "
        f"all of them: turn them on there, or use a certificate without that promise."
    )


def limit_exceeded(case: Case, attempts: Sequence[Attempt]) -> str:
    """How many certificates were sent, and how many of one name."""
    if "CRLs" in case.attempt.detail:
        return (
            "Among the CRLs that were given, more would have to be looked into than any real verdict needs. Give those "
            "of the authorities in question and no others, fresh from where these publish them."
        )
    everyone = what_if.sent(case.question)
    most = max((sum(each.subject == one.subject for each in everyone) for one in everyone), default=0)
    return (
        f"The server sent {len(case.question.chain)} certificates, {most} of them with the same name; real chains have "
        f"a few, and end far below the limit. Whoever made this one wants to cost you time."
    )


def unsupported(case: Case, attempts: Sequence[Attempt]) -> str:
    """What there is in its place."""
    return (
        "Certificates may have RSA keys, or ECDSA keys on P-256, P-384 and P-521, signed with SHA-256, SHA-384 or "
        "SHA-512 (RSA by PKCS #1 v1.5 or PSS). Have it issued anew with one of these."
    )


def pin_mismatch(case: Case, attempts: Sequence[Attempt]) -> str:
    """The pins of the path that was found."""
    holders: list[Certificate | Anchor] = list(case.attempt.certificates)
    holders.append(case.anchor)
    listed = "; ".join(f"{called(each)} {pin(case.question, each.spki)}" for each in holders[:_PINS_SHOWN])
    return (
        f"The server's key was replaced, or someone intercepts. These are the pins of the path: {listed}. Ask whoever "
        f"runs the server whether one of them is right before you add it."
    )
