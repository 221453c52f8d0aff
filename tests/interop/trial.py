"""One cell tried: a connection, or two where the second resumes the first, with data both ways on each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import NamedTuple

from interop.cells import Cell
from interop.peers.base import Peer
from interop.stage import Server
from lighttls import ClientConfig, ConnectionInfo, Identity, LightTLSError, PeerAlert, Session, TLSSocket, connect
from lighttls.crypto.provider import CryptoProvider
from lighttls.iana import Alert, name_of
from lighttls.testing import ec_key, issue
from support import pki

TIMEOUT, DEADLINE = 20.0, 60.0  # seconds, for each wait and for a connection


@cache  # reading an RSA key takes longer than a handshake
def _identity(kind: str) -> Identity | None:
    """We, with a certificate that has such a key (`Cell.device_key`)."""
    shared = pki.shared()
    if kind == "none":
        return None
    if kind == "ecdsa384":
        device = issue("device-ec", ec_key("secp384r1"), issuer=shared.device_ca, extended_key_usage=("client_auth",))
    else:
        device = {"ecdsa": shared.ec_device, "rsa": shared.rsa_device}[kind]
    return Identity.from_pem(shared.device_chain(device) + device.key.to_pem())


class Outcome(NamedTuple):
    """What was seen of a cell in which nothing went wrong that the peer's file does not explain."""

    lacks: dict[str, str]  # by axis, the explanation, and what ended the connection if that is what it did
    ended: bool  # whether a connection ended for it, so that the other axes were not seen


class LastSession:
    """A store of one session, which can be looked at."""

    def __init__(self) -> None:
        self._kept: tuple[bytes, bytes] | None = None

    def load(self, key: bytes) -> bytes | None:
        return self._kept[1] if self._kept and self._kept[0] == key else None

    def save(self, key: bytes, session: bytes) -> None:
        self._kept = (key, session)

    def delete(self, key: bytes) -> None:
        self._kept = None

    @property
    def kind(self) -> str:
        """What it can be resumed by: "none", "ticket", "id"."""
        if self._kept is None:
            return "none"
        return "ticket" if Session.from_bytes(self._kept[1]).facts.ticket else "id"


def attempt(
    peer: Peer, cell: Cell, server: Server, provider: CryptoProvider, dial: Callable[..., TLSSocket] = connect
) -> Outcome:
    """Try one cell.

    Raises AssertionError, or what the connection raised, if anything goes wrong that the peer's file does not explain.
    """
    store = LastSession()
    config = _config(peer, cell, provider, store)
    known = peer.lacks(cell)
    try:
        lacking = set(_one_connection(peer, cell, server, partial(dial, config=config), resumes=False))
        if store.kind != cell.resumption:
            lacking.add("resumption")
        elif cell.resumption != "none":
            lacking |= set(_one_connection(peer, cell, server, partial(dial, config=config), resumes=True))
    except LightTLSError as error:
        for axis, lack in known.items():
            if lack.error is not None and isinstance(error, lack.error):
                return Outcome({axis: f"{lack.why} ({_said(error)})"}, ended=True)
        raise
    unexplained = {axis for axis in lacking if axis not in known or known[axis].error}
    assert not unexplained, f"asked for in vain: {', '.join(sorted(unexplained))}"
    return Outcome({axis: known[axis].why for axis in sorted(lacking)}, ended=False)


def _config(peer: Peer, cell: Cell, provider: CryptoProvider, store: LastSession) -> ClientConfig:
    return pki.config(
        identity=_identity(cell.device_key),
        cipher_suites=[cell.suite],
        groups=cell.groups,
        sessions=store if cell.resumption != "none" else None,
        offer_tickets=cell.resumption == "ticket",
        max_fragment_length=cell.max_fragment_length,
        record_size_limit=cell.record_size_limit,
        provider=provider,
        **peer.settings,
    )


def _one_connection(
    peer: Peer, cell: Cell, server: Server, dial: Callable[..., TLSSocket], *, resumes: bool
) -> Iterator[str]:
    """Connect, talk and part; the axes on which the server did not do as asked."""
    with dial(server.address, server_hostname="localhost", timeout=TIMEOUT, deadline=DEADLINE) as tls:
        peer.talk(tls)
        info = tls.info
    assert info.cipher_suite == cell.suite
    if info.session_resumed:
        assert resumes
    else:
        assert info.group == cell.group
        assert info.client_certificate_sent is (cell.device != "none")
        if resumes:
            yield "resumption"
    if not _size_was_agreed(cell, info):
        yield "size"
    _compare(peer.seen(server.log()), cell, info)


def _size_was_agreed(cell: Cell, info: ConnectionInfo) -> bool:
    if cell.max_fragment_length:
        return info.max_fragment_length == cell.max_fragment_length
    return cell.record_size_limit is None or info.record_size_limit is not None


def _compare(seen: dict[str, str], cell: Cell, info: ConnectionInfo) -> None:
    """Both sides must have seen the same, as far as the server says what it saw."""
    ours = {"suite": cell.suite.name, "resumed": "yes" if info.session_resumed else "no"}
    if not info.session_resumed:
        ours["group"] = cell.group.name.lower()
        ours["client"] = {"none": "-", "ecdsa": "device-ec", "rsa": "device-rsa"}[cell.device]
    for key, value in ours.items():
        assert seen.get(key, value) == value, f"the server saw {key}={seen[key]}, we {value}"


def _said(error: LightTLSError) -> str:
    if isinstance(error, PeerAlert):
        return f"its alert: {name_of(Alert, error.description)}"
    return f"our {type(error).__name__}"
