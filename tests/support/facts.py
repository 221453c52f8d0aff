"""What the C core says of a certificate, held against the readers in Python: it may say nothing, but nothing else."""

from __future__ import annotations

from lighttls.errors import CertificateError
from lighttls.x509 import Certificate, checks, cutting, extensions, public_key, signatures

HEAD = 14  # numbers that both cutters give, before what is said
FACTS, PATH_LENGTH, SCHEME, KEY_FORM, ALT_NAME, ALT_NAME_END = range(HEAD, cutting.FIRST_EXTENSION)
ABOUT_OTHERS = (
    extensions.NAME_CONSTRAINTS,
    extensions.POLICY_CONSTRAINTS,
    extensions.POLICY_MAPPINGS,
    extensions.INHIBIT_ANY_POLICY,
    extensions.TLS_FEATURE,
)
TOLD = {"facts", "path_length", "scheme", "_row", "_extensions"}
FIELDS = {*Certificate.__slots__, *(name for name, value in vars(Certificate).items() if isinstance(value, property))}
ALIKE = sorted(FIELDS - TOLD)
"""What certificates say whoever cut them; the rest only the C core tells, or it is left out for it."""


def row_in_c(data: bytes) -> list[int] | None:
    """All numbers of the C core, which hands on no extensions where there are facts."""
    from lighttls.crypto._core import ffi, lib

    cut = ffi.new("int64_t[]", lib.LT_CUT_NUMBERS)
    count = lib.lt_certificate_cut_vartime(cut, data, len(data))
    return None if count < 0 else ffi.unpack(cut, count)


def check_facts(data: bytes, row: list[int]) -> None:
    """Fail if anything that `row` says is not what Python reads in the certificate."""
    certificate = Certificate.parse(data)
    assert not certificate.facts, "the cutter in Python tells none"
    form = row[KEY_FORM]
    if form:
        assert public_key.parse(certificate.spki) == public_key.FORMS[form]
    facts = row[FACTS]
    if not facts:
        assert (row[PATH_LENGTH], row[SCHEME], row[ALT_NAME], row[ALT_NAME_END]) == (-1, 0, 0, 0)
        return
    assert facts & cutting.ORDINARY
    if _has_readable_names(certificate):
        checks.what_it_says(certificate)
    for oid in certificate.extensions.keys() & extensions.READERS.keys():
        certificate.extension(oid)
    assert not certificate.said.keys() & set(ABOUT_OTHERS)
    assert certificate.inner_algorithm == certificate.outer_algorithm
    if row[SCHEME]:
        assert signatures.ALGORITHMS[certificate.outer_algorithm].scheme == row[SCHEME]
    usage, purposes, constraints = certificate.key_usage, certificate.extended_key_usage, certificate.basic_constraints
    limit = None if constraints is None else constraints.path_length
    expected = {
        cutting.ORDINARY: True,
        cutting.AUTHORITY: certificate.is_ca and certificate.allows_cert_sign,
        cutting.CERT_SIGN: usage is not None and certificate.allows_cert_sign,
        cutting.DIGITAL_SIGNATURE: certificate.allows_digital_signature,
        cutting.PURPOSES["server_auth"]: purposes is None or extensions.SERVER_AUTH in purposes,
        cutting.PURPOSES["client_auth"]: purposes is None or extensions.CLIENT_AUTH in purposes,
        cutting.KEY: form != 0,
    }
    assert facts == sum(fact for fact, holds in expected.items() if holds)
    assert row[PATH_LENGTH] == (-1 if limit is None else limit)
    alt_name = certificate.extensions.get(extensions.SUBJECT_ALT_NAME)
    assert data[row[ALT_NAME] : row[ALT_NAME_END]] == (b"" if alt_name is None else alt_name[1])


def _has_readable_names(certificate: Certificate) -> bool:
    """The C core does not look into names."""
    try:
        certificate.subject_name, certificate.issuer_name  # noqa: B018 - they are read when they are asked for
    except CertificateError:
        return False
    return True
