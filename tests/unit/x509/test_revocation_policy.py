"""What may be given to a RevocationPolicy, and what it makes of it."""

from __future__ import annotations

from base64 import encodebytes
from typing import Any

import pytest

from lighttls.errors import CertificateError, ChainReason, ConfigurationError
from lighttls.x509 import Certificate, RevocationList, RevocationPolicy, TrustStore, VerifyPolicy, verify_chain
from support import certificates as pki
from support import crls

ROOT = pki.root()
LIST, NEXT = crls.crl(ROOT), crls.crl(ROOT, extensions=[crls.number(2)])


def pem(data: bytes, label: str = "X509 CRL") -> str:
    return f"-----BEGIN {label}-----\n{encodebytes(data).decode()}-----END {label}-----\n"


@pytest.mark.parametrize(
    "given",
    [
        [LIST, NEXT],
        (LIST, RevocationList.parse(NEXT)),
        iter([LIST, NEXT]),
        pem(LIST) + pem(NEXT),
        (pem(LIST) + pem(ROOT.der, "CERTIFICATE") + pem(NEXT)).encode(),
        [pem(LIST, "CRL"), pem(NEXT).encode()],
        [LIST, NEXT, LIST, RevocationList.parse(LIST)],
    ],
)
def test_lists_may_be_bytes_text_or_objects(given: Any) -> None:
    policy = RevocationPolicy(crls=given)
    assert policy.crls == (RevocationList.parse(LIST), RevocationList.parse(NEXT))
    assert policy == RevocationPolicy(crls=[LIST, NEXT])
    assert hash(policy) == hash(RevocationPolicy(crls=[LIST, NEXT]))


def test_one_list_needs_no_brackets() -> None:
    one = RevocationList.parse(LIST)
    assert RevocationPolicy(crls=LIST).crls == RevocationPolicy(crls=one).crls == (one,)


def test_certificates_of_signers_may_be_bytes_text_or_objects() -> None:
    one = Certificate.parse(ROOT.der)
    for given in (ROOT.der, pem(ROOT.der, "CERTIFICATE"), one, [ROOT.der, one]):
        assert RevocationPolicy(certificates=given).certificates == (one,)


@pytest.mark.parametrize(
    ("setting", "given", "said"),
    [
        ("crls", b"", "no CRL in it (it is empty)"),
        ("crls", "text", "no CRL in it (neither PEM nor DER)"),
        ("crls", pem(ROOT.der, "CERTIFICATE"), "no CRL in it (only CERTIFICATE)"),
        ("crls", pem(LIST)[:-20], "CRL 1 has no END line"),
        ("crls", [LIST, LIST[:-1]], "crls, item 2: CRL 1: "),
        ("crls", pem(LIST) + pem(b"0"), "crls, item 1: CRL 2: "),
        ("crls", ROOT.der, "crls, item 1: CRL 1: "),
        ("crls", [None], "crls, item 1 is a NoneType"),
        ("crls", 5, "crls is a int"),
        ("certificates", LIST, "certificates, item 1: certificate 1: "),
        ("certificates", [5], "certificates, item 1 is a int"),
        ("certificates", 5, "certificates is a int"),
        ("mode", "strict", "mode is 'strict'; it can be 'hard' or 'soft'"),
        ("ocsp", True, "ocsp is True; it can be 'accept' or 'require'"),
    ],
)
def test_what_cannot_be_used_is_a_configuration_error(setting: str, given: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RevocationPolicy(**{setting: given})
    assert "RevocationPolicy: " in str(caught.value)
    assert said in str(caught.value)


def test_name_that_cannot_be_read_is_a_configuration_error() -> None:
    nameless = pki.make(b"\x30\x02\x05\x00", pki.ec_key("x"), ROOT)
    with pytest.raises(ConfigurationError, match="certificate 1"):
        RevocationPolicy(certificates=nameless.der)


def test_policy_with_something_else_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="RevocationPolicy or None"):
        VerifyPolicy(revocation="hard")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other", [{"mode": "soft"}, {"ocsp": "require"}, {"crls": [LIST, NEXT]}, {"certificates": [ROOT.der]}]
)
def test_policies_differ_if_one_setting_does(other: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"crls": [LIST]}
    assert RevocationPolicy(**usual) != RevocationPolicy(**usual | other)


def test_repr_names_what_is_decided() -> None:
    assert repr(RevocationPolicy(crls=LIST, mode="soft")) == "<RevocationPolicy soft, 1 CRLs, ocsp accept>"
    assert repr(RevocationList.parse(LIST)) == "<RevocationList CRL number 1 of 'CN=Root'>"


def test_lists_of_an_issuer_come_newest_first() -> None:
    fields: list[dict[str, Any]] = [
        {"this_update": pki.NOW - 9},
        {"this_update": pki.NOW - 5},
        {"this_update": pki.NOW - 9, "extensions": [crls.number(4)]},
        {"extensions": []},
    ]
    policy = RevocationPolicy(crls=[crls.crl(ROOT, **each) for each in fields])
    assert policy.issued_by(policy.crls[0].issuer_name) == [policy.crls[i] for i in (1, 2, 0, 3)]
    assert policy.issued_by(()) == []


def test_verdict_of_hard_mode_is_settled_until_the_first_list_ends() -> None:
    ends = [None, pki.NOW - 1, pki.NOW + 7, pki.NOW + 5]
    lists = [crls.crl(ROOT, next_update=end) for end in ends]
    assert RevocationPolicy(crls=lists).settled_until(pki.NOW) == pki.NOW + 5
    assert RevocationPolicy(crls=lists).settled_until(pki.NOW + 6) == pki.NOW + 7
    assert RevocationPolicy(crls=lists).settled_until(pki.NOW + 8) is None
    assert RevocationPolicy(crls=lists, mode="soft").settled_until(pki.NOW) is None


def test_policy_may_require_a_stapled_response() -> None:
    leaf = pki.server(ROOT)
    with pytest.raises(CertificateError, match="no OCSP response is stapled, and the policy requires one") as caught:
        verify_chain(
            [leaf.der],
            TrustStore.from_der(ROOT.der),
            server_hostname="host.example",
            at=pki.NOW,
            policy=VerifyPolicy(revocation=RevocationPolicy(ocsp="require", mode="soft")),
        )
    assert caught.value.reason is ChainReason.BAD_STATUS
