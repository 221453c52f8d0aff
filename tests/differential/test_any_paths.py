"""Chains that are good or nearly so, with flaws that nobody thought of: the short way and the search judge them alike.

An engine that takes every signature for good lets a chain get as far as what it says allows.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from lighttls.crypto import by_name
from lighttls.errors import CertificateError, ConfigurationError
from lighttls.testing import der_writer as der
from lighttls.x509 import TrustStore, signatures, verify, verify_chain
from support import certificates as kit
from support import facts, require

CHAINS = 1000
HOST = "host.example"
P256 = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7"))
RSA = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
SPKIS = (
    der.sequence(P256, der.bit_string(b"\x04" + bytes(64))),
    der.sequence(RSA, der.bit_string(der.sequence(der.integer((1 << 2047) + 1), der.integer(65537)))),
)
FOR_SERVERS, FOR_CLIENTS, FOR_ANY = (der.oid(oid) for oid in ("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"))
PLACE, POLICY = der.sequence(der.oid("1.2.3"), der.implicit(6, b"http://x")), der.sequence(der.oid("1.2.3"))
EITHER = {
    kit.EXTENDED_KEY_USAGE: (False, der.sequence(FOR_SERVERS, FOR_CLIENTS)),
    kit.SUBJECT_KEY_IDENTIFIER: (False, der.octet_string(b"id")),
    kit.AUTHORITY_KEY_IDENTIFIER: (False, der.sequence(der.implicit(0, b"id"))),
    kit.CERTIFICATE_POLICIES: (False, der.sequence(POLICY)),
    kit.AUTHORITY_INFO_ACCESS: (False, der.sequence(PLACE)),
    "1.2.3": (False, b"anything"),
}
OF_SERVERS = {
    kit.SUBJECT_ALT_NAME: (False, der.sequence(der.implicit(2, HOST.encode()), der.implicit(7, bytes(4)))),
    kit.KEY_USAGE: (True, der.named_bits(0)),
    kit.BASIC_CONSTRAINTS: (True, der.sequence()),
}
ODD = (
    *((kit.BASIC_CONSTRAINTS, der.sequence(der.boolean(True), der.integer(most))) for most in (0, 1, 128)),
    *((kit.KEY_USAGE, der.named_bits(*bits)) for bits in ((0,), (1,), (5,), (6,), (0, 5), (5, 8))),
    *((kit.EXTENDED_KEY_USAGE, der.sequence(one)) for one in (FOR_SERVERS, FOR_CLIENTS, FOR_ANY)),
    kit.constraints(permitted=[der.implicit(2, b"other.example")])[::2],
    (kit.POLICY_CONSTRAINTS, der.sequence(der.implicit(0, b"\0"))),
    (kit.POLICY_MAPPINGS, der.sequence(der.sequence(der.oid("1.2.3"), der.oid("2.5.29.32.0")))),
    (kit.INHIBIT_ANY_POLICY, der.integer(-1)),
    (kit.CERTIFICATE_POLICIES, der.sequence(POLICY, POLICY)),
    ("1.3.6.1.5.5.7.1.24", der.sequence(der.integer(5))),
)


class Believing:
    """The native engine, but every signature verifies."""

    def __getattr__(self, name: str) -> Any:
        return getattr(by_name("native"), name)

    def verify(self, *_: object) -> None:
        return None


def flipped(random: Random, data: bytes) -> bytes:
    """One bit is another one, near the start of what is long."""
    at = random.randrange(min(len(data), 40))
    return data[:at] + bytes((data[at] ^ 1 << random.randrange(8),)) + data[at + 1 :]


def spoil(random: Random, fields: dict[str, Any], extensions: dict[str, tuple[bool, bytes]]) -> None:
    known, (critical, value) = random.choice(list(extensions.items()))
    what = random.randrange(10)
    if what == 0:
        del extensions[known]
    elif what == 1:
        extensions[known] = not critical, value
    elif what <= 3:
        extensions[known] = critical, flipped(random, value)
    elif what <= 6:
        oid, value = random.choice(ODD)
        extensions[oid] = random.random() < 0.5, value
    elif what == 7:
        fields["spki"] = flipped(random, random.choice(SPKIS))
    elif what == 8:
        algorithm = random.choice(list(signatures.ALGORITHMS))
        fields |= dict.fromkeys(random.choice((("inner",), ("outer",), ("inner", "outer"))), algorithm)
    else:
        fields[random.choice(("not_before", "not_after"))] = kit.NOW + random.randrange(-1, 2)


def certificate(random: Random, height: int, top: int, flawed: bool) -> bytes:
    """One of a chain from 0, the server, to `top`, the root."""
    own = {oid: (critical, value) for oid, critical, value in kit.ca()} if height else OF_SERVERS
    extensions = {**own, **{oid: EITHER[oid] for oid in EITHER if random.random() < 0.5}}
    fields: dict[str, Any] = {"spki": random.choice(SPKIS), "issuer_name": kit.name(f"{min(height + 1, top)}")}
    if flawed:
        spoil(random, fields, extensions)
    fields["extensions"] = [(oid, *rest) for oid, rest in extensions.items()]
    return kit.make(f"{height}", kit.ec_key("any"), signature=b"any", **fields).der


def outcome(chain: list[bytes], purpose: str) -> object:
    given: Any = {"server_hostname": HOST, "at": kit.NOW, "provider": Believing(), "purpose": purpose}
    try:
        path = verify_chain(chain[:-1], TrustStore.from_der(chain[-1]), **given)
    except (CertificateError, ConfigurationError) as error:
        return getattr(error, "reason", "no anchor"), str(error)
    return [each.der for each in path.certificates]


def test_any_chain_is_judged_as_by_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    require.native()
    random, accepted = Random(5280), 0
    for _ in range(CHAINS):
        top, flawed = random.randrange(1, 4), random.choice((None, 0, 1, 2, 3))
        chain = [certificate(random, height, top, height == flawed) for height in range(top + 1)]
        purpose = random.choice(("server_auth", "client_auth", "any"))
        found = outcome(chain, purpose)
        with monkeypatch.context() as patched:
            patched.setattr(verify, "ordinary_path", lambda *_: None)
            assert found == outcome(chain, purpose), [each.hex() for each in chain]
        accepted += isinstance(found, list)
        for each in chain:
            if (row := facts.row_in_c(each)) is not None:
                facts.check_facts(each, row)
    assert CHAINS / 4 < accepted < CHAINS * 3 / 4
