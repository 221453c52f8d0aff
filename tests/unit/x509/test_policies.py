"""Certificate policies: the graph of RFC 9618 gives the answers of RFC 5280's tree, in bounded work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from time import process_time

import pytest

from lighttls.errors import CertificateError, ChainReason, ConfigurationError
from lighttls.testing import der_writer as der
from lighttls.x509 import TrustStore, VerifiedPath, VerifyPolicy, path, policies, verify_chain
from lighttls.x509.extensions import ANY_POLICY, CertificatePolicies, PolicyConstraints
from support import certificates as kit

A, B, C = (f"1.2.{number}" for number in (3, 4, 5))
ANY = "2.5.29.32.0"


def listing(*oids: str, critical: bool = False, qualifier: str = "") -> kit.Extension:
    qualifiers = [der.sequence(der.sequence(der.oid(qualifier), der.null()))] if qualifier else []
    return kit.CERTIFICATE_POLICIES, critical, der.sequence(*(der.sequence(der.oid(o), *qualifiers) for o in oids))


def mapping(*pairs: tuple[str, str]) -> kit.Extension:
    return kit.POLICY_MAPPINGS, True, der.sequence(*(der.sequence(der.oid(a), der.oid(b)) for a, b in pairs))


def demand(require: int | None = None, inhibit_mapping: int | None = None, critical: bool = True) -> kit.Extension:
    counts = [
        der.implicit(n, bytes([count])) for n, count in enumerate((require, inhibit_mapping)) if count is not None
    ]
    return kit.POLICY_CONSTRAINTS, critical, der.sequence(*counts)


def inhibit_any(count: int) -> kit.Extension:
    return kit.INHIBIT_ANY_POLICY, True, der.integer(count)


def judge(
    root: Sequence[kit.Extension], middle: Sequence[kit.Extension], leaf: Sequence[kit.Extension], **settings: object
) -> VerifiedPath:
    anchor = kit.make("Root", kit.ec_key("Root"), extensions=[*kit.ca(), *root])
    authority = kit.authority("Middle", anchor, extensions=[*kit.ca(), *middle])
    server = kit.server(authority, extensions=[*kit.host("host.example"), *leaf])
    return verify_chain(
        [server.der, authority.der],
        TrustStore.from_der(anchor.der),
        server_hostname="host.example",
        at=kit.NOW,
        policy=VerifyPolicy(**settings),  # type: ignore[arg-type]
    )


def refusal(*certificates: Sequence[kit.Extension], **settings: object) -> CertificateError:
    with pytest.raises(CertificateError) as caught:
        judge(*certificates, **settings)  # type: ignore[arg-type]
    return caught.value


class TestThroughVerifyChain:
    def test_policies_that_do_not_fit_are_no_matter_while_nobody_demands_one(self) -> None:
        assert judge([listing(A)], [listing(B)], [listing(C)], initial_policies=[A])
        assert judge([], [inhibit_any(0), demand(inhibit_mapping=0)], [listing(ANY)], inhibit_any_policy=True)

    def test_the_same_policy_all_the_way_fulfils_a_demand(self) -> None:
        assert judge([], [listing(A, B)], [listing(B, C)], require_explicit_policy=True)
        assert judge([], [listing(A, B)], [listing(B, C)], require_explicit_policy=True, initial_policies=[B])

    def test_policy_that_is_not_wanted_is_refused_and_both_are_named(self) -> None:
        error = refusal([], [listing(A, B)], [listing(B, C)], require_explicit_policy=True, initial_policies=[A, C])
        assert error.reason is ChainReason.CERTIFICATE_POLICY
        assert "is issued under 1.2.4, and wanted is 1.2.3, 1.2.5" in str(error)
        assert error.context["depth"] == 0

    def test_long_list_of_policies_is_shortened(self) -> None:
        many = [ANY, *(f"1.2.{number}" for number in range(3, 13))]
        error = refusal([], [], [listing(*many)], require_explicit_policy=True, initial_policies=many[1:])
        assert error.context["depth"] == 1
        error = refusal(
            [], [listing(*many[1:])], [listing(*many)], require_explicit_policy=True, initial_policies=["1.3"]
        )
        assert "is issued under 1.2.3, 1.2.4, 1.2.5, 1.2.6, 1.2.7, 1.2.8 and 4 more, and wanted is 1.3" in str(error)
        error = refusal([], [listing("1.3")], [listing(ANY)], require_explicit_policy=True, inhibit_any_policy=True)
        assert "has anyPolicy, which leaves no policy" in str(error)

    @pytest.mark.parametrize(
        ("middle", "leaf", "depth", "said"),
        [
            ([listing(A)], [], 0, "no certificatePolicies"),
            ([], [listing(A)], 1, "no certificatePolicies"),
            ([listing(A)], [listing(B)], 0, "has 1.2.4, which leaves no policy"),
        ],
    )
    def test_certificate_that_leaves_no_policy_is_named(
        self, middle: list[kit.Extension], leaf: list[kit.Extension], depth: int, said: str
    ) -> None:
        error = refusal([], middle, leaf, require_explicit_policy=True)
        assert error.reason is ChainReason.CERTIFICATE_POLICY
        assert error.context["depth"] == depth
        assert said in str(error)

    @pytest.mark.parametrize("critical", [True, False])
    def test_authority_may_demand_a_policy(self, critical: bool) -> None:
        """RFC 5280 4.2.1.11 wants it critical. One that is not is obeyed all the same (NIST PKITS has such)."""
        assert refusal([], [listing(A), demand(0, critical=critical)], []).reason is ChainReason.CERTIFICATE_POLICY
        assert judge([], [listing(A), demand(0, critical=critical)], [listing(A)])
        assert judge([], [listing(A), demand(2, critical=critical)], [])

    def test_demands_that_were_met_are_told(self) -> None:
        found = judge([inhibit_any(3)], [listing(A), demand(0, 2)], [listing(A)])
        told = {(each.kind, each.origin, each.detail) for each in found.constraints}
        assert told >= {
            ("policy_constraints", "CN=Middle", "a certificate policy is demanded"),
            ("policy_constraints", "CN=Middle", "policies are not translated after 2 more"),
            ("inhibit_any_policy", "CN=Root", "anyPolicy stands for no policy after 3 more"),
        }

    def test_leaf_may_demand_a_policy_of_itself(self) -> None:
        """RFC 5280 6.1.5 b."""
        assert refusal([], [listing(A)], [listing(B), demand(0)]).reason is ChainReason.CERTIFICATE_POLICY
        assert judge([], [listing(A)], [listing(B), demand(1)])

    def test_anchor_may_demand_a_policy_and_need_not_have_it(self) -> None:
        assert refusal([demand(0)], [listing(A)], [listing(B)]).reason is ChainReason.CERTIFICATE_POLICY
        assert judge([listing(C), demand(0)], [listing(A)], [listing(A)])

    def test_anchor_may_forbid_any_policy_and_mapping(self) -> None:
        assert judge([], [listing(ANY)], [listing(A)], require_explicit_policy=True)
        assert refusal([inhibit_any(0)], [listing(ANY)], [listing(A)], require_explicit_policy=True)
        translated = [listing(A), mapping((A, B))]
        assert judge([], translated, [listing(B)], require_explicit_policy=True)
        assert refusal([demand(inhibit_mapping=0)], translated, [listing(B)], require_explicit_policy=True)
        assert refusal([], translated, [listing(B)], require_explicit_policy=True, inhibit_policy_mapping=True)

    def test_mapped_policy_counts_by_its_name_above(self) -> None:
        translated = [listing(A), mapping((A, B))]
        assert judge([], translated, [listing(B)], require_explicit_policy=True, initial_policies=[A])
        assert refusal([], translated, [listing(B)], require_explicit_policy=True, initial_policies=[B])

    def test_any_policy_in_the_leaf_stands_for_what_is_above(self) -> None:
        wanted = {"require_explicit_policy": True, "initial_policies": [A]}
        assert judge([], [listing(A)], [listing(ANY)], **wanted)
        assert judge([], [listing(ANY)], [listing(ANY)], **wanted)
        assert refusal([], [listing(B)], [listing(ANY)], **wanted)
        assert refusal([], [listing(ANY)], [listing(ANY)], inhibit_any_policy=True, **wanted)

    def test_search_goes_on_to_a_path_under_the_wanted_policy(self) -> None:
        anchor = kit.root("Root")
        wrong, right = (kit.authority("Middle", anchor, extensions=[*kit.ca(), listing(policy)]) for policy in (A, B))
        server = kit.server(right, extensions=[*kit.host("host.example"), listing(A, B)])
        for policy, authority in ((A, wrong), (B, right)):
            found = verify_chain(
                [server.der, wrong.der, right.der],
                TrustStore.from_der(anchor.der),
                server_hostname="host.example",
                at=kit.NOW,
                policy=VerifyPolicy(require_explicit_policy=True, initial_policies=[policy]),
            )
            assert found.certificates[1].der == authority.der

    def test_mapping_of_any_policy_is_refused(self) -> None:
        """RFC 5280 6.1.4 a."""
        for pair in ((ANY, A), (A, ANY)):
            assert refusal([], [listing(A), mapping(pair)], [listing(A)]).reason is ChainReason.PROFILE_VIOLATION

    def test_critical_policies_with_a_qualifier_that_nobody_knows_are_refused(self) -> None:
        """RFC 5280 4.2.1.4."""
        for qualifier in ("1.3.6.1.5.5.7.2.1", "1.3.6.1.5.5.7.2.2"):
            assert judge([], [], [listing(A, critical=True, qualifier=qualifier)])
        assert judge([], [], [listing(A, qualifier="1.2.3.4")])
        error = refusal([], [], [listing(A, critical=True, qualifier="1.2.3.4")])
        assert error.reason is ChainReason.UNKNOWN_CRITICAL_EXTENSION


@dataclass
class Step:
    """What the policy check asks a certificate."""

    listed: frozenset[bytes] | None
    policy_mappings: tuple[tuple[bytes, bytes], ...] = ()
    policy_constraints: PolicyConstraints | None = None
    inhibit_any_policy: int | None = None
    self_issued: bool = False

    @property
    def certificate_policies(self) -> CertificatePolicies | None:
        return None if self.listed is None else CertificatePolicies(self.listed, True)


def graph_accepts(steps: Sequence[Step], anchor: Step | None, policy: VerifyPolicy) -> bool:
    try:
        policies.check(steps, anchor, policy, lambda steps: None)  # type: ignore[arg-type]
    except CertificateError:
        return False
    return True


@dataclass(eq=False)
class Node:
    """A node of RFC 5280's valid_policy_tree."""

    policy: bytes
    expected: frozenset[bytes]
    children: list[Node] = field(default_factory=list)

    def at(self, depth: int) -> list[Node]:
        return [self] if depth == 0 else [deep for child in self.children for deep in child.at(depth - 1)]

    def add(self, policy: bytes, expected: frozenset[bytes] | None = None) -> None:
        self.children.append(Node(policy, frozenset({policy}) if expected is None else expected))

    def prune(self, height: int) -> bool:
        """Whether a way leads from here to a node `height` levels below; without one a child is cut off."""
        if height:
            self.children = [child for child in self.children if child.prune(height - 1)]
        return height == 0 or bool(self.children)


