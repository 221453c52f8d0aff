"""Our own side, read by the server: ClientHello, records, flights (CH, RI-01, EMS-01, SNI, ALPN-01, GRP, REC, HS)."""

from __future__ import annotations

import pytest

from hostile import certificates as pki
from hostile import keys, wire
from hostile.cases import Tolerated, both_splits, check_alive, client, lenient
from hostile.link import drive
from hostile.server import Server
from hostile.steps import data
from lighttls import ClientConnection, MemorySessionStore, errors

NOT_OFFERED = (1, 3, 4, 15, 17, 21, 22, 25, 27, 28, 41, 42, 43, 44, 45, 49, 51, 13172)  # CH-13 and TLS 1.3


def hello(provider, **settings) -> wire.ClientHello:
    """The ClientHello of a fresh connection, and the bytes that carried it."""
    connection = client(provider, **settings)
    connection.initiate_connection()
    found, rest = wire.split_records(connection.data_to_send())
    assert rest == b""
    assert [(kind, version) for kind, version, _ in found] == [(wire.HANDSHAKE, 0x0301)]  # REC-30
    return wire.ClientHello(found[0][2])


def test_client_hello_says_tls12_without_compression_or_session(provider):
    """CH-01, CH-03, CH-06."""
    first = hello(provider)
    assert (first.version, first.session_id, first.compression) == (0x0303, b"", b"\x00")


def test_client_hello_random_is_fresh_and_holds_no_clock(provider):
    """CH-02."""
    randoms = [hello(provider).random for _ in range(8)]
    assert len({random[:4] for random in randoms}) == 8
    assert len({random[-4:] for random in randoms}) == 8


def test_client_hello_offers_the_aead_suites_aes_128_first(provider):
    """CH-04, CH-05."""
    suites = hello(provider).suites
    assert suites[:2] == [0xC02B, 0xC02F]
    assert sorted(suites) == sorted(keys.SUITES)


def test_client_hello_offers_exactly_what_is_configured(provider):
    """CH-04, GRP-01, GRP-08: ours, in our order."""
    first = hello(provider, cipher_suites=(0xCCA9, 0xC030), groups=(24, 29), signature_schemes=(0x0806, 0x0503))
    assert first.suites == [0xCCA9, 0xC030]
    assert first.numbers(wire.SUPPORTED_GROUPS) == [24, 29]
    assert first.numbers(wire.SIGNATURE_ALGORITHMS) == [0x0806, 0x0503]


def test_client_hello_extensions_are_unique_known_and_end_with_a_body(provider):
    """CH-07, CH-08, CH-13."""
    first = hello(provider, alpn_protocols=("mqtt",))
    assert len(set(first.types)) == len(first.types)
    assert not set(first.types) & set(NOT_OFFERED)
    assert first.extensions[-1][1] != b""
    assert [hello(provider, alpn_protocols=("mqtt",)).types for _ in range(3)] == [first.types] * 3


def test_client_hello_has_no_grease_in_any_list(provider):
    """CH-12."""
    first = hello(provider, alpn_protocols=("mqtt",))
    lists = (first.suites, first.types, first.numbers(wire.SUPPORTED_GROUPS), first.numbers(wire.SIGNATURE_ALGORITHMS))
    grease = {0x0A0A + 0x1010 * step for step in range(16)}
    assert not grease & set().union(*lists)


def test_client_hello_fits_the_profile_for_small_devices_when_it_is_listed(provider):
    """PROF-02: what RFC 7925 wants of a device with a certificate."""
    profile = {
        "cipher_suites": (0xC0AE,),
        "groups": (wire.P256,),
        "signature_schemes": (0x0403,),
        "max_fragment_length": 1024,
        "sessions": MemorySessionStore(),
        "require_extended_master_secret": True,
    }
    first = hello(provider, **profile)
    assert first.suites == [0xC0AE]
    assert first.numbers(wire.SUPPORTED_GROUPS) == [wire.P256]
    assert first.numbers(wire.SIGNATURE_ALGORITHMS) == [0x0403]
    assert (first.get(wire.MAX_FRAGMENT_LENGTH), first.get(wire.SESSION_TICKET)) == (b"\x02", b"")
    assert first.get(wire.EXTENDED_MASTER_SECRET) == b""
    extra, ticket = [(wire.MAX_FRAGMENT_LENGTH, b"\x02")], b"of a device"
    link = drive(client(provider, **profile), Server(pki.leaf(), extra=extra, ticket=ticket, fragment=1024))
    check_alive(link)
    again = hello(provider, **profile)
    assert (again.get(wire.SESSION_TICKET), len(again.session_id)) == (ticket, 32)


def test_client_hello_signals_secure_renegotiation_in_one_way(provider):
    """RI-01."""
    first = hello(provider)
    assert (first.get(wire.RENEGOTIATION_INFO) == b"\x00") != (wire.SCSV in first.suites)


