"""The verdict on a chain beside `cryptography`'s own verifier, and what its parts cost.

Both sides start from DER, and nothing is kept from one operation to the next: every memory of the x509 room is
emptied before each of ours, inside the measured time.
"""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import certifi
import pytest
from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store

import lighttls.x509
from bench.compare import ROUNDS, Comparison, Side, summary, timed
from lighttls.crypto import by_name
from lighttls.errors import CertificateError
from lighttls.testing import der_writer as der
from lighttls.testing import pki
from lighttls.x509 import Certificate, TimePolicy, TrustStore, VerifiedSignatures, certificates_from_pem, verify_chain
from lighttls.x509 import checks as rules
from support import certificates as kit
from support import require, worst_chains

HOST = "host.example"
MOMENT = datetime.fromtimestamp(kit.NOW, UTC)
CHAINS = 40
BUNDLE = 150
PARSE_LIMIT_S = 40e-6
BUNDLE_LIMIT_S = 10e-3
WORST_LIMIT_S = 1.0

KEYS: dict[str, Callable[[str], kit.Key]] = {"ecdsa": kit.ec_key, "rsa-2048": kit.rsa_key}


@pytest.fixture(autouse=True)
def native() -> None:
    require.native()


def memories() -> list[dict[Any, Any]]:
    """Every dictionary of a module in the x509 room that is not Final, and no table of functions."""
    names = [f"lighttls.x509.{module.name}" for module in pkgutil.iter_modules(lighttls.x509.__path__)]
    return [
        getattr(module, name)
        for module in map(importlib.import_module, names)
        for name, kind in vars(module).get("__annotations__", {}).items()
        if kind.startswith("dict[") and "Callable" not in kind
    ]


MEMORIES = memories()


def forget() -> None:
    for memory in MEMORIES:
        memory.clear()


def beside_limit(side: Side, limit_s: float) -> Comparison:
    """The median of many rounds beside a limit in seconds. No yardstick shares the noise: run it on a calm machine."""
    return summary([(side(), limit_s) for _ in range(ROUNDS)])


def identifier(label: str) -> bytes:
    return label.encode().ljust(20, b".")


def own(label: str) -> kit.Extension:
    return (kit.SUBJECT_KEY_IDENTIFIER, False, der.octet_string(identifier(label)))


def above(label: str) -> kit.Extension:
    return (kit.AUTHORITY_KEY_IDENTIFIER, False, der.sequence(der.implicit(0, identifier(label))))


@cache
def chain(kind: str, number: int) -> tuple[bytes, bytes, bytes]:
    """Leaf, intermediate and root, with the extensions that public ones have."""
    key = KEYS[kind]
    organisation = ("2.5.4.10", der.utf8_string("Example Organisation"))
    root = kit.make(
        kit.name(f"Root {number}", organisation), key("root"), extensions=[*kit.ca(), own("root"), above("root")]
    )
    middle = kit.make(
        kit.name(f"Authority {number}", organisation),
        key("middle"),
        root,
        extensions=[*kit.ca(0), own("middle"), above("root")],
    )
    leaf = kit.make(
        kit.name(HOST),
        key(f"leaf {number % 8}"),  # making RSA keys takes long
        middle,
        extensions=[
            *kit.host(HOST, f"*.{HOST}", f"{number}.example"),
            own("leaf"),
            above("middle"),
            (kit.KEY_USAGE, True, der.named_bits(0)),
            (kit.EXTENDED_KEY_USAGE, False, der.sequence(der.oid("1.3.6.1.5.5.7.3.1"))),
        ],
    )
    return leaf.der, middle.der, root.der


# ---- A path ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "bar"), [("ecdsa", 1.0), ("rsa-2048", None)])
def bench_path_of_leaf_and_intermediate(benchmark: Any, ratio: Any, kind: str, bar: float | None) -> None:
    """The aim for ECDSA is 0.7. The root is loaded before, and read when the path reaches it."""
    chains = [chain(kind, number) for number in range(CHAINS)]

    def ours(one: tuple[TrustStore, bytes, bytes]) -> None:
        forget()
        verify_chain(one[1:], one[0], server_hostname=HOST, at=kit.NOW, provider=by_name("native"))  # knows no key yet

    def theirs(one: tuple[Store, bytes, bytes]) -> None:
        builder = PolicyBuilder().store(one[0]).time(MOMENT)
        leaf, middle = x509.load_der_x509_certificate(one[1]), x509.load_der_x509_certificate(one[2])
        builder.build_server_verifier(x509.DNSName(HOST)).verify(leaf, [middle])

    def our_inputs() -> list[tuple[TrustStore, bytes, bytes]]:
        return [(TrustStore.from_der(root), leaf, middle) for leaf, middle, root in chains]

    def their_inputs() -> list[tuple[Store, bytes, bytes]]:
        return [(Store([x509.load_der_x509_certificate(root)]), leaf, middle) for leaf, middle, root in chains]

    name = f"path of leaf and intermediate, {kind}"
    ratio(benchmark, name, timed(our_inputs, ours), timed(their_inputs, theirs), against="cryptography", bar=bar)
    benchmark.pedantic(ours, setup=lambda: ((our_inputs()[0],), {}), rounds=10)


def bench_path_that_is_known(benchmark: Any, ratio: Any) -> None:
    """What a second connection to the same server costs: its signatures are known, all else is judged again."""
    provider = by_name("native")
    leaf, middle, root = chain("ecdsa", 0)
    trust, known = TrustStore.from_der(root), VerifiedSignatures()

    def judge(_: object, **how: Any) -> None:
        verify_chain((leaf, middle), trust, server_hostname=HOST, at=kit.NOW, provider=provider, **how)

    def again(_: object) -> None:
        judge(_, known_signatures=known)

    ratio(
        benchmark,
        "path whose signatures are known, ecdsa",
        timed(lambda: [None] * 100, again),
        timed(lambda: [None] * 100, judge),
        against="unknown",
    )
    benchmark.pedantic(again, args=(None,), rounds=10)


