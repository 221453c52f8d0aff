"""One refused chain or more for each reason, with the words that its explanation must have.

The same table is shown through the API, through `lighttls verify` and through `lighttls explain` against a server.
"""

from __future__ import annotations

from base64 import b64encode, encodebytes
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from lighttls import RevocationPolicy, VerifyPolicy
from lighttls.errors import ChainReason
from lighttls.testing import der_writer as der
from support import certificates as kit
from support import crls
from support.certificates import Made

EXPIRED = {"not_before": kit.NOW - 9 * kit.DAY, "not_after": kit.NOW - 5 * kit.DAY}
NEW_YEAR_1980 = 315532800

ROOT = kit.root("Root")
MIDDLE = kit.authority("Middle", ROOT)
LEAF = kit.server(MIDDLE)
SHA1_ROOT = kit.root("Old Root", hash_name="sha1")


@dataclass(frozen=True)
class Refused:
    """A chain, what is trusted, and what must be said."""

    what: str
    reason: ChainReason
    chain: tuple[Made, ...]
    words: tuple[str, ...]
    anchors: tuple[Made, ...] = (ROOT,)
    host: str = "host.example"
    at: int = kit.NOW
    options: tuple[str, ...] = ()
    """The command line's, for what `settings` say in Python."""
    settings: dict[str, object] = field(default_factory=dict)
    """Of VerifyPolicy."""
    crls: tuple[bytes, ...] = ()

    def __str__(self) -> str:
        return f"{self.reason.value}-{self.what}".replace(" ", "-")

    @property
    def policy(self) -> VerifyPolicy:
        revocation = RevocationPolicy(crls=self.crls) if self.crls else None
        return VerifyPolicy(revocation=revocation, **self.settings)  # type: ignore[arg-type]


def pem(certificates: Iterable[Made]) -> bytes:
    """Certificates as one PEM text."""
    blocks = (encodebytes(made.der).decode() for made in certificates)
    return "".join(f"-----BEGIN CERTIFICATE-----\n{each}-----END CERTIFICATE-----\n" for each in blocks).encode()


def middle(**fields: object) -> Made:
    return kit.authority("Middle", ROOT, **fields)


def known_issuer(issuer: bytes, url: str) -> list[kit.Extension]:
    """authorityKeyIdentifier and the caIssuers of authorityInfoAccess."""
    place = der.sequence(der.oid("1.3.6.1.5.5.7.48.2"), der.implicit(6, url.encode()))
    return [
        (kit.AUTHORITY_KEY_IDENTIFIER, False, der.sequence(der.implicit(0, issuer))),
        (kit.AUTHORITY_INFO_ACCESS, False, der.sequence(place)),
    ]


def compressed(label: str) -> bytes:
    """SubjectPublicKeyInfo of a key with its point in compressed form (RFC 5480 §2.2)."""
    point = kit.ec_key(label).spki[-64:]
    kind = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7"))
    return der.sequence(kind, der.bit_string(bytes((2 + point[-1] % 2,)) + point[:32]))


def purpose(dotted: str) -> kit.Extension:
    return (kit.EXTENDED_KEY_USAGE, False, der.sequence(der.oid(dotted)))


def identifier(value: bytes) -> kit.Extension:
    return (kit.SUBJECT_KEY_IDENTIFIER, False, der.octet_string(value))


def _unknown_issuer() -> list[Refused]:
    published = [*kit.host("host.example"), *known_issuer(b"\xab" * 20, "http://ca.example/middle.der")]
    leaf = kit.server(MIDDLE, extensions=published)
    renamed = kit.make("Renamed", kit.ec_key("Renamed"), extensions=[*kit.ca(), identifier(b"\xab" * 20)])
    looked_for = ("'CN=Middle'", "ab" * 20, "http://ca.example/middle.der")
    return [
        Refused("intermediate", ChainReason.UNKNOWN_ISSUER, (leaf,), (*looked_for, "lacks the intermediate")),
        Refused(
            "renamed", ChainReason.UNKNOWN_ISSUER, (leaf,), (*looked_for, "'Renamed'", "renamed"), anchors=(renamed,)
        ),
        Refused(
            "root",
            ChainReason.UNKNOWN_ISSUER,
            (LEAF, MIDDLE),
            ("'CN=Root'", "ends at 'Middle'", "a root is missing from your trust store"),
            anchors=(SHA1_ROOT,),
        ),
    ]


