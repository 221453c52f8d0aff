"""Chains that cost as much as a stranger can make them cost, to measure the time they take."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import CertificateError
from lighttls.testing import der_writer as der
from lighttls.x509 import TrustStore, VerifiedPath, VerifyPolicy, verify_chain
from support import certificates as kit
from support.certificates import Made


@dataclass(frozen=True)
class Hostile:
    """What a stranger sends, and the store it is judged by."""

    sent: tuple[bytes, ...]
    anchor: bytes
    policy: VerifyPolicy

    def verdict(self, provider: CryptoProvider) -> VerifiedPath | CertificateError:
        trust = TrustStore.from_der(self.anchor)
        try:
            return verify_chain(
                self.sent, trust, server_hostname="host.example", at=kit.NOW, policy=self.policy, provider=provider
            )
        except CertificateError as refusal:
            return refusal


def hostile(anchor: Made, *sent: Made, **policy: int) -> Hostile:
    return Hostile(tuple(made.der for made in sent), anchor.der, VerifyPolicy(**policy))  # type: ignore[arg-type]


DEPTH = 10
NAMESAKES = 8
"""With ten levels and the leaf, 91 of the 100 signatures that one search verifies."""


def ten_deep_with_namesakes(make_key: Callable[[str], kit.Key] = kit.ec_key) -> Hostile:
    """Ten authorities, each with eight namesakes that have other keys and are tried before it; it is a good chain."""
    root = kit.make("Level 0", make_key("level 0"), extensions=kit.ca())
    sent: list[Made] = []
    issuer = root
    for level in range(1, DEPTH + 1):
        longer = {"not_after": kit.NOW + 2 * kit.DAY}  # of several that fit, the one that holds longest is tried first
        sent += [
            kit.make(f"Level {level}", make_key(f"impostor {n}"), issuer, extensions=kit.ca(), **longer)  # type: ignore[arg-type]
            for n in range(NAMESAKES)
        ]
        issuer = kit.make(f"Level {level}", make_key(f"level {level}"), issuer, extensions=kit.ca())
        sent.append(issuer)
    return hostile(root, kit.server(issuer), *sent)


def ten_deep_on_p521() -> Hostile:
    """The same on the curve whose signatures take longest."""
    return ten_deep_with_namesakes(lambda label: kit.ec_key(f"p521 {label}", ec.SECP521R1))


def clique_of_cross_signatures() -> Hostile:
    """Sixteen authorities that all signed each other, and no anchor among them: more paths than stars."""
    size = 16
    names = [f"Clique {n}" for n in range(size)]
    signers = {name: kit.make(name, kit.ec_key(name), extensions=kit.ca()) for name in names}
    sent = [
        kit.make(name, kit.ec_key(name), signers[other], extensions=kit.ca())
        for name in names
        for other in names
        if name != other
    ]
    return hostile(kit.root("Root"), kit.server(signers[names[0]]), *sent)


def small_clique_in_many_editions() -> Hostile:
    """Few keys, so few signatures: what is left to stop the search is the count of candidates."""
    names = [f"Edition {n}" for n in range(5)]
    signers = {name: kit.make(name, kit.ec_key(name), extensions=kit.ca()) for name in names}
    sent = [
        kit.make(name, kit.ec_key(name), signers[other], extensions=kit.ca(), serial=der.integer(edition + 1))
        for name in names
        for other in names
        for edition in range(4)
        if name != other
    ]
    return hostile(kit.root("Root"), kit.server(signers[names[0]]), *sent)


def thousands_of_names_under_thousands_of_constraints() -> Hostile:
    """Each name of the leaf has to be compared with each subtree."""
    root = kit.root("Root")
    subtrees = kit.constraints(
        [der.implicit(2, f"{n}.example".encode()) for n in range(2000)] + [der.implicit(2, b"example")],
        [der.implicit(2, f"no{n}.example".encode()) for n in range(2000)],
    )
    middle = kit.authority("Middle", root, extensions=[*kit.ca(), subtrees])
    leaf = kit.server(middle, "host.example", *(f"{n}.host.example" for n in range(2000)))
    return hostile(root, leaf, middle)


def long_names_in_every_alphabet() -> Hostile:
    """Names as long as a certificate can be, of letters that Unicode's normal forms take long over."""
    letters = "\u1100\u1161\u11a8\u0301\u0327\u1ea8" * 50
    long = [("2.5.4.11", der.utf8_string(letters + str(n))) for n in range(60)]
    root = kit.make(kit.name("Root", *long), kit.ec_key("Root"), extensions=kit.ca())
    sent = []
    issuer = root
    for level in range(DEPTH):
        issuer = kit.make(kit.name(f"Level {level}", *long), kit.ec_key(f"level {level}"), issuer, extensions=kit.ca())
        sent.append(issuer)
    return hostile(root, kit.server(issuer), *sent)


def ten_deep_with_many_constraints() -> Hostile:
    """Every level constrains all names below it."""
    root = kit.root("Root")
    issuer, sent = root, list[Made]()
    for level in range(DEPTH):
        subtrees = kit.constraints([der.implicit(2, b"example")], [der.implicit(2, b"no.example")] * 500)
        issuer = kit.authority(f"Level {level}", issuer, extensions=[*kit.ca(), subtrees])
        sent.append(issuer)
    leaf = kit.server(issuer, "host.example", *(f"{n}.host.example" for n in range(40)))
    return hostile(root, leaf, *sent)


