"""Our ClientHello: what we offer, in a fixed order (RFC 5246 §7.4.1.2)."""

from __future__ import annotations

from lighttls._struct import struct
from lighttls.config import ClientConfig
from lighttls.crypto.suites import SUITES
from lighttls.handshake.certificate_types import offered_types
from lighttls.handshake.output import Output
from lighttls.handshake.states import Client, Offer, WaitServerHello
from lighttls.iana import FALLBACK_SCSV, FRAGMENT_LENGTHS, OCSP, RENEGOTIATION_SCSV, TLS12, ExtensionType, HandshakeType
from lighttls.messages import ClientHello, Extension
from lighttls.messages.extensions import (
    CertificateStatusRequest,
    EcPointFormats,
    EmptyBody,
    HostName,
    MaxFragmentLength,
    ProtocolNameList,
    RecordSizeLimit,
    RenegotiationInfo,
    ServerNameList,
    SignatureAlgorithms,
    SupportedGroups,
)
from lighttls.profiles import PROFILES
from lighttls.session import Session

_NO_COMPRESSION = b"\0"  # CH-06
_HOSTS_KEPT = 64  # a device talks to a handful

# Bytes of the ID beside a ticket, which comes back if the ticket is taken (RFC 5077 §3.4 sets no length). 32 is what
# everybody sends. Where bytes count one does as well, with all servers of tests/interop; it could only mislead where a
# server that does not take the ticket gives out IDs of one byte.
_USUAL_ID, _SHORT_ID = 32, 1


def send_client_hello(
    out: Output, client: Client, session: Session | None = None, *, wants_tickets: bool = False
) -> WaitServerHello:
    """Send the offer. It has fresh randomness and no clock in it (CH-02).

    Only the session and its ticket tell an offer to resume from any other: all else that is asked for stays, for the
    server may choose a full handshake (CH-10, RESUME-03, EMS-01, RI-05).
    """
    config = client.config
    random = bytes(config.random(32))
    ticket = session_id = b""
    if session is not None:
        ticket = session.facts.ticket
        length = _SHORT_ID if _lean(config) else _USUAL_ID
        session_id = bytes(config.random(length)) if ticket else session.facts.session_id  # CH-03, TICKET-03
    falls_back = config.insecure_fallback_scsv and session is None  # CH-11, RFC 7507 §4
    prepared = _prepared(client, falls_back)
    if session is None and not wants_tickets:
        head, tail = prepared.usual
        out.send_encoded(ClientHello, head + random + tail)
    else:
        asking = (Extension(ExtensionType.SESSION_TICKET, ticket),) if wants_tickets else ()  # TICKET-01: empty to ask
        out.send_encoded(ClientHello, prepared.encode(random, session_id, asking))
    types = prepared.types[1 if wants_tickets else 0]
    return WaitServerHello(Offer(client, random, session, session_id, types))


@struct
class _Prepared:
    """What is the same in every offer of one configuration to one host, built once.

    The order of extensions is fixed, and the last one has a body, since some old servers choke on an empty last one
    (CH-08). Each type comes once (CH-07), and what is not here is never offered (CH-13); there is no GREASE among it
    (CH-12), which serves those who want to add to TLS later.
    """

    types: tuple[frozenset[int], frozenset[int]]  # of the extensions: without session_ticket, and with it
    encoded: tuple[bytes, bytes]  # suites and compression methods; extensions but session_ticket, which comes first
    usual: tuple[bytes, bytes]  # without session and session_ticket: what comes before the random, and after it

    def encode(self, random: bytes, session_id: bytes, asking: tuple[Extension, ...]) -> bytes:
        """The message, as `ClientHello.encode` gives it."""
        suites, others = self.encoded
        extensions = _built(asking) + others
        size = 2 + len(random) + 1 + len(session_id) + len(suites) + 2 + len(extensions)
        head = HandshakeType.CLIENT_HELLO << 40 | size << 16 | TLS12
        parts = (
            head.to_bytes(6, "big"),
            random,
            len(session_id).to_bytes(1, "big"),
            session_id,
            suites,
            len(extensions).to_bytes(2, "big"),
            extensions,
        )
        return b"".join(parts)


def _prepared(client: Client, falls_back: bool) -> _Prepared:
    kept: dict[tuple[str, bool], _Prepared] = client.config.derived("prepared hellos", lambda _: {})
    key = client.server.text, falls_back
    known = kept.get(key)
    if known is None:
        if len(kept) >= _HOSTS_KEPT:
            kept.clear()
        known = kept[key] = _prepare(client, falls_back)
    return known


