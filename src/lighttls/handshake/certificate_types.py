"""Whether a side proves itself with a chain or with a raw public key: what we list, and what was agreed (RFC 7250)."""

from __future__ import annotations

from lighttls._typing import Final
from lighttls.config import ClientConfig
from lighttls.crypto.suites import Suite
from lighttls.errors import CertificateError, ChainReason, IllegalParameter
from lighttls.handshake.states import Client
from lighttls.iana import CertificateType, ExtensionType, name_of
from lighttls.identity import Identity
from lighttls.messages import Extension
from lighttls.messages.extensions import CertificateTypes, ChosenCertificateType
from lighttls.session import Session

_CHAINS_ALONE: Final = bytes((CertificateType.X509,))


def offered_types(client: Client) -> tuple[Extension, ...]:
    """The extensions that list them: one of them, both, or none, for a list of chains alone says nothing."""
    lists = {
        ExtensionType.CLIENT_CERTIFICATE_TYPE: _of_client(client.config),
        ExtensionType.SERVER_CERTIFICATE_TYPE: _of_server(client),
    }
    return tuple(
        Extension(number, CertificateTypes(listed).build())
        for number, listed in lists.items()
        if listed != _CHAINS_ALONE
    )


def shows_raw_key(client: Client, suite: Suite, answers: dict[int, bytes], resumed: Session | None) -> bool:
    """Whether the server's Certificate will carry a raw public key.

    Without an answer it is a chain. In a resumed handshake there is neither: an answer may at most repeat what the
    session began with (RESUME-14). With a pre-shared key there is none either, and an answer means nothing.
    """
    listed = _of_server(client)
    chosen = _answer(answers, ExtensionType.SERVER_CERTIFICATE_TYPE, listed)
    if resumed is not None:
        began_with = CertificateType.RAW_PUBLIC_KEY if resumed.facts.raw_public_key else CertificateType.X509
        if chosen not in (None, began_with):
            raise IllegalParameter("the server resumes a session with another certificate type than it had")
    elif chosen is None and CertificateType.X509 not in listed and not suite.pre_shared:  # RPK-05
        raise CertificateError(
            f"the server does not show raw public keys, which we expect of {client.server.text}, and there is no "
            f"anchor to judge a chain by",
            ChainReason.CERTIFICATE_TYPE,
        )
    return chosen == CertificateType.RAW_PUBLIC_KEY and not suite.pre_shared


def wants_raw_key(client: Client, answers: dict[int, bytes]) -> bool:
    """Whether a Certificate of ours is to carry our raw public key. The server need not ask for it then (RPK-12)."""
    chosen = _answer(answers, ExtensionType.CLIENT_CERTIFICATE_TYPE, _of_client(client.config))
    return chosen == CertificateType.RAW_PUBLIC_KEY


def _answer(answers: dict[int, bytes], number: ExtensionType, listed: bytes) -> int | None:
    body = answers.get(number)
    if body is None:
        return None
    chosen = ChosenCertificateType.parse(body).certificate_type  # RPK-03
    if chosen not in listed:  # RPK-04
        raise CertificateError(
            f"the server chose {name_of(CertificateType, chosen)} in {name_of(ExtensionType, number)}, which we did "
            f"not list; we listed {', '.join(name_of(CertificateType, each) for each in listed)}",
            ChainReason.CERTIFICATE_TYPE,
        )
    return chosen


def _of_server(client: Client) -> bytes:
    """RPK-01: only what we can check, raw keys first."""
    raw = client.config.verify.raw_keys_of(client.server.text)
    if not raw:
        return _CHAINS_ALONE
    return bytes((CertificateType.RAW_PUBLIC_KEY,)) + (_CHAINS_ALONE if _judges_chains(client.config) else b"")


def _of_client(config: ClientConfig) -> bytes:
    """RPK-02: what we hold; a function chooses among chains."""
    if isinstance(config.identity, Identity) and config.identity.is_raw_key:
        return bytes((CertificateType.RAW_PUBLIC_KEY,))
    return _CHAINS_ALONE


def _judges_chains(config: ClientConfig) -> bool:
    return len(config.trust) > 0 or config.verify.verifier is not None or config.verify.insecure_skip_verify
