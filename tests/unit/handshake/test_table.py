"""The table's engine: what has no row, what a handler may return, and who may make a proof."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import lighttls
from lighttls.errors import DecryptError, InternalError, UnexpectedMessage
from lighttls.handshake import (
    ENDS_A_FLIGHT,
    ROWS_BY_NUMBER,
    TABLE,
    ChangeCipherSpec,
    Connected,
    FullHandshake,
    Output,
    SignatureReady,
    Transcript,
    row_on,
    step,
    table,
)
from lighttls.handshake.output import Refuse
from lighttls.handshake.states import WaitFinished, WaitServerHello
from lighttls.messages import Finished, HelloRequest, ServerHello, ServerHelloDone

UNKNOWN: Any = None


def output() -> Output:
    return Output(Transcript(UNKNOWN))


def connected() -> Connected:
    return Connected(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)


def advance(out: Output, state: Any, happening: Any) -> Any:
    return step(out, row_on(state, happening), state, happening)


def test_pair_without_a_row_is_unexpected_and_names_both() -> None:
    with pytest.raises(UnexpectedMessage, match="Finished while the client was in state WaitServerHello"):
        advance(output(), WaitServerHello(UNKNOWN), Finished(b""))
    with pytest.raises(UnexpectedMessage, match="ChangeCipherSpec while the client was in state Connected"):
        advance(output(), connected(), ChangeCipherSpec())


def test_pair_with_a_row_runs_its_handler() -> None:
    out, state = output(), connected()
    assert advance(out, state, HelloRequest()) is state
    assert out.actions == [Refuse()]


def test_handler_that_leads_outside_its_row_is_our_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def astray(out: Output, state: Any, message: Any) -> Any:
        return WaitServerHello(UNKNOWN)

    row = table.Row(Connected, HelloRequest, astray, (Connected,), 0)
    monkeypatch.setitem(table._INDEX, (Connected, HelloRequest), row)
    with pytest.raises(InternalError, match="astray led to WaitServerHello, which its row does not allow"):
        advance(output(), connected(), HelloRequest())


def test_error_of_a_handler_passes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(out: Output, state: Any, message: Any) -> Any:
        raise DecryptError("no")

    row = table.Row(Connected, HelloRequest, failing, (Connected,), 0)
    monkeypatch.setitem(table._INDEX, (Connected, HelloRequest), row)
    with pytest.raises(DecryptError):
        advance(output(), connected(), HelloRequest())


def test_each_pair_has_one_row() -> None:
    pairs = [(row.state, row.message) for row in TABLE]
    assert len(pairs) == len(set(pairs))
    assert all(row.targets for row in TABLE)


def test_message_is_found_by_its_number_if_it_has_a_row() -> None:
    """So that its header is refused before its body is kept."""
    assert ROWS_BY_NUMBER[WaitServerHello, 2].message is ServerHello
    assert ROWS_BY_NUMBER[WaitServerHello, 0].message is HelloRequest
    for kind, number in ((WaitServerHello, 20), (WaitServerHello, 99), (type(None), 2)):
        assert (kind, number) not in ROWS_BY_NUMBER


def test_rows_of_messages_without_fields_and_of_finished_know_their_length() -> None:
    """REC-23."""
    lengths = {row.message: row.length for row in TABLE if row.length is not None}
    assert lengths == {HelloRequest: 0, ServerHelloDone: 0, Finished: 12}


def test_flight_ends_where_the_server_waits_for_us_or_is_done() -> None:
    """REC-20: and so does every row that a last message runs, whether we answer at once or later."""
    assert frozenset({ServerHelloDone, SignatureReady, Finished}) == ENDS_A_FLIGHT


def test_hello_request_is_refused_between_change_cipher_spec_and_finished() -> None:
    """CCS-08."""
    assert (WaitFinished, 0) not in ROWS_BY_NUMBER
    assert ROWS_BY_NUMBER[WaitFinished, 20].message is Finished


@pytest.mark.parametrize(
    ("proof", "file", "function"),
    [
        ("PeerVerified", "on_certificate.py", "verified_peer"),
        ("RawKeyVerified", "on_raw_public_key.py", "on_raw_public_key"),
        ("KeyExchangeVerified", "on_server_key_exchange.py", "on_server_key_exchange"),
        ("PskHandshake", "on_psk.py", "on_psk_done"),
        ("Resumption", "resumption.py", "resume"),
        ("FinishedVerified", "on_finished.py", "_verified"),
    ],
)
def test_proof_is_made_in_one_function_only(proof: str, file: str, function: str) -> None:
    """`Connected` takes all: whoever gets there has passed every check of a full handshake, has a key, or resumes."""
    source = Path(lighttls.__file__).parent
    makers = [
        (path.name, made_in.name)
        for path in source.rglob("*.py")
        for made_in in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(made_in, ast.FunctionDef)
        for call in ast.walk(made_in)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == proof
    ]
    assert makers == [(file, function)]
    taken = [*Connected.__annotations__.values(), *FullHandshake.__annotations__.values()]
    assert proof in " | ".join(taken).split(" | ")
