"""Real roots and cross certificates, old and current: each loads, and the outages of the past are rebuilt.

Their keys are not ours to sign with. Where a test needs a certificate below one of them, the engine
believes every signature (`Believing`); where real certificates lie below, none is taken on trust.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import Certificate, SignaturePolicy, TrustStore, VerifyPolicy, certificates_from_pem, verify_chain
from lighttls.x509.signatures import ALGORITHMS
from support import certificates as kit
from support import engines, require

SHA1_ROOTS = (
    "addtrust-external-ca-root",
    "baltimore-cybertrust-root",
    "certum-trusted-network-ca",
    "comodo-aaa",
    "digicert-global-root-ca",
    "digicert-high-assurance-ev-root-ca",
    "dst-root-ca-x3",
    "entrust-root-2006",
    "geotrust-primary",
    "globalsign-root-ca-r1",
    "godaddy-class2",
    "starfield-class2",
    "thawte-primary",
    "verisign-class3-pca-g3-v1",
    "verisign-class3-pca-g5",
)
CURRENT_ROOTS = (
    "amazon-root-ca-1",
    "amazon-root-ca-2",
    "amazon-root-ca-3",
    "amazon-root-ca-4",
    "digicert-global-root-g2",
    "digicert-global-root-g3",
    "gts-root-r1",
    "isrg-root-x1",
    "isrg-root-x2",
    "microsoft-ecc-root-2017",
    "microsoft-rsa-root-2017",
    "starfield-root-g2",
    "starfield-services-root-g2",
    "usertrust-rsa",
    "odd-negative-serial-ec-acc",
)
WEAK_ROOTS = ("odd-md2-v1-verisign-class3-pca-g1", "odd-md5-equifax-ebusiness-1", "odd-md5-equifax-global-ebusiness-1")


def der_of(name: str) -> bytes:
    (der,) = certificates_from_pem(require.vectors(f"roots/{name}.pem").read_bytes(), name)
    return der


def store(*names: str, allow: SignaturePolicy | None = None) -> TrustStore:
    trust = TrustStore.empty()
    for name in names:
        trust.add(der_of(name), label=name, allow=allow)
    return trust


class Believing:
    """An engine that believes every signature: the keys of real roots are not ours to sign with."""

    def __getattr__(self, name: str) -> object:
        return getattr(engines.provider("pure"), name)

    def verify(self, *_: object) -> None:
        return None


def leaf_under(root: str, at: int) -> bytes:
    """A server certificate that names a real root as its issuer."""
    issuer = Certificate.parse(der_of(root))
    made = kit.make(
        "server",
        kit.ec_key("server"),
        extensions=kit.host("host.example"),
        issuer_name=issuer.subject,
        not_before=at - 9,
        not_after=at + 9,
    )
    return made.der


def verify_under(root: str, allow: SignaturePolicy | None = None) -> str:
    at = Certificate.parse(der_of(root)).not_after - 100
    found = verify_chain(
        [leaf_under(root, at)],
        store(root, allow=allow),
        server_hostname="host.example",
        at=at,
        provider=Believing(),  # type: ignore[arg-type]
    )
    assert found.anchor is not None
    return found.anchor.signature_algorithm or ""


@pytest.mark.parametrize("root", SHA1_ROOTS)
def test_sha1_root_is_an_anchor_like_any_other(root: str) -> None:
    """No permission needed: an anchor is a name and a key."""
    assert verify_under(root) == "sha1WithRSAEncryption"


@pytest.mark.parametrize("root", CURRENT_ROOTS)
def test_current_root_is_an_anchor(root: str) -> None:
    assert verify_under(root)


@pytest.mark.parametrize("root", WEAK_ROOTS)
def test_root_of_1024_bits_loads_and_needs_permission(root: str) -> None:
    with pytest.raises(CertificateError) as caught:
        verify_under(root)
    assert caught.value.reason is ChainReason.WEAK_KEY
    assert verify_under(root, SignaturePolicy(min_rsa_bits=1024))[:3] in ("md2", "md5")


@pytest.mark.parametrize("root", SHA1_ROOTS + CURRENT_ROOTS)
def test_root_verifies_its_own_signature(root: str, provider: CryptoProvider) -> None:
    """The certificates came to us unharmed, and every algorithm in them is implemented."""
    certificate = Certificate.parse(der_of(root))
    scheme = ALGORITHMS[certificate.outer_algorithm].scheme
    assert scheme is not None
    provider.verify(scheme, certificate.spki, certificate.signature, certificate.tbs)


def test_every_root_here_passes_the_check_of_its_own_signature() -> None:
    """None is warned about, MD5 and MD2, negative serials and serial 0 included."""
    folder = require.vectors("roots")
    trust = TrustStore.from_folder(folder)
    assert len(trust) == len(list(folder.glob("*.pem")))
    assert trust.check() == []


def test_root_with_two_wrong_bytes_in_its_key_loads_with_a_warning_that_names_it() -> None:
    """As a public Arduino example carries "Amazon Root CA 1": it parses, but no path will ever end there."""
    good = der_of("amazon-root-ca-1")
    spki = Certificate.parse(good).spki
    at = good.index(spki) + len(spki) // 2
    bad = good[:at] + bytes(byte ^ 0x20 for byte in good[at : at + 2]) + good[at + 2 :]
    trust = TrustStore.empty()
    with pytest.warns(RuntimeWarning, match="CN=Amazon Root CA 1, O=Amazon, C=US': its own signature does not verify"):
        trust.add(bad)
    (fault,) = trust.check()
    assert "altered" in fault.detail
    assert TrustStore.from_der(bad).named(Certificate.parse(good).subject_name)  # a bundle is not looked into


def at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def lets_encrypt(provider: CryptoProvider, trust: TrustStore, when: datetime) -> list[str]:
    """The chain that servers sent in 2021: R3, and ISRG Root X1 as DST Root CA X3 signed it."""
    found = verify_chain(
        [der_of("ica-le-r3-by-isrg-x1"), der_of("cross-isrg-root-x1-by-dst-x3")],
        trust,
        server_hostname=None,
        at=when,
        policy=VerifyPolicy(check_hostname=False),
        provider=provider,
    )
    return [*map(str, found.certificates), str(found.anchor)]


def test_expired_dst_root_does_not_stand_in_the_way_of_isrg_root(provider: CryptoProvider) -> None:
    """2021-09-30: builders without "trusted first" chose the expired root and failed."""
    path = lets_encrypt(provider, store("dst-root-ca-x3", "isrg-root-x1"), at(2022, 1, 1))
    assert path == ["CN=R3, O=Let's Encrypt, C=US", "isrg-root-x1"]


def test_expired_dst_root_alone_is_refused(provider: CryptoProvider) -> None:
    with pytest.raises(CertificateError) as caught:
        lets_encrypt(provider, store("dst-root-ca-x3"), at(2022, 1, 1))
    assert caught.value.reason is ChainReason.EXPIRED
    assert "2021-09-30T14:01:15Z" in str(caught.value)


def test_dst_root_led_on_through_the_cross_certificate_while_it_lasted(provider: CryptoProvider) -> None:
    path = lets_encrypt(provider, store("dst-root-ca-x3"), at(2021, 9, 1))
    assert path[-1] == "dst-root-ca-x3"
    assert len(path) == 3


@pytest.mark.parametrize("anchor", ["isrg-root-x1", "dst-root-ca-x3"])
def test_one_intermediate_under_two_roots_is_found_under_either(provider: CryptoProvider, anchor: str) -> None:
    issuer = {"isrg-root-x1": "isrg-x1", "dst-root-ca-x3": "dst-x3"}
    others = [der_of(f"cross-le-authority-x3-by-{name}") for name in issuer.values()]
    mine = der_of(f"cross-le-authority-x3-by-{issuer[anchor]}")
    found = verify_chain(
        [mine, *others],
        store(anchor),
        server_hostname=None,
        at=at(2020, 6, 1),
        policy=VerifyPolicy(check_hostname=False),
        provider=provider,
    )
    assert str(found.anchor) == anchor
