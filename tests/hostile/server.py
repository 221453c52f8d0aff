"""A TLS 1.2 server in memory that plays a script: the right one, or any other.

A script is three lists of steps: `first` runs when the ClientHello is there, `second` when the
client's Finished is, `tail` right after `second`. A step is

- the name of a message: the server builds that message as it ought to be, `edit` may change
  its bytes, and it goes out and into the transcript;
- "change_cipher_spec": the record, and the server's own keys become active;
- bytes: they go out as they are (a whole record, half of one, anything);
- a callable: it gets the server and returns bytes that go out (`steps` makes the usual ones).

So each message can be replaced, dropped, repeated, moved or broken, in the clear or protected. What
the client sends is read strictly, and its Finished and CertificateVerify are verified: a complaint
is an AssertionError, hence a failed test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from hostile import keys, wire
from hostile.certificates import Credential

Step = str | bytes | Callable[["Server"], bytes]

FIRST = ("server_hello", "certificate", "server_key_exchange", "server_hello_done")
FIRST_WITH_REQUEST = ("server_hello", "certificate", "server_key_exchange", "certificate_request", "server_hello_done")
FIRST_WITH_PSK = ("server_hello", "server_key_exchange", "server_hello_done")
FIRST_WITHOUT_HINT = ("server_hello", "server_hello_done")
SECOND = ("change_cipher_spec", "finished")
RESUMED = ("server_hello", "change_cipher_spec", "finished")

SCHEME_OF_CURVE = {256: 0x0403, 384: 0x0503, 521: 0x0603}


class Server:
    """One connection, seen from the server.

    leaf: chain and key. suite, group, scheme: the server's choice (default: the first of the client's
    that fits). ephemeral: its key pair (default: a fresh one). hello: fields of `wire.server_hello` to override;
    extra: extensions to add. ske: fields of the ServerKeyExchange to override: params, point, group, curve_type,
    scheme, signing_scheme, signature, length, tail. request: a CertificateRequest message, or True for a usual one.
    edit: by step, message -> message. coalesce: the messages of a flight share records; fragment: bytes a record.
    ticket: announce a NewSessionTicket and send this one, before ChangeCipherSpec; lifetime: its hint.
    raw_key: show this SubjectPublicKeyInfo instead of the chain (RFC 7250); raw_client_key: agree that the client
    does so too. Both are answered as if the client had listed them.
    known: master secrets by ticket or session ID: the handshake is a resumed one if the client offers one of them.
    psk: the key of every client: a PSK suite is chosen; hint: the identity hint (and in `ske`: hint, hint_length).
    wrong_write_master: protect what we send under another master secret (but read the client's rightly).
    """

    def __init__(
        self,
        leaf: Credential,
        *,
        suite: int | None = None,
        group: int | None = None,
        scheme: int | None = None,
        ephemeral: keys.Ephemeral | None = None,
        extended_master_secret: bool = True,
        alpn: bytes | None = None,
        hello: Mapping[str, Any] | None = None,
        extra: Sequence[tuple[int, bytes]] = (),
        ske: Mapping[str, Any] | None = None,
        request: bytes | bool = False,
        edit: Mapping[str, Callable[[bytes], bytes]] | None = None,
        first: Sequence[Step] | None = None,
        second: Sequence[Step] | None = None,
        tail: Sequence[Step] = (),
        coalesce: bool = False,
        fragment: int = wire.LARGEST_PLAINTEXT,
        ticket: bytes | None = None,
        lifetime: int = 0,
        known: Mapping[bytes, bytes] | None = None,
        psk: bytes | None = None,
        hint: bytes | None = None,
        wrong_write_master: Callable[[Server], bytes] | None = None,
        raw_key: bytes | None = None,
        raw_client_key: bool = False,
        echo: bool = True,
    ) -> None:
        self.leaf, self.suite_choice, self.group_choice, self.scheme_choice = leaf, suite, group, scheme
        self.ephemeral_choice = ephemeral
        self.want_ems, self.alpn = extended_master_secret, alpn
        self.hello, self.extra, self.ske, self.edit = dict(hello or {}), extra, dict(ske or {}), dict(edit or {})
        self.request = wire.certificate_request() if request is True else request
        self.first = FIRST_WITH_REQUEST if first is None and request else FIRST if first is None else first
        self.first_choice = first
        self.second_choice, self.tail = second, tail
        self.ticket, self.lifetime, self.known = ticket, lifetime, dict(known or {})
        self.raw_key, self.raw_client_key = raw_key, raw_client_key
        self.psk, self.hint = psk, hint
        self.resumes = False
        self.coalesce, self.fragment = coalesce, fragment
        self.wrong_write_master, self.echo = wrong_write_master, echo

        self.random = os.urandom(32)
        self.transcript = b""
        self._done_sent = False
        self._after_done = b""
        self.premaster = self.master = b""
        self.writing: keys.Protection | None = None
        self.outgoing = bytearray()

        self.client_hello: wire.ClientHello | None = None
        self.client_chain: list[bytes] | None = None
        self.client_key = b""  # SubjectPublicKeyInfo
        self.client_scheme: int | None = None
        self.client_point = b""
        self.client_identity: bytes | None = None  # of its pre-shared key
        self.client_finished = b""
        self.finished_record = b""  # as it came, still protected
        self.reading: keys.Protection | None = None
        self.client_records: list[tuple[int, int, bytes]] = []  # type, version, plaintext
        self.client_messages: list[bytes] = []
        self.alerts: list[tuple[int, int]] = []
        self.received = b""
        self._incoming = b""
        self._joined = b""
        self._unflushed = b""

    # --- what the client sends -----------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Take bytes of the client; answers wait in `take()`."""
        self._incoming += data
        found, self._incoming = wire.split_records(self._incoming)
        for content_type, version, fragment in found:
            if self.reading and not self.finished_record:
                self.finished_record = wire.record(content_type, fragment)
            plaintext = self.reading.open(content_type, fragment) if self.reading else fragment
            assert len(plaintext) <= wire.LARGEST_PLAINTEXT, "the client sent too long a record"
            self.client_records.append((content_type, version, plaintext))
            self._on_record(content_type, plaintext)

    def _on_record(self, content_type: int, plaintext: bytes) -> None:
        if content_type == wire.HANDSHAKE:
            found, self._joined = wire.split_messages(self._joined + plaintext)
            for message in found:
                self._on_message(message)
        elif content_type == wire.CHANGE_CIPHER_SPEC:
            assert plaintext == b"\x01", "the client's ChangeCipherSpec is malformed"
            assert not self._joined, "the client changed keys inside a message"
            self.derive()
            self.reading = self._protections()[0]
        elif content_type == wire.ALERT:
            assert len(plaintext) == 2, "the client's alert is malformed"
            self.alerts.append((plaintext[0], plaintext[1]))
        else:
            assert content_type == wire.APPLICATION_DATA, f"the client sent content type {content_type}"
            assert self.client_finished, "the client sent application data before its Finished"
            self.received += plaintext
            if self.echo:
                self.outgoing += self.protect(wire.APPLICATION_DATA, plaintext)

    def _on_message(self, message: bytes) -> None:
        self.client_messages.append(message)
        if message[0] == wire.CLIENT_HELLO:
            assert self.client_hello is None, "the client sent a second ClientHello"
            self.client_hello = wire.ClientHello(message)
        elif message[0] == wire.CERTIFICATE:
            self._on_client_certificate(message)
        elif message[0] == wire.CLIENT_KEY_EXCHANGE:
            self._read_key_exchange(message)
        elif message[0] == wire.CERTIFICATE_VERIFY:
            self._verify_certificate_verify(message)
        elif message[0] == wire.FINISHED:
            self._verify_finished(message)
        else:
            raise AssertionError(f"the client sent a handshake message of type {message[0]}")
        self.transcript += message
        if message[0] == wire.CLIENT_KEY_EXCHANGE:
            self.derive()
        if message[0] == wire.CLIENT_HELLO:
            self._choose()
            self._recall()
            self.play(self.first)
        elif message[0] == wire.FINISHED:
            self.client_finished = message[4:]
            self.transcript += self._after_done
            self.play([*self._second(), *self.tail])

    def _on_client_certificate(self, message: bytes) -> None:
        if self.raw_client_key:
            self.client_key = wire.read_raw_public_key(message)
            return
        self.client_chain = wire.read_certificate(message)
        if self.client_chain:
            public = x509.load_der_x509_certificate(self.client_chain[0]).public_key()
            self.client_key = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def _read_key_exchange(self, message: bytes) -> None:
        if self._with_psk:
            with_point = self.suite.key_type == "ecdhe-psk"
            self.client_identity, self.client_point = wire.read_psk_key_exchange(message, with_point=with_point)
        else:
            self.client_point = wire.read_client_key_exchange(message)

    def _verify_certificate_verify(self, message: bytes) -> None:
        assert self.client_key, "CertificateVerify without a certificate"
        scheme, signature = wire.read_certificate_verify(message)
        keys.check_signature(scheme, load_der_public_key(self.client_key), signature, self.transcript)
        self.client_scheme = scheme

    def _verify_finished(self, message: bytes) -> None:
        assert self.reading, "the client's Finished is not protected"
        expected = keys.verify_data(self.suite.hash, self.master, b"client finished", self.transcript)
        assert message[4:] == expected, "the client's Finished does not verify"
        proven = self.client_scheme is not None
        assert proven == bool(self.client_key), "a certificate and its CertificateVerify belong together"

    # --- what the server decides ----------------------------------------------------------------

    def _choose(self) -> None:
        hello = self.client_hello
        assert hello is not None
        wanted = (self.leaf.key_type,) if self.psk is None else ("psk", "ecdhe-psk")
        fitting = [
            code for code in hello.suites if code in keys.KNOWN_SUITES and keys.KNOWN_SUITES[code].key_type in wanted
        ]
        code = self.suite_choice if self.suite_choice is not None else fitting[0]
        self.suite = keys.KNOWN_SUITES.get(code) or keys.KNOWN_SUITES[fitting[0]]
        self.suite_code = code
        if self._with_psk and self.first_choice is None:
            says_something = self.suite.key_type == "ecdhe-psk" or self.hint is not None
            self.first = FIRST_WITH_PSK if says_something else FIRST_WITHOUT_HINT
        groups = [group for group in hello.numbers(wire.SUPPORTED_GROUPS) if group in keys.GROUPS] or [wire.X25519]
        self.group = groups[0] if self.group_choice is None else self.group_choice
        self.ephemeral = self.ephemeral_choice or keys.Ephemeral(self.group)
        self.ems = self.want_ems and wire.EXTENDED_MASTER_SECRET in hello.types
        self.scheme = self._usual_scheme() if self.scheme_choice is None else self.scheme_choice

    def _recall(self) -> None:
        """Resume if the client offers what we know (RFC 5077 §3.4, RFC 5246 §7.3)."""
        hello = self.client_hello
        assert hello is not None
        offered = hello.get(wire.SESSION_TICKET) or hello.session_id
        if offered not in self.known:
            return
        assert hello.session_id, "the client offers a session without an ID whose echo would tell"
        self.resumes, self.master = True, self.known[offered]
        if self.first_choice is None:
            self.first = self._with_ticket(RESUMED)

    def _with_ticket(self, steps: Sequence[Step]) -> Sequence[Step]:
        place = list(steps).index("change_cipher_spec")
        return steps if self.ticket is None else [*steps[:place], "new_session_ticket", *steps[place:]]

    def _second(self) -> Sequence[Step]:
        if self.second_choice is not None:
            return self.second_choice
        return () if self.resumes else self._with_ticket(SECOND)

    @property
    def _with_psk(self) -> bool:
        return self.suite.code in keys.PSK_SUITES

    def _usual_scheme(self) -> int:
        return 0x0804 if self.leaf.key_type == "rsa" else SCHEME_OF_CURVE[self.leaf.key.key_size]

    def derive(self) -> None:
        """Compute the master secret once; without a ClientKeyExchange from an empty premaster secret.

        The latter is what a client with CVE-2014-0224 would use, so an early ChangeCipherSpec is played in earnest.
        """
        if self.master:
            return
        assert self.client_hello is not None
        shared = self.ephemeral.derive(self.client_point) if self.client_point else b""
        exchanged = bool(self.client_point) or self.client_identity is not None
        if not self._with_psk:
            self.premaster = shared
        elif exchanged:
            assert self.psk is not None
            self.premaster = wire.vec16(shared or bytes(len(self.psk))) + wire.vec16(self.psk)
        self.plain_master = keys.master_secret(self.suite.hash, self.premaster, self.client_hello.random, self.random)
        self.extended_master = keys.extended_master_secret(self.suite.hash, self.premaster, self.transcript)
        if exchanged:
            self.master = self.extended_master if self.ems else self.plain_master

    def _protections(self, master: bytes | None = None) -> tuple[keys.Protection, keys.Protection]:
        assert self.client_hello is not None
        master = master or self.master or self.plain_master
        return keys.protections(self.suite, master, self.client_hello.random, self.random)

    # --- what the server sends ------------------------------------------------------------------

    def take(self) -> bytes:
        """Bytes for the client."""
        out = bytes(self.outgoing)
        self.outgoing.clear()
        return out

    def play(self, steps: Sequence[Step]) -> None:
        """Run steps now; also for tests that go on after the handshake."""
        for step in steps:
            if isinstance(step, str) and step != "change_cipher_spec":
                self.send_message(self._build(step))
                continue
            self._flush()
            if isinstance(step, bytes):
                self.outgoing += step
            elif isinstance(step, str):
                self._change_cipher_spec()
            else:
                self.outgoing += step(self)
        self._flush()

    def send_message(self, message: bytes) -> None:
        """Send a handshake message under the current protection, and count it into the transcript."""
        self.count(message)
        self._unflushed += message
        if not self.coalesce:
            self._flush()

    def count(self, message: bytes) -> None:
        """Put our message into the transcript where the client sees it: its own flight follows our last message."""
        if self._done_sent and not self.client_finished:
            self._after_done += message
        else:
            self.transcript += message
        last = wire.FINISHED if self.resumes else wire.SERVER_HELLO_DONE
        self._done_sent = self._done_sent or message[0] == last

    def _flush(self) -> None:
        pending, self._unflushed = self._unflushed, b""
        for start in range(0, len(pending), self.fragment):
            self.outgoing += self.protect(wire.HANDSHAKE, pending[start : start + self.fragment])

    def protect(self, content_type: int, fragment: bytes) -> bytes:
        """A record under whatever protection is active."""
        return self.writing.seal(content_type, fragment) if self.writing else wire.record(content_type, fragment)

    def _change_cipher_spec(self) -> None:
        self.outgoing += self.protect(wire.CHANGE_CIPHER_SPEC, b"\x01")
        self.use_keys()

    def use_keys(self) -> None:
        """Make the server's writing keys active."""
        self.derive()
        self.writing = self._protections(self.wrong_write_master(self) if self.wrong_write_master else None)[1]

    def _build(self, name: str) -> bytes:
        message: bytes = getattr(self, "_build_" + name)()
        return self.edit[name](message) if name in self.edit else message

    def _build_server_hello(self) -> bytes:
        assert self.client_hello is not None
        fields: dict[str, Any] = {"random": self.random, "suite": self.suite_code, "extensions": self._extensions()}
        if self.resumes:
            fields["session_id"] = self.client_hello.session_id
        fields.update(self.hello)
        self.random = fields["random"]
        return wire.server_hello(**fields)

    def _extensions(self) -> list[tuple[int, bytes]]:
        hello = self.client_hello
        assert hello is not None
        answer: list[tuple[int, bytes]] = []
        if wire.RENEGOTIATION_INFO in hello.types or wire.SCSV in hello.suites:
            answer.append((wire.RENEGOTIATION_INFO, b"\x00"))
        if self.ems:
            answer.append((wire.EXTENDED_MASTER_SECRET, b""))
        if self.alpn is not None:
            answer.append((wire.ALPN, wire.vec16(wire.vec8(self.alpn))))
        if self.ticket is not None:
            answer.append((wire.SESSION_TICKET, b""))
        if self.raw_client_key:
            answer.append((wire.CLIENT_CERTIFICATE_TYPE, b"\x02"))
        if self.raw_key is not None:
            answer.append((wire.SERVER_CERTIFICATE_TYPE, b"\x02"))
        return [*answer, *self.extra]

    def _build_certificate(self) -> bytes:
        return wire.certificate(self.leaf.chain) if self.raw_key is None else wire.raw_public_key(self.raw_key)

    def _build_server_key_exchange(self) -> bytes:
        """Overridden fields are signed as if they were right, so that only they can be what is refused."""
        assert self.client_hello is not None
        over = dict(self.ske)
        if self._with_psk:
            return self._build_psk_key_exchange(over)
        params = over.get("params")
        if params is None:
            params = wire.ecdh_params(
                over.get("group", self.group),
                over.get("point", self.ephemeral.public),
                curve_type=over.get("curve_type", 3),
            )
        signed = self.client_hello.random + self.random + params
        signature = over.get("signature")
        if signature is None:
            signature = keys.sign(over.get("signing_scheme", self.scheme), self.leaf.key, signed)
        elif callable(signature):
            signature = signature(self, signed)
        scheme = over.get("scheme", self.scheme)
        return wire.server_key_exchange(
            params, scheme, signature, length=over.get("length"), tail=over.get("tail", b"")
        )

    def _build_psk_key_exchange(self, over: dict[str, Any]) -> bytes:
        """RFC 4279 §2, RFC 5489 §2: the hint, which may be empty, and with ECDHE the parameters without a signature."""
        body = wire.vec16(over.get("hint", self.hint or b""), over.get("hint_length"))
        if self.suite.key_type == "ecdhe-psk":
            point = over.get("point", self.ephemeral.public)
            body += wire.ecdh_params(over.get("group", self.group), point, curve_type=over.get("curve_type", 3))
        return wire.handshake(wire.SERVER_KEY_EXCHANGE, body + over.get("tail", b""))

    def _build_certificate_request(self) -> bytes:
        return self.request if isinstance(self.request, bytes) else wire.certificate_request()

    def _build_server_hello_done(self) -> bytes:
        return wire.SERVER_HELLO_DONE_MESSAGE

    def _build_new_session_ticket(self) -> bytes:
        return wire.new_session_ticket(self.ticket or b"", self.lifetime)

    def _build_finished(self) -> bytes:
        self.derive()
        master = self.master or self.plain_master
        data = keys.verify_data(self.suite.hash, master, b"server finished", self.transcript)
        return wire.handshake(wire.FINISHED, data)
