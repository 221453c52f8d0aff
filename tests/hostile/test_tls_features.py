"""What a certificate promises of its server's answers (RFC 7633), beyond the cases of test_ocsp_verdict (OCSP-16)."""

from __future__ import annotations

from itertools import combinations

from hostile import certificates as pki
from hostile import wire
from hostile.cases import check_alive, check_refusal, client
from hostile.link import drive
from hostile.server import Server
from lighttls import CertificateError, ClientConnection

ANSWERS = {0: b"", 11: b"\x01\x00", 16: b"\x00\x03\x02h2", 18: b"\x00\x03\x00\x01x", 23: b""}
PROMISED = {16, 18}


def test_promise_is_held_against_each_servers_own_answers_however_they_differ(provider):
    """OCSP-16: one configuration, and more sets of answers than it remembers."""
    config = client(provider, alpn_protocols=("h2",), request_scts=True)._client.config
    leaf = pki.leaf(features=tuple(sorted(PROMISED)))
    for chosen in [set(some) for count in range(6) for some in combinations(ANSWERS, count)]:
        extensions = [(wire.RENEGOTIATION_INFO, b"\x00"), *((number, ANSWERS[number]) for number in chosen)]
        server = Server(leaf, hello={"extensions": extensions}, extended_master_secret=23 in chosen)
        link = drive(ClientConnection(config, pki.HOST), server)
        if chosen >= PROMISED:
            check_alive(link)
        else:
            check_refusal(link, wire.BAD_CERTIFICATE, CertificateError)
            assert str(sorted(PROMISED - chosen)) in str(link.error)
