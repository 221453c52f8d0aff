"""`lighttls demo`: the story, its JSON, and its exit status."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lighttls import TransportError
from lighttls.cli import demo, main

RUN_KEYS = [
    *("tls_version", "cipher_suite", "group", "session_resumed", "server_chain", "trust_anchor"),
    *("client_certificate_sent", "signatures_made", "bytes_sent", "bytes_received", "flights", "handshake_ms"),
    *("http_status", "response"),
]


@pytest.fixture(scope="module")
def told() -> tuple[int, str]:
    """Exit status and output of one `demo --json`."""
    capture = pytest.MonkeyPatch()
    lines: list[str] = []
    with capture.context() as patch:
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(map(str, words))))
        status = main(["demo", "--json"])
    return status, "\n".join(lines)


@pytest.fixture(scope="module")
def report(told: tuple[int, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told[1])
    return found


def test_json_is_one_object_with_exactly_the_promised_keys(told: tuple[int, str], report: dict[str, Any]) -> None:
    assert told[0] == 0
    assert list(report) == ["ok", "provider", "runs", "refusals"]
    assert [list(run) for run in report["runs"]] == [RUN_KEYS, RUN_KEYS]
    assert {tuple(run["trust_anchor"]) for run in report["runs"]} == {("subject", "signature_algorithm")}
    assert [list(refusal) for refusal in report["refusals"]] == [["case", "error", "alert", "explanation"]] * 3


def test_both_runs_published_with_the_elements_signature(report: dict[str, Any]) -> None:
    assert report["ok"] is True
    for run, kind in zip(report["runs"], ("ECDSA", "RSA"), strict=True):
        assert run["tls_version"] == "TLSv1.2"
        assert kind in run["cipher_suite"]
        assert run["group"] in {"x25519", "secp256r1", "secp384r1"}
        assert run["session_resumed"] is False
        assert run["server_chain"][0]["subject"] == "CN=localhost"
        assert "VeriSign Class 3 Public Primary Certification Authority - G5" in run["trust_anchor"]["subject"]
        assert run["trust_anchor"]["signature_algorithm"] == "sha1WithRSAEncryption"
        assert run["client_certificate_sent"] is True
        assert run["signatures_made"] == 1
        assert run["bytes_sent"] > 1000
        assert run["bytes_received"] > 1500
        assert run["flights"] == 4
        assert run["handshake_ms"] > 0
        assert run["http_status"] == 200
        assert len(run["response"]) == 65


def test_three_refusals_with_class_alert_and_explanation(report: dict[str, Any]) -> None:
    assert [(refusal["case"], refusal["error"], refusal["alert"]) for refusal in report["refusals"]] == [
        ("wrong host name", "CertificateError", "bad_certificate"),
        ("unknown root", "CertificateError", "unknown_ca"),
        ("key of another certificate", "SignerError", "internal_error"),
    ]
    assert all(len(refusal["explanation"]) > 80 for refusal in report["refusals"])


def test_story_is_short_and_ends_with_ok(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    story = capsys.readouterr().out
    assert story.split()[-1] == "ok"
    assert len(story.splitlines()) < 50
    assert max(map(len, story.splitlines())) <= 120


def test_refusal_that_does_not_come_makes_it_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the right host name where the wrong one should be, the demo must not say ok."""
    honest = demo._Device.publish

    def forgetful(self: Any, element: Any, **options: Any) -> Any:
        options.pop("server_hostname", None)
        return honest(self, element, **options)

    monkeypatch.setattr(demo._Device, "publish", forgetful)
    assert main(["demo"]) == 1


def test_error_in_a_run_is_explained_and_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise TransportError("cannot connect")

    monkeypatch.setattr(demo, "connect", unreachable)
    assert main(["demo", "--json"]) == 1
    output = capsys.readouterr()
    assert json.loads(output.out)["ok"] is False
    assert "TransportError: Cannot connect." in output.err


def test_element_offers_nothing_but_sign() -> None:
    offered = [name for name in dir(demo.SecureElement) if not name.startswith("_")]
    assert offered == ["sign"]
