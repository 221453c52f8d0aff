"""Field kinds of wire structures, and how each is read and written.

A kind does not parse by itself: it writes the few lines of Python that do, so that a whole
structure becomes one straight function (see `codec`). In those lines `data` is the message as
`bytes`, `pos` the reading position and `end<n>` the end of the enclosing vector.
"""

from __future__ import annotations

from struct import Struct

from lighttls._typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lighttls.wire.codec import Structure


_INTEGERS = {1: "B", 2: "H", 4: "I"}  # as the module struct writes them, which has none of three bytes


class Writer:
    """Source lines under construction, with indentation and fresh names.

    Of what is read, bytes whose number is known in advance come in runs: they are there or not in one look, are taken
    in one step, and `pos` goes past them in one more.
    """

    def __init__(self, depth: int = 1) -> None:
        self.lines: list[str] = []
        self.depth = depth
        self.names = 0
        self.constants: dict[str, object] = {}
        self._at_start = True  # where `pos` is not there yet, and zero
        self._length = 0  # of the run so far
        self._looks: list[str] = []  # one for each part of the run
        self._formats = ">"  # of the parts, as the module struct writes them
        self._targets: list[str] = []  # where they go
        self._wide: list[str] = []  # those of them that are integers of three bytes

    def add(self, *lines: str) -> None:
        self.lines.extend("    " * self.depth + line for line in lines)

    def fresh(self, stem: str) -> str:
        """A variable that no other line uses: a field may be called `data` or `end`."""
        self.names += 1
        return f"{stem}_{self.names}"

    def take_bytes(self, size: int, target: str, path: str, end: str) -> None:
        """Add so many bytes to the run, which must lie before `end`."""
        self._length += size
        left = end if self._at_start else f"{end} - pos"
        self._looks.append(f"if {left} < {self._length}: raise too_short({path!r})")
        self._formats += f"{size}s"
        self._targets.append(target)

    def take_integer(self, width: int, target: str, path: str, end: str) -> None:
        """Add an integer of one to four bytes."""
        self.take_bytes(width, target, path, end)
        if width == 3:
            self._wide.append(target)
        else:
            self._formats = self._formats[:-2] + _INTEGERS[width]

    def settle(self) -> None:
        """End the run: from here on its parts are there, and `pos` is where to read."""
        if self._looks:
            *_, longest = self._looks
            nested = [longest.partition(":")[0] + ":", *("    " + look for look in self._looks)]
            self.add(*(nested if len(self._looks) > 1 else self._looks))
            unpack = self.fresh("unpack")
            self.constants[unpack] = Struct(self._formats).unpack_from
            self.add(f"{', '.join(self._targets)}, = {unpack}(data{'' if self._at_start else ', pos'})")
            self.add(*(f"{target} = int.from_bytes({target}, 'big')" for target in self._wide))
        if self._at_start:
            self.add(f"pos = {self._length}")
        elif self._length:
            self.add(f"pos += {self._length}")
        self._at_start, self._length, self._looks = False, 0, []
        self._formats, self._targets, self._wide = ">", [], []


class Kind(Protocol):
    """How one field travels."""

    def read(self, out: Writer, target: str, path: str, end: str) -> None:
        """Write lines that parse the field at `pos`, not beyond `end`, into the variable `target`."""

    def write(self, out: Writer, value: str, path: str, parts: str) -> None:
        """Write lines that append the field's bytes to the list named `parts`."""


def _width_of(maximum: int) -> int:
    return 1 if maximum < 1 << 8 else 2 if maximum < 1 << 16 else 3


class Uint:
    """An unsigned integer of `width` bytes, big-endian (RFC 5246 §4.4)."""

    def __init__(self, width: int) -> None:
        self.width = width

    def read(self, out: Writer, target: str, path: str, end: str) -> None:
        out.take_integer(self.width, target, path, end)

    def write(self, out: Writer, value: str, path: str, parts: str) -> None:
        out.add(
            f"if not 0 <= {value} < {1 << 8 * self.width}: raise out_of_range({path!r}, {value})",
            f"{parts}.append({value}.to_bytes({self.width}, 'big'))",
        )


