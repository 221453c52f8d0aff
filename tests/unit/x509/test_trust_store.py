"""Trust anchors: loading, errors that say which file, look-up by name."""

from __future__ import annotations

import sys
from base64 import encodebytes
from pathlib import Path

import pytest

from lighttls.errors import CertificateError, ConfigurationError, UsageError
from lighttls.testing import der_writer as der
from lighttls.x509 import Certificate, SignaturePolicy, TrustStore, certificates_from_pem, trust_store
from support import certificates as kit

ROOT = kit.root("Store Root")
OTHER = kit.root("Other Root")


def pem(encoded: bytes, label: str = "CERTIFICATE") -> bytes:
    return f"-----BEGIN {label}-----\n{encodebytes(encoded).decode()}-----END {label}-----\n".encode()


def test_pem_bundle_keeps_every_certificate_and_skips_the_rest() -> None:
    bundle = b"# a comment\n" + pem(ROOT.der) + pem(b"secret", "PRIVATE KEY") + b"\r\n" + pem(OTHER.der)
    store = TrustStore.from_pem(bundle)
    assert [str(anchor) for anchor in store] == ["CN=Store Root", "CN=Other Root"]
    assert len(store) == 2
    assert TrustStore.from_pem(bundle.decode()).__len__() == 2


def test_windows_line_ends_and_no_final_newline_are_fine() -> None:
    assert len(TrustStore.from_pem(pem(ROOT.der).replace(b"\n", b"\r\n").rstrip())) == 1