def _self_signed() -> list[Refused]:
    own = kit.make("server", kit.ec_key("server"), extensions=kit.host("host.example"))
    late = kit.root("Root", not_after=kit.NOW - 5)
    return [
        Refused(
            "server",
            ChainReason.SELF_SIGNED,
            (own,),
            ("own certificate is signed by itself", sha256(own.der).hexdigest(), "with it the chain would be good"),
        ),
        Refused(
            "root",
            ChainReason.SELF_SIGNED,
            (LEAF, MIDDLE, ROOT),
            ("its own root 'Root'", sha256(ROOT.der).hexdigest(), "with it the chain would be good"),
            anchors=(SHA1_ROOT,),
        ),
        Refused(
            "root that would not do",
            ChainReason.EXPIRED,
            (LEAF, MIDDLE, late),
            ("Nothing that the server sent leads anywhere else",),
            anchors=(SHA1_ROOT,),
        ),
    ]


def _bad_signature() -> list[Refused]:
    other = kit.make("Root", kit.ec_key("Other"), extensions=[*kit.ca(), identifier(b"\xcd" * 20)])
    damaged = kit.make(
        "Root", kit.ec_key("Other"), extensions=kit.ca(), signature=kit.ec_key("Root").sign(b"", "sha256")
    )
    says = [*kit.ca(), *known_issuer(b"\xab" * 20, "http://ca.example/root.der")]
    forged = kit.authority("Middle", ROOT, signature=b"forged")
    wrong = kit.make("Middle", kit.ec_key("Other"), ROOT, extensions=kit.ca())
    reason = ChainReason.BAD_SIGNATURE
    return [
        Refused("namesake", reason, (LEAF, middle(extensions=says)), ("ab" * 20, "cd" * 20, "another key"), (other,)),
        Refused("damaged anchor", reason, (LEAF, MIDDLE), ("damaged", "compare the fingerprint"), (damaged,)),
        Refused("forged", reason, (LEAF, forged), ("'CN=Middle'", "another key")),
        Refused("wrong generation", reason, (LEAF, wrong), ("an intermediate of another generation",)),
    ]


def _dates() -> list[Refused]:
    ended = kit.root("Ended Root", **EXPIRED)
    cross = kit.make("Root", kit.ec_key("Root"), ended, extensions=[*kit.ca(), identifier(b"\xef" * 20)])
    end = ChainReason.EXPIRED
    start = ChainReason.NOT_YET_VALID
    return [
        Refused("leaf", end, (kit.server(MIDDLE, **EXPIRED), MIDDLE), ("5 days ago", "must renew it", "2026-06-01")),
        Refused("intermediate", end, (LEAF, middle(**EXPIRED)), ("still sends an intermediate", "5 days ago")),
        Refused(
            "root with another way",
            end,
            (LEAF, MIDDLE, cross),
            ("a root in your trust store ended", "A path over 'Root' would have worked", "ef" * 20),
            anchors=(ended,),
        ),
        Refused("root", end, (kit.server(ended),), ("Nothing that the server sent leads anywhere else",), (ended,)),
        Refused(
            "clock never set",
            start,
            (LEAF, MIDDLE),
            ("The clock says 1980-01-01: it was never set", "TimePolicy.floor"),
            at=NEW_YEAR_1980,
        ),
        Refused(
            "clock an hour behind",
            start,
            (kit.server(MIDDLE, not_before=kit.NOW + 3600), MIDDLE),
            ("It starts in 1 hour", "time zone"),
        ),
        Refused(
            "clock months behind",
            start,
            (kit.server(MIDDLE, not_before=kit.NOW + 90 * kit.DAY, not_after=kit.NOW + 99 * kit.DAY), MIDDLE),
            ("It starts in 90 days", "2026-06-01T00:00:00Z"),
        ),
    ]


