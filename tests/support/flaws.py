"""Chains with one planted flaw: a plan of good certificates, and what can be wrong with one of them.

A place is a letter: L the leaf, I an intermediate, R the root, which is the anchor. Each flaw says where it can be
planted and in which of these places we refuse it; everywhere else it is harmless, and a chain with it has to pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from lighttls.testing import der_writer as der
from support import certificates as kit
from support.judges import Question

HOST = "www.host.example"
SERVER_AUTH, CLIENT_AUTH, ANY_PURPOSE = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"
POLICIES, INHIBIT_ANY, CRL_POINTS, TLS_FEATURE = "2.5.29.32", "2.5.29.54", "2.5.29.31", "1.3.6.1.5.5.7.1.24"


@dataclass
class Spec:
    """One certificate to be made: its extensions by OID, and the fields that `kit.make` takes."""

    subject: str
    key: kit.Key
    extensions: dict[str, tuple[bool, bytes]]
    fields: dict[str, Any] = field(default_factory=dict)
    finish: Callable[[bytes], bytes] = bytes
    """What happens to the finished certificate."""
    twice: str = ""
    """OID of an extension that comes a second time."""

    def made(self, issuer: kit.Made | None) -> kit.Made:
        extensions = [(oid, *said) for oid, said in self.extensions.items()]
        extensions += [extension for extension in extensions if extension[0] == self.twice]
        made = kit.make(self.subject, self.key, issuer, extensions=extensions, **self.fields)
        return kit.Made(self.finish(made.der), made.subject, made.key)


Plan = list[Spec]
"""Root first, leaf last."""


def identifier(key: kit.Key) -> bytes:
    return key.spki[-20:]


def good_plan(keys: Sequence[kit.Key], names: Sequence[str | bytes] = (HOST,), *, constrained: bool = False) -> Plan:
    """A chain as public authorities make it; one key for each certificate, root first."""
    plan = []
    for height, key in enumerate(keys):
        above = keys[max(height - 1, 0)]
        extensions: dict[str, tuple[bool, bytes]] = {
            kit.SUBJECT_KEY_IDENTIFIER: (False, der.octet_string(identifier(key))),
            kit.AUTHORITY_KEY_IDENTIFIER: (False, der.sequence(der.implicit(0, identifier(above)))),
        }
        if height < len(keys) - 1:
            extensions |= _by_oid(kit.ca(len(keys) - 2 - height if height else None))
        else:
            extensions |= _by_oid(kit.host(*names))
            extensions[kit.KEY_USAGE] = (True, der.named_bits(0))
            extensions[kit.EXTENDED_KEY_USAGE] = (False, purposes(SERVER_AUTH))
        if constrained and height == 1 and len(keys) > 2:
            permitted = [der.implicit(2, b"example"), der.implicit(7, bytes((10, 0, 0, 0, 255, 0, 0, 0)))]
            extensions |= _by_oid([kit.constraints(permitted, [der.implicit(2, b"no.example")])])
        plan.append(Spec(f"Authority {height}" if height < len(keys) - 1 else "server", key, extensions))
    return plan


def question(plan: Plan, strangers: Sequence[bytes] = (), name: tuple[str, str] = ("DNS", HOST)) -> Question:
    """Make the certificates of a plan; they are sent in the order leaf to intermediate, after `strangers`."""
    made: list[kit.Made] = []
    for spec in plan:
        made.append(spec.made(made[-1] if made else None))
    root, *between, leaf = (each.der for each in made)
    return Question(leaf, (*strangers, *reversed(between)), (root,), name, kit.NOW)


def purposes(*oids: str) -> bytes:
    return der.sequence(*map(der.oid, oids))


def _by_oid(extensions: Sequence[kit.Extension]) -> dict[str, tuple[bool, bytes]]:
    return {oid: (critical, value) for oid, critical, value in extensions}


# ---- Ways to plant one -----------------------------------------------------------------------------------

Planting = Callable[[Plan, int], None]


@dataclass(frozen=True)
class Flaw:
    places: str
    refused: str
    plant: Planting


def fields(**values: Any) -> Planting:
    return lambda plan, at: plan[at].fields.update(values)


def says(oid: str, value: bytes, critical: bool = False) -> Planting:
    return lambda plan, at: plan[at].extensions.update({oid: (critical, value)})


def lacks(oid: str) -> Planting:
    def plant(plan: Plan, at: int) -> None:
        plan[at].extensions.pop(oid, None)

    return plant


def finished(change: Callable[[bytes], bytes]) -> Planting:
    def plant(plan: Plan, at: int) -> None:
        plan[at].finish = change

    return plant


def keyed(make: Callable[[], kit.Key]) -> Planting:
    def plant(plan: Plan, at: int) -> None:
        plan[at].key = make()

    return plant


def criticality(oid: str, critical: bool) -> Planting:
    def plant(plan: Plan, at: int) -> None:
        plan[at].extensions[oid] = (critical, plan[at].extensions[oid][1])

    return plant


def path_length(shorter_by: int) -> Planting:
    """At the height `at` there are len(plan) - 2 - at authorities below."""

    def plant(plan: Plan, at: int) -> None:
        length = len(plan) - 2 - at - shorter_by
        plan[at].extensions[kit.BASIC_CONSTRAINTS] = (True, der.sequence(der.boolean(True), der.integer(length)))

    return plant


def twice(plan: Plan, at: int) -> None:
    plan[at].twice = kit.SUBJECT_KEY_IDENTIFIER


def signed_by_a_stranger(plan: Plan, at: int) -> None:
    """The right name above, and another key."""
    spec = plan[at]
    original = spec.made

    def made(issuer: kit.Made | None) -> kit.Made:
        assert issuer
        return original(kit.Made(issuer.der, issuer.subject, kit.ec_key("stranger")))

    spec.made = made  # type: ignore[method-assign]


def named_for(*names: str | bytes) -> Planting:
    return says(kit.SUBJECT_ALT_NAME, kit.host(*names)[0][2])


def named_in_subject_only(plan: Plan, at: int) -> None:
    plan[at].subject = HOST
    lacks(kit.SUBJECT_ALT_NAME)(plan, at)


def constrains(permitted: Sequence[bytes] = (), excluded: Sequence[bytes] = (), critical: bool = True) -> Planting:
    return says(kit.NAME_CONSTRAINTS, kit.constraints(permitted, excluded)[2], critical)


def last_byte_flipped(data: bytes) -> bytes:
    return data[:-1] + bytes((data[-1] ^ 1,))


def explicit_parameters() -> kit.Key:
    """P-256, but spelled out."""
    key = kit.ec_key("explicit")
    p, order = (
        (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1,
        int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16),
    )
    b = bytes.fromhex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b")
    base = bytes.fromhex(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    curve = der.sequence(
        der.integer(1),
        der.sequence(der.oid("1.2.840.10045.1.1"), der.integer(p)),
        der.sequence(der.octet_string((p - 3).to_bytes(32, "big")), der.octet_string(b)),
        der.octet_string(base),
        der.integer(order),
        der.integer(1),
    )
    point = key.spki[-65:]
    return kit.Key(key.private, der.sequence(der.sequence(der.oid("1.2.840.10045.2.1"), curve), der.bit_string(point)))


def compressed_point() -> kit.Key:
    key = kit.ec_key("compressed")
    point = key.spki[-65:]
    short = bytes((2 + (point[-1] & 1),)) + point[1:33]
    curve = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7"))
    return kit.Key(key.private, der.sequence(curve, der.bit_string(short)))


V2 = der.explicit(0, der.integer(1))
EC_SHA384 = kit.ALGORITHMS["ec", "sha384"]
FALSE_WRITTEN_OUT = der.sequence(der.boolean(False))
HERE, ELSEWHERE = der.implicit(2, b"host.example"), der.implicit(2, b"elsewhere.example")
THEN = der.element(0x18, b"20250101000000Z")
LATER = der.element(0x18, b"20270101000000Z")
NO_SECONDS = der.element(0x17, b"2501010000Z")


# ---- The catalogue ---------------------------------------------------------------------------------------

FLAWS: dict[str, Flaw] = {
    "none": Flaw("LIR", "", lambda plan, at: None),
    # dates
    "ended a second ago": Flaw("LIR", "LIR", fields(not_after=kit.NOW - 1)),
    "ends this very second": Flaw("LIR", "", fields(not_after=kit.NOW)),
    "begins in a second": Flaw("LIR", "LIR", fields(not_before=kit.NOW + 1)),
    "begins this very second": Flaw("LIR", "", fields(not_before=kit.NOW)),
    "dates as GeneralizedTime before 2050": Flaw("LIR", "", fields(validity=der.sequence(THEN, LATER))),
    "a date without seconds": Flaw("LIR", "LIR", fields(validity=der.sequence(NO_SECONDS, kit.time(kit.NOW + 9)))),
    "three dates": Flaw("LIR", "LIR", fields(more_dates=kit.time(kit.NOW))),
    # host names
    "for another name": Flaw("L", "L", named_for("other.example")),
    "for the parent domain": Flaw("L", "L", named_for("host.example")),
    "for a wildcard of one label": Flaw("L", "", named_for("*.host.example")),
    "for a wildcard of two labels": Flaw("L", "L", named_for("*.example")),
    "for a wildcard in a label": Flaw("L", "L", named_for("w*.host.example")),
    "name in upper case": Flaw("L", "", named_for(HOST.upper())),
    "name with a final dot": Flaw("L", "L", named_for(HOST + ".")),
    "name in the common name alone": Flaw("L", "L", named_in_subject_only),
    "no name in subjectAltName": Flaw("L", "L", says(kit.SUBJECT_ALT_NAME, der.sequence())),
    "an address of five bytes beside the name": Flaw("L", "L", named_for(HOST, bytes(5))),
    # authorities
    "no basicConstraints": Flaw("LIR", "IR", lacks(kit.BASIC_CONSTRAINTS)),
    "basicConstraints say no": Flaw("IR", "IR", says(kit.BASIC_CONSTRAINTS, der.sequence(), critical=True)),
    "basicConstraints write FALSE out": Flaw("L", "", says(kit.BASIC_CONSTRAINTS, FALSE_WRITTEN_OUT, critical=True)),
    "basicConstraints not critical": Flaw("IR", "", criticality(kit.BASIC_CONSTRAINTS, False)),
    "basicConstraints malformed": Flaw("LIR", "LIR", says(kit.BASIC_CONSTRAINTS, b"\x30\x01", critical=True)),
    "path length that just suffices": Flaw("IR", "", path_length(0)),
    "path length too short by one": Flaw("R", "R", path_length(1)),
    "negative path length": Flaw("IR", "IR", path_length(100)),
    # usages
    "keyUsage without keyCertSign": Flaw("IR", "IR", says(kit.KEY_USAGE, der.named_bits(0, 6), critical=True)),
    "no keyUsage": Flaw("LIR", "", lacks(kit.KEY_USAGE)),
    "keyUsage with keyCertSign": Flaw("L", "L", says(kit.KEY_USAGE, der.named_bits(0, 5), critical=True)),
    "keyUsage with no bit set": Flaw("IR", "IR", says(kit.KEY_USAGE, der.bit_string(b""), critical=True)),
    "for clients only": Flaw("LIR", "LIR", says(kit.EXTENDED_KEY_USAGE, purposes(CLIENT_AUTH))),
    "for any purpose": Flaw("LIR", "L", says(kit.EXTENDED_KEY_USAGE, purposes(ANY_PURPOSE))),
    "for servers and clients": Flaw("LIR", "", says(kit.EXTENDED_KEY_USAGE, purposes(SERVER_AUTH, CLIENT_AUTH))),
    "no extendedKeyUsage": Flaw("LIR", "", lacks(kit.EXTENDED_KEY_USAGE)),
    "no purpose in extendedKeyUsage": Flaw("LIR", "LIR", says(kit.EXTENDED_KEY_USAGE, der.sequence())),
    # name constraints
    "permits the name": Flaw("IR", "", constrains([HERE])),
    "permits another name": Flaw("IR", "IR", constrains([ELSEWHERE])),
    "excludes the name": Flaw("IR", "IR", constrains([], [HERE])),
    "excludes another name": Flaw("IR", "", constrains([], [ELSEWHERE])),
    "permits addresses only": Flaw("IR", "", constrains([der.implicit(7, bytes(8))])),
    "permits another name, not critical": Flaw("IR", "IR", constrains([ELSEWHERE], critical=False)),
    "constraints in a leaf": Flaw("L", "L", constrains([HERE])),
    "constraints without a list": Flaw("IR", "IR", says(kit.NAME_CONSTRAINTS, der.sequence(), critical=True)),
    # signatures and keys
    "signature altered": Flaw("LIR", "LI", finished(last_byte_flipped)),
    "signed by a key of another": Flaw("LI", "LI", signed_by_a_stranger),
    "another algorithm inside": Flaw("LIR", "LI", fields(inner=EC_SHA384)),
    "another algorithm outside": Flaw("LIR", "LI", fields(outer=EC_SHA384)),
    "signed with SHA-1": Flaw("LIR", "LI", fields(hash_name="sha1")),
    "issuer named otherwise": Flaw("LI", "LI", fields(issuer_name=kit.name("Somebody else"))),
    "no issuer": Flaw("LI", "LI", fields(issuer_name=der.sequence())),
    "RSA key of 1024 bits": Flaw("LIR", "LIR", keyed(lambda: kit.rsa_key("small", 1024))),
    "RSA key of 2048 bits": Flaw("LIR", "", keyed(lambda: kit.rsa_key("usual"))),
    "key on P-384": Flaw("LIR", "", keyed(lambda: kit.ec_key("384", ec.SECP384R1))),
    "key on P-521": Flaw("LIR", "", keyed(lambda: kit.ec_key("521", ec.SECP521R1))),
    "key on secp256k1": Flaw("LIR", "LIR", keyed(lambda: kit.ec_key("k1", ec.SECP256K1))),
    "curve spelled out": Flaw("LIR", "LIR", keyed(explicit_parameters)),
    "point compressed": Flaw("LIR", "LIR", keyed(compressed_point)),
    # extensions
    "unknown extension": Flaw("LIR", "", says("1.2.3.4", b"\x05\x00")),
    "unknown critical extension": Flaw("LIR", "LIR", says("1.2.3.4", b"\x05\x00", critical=True)),
    "an extension twice": Flaw("LIR", "LIR", twice),
    "no subjectKeyIdentifier": Flaw("LIR", "", lacks(kit.SUBJECT_KEY_IDENTIFIER)),
    "no authorityKeyIdentifier": Flaw("LIR", "", lacks(kit.AUTHORITY_KEY_IDENTIFIER)),
    "authorityKeyIdentifier of nobody": Flaw(
        "LI", "", says(kit.AUTHORITY_KEY_IDENTIFIER, der.sequence(der.implicit(0, b"nobody")))
    ),
    "subjectKeyIdentifier critical": Flaw("LIR", "LIR", criticality(kit.SUBJECT_KEY_IDENTIFIER, True)),
    "authorityKeyIdentifier critical": Flaw("LIR", "LIR", criticality(kit.AUTHORITY_KEY_IDENTIFIER, True)),
    "TLS features that are no numbers": Flaw("LIR", "LIR", says(TLS_FEATURE, der.sequence(der.null()))),
    "a TLS feature beyond 65535": Flaw("LIR", "LIR", says(TLS_FEATURE, der.sequence(der.integer(65536)))),
    "must-staple in an authority alone": Flaw("IR", "IR", says(TLS_FEATURE, der.sequence(der.integer(5)))),
    "a malformed distribution point, and no lists asked for": Flaw(
        "LIR", "", says(CRL_POINTS, der.sequence(der.null()))
    ),
    # policies
    "policy required and nowhere": Flaw(
        "IR", "IR", says(kit.POLICY_CONSTRAINTS, der.sequence(der.implicit(0, b"\x00")), critical=True)
    ),
    "some policy, critical": Flaw("LI", "", says(POLICIES, der.sequence(purposes("1.2.3.4")), critical=True)),
    "the same policy twice": Flaw("LI", "LI", says(POLICIES, der.sequence(purposes("1.2.3.4"), purposes("1.2.3.4")))),
    "anyPolicy inhibited": Flaw("IR", "", says(INHIBIT_ANY, der.integer(0), critical=True)),
    # encoding
    "serial number 0": Flaw("LIR", "", fields(serial=der.integer(0))),
    "negative serial number": Flaw("LIR", "", fields(serial=der.integer(-5))),
    "serial number of 30 bytes": Flaw("LIR", "", fields(serial=der.integer(1 << 238))),
    "serial number with a zero in front": Flaw("LIR", "LIR", fields(serial=b"\x02\x02\x00\x01")),
    "version 1 with extensions": Flaw("LIR", "LIR", fields(version=b"")),
    "version 2 with extensions": Flaw("LIR", "LIR", fields(version=V2)),
    "version 4": Flaw("LIR", "LIR", fields(version=der.explicit(0, der.integer(3)))),
    "version 1 written out": Flaw("LIR", "LIR", fields(version=der.explicit(0, der.integer(0)))),
    "bytes after the end": Flaw("LIR", "LIR", finished(lambda data: data + b"\x00")),
    "something after the signature": Flaw("LIR", "LIR", fields(after=der.null())),
    "length not in its shortest form": Flaw(
        "LIR", "LIR", finished(lambda data: data[:1] + b"\x83\x00" + data[2:4] + data[4:])
    ),
}