@pytest.mark.parametrize("encode", [pem, bytes])
def test_file_may_be_pem_or_der(tmp_path: Path, encode: object) -> None:
    path = tmp_path / "root"
    path.write_bytes(encode(ROOT.der))  # type: ignore[operator]
    (anchor,) = TrustStore.from_file(path)
    assert anchor.certificate == Certificate.parse(ROOT.der)
    assert anchor.signature_algorithm == "ecdsa-with-SHA256"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b"hello", "neither PEM nor DER"),
        (b"roots.pem", "the name of a file, whose contents are wanted"),
        (b"C:\\roots", "the name of a file, whose contents are wanted"),
        (b"roots.pem\n", "neither PEM nor DER"),
        (pem(b"x", "PRIVATE KEY"), "only PRIVATE KEY"),
        (pem(ROOT.der)[:-30], "certificate 1 has no END line"),
        (pem(ROOT.der) + pem(ROOT.der).replace(b"MII", b"M!I"), "certificate 2 is not base64"),
        (pem(ROOT.der[:-1]), "certificate 1: DER element is longer"),
        (pem(ROOT.der) + pem(b"\x04\x00"), "certificate 2: certificate: expected DER tag 0x30"),
        (ROOT.der + b"\0", "certificate 1: certificate: bytes after the end"),
        (pem(kit.make(der.sequence(der.null()), kit.ec_key("x")).der), "certificate 1: name"),
    ],
)
def test_bad_file_is_named_with_what_is_wrong(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "roots.pem"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        TrustStore.from_file(path)
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.pem cannot be read: No such file"):
        TrustStore.from_file(tmp_path / "nowhere.pem")


def test_der_must_look_like_der() -> None:
    with pytest.raises(ConfigurationError, match="SEQUENCE"):
        TrustStore.from_der(pem(ROOT.der))
    assert len(TrustStore.from_der(ROOT.der)) == 1


@pytest.mark.parametrize("form", [ROOT.der, pem(ROOT.der), pem(ROOT.der).decode(), Certificate.parse(ROOT.der)])
def test_one_certificate_is_added_in_any_form(form: bytes | str | Certificate) -> None:
    store = TrustStore.empty()
    store.add(form, label="plant", allow=SignaturePolicy(sha1=True))
    (anchor,) = store
    assert str(anchor) == "plant"
    assert anchor.allow.sha1
    assert store.permits_sha1


@pytest.mark.parametrize(
    ("certificate", "complaint"),
    [
        (pem(ROOT.der) + pem(OTHER.der), "2 certificates where one was expected"),
        (ROOT.der[:100], "plant: DER"),
        (kit.make("x", kit.ec_key("x"), spki=der.sequence(der.null())).der, "plant: public key algorithm"),
    ],
)
def test_added_certificate_must_be_one_and_readable(certificate: bytes, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        TrustStore.empty().add(certificate, label="plant")


def test_anchor_may_be_a_name_and_a_key() -> None:
    store = TrustStore.empty()
    store.add_anchor(ROOT.subject, ROOT.key.spki, label="bare")
    (anchor,) = store
    assert anchor.certificate is None
    assert anchor.signature_algorithm is None
    assert anchor.spki == ROOT.key.spki


@pytest.mark.parametrize(
    ("subject", "spki"), [(b"x", ROOT.key.spki), (ROOT.subject, b"x"), (kit.name(""), ROOT.key.spki)]
)
def test_anchor_that_is_no_name_and_key_is_refused(subject: bytes, spki: bytes) -> None:
    with pytest.raises(ConfigurationError, match="bare"):
        TrustStore.empty().add_anchor(subject, spki, label="bare")


def test_certificate_without_a_subject_may_be_trusted_as_it_is() -> None:
    store = TrustStore.empty()
    store.add(kit.make(kit.name(""), kit.ec_key("x"), ROOT).der, label="server")
    assert [str(anchor) for anchor in store] == ["server"]


def test_look_up_knows_names_as_rfc_5280_compares_them() -> None:
    store = TrustStore.from_der(ROOT.der)
    other_spelling = kit.make(kit.name("", ("2.5.4.3", der.element(0x13, b"STORE  root"))), kit.ec_key("x"))
    assert len(store.named(Certificate.parse(other_spelling.der).subject_name)) == 1
    assert store.named(Certificate.parse(OTHER.der).subject_name) == []


def test_look_up_is_one_access_to_a_dictionary() -> None:
    """However many anchors there are; the name is in the form for comparison already."""
    accesses = []

    class Counting(dict):
        def get(self, key: object, default: object = None) -> object:
            accesses.append(key)
            return super().get(key, default)

    store = TrustStore.from_pem(b"".join(pem(kit.root(f"Root {n}").der) for n in range(20)))
    (anchor, *_) = store
    store._by_name = Counting(store._by_name)
    assert store.named(anchor.name) == [anchor]
    assert accesses == [anchor.name]


def test_frozen_store_takes_nothing_more() -> None:
    store = TrustStore.from_der(ROOT.der)
    store.freeze()
    with pytest.raises(UsageError, match="ClientConfig"):
        store.add(OTHER.der)
    with pytest.raises(UsageError):
        store.add_anchor(OTHER.subject, OTHER.key.spki)
    assert len(store) == 1


def test_bundle_is_not_parsed_before_it_is_needed() -> None:
    broken = kit.make("Broken Root", kit.ec_key("x"), tail=der.null()).der
    (anchor,) = TrustStore.from_pem(pem(broken))
    with pytest.raises(CertificateError):
        anchor.certificate  # noqa: B018


def test_mozilla_store_comes_from_certifi() -> None:
    pytest.importorskip("certifi", reason="certifi is an optional dependency: pip install certifi")
    assert len(TrustStore.mozilla()) > 50


def test_mozilla_store_without_certifi_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "certifi", None)
    with pytest.raises(ConfigurationError, match="pip install certifi"):
        TrustStore.mozilla()


def test_system_store_is_the_first_bundle_that_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(pem(ROOT.der))
    monkeypatch.setattr(trust_store, "_SYSTEM_BUNDLES", (str(tmp_path / "none"), str(bundle)))
    assert len(TrustStore.system()) == 1


def test_system_without_a_bundle_is_an_error_and_no_empty_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has none; small containers have a folder with nothing in it."""
    monkeypatch.setattr(trust_store, "_SYSTEM_BUNDLES", ())
    monkeypatch.setattr(trust_store, "_SYSTEM_FOLDERS", (str(tmp_path / "none"), str(tmp_path)))
    monkeypatch.setattr(trust_store, "platform", "win32")
    with pytest.raises(ConfigurationError, match=r"\(win32\) .* TrustStore\.from_file or TrustStore\.from_folder"):
        TrustStore.system()


def test_system_store_may_be_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "4042bcee.0").write_bytes(pem(ROOT.der))
    monkeypatch.setattr(trust_store, "_SYSTEM_BUNDLES", ())
    monkeypatch.setattr(trust_store, "_SYSTEM_FOLDERS", (str(tmp_path / "none"), str(tmp_path)))
    assert len(TrustStore.system()) == 1


class TestFolder:
    def test_files_that_are_named_like_certificates_are_read_in_order(self, tmp_path: Path) -> None:
        third = kit.root("Third Root")
        (tmp_path / "b.PEM").write_bytes(pem(ROOT.der))
        (tmp_path / "a.der").write_bytes(OTHER.der)
        (tmp_path / "c.crt").write_bytes(pem(third.der) + pem(OTHER.der))
        for other in ("README", "pem", "notes.txt", "notes.1"):
            (tmp_path / other).write_text("not a certificate")
        (tmp_path / "archive.cer").mkdir()
        store = TrustStore.from_folder(tmp_path)
        assert [str(anchor) for anchor in store] == ["CN=Other Root", "CN=Store Root", "CN=Third Root"]
        store.add(kit.root("Fourth Root").der)
        assert len(store) == 4

    def test_hashed_names_lead_to_the_same_certificates_once(self, tmp_path: Path) -> None:
        """As openssl rehash makes them, and c_rehash before."""
        (tmp_path / "root.pem").write_bytes(pem(ROOT.der))
        (tmp_path / "4042bcee.0").symlink_to("root.pem")
        (tmp_path / "4042bcee.1").write_bytes(pem(OTHER.der))
        (tmp_path / "4042bcee.r0").write_text("a CRL")
        assert len(TrustStore.from_folder(tmp_path)) == 2

    def test_file_without_a_certificate_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "root.pem").write_bytes(pem(ROOT.der))
        (tmp_path / "key.pem").write_bytes(pem(b"x", "PRIVATE KEY"))
        with pytest.raises(ConfigurationError, match=r"key\.pem: no certificate in it \(only PRIVATE KEY\)"):
            TrustStore.from_folder(tmp_path)

    @pytest.mark.parametrize(
        ("data", "found", "hint"),
        [
            (pem(b"x", "PKCS7"), "PKCS7", "openssl pkcs7 -print_certs"),
            (der.sequence(der.oid("1.2.840.113549.1.7.2")), "PKCS7", "-inform DER"),
            (der.sequence(der.integer(3) + bytes(200)), "a private key or PKCS #12", "openssl pkcs12 -nokeys"),
        ],
    )
    def test_certificates_in_another_wrapping_are_told_from_damaged_ones(
        self, data: bytes, found: str, hint: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=f"no certificate in it \\(only {found}\\)") as caught:
            TrustStore.from_pem(data)
        assert hint in caught.value.hint

    def test_folder_without_certificates_is_an_error_and_no_empty_store(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="no file in it is named like a certificate"):
            TrustStore.from_folder(tmp_path)
        with pytest.raises(ConfigurationError, match="nowhere cannot be read: No such file"):
            TrustStore.from_folder(tmp_path / "nowhere")


class TestSelfSignature:
    """Issue 5, point 4: a root that was copied wrongly is trusted, and named."""

    FORGED = kit.root("Forged Root", signature=b"\x30\x06\x02\x01\x01\x02\x01\x01")

    def test_added_root_whose_signature_does_not_verify_loads_with_a_warning(self) -> None:
        store = TrustStore.empty()
        with pytest.warns(RuntimeWarning, match="anchor 'plant': its own signature does not verify") as caught:
            store.add(self.FORGED.der, label="plant")
        assert caught[0].filename == __file__
        assert len(store) == 1

    def test_check_finds_in_a_bundle_what_loading_does_not_look_for(self) -> None:
        broken = kit.make("Broken Root", kit.ec_key("x"), tail=der.null())
        off_curve = kit.make("Odd Root", kit.ec_key("x"), spki=kit.ec_key("x").spki[:-1] + b"\0")
        made = (ROOT, self.FORGED, OTHER, broken, off_curve)
        store = TrustStore.from_pem(b"".join(pem(each.der) for each in made))
        faults = store.check()
        assert [str(fault.anchor) for fault in faults] == ["CN=Forged Root", "CN=Broken Root", "CN=Odd Root"]
        assert "signature does not verify" in str(faults[0])
        assert "unexpected field" in str(faults[1])
        assert "signature does not verify" in str(faults[2])

    def test_anchors_that_no_signature_of_their_own_vouches_for_are_no_fault(self) -> None:
        store = TrustStore.empty()
        store.add(kit.authority("Middle", ROOT).der)
        store.add_anchor(ROOT.subject, ROOT.key.spki)
        md5 = kit.make("Old Root", kit.rsa_key("old"), hash_name="md5", extensions=kit.ca())
        store.add(md5.der)
        assert store.check() == []

    def test_authority_that_changes_its_key_under_its_old_name_is_no_fault(self) -> None:
        identifier = kit.SUBJECT_KEY_IDENTIFIER, False, der.octet_string(b"new")
        signer = kit.AUTHORITY_KEY_IDENTIFIER, False, der.sequence(der.implicit(0, b"old"))
        rolled = kit.make("Root", kit.ec_key("new"), kit.root("Root"), extensions=[*kit.ca(), identifier, signer])
        assert TrustStore.from_der(rolled.der).check() == []
        itself = kit.AUTHORITY_KEY_IDENTIFIER, False, der.sequence(der.implicit(0, b"new"))
        posing = kit.make("Root", kit.ec_key("new"), kit.root("Root"), extensions=[*kit.ca(), identifier, itself])
        assert len(TrustStore.from_der(posing.der).check()) == 1
        for only in (identifier, signer):  # nothing says that it was another key
            unclear = kit.make("Root", kit.ec_key("new"), kit.root("Root"), extensions=[*kit.ca(), only])
            assert len(TrustStore.from_der(unclear.der).check()) == 1


def test_certificates_from_pem_names_its_origin() -> None:
    with pytest.raises(ConfigurationError, match="device chain: no certificate"):
        certificates_from_pem(b"", "device chain")
