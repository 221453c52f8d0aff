"""Wire structures: one declaration gives `parse`, `build`, `==` and `repr`.

    @structure
    class Extension(Structure):
        extension_type: int = field(Uint(2))
        data: bytes = field(Vector(0, 0xFFFF))

At first use the declaration is compiled to two straight functions, so that a message costs
microseconds. Whatever parses builds back to the same bytes; left-over bytes are a DecodeError
that names structure and field. Unknown code points survive as numbers.
"""

from __future__ import annotations

from lighttls._struct import struct
from lighttls._typing import Any, ClassVar, Self, TypeVar, dataclass_transform
from lighttls.errors import DecodeError, InternalError
from lighttls.wire.kinds import Kind, Rest, Writer


def field(kind: Kind) -> Any:
    """Declare how a field travels."""
    return kind


class Structure:
    """Base of every declared structure."""

    __slots__ = ()
    fields: ClassVar[dict[str, Kind]] = {}

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read one structure that fills `data` exactly. Raises DecodeError."""
        raise InternalError(f"{cls.__name__} is not declared with @structure")

    def build(self) -> bytes:
        """The bytes of this structure. Raises InternalError if a value does not fit its field."""
        raise InternalError(f"{type(self).__name__} is not declared with @structure")


_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def structure(cls: type[_T]) -> type[_T]:
    """Make a value class of the declared fields, in the order in which they travel."""
    fields = {name: cls.__dict__[name] for name in cls.__annotations__}
    made = struct(cls)
    made.fields = fields  # type: ignore[attr-defined]
    made.parse = classmethod(_first_parse)  # type: ignore[attr-defined]
    made.build = _first_build  # type: ignore[attr-defined]
    return made


def _first_parse(cls: type[Structure], data: bytes) -> Any:
    compiled = _compile_parse(cls)
    cls.parse = classmethod(compiled)  # type: ignore[method-assign,assignment] # where the next call goes
    return compiled(cls, data)


def _first_build(self: Structure) -> Any:
    cls = type(self)
    cls.build = _compile_build(cls)  # type: ignore[method-assign]
    return cls.build(self)


def _too_short(path: str) -> DecodeError:
    return DecodeError(f"{path} runs past the end of its message")


def _bad_length(path: str, found: int, low: int, high: int) -> DecodeError:
    return DecodeError(f"{path} is {found} bytes long, allowed are {low} to {high}")


def _left_over(name: str, count: int) -> DecodeError:
    return DecodeError(f"{name} has {count} bytes left over after its last field")


def _out_of_range(path: str, found: int) -> InternalError:
    return InternalError(f"{path} cannot hold the value or length {found}")


def _compile_parse(cls: type[Structure]) -> Any:
    out = Writer()
    if [type(kind) for kind in cls.fields.values()] == [Rest]:
        out.add("made = new(cls)", *(f"made.{name} = data" for name in cls.fields), "return made")
        return _function("cls, data", out)
    values = {name: out.fresh(name) for name in cls.fields}
    out.add("end = len(data)")
    for name, kind in cls.fields.items():
        kind.read(out, values[name], f"{cls.__name__}.{name}", "end")
    out.settle()
    out.add(f"if pos != end: raise left_over({cls.__name__!r}, end - pos)", "made = new(cls)")
    out.add(*(f"made.{name} = {value}" for name, value in values.items()), "return made")
    return _function("cls, data", out)


def _compile_build(cls: type[Structure]) -> Any:
    out = Writer()
    out.add("parts = []")
    for name, kind in cls.fields.items():
        kind.write(out, f"self.{name}", f"{cls.__name__}.{name}", "parts")
    out.add("return b''.join(parts)")
    return _function("self", out)


def _function(arguments: str, out: Writer) -> Any:
    """Compile generated lines. They hold field names and numbers from our declarations, never peer data."""
    scope: dict[str, Any] = {
        "new": object.__new__,
        "too_short": _too_short,
        "bad_length": _bad_length,
        "left_over": _left_over,
        "out_of_range": _out_of_range,
        **out.constants,
    }
    exec(f"def compiled({arguments}):\n" + "\n".join(out.lines), scope)
    return scope["compiled"]
