"""Names for explanations: why a host name was nearly right, and what an authority may speak for."""

from __future__ import annotations

from collections.abc import Sequence

from lighttls._typing import Final
from lighttls.x509 import distinguished_name, extensions
from lighttls.x509.certificate import Certificate
from lighttls.x509.extensions import DIRECTORY_NAME, DNS_NAME, IP_ADDRESS, GeneralName
from lighttls.x509.names import ReferenceName, address_text

_SUBTREES_SHOWN: Final = 4
_MANY: Final = 64  # names that are looked at: a list that is longer helps nobody


def near_miss(wanted: ReferenceName, leaf: Certificate) -> str:
    """Why `wanted` is nearly one of the leaf's names, and what to do; empty if it is not near any."""
    names = leaf.subject_alt_name or ()
    hosts = [name.decode("ascii").lower() for kind, name in names[:_MANY] if kind == DNS_NAME and name.isascii()]
    addresses = [name for kind, name in names[:_MANY] if kind == IP_ADDRESS]
    if not names:
        kind = "DNS" if wanted.address is None else "IP"
        return (
            f"The only place that counts is subjectAltName: issue it anew with subjectAltName = {kind}:{wanted.text}."
        )
    if wanted.address is not None:
        return _near_address(wanted, hosts, addresses)
    for host in hosts:
        shown = distinguished_name.printable(host)
        if host == f"www.{wanted.text}":
            return (
                f"Connect to {shown}, or have {wanted.text} added to the certificate: a name counts letter by letter."
            )
        if wanted.text == f"www.{host}":
            return f"Connect to {shown} without www., or have {wanted.text} added to the certificate."
        if host.startswith("*."):
            base = host[1:]
            if wanted.text == base[1:]:
                return f"The wildcard {shown} stands for the names below {base[1:]} and not for itself: have it added."
            if wanted.text.endswith(base):
                return f"The wildcard {shown} stands for one label, and {wanted.text} has more than one before {base}."
        if host.rstrip(".") == wanted.text:
            return f"The certificate writes {shown} with a dot at its end, which no certificate may: issue it anew."
    if addresses and not hosts:
        return f"It is for an address: connect to {address_text(addresses[0])}, or issue it anew with the host name."
    return ""


def _near_address(wanted: ReferenceName, hosts: Sequence[str], addresses: Sequence[bytes]) -> str:
    if wanted.text in hosts:
        return f"It writes {wanted.text} as a DNS name; an address must stand there as iPAddress. Issue it anew."
    if hosts and not addresses:
        return f"It is for host names, not for addresses: connect to {distinguished_name.printable(hosts[0])}."
    return ""


def subtrees(authority: Certificate) -> str:
    """What the nameConstraints of an authority say; empty without any."""
    constraints = authority.name_constraints
    if constraints is None:
        return ""
    parts = []
    for what, names in (("permitted", constraints.permitted), ("excluded", constraints.excluded)):
        if names:
            more = len(names) - _SUBTREES_SHOWN
            shown = ", ".join(subtree(name) for name in names[:_SUBTREES_SHOWN])
            parts.append(f"{what}: {shown}{f' and {more} more' if more > 0 else ''}")
    return "; ".join(parts)


def subtree(base: GeneralName) -> str:
    """One subtree of names for people: "DNS .example.com", "IP 10.0.0.0/8"."""
    kind, value = base
    if kind == DNS_NAME:
        return f"DNS {_ascii(value) or 'every name'}"
    if kind == IP_ADDRESS and len(value) in (8, 32):
        half = len(value) // 2
        return f"IP {address_text(value[:half])}/{int.from_bytes(value[half:], 'big').bit_count()}"
    if kind == DIRECTORY_NAME:
        return f"names under {distinguished_name.text(value)}"
    return f"{_KINDS.get(kind, 'a name of another form')} {_ascii(value)}"


_KINDS: Final = {extensions.RFC822_NAME: "mail", extensions.URI: "URI"}


def _ascii(value: bytes) -> str:
    return distinguished_name.printable(value[:253].decode("ascii", "backslashreplace"))
