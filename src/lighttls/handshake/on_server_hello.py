"""ServerHello: is what the server chose among what we offered? (RFC 5246 §7.4.1.3)"""

from __future__ import annotations

from lighttls.crypto.suites import SUITES, Suite
from lighttls.errors import (
    DecodeError,
    HandshakeFailure,
    IllegalParameter,
    NoApplicationProtocol,
    ProtocolVersion,
    UnsupportedExtension,
)
from lighttls.handshake.certificate_types import shows_raw_key, wants_raw_key
from lighttls.handshake.output import LimitRecords, Output
from lighttls.handshake.record_sizes import UNLIMITED, agreed_sizes
from lighttls.handshake.resumption import resume
from lighttls.handshake.states import (
    Agreed,
    Offer,
    Terms,
    WaitCertificate,
    WaitChangeCipherSpecResumed,
    WaitPskHint,
    WaitPskParams,
    WaitRawPublicKey,
    WaitServerHello,
    WaitTicketResumed,
)
from lighttls.iana import TLS12, CipherSuite, ExtensionType, name_of
from lighttls.messages import Extension, ServerHello
from lighttls.messages.extensions import (
    EcPointFormats,
    EmptyBody,
    ProtocolNameList,
    RenegotiationInfo,
    SignedCertificateTimestampList,
)
from lighttls.session import Session

_ANSWERS_KEPT = _TERMS_KEPT = 16  # servers that answer differently are few
_VERSION_NAMES = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0304: "TLS 1.3"}
_NEVER_ANSWERED = frozenset((ExtensionType.SIGNATURE_ALGORITHMS, ExtensionType.SIGNATURE_ALGORITHMS_CERT))  # SH-15
# EMS-02, SNI-05, OCSP-02, TICKET-05; whether server_name is answered makes no difference (SNI-06, RESUME-13)
_EMPTY_ANSWERS = (
    ExtensionType.EXTENDED_MASTER_SECRET,
    ExtensionType.SERVER_NAME,
    ExtensionType.STATUS_REQUEST,
    ExtensionType.SESSION_TICKET,
)


def on_server_hello(
    out: Output, state: WaitServerHello, msg: ServerHello
) -> WaitCertificate | WaitRawPublicKey | WaitPskHint | WaitPskParams | WaitTicketResumed | WaitChangeCipherSpecResumed:
    """Judge version, suite, resumption, compression, extensions and cross checks, in this order (SH-20).

    Any suite that we offered will do, whatever our order (SH-19).
    A random that ends in a downgrade value is not looked at: only clients that offer TLS 1.3 do that (SH-02).
    Its first four bytes are no time (PROF-03).
    Our session ID in it means that the session is resumed (RESUME-04); any other, or none, a full handshake
    (RESUME-05 to RESUME-07, TICKET-04).
    """
    offer, code = state.offer, msg.cipher_suite
    if msg.server_version != TLS12:  # SH-01, SH-03, RESUME-09
        chosen = _VERSION_NAMES.get(msg.server_version, f"version {msg.server_version:#06x}")
        raise ProtocolVersion(f"the server chose {chosen}, we speak TLS 1.2 only")
    if code not in offer.client.config.cipher_suites:  # SH-06, SH-07
        raise IllegalParameter(f"the server chose the suite {name_of(CipherSuite, code)}, which we did not offer")
    session = offer.session if msg.session_id == offer.session_id else None
    if session is not None and code != session.facts.suite:  # RESUME-08
        raise IllegalParameter(
            f"the server resumes a session with {name_of(CipherSuite, code)}, which had another suite"
        )
    if msg.compression_method != 0:  # SH-08
        raise IllegalParameter(f"the server chose compression method {msg.compression_method}, we offered none")
    suite = SUITES[code]
    terms = _terms(offer, suite, _answers(msg.extensions or ()), session)
    if terms.sizes is not UNLIMITED:
        out.do(LimitRecords(terms.sizes))
    agreed = Agreed(offer, suite, msg.random, msg.session_id, terms)
    if session is not None:
        return resume(out, agreed, session)
    if suite.key_type:
        return WaitRawPublicKey(agreed) if terms.server_raw_key else WaitCertificate(agreed)
    return WaitPskParams(agreed) if suite.ephemeral else WaitPskHint(agreed)


def _terms(offer: Offer, suite: Suite, answers: dict[int, bytes], session: Session | None) -> Terms:
    """What the answers come to. It follows from them and our settings alone, so those of full handshakes are kept."""
    if session is not None or ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP in answers:  # which is long, and seldom alike
        return _judge(offer, suite, answers, session)
    kept: dict[tuple[object, ...], Terms] = offer.client.config.derived("terms", lambda _: {})
    key = (offer.client.server.text, suite.code, offer.extension_types, *answers.items())
    terms = kept.get(key)
    if terms is None:
        terms = _judge(offer, suite, answers, None)
        if len(kept) >= _TERMS_KEPT:
            kept.clear()
        kept[key] = terms
    return terms


