"""Handlers called directly: what they want done, in which order, and that they want nothing when they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from lighttls import (
    CipherSuite,
    ClientConfig,
    DataReceived,
    DecryptError,
    Identity,
    Psk,
    SignatureRequested,
    TrustStore,
)
from lighttls.crypto import SUITES
from lighttls.errors import SignerError
from lighttls.handshake import (
    Action,
    ApplicationData,
    ChangeCipherSpec,
    Client,
    Complete,
    Connected,
    Emit,
    Output,
    ReadWith,
    Refuse,
    SignatureReady,
    Transcript,
    WaitSignature,
    WriteWith,
    send_client_hello,
)
from lighttls.handshake.on_certificate_request import on_certificate_request
from lighttls.handshake.on_finished import (
    on_application_data,
    on_change_cipher_spec,
    on_finished,
    refuse_renegotiation,
)
from lighttls.handshake.on_server_hello_done import (
    on_server_hello_done,
    on_server_hello_done_with_auth,
    on_signature_ready,
)
from lighttls.handshake.states import (
    Agreed,
    ClientAuth,
    FinishedVerified,
    FullHandshake,
    KeyExchangeVerified,
    WaitChangeCipherSpec,
    WaitFinished,
    WaitRequestOrDone,
    WaitServerHelloDone,
)
from lighttls.iana import ExtensionType, SignatureScheme
from lighttls.keys import SignatureRequest
from lighttls.messages import (
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    ClientKeyExchange,
    Finished,
    HelloRequest,
    ServerHelloDone,
)
from lighttls.x509 import reference_name
from support import handshakes, inside, pki
from support.handshakes import CLIENT_RANDOM, SERVER_RANDOM

SUITE = SUITES[CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]
OUR_POINT = b"\3" * 32
SECRET = b"\4" * 32

ECDSA_SHA256 = SignatureScheme.ECDSA_SECP256R1_SHA256

PEER: Any = None  # handlers behind the certificate look at it no more


def client(provider: Any, host: str = "localhost", **settings: Any) -> Client:
    config = ClientConfig(**{"trust": TrustStore.empty(), "provider": provider} | settings)
    return Client(config, provider, reference_name(host))


def output(provider: Any) -> Output:
    out = Output(Transcript(provider))
    out.transcript.add(b"what went before")
    return out


def agreed(provider: Any, extended: bool = True, ticket_announced: bool = False, **settings: Any) -> Agreed:
    return handshakes.agreed(client(provider, **settings), SUITE, extended, ticket_announced)


def exchange(provider: Any) -> KeyExchangeVerified:
    secret = provider.premaster(bytearray(SECRET))
    return KeyExchangeVerified(29, ECDSA_SHA256, OUR_POINT, secret)  # type: ignore[arg-type]


def full(provider: Any) -> FullHandshake:
    return FullHandshake(PEER, exchange(provider), None)


def shapes(actions: list[Action]) -> list[type]:
    """What is wanted, messages by their own type."""
    return [action[0] if isinstance(action, tuple) else type(action) for action in actions]


def sent(action: Action) -> Any:
    """The message that is to be sent."""
    assert isinstance(action, tuple)
    kind, encoded = action
    return kind.parse(encoded[4:])


# ---- ClientHello -------------------------------------------------------------------------------


def sent_hello(provider: Any, host: str = "localhost", **settings: Any) -> tuple[ClientHello, Any, Output]:
    out = Output(Transcript(provider))
    state = send_client_hello(out, client(provider, host, **settings))
    (action,) = out.actions
    hello = sent(action)
    assert isinstance(hello, ClientHello)
    return hello, state, out


def test_hello_offers_what_is_configured(provider: Any) -> None:
    """CH-01 to CH-06."""
    hello, state, out = sent_hello(provider, insecure_entropy=lambda count: b"\x2a" * count)
    assert hello.client_version == 0x0303
    assert hello.random == state.offer.random == b"\x2a" * 32
    assert hello.session_id == b""
    assert hello.cipher_suites == state.offer.client.config.cipher_suites
    assert hello.compression_methods == b"\0"
    assert out.transcript.raw() == hello.encode()


def test_fallback_signal_is_the_last_suite_and_no_choice(provider: Any) -> None:
    """CH-11."""
    hello, state, _ = sent_hello(provider, insecure_fallback_scsv=True)
    assert hello.cipher_suites == (*state.offer.client.config.cipher_suites, 0x5600)
    assert 0x5600 not in state.offer.client.config.cipher_suites


def test_cellular_hello_signals_renegotiation_by_a_suite_and_says_nothing_of_point_formats(provider: Any) -> None:
    """RI-01, RI-06, GRP-03, CH-11."""
    hello, state, _ = sent_hello(provider, profile="cellular", insecure_fallback_scsv=True)
    assert hello.cipher_suites == (*state.offer.client.config.cipher_suites, 0x00FF, 0x5600)
    assert hello.extensions is not None
    assert [extension.extension_type for extension in hello.extensions] == [23, 0, 10, 13]
    assert 0xFF01 in state.offer.extension_types
    assert 11 not in state.offer.extension_types


@pytest.mark.parametrize("host", ["a.example", "192.0.2.1"])
@pytest.mark.parametrize(("suite", "expected"), [(0x00A8, [23, 0xFF01]), (0xD001, [23, 10])])
def test_cellular_hello_for_a_pre_shared_key_ends_with_an_extension_that_has_a_body(
    provider: Any, host: str, suite: int, expected: list[int]
) -> None:
    """CH-08, RI-01: without a name, a group or a scheme only renegotiation_info has one."""
    settings = {"trust": None, "psk": Psk("device", bytes(range(16))), "cipher_suites": [suite], "profile": "cellular"}
    hello, _, _ = sent_hello(provider, host, **settings)
    types = [extension.extension_type for extension in hello.extensions or ()]
    assert [each for each in types if each] == expected
    assert (0 in types) == (host == "a.example")
    assert (0x00FF in hello.cipher_suites) == (0xFF01 not in types)
    assert hello.extensions
    assert hello.extensions[-1].data


@pytest.mark.parametrize(
    ("host", "settings", "expected"),
    [
        ("a.example", {}, [23, 0xFF01, 0, 10, 11, 13]),
        ("a.example", {"alpn_protocols": ["mqtt"]}, [23, 0xFF01, 0, 16, 10, 11, 13]),
        ("127.0.0.1", {}, [23, 0xFF01, 10, 11, 13]),
        (
            "a.example",
            {
                "alpn_protocols": ["mqtt"],
                "max_fragment_length": 512,
                "record_size_limit": 64,
                "request_ocsp": True,
                "request_scts": True,
            },
            [23, 0xFF01, 0, 1, 5, 16, 18, 28, 10, 11, 13],
        ),
    ],
)
def test_extensions_stand_in_a_fixed_order_and_the_last_is_not_empty(
    provider: Any, host: str, settings: dict[str, Any], expected: list[int]
) -> None:
    """CH-07, CH-08; SNI-02: an address sends no name."""
    hello, state, _ = sent_hello(provider, host, **settings)
    assert hello.extensions is not None
    assert [extension.extension_type for extension in hello.extensions] == expected
    assert hello.extensions[-1].data
    assert state.offer.extension_types == frozenset(expected)


def test_extension_bodies_on_the_wire(provider: Any) -> None:
    hello, _, _ = sent_hello(
        provider,
        "a.example",
        alpn_protocols=["h2", "x"],
        groups=(29, 23),
        signature_schemes=(0x0403, 0x0804),
        max_fragment_length=4096,
        record_size_limit=1370,
        request_ocsp=True,
        request_scts=True,
    )
    assert hello.extensions is not None
    assert {extension.extension_type: extension.data.hex() for extension in hello.extensions} == {
        ExtensionType.EXTENDED_MASTER_SECRET: "",
        ExtensionType.RENEGOTIATION_INFO: "00",
        ExtensionType.SERVER_NAME: "000c000009" + b"a.example".hex(),
        ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION: "0005" + "026832" + "0178",
        ExtensionType.MAX_FRAGMENT_LENGTH: "04",
        ExtensionType.RECORD_SIZE_LIMIT: "055a",
        ExtensionType.STATUS_REQUEST: "0100000000",
        ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP: "",
        ExtensionType.SUPPORTED_GROUPS: "0004001d0017",
        ExtensionType.EC_POINT_FORMATS: "0100",
        ExtensionType.SIGNATURE_ALGORITHMS: "000404030804",
    }


# ---- our flight --------------------------------------------------------------------------------


def expected_master(out_raw: bytes, provider: Any, extended: bool) -> bytes:
    """Rules sheet 3.3, written a second time."""
    if extended:
        session_hash = provider.digest("sha384", out_raw)
        return inside.expected_prf("sha384", SECRET, b"extended master secret", session_hash, 48)
    return inside.expected_prf("sha384", SECRET, b"master secret", CLIENT_RANDOM + SERVER_RANDOM, 48)


@pytest.mark.parametrize("extended", [True, False], ids=["extended", "plain"])
def test_flight_without_a_certificate(provider: Any, extended: bool) -> None:
    """CAUTH-02, CCS-10, FIN-06, RFC 7627 §4: the session hash ends with ClientKeyExchange."""
    out = output(provider)
    state = WaitRequestOrDone(agreed(provider, extended), PEER, exchange(provider))
    after = on_server_hello_done(out, state, ServerHelloDone())
    assert type(after) is WaitChangeCipherSpec
    assert after.proof.auth is None
    assert shapes(out.actions) == [ClientKeyExchange, WriteWith, Finished]

    up_to_exchange = b"what went before" + ClientKeyExchange(OUR_POINT).encode()
    master = expected_master(up_to_exchange, provider, extended)
    assert out.schedule.master_secret() == master
    handshake_hash = provider.digest("sha384", up_to_exchange)
    finished = sent(out.actions[-1])
    assert finished == Finished(inside.expected_prf("sha384", master, b"client finished", handshake_hash, 12))
    assert out.transcript.raw() == up_to_exchange + finished.encode()


def auth_state(provider: Any, identity: Identity | None, scheme: SignatureScheme | None) -> WaitServerHelloDone:
    auth = ClientAuth((64,), (b"ca name",), identity, scheme)
    return WaitServerHelloDone(agreed(provider), PEER, exchange(provider), auth)


class Signer:
    signature_schemes: tuple[SignatureScheme, ...] = (ECDSA_SHA256,)

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def sign(self, request: SignatureRequest) -> Any:
        return self._answer(request)


def identity(signer: Any = None) -> Identity:
    return Identity([pki.shared().ec_device.der], signer)


def signed(request: SignatureRequest) -> bytes:
    return pki.shared().ec_device.key.sign(request.message)


def test_flight_with_an_empty_certificate_list(provider: Any) -> None:
    """CAUTH-01, CAUTH-09: then no CertificateVerify."""
    out = output(provider)
    on_server_hello_done_with_auth(out, auth_state(provider, None, None), ServerHelloDone())
    assert shapes(out.actions) == [Certificate, ClientKeyExchange, WriteWith, Finished]
    assert sent(out.actions[0]) == Certificate(())


def test_flight_with_a_certificate_and_its_proof(provider: Any) -> None:
    """CAUTH-03."""
    out = output(provider)
    state = auth_state(provider, identity(Signer(signed)), ECDSA_SHA256)
    after = on_server_hello_done_with_auth(out, state, ServerHelloDone())
    assert type(after) is WaitChangeCipherSpec
    assert after.proof.auth is state.auth
    assert shapes(out.actions) == [
        Certificate,
        ClientKeyExchange,
        CertificateVerify,
        WriteWith,
        Finished,
    ]


def test_session_hash_covers_our_certificate_and_not_its_proof(provider: Any) -> None:
    """Rules sheet 3.3."""
    out = output(provider)
    state = auth_state(provider, identity(Signer(signed)), ECDSA_SHA256)
    on_server_hello_done_with_auth(out, state, ServerHelloDone())
    certificate, key_exchange = (sent(action).encode() for action in out.actions[:2])
    hashed = b"what went before" + certificate + key_exchange
    assert out.schedule.master_secret() == expected_master(hashed, provider, extended=True)


def test_deferred_signature_stops_before_the_proof_and_goes_on_with_it(provider: Any) -> None:
    out = output(provider)
    state = on_server_hello_done_with_auth(out, auth_state(provider, identity(), ECDSA_SHA256), ServerHelloDone())
    assert type(state) is WaitSignature
    assert shapes(out.actions) == [Certificate, ClientKeyExchange, Emit]
    last = out.actions[-1]
    assert isinstance(last, Emit)
    assert last.event == SignatureRequested(state.request)
    assert state.request.ca_names == (b"ca name",)
    assert state.request.message == out.transcript.raw()

    out.actions.clear()
    after = on_signature_ready(out, state, SignatureReady(signed(state.request)))
    assert type(after) is WaitChangeCipherSpec
    assert shapes(out.actions) == [CertificateVerify, WriteWith, Finished]


@pytest.mark.parametrize("outcome", [b"wrong", OSError("unplugged")])
def test_wrong_or_failed_deferred_signature_leaves_nothing_to_do(provider: Any, outcome: Any) -> None:
    """CAUTH-12, CAUTH-16."""
    out = output(provider)
    state = on_server_hello_done_with_auth(out, auth_state(provider, identity(), ECDSA_SHA256), ServerHelloDone())
    assert type(state) is WaitSignature
    out.actions.clear()
    with pytest.raises(SignerError):
        on_signature_ready(out, state, SignatureReady(outcome))
    assert out.actions == []


# ---- the choice of a scheme ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "schemes", "chosen"),
    [
        (b"\x40", (0x0403,), 0x0403),
        (b"\1\x40", (0x0401, 0x0603, 0x0403), 0x0403),  # CAUTH-06: the first of ours
        (b"\x40", (0x0603, 0x0503), 0x0503),
        (b"\x02\x40", (0x0A0A, 0x0403), 0x0403),  # CR-06
        (b"\1", (0x0403,), None),  # CAUTH-05
        (b"\x40", (0x0401, 0x0804), None),
        (b"\x40", (0x0203,), None),  # CAUTH-11
        (b"\x40", (0x0807,), None),
    ],
)
def test_scheme_is_the_first_of_ours_that_type_and_list_allow(
    provider: Any, types: bytes, schemes: tuple[int, ...], chosen: int | None
) -> None:
    ours = identity()
    state = WaitRequestOrDone(agreed(provider, identity=ours), PEER, exchange(provider))
    out = output(provider)
    after = on_certificate_request(out, state, CertificateRequest(types, schemes, (b"ca",)))
    assert after.auth == ClientAuth(tuple(types), (b"ca",), ours if chosen else None, chosen)  # type: ignore[arg-type]
    assert out.actions == []


def test_selector_may_choose_nothing(provider: Any) -> None:
    """CR-09."""
    state = WaitRequestOrDone(agreed(provider, identity=lambda request: None), PEER, exchange(provider))
    after = on_certificate_request(output(provider), state, CertificateRequest(b"\x40", (0x0403,), (b"ca",)))
    assert after.auth == ClientAuth((64,), (b"ca",), None, None)


def test_request_without_an_identity_is_noted(provider: Any) -> None:
    """CR-09."""
    state = WaitRequestOrDone(agreed(provider), PEER, exchange(provider))
    after = on_certificate_request(output(provider), state, CertificateRequest(b"\x40", (0x0403,), ()))
    assert after.auth == ClientAuth((64,), (), None, None)


# ---- Finished and after ----------------------------------------------------------------------------


OUR_DATA = bytes(12)


class Schedule:
    """A key schedule whose Finished can be told beforehand."""

    wiped = False

    def check_finished(self, transcript_hash: bytes, verify_data: bytes) -> None:
        if verify_data != b"\1" + transcript_hash[:11]:
            raise DecryptError("wrong")

    def wipe(self) -> None:
        self.wiped = True


def finished_state(provider: Any, schedule: Any) -> WaitFinished:
    return WaitFinished(agreed(provider), full(provider), None, OUR_DATA, schedule)


def test_change_cipher_spec_turns_read_keys_on_and_does_nothing_else(provider: Any) -> None:
    """CCS-09."""
    out = output(provider)
    opener: Any = object()
    schedule: Any = Schedule()
    state = WaitChangeCipherSpec(agreed(provider), full(provider), None, OUR_DATA, schedule, opener)
    after = on_change_cipher_spec(out, state, ChangeCipherSpec())
    assert type(after) is WaitFinished
    assert after.schedule is schedule
    (action,) = out.actions
    assert isinstance(action, ReadWith)
    assert action.opener is opener


def test_right_finished_completes_and_forgets(provider: Any) -> None:
    """FIN-07, FIN-08, RI-07: both verify_data stay, and the schedule for exporters; the transcript is gone."""
    out, schedule = output(provider), Schedule()
    verify_data = b"\1" + provider.digest("sha384", b"what went before")[:11]
    after = on_finished(out, finished_state(provider, schedule), Finished(verify_data))
    assert type(after) is Connected
    assert after.finished == FinishedVerified(OUR_DATA, verify_data)
    assert out.actions == [Complete()]
    assert out.transcript.raw() == b""
    assert after.schedule is schedule
    assert not schedule.wiped


@pytest.mark.parametrize(
    "alter",
    [
        lambda right: bytes((right[0] ^ 1,)) + right[1:],
        lambda right: right[:-1] + bytes((right[-1] ^ 0x80,)),
        lambda right: right[:-1],
        lambda right: right + b"\0",
        lambda right: b"",
        lambda right: b"\0" + right[1:],  # the label of our own Finished: a reflection
    ],
)
def test_wrong_finished_of_any_length_is_refused_and_leaves_nothing_to_do(provider: Any, alter: Any) -> None:
    """FIN-01, FIN-02."""
    out = output(provider)
    right = b"\1" + provider.digest("sha384", b"what went before")[:11]
    with pytest.raises(DecryptError):
        on_finished(out, finished_state(provider, Schedule()), Finished(alter(right)))
    assert out.actions == []


def test_after_the_handshake_data_is_handed_on_and_a_hello_request_refused(provider: Any) -> None:
    """REC-14, HS-09."""
    state = Connected(agreed(provider), full(provider), FinishedVerified(b"", b""), None, Schedule())
    out = output(provider)
    assert on_application_data(out, state, ApplicationData(b"")) is state
    assert out.actions == []
    assert on_application_data(out, state, ApplicationData(b"data")) is state
    assert refuse_renegotiation(out, state, HelloRequest()) is state
    assert out.actions == [Emit(DataReceived(b"data")), Refuse()]


def test_states_show_no_secret(provider: Any) -> None:
    """PROF-05."""
    schedule: Any = "the schedule"
    opener: Any = "the opener"
    state = WaitChangeCipherSpec(agreed(provider), full(provider), None, OUR_DATA, schedule, opener)
    assert "the schedule" not in repr(state)
    assert "the opener" not in repr(state)
    assert "premaster=…" in repr(state)