def _names() -> list[Refused]:
    def is_for(what: str, host: str, *names: str | bytes, words: tuple[str, ...], **fields: object) -> Refused:
        leaf = kit.server(MIDDLE, *names, **fields)
        return Refused(what, ChainReason.NAME_MISMATCH, (leaf, MIDDLE), words, host=host)

    address = bytes((192, 0, 2, 1))
    return [
        is_for("other", "host.example", "a.example", "b.example", words=("a.example, b.example", "captive portal")),
        is_for("www missing", "host.example", "www.host.example", words=("Connect to www.host.example",)),
        is_for("www too much", "www.host.example", "host.example", words=("Connect to host.example without www.",)),
        is_for("below a wildcard", "a.b.host.example", "*.host.example", words=("stands for one label",)),
        is_for("apex of a wildcard", "host.example", "*.host.example", words=("and not for itself",)),
        is_for("final dot", "host.example", "host.example.", words=("with a dot at its end",)),
        is_for("address for a name", "192.0.2.1", "host.example", words=("connect to host.example",)),
        is_for("name for an address", "host.example", address, words=("connect to 192.0.2.1",)),
        is_for("IPv6 address", "2001:db8::1", bytes(15) + b"\1", words=("0:0:0:0:0:0:0:1", "is not for 2001:db8::1")),
        is_for("address as DNS", "192.0.2.1", "192.0.2.1", words=("as iPAddress",)),
        Refused(
            "common name alone",
            ChainReason.NAME_MISMATCH,
            (kit.make("host.example", kit.ec_key("server"), MIDDLE), MIDDLE),
            ("the common name does not count", "DNS:host.example"),
        ),
        Refused(
            "wrong order",
            ChainReason.NAME_MISMATCH,
            (MIDDLE, LEAF),
            ("in the wrong order: the one for host.example is number 2",),
        ),
    ]


def _authorities() -> list[Refused]:
    no_authority = kit.make("Root", kit.ec_key("Root"), extensions=[])
    v1 = kit.make("Middle", kit.ec_key("Middle"), ROOT, version=b"")
    own = kit.make("server", kit.ec_key("server"), extensions=kit.host("host.example"))
    renewed = kit.make("server", kit.ec_key("server"), extensions=kit.host("host.example"), serial=der.integer(2))
    below = kit.authority("Below", MIDDLE)
    flat = kit.authority("Middle", ROOT, extensions=kit.ca(path_length=0))
    no_signer = [kit.ca()[0], (kit.KEY_USAGE, True, der.named_bits(0))]
    signer = [*kit.host("host.example"), (kit.KEY_USAGE, True, der.named_bits(0, 5))]
    not_ca, long, usage = ChainReason.NOT_A_CA, ChainReason.PATH_TOO_LONG, ChainReason.KEY_USAGE
    return [
        Refused("intermediate", not_ca, (LEAF, middle(extensions=[])), ("'Middle'", "CA:TRUE", "forged")),
        Refused("version 1", not_ca, (LEAF, v1), ("version 1", "As an anchor")),
        Refused("anchor", not_ca, (kit.server(ROOT),), ("trust.add_anchor",), anchors=(no_authority,)),
        Refused("renewed", not_ca, (renewed,), ("it was renewed", "byte by byte"), anchors=(own,)),
        Refused("pathLenConstraint", long, (kit.server(below), below, flat), ("'Middle'", "pathLenConstraint 0")),
        Refused(
            "max_depth",
            long,
            (LEAF, MIDDLE),
            ("VerifyPolicy(max_depth=0)",),
            options=("--max-depth", "0"),
            settings={"max_depth": 0},
        ),
        Refused("authority", usage, (LEAF, middle(extensions=no_signer)), ("digitalSignature", "with keyCertSign")),
        Refused("leaf", usage, (kit.server(MIDDLE, extensions=signer), MIDDLE), ("without keyCertSign",)),
    ]