def _judge(offer: Offer, suite: Suite, answers: dict[int, bytes], session: Session | None) -> Terms:
    _check_answers(offer, answers, with_points=suite.ephemeral and session is None)
    if suite.pre_shared and ExtensionType.STATUS_REQUEST in answers:  # OCSP-03
        raise IllegalParameter("the server announces the status of a certificate, but chose a suite that has none")
    return Terms(
        server_raw_key=shows_raw_key(offer.client, suite, answers, session),
        sizes=agreed_sizes(offer.client.config, answers, session),
        extended_master_secret=_extended_master_secret(offer, answers),
        secure_renegotiation=_secure_renegotiation(offer, answers),
        alpn_protocol=_alpn(offer, answers),  # ALPN-07, ALPN-09: anew, also in a resumed handshake
        ticket_announced=ExtensionType.SESSION_TICKET in answers,
        status_announced=ExtensionType.STATUS_REQUEST in answers,
        sct_list=_timestamps(answers),
        unanswered=_unanswered(offer, answers),
        client_raw_key=wants_raw_key(offer.client, answers),
    )


def _unanswered(offer: Offer, answers: dict[int, bytes]) -> frozenset[int]:
    """What we asked for and got no answer to; connections that got the same answers share the set."""
    kept: dict[frozenset[int], frozenset[int]] = offer.client.config.derived("unanswered extensions", lambda _: {})
    found = offer.extension_types.difference(answers)
    if len(kept) >= _ANSWERS_KEPT and found not in kept:
        kept.clear()
    return kept.setdefault(found, found)


def _answers(extensions: tuple[Extension, ...]) -> dict[int, bytes]:
    """By number, in any order (SH-18)."""
    answers = {}
    for extension in extensions:
        answers[extension.extension_type] = extension.data
    if len(answers) != len(extensions):  # SH-13
        numbers = [extension.extension_type for extension in extensions]
        twice = next(number for number in numbers if numbers.count(number) > 1)
        raise DecodeError(f"ServerHello has extension {twice} twice")
    answers.pop(ExtensionType.SUPPORTED_GROUPS, None)  # SH-17: a known server fault, harmless
    return answers


def _check_answers(offer: Offer, answers: dict[int, bytes], *, with_points: bool) -> None:
    for number in answers:
        if number not in offer.extension_types or number in _NEVER_ANSWERED:  # SH-14 to SH-16
            name = name_of(ExtensionType, number)
            raise UnsupportedExtension(f"ServerHello has the extension {name}, which we did not ask for")
    for number in _EMPTY_ANSWERS:
        if answers.get(number):
            EmptyBody.parse(answers[number])  # which says what is wrong
    formats = answers.get(ExtensionType.EC_POINT_FORMATS)
    # GRP-04, GRP-05; where no points are exchanged nothing hangs on it (GRP-07, RFC 8422 §4)
    if formats is not None and 0 not in EcPointFormats.parse(formats).ec_point_format_list and with_points:
        raise IllegalParameter("the server does not take uncompressed points")


def _extended_master_secret(offer: Offer, answers: dict[int, bytes]) -> bool:
    """RFC 7627 §5.2: it may be missing (EMS-05), unless servers without it are not wanted (EMS-04)."""
    announced = ExtensionType.EXTENDED_MASTER_SECRET in answers
    if not announced and offer.client.config.require_extended_master_secret:
        raise HandshakeFailure("the server does not support the extended master secret, which is required here")
    return announced


def _secure_renegotiation(offer: Offer, answers: dict[int, bytes]) -> bool:
    """RFC 5746 §3.4: present (RI-02) and empty (RI-03)."""
    body = answers.get(ExtensionType.RENEGOTIATION_INFO)
    if body is None:
        if offer.client.config.insecure_allow_legacy_renegotiation:
            return False
        raise HandshakeFailure(
            "the server does not support secure renegotiation (RFC 5746)",
            hint="The server's TLS stack is from before 2010. Update it; only if that is impossible, "
            "insecure_allow_legacy_renegotiation=True lets it pass.",
        )
    if RenegotiationInfo.parse(body).renegotiated_connection:
        raise HandshakeFailure(
            "the server's renegotiation_info belongs to another handshake: someone may be splicing connections"
        )
    return True


def _alpn(offer: Offer, answers: dict[int, bytes]) -> bytes | None:
    body = answers.get(ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION)
    if body is None:
        if offer.client.config.require_alpn:  # ALPN-08
            raise NoApplicationProtocol("the server agreed on no application protocol, which is required here")
        return None  # ALPN-06
    names = ProtocolNameList.parse(body).protocol_name_list
    if len(names) != 1:  # ALPN-03
        raise DecodeError(f"the server's ALPN answer holds {len(names)} names, expected 1")
    if names[0] not in offer.client.config.alpn_protocols:  # ALPN-05
        raise IllegalParameter(f"the server chose the protocol {names[0]!r}, which we did not offer")
    return names[0]


def _timestamps(answers: dict[int, bytes]) -> bytes | None:
    body = answers.get(ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP)
    if body is not None:
        SignedCertificateTimestampList.parse(body)  # SCT-02, SCT-03
    return body
