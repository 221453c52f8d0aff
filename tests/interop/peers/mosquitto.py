"""Mosquitto, an MQTT broker: we subscribe to a topic and publish to it."""

from __future__ import annotations

from interop.cells import Cell
from interop.peers.base import (
    Files,
    Lack,
    Peer,
    Setup,
    Word,
    find,
    first,
    missing_program,
    no_ecdhe_psk_with_aes,
    output,
    receive,
)
from lighttls import CipherSuite, TLSSocket

CONNECT = bytes.fromhex("100c 0004 4d515454 04 02 003c 0000")  # MQTT 3.1.1, clean session, 60 s, no client identifier
CONNACK = bytes.fromhex("2002 0000")
SUBSCRIBE = bytes.fromhex("8206 0001 0001 61 00")  # packet 1, topic "a", at most once
SUBACK = bytes.fromhex("9003 0001 00")


class Mosquitto(Peer):
    name = "Mosquitto"
    in_ci = True
    ready = None

    def missing(self) -> str:
        return missing_program("mosquitto")

    def version(self) -> str:
        return first(r"mosquitto version (\S+)", output(find("mosquitto") or "", "-h"))

    def setup(self, cell: Cell, files: Files) -> Setup:
        return (cell.server_key, "strict" if cell.device != "none" else "open")

    def command(self, setup: Setup, files: Files, port: int) -> list[Word]:
        key, manner = setup
        lines = [
            f"listener {port} 127.0.0.1",
            "user root",  # it would become another user, who cannot read these files
            "allow_anonymous true",
            "tls_version tlsv1.2",
            "ciphers ALL:@SECLEVEL=0",
        ]
        if manner == "psk":
            lines += ["psk_hint us", f"psk_file {files.folder / key}"]
        else:
            lines += [f"certfile {files.chain(key)}", f"keyfile {files.key(key)}"]
        if manner == "strict":
            lines += [f"cafile {files.clients}", "require_certificate true"]
        settings = files.write(f"mosquitto-{key}-{manner}.conf", "\n".join(lines) + "\n")
        return [find("mosquitto") or "", "-c", settings]

    def psk_setup(self, identity: str, key: bytes, files: Files) -> Setup:
        return (files.write("mosquitto.psk", f"{identity}:{key.hex()}\n").name, "psk")

    def lacks_psk(self, suite: CipherSuite) -> str:
        return no_ecdhe_psk_with_aes("OpenSSL", suite)

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        if cell.record_size_limit:
            return {"size": Lack("OpenSSL has no record_size_limit")}
        return {}

    def talk(self, tls: TLSSocket) -> None:
        tls.sendall(CONNECT)
        assert receive(tls, len(CONNACK)) == CONNACK
        tls.sendall(SUBSCRIBE)
        assert receive(tls, len(SUBACK)) == SUBACK
        for length in self.lengths:
            packet = publish(bytes(range(256)) * (length // 256 + 1))
            tls.sendall(packet)
            assert receive(tls, len(packet)) == packet


def publish(payload: bytes) -> bytes:
    """A PUBLISH packet to topic "a", at most once (MQTT 3.1.1, 3.3); lengths are in 7-bit digits, least first."""
    body = b"\0\1a" + payload
    left, digits = len(body), bytearray()
    while left >= 128:
        digits.append(left % 128 | 128)
        left //= 128
    return b"\x30" + bytes(digits) + bytes([left]) + body