def _prepare(client: Client, falls_back: bool) -> _Prepared:
    """The host's name and our protocols are offered wherever there are any (PROF-01).

    renegotiation_info is among the types also where the SCSV stands for it (RI-06).
    """
    config, name = client.config, client.server.server_name
    before, after = _settings(config)
    if _has_certificates(config):
        before += offered_types(client)
    if name is not None:  # SNI-01, SNI-02
        before += (Extension(ExtensionType.SERVER_NAME, ServerNameList((HostName(0, name),)).build()),)
    extensions = before + after
    signals = (RENEGOTIATION_SCSV,) * _uses_scsv(config) + (FALLBACK_SCSV,) * falls_back  # RI-01
    suites = config.cipher_suites + signals
    bare = ClientHello(TLS12, bytes(32), b"", suites, _NO_COMPRESSION, None).build()
    types = frozenset((ExtensionType.RENEGOTIATION_INFO, *(each.extension_type for each in extensions)))
    usual = ClientHello(TLS12, bytes(32), b"", suites, _NO_COMPRESSION, extensions).encode()  # CH-01
    return _Prepared(
        types=(types, types | {ExtensionType.SESSION_TICKET}),
        encoded=(bare[2 + 32 + 1 :], _built(extensions)),
        usual=(usual[: 4 + 2], usual[4 + 2 + 32 :]),
    )


def _built(extensions: tuple[Extension, ...]) -> bytes:
    return b"".join(each.build() for each in extensions)


def _lean(config: ClientConfig) -> bool:
    """Whether to say in fewer bytes what can be said so."""
    return PROFILES[config.profile].lean_hello


def _uses_scsv(config: ClientConfig) -> bool:
    """Whether the SCSV stands for renegotiation_info: not where that may be the only extension with a body (CH-08)."""
    return _lean(config) and (_has_groups(config) or _has_certificates(config))


def _settings(config: ClientConfig) -> tuple[tuple[Extension, ...], tuple[Extension, ...]]:
    """The extensions that say the same on every connection: those before server_name, and those after it."""
    before = [Extension(ExtensionType.EXTENDED_MASTER_SECRET, EmptyBody().build())]  # EMS-01
    after = _asked_for(config)
    if not _uses_scsv(config):
        before.append(Extension(ExtensionType.RENEGOTIATION_INFO, RenegotiationInfo(b"").build()))  # RI-01
    if _has_groups(config):  # GRP-01
        after.append(Extension(ExtensionType.SUPPORTED_GROUPS, SupportedGroups(config.groups).build()))
        if not _lean(config):
            after.append(Extension(ExtensionType.EC_POINT_FORMATS, EcPointFormats(b"\0").build()))  # GRP-03
    if _has_certificates(config):  # GRP-08
        body = SignatureAlgorithms(config.signature_schemes).build()
        after.append(Extension(ExtensionType.SIGNATURE_ALGORITHMS, body))
    return tuple(before), tuple(after)


def _has_groups(config: ClientConfig) -> bool:
    """Whether there may be a key exchange in a group."""
    return any(SUITES[code].ephemeral for code in config.cipher_suites)


def _has_certificates(config: ClientConfig) -> bool:
    """Whether a server may prove itself by one."""
    return not all(SUITES[code].pre_shared for code in config.cipher_suites)


def _asked_for(config: ClientConfig) -> list[Extension]:
    """What is offered only if the configuration asks for it."""
    asked = []
    if config.max_fragment_length is not None:
        code = FRAGMENT_LENGTHS[config.max_fragment_length]
        asked.append(Extension(ExtensionType.MAX_FRAGMENT_LENGTH, MaxFragmentLength(code).build()))
    if config.request_ocsp and _has_certificates(config):
        body = CertificateStatusRequest(OCSP, (), b"").build()  # OCSP-01
        asked.append(Extension(ExtensionType.STATUS_REQUEST, body))
    if config.alpn_protocols:
        body = ProtocolNameList(config.alpn_protocols).build()
        asked.append(Extension(ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION, body))
    if config.request_scts and _has_certificates(config):  # SCT-01
        asked.append(Extension(ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP, EmptyBody().build()))
    if config.record_size_limit is not None:
        body = RecordSizeLimit(config.record_size_limit).build()
        asked.append(Extension(ExtensionType.RECORD_SIZE_LIMIT, body))
    return asked