def _purposes_and_constraints() -> list[Refused]:
    client, code = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.3"
    for_clients = kit.server(MIDDLE, extensions=[*kit.host("host.example"), purpose(client)])
    for_code = middle(extensions=[*kit.ca(), purpose(code)])
    elsewhere = der.implicit(2, b"other.example")
    network = der.implicit(7, bytes((10, 0, 0, 0, 255, 0, 0, 0)))
    limited = middle(extensions=[*kit.ca(), kit.constraints([elsewhere], [network])])
    no_example = kit.constraints(excluded=[der.implicit(2, b"example")])
    limited_root = kit.make("Root", kit.ec_key("Root"), extensions=[*kit.ca(), no_example])
    of_all_kinds = kit.constraints(
        [
            der.implicit(1, b"mail.example"),
            der.implicit(6, b".uri.example"),
            der.explicit(4, kit.name("Plant")),
            der.implicit(2, b"x.example"),
            der.implicit(7, bytes(32)),
        ]
    )
    listing = middle(extensions=[*kit.ca(), of_all_kinds])
    closed = middle(extensions=[*kit.ca(), kit.constraints(excluded=[der.explicit(4, kit.name("Plant"))])])
    no_text = der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.element(0x0C, b"Plant\xff"))))
    unreadable = kit.make(no_text, kit.ec_key("server"), closed, extensions=kit.host("host.example"))
    odd_purpose = kit.server(MIDDLE, extensions=[*kit.host("host.example"), purpose("1.2.3.4")])
    names, eku = ChainReason.NAME_CONSTRAINTS, ChainReason.EXTENDED_KEY_USAGE
    return [
        Refused("leaf", eku, (for_clients, MIDDLE), ("issued for clientAuth", "anew for serverAuth")),
        Refused("odd", eku, (odd_purpose, MIDDLE), ("issued for 1.2.3.4,",)),
        Refused(
            "of all kinds",
            names,
            (LEAF, listing),
            ("(permitted: mail mail.example, URI .uri.example, names under CN=Plant, DNS x.example and 1 more)",),
        ),
        Refused("authority", eku, (LEAF, for_code), ("codeSigning only",)),
        Refused(
            "permitted",
            names,
            (LEAF, limited),
            ("host.example", "'Middle' (permitted: DNS other.example; excluded: IP 10.0.0.0/8)"),
        ),
        Refused("excluded", names, (LEAF, MIDDLE), ("'Root' (excluded: DNS example)",), anchors=(limited_root,)),
        Refused(
            "unreadable",
            names,
            (unreadable, closed),
            ("is no readable text", "'Middle' (excluded: names under CN=Plant)", "values that are text"),
        ),
    ]


def _form() -> list[Refused]:
    unreadable = middle(extensions=[kit.ca()[0], (kit.KEY_USAGE, True, b"\x03\x01")])
    critical = [*kit.host("host.example"), (kit.AUTHORITY_KEY_IDENTIFIER, True, der.sequence())]
    poison = [*kit.host("host.example"), ("1.3.6.1.4.1.11129.2.4.3", True, der.null())]
    private = [*kit.host("host.example"), ("1.2.3.4", True, der.null())]
    unknown = ChainReason.UNKNOWN_CRITICAL_EXTENSION
    ed25519 = der.sequence(der.oid("1.3.101.112"))
    two_algorithms = middle(outer=kit.ALGORITHMS["ec", "sha384"])
    nameless = kit.make(kit.name(""), kit.ec_key("server"), MIDDLE, extensions=kit.host("host.example"))
    limited_leaf = kit.server(MIDDLE, extensions=[*kit.host("host.example"), kit.constraints([der.implicit(2, b"x")])])
    any_policy = der.oid("2.5.29.32.0")
    mapping = der.sequence(der.sequence(any_policy, any_policy))
    any_mapped = middle(extensions=[*kit.ca(), (kit.POLICY_MAPPINGS, True, mapping)])
    return [
        Refused(
            "extension",
            ChainReason.MALFORMED,
            (LEAF, unreadable),
            ("The extension keyUsage of 'Middle' cannot be read",),
        ),
        Refused(
            "critical key identifier",
            ChainReason.PROFILE_VIOLATION,
            (kit.server(MIDDLE, extensions=critical), MIDDLE),
            ("'server' must be issued anew by 'Middle', with authorityKeyIdentifier not critical",),
        ),
        Refused(
            "no subject",
            ChainReason.PROFILE_VIOLATION,
            (nameless, MIDDLE),
            ("a subject, or a critical subjectAltName",),
        ),
        Refused(
            "issuer without a name",
            ChainReason.PROFILE_VIOLATION,
            (kit.make("server", kit.ec_key("server"), issuer_name=kit.name("")),),
            ("'server' must be issued anew by its issuer, with the name of its issuer in it",),
        ),
        Refused(
            "constraints of a leaf",
            ChainReason.PROFILE_VIOLATION,
            (limited_leaf, MIDDLE),
            ("no nameConstraints, which are for authorities",),
        ),
        Refused("any policy", ChainReason.PROFILE_VIOLATION, (LEAF, any_mapped), ("no mapping of anyPolicy",)),
        Refused("precertificate", unknown, (kit.server(MIDDLE, extensions=poison), MIDDLE), ("precertificate",)),
        Refused("private", unknown, (kit.server(MIDDLE, extensions=private), MIDDLE), ("1.2.3.4", "forbids ignoring")),
        Refused(
            "inner and outer",
            ChainReason.ALGORITHM_MISMATCH,
            (LEAF, two_algorithms),
            ("ecdsa-with-SHA256 inside", sha256(two_algorithms.der).hexdigest(), "what 'Root' issued", "or forged"),
        ),
        Refused(
            "ed25519",
            ChainReason.UNSUPPORTED_ALGORITHM,
            (LEAF, middle(inner=ed25519, outer=ed25519)),
            ("1.3.101.112", "P-256, P-384 and P-521"),
        ),
    ]


