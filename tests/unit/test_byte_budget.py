"""What the bytes on the link are spent on: exact lengths, so that none comes in unnoticed.

docs/bytes.md shows these tables. A change that costs or saves bytes on purpose changes the numbers
here and, as the failing test says, there.

Lengths do not hang on chance: host name, chain and ticket are fixed, and signatures, whose DER form takes 70 to 72
bytes on P-256, are made again until they have 71.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hostile import certificates, keys, wire
from hostile.certificates import Credential
from hostile.link import Link, drive
from hostile.server import Server
from lighttls import ClientConfig, ClientConnection, Identity, Psk, Session, TrustStore, VerifyPolicy, software_key
from support.require import REPOSITORY

HOST = "a1b2c3d4e5f6g7-ats.iot.ap-northeast-1.amazonaws.com"
NOW = 1_800_000_000.0
SIGNATURE = 71  # bytes
TICKET, SESSION_ID = bytes(176), bytes(range(32))  # the ticket as long as OpenSSL's without a client certificate
KEY = bytes(range(16))
DATA = bytes(50)  # one message of a sensor
PROFILES = ("default", "cellular")
GCM, CHACHA = 0xC02B, 0xCCA9
PAGE = REPOSITORY / "docs" / "bytes.md"


# ---- a chain of fixed length -----------------------------------------------------------------------


def repeated(make: Callable[[], bytes], length: int = SIGNATURE) -> bytes:
    """What `make` gives, once it is that long: a signature of the usual length comes every other time."""
    while len(made := make()) != length:
        pass
    return made


def issue(name: str, key: str, issuer: str, issuer_key: str, *extensions: tuple[x509.ExtensionType, bool]) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(certificates.key(key).public_key())
        .serial_number(0x5A << 120)
        .not_valid_before(datetime.datetime(2025, 1, 1))
        .not_valid_after(datetime.datetime(2049, 1, 1))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    while True:
        made = builder.sign(certificates.key(issuer_key), hashes.SHA256())
        if len(made.signature) == SIGNATURE:
            return made.public_bytes(Encoding.DER)


AUTHORITY = (
    (x509.BasicConstraints(True, None), True),
    (x509.KeyUsage(False, False, False, False, False, True, True, False, False), True),
)


@cache
def root() -> bytes:
    return issue("Budget Root", "p256/budget root", "Budget Root", "p256/budget root", *AUTHORITY)


@cache
def server_chain() -> Credential:
    """Leaf and intermediate, as short as names and extensions that are needed let them be."""
    intermediate = issue("Budget CA", "p256/budget", "Budget Root", "p256/budget root", *AUTHORITY)
    leaf = issue(
        "server",
        "p256/server",
        "Budget CA",
        "p256/budget",
        (x509.SubjectAlternativeName([x509.DNSName(HOST)]), False),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
    )
    return Credential((leaf, intermediate), certificates.key("p256/server"))


@cache
def device() -> Credential:
    leaf = issue("device-0001", "p256/device", "Budget CA", "p256/budget")
    return Credential((leaf,), certificates.key("p256/device"))


class FixedLengthSigner:
    """A software key whose signatures are all of the usual length."""

    def __init__(self) -> None:
        self._inner = software_key(device().key_pem)
        self.signature_schemes = self._inner.signature_schemes

    def sign(self, request: Any) -> bytes:
        return repeated(lambda: self._inner.sign(request))


def sign(server: Server, signed: bytes) -> bytes:
    """For ServerKeyExchange."""
    return repeated(lambda: keys.sign(0x0403, server.leaf.key, signed))


# ---- the two ends ----------------------------------------------------------------------------------


def config(provider: Any, profile: str, **settings: Any) -> ClientConfig:
    settings.setdefault("trust", TrustStore.from_der(root()))
    return ClientConfig(provider=provider, profile=profile, clock=lambda: NOW, **settings)


def identity(*, raw: bool = False) -> Identity:
    signer = FixedLengthSigner()
    return Identity.raw_key(spki(device()), signer) if raw else Identity(device().chain, signer)


def spki(credential: Credential) -> bytes:
    return credential.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def served(
    provider: Any, profile: str, script: dict[str, Any], *, session: Session | None = None, **settings: Any
) -> Link:
    """A handshake with nothing behind it, and what it took."""
    connection = ClientConnection(config(provider, profile, **settings), HOST, session=session)
    link = drive(connection, Server(server_chain(), ske={"signature": sign}, **script))
    assert link.error is None
    assert link.completed
    info = connection.info
    assert (info.bytes_sent, info.bytes_received) == (len(link.sent), len(link.served))
    return link


def session_of(provider: Any, profile: str, by: str) -> tuple[Session, dict[bytes, bytes]]:
    """A session to offer, and what its server remembers of it."""
    script = {"ticket": TICKET} if by == "ticket" else {"hello": {"session_id": SESSION_ID}}
    link = served(provider, profile, script, offer_tickets=by == "ticket")
    assert isinstance(link.client, ClientConnection)
    session = link.client.export_session()
    assert session is not None
    return session, {TICKET if by == "ticket" else SESSION_ID: link.server.master}


def first_flight(
    provider: Any, profile: str, host: str = HOST, *, session: Session | None = None, **settings: Any
) -> bytes:
    connection = ClientConnection(config(provider, profile, **settings), host, session=session)
    connection.initiate_connection()
    return connection.data_to_send()


# ---- the budget ------------------------------------------------------------------------------------

HELLO_PARTS = {
    "record header, message header": (9, 9),
    "version, random, empty session ID": (35, 35),
    "cipher suites: 6; 2 and the signal for renegotiation": (14, 8),
    "compression methods, length of the extensions": (4, 4),
    "extended_master_secret": (4, 4),
    "renegotiation_info": (5, 0),
    "server_name, 51 bytes": (60, 60),
    "supported_groups: 3; 2": (12, 10),
    "ec_point_formats": (6, 0),
    "signature_algorithms: 9; 2": (24, 10),
    "all": (173, 140),
}
"""Part of the ClientHello -> bytes in the profiles default and cellular."""

EXTENSIONS = {
    "extended_master_secret": wire.EXTENDED_MASTER_SECRET,
    "renegotiation_info": wire.RENEGOTIATION_INFO,
    "server_name, 51 bytes": wire.SERVER_NAME,
    "supported_groups: 3; 2": wire.SUPPORTED_GROUPS,
    "ec_point_formats": wire.EC_POINT_FORMATS,
    "signature_algorithms: 9; 2": wire.SIGNATURE_ALGORITHMS,
}

HELLOS: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {
    "nothing": ((173, 140), {}),
    "the host is an IP address": ((113, 80), {"host": "192.0.2.1"}),
    "`alpn_protocols=['x-amzn-mqtt-ca']`": ((194, 161), {"alpn_protocols": ["x-amzn-mqtt-ca"]}),
    "`sessions=store`: a ticket is asked for": ((177, 144), {"offer_tickets": True}),
    "`sessions=store`, and a session ID of 32 bytes is in it": ((209, 176), {"session": "id"}),
    "`sessions=store`, and a ticket of 176 bytes is in it": ((385, 321), {"session": "ticket"}),
    "`sessions=store, offer_tickets=False`": ((173, 140), {"offer_tickets": False}),
    "`max_fragment_length=1024`": ((178, 145), {"max_fragment_length": 1024}),
    "`record_size_limit=1024`": ((179, 146), {"record_size_limit": 1024}),
    "`request_ocsp=True`": ((182, 149), {"request_ocsp": True}),
    "`request_scts=True`": ((177, 144), {"request_scts": True}),
    "`verify=VerifyPolicy(raw_keys={host: key})`": ((180, 147), {"raw_key": True}),
    "`insecure_fallback_scsv=True`": ((175, 142), {"insecure_fallback_scsv": True}),
    "`groups=[NamedGroup.SECP256R1]`": ((169, 138), {"groups": [23]}),
}
"""What is set -> bytes of the ClientHello's record in both profiles."""

