"""The handshake with a pre-shared key from inside: secrets that are dropped, and those that are in no repr."""

from __future__ import annotations

from typing import Any

import pytest

from lighttls import ClientConfig, ConfigurationError, Psk
from lighttls.crypto import SUITES
from lighttls.handshake import Client, Output, Transcript, wipe_secrets
from lighttls.handshake.on_psk import on_psk_done
from lighttls.handshake.states import Agreed, WaitPskDone, WaitPskHint, WaitPskParams
from lighttls.iana import CipherSuite, NamedGroup
from lighttls.messages import EcdhePskClientKeyExchange, Finished, ServerHelloDone
from lighttls.x509 import reference_name
from support import handshakes, inside
from support.handshakes import CLIENT_RANDOM, SERVER_RANDOM

UNKNOWN: Any = None
ECDHE = CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256
SHARED, KEY = bytes(range(64, 96)), bytes(range(96, 112))


def agreed(provider: Any, psk: Any, extended: bool = True) -> Agreed:
    config = ClientConfig(trust=None, psk=psk, cipher_suites=[ECDHE], provider=provider)
    return handshakes.agreed(Client(config, provider, reference_name("localhost")), SUITES[ECDHE], extended)


def waiting(provider: Any, psk: Any, extended: bool = True) -> WaitPskDone:
    secret = provider.premaster(bytearray(SHARED))
    return WaitPskDone(agreed(provider, psk, extended), b"", NamedGroup.X25519, b"\1" * 32, secret)


@pytest.mark.parametrize("extended", [True, False], ids=["extended", "plain"])
def test_master_secret_comes_of_ecdh_and_key(provider: Any, extended: bool) -> None:
    """RFC 5489 §2 and RFC 7627 §4, written a second time: uint16 and the ECDH secret, uint16 and the key."""
    out = Output(Transcript(provider))
    out.transcript.add(b"what went before")
    after = on_psk_done(out, waiting(provider, Psk("me", KEY), extended), ServerHelloDone())

    premaster = bytes.fromhex("0020") + SHARED + bytes.fromhex("0010") + KEY
    exchanged = b"what went before" + EcdhePskClientKeyExchange(b"me", b"\1" * 32).encode()
    label, seed = b"master secret", CLIENT_RANDOM + SERVER_RANDOM
    if extended:
        label, seed = b"extended master secret", provider.digest("sha256", exchanged)
    master = inside.expected_prf("sha256", premaster, label, seed, 48)
    assert after.schedule.master_secret() == master
    verify_data = inside.expected_prf("sha256", master, b"client finished", provider.digest("sha256", exchanged), 12)
    assert out.transcript.raw() == exchanged + Finished(verify_data).encode()


def test_ecdh_secret_is_dropped_with_the_state_that_holds_it(provider: Any) -> None:
    """FIN-08."""
    state = waiting(provider, Psk("me", KEY))
    assert inside.premaster_bytes(state.shared) == SHARED
    wipe_secrets(state)
    assert not any(inside.premaster_bytes(state.shared))
    for nothing_to_drop in (
        WaitPskDone(UNKNOWN, None, None, b"", None),
        WaitPskHint(UNKNOWN),
        WaitPskParams(UNKNOWN),
    ):
        wipe_secrets(nothing_to_drop)


def test_nothing_is_sent_where_no_key_is_found(provider: Any) -> None:
    def choose(request: object) -> Psk:
        raise LookupError

    out = Output(Transcript(provider))
    with pytest.raises(ConfigurationError):
        on_psk_done(out, waiting(provider, choose), ServerHelloDone())
    assert out.actions == []


def test_secret_shows_in_no_repr(provider: Any) -> None:
    """PROF-05."""
    shown = repr(WaitPskDone(UNKNOWN, b"hint", NamedGroup.X25519, b"", provider.premaster(bytearray(SHARED))))
    assert "shared=…" in shown
    assert "hint" in shown
