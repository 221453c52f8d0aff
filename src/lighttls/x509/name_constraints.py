"""Name constraints: an authority that may speak for certain names only (RFC 5280 4.2.1.10, 6.1.4).

Every authority's constraints are applied on their own to every certificate below it, which gives
the intersection of permitted and the union of excluded subtrees without keeping either as state.
A constraint or a name that cannot be understood counts against the certificate, never for it; also a distinguished name
with a value that is no readable text, where it might be another spelling of an excluded one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lighttls._typing import Final
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import der, distinguished_name
from lighttls.x509.certificate import EMPTY_NAME, Certificate
from lighttls.x509.extensions import (
    DIRECTORY_NAME,
    DNS_NAME,
    IP_ADDRESS,
    OTHER_NAME,
    RFC822_NAME,
    URI,
    GeneralName,
    NameConstraints,
)
from lighttls.x509.names import address_text, is_host_name

_KINDS = {
    OTHER_NAME: "otherName",
    RFC822_NAME: "rfc822Name",
    DNS_NAME: "dNSName",
    3: "x400Address",
    DIRECTORY_NAME: "directoryName",
    5: "ediPartyName",
    URI: "uniformResourceIdentifier",
    IP_ADDRESS: "iPAddress",
    8: "registeredID",
}

Spend = Callable[[int], None]
"""Takes a number of steps from the search's budget, and raises when it is used up.