Cost = tuple[int, int]  # bytes sent, bytes received

HANDSHAKES: dict[str, tuple[tuple[Cost, Cost], int, dict[str, Any]]] = {
    "full": (((266, 972), (225, 964)), 4, {}),
    "full, session ID given": (((266, 1004), (225, 996)), 4, {"gives": "id"}),
    "full, ticket given": (((270, 1167), (229, 1159)), 4, {"gives": "ticket"}),
    "full, our certificate": (((652, 1006), (611, 998)), 4, {"device": True}),
    "full, `groups=[NamedGroup.SECP256R1]`": (((295, 1005), (256, 997)), 4, {"groups": [23]}),
    "full, raw public keys on both sides": (((455, 385), (414, 377)), 4, {"raw": True}),
    "full, `TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256`": (((245, 165), (234, 165)), 4, {"psk": 0xD001}),
    "full, `TLS_PSK_WITH_AES_128_GCM_SHA256`": (((194, 118), (194, 118)), 4, {"psk": 0x00A8}),
    "resumed by session ID": (((256, 141), (215, 133)), 3, {"by": "id"}),
    "resumed by ticket": (((436, 141), (364, 102)), 3, {"by": "ticket"}),
}
"""Handshake -> what it costs in both profiles, flights, and how it is made."""

RECORDS: dict[str, tuple[int, int]] = {
    "50 bytes of data": (79, 71),
    "close_notify": (31, 23),
}
"""What is in a record -> its bytes in both profiles."""


def test_chain_is_as_long_as_the_page_says() -> None:
    assert [len(each) for each in (*server_chain().chain, *device().chain)] == [382, 334, 297]


