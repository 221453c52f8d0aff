"""lighttls, as `verify_chain` judges."""

from __future__ import annotations

from collections.abc import Sequence

from lighttls.crypto import by_name
from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import LightTLSError
from lighttls.x509 import RevocationPolicy, TrustStore, VerifyPolicy, verify_chain
from support.judges import Question, Verdict
from support.judges.openssl import pem


def judge(question: Question, provider: CryptoProvider) -> Verdict:
    """Whatever refuses, one that is not trusted because it cannot be read too, is a refusal."""
    try:
        policy = VerifyPolicy(
            check_hostname=question.name is not None,
            revocation=RevocationPolicy(crls=question.crls) if question.crls else None,
            **({} if question.depth is None else {"max_depth": question.depth}),
        )
        trust = TrustStore.from_pem(b"".join(pem("CERTIFICATE", anchor) for anchor in question.anchors))
        verify_chain(
            (question.leaf, *question.others),
            trust,
            server_hostname=question.name[1] if question.name else None,
            at=question.at,
            policy=policy,
            purpose="server_auth" if question.server else "client_auth",
            provider=provider,
        )
    except LightTLSError as error:  # anything else is a mistake of ours
        return Verdict(False, str(error))
    return Verdict(True, "")


class Lighttls:
    name = "lighttls"

    def version(self) -> str:
        return "this one"

    def missing(self) -> str:
        return ""

    def verdicts(self, questions: Sequence[Question]) -> list[Verdict | None]:
        provider = by_name("native")
        return [judge(question, provider) for question in questions]