A step is a rule to prepare, a name to look at, or the comparison of one with the other; a long one is several.
"""
_STEP: Final = 64  # bytes of a name or rule; ordinary ones are shorter
_DIRECTORY_STEP: Final = 4  # bytes of a directory name: its attributes are taken out one by one, and brought to a form


def check(constraints: NameConstraints, authority: Certificate, below: Sequence[Certificate], spend: Spend) -> None:
    """Hold the names of `below` (leaf first) against the constraints of one authority.

    Self-issued authorities are exempt, a self-issued leaf is not (RFC 5280 6.1.3 b).
    """
    spend(sum(_steps(*subtree) for subtree in (*constraints.permitted, *constraints.excluded)))  # anew for every path
    rules: dict[int, list[_Rule]] = {}
    for subtrees, permits in ((constraints.permitted, True), (constraints.excluded, False)):
        for kind, base in subtrees:
            rules.setdefault(kind, []).append(_Rule(kind, base, permits))
    for depth, certificate in enumerate(below):
        if depth and certificate.self_issued:
            continue
        for kind, name in _names(certificate):
            relevant = rules.get(kind, ())
            spend(_steps(kind, name) + len(relevant))
            fault = _fault(kind, name, relevant)
            if not fault and kind == DIRECTORY_NAME:
                fault = _doubt(name, relevant, spend)
            if fault:
                raise CertificateError(
                    f"{fault}, by the nameConstraints of '{authority}'",
                    ChainReason.NAME_CONSTRAINTS,
                    culprit=certificate,
                )


def _steps(kind: int, name: bytes) -> int:
    return 1 + len(name) // (_DIRECTORY_STEP if kind == DIRECTORY_NAME else _STEP)


class _Rule:
    """One subtree, checked and prepared for comparison."""

    __slots__ = ("base", "outline", "permits", "written")

    def __init__(self, kind: int, base: bytes, permits: bool) -> None:
        self.permits = permits
        self.written = base
        prepare = _PREPARE.get(kind)
        self.base = base if prepare is None else prepare(base)
        self.outline: list[distinguished_name.RelativeName] | None = None  # of an excluded directory name, when asked


def _fault(kind: int, name: bytes, relevant: Sequence[_Rule]) -> str:
    """Say which of the rules for its kind a name breaks; empty if none."""
    if not relevant:
        return ""
    matches = _MATCH.get(kind)
    if matches is None:
        # RFC 5280 4.2.1.10: process a constraint on such a name or reject the certificate
        return f"a name of the form {_KINDS[kind]} is constrained, which cannot be checked"
    parts = _PARTS[kind](name)
    if parts is None:
        return f"a malformed {_KINDS[kind]} is neither permitted nor excluded"
    permitted = None
    for rule in relevant:
        if rule.permits:
            permitted = permitted or matches(parts, rule.base, True)
        elif matches(parts, rule.base, False):
            return f"{_KINDS[kind]} {_shown(kind, name)} is in an excluded subtree"
    return f"{_KINDS[kind]} {_shown(kind, name)} is in no permitted subtree" if permitted is False else ""


def _doubt(name: bytes, relevant: Sequence[_Rule], spend: Spend) -> str:
    """Say that a directory name may be an excluded one, if a value that is no readable text leaves that open."""
    excluded = [rule for rule in relevant if not rule.permits]
    outline = distinguished_name.outline(name) if excluded else []
    for rule in excluded:
        if rule.outline is None:
            spend(_steps(DIRECTORY_NAME, rule.written))
            rule.outline = distinguished_name.outline(rule.written)
        base = rule.outline
        spend(len(base))
        if len(base) <= len(outline) and all(map(distinguished_name.may_be_equal, outline, base)):
            return (
                f"directoryName {distinguished_name.text(name)} may be in an excluded subtree: "
                f"a value in one of them is no readable text"
            )
    return ""


def _names(certificate: Certificate) -> list[GeneralName]:
    names = list(certificate.subject_alt_name or ())
    if certificate.subject != EMPTY_NAME:
        names.append((DIRECTORY_NAME, certificate.subject))
        if not any(kind == RFC822_NAME for kind, _ in names):
            # RFC 5280 4.2.1.10: the old place of mail addresses counts if the new one is not used
            names += ((RFC822_NAME, mail) for mail in distinguished_name.email_addresses(certificate.subject))
    return names


# Each kind: the base of a subtree prepared, a name taken apart (None: malformed), the comparison.


def _dns_base(base: bytes) -> bytes:
    """A name for itself and all below; empty for everything; ".name" for all below but not itself.

    RFC 5280 gives the last form to URIs only, but private authorities write it and OpenSSL and Go
    accept it.
    """
    base = base.lower()
    if base and not _is_dns_name(base[1:] if base[:1] == b"." else base):
        raise der.malformed(f"nameConstraints: {base[:253]!r} is not a DNS name")
    return base


def _dns_parts(name: bytes) -> bytes | None:
    name = name.lower()
    return name if _is_dns_name(name[2:] if name[:2] == b"*." else name) else None


def _is_dns_name(name: bytes) -> bool:
    """A host name, or one with underscores: private networks have them, and they compare like letters."""
    return is_host_name(name.replace(b"_", b"a"))


def _dns_match(name: bytes, base: bytes, permits: bool) -> bool:
    if name[:1] == b"*":
        parent = name[1:]
        if _in_domain(parent[1:], base) or parent == base:
            return True
        # excluded: one of the names the wildcard stands for lies in the subtree
        return not permits and base.partition(b".")[1:] == (b".", parent[1:])
    return _in_domain(name, base)


def _in_domain(name: bytes, base: bytes) -> bool:
    if not base:
        return True
    if base[:1] == b".":
        return name.endswith(base)
    return name == base or name.endswith(b"." + base)


def _ip_base(base: bytes) -> tuple[int, int, int]:
    if len(base) not in (8, 32):
        raise der.malformed("nameConstraints: an address range is not address and mask")
    half = len(base) // 2
    mask = int.from_bytes(base[half:], "big")
    hosts = (1 << 8 * half) - 1 - mask
    if hosts & (hosts + 1):
        raise der.malformed("nameConstraints: an address mask with gaps")
    return half, int.from_bytes(base[:half], "big") & mask, mask


def _ip_parts(name: bytes) -> tuple[int, int]:
    return len(name), int.from_bytes(name, "big")


def _ip_match(name: tuple[int, int], base: tuple[int, int, int], permits: bool) -> bool:
    return name[0] == base[0] and name[1] & base[2] == base[1]


def _directory_match(name: distinguished_name.Name, base: distinguished_name.Name, permits: bool) -> bool:
    return name[: len(base)] == base


def _mail_base(base: bytes) -> tuple[bytes, bytes]:
    """(mailbox, host): one mailbox, all of one host, or with ".name" all hosts below; empty for everything.

    RFC 5280 does not say what an empty one means, here and for a URI. NSS and Go read it as for DNS names, and so do
    the authorities that exclude all mail by it.
    """
    local, at, host = base.rpartition(b"@")
    host = host.lower()
    if base and (
        (at and not _is_mailbox(local)) or not is_host_name(host[1:] if host[:1] == b"." and not at else host)
    ):
        raise der.malformed(f"nameConstraints: {base[:253]!r} is no mail address or host")
    return local, host


def _mail_parts(name: bytes) -> tuple[bytes, bytes] | None:
    local, _, host = name.rpartition(b"@")
    host = host.lower()
    return (local, host) if _is_mailbox(local) and is_host_name(host) else None


def _is_mailbox(local: bytes) -> bool:
    return bool(local) and b"@" not in local and all(0x20 < byte < 0x7F for byte in local)


def _mail_match(name: tuple[bytes, bytes], base: tuple[bytes, bytes], permits: bool) -> bool:
    mailbox, host = base
    if mailbox:
        return name == base
    return _at_host(name[1], host)


def _uri_base(base: bytes) -> bytes:
    base = base.lower()
    if base and not is_host_name(base[1:] if base[:1] == b"." else base):
        raise der.malformed(f"nameConstraints: {base[:253]!r} is no host of a URI")
    return base


_URI_CHARACTERS: Final = frozenset(range(0x21, 0x7F)) - frozenset(b'"<>\\^`{|}')  # RFC 3986 2: others must be escaped


def _uri_parts(name: bytes) -> bytes | None:
    """The host of a URI; RFC 5280 4.2.1.10: without a host name it must be rejected."""
    if not _URI_CHARACTERS.issuperset(name):
        return None  # what a reader makes of "\\" and the like is anybody's guess
    rest = name.partition(b"://")[2]
    for mark in (b"/", b"?", b"#"):
        rest = rest.partition(mark)[0]
    host = rest.rpartition(b"@")[2].partition(b":")[0].lower()
    return host if is_host_name(host) else None


def _uri_match(host: bytes, base: bytes, permits: bool) -> bool:
    return _at_host(host, base)


def _at_host(host: bytes, base: bytes) -> bool:
    return not base or (host.endswith(base) if base[:1] == b"." else host == base)


_PREPARE: dict[int, Callable[[bytes], object]] = {
    DNS_NAME: _dns_base,
    IP_ADDRESS: _ip_base,
    DIRECTORY_NAME: distinguished_name.normalise,
    RFC822_NAME: _mail_base,
    URI: _uri_base,
}
_PARTS: dict[int, Callable[[bytes], object]] = {
    DNS_NAME: _dns_parts,
    IP_ADDRESS: _ip_parts,
    DIRECTORY_NAME: distinguished_name.normalise,
    RFC822_NAME: _mail_parts,
    URI: _uri_parts,
}
_MATCH: dict[int, Callable[..., bool]] = {
    DNS_NAME: _dns_match,
    IP_ADDRESS: _ip_match,
    DIRECTORY_NAME: _directory_match,
    RFC822_NAME: _mail_match,
    URI: _uri_match,
}


def _shown(kind: int, name: bytes) -> str:
    if kind == DIRECTORY_NAME:
        return distinguished_name.text(name)
    if kind == IP_ADDRESS:
        return address_text(name)
    return distinguished_name.printable(name[:253].decode("ascii", "backslashreplace"))
