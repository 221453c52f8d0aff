"""Whether a side proves itself with a chain or with a raw public key: what we list, and what was agreed (RFC 7250)."""

from __future__ import annotations

from lighttls.config import ClientConfig
from lighttls.errors import CertificateError, ChainReason, IllegalParameter
from lighttls.handshake.states import Client
from lighttls.iana import CertificateType, ExtensionType, name_of
from lighttls.messages import Extension
from lighttls.messages.extensions import CertificateTypes, ChosenCertificateType
from lighttls.session import Session


def offered_types(client: Client) -> tuple[Extension, ...]:
    """The extensions that list them; none where a chain is all that we take and have."""
    listed = _of_server(client)
    if listed == _CHAINS_ALONE:
        return ()
    return (Extension(ExtensionType.SERVER_CERTIFICATE_TYPE, CertificateTypes(listed).build()),)


def shows_raw_key(client: Client, answers: dict[int, bytes], resumed: Session | None) -> bool:
    """Whether the server's Certificate will carry a raw public key.

    Without an answer it is a chain. In a resumed handshake there is neither: an answer may at most repeat what the
    session began with (RESUME-14).
    """
    listed = _of_server(client)
    chosen = _answer(answers, ExtensionType.SERVER_CERTIFICATE_TYPE, listed)
    if resumed is not None:
        began_with = CertificateType.RAW_PUBLIC_KEY if resumed.facts.raw_public_key else CertificateType.X509
        if chosen not in (None, began_with):
            raise IllegalParameter("the server resumes a session with another certificate type than it had")
    elif chosen is None and CertificateType.X509 not in listed:  # RPK-05
        raise CertificateError(
            "the server does not show raw public keys, and there is no anchor to judge a chain by",
            ChainReason.CERTIFICATE_TYPE,
        )
    return chosen == CertificateType.RAW_PUBLIC_KEY


def _answer(answers: dict[int, bytes], number: ExtensionType, listed: bytes) -> int | None:
    body = answers.get(number)
    if body is None:
        return None
    chosen = ChosenCertificateType.parse(body).certificate_type  # RPK-03
    if chosen not in listed:  # RPK-04
        raise CertificateError(
            f"the server chose {name_of(CertificateType, chosen)} in {name_of(ExtensionType, number)}, "
            "which we did not list",
            ChainReason.CERTIFICATE_TYPE,
        )
    return chosen


_CHAINS_ALONE = bytes((CertificateType.X509,))


def _of_server(client: Client) -> bytes:
    """RPK-01: only what we can check, raw keys first."""
    raw = client.config.verify.raw_keys_of(client.server.text)
    if not raw:
        return _CHAINS_ALONE
    return bytes((CertificateType.RAW_PUBLIC_KEY,)) + (_CHAINS_ALONE if _judges_chains(client.config) else b"")


def _judges_chains(config: ClientConfig) -> bool:
    return len(config.trust) > 0 or config.verify.verifier is not None or config.verify.insecure_skip_verify
