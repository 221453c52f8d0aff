"""The room's one question, its arguments, and the application's own verifier."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lighttls.crypto import default_provider
from lighttls.errors import CertificateError, ChainReason, ConfigurationError, UsageError, explain
from lighttls.iana import Alert
from lighttls.testing import der_writer as der
from lighttls.x509 import (
    Certificate,
    TimePolicy,
    TrustStore,
    VerificationRequest,
    VerifiedPath,
    VerifyPolicy,
    verify_chain,
)
from support import certificates as kit

ROOT = kit.root("Root")
LEAF = kit.server(ROOT)
ATTRIBUTES = [name for name, value in vars(Certificate).items() if isinstance(value, property)]


def trust() -> TrustStore:
    return TrustStore.from_der(ROOT.der)


def run(**options: object) -> VerifiedPath:
    given = {"server_hostname": "host.example", "at": kit.NOW, "provider": default_provider(), **options}
    return verify_chain(given.pop("chain", [LEAF.der]), given.pop("trust", None) or trust(), **given)  # type: ignore[arg-type]


def test_default_engine_is_used_when_none_is_given() -> None:
    assert run(provider=None).anchor is not None


@pytest.mark.parametrize("at", [kit.NOW, kit.NOW + 0.9, datetime.fromtimestamp(kit.NOW, UTC)])
def test_time_may_be_a_number_or_a_datetime(at: object) -> None:
    assert run(at=at).time_checked


def test_last_second_of_the_period_counts_to_its_end() -> None:
    """Rule 9: whole seconds."""
    run(at=kit.NOW + kit.DAY + 0.999)
    with pytest.raises(CertificateError):
        run(at=kit.NOW + kit.DAY + 1)


def test_asking_certificates_what_they_say_changes_no_later_verdict() -> None:
    """A configuration's connections share them: what they do not say must not be noted as if it were there."""
    middle = kit.authority("Middle", ROOT)
    chain = [Certificate.parse(each.der) for each in (kit.server(middle), middle)]
    store = trust()
    path = run(chain=chain, trust=store)
    (anchor,) = store
    for certificate in (*chain, anchor.certificate):
        for attribute in ATTRIBUTES:
            getattr(certificate, attribute)
    assert run(chain=chain, trust=store).constraints == path.constraints


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        ("2.5.29.19", der.sequence(der.boolean(True), der.integer(1 << 20_000))),
        ("2.5.29.36", der.sequence(der.implicit(0, der.integer(1 << 20_000)[4:]))),
        ("2.5.29.54", der.integer(1 << 20_000)),
    ],
)
def test_count_of_thousands_of_digits_limits_nothing_and_can_be_printed(oid: str, value: bytes) -> None:
    basic = [] if oid == "2.5.29.19" else kit.ca()
    middle = kit.make("Middle", kit.ec_key("Middle"), ROOT, extensions=[*basic, (oid, True, value)])
    path = run(chain=[kit.server(middle).der, middle.der])
    assert any("2147483648" in constraint.detail for constraint in path.constraints)


@pytest.mark.parametrize("chain", [bytearray(LEAF.der), memoryview(LEAF.der)])
def test_certificate_may_be_any_buffer(chain: bytearray | memoryview) -> None:
    assert run(chain=[chain]).leaf.der == LEAF.der


def test_wrong_host_name_is_the_verdict_on_a_chain_that_is_otherwise_good() -> None:
    with pytest.raises(CertificateError) as caught:
        run(server_hostname="other.example")
    error = caught.value
    assert error.reason is ChainReason.NAME_MISMATCH
    assert error.alert is Alert.BAD_CERTIFICATE
    (attempt,) = error.context["attempts"]
    assert attempt.anchor is not None
    assert "host.example" in explain(error)


def test_host_name_is_not_checked_when_the_policy_says_so() -> None:
    assert run(server_hostname=None, policy=VerifyPolicy(check_hostname=False)).leaf.der == LEAF.der


def test_purpose_may_be_a_client() -> None:
    client = kit.der.sequence(kit.der.oid("1.3.6.1.5.5.7.3.2"))
    leaf = kit.server(ROOT, extensions=[(kit.EXTENDED_KEY_USAGE, False, client)])
    policy = VerifyPolicy(check_hostname=False)
    assert run(chain=[leaf.der], server_hostname=None, policy=policy, purpose="client_auth").leaf.der == leaf.der
    with pytest.raises(CertificateError, match="server_auth"):
        run(chain=[leaf.der], server_hostname=None, policy=policy)


