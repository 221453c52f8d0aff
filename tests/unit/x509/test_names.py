"""Host names: the one we want, and the ones a certificate is for (RFC 9525, SNI-01 to SNI-03, CERT-20)."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighttls.errors import CertificateError, ChainReason, ConfigurationError
from lighttls.x509 import Certificate, names, reference_name
from support import certificates as kit


@pytest.mark.parametrize(
    ("hostname", "server_name"),
    [
        ("example.com", b"example.com"),
        ("EXAMPLE.com", b"example.com"),
        ("example.com.", b"example.com"),
        ("localhost", b"localhost"),
        ("xn--bcher-kva.example", b"xn--bcher-kva.example"),
        ("a1b2-ats.iot.eu-central-1.amazonaws.com", b"a1b2-ats.iot.eu-central-1.amazonaws.com"),
        ("1.example", b"1.example"),
        (".".join(["a" * 63] * 3) + "." + "b" * 61, (".".join(["a" * 63] * 3) + "." + "b" * 61).encode()),
    ],
)
def test_host_name_becomes_lower_case_without_its_final_dot(hostname: str, server_name: bytes) -> None:
    reference = reference_name(hostname)
    assert reference.server_name == server_name
    assert reference.address is None


@pytest.mark.parametrize(
    ("hostname", "address"),
    [
        ("192.0.2.1", bytes((192, 0, 2, 1))),
        ("192.0.2.1.", bytes((192, 0, 2, 1))),
        ("::1", bytes(15) + b"\1"),
        ("[::1]", bytes(15) + b"\1"),
        ("fe80::1%eth0", b"\xfe\x80" + bytes(13) + b"\1"),
        ("[fe80::1%25eth0]", b"\xfe\x80" + bytes(13) + b"\1"),
        ("::ffff:192.0.2.1", bytes(10) + b"\xff\xff\xc0\0\2\1"),
        ("2001:DB8::", b"\x20\x01\x0d\xb8" + bytes(12)),
    ],
)
def test_address_sends_no_server_name(hostname: str, address: bytes) -> None:
    """SNI-02."""
    reference = reference_name(hostname)
    assert reference.address == address
    assert reference.server_name is None
    assert reference_name(reference.text) == reference


@pytest.mark.parametrize(
    "hostname",
    [
        "",
        ".",
        "example..com",
        ".example.com",
        "example.com..",
        "a" * 64 + ".example",
        ".".join(["a" * 63] * 4),
        "foo_bar.example",
        "-a.example",
        "a-.example",
        "*.example",
        "exa mple",
        "example.com/path",
        "example.com:443",
        "user@example.com",
        "host\0.example",
        "1.2.3",
        "1.2.3.4.5",
        "192.0.2.256",
        "192.0.2.01",
        "[example.com]",
        "[::1",
        "::1::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "12345::",
        "1.2.3.4::",
        "::1.2.3.\u00b2",
        "::1.2.3.\u0664",
        ":::",
        ":1",
    ],
)
def test_what_cannot_be_a_host_name_is_refused(hostname: str) -> None:
    """SNI-03: before any byte is sent."""
    with pytest.raises(ConfigurationError, match="server_hostname"):
        reference_name(hostname)


@pytest.mark.parametrize("hostname", [b"host.example", None, 5])
def test_what_is_no_text_is_refused(hostname: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"server_hostname must be a string, not {type(hostname).__name__}"):
        reference_name(hostname)


def test_u_label_is_refused_with_the_way_to_convert_it() -> None:
    with pytest.raises(ConfigurationError, match=r"idna\.encode\('bücher\.example'\)"):
        reference_name("bücher.example")


@given(st.text(max_size=40) | st.from_regex(r"[0-9a-f:.\[\]%]{0,45}", fullmatch=True))
def test_any_text_is_a_reference_name_or_a_configuration_error(hostname: str) -> None:
    try:
        reference = reference_name(hostname)
    except ConfigurationError:
        return
    assert reference.address is None or len(reference.address) in (4, 16)


@given(st.ip_addresses(v=6))
def test_every_ipv6_address_is_read_as_the_system_reads_it(address: object) -> None:
    for form in (str(address), address.exploded):  # type: ignore[attr-defined]
        assert reference_name(form).address == socket.inet_pton(socket.AF_INET6, form)


@given(st.from_regex(r"[0-9a-f:.]{2,20}", fullmatch=True).filter(lambda text: ":" in text))
def test_ipv6_syntax_is_what_the_system_takes(text: str) -> None:
    try:
        expected = socket.inet_pton(socket.AF_INET6, text)
    except OSError:
        with pytest.raises(ConfigurationError):
            reference_name(text)
    else:
        assert reference_name(text).address == expected


def certificate(*presented: str | bytes) -> Certificate:
    root = kit.root("Names Root")
    return Certificate.parse(kit.server(root, *presented).der)


@pytest.mark.parametrize(
    ("presented", "hostname"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.COM", "example.com"),
        ("*.example.com", "www.example.com"),
        ("*.Example.com", "WWW.example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("*.example.com", "xn--bcher-kva.example.com"),
        ("localhost", "localhost"),
        (bytes((192, 0, 2, 1)), "192.0.2.1"),
        (bytes(15) + b"\1", "::1"),
    ],
)
def test_presented_name_matches(presented: str | bytes, hostname: str) -> None:
    names.match(reference_name(hostname), certificate("other.example", presented))


@pytest.mark.parametrize(
    ("presented", "hostname"),
    [
        ("example.com", "www.example.com"),
        ("www.example.com", "example.com"),
        ("*.example.com", "example.com"),
        ("*.example.com", "a.b.example.com"),
        ("*.com", "example.com"),
        ("*", "localhost"),
        ("*", "example.com"),
        ("w*.example.com", "www.example.com"),
        ("*w.example.com", "www.example.com"),
        ("xn--*.example.com", "xn--a.example.com"),
        ("www.*.com", "www.example.com"),
        ("*.*.com", "www.example.com"),
        ("example.com.", "example.com"),
        ("example.com\0.evil.example", "example.com"),
        ("192.0.2.1", "192.0.2.1"),  # an address in a dNSName
        (bytes((192, 0, 2, 2)), "192.0.2.1"),
        (bytes(10) + b"\xff\xff\xc0\0\2\1", "192.0.2.1"),
        (b"2.2.", "example.com"),
    ],
)
def test_presented_name_does_not_match(presented: str | bytes, hostname: str) -> None:
    with pytest.raises(CertificateError) as caught:
        names.match(reference_name(hostname), certificate(presented))
    assert caught.value.reason is ChainReason.NAME_MISMATCH
    assert hostname in str(caught.value)


def test_common_name_never_counts() -> None:
    root = kit.root("Names Root")
    leaf = Certificate.parse(kit.make("host.example", kit.ec_key("server"), root).der)
    with pytest.raises(CertificateError, match="common name does not count"):
        names.match(reference_name("host.example"), leaf)


def test_mismatch_lists_the_certificates_names_and_not_too_many() -> None:
    with pytest.raises(CertificateError) as caught:
        names.match(
            reference_name("x.example"),
            certificate("a.example", bytes((192, 0, 2, 1)), *(f"{i}.example" for i in range(9))),
        )
    assert "a.example, 192.0.2.1, 0.example" in str(caught.value)
    assert "and 5 more" in str(caught.value)