def _strength() -> list[Refused]:
    weak, small = ChainReason.WEAK_SIGNATURE, ChainReason.WEAK_KEY
    sha1_middle = kit.authority("Middle", SHA1_ROOT, hash_name="sha1")
    late = kit.server(sha1_middle, "other.example")
    rsa_root = kit.make("RSA Root", kit.rsa_key("RSA Root"), extensions=kit.ca())
    md5 = kit.make("Middle", kit.ec_key("Middle"), rsa_root, extensions=kit.ca(), hash_name="md5")
    short = kit.make("Middle", kit.rsa_key("short", 1024), ROOT, extensions=kit.ca())
    tiny = kit.make("Root", kit.rsa_key("tiny root", 1024), extensions=kit.ca())
    both = (
        "The root 'Old Root' is signed with SHA-1, which does not matter; 'Middle' below it is, which does",
        "SignaturePolicy(sha1=True)",
    )
    return [
        Refused(
            "sha-1",
            weak,
            (kit.server(sha1_middle), sha1_middle),
            (*both, "with that the chain is good"),
            anchors=(SHA1_ROOT,),
        ),
        Refused(
            "sha-1 and more",
            weak,
            (late, sha1_middle),
            (*both, "even then, host.example is not among the certificate's names: other.example"),
            anchors=(SHA1_ROOT,),
        ),
        Refused("sha-1 leaf", weak, (kit.server(MIDDLE, hash_name="sha1"), MIDDLE), ("stands below the root 'Root'",)),
        Refused("md5", weak, (kit.server(md5), md5), ("no setting allows it",), anchors=(rsa_root,)),
        Refused("rsa 1024 root", small, (kit.server(tiny),), ("'Root' issued anew", "the one anchor 'Root'"), (tiny,)),
        Refused(
            "compressed point",
            small,
            (LEAF, middle(spki=compressed("Middle"))),
            ("not in uncompressed form", "too small, too large, or of a form"),
        ),
        Refused(
            "rsa 1024",
            small,
            (kit.server(short), short),
            ("SignaturePolicy(min_rsa_bits=1024)", "with that the chain is good"),
        ),
    ]


