"""Our chain and who signs for it: what fits, what does not, and which file is at fault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from lighttls import ConfigurationError, Identity, IdentityRequest, SignatureScheme, raw_ecdsa, software_key
from lighttls.testing import Certificate, Pki, ec_key, issue, rsa_key
from lighttls.testing.pki import PrivateKey
from lighttls.x509 import Certificate as ParsedCertificate
from support import pki


@pytest.fixture(scope="module")
def shared() -> Pki:
    return pki.shared()


class Signer:
    """Offers what it is told to and never signs."""

    def __init__(self, *schemes: int, public_key: bytes | None = None) -> None:
        self.signature_schemes: Any = schemes
        self.public_key = public_key

    def sign(self, request: Any) -> bytes | None:
        raise AssertionError("nobody asked for a signature")


def element() -> Any:
    return raw_ecdsa(lambda digest: bytes(64))


def test_chain_is_kept_as_given_and_the_leaf_is_read(shared: Pki) -> None:
    chain = (shared.ec_device.der, shared.device_ca.der)
    identity = Identity((bytearray(der) for der in chain), element())
    assert identity.chain == chain
    assert identity.spki == shared.ec_device.key.spki


def test_schemes_are_what_key_and_signer_can_do_in_the_signers_order(shared: Pki) -> None:
    wanted = (
        SignatureScheme.RSA_PKCS1_SHA256,
        SignatureScheme.ECDSA_SECP384R1_SHA384,
        SignatureScheme.ECDSA_SECP256R1_SHA256,
    )
    identity = Identity([shared.ec_device.der], Signer(*wanted))
    assert identity.signature_schemes == wanted[1:]
    assert Identity([shared.rsa_device.der], Signer(*wanted)).signature_schemes == wanted[:1]


def test_unknown_and_sha1_schemes_of_a_signer_are_never_used(shared: Pki) -> None:
    """CAUTH-11."""
    identity = Identity([shared.ec_device.der], Signer(0x0203, 0x0807, 0x0403))
    assert identity.signature_schemes == (SignatureScheme.ECDSA_SECP256R1_SHA256,)
    assert type(identity.signature_schemes[0]) is SignatureScheme


def test_without_a_signer_every_scheme_of_the_key_is_open(shared: Pki) -> None:
    assert len(Identity([shared.ec_device.der], None).signature_schemes) == 3
    assert len(Identity([shared.rsa_device.der], None).signature_schemes) == 6


@pytest.mark.parametrize(
    ("chain", "what"),
    [
        ([], "at least one certificate"),
        ([b""], "own certificate cannot be read"),
        ([b"garbage"], "own certificate cannot be read"),
    ],
)
def test_chain_without_a_readable_leaf_is_refused(chain: Any, what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        Identity(chain, None)


def test_signer_that_cannot_use_the_leafs_key_is_refused(shared: Pki) -> None:
    with pytest.raises(ConfigurationError, match="cannot sign with our rsa key"):
        Identity([shared.rsa_device.der], element())
    with pytest.raises(ConfigurationError, match="cannot sign with our ec key"):
        Identity([shared.ec_device.der], Signer(0x0203))


def test_key_that_belongs_to_another_certificate_is_refused(shared: Pki) -> None:
    stranger = software_key(ec_key().to_pem())
    with pytest.raises(ConfigurationError, match="does not belong to the certificate") as caught:
        Identity([shared.ec_device.der], stranger)
    assert "Compare their public keys" in caught.value.hint
    Identity([shared.ec_device.der], Signer(0x0403, public_key=shared.ec_device.key.spki))


@pytest.mark.parametrize("signer", [lambda digest: bytes(64), b"key", object()])
def test_what_is_no_signer_is_refused_with_advice(shared: Pki, signer: Any) -> None:
    with pytest.raises(ConfigurationError, match="is no Signer") as caught:
        Identity([shared.ec_device.der], signer)
    assert "raw_ecdsa" in caught.value.hint


def test_leaf_with_a_key_that_cannot_sign_here_is_refused() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    device_ca = pki.shared().device_ca
    leaf = issue("ed25519", PrivateKey(key, "ed25519"), issuer=device_ca)
    with pytest.raises(ConfigurationError, match="of kind ed25519; it must be RSA or EC"):
        Identity([leaf.der], None)


@pytest.mark.parametrize("key_first", [False, True])
@pytest.mark.parametrize("kind", ["ec_device", "rsa_device"])
def test_pem_with_chain_and_key_in_any_order(shared: Pki, kind: str, key_first: bool) -> None:
    device: Certificate = getattr(shared, kind)
    parts = [shared.device_chain(device), device.key.to_pem()]
    identity = Identity.from_pem(b"".join(reversed(parts) if key_first else parts))
    assert identity.chain == (device.der, shared.device_ca.der)
    assert identity.signer is not None


def test_signer_given_beside_pem_wins_over_a_key_in_it(shared: Pki) -> None:
    signer = element()
    device = shared.ec_device
    assert Identity.from_pem(device.to_pem() + device.key.to_pem(), signer).signer is signer


def test_pem_without_a_key_defers_every_signature(shared: Pki) -> None:
    assert Identity.from_pem(shared.ec_device.to_pem()).signer is None


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_files_are_read(shared: Pki, tmp_path: Path) -> None:
    device = shared.ec_device
    both = write(tmp_path, "both.pem", device.to_pem() + device.key.to_pem())
    chain = write(tmp_path, "chain.pem", shared.device_chain(device))
    key = write(tmp_path, "key.pem", device.key.to_pem())
    assert Identity.from_file(both).signer is not None
    assert len(Identity.from_file(str(chain), key=str(key)).chain) == 2
    signer = element()
    assert Identity.from_file(chain, signer).signer is signer


def pem(key: Any, password: bytes | None = None) -> bytes:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    encoded: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
    return encoded


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (lambda: b"", "cannot be read"),
        (lambda: b"garbage", "cannot be read"),
        (lambda: pem(ed25519.Ed25519PrivateKey.generate()), "RSA from 2048 bits"),
        (lambda: pem(rsa.generate_private_key(65537, 1024)), "RSA from 2048 bits"),
        (lambda: pem(ed25519.Ed25519PrivateKey.generate(), b"password"), "cannot be read"),
    ],
    ids=["empty", "garbage", "ed25519", "rsa-1024", "encrypted"],
)
def test_bad_key_file_is_named(shared: Pki, tmp_path: Path, data: Any, what: str) -> None:
    chain = write(tmp_path, "chain.pem", shared.ec_device.to_pem())
    key = write(tmp_path, "key.pem", data())
    with pytest.raises(ConfigurationError, match=rf"key\.pem: .*{what}"):
        Identity.from_file(chain, key=key)
    together = write(tmp_path, "together.pem", chain.read_bytes() + data())
    if b"PRIVATE KEY" in data():
        with pytest.raises(ConfigurationError, match=rf"together\.pem: .*{what}"):
            Identity.from_file(together)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "it is empty"),
        (b"hello", "neither PEM nor DER"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB", "no END line"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "own certificate cannot be read"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "only PRIVATE KEY"),
    ],
)
def test_bad_chain_file_is_named(tmp_path: Path, data: bytes, what: str) -> None:
    path = write(tmp_path, "device.pem", data)
    with pytest.raises(ConfigurationError, match=rf"device\.pem: .*{what}"):
        Identity.from_file(path)


def test_wrong_key_names_the_chain_file_and_keeps_the_advice(shared: Pki, tmp_path: Path) -> None:
    chain = write(tmp_path, "device.pem", shared.ec_device.to_pem())
    key = write(tmp_path, "key.pem", ec_key().to_pem())
    with pytest.raises(ConfigurationError, match=r"device\.pem: the private key does not belong") as caught:
        Identity.from_file(chain, key=key)
    assert "different pairs" in caught.value.hint


def test_missing_file_is_named_with_the_systems_reason(shared: Pki, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.pem cannot be read: No such file"):
        Identity.from_file(tmp_path / "missing.pem")
    chain = write(tmp_path, "device.pem", shared.ec_device.to_pem())
    with pytest.raises(ConfigurationError, match=r"nokey\.pem cannot be read"):
        Identity.from_file(chain, key=tmp_path / "nokey.pem")


def test_key_and_signer_together_are_refused(shared: Pki, tmp_path: Path) -> None:
    chain = write(tmp_path, "device.pem", shared.ec_device.to_pem())
    key = write(tmp_path, "key.pem", shared.ec_device.key.to_pem())
    with pytest.raises(ConfigurationError, match="a key or a signer, not both"):
        Identity.from_file(chain, element(), key=key)


def test_repr_says_how_many_certificates_and_what_key(shared: Pki) -> None:
    assert repr(Identity.from_pem(shared.device_chain(shared.ec_device))) == "Identity(2 certificates, ec key)"


def test_chain_that_no_server_would_take_is_refused() -> None:
    der = pki.shared().ec_device.der
    with pytest.raises(ConfigurationError, match="no server takes it"):
        Identity([der] * (65_536 // len(der) + 1), None)


def test_path_that_is_none_is_named() -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: embedded null byte"):
        Identity.from_file("device\0.pem")


def test_pem_text_is_as_good_as_its_bytes() -> None:
    pem = pki.shared().device_chain(pki.shared().ec_device)
    assert Identity.from_pem(pem.decode()).chain == Identity.from_pem(pem).chain


# ---- raw public keys -----------------------------------------------------------------------------


def test_raw_key_is_a_key_without_a_chain(shared: Pki) -> None:
    identity = Identity.raw_key(bytearray(shared.ec_device.key.spki), element())
    assert identity.chain == ()
    assert identity.is_raw_key
    assert identity.spki == shared.ec_device.key.spki
    assert identity.public_key.kind == "ec"
    assert identity.signature_schemes == (SignatureScheme.ECDSA_SECP256R1_SHA256,)
    assert repr(identity) == "Identity(raw ec key)"
    assert not device(shared).is_raw_key


def test_raw_key_may_be_signed_for_later_or_by_software(shared: Pki) -> None:
    spki = shared.rsa_device.key.spki
    assert Identity.raw_key(spki, None).signer is None
    assert Identity.raw_key(spki, software_key(shared.rsa_device.key.to_pem())).signature_schemes[0] == 0x0804


def test_raw_key_that_does_not_belong_to_the_signer_is_refused(shared: Pki) -> None:
    with pytest.raises(ConfigurationError, match="does not belong to the raw public key"):
        Identity.raw_key(shared.ec_device.key.spki, software_key(shared.rsa_device.key.to_pem()))


@pytest.mark.parametrize(
    ("spki", "why"),
    [
        (lambda: b"", "our own raw public key cannot be used"),
        (lambda: b"not a key", "our own raw public key cannot be used"),
        (lambda: pki.shared().ec_device.der, "our own raw public key cannot be used"),
        (lambda: issue("weak", rsa_key(1024)).key.spki, "RSA key of 1024 bits"),
    ],
    ids=["empty", "text", "certificate", "weak"],
)
def test_what_is_no_raw_key_is_refused(spki: Any, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        Identity.raw_key(spki(), element())


def test_raw_key_fits_where_one_was_agreed_on_and_nowhere_else(shared: Pki) -> None:
    """RPK-13; authorities have no say in it."""
    raw = Identity.raw_key(shared.ec_device.key.spki, element())
    for names in ((), (b"an authority",)):
        assert wanted((64,), (0x0403,), *names, raw=True).fits(raw)
        assert not wanted((64,), (0x0403,), *names).fits(raw)
        assert not wanted((64,), (0x0403,), *names, raw=True).fits(device(shared))
    assert not wanted((1,), (0x0403,), raw=True).fits(raw)  # CAUTH-05
    assert not wanted((64,), (0x0401,), raw=True).fits(raw)


# ---- which of several ----------------------------------------------------------------------------


def wanted(
    types: Sequence[int] = (1, 64), schemes: Sequence[int] = (0x0403, 0x0401), *names: bytes, raw: bool = False
) -> IdentityRequest:
    return IdentityRequest("server.example", tuple(types), tuple(schemes), names, raw)


def device(shared: Pki) -> Identity:
    return Identity((shared.ec_device.der, shared.device_ca.der), element())


@pytest.mark.parametrize(
    ("types", "schemes", "chosen"),
    [
        ((64,), (0x0403,), 0x0403),
        ((1, 64, 7), (0x0A0A, 0x0401, 0x0403), 0x0403),  # CR-06
        ((1,), (0x0403,), None),  # CAUTH-05
        ((64,), (0x0401, 0x0503), None),
        ((64,), (), None),
    ],
)
def test_scheme_for_an_identity_needs_its_kind_of_key_and_a_common_scheme(
    shared: Pki, types: tuple[int, ...], schemes: tuple[int, ...], chosen: int | None
) -> None:
    assert wanted(types, schemes).scheme_for(device(shared)) == chosen
    assert wanted(types, schemes).fits(device(shared)) == (chosen is not None)


def test_authority_is_found_anywhere_in_the_chain_by_its_name(shared: Pki) -> None:
    """CAUTH-08, CR-07: RFC 5280 §7.1 says when two names are one; CR-08."""
    ours = device(shared)
    issuer = ParsedCertificate.parse(shared.ec_device.der).issuer
    above = ParsedCertificate.parse(shared.device_ca.der).issuer
    stranger = ParsedCertificate.parse(shared.ecdsa_server.der).issuer
    assert issuer != stranger
    for names in ((), (issuer,), (above,), (stranger, b"no name", issuer)):
        assert wanted((64,), (0x0403,), *names).names_an_issuer_of(ours)
        assert wanted((64,), (0x0403,), *names).fits(ours)
    for names in ((stranger,), (b"no name",), (b"\x30\x00",)):
        assert not wanted((64,), (0x0403,), *names).names_an_issuer_of(ours)
        assert not wanted((64,), (0x0403,), *names).fits(ours)


def test_certificate_behind_the_leaf_that_cannot_be_read_is_by_nobody(shared: Pki) -> None:
    odd = Identity((shared.ec_device.der, b"not a certificate"), element())
    assert wanted((64,), (0x0403,), ParsedCertificate.parse(shared.ec_device.der).issuer).fits(odd)
    assert not wanted((64,), (0x0403,), ParsedCertificate.parse(shared.ecdsa_server.der).issuer).fits(odd)