def tree_accepts(steps: Sequence[Step], policy: VerifyPolicy) -> bool:
    """RFC 5280 6.1.2 to 6.1.5, sentence by sentence; `steps` from the leaf up, as in a path."""
    size = len(steps)
    tree: Node | None = Node(ANY_POLICY, frozenset({ANY_POLICY}))
    explicit = 0 if policy.require_explicit_policy else size + 1
    inhibit_any_policy = 0 if policy.inhibit_any_policy else size + 1
    policy_mapping = 0 if policy.inhibit_policy_mapping else size + 1
    for i, step in enumerate(reversed(steps), 1):
        if step.listed is not None and tree is not None:
            for policy_id in step.listed - {ANY_POLICY}:  # 6.1.3 d 1
                parents = [node for node in tree.at(i - 1) if policy_id in node.expected]
                for node in parents or [node for node in tree.at(i - 1) if node.policy == ANY_POLICY]:
                    node.add(policy_id)
            if ANY_POLICY in step.listed and (inhibit_any_policy > 0 or (i < size and step.self_issued)):  # d 2
                for node in tree.at(i - 1):
                    for policy_id in node.expected - {child.policy for child in node.children}:
                        node.add(policy_id)
            tree = tree if tree.prune(i) else None  # d 3
        else:
            tree = None  # e
        if explicit == 0 and tree is None:  # f
            return False
        if i == size:
            break
        issuers = {issuer for issuer, _ in step.policy_mappings}
        for policy_id in issuers if tree is not None else ():  # 6.1.4 b
            assert tree is not None
            subjects = frozenset(subject for issuer, subject in step.policy_mappings if issuer == policy_id)
            nodes = [node for node in tree.at(i) if node.policy == policy_id]
            if policy_mapping > 0:
                for node in nodes:
                    node.expected = subjects
                if not nodes and any(node.policy == ANY_POLICY for node in tree.at(i)):
                    (above,) = (node for node in tree.at(i - 1) if node.policy == ANY_POLICY)
                    above.add(policy_id, subjects)
            else:
                for above in tree.at(i - 1):
                    above.children = [child for child in above.children if child.policy != policy_id]
        if tree is not None and not tree.prune(i):
            tree = None
        if not step.self_issued:  # h
            explicit, policy_mapping = max(explicit - 1, 0), max(policy_mapping - 1, 0)
            inhibit_any_policy = max(inhibit_any_policy - 1, 0)
        if step.policy_constraints is not None:  # i
            if step.policy_constraints.require_explicit_policy is not None:
                explicit = min(explicit, step.policy_constraints.require_explicit_policy)
            if step.policy_constraints.inhibit_policy_mapping is not None:
                policy_mapping = min(policy_mapping, step.policy_constraints.inhibit_policy_mapping)
        if step.inhibit_any_policy is not None:  # j
            inhibit_any_policy = min(inhibit_any_policy, step.inhibit_any_policy)
    explicit = max(explicit - 1, 0)  # 6.1.5 a
    if steps[0].policy_constraints is not None and steps[0].policy_constraints.require_explicit_policy == 0:  # b
        explicit = 0
    wanted = policy.initial_policies
    if tree is not None and wanted is not None:  # g iii
        below_any = [
            (node, child)
            for d in range(size)
            for node in tree.at(d)
            for child in node.children
            if node.policy == ANY_POLICY
        ]
        for node, child in below_any:  # g iii 2
            if child.policy != ANY_POLICY and child.policy not in wanted:
                node.children.remove(child)
        # g iii 3 gives a node of anyPolicy at the lowest level children of wanted policies: it counts as it is
        if not tree.prune(size):
            tree = None
    return explicit > 0 or tree is not None


