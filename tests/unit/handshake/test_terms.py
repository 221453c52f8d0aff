"""What the answers in a ServerHello come to: kept for one configuration, bounded, and by host and offer."""

from __future__ import annotations

from typing import Any

import pytest

from lighttls import ClientConfig, ClientConnection, IllegalParameter, MemorySessionStore, UnsupportedExtension
from lighttls.crypto.suites import SUITES
from lighttls.handshake import Client, on_server_hello
from lighttls.handshake.states import Connected, Offer, Terms
from lighttls.iana import CipherSuite, ExtensionType
from lighttls.x509 import reference_name
from support import pki
from support.memory_server import MemoryServer, connect

SUITE = SUITES[CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]
RENEGOTIATION = {ExtensionType.RENEGOTIATION_INFO: b"\0"}


def offer(config: ClientConfig, host: str = "localhost", *types: int) -> Offer:
    client = Client(config, config.provider, reference_name(host))
    return Offer(client, bytes(32), None, b"", frozenset((ExtensionType.RENEGOTIATION_INFO, *types)))


def terms(asked: Offer, answers: dict[int, bytes]) -> Terms:
    return on_server_hello._terms(asked, SUITE, answers, None)


def test_connections_that_got_the_same_answers_share_what_they_come_to(provider: Any) -> None:
    config = pki.config(provider=provider)
    found = []
    for _ in range(2):
        connection = ClientConnection(config, "localhost")
        connect(connection, MemoryServer())
        assert isinstance(connection._state, Connected)
        found.append(connection._state.agreed.terms)
    assert found[0] is found[1]


def test_answers_are_judged_anew_for_each_offer_host_and_answer(provider: Any) -> None:
    config = pki.config(provider=provider)
    first = terms(offer(config), RENEGOTIATION)
    assert terms(offer(config), RENEGOTIATION) is first
    assert terms(offer(config, "other.example"), RENEGOTIATION) is not first
    asked = offer(config, "localhost", ExtensionType.EXTENDED_MASTER_SECRET)
    assert not terms(asked, RENEGOTIATION).extended_master_secret
    assert terms(asked, {**RENEGOTIATION, ExtensionType.EXTENDED_MASTER_SECRET: b""}).extended_master_secret
    assert terms(asked, RENEGOTIATION).unanswered == {ExtensionType.EXTENDED_MASTER_SECRET}


def test_answers_are_judged_anew_under_another_suite(provider: Any) -> None:
    """OCSP-03: a status may come with a certificate, and there is none with a pre-shared key."""
    asked = offer(pki.config(provider=provider), "localhost", ExtensionType.STATUS_REQUEST)
    with_status = {**RENEGOTIATION, ExtensionType.STATUS_REQUEST: b""}
    assert terms(asked, with_status).status_announced
    pre_shared = SUITES[CipherSuite.TLS_PSK_WITH_AES_128_CCM_8]
    with pytest.raises(IllegalParameter):
        on_server_hello._terms(asked, pre_shared, with_status, None)


def test_refused_answers_are_refused_each_time(provider: Any) -> None:
    """SH-14."""
    config = pki.config(provider=provider)
    with_ticket = {**RENEGOTIATION, ExtensionType.SESSION_TICKET: b""}
    assert terms(offer(config, "localhost", ExtensionType.SESSION_TICKET), with_ticket).ticket_announced
    for _ in range(2):
        with pytest.raises(UnsupportedExtension):
            terms(offer(config), with_ticket)


def test_only_so_many_are_kept_and_none_with_timestamps(provider: Any) -> None:
    config = pki.config(provider=provider, sessions=MemorySessionStore())
    kept: dict[Any, Terms] = config.derived("terms", lambda _: {})
    for number in range(100):
        terms(offer(config, f"host{number}.example"), RENEGOTIATION)
        assert 1 <= len(kept) <= 16
    before = dict(kept)
    timestamps = {**RENEGOTIATION, ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP: b"\0\3\0\1x"}
    asked = offer(config, "localhost", ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP)
    assert terms(asked, timestamps).sct_list == b"\0\3\0\1x"
    assert kept == before
