"""Certificate policies: under which rules a chain was issued, and whether somebody wants others (RFC 5280 section 6.1).

The standard's tree of valid policies can grow exponentially with the length of the path, so this is the graph of
RFC 9618, which gives the same answers: at each height a policy is one node, whatever led to it, and the edges of all
nodes are no more than the policies and mappings that the certificates list. The node of anyPolicy, which has no
other parents and children than its like, is a flag. Nothing is pruned on the way: a node without children harms
nobody, and the last step walks from the leaf upwards.

All this matters only if somebody demands a policy: the owner of the device, or an authority by policyConstraints.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from lighttls._typing import Final
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import der
from lighttls.x509.certificate import Certificate
from lighttls.x509.extensions import ANY_POLICY
from lighttls.x509.policy import VerifyPolicy

Spend = Callable[[int], None]
"""Takes a number of steps from the search's budget, and raises when it is used up. A step is a node or an edge."""

_NAMES_SHOWN: Final = 6


def check(path: Sequence[Certificate], anchor: Certificate | None, policy: VerifyPolicy, spend: Spend) -> None:
    """Accept `path` (leaf first, without its anchor) if it has a policy wherever one is demanded.

    What the anchor's own certificate demands counts as if `policy` said so, as in RFC 5937; the policies it
    lists do not, since roots name in them what they are themselves run by.
    """
    explicit, mapping, any_policy = _initial(len(path), anchor, policy)
    graph = _Graph()
    for certificate in reversed(path):
        last = certificate is path[0]
        counted = not certificate.self_issued
        listed = certificate.certificate_policies
        policies = frozenset() if listed is None else listed.policies
        spend(1 + len(policies) + len(certificate.policy_mappings) + graph.edges)
        graph.descend(policies, any_policy > 0 or not (counted or last))
        if last:
            break
        if explicit == 0 and graph.empty:
            raise _none_left(certificate)
        graph.translate(certificate.policy_mappings, mapping > 0)
        if counted:  # RFC 5280 6.1.4 h
            explicit, mapping, any_policy = max(explicit - 1, 0), max(mapping - 1, 0), max(any_policy - 1, 0)
        explicit, mapping, any_policy = _tightened(certificate, explicit, mapping, any_policy)
    # RFC 5280 6.1.5: the leaf too may end the patience of those above
    constraints = path[0].policy_constraints
    if explicit > 1 and (constraints is None or constraints.require_explicit_policy != 0):
        return
    if graph.empty:
        raise _none_left(path[0])
    wanted = policy.initial_policies
    if wanted is not None and not graph.any_policy and wanted.isdisjoint(found := graph.authorised()):
        raise CertificateError(
            f"is issued under {_listed(found)}, and wanted is {_listed(wanted)}",
            ChainReason.CERTIFICATE_POLICY,
            culprit=path[0],
        )


def _initial(size: int, anchor: Certificate | None, policy: VerifyPolicy) -> tuple[int, int, int]:
    """The three counters of RFC 5280 6.1.2 (d) to (f): how many certificates may still do without."""
    explicit = 0 if policy.require_explicit_policy else size + 1
    mapping = 0 if policy.inhibit_policy_mapping else size + 1
    any_policy = 0 if policy.inhibit_any_policy else size + 1
    return (explicit, mapping, any_policy) if anchor is None else _tightened(anchor, explicit, mapping, any_policy)


def _tightened(authority: Certificate, explicit: int, mapping: int, any_policy: int) -> tuple[int, int, int]:
    """The counters after what an authority says about those below it (RFC 5280 6.1.4 i, j)."""
    constraints = authority.policy_constraints
    if constraints is not None:
        if constraints.require_explicit_policy is not None:
            explicit = min(explicit, constraints.require_explicit_policy)
        if constraints.inhibit_policy_mapping is not None:
            mapping = min(mapping, constraints.inhibit_policy_mapping)
    if authority.inhibit_any_policy is not None:
        any_policy = min(any_policy, authority.inhibit_any_policy)
    return explicit, mapping, any_policy


class _Graph:
    """The policies that hold so far, one level for each certificate from the anchor's side."""

    __slots__ = ("_expected", "_levels", "any_policy")

    any_policy: bool
    """The node of anyPolicy is there: the certificates so far hold for every policy."""
    _levels: list[dict[bytes, Collection[bytes]]]
    """Each: the policies of one certificate, and the policies above that each stands for; none below anyPolicy."""
    _expected: dict[bytes, list[bytes]]
    """What the next certificate may say, and the policies of the last level that this stands for."""

    def __init__(self) -> None:
        self.any_policy = True
        self._levels = []
        self._expected = {}

    @property
    def empty(self) -> bool:
        """No policy holds for all certificates so far."""
        return not self.any_policy and not self._levels[-1]

    @property
    def edges(self) -> int:
        """How many lead on from the last level."""
        return sum(map(len, self._expected.values()))

    def descend(self, policies: frozenset[bytes], any_counts: bool) -> None:
        """Add a certificate (RFC 5280 6.1.3 d, e). `any_counts`: anyPolicy in it means what it says."""
        expected = self._expected
        nodes: dict[bytes, Collection[bytes]] = {}
        for policy in policies:
            if policy in expected:
                nodes[policy] = expected[policy]
            elif self.any_policy and policy != ANY_POLICY:
                nodes[policy] = ()
        if ANY_POLICY in policies and any_counts:
            for policy, above in expected.items():
                nodes.setdefault(policy, above)
        else:
            self.any_policy = False
        self._levels.append(nodes)
        self._expected = {policy: [policy] for policy in nodes}

    def translate(self, mappings: Iterable[tuple[bytes, bytes]], allowed: bool) -> None:
        """Apply the last certificate's policyMappings (RFC 5280 6.1.4 b)."""
        nodes = self._levels[-1]
        mapped = {issuers for issuers, _ in mappings}
        for policy in mapped:
            if not allowed:
                nodes.pop(policy, None)
            elif self.any_policy:
                nodes.setdefault(policy, ())
        self._expected = {policy: [policy] for policy in nodes if policy not in mapped}
        for policy, subjects in mappings:
            if policy in nodes:
                self._expected.setdefault(subjects, []).append(policy)

    def authorised(self) -> set[bytes]:
        """The policies, in the words of the topmost certificate that names them, that hold for the last one.

        RFC 5280 6.1.5 g (iii) 1: the nodes below anyPolicy, of those from which a way leads to the last level.
        """
        found: set[bytes] = set()
        reached: set[bytes] = set(self._levels[-1])
        for nodes in reversed(self._levels):
            above: set[bytes] = set()
            for policy in reached:
                above.update(nodes[policy])
                if not nodes[policy]:
                    found.add(policy)
            reached = above
        return found


def _none_left(certificate: Certificate) -> CertificateError:
    listed = certificate.certificate_policies
    own = "has no certificatePolicies" if listed is None else f"has {_listed(listed.policies)}"
    return CertificateError(
        f"{own}, which leaves no policy that holds from the anchor down to it, and one is demanded",
        ChainReason.CERTIFICATE_POLICY,
        culprit=certificate,
    )


def _listed(policies: Collection[bytes]) -> str:
    first = sorted(policies)[:_NAMES_SHOWN]  # a hostile list has thousands
    shown = ", ".join("anyPolicy" if policy == ANY_POLICY else der.dotted(policy) for policy in first) or "no policy"
    more = len(policies) - len(first)
    return f"{shown} and {more} more" if more else shown
