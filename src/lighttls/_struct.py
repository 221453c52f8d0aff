"""Small value classes without the cost of `dataclasses`.

`@struct` turns annotated fields into slots, a constructor, equality and a repr. Importing
`dataclasses` and making one frozen class costs milliseconds on a device; this costs microseconds:
a constructor is compiled when its class is first used. Instances are immutable by convention;
type checkers enforce it.
"""

from __future__ import annotations

from lighttls._typing import Any, TypeVar, dataclass_transform

_T = TypeVar("_T")


def secret() -> Any:
    """Mark a field whose value never shows in a repr."""
    return _SECRET


_SECRET = object()


class _Struct:
    __slots__: tuple[str, ...] = ()
    __hidden__: frozenset[str] = frozenset()

    def __init__(self, *args: Any, **named: Any) -> None:
        cls = type(self)
        if "__init__" not in cls.__dict__:  # the first instance: compile the constructor it should have had
            cls.__init__ = _constructor(cls.__slots__)  # type: ignore[method-assign]
        cls.__init__(self, *args, **named)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, n) == getattr(other, n) for n in self.__slots__)

    def __hash__(self) -> int:
        return hash((type(self).__name__, *(getattr(self, n) for n in self.__slots__)))

    def __repr__(self) -> str:
        fields = ", ".join(f"{n}={'…' if n in self.__hidden__ else repr(getattr(self, n))}" for n in self.__slots__)
        return f"{type(self).__name__}({fields})"


def _constructor(names: tuple[str, ...]) -> Any:
    scope: dict[str, Any] = {}
    body = "".join(f"    self.{name} = {name}\n" for name in names) or "    pass\n"
    exec(f"def __init__({', '.join(('self', *names))}):\n{body}", scope)
    return scope["__init__"]


@dataclass_transform(frozen_default=True, field_specifiers=(secret,))
def struct(cls: type[_T]) -> type[_T]:
    """Rebuild a class with its annotated fields as slots and a plain constructor (all fields required)."""
    body = dict(cls.__dict__)
    names = tuple(cls.__annotations__)
    hidden = frozenset(n for n in names if body.get(n) is _SECRET)
    for gone in ("__dict__", "__weakref__", *names):
        body.pop(gone, None)
    body.update(__slots__=names, __match_args__=names, __hidden__=hidden)
    bases = tuple(b for b in cls.__bases__ if b is not object)
    return type(cls.__name__, (*bases, _Struct), body)
