"""Pre-shared keys, plain and with ECDHE: what a server may say in between, and what comes of a wrong key (PSK)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hostile import certificates as pki
from hostile import keys, wire
from hostile.cases import Refused, Tolerated, both_splits, check_alive, check_refusal, client
from hostile.link import drive
from hostile.server import FIRST_WITH_PSK, FIRST_WITHOUT_HINT, Server
from hostile.steps import alert, message
from hostile.test_key_exchange import NIST, SMALL_ORDER, compressed, good_point, moved_off_curve
from lighttls import (
    Alert,
    ConfigurationError,
    HandshakeFailure,
    PeerAlert,
    Psk,
    PskRequest,
    UsageError,
    VerifyPolicy,
    explain,
)

KEY = bytes(range(64, 96))
IDENTITY = "Gerät 7"
PLAIN, ECDHE = 0x00A8, 0xD001
SHARED = Psk(IDENTITY, KEY)
FORBIDDEN = {42, 43, 44, 45, 46, 48, 49}  # RFC 7925 §6: they speak of certificates


def psk(*suites: int, key: Any = SHARED, **settings: Any) -> dict[str, Any]:
    """Settings of a client that has a key for these suites and trusts no certificate."""
    return {"trust": None, "psk": key, "cipher_suites": suites, **settings}


class RefusedPsk(Refused):
    def __init__(self, rule: str, what: str, alert: int, suite: int, **fields: Any) -> None:
        settings = psk(suite, **fields.pop("settings", {}))
        super().__init__(rule, f"{what} {suite:04x}", alert, settings=settings, psk=KEY, **fields)


def asked(requests: list[PskRequest], answer: Psk | None = SHARED) -> Any:
    """A selector that keeps what it was asked."""

    def choose(request: PskRequest) -> Psk | None:
        requests.append(request)
        return answer

    return choose


# --- what works -------------------------------------------------------------------------------------


@both_splits
@pytest.mark.parametrize("ems", [True, False], ids=["ems", "no-ems"])
@pytest.mark.parametrize("suite", keys.PSK_SUITES.values(), ids=lambda suite: suite.name)
def test_every_suite_with_a_pre_shared_key_connects(suite, ems, provider, split):
    """PSK-02, PSK-05, PSK-12: the identity in UTF-8, and no group is no forward secrecy."""
    server = Server(pki.leaf(), psk=KEY, extended_master_secret=ems)
    link = drive(client(provider, **psk(suite.code)), server, split)
    check_alive(link)
    assert server.client_identity == "Gerät 7".encode()
    assert [each[0] for each in server.client_messages] == [
        wire.CLIENT_HELLO,
        wire.CLIENT_KEY_EXCHANGE,
        wire.FINISHED,
    ]
    info = link.client.info
    assert (info.cipher_suite, info.psk_identity) == (suite.code, server.client_identity)
    assert info.group == (server.group if suite.key_type == "ecdhe-psk" else None)
    assert (info.peer_chain, info.verified_path, info.trust_anchor) == ((), None, None)
    assert (info.peer_signature_scheme, info.client_signature_scheme) == (None, None)
    assert (info.session_resumed, info.client_certificate_sent, info.time_checked) == (False, False, True)


@pytest.mark.parametrize("group", keys.GROUPS)
def test_ephemeral_key_is_fresh_on_every_group(provider, group):
    """SKE-29, PSK-08."""
    settings = psk(ECDHE)
    servers = [Server(pki.leaf(), psk=KEY, group=group) for _ in range(2)]
    links = [drive(client(provider, **settings), server) for server in servers]
    for link in links:
        check_alive(link)
        assert link.client.info.group == group
    assert servers[0].client_point != servers[1].client_point


@both_splits
@pytest.mark.parametrize("hint", [None, b"", b"ask for the devices' key", b"\xff" * 128, bytes(129), bytes(65_000)])
def test_hint_is_ignored_where_there_is_one_key(provider, split, hint):
    """PSK-04, PSK-05: however long."""
    link = Tolerated("PSK-04", "", settings=psk(PLAIN), psk=KEY, hint=hint).check(provider, split)
    assert link.server.client_identity == IDENTITY.encode()


@pytest.mark.parametrize(
    ("suite", "sent", "read"),
    [
        (PLAIN, None, None),
        (PLAIN, b"", b""),
        (PLAIN, b"plant\x00\xff", b"plant\x00\xff"),
        (PLAIN, b"h" * 128, b"h" * 128),
        (ECDHE, None, b""),
        (ECDHE, b"h" * 128, b"h" * 128),
    ],
)
def test_selector_is_asked_once_with_the_hint_as_sent(provider, suite, sent, read):
    """PSK-04."""
    requests: list[PskRequest] = []
    settings = psk(suite, key=asked(requests, Psk(b"\x00\xff", KEY)))
    link = Tolerated("PSK-04", "", settings=settings, psk=KEY, hint=sent).check(provider, None)
    assert requests == [PskRequest(pki.HOST, suite, read)]
    assert link.server.client_identity == link.client.info.psk_identity == b"\x00\xff"


@pytest.mark.parametrize("identity", [b"", b"i" * 128, b"i" * 65_535], ids=len)
def test_identity_of_any_length_is_sent(provider, identity):
    """PSK-02, HS-14: the longest message takes several records."""
    settings = psk(ECDHE, key=Psk(identity, KEY))
    link = Tolerated("PSK-02", "", settings=settings, psk=KEY).check(provider, None)
    assert link.server.client_identity == identity


@pytest.mark.parametrize("size", [16, 24, 64, 128])
@pytest.mark.parametrize("suite", [PLAIN, ECDHE])
def test_key_of_any_length_is_used(provider, suite, size):
    """PSK-03."""
    key = bytes(range(size))
    Tolerated("PSK-03", "", settings=psk(suite, key=Psk("i", key)), psk=key).check(provider, None)


def test_server_chooses_between_certificate_and_key(provider):
    """PSK-01, SH-19: a client that has both offers both."""
    settings = {"psk": SHARED, "cipher_suites": (ECDHE, 0xC02B)}
    link = Tolerated("SH-19", "certificate", settings=settings).check(provider, None)
    assert (link.client.info.psk_identity, link.client.info.verified_path is None) == (None, False)
    link = Tolerated("SH-19", "key", settings=settings, psk=KEY).check(provider, None)
    assert (link.client.info.psk_identity, link.client.info.verified_path) == (IDENTITY.encode(), None)


# --- what is refused ----------------------------------------------------------------------------------

STATUS = message(wire.certificate_status(b"\x30\x03\x0a\x01\x03"))
NOT_WITH_A_KEY: dict[str, Any] = {
    "Certificate": "certificate",
    "CertificateStatus": STATUS,
    "CertificateRequest": "certificate_request",
}
NOT_NOW: dict[str, Any] = {
    "NewSessionTicket": "new_session_ticket",
    "ServerHello": "server_hello",
    "ChangeCipherSpec": "change_cipher_spec",
    "Finished": "finished",
}


def refused_orders() -> list[Refused]:
    found: list[Refused] = []
    for suite in (PLAIN, ECDHE):
        for name, step in (NOT_WITH_A_KEY | NOT_NOW).items():
            rules = {"Certificate": ("PSK-09",), "CertificateStatus": ("PSK-09",), "CertificateRequest": ("CR-01",)}
            for place, rule in ((1, "SEQ-08" if suite == PLAIN else "SEQ-09"), (2, "SEQ-10")):
                first: Sequence[Any] = [*FIRST_WITH_PSK[:place], step, *FIRST_WITH_PSK[place:]]
                found += [
                    RefusedPsk(each, f"{name} at {place}", wire.UNEXPECTED_MESSAGE, suite, first=first)
                    for each in (rule, *rules.get(name, ()))
                ]
    twice = [*FIRST_WITH_PSK[:2], "server_key_exchange", "server_hello_done"]
    return [
        *found,
        *(RefusedPsk("SEQ-10", "twice", wire.UNEXPECTED_MESSAGE, suite, first=twice) for suite in (PLAIN, ECDHE)),
        RefusedPsk("SKE-01", "left out", wire.UNEXPECTED_MESSAGE, ECDHE, first=FIRST_WITHOUT_HINT),
        RefusedPsk("SEQ-09", "done at once", wire.UNEXPECTED_MESSAGE, ECDHE, first=FIRST_WITHOUT_HINT),
        # Under a suite with a certificate that has to come, whatever keys the client has too.
        Refused(
            "SEQ-02",
            "hint under a certificate suite",
            wire.UNEXPECTED_MESSAGE,
            settings={"psk": SHARED, "cipher_suites": (PLAIN, 0xC02B)},
            first=["server_hello", message(wire.handshake(wire.SERVER_KEY_EXCHANGE, b"\x00\x00"))],
        ),
    ]


def body(suite: int, what: str, content: bytes) -> Refused:
    rule = "PSK-06" if suite == PLAIN else "PSK-07"
    edit = {"server_key_exchange": lambda _: wire.handshake(wire.SERVER_KEY_EXCHANGE, content)}
    return RefusedPsk(rule, what, wire.DECODE_ERROR, suite, hint=b"", edit=edit)


PARAMS = wire.ecdh_params(29, good_point(29))
SIGNATURE = wire.u16(0x0403) + wire.vec16(bytes(70))


def refuse_params(rule: str, what: str, **ske: Any) -> Refused:
    fields = {"group": ske.pop("choice")} if "choice" in ske else {}
    return RefusedPsk(rule, what, wire.ILLEGAL_PARAMETER, ECDHE, ske=ske, **fields)


def refuse_point(rule: str, what: str, group: int, point: bytes) -> list[Refused]:
    """Both as a rule of pre-shared keys and as the one for any point."""
    return [refuse_params(each, f"{what} on {group}", choice=group, point=point) for each in ("PSK-08", rule)]


BODIES = [
    *(body(PLAIN, what, content) for what, content in {
        "empty": b"",
        "half a length": b"\x00",
        "hint overruns": b"\x00\x02h",
        "byte after no hint": b"\x00\x00\x00",
        "byte after the hint": b"\x00\x01hh",
        "parameters after the hint": b"\x00\x00" + PARAMS,
    }.items()),
    *(body(ECDHE, what, content) for what, content in {
        "empty": b"",
        "half a length": b"\x00",
        "hint overruns": wire.vec16(b"", 0xFFFF) + PARAMS,
        "hint alone": b"\x00\x00",
        "hint alone with text": b"\x00\x01h",
        "no point": b"\x00\x00" + PARAMS[:3],
        "empty point": b"\x00\x00" + PARAMS[:3] + b"\x00",
        "point overruns": b"\x00\x00" + PARAMS[:-1],
        "byte after the point": b"\x00\x00" + PARAMS + b"\x00",
        "signature after the point": b"\x00\x00" + PARAMS + SIGNATURE,
    }.items()),
]  # fmt: skip

PARAMETERS = [
    *(refuse_params("PSK-08", f"curve type {kind}", curve_type=kind) for kind in (0, 1, 2, 4, 255)),
    *(refuse_params("PSK-08", f"group {group}", group=group) for group in (0, 25, 30, 256, 4588, 0x0A0A)),
    RefusedPsk("PSK-08", "not offered", wire.ILLEGAL_PARAMETER, ECDHE, settings={"groups": (29,)}, group=23),
    *(each for group in NIST for each in refuse_point("SKE-05", "compressed", group, compressed(group))),
    *(each for group in NIST for each in refuse_point("SKE-06", "too long", group, good_point(group) + b"\x00")),
    *(each for group in NIST for each in refuse_point("SKE-08", "off the curve", group, moved_off_curve(group))),
    *(each for size in (31, 33) for each in refuse_point("SKE-09", f"{size} bytes", 29, b"\x09" * size)),
    *(each for i, point in enumerate(SMALL_ORDER) for each in refuse_point("SKE-10", f"order {i}", 29, point)),
]

BOTH = {"psk": SHARED, "cipher_suites": (PLAIN, ECDHE, 0xC02B), "request_ocsp": True, "request_scts": True}
HELLOS = [
    Refused("SH-06", "suite with a key we do not have", wire.ILLEGAL_PARAMETER, hello={"suite": ECDHE}),
    Refused("SH-06", "plain for ecdhe", wire.ILLEGAL_PARAMETER, settings=psk(ECDHE), psk=KEY, hello={"suite": PLAIN}),
    *(
        Refused(
            "OCSP-03",
            f"status announced {suite:04x}",
            wire.ILLEGAL_PARAMETER,
            settings=BOTH,
            psk=KEY,
            suite=suite,
            extra=[(wire.STATUS_REQUEST, b"")],
        )
        for suite in (PLAIN, ECDHE)
    ),
    *(
        RefusedPsk(
            "SH-14",
            f"extension {number}",
            wire.UNSUPPORTED_EXTENSION,
            ECDHE,
            settings={"request_ocsp": True, "request_scts": True},
            extra=[(number, b"")],
        )
        for number in (wire.STATUS_REQUEST, wire.SIGNED_CERTIFICATE_TIMESTAMP)
    ),
    Refused(
        "GRP-05",
        "no usable points",
        wire.ILLEGAL_PARAMETER,
        settings=BOTH,
        psk=KEY,
        suite=ECDHE,
        extra=[(wire.EC_POINT_FORMATS, b"\x01\x01")],
    ),
    Refused(
        "GRP-04",
        "no list of points",
        wire.DECODE_ERROR,
        settings=BOTH,
        psk=KEY,
        suite=PLAIN,
        extra=[(wire.EC_POINT_FORMATS, b"\x00")],
    ),
]


def choosing(answer: Any) -> dict[str, Any]:
    return {"key": lambda request: answer}


CHOICES = [
    *(
        Refused(
            "PSK-10",
            f"hint of {size} {suite:04x}",
            wire.HANDSHAKE_FAILURE,
            settings=psk(suite, **choosing(SHARED)),
            psk=KEY,
            hint=b"h" * size,
        )
        for suite in (PLAIN, ECDHE)
        for size in (129, 65_000)
    ),
    *(
        Refused(
            "PSK-01",
            f"no key for this server {suite:04x}",
            wire.HANDSHAKE_FAILURE,
            settings=psk(suite, **choosing(None)),
            psk=KEY,
        )
        for suite in (PLAIN, ECDHE)
    ),
    *(
        Refused(
            "PSK-01",
            f"selector gives {type(answer).__name__}",
            wire.INTERNAL_ERROR,
            error=ConfigurationError,
            settings=psk(PLAIN, **choosing(answer)),
            psk=KEY,
        )
        for answer in (("i", KEY), KEY, 1)
    ),
    Refused(
        "PSK-03",
        "key too weak for the suite",
        wire.INTERNAL_ERROR,
        error=ConfigurationError,
        settings=psk(0xD002, **choosing(Psk("i", bytes(23)))),
        psk=bytes(23),
    ),
]

REFUSED = [*refused_orders(), *BODIES, *PARAMETERS, *HELLOS, *CHOICES]


@both_splits
@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_wrong_word_under_a_pre_shared_key_is_refused(case, provider, split):
    """ALERT-17: and no alert that speaks of certificates. CERT-25: nothing was sent but the ClientHello."""
    link = case.check(provider, split)
    assert not {description for _, description in link.server.alerts} & FORBIDDEN
    assert [each[0] for each in link.server.client_messages] == [wire.CLIENT_HELLO]


@both_splits
@pytest.mark.parametrize("formats", [b"\x01\x01", b"\x02\x02\x01"])
def test_point_formats_mean_nothing_where_no_point_is_exchanged(provider, split, formats):
    """GRP-07."""
    extra = [(wire.EC_POINT_FORMATS, formats)]
    Tolerated("GRP-07", "", settings=BOTH, psk=KEY, suite=PLAIN, extra=extra).check(provider, split)


@both_splits
@pytest.mark.parametrize("suite", [PLAIN, 0xCCAB, ECDHE, 0xD003])
def test_server_without_the_key_cannot_make_a_record(provider, suite, split):
    """PSK-11: it has read our flight by chance, which is more than it could."""
    without = wire.vec16(bytes(32)) + wire.vec16(bytes(32))

    def guessed(server: Server) -> bytes:
        assert server.client_hello is not None
        return keys.master_secret(server.suite.hash, without, server.client_hello.random, server.random)

    RefusedPsk("PSK-11", "", wire.BAD_RECORD_MAC, suite, wrong_write_master=guessed).check(provider, split)


@both_splits
@pytest.mark.parametrize("suite", [PLAIN, ECDHE])
@pytest.mark.parametrize(
    ("alert", "script"),
    [
        (wire.UNEXPECTED_MESSAGE, {"first": [lambda server: wire.record(wire.HANDSHAKE, server.client_hello.raw)]}),
        (wire.UNEXPECTED_MESSAGE, {"second": [lambda server: wire.record(wire.HANDSHAKE, server.client_messages[1])]}),
        (wire.BAD_RECORD_MAC, {"second": ["change_cipher_spec", lambda server: server.finished_record]}),
    ],
    ids=["ClientHello", "ClientKeyExchange", "Finished"],
)
def test_our_own_words_sent_back_prove_nothing(alert, script, suite, provider, split):
    """PSK-13, FIN-04: a mirror has no key."""
    RefusedPsk("PSK-13", "", alert, suite, **script).check(provider, split)


def test_failing_selector_is_our_own_error_and_what_it_said_is_not_repeated(provider):
    """PROF-05: it may have said the key."""

    def choose(request: PskRequest) -> Psk:
        raise KeyError(KEY.hex())

    link = drive(client(provider, **psk(PLAIN, key=choose)), Server(pki.leaf(), psk=KEY))
    check_refusal(link, wire.INTERNAL_ERROR, ConfigurationError)
    assert "KeyError" in str(link.error)
    assert KEY.hex() not in repr(link.error) + str(link.error.__cause__)


def test_bad_key_of_a_selector_says_what_is_wrong_with_it(provider):
    link = drive(client(provider, **psk(PLAIN, key=lambda _: Psk("i", b"short"))), Server(pki.leaf(), psk=KEY))
    check_refusal(link, wire.INTERNAL_ERROR, ConfigurationError)
    assert "5 bytes" in str(link.error)


def test_missing_key_is_explained(provider):
    link = drive(client(provider, **psk(PLAIN, key=lambda _: None)), Server(pki.leaf(), psk=KEY))
    assert isinstance(link.error, HandshakeFailure)
    assert "Add a pre-shared key" in explain(link.error)


@pytest.mark.parametrize(
    ("description", "advice"),
    [
        (Alert.UNKNOWN_PSK_IDENTITY, "does not know our PSK identity"),
        (Alert.DECRYPT_ERROR, "refused our pre-shared key"),
        (Alert.BAD_RECORD_MAC, "refused our pre-shared key"),
        (Alert.HANDSHAKE_FAILURE, "refused our pre-shared key"),
    ],
)
@pytest.mark.parametrize("ticket", [None, b"ticket"])
def test_servers_refusal_of_the_key_is_explained(provider, description, advice, ticket):
    """ALERT-18: RFC 4279 §2 lets a server hide behind decrypt_error that it does not know an identity."""
    script = {"second": [alert(wire.FATAL, description)], "psk": KEY, "ticket": ticket}
    link = drive(client(provider, **psk(PLAIN, offer_tickets=True)), Server(pki.leaf(), **script))
    assert isinstance(link.error, PeerAlert)
    assert advice in explain(link.error)


def test_same_alerts_mean_something_else_before_our_flight_and_without_a_key(provider):
    """ALERT-18."""
    early = drive(client(provider, **psk(PLAIN)), Server(pki.leaf(), psk=KEY, first=[alert(wire.FATAL, 40)]))
    other = drive(client(provider), Server(pki.leaf(), second=[alert(wire.FATAL, 40)]))
    for link in (early, other):
        assert isinstance(link.error, PeerAlert)
        assert "pre-shared" not in explain(link.error)


# --- what a pre-shared key has no part in ----------------------------------------------------------------


@pytest.mark.parametrize("suite", [PLAIN, ECDHE])
def test_no_data_leaves_before_the_servers_finished(provider, suite):
    """FS-03: False Start is never done with PSK, however often a handshake was completed."""
    connections = client(provider, **psk(suite, false_start=True))
    for _ in range(2):
        link = drive(type(connections)(connections._client.config, pki.HOST), Server(pki.leaf(), psk=KEY))
        check_alive(link)
    waiting = drive(
        type(connections)(connections._client.config, pki.HOST), Server(pki.leaf(), psk=KEY, second=[])
    ).client
    assert not waiting.can_send_data
    with pytest.raises(UsageError):
        waiting.send_data(b"early")


@pytest.mark.parametrize("suite", [PLAIN, ECDHE])
def test_bindings_to_a_certificate_do_not_exist_and_others_do(provider, suite):
    """EXP-05, EXP-04, EXP-01."""
    link = Tolerated("EXP-05", "", settings=psk(suite), psk=KEY).check(provider, None)
    with pytest.raises(UsageError, match="nor without one"):
        link.client.channel_binding("tls-server-end-point")
    assert link.client.channel_binding("tls-unique") == link.server.client_finished
    server = link.server
    expected = keys.prf(server.suite.hash, server.master, b"x", server.client_hello.random + server.random, 32)
    assert link.client.export_keying_material("x", None, 32) == expected


@pytest.mark.parametrize(
    ("suites", "expected"),
    [
        ((PLAIN,), [23, 0xFF01, 0]),
        ((ECDHE,), [23, 0xFF01, 0, 10, 11]),
        ((PLAIN, ECDHE), [23, 0xFF01, 0, 10, 11]),
    ],
)
def test_client_hello_asks_for_nothing_that_only_a_certificate_needs(provider, suites, expected):
    """GRP-01, GRP-08, PSK-01: no groups without ECDHE, no schemes, stapled responses, timestamps or raw keys either."""
    server = Server(pki.leaf(), psk=KEY)
    raw_keys = VerifyPolicy(raw_keys={pki.HOST: pki.spki("p256/other")})
    check_alive(drive(client(provider, **psk(*suites, request_ocsp=True, request_scts=True, verify=raw_keys)), server))
    assert server.client_hello is not None
    assert server.client_hello.types == expected
    assert server.client_hello.suites == list(suites)


def test_last_extension_has_a_body_where_only_a_ticket_is_asked_for(provider):
    """CH-08: no groups, schemes or name follow it then."""
    connection = client(provider, host="192.0.2.1", **psk(PLAIN, offer_tickets=True))
    connection.initiate_connection()
    hello = wire.ClientHello(connection.data_to_send()[5:])
    assert set(hello.types) == {23, 35, 0xFF01}
    assert hello.extensions[-1][1] != b""
