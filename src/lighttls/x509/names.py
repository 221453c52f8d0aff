"""Host names: the one we want to reach, and those a certificate is for (RFC 9525, 6066 §3).

DNS names are ASCII A-labels throughout. Addresses are compared with iPAddress only, names with
dNSName only, and the common name never counts. E-mail, URI and SRV names are left out on purpose:
a TLS client that opens a connection to a host has no use for them.
"""

from __future__ import annotations

from lighttls._struct import struct
from lighttls._typing import Final
from lighttls.errors import CertificateError, ChainReason, ConfigurationError
from lighttls.x509.certificate import Certificate
from lighttls.x509.distinguished_name import printable
from lighttls.x509.extensions import DNS_NAME, IP_ADDRESS, SUBJECT_ALT_NAME, GeneralName

_LDH: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-")
_NAMES_SHOWN: Final = 6


@struct
class ReferenceName:
    """The name we want to reach, in the one form in which it is compared."""

    text: str
    """Lower-case A-labels without a final dot, or the address as it was given."""
    address: bytes | None
    """4 or 16 bytes if the name is an IP address."""

    @property
    def server_name(self) -> bytes | None:
        """What server_name says: the host name; None for an address, which sends none (SNI-02)."""
        return self.text.encode() if self.address is None else None


def reference_name(hostname: str) -> ReferenceName:
    """Bring a host name into its form for SNI and comparison (SNI-01 to SNI-03).

    One trailing dot is dropped. Addresses may stand in brackets, and an IPv6 address may have a
    zone, which is local and not compared.

    Raises:
        ConfigurationError: no host name and no address; for a U-label it says how to convert it.
    """
    if not isinstance(hostname, str):
        raise ConfigurationError(f"server_hostname must be a string, not {type(hostname).__name__}")
    known = _memo.get(hostname)
    if known is None:
        known = _reference_name(hostname)
        if len(_memo) >= _MEMO_ENTRIES:
            _memo.clear()
        _memo[hostname] = known
    return known


_MEMO_ENTRIES: Final = 64
_memo: dict[str, ReferenceName] = {}  # a connection asks twice, and the next one to the same host again


def _reference_name(hostname: str) -> ReferenceName:
    bare = hostname[1:-1] if hostname[:1] == "[" and hostname[-1:] == "]" else hostname
    if ":" in bare:
        address = _ipv6(bare.partition("%")[0])
        if address is None:
            raise ConfigurationError(
                f"server_hostname {hostname!r} is not an IPv6 address, and a host name has no colon"
            )
        return ReferenceName(bare, address)
    if not bare.isascii():
        raise ConfigurationError(
            f"server_hostname {hostname!r} has non-ASCII letters; give its A-labels, "
            f"such as idna.encode({hostname!r}).decode() makes them with the package idna"
        )
    name = (bare[:-1] if bare[-1:] == "." else bare).lower()
    address = _ipv4(name)
    if address is not None:
        return ReferenceName(name, address)
    fault = _fault(name.encode())
    if bare is not hostname:
        fault = "brackets hold no IPv6 address"
    if fault:
        raise ConfigurationError(f"server_hostname {hostname!r} is not a host name: {fault}")
    return ReferenceName(name, None)


def match(reference: ReferenceName, leaf: Certificate) -> None:
    """Accept the leaf if one of its subjectAltNames is the reference name (RFC 9525 §6, CERT-20).

    Raises CertificateError (name_mismatch), which lists the names the certificate is for.
    """
    names: tuple[GeneralName, ...] | None = leaf.extension(SUBJECT_ALT_NAME)
    if names is None:
        raise CertificateError(
            f"no subjectAltName in the certificate for {reference.text} (the common name does not count)",
            ChainReason.NAME_MISMATCH,
        )
    if reference.address is not None:
        if (IP_ADDRESS, reference.address) in names:
            return
    else:
        wanted = reference.text.encode()
        if (DNS_NAME, wanted) in names or any(kind == DNS_NAME and _dns_match(name, wanted) for kind, name in names):
            return
    raise CertificateError(
        f"{reference.text} is not among the certificate's names: {_listed(names)}", ChainReason.NAME_MISMATCH
    )


def is_host_name(name: bytes) -> bool:
    """It is one or more lower-case LDH labels of legal length (RFC 1123 §2.1, 5890 §2.3.1)."""
    return not _fault(name)


def _dns_match(presented: bytes, wanted: bytes) -> bool:
    presented = presented.lower()
    if presented == wanted:
        return True
    if presented[:2] != b"*.":
        return False
    # A wildcard is the whole first label and stands for exactly one (RFC 9525 §6.3). Below it must
    # be two labels or more: nobody may speak for all of "*.com".
    base = presented[1:]
    _, dot, rest = wanted.partition(b".")
    return dot + rest == base and b"." in rest


def _fault(name: bytes) -> str:
    """Say why `name` cannot be a host name in lower case; empty if it can."""
    if not name:
        return "it is empty"
    if len(name) > 253:
        return "it is longer than 253 characters"
    labels = name.split(b".")
    for label in labels:
        if not 1 <= len(label) <= 63:
            return "a label is empty or longer than 63 characters"
        if label[0] == 0x2D or label[-1] == 0x2D or not _LDH.issuperset(label):
            return "labels have letters, digits and hyphens only, no hyphen first or last"
    if labels[-1].isdigit():
        return "its last label is a number, but it is no IPv4 address"
    return ""


def _ipv4(text: str) -> bytes | None:
    parts = text.split(".")
    if len(parts) != 4:
        return None
    for part in parts:
        # no leading zeros: some read them as octal
        digits = part.isascii() and part.isdigit()  # other scripts have digits too, and superscripts are some
        if not digits or len(part) > 3 or int(part) > 255 or (part[0] == "0" and part != "0"):
            return None
    return bytes(int(part) for part in parts)


def _ipv6(text: str) -> bytes | None:
    """RFC 4291 §2.2: eight groups, one run of them shortened to "::", perhaps an IPv4 tail."""
    head, gap, tail = text.partition("::")
    left, right = _groups(head), _groups(tail)
    if left is None or right is None or (gap and head and "." in head):
        return None
    missing = 16 - len(left) - len(right)
    if missing < 2 if gap else missing != 0:
        return None
    return left + bytes(missing) + right


def _groups(text: str) -> bytes | None:
    if not text:
        return b""
    packed = b""
    groups = text.split(":")
    for group in groups:
        if "." in group and group is groups[-1]:
            address = _ipv4(group)
            if address is None:
                return None
            packed += address
        elif 1 <= len(group) <= 4 and all(c in "0123456789abcdefABCDEF" for c in group):
            packed += int(group, 16).to_bytes(2, "big")
        else:
            return None
    return packed


def _listed(names: tuple[tuple[int, bytes], ...]) -> str:
    shown = []
    for kind, name in names:
        if kind == DNS_NAME:
            shown.append(printable(name[:253].decode("ascii", "backslashreplace")))
        elif kind == IP_ADDRESS:
            shown.append(address_text(name))
    more = len(shown) - _NAMES_SHOWN
    return (", ".join(shown[:_NAMES_SHOWN]) or "none for a host") + (f" and {more} more" if more > 0 else "")


def address_text(address: bytes) -> str:
    """Write an iPAddress of 4 or 16 bytes."""
    if len(address) == 4:
        return ".".join(str(byte) for byte in address)
    return ":".join(f"{address[i] << 8 | address[i + 1]:x}" for i in range(0, 16, 2))