# ---- Parsing ---------------------------------------------------------------------------------------------


def read_for_a_path(data: bytes) -> None:
    """Everything that a path needs to know of one certificate."""
    certificate = Certificate.parse(data, by_name("native"))
    rules.check_every(certificate, TimePolicy.insecure_until_checked(), kit.NOW)
    rules.signature_algorithm(certificate)
    certificate.public_key  # noqa: B018
    certificate.tbs  # noqa: B018


def read_by_cryptography(data: bytes) -> None:
    certificate = x509.load_der_x509_certificate(data)
    for field in (
        certificate.subject,
        certificate.issuer,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        certificate.signature_algorithm_oid,
        certificate.signature,
        certificate.tbs_certificate_bytes,
        certificate.extensions,
        certificate.public_key(),
    ):
        assert field is not None


def roots() -> list[bytes]:
    """Those of certifi that both sides read: one with a serial number of zero makes `cryptography` warn."""
    found = []
    for data in certificates_from_pem(Path(certifi.where()).read_bytes(), "certifi"):
        with warnings.catch_warnings():
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            try:
                read_by_cryptography(data)
                read_for_a_path(data)
            except (CryptographyDeprecationWarning, ValueError, CertificateError):
                continue
        found.append(data)
    return found


@pytest.mark.parametrize("which", ["leaf and intermediate", "certifi's roots"])
def bench_parse(benchmark: Any, ratio: Any, report: Any, which: str) -> None:
    """Loading alone is less than a path needs: `cryptography` reads names, keys and extensions when asked for them."""
    data = roots() if which.startswith("certifi") else [der for n in range(CHAINS) for der in chain("ecdsa", n)[:2]]
    assert len(data) > 50

    def ours(one: bytes) -> None:
        forget()
        read_for_a_path(one)

    def inputs() -> list[bytes]:
        return [bytes(bytearray(one)) for one in data]

    side = timed(inputs, ours)
    name = f"parse a certificate, {which}"
    ratio(
        benchmark,
        f"{name}, its load alone",
        side,
        timed(inputs, x509.load_der_x509_certificate),
        against="cryptography",
    )
    ratio(benchmark, name, side, timed(inputs, read_by_cryptography), against="cryptography")
    report(benchmark, name, beside_limit(side, PARSE_LIMIT_S), against="the bar", bar=1.0)
    benchmark.pedantic(ours, setup=lambda: ((inputs()[0],), {}), rounds=10)


# ---- Trust stores ----------------------------------------------------------------------------------------


@cache
def made_bundle() -> bytes:
    key = pki.ec_key()
    return b"".join(
        pki.issue((("C", "DE"), ("O", f"Owner {n}"), ("CN", f"Root {n}")), key, ca=True).to_pem() for n in range(BUNDLE)
    )


@pytest.mark.parametrize("which", ["made", "certifi"])
def bench_load_a_bundle(benchmark: Any, ratio: Any, report: Any, which: str) -> None:
    """From PEM text; `cryptography` reads its certificates no further than to their outlines."""
    data = made_bundle() if which == "made" else Path(certifi.where()).read_bytes()
    count = len(TrustStore.from_pem(data))

    def ours(text: bytes) -> None:
        forget()
        TrustStore.from_pem(text)

    def theirs(text: bytes) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            x509.load_pem_x509_certificates(text)

    def inputs() -> list[bytes]:
        return [bytes(bytearray(data))]

    name = f"load a bundle of {count} roots ({which})"
    how = {"unit": "ms", "scale": 1e3}
    side = timed(inputs, ours)
    ratio(benchmark, name, side, timed(inputs, theirs), against="cryptography", **how)
    report(benchmark, name, beside_limit(side, BUNDLE_LIMIT_S), against="the bar", bar=1.0, **how)
    benchmark.pedantic(ours, args=(data,), rounds=10)


def bench_look_up_in_a_bundle(benchmark: Any, ratio: Any) -> None:
    """One dictionary access on the name in the form for comparison, however many anchors there are."""
    large = TrustStore.from_pem(made_bundle())
    names = [anchor.name for anchor in large]
    small = TrustStore.empty()
    for anchor in list(large)[:1]:
        small.add(anchor.der)

    def look_up(store: TrustStore) -> Callable[[Any], object]:
        return lambda name: store.named(name)

    def inputs() -> list[Any]:
        return names * 20

    name = f"look up a name among {BUNDLE} anchors"
    how = {"unit": "ns", "scale": 1e9}
    ratio(benchmark, name, timed(inputs, look_up(large)), timed(inputs, look_up(small)), against="one anchor", **how)
    benchmark(look_up(large), names[7])


# ---- The worst cases -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", worst_chains.CASES)
def bench_worst_case(benchmark: Any, report: Any, case: str) -> None:
    """A chain that costs as much as a stranger can make it cost: at most a second."""
    hostile = worst_chains.CASES[case]()

    def judge(given: worst_chains.Hostile) -> None:
        forget()
        given.verdict(by_name("native"))  # which knows no key yet

    side = timed(lambda: [hostile], judge)
    result = summary([(side(), WORST_LIMIT_S) for _ in range(3)])
    report(benchmark, f"worst case: {case}", result, against="the bar", bar=1.0, unit="ms", scale=1e3)
    benchmark.pedantic(judge, args=(hostile,), rounds=1)