@pytest.mark.parametrize("profile", PROFILES)
def test_client_hello_holds_these_parts_and_no_others(provider: Any, profile: str) -> None:
    """Together they are all of it."""
    expected = {part: sizes[PROFILES.index(profile)] for part, sizes in HELLO_PARTS.items()}
    sent = first_flight(provider, profile)
    hello = wire.ClientHello(wire.split_records(sent)[0][0][2])
    assert len(hello.random) == 32
    found = {
        "record header, message header": 5 + 4,
        "version, random, empty session ID": 2 + 32 + 1 + len(hello.session_id),
        "cipher suites: 6; 2 and the signal for renegotiation": 2 + 2 * len(hello.suites),
        "compression methods, length of the extensions": 1 + len(hello.compression) + 2,
    }
    found |= {part: 4 + len(data) for part, number in EXTENSIONS.items() if (data := hello.get(number)) is not None}
    assert sum(found.values()) == len(sent)
    assert found | {"all": len(sent)} == {part: size for part, size in expected.items() if size}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("what", HELLOS)
def test_client_hello_is_this_long(provider: Any, what: str, profile: str) -> None:
    sizes, settings = HELLOS[what]
    if by := settings.get("session"):
        settings = settings | {"session": session_of(provider, profile, by)[0], "offer_tickets": True}
    if settings.get("raw_key"):
        settings = {"verify": VerifyPolicy(raw_keys={HOST: spki(server_chain())})}
    assert len(first_flight(provider, profile, **settings)) == sizes[PROFILES.index(profile)]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", HANDSHAKES)
def test_handshake_takes_this_many_bytes(provider: Any, name: str, profile: str) -> None:
    costs, flights, how = HANDSHAKES[name]
    assert measured(provider, profile, **how) == (*costs[PROFILES.index(profile)], flights)


GIVEN: dict[str, dict[str, Any]] = {"ticket": {"ticket": TICKET}, "id": {"hello": {"session_id": SESSION_ID}}}


def measured(
    provider: Any,
    profile: str,
    *,
    gives: str = "",
    by: str = "",
    device: bool = False,
    raw: bool = False,
    psk: int = 0,
    groups: Sequence[int] | None = None,
) -> tuple[int, int, int]:
    """Bytes sent, bytes received, flights."""
    settings: dict[str, Any] = {"groups": groups, "identity": identity(raw=raw) if device or raw else None}
    script: dict[str, Any] = {"request": device or raw} | GIVEN.get(gives, {})
    if raw:
        key = spki(server_chain())
        settings |= {"verify": VerifyPolicy(raw_keys={HOST: key}), "trust": TrustStore.empty()}
        script |= {"raw_key": key, "raw_client_key": True}
    if psk:
        settings |= {"trust": None, "psk": Psk("device-0001", KEY), "cipher_suites": [psk]}
        script["psk"] = KEY
    if by:
        settings["session"], script["known"] = session_of(provider, profile, by)
    link = served(provider, profile, script, offer_tickets="ticket" in (gives, by), **settings)
    assert isinstance(link.client, ClientConnection)
    assert link.client.info.session_resumed is bool(by)
    assert link.client.info.cipher_suite == (psk or (GCM if profile == "default" else CHACHA))
    return len(link.sent), len(link.served), link.client.info.flights


@pytest.mark.parametrize("profile", PROFILES)
def test_record_takes_this_many_bytes(provider: Any, profile: str) -> None:
    connection = served(provider, profile, {}).client
    assert isinstance(connection, ClientConnection)
    connection.send_data(DATA)
    found = {"50 bytes of data": len(connection.data_to_send())}
    connection.close()
    found["close_notify"] = len(connection.data_to_send())
    assert found == {what: sizes[PROFILES.index(profile)] for what, sizes in RECORDS.items()}


def test_nothing_is_ever_padded(provider: Any) -> None:
    """A ClientHello of 256 to 511 bytes is what others fill up to 512."""
    for length in range(1, 250, 5):
        names = ["x" * length]
        assert len(first_flight(provider, "default", alpn_protocols=names)) == 173 + 4 + 2 + 1 + length


# ---- the page --------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def of_both(first: str, sizes: dict[str, tuple[int, int]]) -> str:
    return table((first, "default", "cellular"), [(what, *pair) for what, pair in sizes.items()])


def handshakes() -> str:
    head = ("handshake", "flights", "default: sent", "received", "all", "cellular: sent", "received", "all")
    rows = [
        (name, flights, *(part for cost in costs for part in (*cost, sum(cost))))
        for name, (costs, flights, _) in HANDSHAKES.items()
    ]
    return table(head, rows)


@pytest.mark.parametrize(
    "expected",
    [
        of_both("part of the ClientHello", HELLO_PARTS),
        of_both("what is set", {what: sizes for what, (sizes, _) in HELLOS.items()}),
        handshakes(),
        of_both("record", RECORDS),
    ],
    ids=["parts", "hellos", "handshakes", "records"],
)
def test_page_shows_these_numbers(expected: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert expected in page, f"docs/bytes.md is stale; its table must be\n\n{expected}\n"