def test_any_purpose_does_not_look_at_the_purposes_of_leaf_and_authorities() -> None:
    only_mail = kit.EXTENDED_KEY_USAGE, True, kit.der.sequence(kit.der.oid("1.3.6.1.5.5.7.3.4"))
    middle = kit.authority("Middle", ROOT, extensions=[*kit.ca(), only_mail])
    leaf = kit.server(middle, extensions=[*kit.host("host.example"), only_mail])
    assert run(chain=[leaf.der, middle.der], purpose="any").leaf.der == leaf.der
    for purpose in ("server_auth", "client_auth"):
        with pytest.raises(CertificateError) as caught:
            run(chain=[leaf.der, middle.der], purpose=purpose)
        assert caught.value.reason is ChainReason.EXTENDED_KEY_USAGE


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"chain": []}, UsageError),
        ({"server_hostname": None}, UsageError),
        ({"server_hostname": "bücher.example"}, ConfigurationError),
        ({"purpose": "world_peace"}, ConfigurationError),
        ({"at": datetime(2026, 6, 1)}, ConfigurationError),
    ],
)
def test_question_that_makes_no_sense_is_refused(options: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        run(**options)


def test_skipping_verification_reads_the_leaf_and_no_more() -> None:
    path = run(chain=[LEAF.der, b"x"], server_hostname=None, at=0, policy=VerifyPolicy(insecure_skip_verify=True))
    assert path.leaf.der == LEAF.der
    assert path.anchor is None
    assert not path.time_checked
    with pytest.raises(CertificateError):
        run(chain=[b"x"], policy=VerifyPolicy(insecure_skip_verify=True))


def test_unset_clock_can_be_lived_with() -> None:
    """CERT-26: the device's clock says 1970."""
    with pytest.raises(CertificateError) as caught:
        run(at=0)
    assert caught.value.reason is ChainReason.NOT_YET_VALID
    assert "1970-01-01T00:00:00Z" in str(caught.value)
    assert run(at=0, policy=VerifyPolicy(time=TimePolicy.floor(kit.NOW))).time_checked
    assert not run(at=0, policy=VerifyPolicy(time=TimePolicy.insecure_until_checked())).time_checked


class Recorder:
    """A verifier that keeps what it was asked and adds nothing."""

    def __init__(self) -> None:
        self.asked: list[VerificationRequest] = []

    def verify(self, request: VerificationRequest) -> VerifiedPath:
        self.asked.append(request)
        return request.verify()


class Refuser:
    """A verifier that says no, with an alert of its own."""

    def verify(self, request: VerificationRequest) -> VerifiedPath:
        raise CertificateError("not today", ChainReason.REFUSED_BY_VERIFIER, alert=Alert.ACCESS_DENIED)


class Believer:
    """A verifier that replaces our verdict."""

    def __init__(self, path: VerifiedPath) -> None:
        self.path = path

    def verify(self, request: VerificationRequest) -> VerifiedPath:
        return self.path


def test_verifier_may_add_to_our_verdict() -> None:
    recorder = Recorder()
    path = run(policy=VerifyPolicy(verifier=recorder))
    (asked,) = recorder.asked
    assert asked.chain == (LEAF.der,)
    assert (asked.server_hostname, asked.at, asked.purpose) == ("host.example", kit.NOW, "server_auth")
    assert path.anchor is not None
    with pytest.raises(CertificateError) as caught:
        run(policy=VerifyPolicy(verifier=recorder), server_hostname="other.example")
    assert caught.value.reason is ChainReason.NAME_MISMATCH


def test_verifier_may_refuse_with_an_alert_of_its_choice() -> None:
    """CERT-23."""
    with pytest.raises(CertificateError) as caught:
        run(policy=VerifyPolicy(verifier=Refuser()))
    assert caught.value.alert is Alert.ACCESS_DENIED


class Broken:
    """A verifier that does something else."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def verify(self, request: VerificationRequest) -> VerifiedPath:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]


@pytest.mark.parametrize("answer", [None, True, KeyError("x")])
def test_verifier_that_returns_no_path_refuses(answer: object) -> None:
    with pytest.raises(CertificateError) as caught:
        run(policy=VerifyPolicy(verifier=Broken(answer)))
    assert caught.value.reason is ChainReason.REFUSED_BY_VERIFIER


def test_verifier_may_replace_our_verdict() -> None:
    known = run()
    assert run(chain=[b"raw"], policy=VerifyPolicy(verifier=Believer(known))) is known
