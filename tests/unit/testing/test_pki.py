"""The test PKI makes what it says, by OpenSSL's and `cryptography`'s reading."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from lighttls.testing import Certificate, Pki, ec_key, issue, rsa_key
from support import pki, require


def loaded(certificate: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.to_pem())


def openssl(*arguments: str | Path) -> str:
    run = subprocess.run([require.command("openssl"), *arguments], capture_output=True, text=True, timeout=20)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_root_is_sha1_self_signed_like_verisign_g5_for_openssl(tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(pki.shared().root.to_pem())
    text = openssl("x509", "-in", root, "-noout", "-text", "-nameopt", "RFC2253,-esc_msb")
    assert text.count("Signature Algorithm: sha1WithRSAEncryption") == 2
    assert "CN=VeriSign Class 3 Public Primary Certification Authority - G5" in text
    assert "Not After : Jul 16 23:59:59 2036 GMT" in text
    # Security level 0 lets OpenSSL look at a SHA-1 signature at all; -check_ss_sig makes it check the root's own.
    assert "OK" in openssl("verify", "-auth_level", "0", "-check_ss_sig", "-CAfile", root, root)


def test_root_with_one_flipped_bit_does_not_verify_for_openssl(tmp_path: Path) -> None:
    """The command above can fail."""
    genuine = pki.shared().root
    broken = Certificate(genuine.der[:-1] + bytes((genuine.der[-1] ^ 1,)), genuine.subject, genuine.key)
    root = tmp_path / "root.pem"
    root.write_bytes(broken.to_pem())
    with pytest.raises(AssertionError, match="signature failure"):
        openssl("verify", "-auth_level", "0", "-check_ss_sig", "-CAfile", root, root)


@pytest.mark.parametrize("leaf", ["ecdsa_server", "rsa_server"])
def test_server_chain_verifies_for_openssl(leaf: str, tmp_path: Path) -> None:
    certificates = pki.shared()
    for name, certificate in (
        ("root", certificates.root),
        ("intermediate", certificates.intermediate),
        ("leaf", getattr(certificates, leaf)),
    ):
        (tmp_path / name).write_bytes(certificate.to_pem())
    openssl(
        *("verify", "-purpose", "sslserver", "-verify_hostname", "localhost", "-x509_strict"),
        *("-CAfile", tmp_path / "root", "-untrusted", tmp_path / "intermediate", tmp_path / "leaf"),
    )


@pytest.mark.parametrize("leaf", ["ec_device", "rsa_device"])
def test_device_certificate_is_signed_by_its_authority_and_for_clients_only(leaf: str) -> None:
    device, authority = loaded(getattr(pki.shared(), leaf)), loaded(pki.shared().device_ca)
    device.verify_directly_issued_by(authority)
    purposes = device.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]


def test_sha1_intermediate_on_request() -> None:
    assert loaded(Pki(sha1_intermediate=True).intermediate).signature_hash_algorithm.name == "sha1"  # type: ignore[union-attr]


def test_every_option_of_issue_shows_in_the_certificate() -> None:
    made = issue(
        (("C", "JP"), ("O", "Ünïcode"), ("CN", "a*b")),
        ec_key("secp384r1"),
        hash_name="sha384",
        not_before=datetime(2049, 12, 31, tzinfo=UTC),
        not_after=datetime(2050, 1, 1, tzinfo=UTC),
        ca=True,
        path_length=200,
        key_usage=("digital_signature", "key_agreement", "crl_sign"),
        extended_key_usage=("server_auth", "any"),
        dns_names=("a.example", "*.b.example"),
        ip_addresses=("192.0.2.1", "2001:db8::1"),
        extensions=(("1.2.3.4.99999", True, b"\x05\x00"),),
    )
    read = loaded(made)
    assert read.subject.rfc4514_string() == "CN=a*b,O=Ünïcode,C=JP"
    assert (read.not_valid_before_utc.year, read.not_valid_after_utc.year) == (2049, 2050)
    assert read.signature_hash_algorithm is not None
    assert read.signature_hash_algorithm.name == "sha384"
    found = {extension.oid.dotted_string: extension for extension in read.extensions}
    assert found["2.5.29.19"].value == x509.BasicConstraints(ca=True, path_length=200)
    usage = found["2.5.29.15"].value
    assert [usage.digital_signature, usage.key_agreement, usage.crl_sign, usage.key_cert_sign] == [
        True,
        True,
        True,
        False,
    ]
    assert [purpose.dotted_string for purpose in found["2.5.29.37"].value] == ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"]
    names = found["2.5.29.17"].value
    assert names.get_values_for_type(x509.DNSName) == ["a.example", "*.b.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1", "2001:db8::1"]
    assert found["1.2.3.4.99999"].critical


def test_given_extension_replaces_the_usual_one_and_key_usage_can_be_left_out() -> None:
    made = issue("x", ec_key(), key_usage=(), extensions=(("2.5.29.19", False, b"\x30\x03\x01\x01\xff"),))
    found = {extension.oid.dotted_string: extension for extension in loaded(made).extensions}
    assert found["2.5.29.19"].value.ca
    assert not found["2.5.29.19"].critical
    assert "2.5.29.15" not in found


def test_serial_numbers_are_positive_and_differ() -> None:
    key = ec_key()
    serials = {loaded(issue("x", key)).serial_number for _ in range(20)}
    assert len(serials) == 20
    assert min(serials) > 0


def test_sign_digest_gives_r_and_s_of_32_bytes_each() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    key = ec_key()
    certificate = loaded(issue("x", key))
    public = certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    for _ in range(50):  # a short r or s, with leading zeros, comes once in 128
        raw = key.sign_digest(bytes(32))
        assert len(raw) == 64
        signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        public.verify(signature, bytes(32), ec.ECDSA(utils.Prehashed(SHA256())))


def test_private_key_pem_can_be_loaded() -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    for key in (ec_key(), rsa_key(1024)):
        load_pem_private_key(key.to_pem(), None)
