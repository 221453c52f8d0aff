"""Reasons that are about finding a path: what is missing, wrong, or out of its time."""

from __future__ import annotations

from collections.abc import Sequence

from lighttls._struct import struct
from lighttls._typing import Final
from lighttls.errors import ChainReason
from lighttls.x509 import distinguished_name
from lighttls.x509.certificate import Certificate
from lighttls.x509.explaining import what_if
from lighttls.x509.explaining.case import Case, called, identified, quietly, shown, span, urls
from lighttls.x509.policy import date_text
from lighttls.x509.trust_store import Anchor
from lighttls.x509.verdict import Attempt

NEVER_SET: Final = 1_577_836_800  # 2020-01-01: clocks without power show 1970, 1980, 2000, or when their chip was made
_DAY: Final = 86400


@struct
class MissingIssuer:
    """The certificate that a path would have gone on with."""

    subject: bytes
    """Its Name (DER): the issuer that the last certificate of the path names."""
    key_identifier: bytes | None
    """Its subjectKeyIdentifier, if the last certificate says so."""
    urls: tuple[str, ...]
    """Where the last certificate says that it is published. Nothing here fetches it."""

    @property
    def subject_text(self) -> str:
        """The subject for people."""
        return distinguished_name.text(self.subject)


def missing_issuer(attempt: Attempt) -> MissingIssuer | None:
    """What to look for if a path ended because nothing leads on."""
    if attempt.reason is not ChainReason.UNKNOWN_ISSUER:
        return None
    top = attempt.certificates[-1]
    return MissingIssuer(top.issuer, quietly(lambda: top.authority_key_identifier), urls(top))


def unknown_issuer(case: Case, attempts: Sequence[Attempt]) -> str:
    """Subject and key identifier of what is missing, where it is published, and whose fault it most likely is."""
    missing = missing_issuer(case.attempt)
    if missing is None:
        return ""
    top = case.attempt.certificates[-1]
    words = f"The certificate that is missing has the subject '{missing.subject_text}'"
    if missing.key_identifier is not None:
        words += f" and the key identifier {missing.key_identifier[:32].hex()}"
    words += f"; it is published at {missing.urls[0]}." if missing.urls else "."
    if not len(case.question.trust):
        return f"{words} The trust store is empty: nothing can be verified until roots are in it."
    for anchor in what_if.anchors_by_key(case.question, missing.key_identifier) if missing.key_identifier else ():
        return (
            f"{words} Your trust store has an anchor with that key under another name, {called(anchor)}: the root was "
            f"renamed or issued anew. Add the one that the server's chain names."
        )
    if len(case.attempt.certificates) == 1:
        return (
            f"{words} The server sent nothing that leads on from its own certificate: most likely its configuration "
            f"lacks the intermediate (a file called fullchain rather than cert). If a root signed it, add that root to "
            f"your trust store."
        )
    return (
        f"{words} The server's chain ends at {called(top)}, so most likely a root is missing from your trust store: "
        f"get it from its authority, and compare its fingerprint before you add it."
    )


def self_signed(case: Case, attempts: Sequence[Attempt]) -> str:
    """The fingerprint to compare, and whether the chain would be good if it were trusted."""
    top = case.attempt.certificates[-1]
    fingerprint = case.question.provider.digest("sha256", top.der).hex()
    beyond = what_if.with_anchor(case.question, top)
    after = "with it the chain would be good" if beyond is None else f"even then, {shown(beyond)}"
    if len(case.attempt.certificates) == 1:
        return (
            f"The server's own certificate is signed by itself. If that server is yours, compare its SHA-256 "
            f"fingerprint ({fingerprint}) there and here, and add it by trust.add(); {after}."
        )
    return (
        f"The server sent its own root {called(top)}. If you trust that authority, compare the root's SHA-256 "
        f"fingerprint ({fingerprint}) with what it publishes, and add it by trust.add(); {after}."
    )


