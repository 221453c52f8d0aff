"""Value classes without `dataclasses`."""

from __future__ import annotations

import pytest

from lighttls._struct import secret, struct


@struct
class Pair:
    """Two values."""

    left: int
    right: int = 0  # a class attribute where a default would be: every field is required all the same

    @property
    def total(self) -> int:
        return self.left + self.right


@struct
class Other:
    left: int
    right: int


@struct
class Nothing:
    """No fields."""


@struct
class Locked:
    name: str
    key: bytes = secret()


class Base:
    __slots__ = ()

    def shout(self) -> str:
        return type(self).__name__.upper()


@struct
class Derived(Base):
    value: int


@struct
class OwnConstructor:
    value: int

    def __init__(self, *, double: int) -> None:
        object.__setattr__(self, "value", double // 2)


def test_fields_are_given_by_place_or_name() -> None:
    assert Pair(1, 2) == Pair(1, right=2) == Pair(left=1, right=2)
    assert Pair(1, 2).total == 3


@pytest.mark.parametrize(
    ("args", "named"),
    [((), {}), ((1,), {}), ((1, 2, 3), {}), ((1,), {"left": 2}), ((1,), {"middle": 2}), ((1, 2), {"right": 3})],
)
def test_missing_surplus_double_and_unknown_fields_are_type_errors(
    args: tuple[int, ...], named: dict[str, int]
) -> None:
    for _ in range(2):  # the first instance compiles the constructor
        with pytest.raises(TypeError):
            Pair(*args, **named)


def test_equality_looks_at_class_and_fields() -> None:
    assert Pair(1, 2) != Pair(1, 3)
    assert Pair(1, 2) != Other(1, 2)
    assert Pair(1, 2) != (1, 2)
    assert Nothing() == Nothing()
    assert hash(Pair(1, 2)) == hash(Pair(1, 2))
    assert len({Pair(1, 2), Pair(1, 2), Other(1, 2)}) == 2


def test_instances_have_slots_only() -> None:
    with pytest.raises(AttributeError):
        Pair(1, 2).middle = 3  # type: ignore[attr-defined]
    assert not hasattr(Pair(1, 2), "__dict__")


def test_class_keeps_name_docstring_and_module() -> None:
    assert (Pair.__name__, Pair.__doc__, Pair.__module__) == ("Pair", "Two values.", __name__)


def test_repr_shows_fields_but_no_secret() -> None:
    """PROF-05."""
    assert repr(Pair(1, 2)) == "Pair(left=1, right=2)"
    assert repr(Nothing()) == "Nothing()"
    assert repr(Locked("door", b"opensesame")) == "Locked(name='door', key=…)"
    assert Locked("door", b"opensesame").key == b"opensesame"


def test_fields_match_by_place() -> None:
    match Pair(1, 2):
        case Pair(left, right):
            assert (left, right) == (1, 2)


def test_base_class_stays_a_base_class() -> None:
    assert isinstance(Derived(1), Base)
    assert Derived(1).shout() == "DERIVED"


def test_own_constructor_is_kept() -> None:
    assert OwnConstructor(double=4).value == 2
    assert repr(OwnConstructor(double=4)) == "OwnConstructor(value=2)"