def random_step(random: Random, oids: Sequence[bytes]) -> Step:
    listed = None if random.random() < 0.05 else frozenset(random.sample(oids, random.randint(1, 3)))
    named = oids[:-1]
    mappings = {(random.choice(named), random.choice(named)) for _ in range(random.randint(0, 3))}
    count = (None, None, None, 0, 1, 2)
    constraints = PolicyConstraints(random.choice(count), random.choice(count)) if random.random() < 0.3 else None
    inhibit = random.choice(count) if random.random() < 0.3 else None
    return Step(listed, tuple(mappings), constraints, inhibit, random.random() < 0.2)


def test_graph_gives_the_answers_of_the_tree() -> None:
    """RFC 9618 §1: the outputs are the same. Short paths over few policies, so that many of them meet."""
    random = Random(9618)
    oids = [*(der.oid(oid)[2:] for oid in (A, B, C, "1.2.6")), ANY_POLICY]
    answers = []
    for _ in range(6000):
        steps = [random_step(random, oids) for _ in range(random.randint(1, 5))]
        wanted = None if random.random() < 0.4 else random.sample((A, B, C), random.randint(1, 2))
        policy = VerifyPolicy(
            initial_policies=wanted,
            require_explicit_policy=random.random() < 0.6,
            inhibit_policy_mapping=random.random() < 0.1,
            inhibit_any_policy=random.random() < 0.1,
        )
        answers.append(tree_accepts(steps, policy))
        assert graph_accepts(steps, None, policy) is answers[-1], (steps, policy)
    assert 1500 < sum(answers) < 4500