def bad_signature(case: Case, attempts: Sequence[Attempt]) -> str:
    """Which key was wanted and which is there; an anchor that is damaged."""
    child, anchor = case.certificate, case.attempt.anchor
    wanted = quietly(lambda: child.authority_key_identifier)
    wanted_text = f"It was signed by a key with the identifier {wanted[:32].hex()}; " if wanted else ""
    if anchor is None:
        return (
            f"{wanted_text}the issuer that the server sent has the right name and another key. It sends an "
            f"intermediate of another generation, or somebody altered a certificate on the way."
        )
    own = anchor.certificate
    if anchor.fault(case.question.provider):
        return (
            f"The anchor {called(anchor)} in your trust store is damaged: its own signature does not verify, so some "
            f"of its bytes were changed. Replace it by a copy from its authority, and compare the fingerprint."
        )
    has = quietly(lambda: None if own is None else own.subject_key_identifier)
    has_text = f" ({has[:32].hex()})" if has else ""
    return (
        f"{wanted_text}the anchor {called(anchor)} in your trust store has that name and another key{has_text}: a root "
        f"of another generation, or somebody's imitation. Get the root that the server's authority publishes now."
    )


def expired(case: Case, attempts: Sequence[Attempt]) -> str:
    """How long ago it ended, and a root that would have led to a path."""
    certificate, earliest = case.certificate, case.question.policy.time.earliest
    at = case.question.at if earliest is None else max(case.question.at, earliest)
    since = span(at - certificate.not_after)
    clock = f"If {date_text(at)} is wrong, set this device's clock. "
    if case.at_leaf:
        return (
            f"{clock}If it is right, the server's certificate ended {since} ago, and whoever runs the server must "
            f"renew it."
        )
    instead = what_if.anchor_that_would_do(case.question, attempts)
    if isinstance(case.culprit, Anchor):
        words = f"{clock}If it is right, a root in your trust store ended {since} ago: bring the store up to date."
    else:
        words = f"{clock}If it is right, the server still sends an intermediate that ended {since} ago."
    if instead is None and _carries_a_roots_key(case, certificate):
        return (
            f"{words} It is a cross certificate if {called(certificate)} has a root of its own, with the same name and "
            f"key: in your trust store that root would do, so get it from its authority{identified(certificate)} and "
            f"add it."
        )
    if instead is None:
        return (
            f"{words} Nothing that the server sent leads anywhere else: it must send a chain to a root that is valid."
        )
    return (
        f"{words} A path over {called(instead)} would have worked if that were in the trust store: if it is a root "
        f"(this is what cross certificates are for), get it from its authority{identified(instead)} and add it."
    )


def _carries_a_roots_key(case: Case, certificate: Certificate) -> bool:
    """It may be a root's cross certificate, and the chain would be good with that root as anchor.

    What issued the leaf would do as well, but nobody should be told to trust an intermediate.
    """
    return (
        certificate is case.culprit
        and case.attempt.depth > 1
        and not certificate.self_issued
        and what_if.with_name_and_key(case.question, certificate) is None
    )


def not_yet_valid(case: Case, attempts: Sequence[Attempt]) -> str:
    """A clock that was never set, is behind, or is in another time zone."""
    at, certificate = case.question.at, case.certificate
    if at < NEVER_SET:
        return (
            f"The clock says {date_text(at)[:10]}: it was never set. Set it from the network, the modem or GPS; or "
            f"tell when the firmware was built, by VerifyPolicy(time=TimePolicy.floor(date)), and a clock before that "
            f"date is not believed."
        )
    behind = certificate.not_before - at
    if behind <= _DAY:
        return (
            f"It starts in {span(behind)}: this device's clock is behind by that or more (a wrong time zone is a "
            f"usual cause: {date_text(at)} must be UTC), or the certificate was issued just now."
        )
    return f"It starts in {span(behind)}. Compare {date_text(at)}, which is this device's clock, with the time."
