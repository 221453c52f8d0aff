"""The server's ephemeral key: type, group and form (RFC 8422 §5.4), and then what we make of it."""

from __future__ import annotations

from lighttls._typing import TYPE_CHECKING
from lighttls.config import ClientConfig
from lighttls.errors import IllegalParameter
from lighttls.iana import NamedGroup, name_of

if TYPE_CHECKING:
    from lighttls.crypto.provider import Premaster
    from lighttls.handshake.states import Client

_NAMED_CURVE = 3
_POINT_LENGTH = {
    NamedGroup.X25519: 32,
    NamedGroup.SECP256R1: 65,
    NamedGroup.SECP384R1: 97,
}


def judge_curve_type(params: bytes) -> None:
    """SKE-02: parameters of another type have another shape, so this is looked at before they are parsed."""
    if params and params[0] != _NAMED_CURVE:
        raise IllegalParameter(f"the server's key exchange has curve type {params[0]}, expected a named curve")


def judge_point(config: ClientConfig, named_curve: int, public: bytes) -> NamedGroup:
    """A group that we offered, and a point in its form. Whether it is on the curve, ECDH finds out."""
    if named_curve not in config.groups:  # SKE-03
        raise IllegalParameter(f"the server chose the group {name_of(NamedGroup, named_curve)}, which we did not offer")
    group = config.groups[config.groups.index(named_curve)]  # a quarter of the time that the enum takes to find it
    if len(public) != _POINT_LENGTH[group]:  # SKE-06, SKE-09
        raise IllegalParameter(
            f"the server's {group.name} key has {len(public)} bytes, expected {_POINT_LENGTH[group]}"
        )
    if group != NamedGroup.X25519 and public[0] != 4:  # SKE-05
        raise IllegalParameter("the server's point is not in uncompressed form")
    return group


def agree(client: Client, group: NamedGroup, peer_public: bytes) -> tuple[bytes, Premaster]:
    """A fresh public key of ours, and the secret that we share with the server's (SKE-29, SKE-07 to SKE-11).

    Raises IllegalParameter: its point is none of the group; KeyExchangeError: a secure element failed.
    """
    public, premaster = client.provider.key_agreement(group, client.config.random, peer_public)
    exchange = client.config.key_exchange
    if exchange is None or group not in exchange.groups:
        return public, premaster
    premaster.wipe()  # the engine has judged the point (SKE-05), which not every element does
    from lighttls.handshake.key_agreement import agree_outside

    return agree_outside(client.provider, exchange, group, peer_public)
