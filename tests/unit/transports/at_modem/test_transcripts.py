"""Driver and simulator against conversations typed from the makers' manuals. Neither has seen the other here."""

from __future__ import annotations

import ssl
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lighttls.testing.modem import MODULES, Network, SimulatedModem
from lighttls.transports.at_modem import Modem, ModuleTls
from support.modem import MODES, Far, Recorder
from support.transcripts import FOLDER, Replay, transcript

PEM = b"-----BEGIN "
CALL = "data_call"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt") if path.stem != CALL)
SETTINGS = {
    "quectel_buffer": ("quectel", "EC21", {}),
    "quectel_push": ("quectel", "EC21", {"access": "push"}),
    "quectel_transparent": ("quectel", "EC21", {"access": "transparent"}),
    "quectel_module_tls": ("quectel", "EC21", {}),
    "simcom_buffer": ("simcom", "SIM7600", {}),
    "simcom_push": ("simcom", "SIM7600", {"access": "push"}),
    "a7670_buffer": ("a7670", "A7670", {}),
    "a7670_push": ("a7670", "A7670", {"access": "push"}),
    "sim800_buffer": ("sim800", "SIM800", {}),
    "sim800_push": ("sim800", "SIM800", {"access": "push"}),
    "ublox_binary": ("ublox", "SARA-U201", {}),
    "ublox_hex": ("ublox", "SARA-U201", {"hex_mode": True}),
    "ublox_r4_binary": ("ublox-r4", "SARA-R4", {}),
    "ublox_r4_hex": ("ublox-r4", "SARA-R4", {"hex_mode": True}),
}
"""Transcript -> dialect, simulated model, settings."""


def test_every_transcript_is_played() -> None:
    assert sorted(SETTINGS) == NAMES


def test_every_dialect_and_mode_has_a_transcript() -> None:
    assert [
        mode for mode in MODES if mode not in [(dialect, settings) for dialect, _, settings in SETTINGS.values()]
    ] == []


@pytest.mark.parametrize("name", NAMES)
def test_driver_says_what_the_transcript_says(name: str) -> None:
    dialect, _, settings = SETTINGS[name]
    sent, received = spoken(name)
    with Modem(
        Replay(transcript(name)), dialect, apn="apn.example", user="user", password="secret", **settings
    ) as modem:
        if name == "quectel_module_tls":
            connection = modem.open_module_tls("server.example", 8443, module_tls(name))
        else:
            connection = modem.open_tcp("server.example", 8443)
        while sent:
            sent = sent[connection.send(sent) :]
        got = b""
        while piece := connection.recv(4096, 60):
            got += piece
        assert got == received
        connection.close()


@pytest.mark.parametrize("name", NAMES)
def test_simulator_answers_what_the_transcript_says(name: str) -> None:
    peer = TlsRecorder(module_tls(name)) if name == "quectel_module_tls" else Recorder()
    simulated = SimulatedModem(SETTINGS[name][1], Network(lambda host, port: peer), baud=0)
    assert SETTINGS[name][1] in MODULES
    answer = b""
    for number, (who, data) in enumerate(transcript(name)):
        if who == "modem":
            answer += simulated.read(4096, 10.0) if not answer else b""
            while len(answer) < len(data) and (more := simulated.read(4096, 10.0)):
                answer += more
            assert answer[: len(data)] == data, f"step {number}"
            answer = answer[len(data) :]
        else:
            assert answer == b"", f"step {number}"
            if who == "host":
                simulated.timeline.run_until(simulated.monotonic() + 0.06)  # u-blox: no data right after the prompt
                simulated.write(data)
            elif who == "peer":
                peer.say(data)
            else:
                peer.end()
    assert simulated.read(4096, 10.0) == answer == b""
    assert bytes(peer.heard) == spoken(name)[0]


def frames() -> tuple[bytes, bytes]:
    """What the data call carries: ours, and the network's."""
    steps = transcript(CALL)
    return next(step.data for step in steps if step.data.startswith(b"~")), next(
        step.data for step in steps if step.who == "peer"
    )


def test_driver_dials_as_the_transcript_says() -> None:
    ours, theirs = frames()
    with Modem(Replay(transcript(CALL)), "quectel", apn="apn.example") as modem:
        call = modem.dial()
        call.send(ours)
        assert call.receive(10) == theirs
        call.close()


def test_simulator_takes_a_call_as_the_transcript_says() -> None:
    far = Far()
    simulated = SimulatedModem("EC21", Network(lambda host, port: Recorder(), ppp=far), baud=0)  # type: ignore[arg-type]
    for number, (who, data) in enumerate(transcript(CALL)):
        if who == "host":
            simulated.timeline.run_until(simulated.monotonic() + 1.1)  # the escape needs silence
            simulated.write(data)
        elif who == "peer":
            far.say(data)
        else:
            answer = b""
            while len(answer) < len(data) and (more := simulated.read(len(data) - len(answer), 10.0)):
                answer += more
            assert answer == data, f"step {number}"
    assert simulated.read(4096, 10.0) == b""
    assert bytes(far.heard) == frames()[0]
    assert far.ends == 1


def module_tls(name: str) -> ModuleTls:
    """The settings whose files the transcript uploads."""
    root, certificate, key = (step.data for step in transcript(name) if step.data.startswith(PEM))
    return ModuleTls(root=root, certificate=certificate, key_to_upload=key)


class TlsRecorder(Recorder):
    """The same behind TLS: OpenSSL, with a certificate of the transcript's root, whose key is known."""

    def __init__(self, tls: ModuleTls) -> None:
        super().__init__()
        issuer, leaf = (ec.derive_private_key(number, ec.SECP256R1()) for number in (7, 8))
        root = x509.load_pem_x509_certificate(tls.root)
        names = x509.SubjectAlternativeName([x509.DNSName("server.example")])
        builder = x509.CertificateBuilder(root.subject, x509.Name([]), leaf.public_key(), 2)
        builder = builder.not_valid_before(root.not_valid_before_utc).not_valid_after(root.not_valid_after_utc)
        certificate = builder.add_extension(names, critical=True).sign(issuer, hashes.SHA256())
        settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        settings.maximum_version = ssl.TLSVersion.TLSv1_2
        settings.verify_mode = ssl.CERT_REQUIRED
        settings.load_verify_locations(cadata=tls.certificate.decode())
        with TemporaryDirectory() as folder:
            both = Path(folder, "server.pem")
            key = leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            both.write_bytes(certificate.public_bytes(Encoding.PEM) + key)
            settings.load_cert_chain(both)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = settings.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def received(self, data: bytes) -> None:
        self._incoming.write(data)
        with suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            self._tls.do_handshake()
            self.heard += self._tls.read()
        self.link.send(self._outgoing.read())

    def say(self, data: bytes) -> None:
        self._tls.write(data)
        self.link.send(self._outgoing.read())

    def end(self) -> None:
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self.link.send(self._outgoing.read())
        self.link.close()


def spoken(name: str) -> tuple[bytes, bytes]:
    """The payload in both directions: what follows a prompt, and what the peer says."""
    steps = transcript(name)
    sent = b"".join(
        step.data
        for before, step in pairwise(steps)
        if step.who == "host" and before.who == "modem" and before.data.strip() in (b">", b"@", b"CONNECT")
        if not step.data.startswith(PEM)
    )
    for step in steps:
        if step.who == "host" and step.data.startswith(b'AT+USOWR=0,5,"'):
            sent += bytes.fromhex(step.data.split(b'"')[1].decode())
    return sent, b"".join(step.data for step in steps if step.who == "peer")