def _owner() -> list[Refused]:
    under = (kit.CERTIFICATE_POLICIES, False, der.sequence(der.sequence(der.oid("1.2.3.4"))))
    policed = kit.server(ROOT, extensions=[*kit.host("host.example"), under])
    demanding = middle(extensions=[*kit.ca(), (kit.POLICY_CONSTRAINTS, True, der.sequence(der.implicit(0, b"\0")))])
    other = {"initial_policies": ["1.2.3.5"], "require_explicit_policy": True}
    pin = b64encode(bytes(32)).decode()
    demands = ("1.3.6.1.5.5.7.1.24", False, der.sequence(der.integer(5)))
    keys = [b64encode(sha256(made.key.spki).digest()).decode() for made in (LEAF, MIDDLE, ROOT)]
    return [
        Refused(
            "pins",
            ChainReason.PIN_MISMATCH,
            (LEAF, MIDDLE),
            ("someone intercepts", *keys),
            options=("--pin", pin),
            settings={"pins": [pin]},
        ),
        Refused(
            "other policy",
            ChainReason.CERTIFICATE_POLICY,
            (policed,),
            ("was issued under 1.2.3.4", "you demand 1.2.3.5"),
            options=("--policy", "1.2.3.5"),
            settings=other,
        ),
        Refused(
            "no policy",
            ChainReason.CERTIFICATE_POLICY,
            (LEAF, MIDDLE),
            ("was issued under none of", "you demand one that all of the path has in common"),
            options=("--any-policy",),
            settings={"require_explicit_policy": True},
        ),
        Refused(
            "policy of an authority",
            ChainReason.CERTIFICATE_POLICY,
            (LEAF, demanding),
            ("an authority in the path demands one",),
        ),
        Refused(
            "must-staple of an authority",
            ChainReason.MISSING_FEATURE,
            (LEAF, middle(extensions=[*kit.ca(), demands])),
            ("5 is status_request", "'server' does not promise them", "RFC 7633"),
        ),
        Refused(
            "work",
            ChainReason.LIMIT_EXCEEDED,
            (LEAF, *(kit.make("Middle", kit.ec_key(f"Middle {n}"), ROOT) for n in range(101))),
            ("more than 100 signatures", "sent 102 certificates, 101 of them with the same name"),
        ),
    ]


def _revocation() -> list[Refused]:
    published = crls.points(crls.point(crls.full_name(crls.url("http://crl.example/middle.crl"))))
    leaf = kit.server(MIDDLE, extensions=[*kit.host("host.example"), published], serial=der.integer(7))
    chain = (leaf, MIDDLE)
    of_root = crls.crl(ROOT)
    listed = crls.entry(7, crls.reason(crls.KEY_COMPROMISE))
    bad_middle = crls.crl(ROOT, crls.entry(1))
    at = "http://crl.example/middle.crl"
    old = {"this_update": kit.NOW - 9 * kit.DAY, "next_update": kit.NOW - 5 * kit.DAY}
    return [
        Refused(
            "leaf",
            ChainReason.REVOKED,
            chain,
            ("revoked on 2026-05-31", "keyCompromise", "needs a new certificate with a new key"),
            crls=(of_root, crls.crl(MIDDLE, listed)),
        ),
        Refused(
            "authority",
            ChainReason.REVOKED,
            chain,
            ("The authority 'Middle' is not to be believed any more",),
            crls=(bad_middle, crls.crl(MIDDLE)),
        ),
        Refused("no list", ChainReason.REVOCATION_UNKNOWN, chain, ("nothing says so of 'server'", at), crls=(of_root,)),
        Refused(
            "old list",
            ChainReason.CRL_EXPIRED,
            chain,
            ("get the newest CRL of 'Middle'", at),
            crls=(of_root, crls.crl(MIDDLE, **old)),  # type: ignore[arg-type]
        ),
        Refused(
            "forged list",
            ChainReason.CRL_UNUSABLE,
            chain,
            (
                "proves nothing about 'server'",
                "the CRL number 1 of 'CN=Middle', from 2026-05-31",
                "signed with ecdsa-with-SHA256",
                "that counts is that of 'Middle'",
                f"Get it anew (it is published at {at})",
            ),
            crls=(of_root, crls.crl(MIDDLE, key=kit.ec_key("Other"))),
        ),
    ]


def table() -> list[Refused]:
    """All of them."""
    makers = (
        _unknown_issuer,
        _self_signed,
        _bad_signature,
        _dates,
        _names,
        _authorities,
        _purposes_and_constraints,
        _form,
        _strength,
        _owner,
        _revocation,
    )
    return [case for make in makers for case in make()]


CASES = table()