def test_client_hello_carries_no_fallback_signal(provider):
    """CH-11."""
    assert 0x5600 not in hello(provider).suites


def test_client_hello_signals_a_fallback_last_and_only_when_told_to(provider):
    """CH-11."""
    assert hello(provider, insecure_fallback_scsv=True).suites == [*hello(provider).suites, 0x5600]


def test_client_hello_offers_extended_master_secret(provider):
    """EMS-01."""
    assert hello(provider).get(wire.EXTENDED_MASTER_SECRET) == b""


def test_client_hello_lists_groups_and_point_format(provider):
    """GRP-01, GRP-02, GRP-03."""
    first = hello(provider)
    assert first.numbers(wire.SUPPORTED_GROUPS) == [wire.X25519, wire.P256, wire.P384]
    assert first.get(wire.EC_POINT_FORMATS) in (None, b"\x01\x00")


def test_client_hello_lists_no_weak_scheme(provider):
    """GRP-08, GRP-09, GRP-10, SKE-13: not for chains either, even if SHA-1 is allowed below the anchor."""
    first = hello(provider, **lenient(sha1=True))
    assert 50 not in first.types
    schemes = first.numbers(wire.SIGNATURE_ALGORITHMS)
    assert {0x0403, 0x0503, 0x0401, 0x0804} <= set(schemes)
    assert not [scheme for scheme in schemes if scheme >> 8 in (1, 2, 3) or scheme & 0xFF in (0, 2)]


@pytest.mark.parametrize("scheme", [0x0807, 0x0808, 0x0809, 0x0203])
def test_scheme_that_nobody_here_verifies_cannot_be_offered(provider, scheme):
    """GRP-11, GRP-12: Ed25519 is in no engine."""
    with pytest.raises(errors.ConfigurationError, match="signature_schemes"):
        client(provider, signature_schemes=(0x0403, scheme))


@pytest.mark.parametrize(
    ("host", "name"), [("device.example", b"device.example"), ("device.example.", b"device.example"), ("a", b"a")]
)
def test_client_hello_names_the_host(provider, host, name):
    """SNI-01, PROF-01."""
    assert hello(provider, host=host).get(wire.SERVER_NAME) == wire.vec16(b"\x00" + wire.vec16(name))


def test_one_configuration_tells_hosts_apart_however_many_it_meets(provider):
    """SNI-01, SNI-04, RESUME-01: more than it remembers, and the first one again; each session stays with its host."""
    store = MemorySessionStore()
    config = client(provider, sessions=store)._client.config
    check_alive(drive(ClientConnection(config, pki.HOST), Server(pki.leaf(), ticket=b"for the first")))

    def said(host: str) -> tuple[bytes | None, bytes | None]:
        connection = ClientConnection(config, host)
        connection.initiate_connection()
        first = wire.ClientHello(connection.data_to_send()[5:])
        return first.get(wire.SERVER_NAME), first.get(wire.SESSION_TICKET)

    for host in [f"host-{number}.example" for number in range(150)]:
        assert said(host) == (wire.vec16(b"\x00" + wire.vec16(host.encode())), b"")
    assert said(pki.HOST) == (wire.vec16(b"\x00" + wire.vec16(pki.HOST.encode())), b"for the first")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "[2001:db8::1]", "::1"])
def test_client_hello_never_names_an_address(provider, host):
    """SNI-02."""
    assert hello(provider, host=host).get(wire.SERVER_NAME) is None


@pytest.mark.parametrize(
    "host", ["", ".", "a..b", ".a", "a" * 64, ".".join(["a" * 60] * 5), "a b", "a\x00b", "bücher.example", "*.example"]
)
def test_impossible_host_name_fails_before_any_byte(provider, host):
    """SNI-03."""
    with pytest.raises(errors.LightTLSError):
        client(provider, host=host).initiate_connection()


def test_client_hello_lists_protocols_in_order_and_only_if_there_are_any(provider):
    """ALPN-01, PROF-01."""
    assert hello(provider, alpn_protocols=("x-amzn-mqtt-ca", "h2")).alpn == [b"x-amzn-mqtt-ca", b"h2"]
    assert hello(provider).get(wire.ALPN) is None
    for bad in ("", "n" * 256):
        with pytest.raises(errors.ConfigurationError):
            client(provider, alpn_protocols=(bad,))