def many_paths_under_excluded_directory_names() -> Hostile:
    """Seven levels in two editions each; every path has to be compared with names that cannot be read as text."""
    no_text = der.sequence(*[der.set_of(der.sequence(der.oid("2.5.4.11"), der.element(0x0C, b"\xff")))] * 2)
    names = [
        der.explicit(4, der.sequence(*[der.set_of(der.sequence(der.oid("2.5.4.11"), der.utf8_string(f"{n}")))] * 3))
        for n in range(900)
    ]
    root = kit.root("Root")
    issuer, sent = root, list[Made]()
    for level in range(7):
        subtrees = kit.constraints(excluded=[*names, *([der.explicit(4, no_text)] if level == 1 else [])])
        extensions = [*kit.ca(), *([subtrees] if level else [])]
        editions = [
            kit.make(
                f"Level {level}", kit.ec_key(f"level {level}"), issuer, extensions=extensions, serial=der.integer(n)
            )
            for n in range(2)
        ]
        sent += editions
        issuer = editions[0]
    return hostile(root, kit.make(no_text, kit.ec_key("server"), issuer, extensions=kit.host("host.example")), *sent)


def policies_that_map_to_each_other() -> Hostile:
    """Each level maps each of a dozen policies to every other: a tree of them has no end (CVE-2023-0464)."""
    root = kit.root("Root")
    policies = [der.oid(f"1.2.3.{n}") for n in range(12)]
    extensions = [
        *kit.ca(),
        ("2.5.29.32", True, der.sequence(*map(der.sequence, policies))),
        ("2.5.29.33", True, der.sequence(*(der.sequence(one, other) for one in policies for other in policies))),
    ]
    issuer, sent = root, list[Made]()
    for level in range(30):
        issuer = kit.authority(f"Level {level}", issuer, extensions=extensions)
        sent.append(issuer)
    leaf = kit.server(issuer, extensions=[*kit.host("host.example"), extensions[2]])
    return hostile(root, leaf, *sent, max_depth=31, require_explicit_policy=True)


def many_paths_under_long_lists_of_policies() -> Hostile:
    """Seven levels in two editions each, with all the policies that 64 KiB hold, and none is left for the leaf."""
    root = kit.root("Root")
    listed = der.sequence(*(der.sequence(der.oid(f"1.2.3.{n}")) for n in range(300)))
    mapped = der.sequence(*(der.sequence(der.oid(f"1.2.3.{n}"), der.oid(f"1.2.3.{299 - n}")) for n in range(100)))
    extensions = [*kit.ca(), (kit.CERTIFICATE_POLICIES, True, listed), (kit.POLICY_MAPPINGS, True, mapped)]
    issuer, sent = root, list[Made]()
    for level in range(7):
        name = f"Level {level}"
        editions = [
            kit.make(name, kit.ec_key(name), issuer, extensions=extensions, serial=der.integer(n)) for n in range(2)
        ]
        sent += editions
        issuer = editions[0]
    other = kit.CERTIFICATE_POLICIES, True, der.sequence(der.sequence(der.oid("1.2.4")))
    leaf = kit.server(issuer, extensions=[*kit.host("host.example"), other])
    return hostile(root, leaf, *sent, require_explicit_policy=True)


def largest_rsa_keys() -> Hostile:
    """Keys of 8192 bits with the largest exponent, which nobody has to own: the signatures are noise."""
    rsa = kit.ALGORITHMS["rsa", "sha256"]
    root = kit.root("Root")
    unsigned = kit.authority("Middle", root)
    sent = [
        kit.make("Middle", kit.ec_key("Middle"), root, extensions=kit.ca(), spki=rsa_spki(8192)) for _ in range(100)
    ]
    leaf = kit.server(unsigned, inner=rsa, outer=rsa, signature=b"\x01" + os.urandom(1023))
    return hostile(root, leaf, *sent)


def rsa_spki(bits: int) -> bytes:
    """A key that nobody can own: a random odd number for a modulus, and the largest exponent that is accepted."""
    modulus = int.from_bytes(os.urandom(bits // 8), "big") | 1 << (bits - 1) | 1
    numbers = der.sequence(der.integer(modulus), der.integer((1 << 32) - 1))
    return der.sequence(der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null()), der.bit_string(numbers))


CASES: dict[str, Callable[[], Hostile]] = {
    "ten deep, each with eight namesakes": ten_deep_with_namesakes,
    "the same on P-521": ten_deep_on_p521,
    "sixteen authorities that all signed each other": clique_of_cross_signatures,
    "few authorities in many editions": small_clique_in_many_editions,
    "thousands of names under thousands of constraints": thousands_of_names_under_thousands_of_constraints,
    "ten deep, each with many constraints": ten_deep_with_many_constraints,
    "many paths under excluded directory names": many_paths_under_excluded_directory_names,
    "long names in every alphabet": long_names_in_every_alphabet,
    "policies that map to each other": policies_that_map_to_each_other,
    "many paths under long lists of policies": many_paths_under_long_lists_of_policies,
    "the largest RSA keys": largest_rsa_keys,
}
