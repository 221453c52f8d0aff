"""`lighttls explain` against a server: what else ends a handshake, and what it leaves behind."""

from __future__ import annotations

from hostile import wire
from hostile.certificates import Credential
from hostile.server import Server
from lighttls.testing import der_writer as der
from support import certificates as kit
from support import loopback, pki, refused
from support.refused import LEAF, MIDDLE, ROOT
from support.terminal import Terminal, showing


def test_server_with_a_good_chain_is_shown_and_left(terminal: Terminal) -> None:
    server = showing(LEAF, MIDDLE)
    shown = terminal.explain(server)
    assert shown.status == 0, shown.out + shown.err
    assert "✓ the path ends here" in shown.out
    assert server.alerts == [(1, 0)]  # close_notify
    assert server.received == b""


def test_server_that_wants_a_certificate_has_a_good_chain_all_the_same(terminal: Terminal) -> None:
    def give_up(server: Server) -> bytes:
        return wire.record(wire.ALERT, bytes((2, 40)))

    server = showing(LEAF, MIDDLE, request=True, second=[give_up])
    shown = terminal.explain(server, "--json")
    assert shown.status == 0, shown.out
    assert shown.data["server"]["client_certificate_requested"]
    assert any("handshake_failure" in note for note in shown.data["notes"])


def test_server_that_does_not_hold_its_key_fails_although_its_chain_is_good(terminal: Terminal) -> None:
    server = Server(Credential((LEAF.der, MIDDLE.der), kit.ec_key("Other").private))
    shown = terminal.explain(server)
    assert shown.status == 1
    assert shown.out.startswith("good for host.example")
    assert "note: the handshake went no further: " in shown.words


def test_leaf_that_no_handshake_can_use_is_explained_all_the_same(terminal: Terminal) -> None:
    unsigned = [*kit.host("host.example"), (kit.KEY_USAGE, True, der.named_bits(2))]
    shown = terminal.explain(showing(kit.server(MIDDLE, extensions=unsigned), MIDDLE))
    assert (shown.status, shown.out.splitlines()[0].rpartition(" ")[2]) == (1, "key_usage")
    late = terminal.explain(showing(kit.server(MIDDLE, extensions=unsigned), MIDDLE), at=0)
    assert (late.status, late.out.splitlines()[0].rpartition(" ")[2]) == (1, "not_yet_valid")


def test_server_that_cannot_be_reached_is_said_to_programs(terminal: Terminal) -> None:
    shown = terminal.run("explain", "127.0.0.1:1", "--json", "--cafile", terminal.file("r.pem", refused.pem([ROOT])))
    assert (shown.status, shown.data["ok"], shown.data["error"]) == (2, False, "TransportError")


def test_real_server_that_demands_a_certificate(terminal: Terminal) -> None:
    """OpenSSL, as AWS IoT Core is set up."""
    roots = terminal.file("root.pem", pki.shared().root.to_pem())
    shown = terminal.run("explain", f"localhost:{loopback.server().port}", "--cafile", roots)
    assert shown.status == 0, shown.out + shown.err
    assert shown.out.startswith("good for localhost at ")
    assert "VeriSign Class 3 Public Primary Certification Authority - G5" in shown.words
    assert "note: the server asks for a client certificate, and none was sent" in shown.words


def test_leaf_that_cannot_be_read_is_said_to_be_so(terminal: Terminal) -> None:
    server = Server(Credential((b"\x30\x03\x02\x01\x05", MIDDLE.der), kit.ec_key("server").private))
    shown = terminal.explain(server)
    assert (shown.status, shown.out.splitlines()[0].rpartition(" ")[2]) == (1, "malformed")
    assert "number 1: unreadable: " in shown.out
    assert "note: the handshake went no further: The server's certificate cannot be read" in shown.words


def test_server_that_speaks_something_else_has_no_chain_to_draw(terminal: Terminal) -> None:
    class Web:
        received = b""

        def receive(self, data: bytes) -> None: ...

        def take(self) -> bytes:
            return b"HTTP/1.1 400 Bad Request\r\n\r\n"

    shown = terminal.explain(Web())  # type: ignore[arg-type]
    assert (shown.status, shown.out) == (2, "")
    assert "lighttls explain: " in shown.err