@pytest.mark.parametrize("suite", [0xC02B, 0xC02C, 0xCCA9])
def test_client_flight_is_coalesced_and_versions_are_right(provider, suite):
    """HS-13, REC-28, REC-30, CCS-10, FIN-06, CAUTH-02: ClientKeyExchange; ChangeCipherSpec; Finished under new keys."""
    link = Tolerated("HS-13", "", suite=suite).check(provider, None)
    records = link.server.client_records
    assert [kind for kind, _, _ in records] == [
        wire.HANDSHAKE,
        wire.HANDSHAKE,
        wire.CHANGE_CIPHER_SPEC,
        wire.HANDSHAKE,
        wire.APPLICATION_DATA,
    ]
    assert [version for _, version, _ in records] == [0x0301, 0x0303, 0x0303, 0x0303, 0x0303]
    assert all(plaintext for _, _, plaintext in records)
    assert [message[0] for message in link.server.client_messages] == [
        wire.CLIENT_HELLO,
        wire.CLIENT_KEY_EXCHANGE,
        wire.FINISHED,
    ]


def test_client_flight_leaves_in_one_piece(provider):
    """HS-13: one `data_to_send` for each flight, and `max_bytes` only cuts."""
    whole, cut = client(provider), client(provider)
    whole.initiate_connection()
    cut.initiate_connection()
    for connection, limit in ((whole, None), (cut, 7)):
        server = Server(pki.leaf())
        server.receive(connection.data_to_send())
        connection.receive_data(server.take())
        pieces = []
        while out := connection.data_to_send(limit):
            pieces.append(out)
        assert len(pieces) == 1 if limit is None else all(len(piece) <= 7 for piece in pieces)
        server.receive(b"".join(pieces))
        connection.receive_data(server.take())
        assert connection.is_established


@pytest.mark.parametrize("group", keys.GROUPS)
def test_client_point_has_the_form_of_its_group(provider, group):
    """CAUTH-14."""
    point = Tolerated("CAUTH-14", "", group=group).check(provider, None).server.client_point
    assert (len(point), point[:1] == b"\x04" or group == wire.X25519) == ({29: 32, 23: 65, 24: 97}[group], True)


@pytest.mark.parametrize("suite", [0xC02B, 0xCCA9])
def test_long_data_is_cut_into_legal_records(provider, suite):
    """REC-27, REC-29."""
    connection = client(provider)
    link = drive(connection, Server(pki.leaf(), suite=suite, echo=False))
    sent = bytes(range(256)) * 200
    connection.send_data(sent)
    connection.send_data(memoryview(b"tail"))
    link.run()
    sizes = [len(plaintext) for kind, _, plaintext in link.server.client_records if kind == wire.APPLICATION_DATA]
    assert sizes == [1 << 14, 1 << 14, 1 << 14, len(sent) - 3 * (1 << 14), 4]
    assert link.server.received == sent + b"tail"


def test_gcm_nonces_are_the_sequence_number_and_never_repeat(provider):
    """REC-25, REC-31."""
    connection = client(provider)
    link = drive(connection, Server(pki.leaf(), suite=0xC02B, echo=False))
    for _ in range(5):
        connection.send_data(b"x")
    link.run()
    found, _ = wire.split_records(link.sent)
    protected = found[[kind for kind, _, _ in found].index(wire.CHANGE_CIPHER_SPEC) + 1 :]
    assert [fragment[:8] for _, _, fragment in protected] == [number.to_bytes(8, "big") for number in range(6)]


def test_chacha_records_carry_no_nonce(provider):
    """REC-33: 16 bytes of tag are all that is added."""
    connection = client(provider)
    link = drive(connection, Server(pki.leaf(), suite=0xCCA9, echo=False))
    connection.send_data(b"x" * 100)
    link.run()
    assert len(wire.split_records(link.sent)[0][-1][2]) == 116


def test_data_cannot_be_sent_before_the_handshake_is_complete(provider):
    """FIN-07."""
    connection = client(provider)
    for prepare in (lambda: None, connection.initiate_connection):
        prepare()
        assert not connection.can_send_data
        with pytest.raises(errors.UsageError):
            connection.send_data(b"early")
    assert drive_started(connection).completed


def drive_started(connection):
    """Go on with a connection whose ClientHello is out already; a usage error must not have hurt it."""

    class Started:
        initiate_connection = staticmethod(lambda: [])
        receive_data = staticmethod(connection.receive_data)
        data_to_send = staticmethod(connection.data_to_send)

    return drive(Started(), Server(pki.leaf()))


@both_splits
def test_empty_input_changes_nothing(provider, split):
    connection = client(provider)
    assert connection.receive_data(b"") == [] if connection.initiate_connection() == [] else False
    link = drive_started(connection)
    assert link.client.receive_data(b"") == []
    assert link.completed


def test_key_log_gets_the_master_secret_and_is_silent_by_default(provider):
    """PROF-06: one line in NSS format that opens the traffic."""
    lines: list[str] = []
    link = drive(client(provider, key_log=lines.append), Server(pki.leaf(), tail=[data(b"x")]))
    assert link.server.client_hello is not None
    expected = f"CLIENT_RANDOM {link.server.client_hello.random.hex()} {link.server.master.hex()}"
    assert [line.strip() for line in lines] == [expected]
