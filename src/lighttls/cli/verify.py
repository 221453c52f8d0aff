"""`lighttls verify CHAIN`: is this chain good for this name? No connection is made."""

from __future__ import annotations

from argparse import Namespace

from lighttls.cli import verdict_options
from lighttls.cli.report import Report, say_failure
from lighttls.errors import CertificateError, LightTLSError
from lighttls.x509 import VerifiedPath, verify_chain


def run(options: Namespace) -> int:
    """Print the verdict; 0 if the chain is good, 1 if not, 2 if the question makes no sense."""
    try:
        chain = [der for path in options.chain for der in verdict_options.chain_in(path)]
        trust = verdict_options.trust_store(options)
        verifier = verdict_options.own_verifier(options)
        policy = verdict_options.verify_policy(options, check_hostname=options.host is not None, verifier=verifier)
        at = verdict_options.moment(options.at, "--at")
        ocsp_response = verdict_options.contents(options.ocsp, "OCSP response") if options.ocsp else None
        outcome: VerifiedPath | CertificateError
        try:
            outcome = verify_chain(
                chain,
                trust,
                server_hostname=options.host,
                at=at,
                policy=policy,
                purpose=options.purpose,
                ocsp_response=ocsp_response,
            )
        except CertificateError as refusal:
            outcome = refusal
    except LightTLSError as error:
        return say_failure("verify", error, options.json)
    report = Report(tuple(chain), outcome, options.host, at)
    report.show(options.json)
    return 0 if report.ok else 1
