"""`lighttls verify`: chains that are good, settings, and questions that make no sense."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lighttls
from lighttls.cli import PURPOSES, main
from lighttls.errors import ChainReason
from lighttls.testing import der_writer as der
from lighttls.x509.certificate import PURPOSES as ROOM_PURPOSES
from support import certificates as kit
from support import crls, refused
from support.certificates import Made
from support.refused import LEAF, MIDDLE, ROOT, SHA1_ROOT
from support.terminal import Terminal


def test_good_chain_is_drawn_with_what_it_had_to_meet(terminal: Terminal) -> None:
    below = der.implicit(2, b"host.example")
    limited = kit.authority("Middle", ROOT, extensions=[*kit.ca(path_length=0), kit.constraints([below])])
    shown = terminal.verify([kit.server(limited), limited], "--host", "host.example")
    assert shown.status == 0
    assert shown.out.startswith("good for host.example at 2026-06-01T00:00:00Z\n\nCN=server, number 1 sent, ")
    assert "└─ CN=Root, in the trust store, until 2026-06-02" in shown.out
    assert "validity: all are valid from 2026-05-31T00:00:00Z to 2026-06-02T00:00:00Z" in shown.words
    assert "path length: at most 0 authorities below it (CN=Middle)" in shown.words
    assert "name constraints: permitted: DNS host.example (CN=Middle)" in shown.words


def test_tree_of_a_hostile_chain_fits_a_screen(terminal: Terminal) -> None:
    case = next(case for case in refused.CASES if case.reason is ChainReason.LIMIT_EXCEEDED)
    shown = terminal.verify(case.chain, "--host", case.host)
    assert "└─ … and 21 more paths" in shown.out
    assert len(shown.out.splitlines()) < 40


def test_certificate_that_cannot_be_read_is_listed_as_such(terminal: Terminal) -> None:
    garbage = Made(b"\x30\x03\x02\x01\x05", b"", kit.ec_key("none"))
    shown = terminal.verify([garbage, LEAF, MIDDLE], "--host", "host.example")
    assert (shown.status, shown.out.splitlines()[0].rpartition(" ")[2]) == (1, "malformed")
    assert "number 1: unreadable: " in shown.out
    data = terminal.verify([LEAF, garbage], "--host", "host.example", "--json").data
    assert data["reason"] == "malformed"
    assert "error" in data["certificates"][1]


def test_good_chain_for_programs(terminal: Terminal) -> None:
    data = terminal.verify([LEAF, ROOT, MIDDLE], "--host", "host.example", "--json").data
    assert (data["ok"], data["path"], data["anchor"]["subject"]) == (True, [1, 3], "CN=Root")
    assert [each["kind"] for each in data["constraints"]] == ["validity"]
    assert [each["subject"] for each in data["certificates"]] == ["CN=server", "CN=Root", "CN=Middle"]
    assert [each["issuer"] for each in data["certificates"]] == ["CN=Middle", "CN=Root", "CN=Root"]
    assert len(data["notes"]) == 2  # the order, and the root that nobody needs


@pytest.mark.parametrize("what", ["Old Root", "file"])
def test_sha1_is_allowed_below_one_root(terminal: Terminal, what: str) -> None:
    middle = kit.authority("Middle", SHA1_ROOT, hash_name="sha1")
    named = terminal.file("old.pem", refused.pem([SHA1_ROOT])) if what == "file" else what
    options = ("--host", "host.example", "--allow-sha1-below", named)
    shown = terminal.verify([kit.server(middle), middle], *options, anchors=[ROOT, SHA1_ROOT])
    assert shown.status == 0, shown.out
    assert "sha1: SHA-1 is permitted below it (CN=Old Root)" in shown.words
    below_another = [kit.server(MIDDLE, hash_name="sha1"), MIDDLE]
    shown = terminal.verify(below_another, *options, anchors=[ROOT, SHA1_ROOT])
    assert (shown.status, shown.out.splitlines()[0].rpartition(" ")[2]) == (1, "weak_signature")


def test_rsa_1024_is_allowed_below_one_root(terminal: Terminal) -> None:
    middle = kit.make("Middle", kit.rsa_key("short", 1024), ROOT, extensions=kit.ca())
    options = ("--host", "host.example", "--allow-rsa1024-below", "root")
    shown = terminal.verify([kit.server(middle), middle], *options)
    assert shown.status == 0, shown.out
    assert "RSA keys below it have 1024 bits or more" in shown.words


def test_roots_may_lie_in_a_folder(terminal: Terminal) -> None:
    folder = terminal.folder / "roots"
    folder.mkdir()
    (folder / "one.pem").write_bytes(refused.pem([ROOT]))
    chain = terminal.file("chain.pem", refused.pem([LEAF, MIDDLE]))
    question = ("verify", chain, "--host", "host.example", "--at", str(kit.NOW))
    assert terminal.run(*question, "--cafile", str(folder)).status == 0


def test_missing_file_is_said_to_programs_too(terminal: Terminal) -> None:
    shown = terminal.run("verify", str(terminal.folder / "missing.pem"), "--host", "a.example", "--json")
    assert (shown.status, shown.data["ok"], shown.data["error"]) == (2, False, "ConfigurationError")


def test_file_that_never_ends_is_too_large(terminal: Terminal) -> None:
    shown = terminal.run("verify", "/dev/zero", "--host", "a.example", "--cafile", terminal.file("r.pem", b""))
    assert shown.status == 2
    assert "file /dev/zero is larger than 64 MiB" in shown.err


def test_client_certificate_has_no_host(terminal: Terminal) -> None:
    leaf = kit.make("device", kit.ec_key("server"), MIDDLE, extensions=[refused.purpose("1.3.6.1.5.5.7.3.2")])
    assert terminal.verify([leaf, MIDDLE], "--no-host", "--purpose", "client_auth").status == 0
    shown = terminal.verify([leaf, MIDDLE], "--no-host")
    assert (shown.status, shown.out.splitlines()[0]) == (
        1,
        "refused for any name (no name was checked) at 2026-06-01T00:00:00Z: extended_key_usage",
    )


def test_unknown_status_is_borne_in_soft_mode_and_a_revoked_one_is_not(terminal: Terminal) -> None:
    options = ("--host", "host.example", "--soft-revocation", "--crl")
    empty = terminal.file("empty.crl", crls.crl(ROOT))
    listing = terminal.file("listing.crl", crls.crl(MIDDLE, crls.entry(1)))
    assert terminal.verify([LEAF, MIDDLE], *options, empty).status == 0
    assert terminal.verify([LEAF, MIDDLE], *options, listing).out.splitlines()[0].endswith(": revoked")


def test_clock_that_was_never_set_is_lived_with(terminal: Terminal) -> None:
    options = ("--host", "host.example", "--floor", "2026-06-01")
    assert terminal.verify([LEAF, MIDDLE], *options, at=0).status == 0


@pytest.mark.parametrize("when", ["2026-06-01", "2026-06-01T12:00:00Z", "2026-06-01 14:00:00+02:00", str(kit.NOW)])
def test_time_may_be_written_in_several_ways(terminal: Terminal, when: str) -> None:
    assert terminal.verify([LEAF, MIDDLE], "--host", "host.example", "--at", when, at=0).status == 0


def test_terminal_without_line_drawing_gets_plain_signs(tmp_path: Path) -> None:
    chain, roots = tmp_path / "chain.pem", tmp_path / "roots.pem"
    chain.write_bytes(refused.pem([LEAF, MIDDLE]))
    roots.write_bytes(refused.pem([ROOT]))
    command = [sys.executable, "-m", "lighttls", "verify", chain, "--host", "other.example", "--cafile", roots]
    environment = {**os.environ, "PYTHONPATH": str(Path(lighttls.__file__).parents[1]), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*command, "--at", str(kit.NOW)], capture_output=True, env=environment, check=False, timeout=60
    )
    assert done.returncode == 1
    assert b"`- x name_mismatch: " in done.stdout
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify", "missing.pem", "--host", "a.example"], "missing.pem cannot be read"),
        (["verify", "root.pem", "--host", "a.example", "--cafile", "missing.pem"], "missing.pem cannot be read"),
        (["verify", "root.pem", "--host", "a b"], "is not a host name"),
        (["verify", "root.pem", "--host", "a.example", "--at", "noon"], "--at 'noon' is no time"),
        (["verify", "root.pem", "--host", "a.example", "--floor", "noon"], "--floor 'noon' is no time"),
        (["verify", "root.pem", "--host", "a.example", "--allow-sha1-below", "Nobody"], "in that of 0: none"),
        (["verify", "root.pem", "--host", "a.example", "--pin", "short"], "base64"),
        (["verify", "root.pem", "--host", "a.example", "--verifier", "no.such:thing"], "no.such:thing"),
        (["verify", "root.pem", "--host", "a.example", "--verifier", ".:x"], "TypeError"),
        (
            ["verify", "root.pem", "--host", "a.example", "--crl", "root.pem"],
            "CRL file root.pem: no CRL in it (only CERT",
        ),
        (["verify", "root.pem", "--host", "a.example", "--soft-revocation"], "--crl, and none is given"),
        (["explain", "https://a.example"], "not a URL"),
        (["explain", "127.0.0.1:1"], "127.0.0.1 port 1"),
        (["explain", "127.0.0.1:1", "--raw-key", "root.pem"], "no public key in it"),
        (["explain", "127.0.0.1:1", "--raw-key", "damaged.pem"], "is not base64"),
    ],
)
def test_question_that_makes_no_sense_has_the_exit_status_of_no_verdict(
    arguments: list[str], words: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(terminal.folder)
    terminal.file("root.pem", refused.pem([ROOT]))
    terminal.file("damaged.pem", b"-----BEGIN PUBLIC KEY-----\nAAA\n-----END PUBLIC KEY-----\n")
    trust = [] if "--cafile" in arguments else ["--cafile", "root.pem"]
    shown = terminal.run(*arguments, *trust)
    assert (shown.status, shown.out) == (2, "")
    assert words in shown.err


def test_host_must_be_given_or_waived(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["verify", "x.pem"], ["verify", "x.pem", "--host", "a.example", "--no-host"], ["explain"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
    assert "usage: lighttls" in capsys.readouterr().err


def test_purposes_are_those_that_there_are() -> None:
    assert set(PURPOSES) == set(ROOM_PURPOSES)