class Fixed:
    """`size` bytes without a length (RFC 5246 §4.3: opaque name[size])."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, out: Writer, target: str, path: str, end: str) -> None:
        out.take_bytes(self.size, target, path, end)

    def write(self, out: Writer, value: str, path: str, parts: str) -> None:
        out.add(
            f"if len({value}) != {self.size}: raise out_of_range({path!r}, len({value}))",
            f"{parts}.append({value})",
        )


class Vector:
    """Bytes behind a length of one to three bytes (opaque name<low..high>)."""

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high
        self.width = _width_of(high)

    def read_length(self, out: Writer, target: str, path: str, end: str) -> None:
        out.take_integer(self.width, target, path, end)
        out.settle()
        bounds = [f"{target} < {self.low}"] * (self.low > 0)
        bounds += [f"{target} > {self.high}"] * (self.high < (1 << 8 * self.width) - 1)
        if bounds:
            out.add(f"if {' or '.join(bounds)}: raise bad_length({path!r}, {target}, {self.low}, {self.high})")
        out.add(f"if {end} - pos < {target}: raise too_short({path!r})")

    def write_length(self, out: Writer, count: str, path: str, parts: str) -> None:
        out.add(
            f"if not {self.low} <= {count} <= {self.high}: raise out_of_range({path!r}, {count})",
            f"{parts}.append(({count}).to_bytes({self.width}, 'big'))",
        )

    def read(self, out: Writer, target: str, path: str, end: str) -> None:
        length = out.fresh("n")
        self.read_length(out, length, path, end)
        out.add(f"{target} = data[pos:pos + {length}]", f"pos += {length}")

    def write(self, out: Writer, value: str, path: str, parts: str) -> None:
        self.write_length(out, f"len({value})", path, parts)
        out.add(f"{parts}.append({value})")


class ListOf:
    """Elements of one kind behind a length in bytes; they fill it exactly (HS-04, HS-05)."""

    def __init__(self, element: Kind, low: int, high: int) -> None:
        self.element = element
        self.frame = Vector(low, high)

    def read(self, out: Writer, target: str, path: str, end: str) -> None:
        length, inner, items, item = (out.fresh(stem) for stem in ("n", "end", "items", "item"))
        self.frame.read_length(out, length, path, end)
        out.add(f"{inner} = pos + {length}")
        if isinstance(self.element, Uint) and self.element.width == 2:
            out.add(f"if {length} % 2: raise too_short({path + '[]'!r})")
            pairs = f"zip(data[pos:{inner}:2], data[pos + 1:{inner}:2])"
            out.add(f"{target} = tuple([high << 8 | low for high, low in {pairs}])", f"pos = {inner}")
            return
        out.add(f"{items} = []", f"while pos < {inner}:")
        out.depth += 1
        self.element.read(out, item, path + "[]", inner)
        out.settle()
        out.add(f"{items}.append({item})")
        out.depth -= 1
        out.add(f"{target} = tuple({items})")

    def write(self, out: Writer, value: str, path: str, parts: str) -> None:
        inner, item, body = (out.fresh(stem) for stem in ("parts", "item", "body"))
        out.add(f"{inner} = []", f"for {item} in {value}:")
        out.depth += 1
        self.element.write(out, item, path + "[]", inner)
        out.depth -= 1
        out.add(f"{body} = b''.join({inner})")
        self.frame.write_length(out, f"len({body})", path, parts)
        out.add(f"{parts}.append({body})")


class Nested:
    """Another declared structure in place."""

    def __init__(self, structure: type[Structure]) -> None:
        self.structure = structure

    def read(self, out: Writer, target: str, path: str, end: str) -> None:
        values = {name: out.fresh(name) for name in self.structure.fields}
        for name, kind in self.structure.fields.items():
            kind.read(out, values[name], f"{path}.{name}", end)
        maker = out.fresh("make")
        out.constants[maker] = self.structure
        out.add(f"{target} = new({maker})")
        out.add(*(f"{target}.{name} = {value}" for name, value in values.items()))

    def write(self, out: Writer, value: str, path: str, parts: str) -> None:
        for name, kind in self.structure.fields.items():
            kind.write(out, f"{value}.{name}", f"{path}.{name}", parts)


class Rest:
    """All bytes up to the end: a body whose shape depends on what was agreed."""

    def read(self, out: Writer, target: str, path: str, end: str) -> None:
        out.settle()
        out.add(f"{target} = data[pos:{end}]", f"pos = {end}")

    def write(self, out: Writer, value: str, path: str, parts: str) -> None:
        out.add(f"{parts}.append({value})")


class OptionalTail:
    """A last field that may be left out altogether: None then (RFC 5246 §7.4.1.2: extensions)."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def read(self, out: Writer, target: str, path: str, end: str) -> None:
        out.settle()
        out.add(f"{target} = None", f"if pos < {end}:")
        out.depth += 1
        self.kind.read(out, target, path, end)
        out.settle()
        out.depth -= 1

    def write(self, out: Writer, value: str, path: str, parts: str) -> None:
        out.add(f"if {value} is not None:")
        out.depth += 1
        self.kind.write(out, value, path, parts)
        out.depth -= 1


class Remembered:
    """A last field, mostly the same in all messages, whose values are kept by their bytes and shared."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._values: dict[bytes, object] = {}

    def read(self, out: Writer, target: str, path: str, end: str) -> None:
        raw, values, keep = (out.fresh(stem) for stem in ("raw", "values", "keep"))
        out.constants[values] = self._values
        out.constants[keep] = self._keep
        out.settle()
        out.add(f"{raw} = data[pos:{end}]", f"{target} = {values}.get({raw})")
        out.add(f"if {target} is not None: pos = {end}", "else:")
        out.depth += 1
        self.kind.read(out, target, path, end)
        out.settle()
        out.add(f"if pos == {end}: {keep}({raw}, {target})")
        out.depth -= 1

    def write(self, out: Writer, value: str, path: str, parts: str) -> None:
        self.kind.write(out, value, path, parts)

    def _keep(self, raw: bytes, value: object) -> None:
        if len(raw) <= _LONGEST_REMEMBERED:
            if len(self._values) >= _MOST_REMEMBERED:
                self._values.clear()
            self._values[raw] = value


_MOST_REMEMBERED = 16
_LONGEST_REMEMBERED = 512  # bytes
