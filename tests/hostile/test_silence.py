"""A server that closes without an alert: what `explain` makes of it depends on what it had asked for."""

from __future__ import annotations

import pytest

from hostile import certificates
from hostile.cases import client
from hostile.link import drive
from hostile.server import FIRST_WITHOUT_HINT, Server
from lighttls import Psk, errors, explain

PSK = {"trust": None, "psk": Psk("device 7", bytes(range(32))), "cipher_suites": [0x00A8]}


@pytest.mark.parametrize(
    ("settings", "script", "said"),
    [
        ({}, {"request": True}, "client certificate and got none"),
        ({"identity": "p256/device"}, {"request": True}, "may not accept ours"),
        (
            {"identity": "p256/device", "offer_tickets": True},
            {"request": True, "ticket": b"new"},
            "may not accept ours",
        ),
        (PSK, {"psk": bytes(range(32)), "first": FIRST_WITHOUT_HINT}, "may not know our identity"),
        ({}, {}, "The connection was cut"),
        ({"identity": "p256/device"}, {"request": True, "first": ["server_hello"]}, "The connection was cut"),
    ],
    ids=["no certificate", "certificate", "with a ticket announced", "pre-shared key", "not asked", "asked later"],
)
def test_server_that_closes_at_our_finished_is_explained_by_what_it_asked_for(provider, settings, script, said):
    connection = client(provider, **settings)
    drive(connection, Server(certificates.leaf(), **script, second=[]))
    with pytest.raises(errors.TruncatedStream) as caught:
        connection.receive_eof()
    assert said in explain(caught.value)