def test_path_that_makes_a_tree_explode_is_judged_at_once() -> None:
    """RFC 9618 §3: two policies, each mapped to both, double the tree with each certificate. The graph adds 4 edges."""
    size = path.LONGEST_PATH
    first, second = (der.oid(oid)[2:] for oid in (A, B))
    pairs = ((first, first), (first, second), (second, first), (second, second))
    steps = [Step(frozenset({first, second}), pairs) for _ in range(size)]
    spent: list[int] = []
    start = process_time()
    policy = VerifyPolicy(require_explicit_policy=True, initial_policies=[C])
    with pytest.raises(CertificateError):
        policies.check(steps, None, policy, spent.append)  # type: ignore[arg-type]
    assert process_time() - start < 0.1
    assert sum(spent) < 12 * size


def test_policies_take_their_steps_from_the_budget_of_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [f"1.2.{number}" for number in range(3, 1003)]
    assert judge([], [listing(*many)], [listing(*many)], require_explicit_policy=True)
    monkeypatch.setattr(path, "STEPS", 2500)
    error = refusal([], [listing(*many)], [listing(*many)], require_explicit_policy=True)
    assert error.reason is ChainReason.LIMIT_EXCEEDED
    assert judge([], [listing(*many)], [listing(*many)])  # nothing demands a policy, nothing is spent


@pytest.mark.parametrize(
    "given",
    [[], "1.2.3", ["1"], ["1.2.x"], ["1.-2"], ["3.1"], ["1.40"], ["1..2"], [""], [None], ["\u0661.2"], [b"1.2.3"]],
)
def test_what_is_no_set_of_policies_is_refused(given: object) -> None:
    with pytest.raises(ConfigurationError, match="initial_policies"):
        VerifyPolicy(initial_policies=given)  # type: ignore[arg-type]


def test_any_policy_among_the_wanted_ones_wants_none_in_particular() -> None:
    assert VerifyPolicy(initial_policies=[A, ANY]) == VerifyPolicy()
    assert VerifyPolicy(initial_policies=[A]).initial_policies == {der.oid(A)[2:]}
