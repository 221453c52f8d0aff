"""A refusal and what it was about, and how facts of it are written."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

from lighttls._struct import struct
from lighttls._typing import Final, TypeVar
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import distinguished_name
from lighttls.x509.certificate import Certificate
from lighttls.x509.question import Question
from lighttls.x509.trust_store import Anchor
from lighttls.x509.verdict import Attempt

_DAY: Final = 86400
_URL_SHOWN: Final = 300  # characters


@struct
class Case:
    """A refusal, and what it was about."""

    question: Question
    attempt: Attempt

    @property
    def culprit(self) -> Certificate | Anchor:
        """Who is at fault."""
        path, depth = self.attempt.certificates, self.attempt.depth
        return path[depth] if depth < len(path) else self.anchor

    @property
    def certificate(self) -> Certificate:
        """The certificate at fault. Raises CertificateError: it is an anchor that is just a name and a key."""
        culprit = self.culprit
        certificate = culprit.certificate if isinstance(culprit, Anchor) else culprit
        if certificate is None:
            raise CertificateError(f"{culprit} has no certificate", ChainReason.MALFORMED)
        return certificate

    @property
    def anchor(self) -> Anchor:
        """The anchor that was reached. Raises CertificateError: none was."""
        if self.attempt.anchor is None:
            raise CertificateError("no anchor was reached", ChainReason.UNKNOWN_ISSUER)
        return self.attempt.anchor

    @property
    def at_leaf(self) -> bool:
        """The leaf is at fault."""
        return self.attempt.depth == 0


def called(who: Certificate | Anchor) -> str:
    """Quote what somebody is called: the label of an anchor, the common name, or else the whole name."""
    label = who.label if isinstance(who, Anchor) else ""
    return f"'{label or quietly(lambda: distinguished_name.common_name(who.subject)) or who}'"


def issuer_called(certificate: Certificate) -> str:
    """Quote what the issuer of a certificate is called."""
    return f"'{quietly(lambda: distinguished_name.common_name(certificate.issuer)) or certificate.issuer_text}'"


def identified(certificate: Certificate) -> str:
    """The key identifier of a certificate, to be appended; empty without one."""
    identifier = quietly(lambda: certificate.subject_key_identifier)
    return f" (key identifier {identifier[:32].hex()})" if identifier else ""


def pin(question: Question, spki: bytes) -> str:
    """A key (SubjectPublicKeyInfo) as `VerifyPolicy(pins=...)` takes it."""
    return b64encode(question.provider.digest("sha256", spki)).decode()


def urls(certificate: Certificate) -> tuple[str, ...]:
    """Where a certificate says that its issuer's is published."""
    places = quietly(lambda: certificate.ca_issuers) or ()
    return tuple(distinguished_name.printable(place[:_URL_SHOWN]) for place in places)


def shown(error: CertificateError) -> str:
    """The reason of a refusal without what else was tried."""
    attempt: Attempt | None = error.context.get("attempt")
    return str(error) if attempt is None else f"{attempt.culprit}: {attempt.detail}"


def span(seconds: int) -> str:
    """A time in one unit, rounded down: "3 days"."""
    for size, unit in ((365 * _DAY, "year"), (_DAY, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        count = seconds // size
        if count >= 1 and not (unit == "year" and count < 2):
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "no time"


_T = TypeVar("_T")


def quietly(read: Callable[[], _T]) -> _T | None:
    """What an extension says; None if it cannot be read, which then is not what the explanation is about."""
    try:
        return read()
    except CertificateError:
        return None
