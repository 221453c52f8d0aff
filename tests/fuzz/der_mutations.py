"""Changes to DER that keep it DER, mostly: an element is altered, moved or lost, and the lengths around it follow.

Bytes changed at random end at the first length that no longer fits. These go on to what is said inside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from lighttls.testing import der_writer as der

DEEPEST = 12
CONSTRUCTED = 0x20
WRAPPERS = {0x03: b"\x00", 0x04: b""}
"""Strings whose contents may be DER themselves, and what stands before those."""

ODD_TAGS = (0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1C, 0x1E, 0x30, 0x31)
CONTEXT_TAGS = tuple(base + number for base in (0x80, 0xA0) for number in range(9))
ODD_CONTENTS = (
    b"",
    b"\x00",
    b"\xff",
    b"\x80",
    b"\x00\x00",
    b"\x7f" * 9,
    b"\x00" * 32,
    b"\xff" * 4,
    b"*",
    b".",
    b"*.example",
    b"host.example",
    b"xn--a",
    b"\xc3\x28",
    b"\xd8\x00",
    b"19700101000000Z",
    b"991231235960Z",
    b"500101000000Z",
    b"\x2a\x03\x80",
)


@dataclass
class Node:
    """One element: its contents, or the elements in it and what stands before them."""

    tag: int
    content: bytes = b""
    before: bytes = b""
    children: list[Node] | None = field(default=None)

    def encoded(self) -> bytes:
        if self.children is None:
            return der.element(self.tag, self.content)
        return der.element(self.tag, self.before + b"".join(child.encoded() for child in self.children))


def elements(data: bytes, depth: int = 0) -> list[Node] | None:
    """What `data` consists of, or None if it is no row of elements."""
    nodes = []
    at = 0
    while at < len(data):
        if len(data) - at < 2 or data[at] & 0x1F == 0x1F:
            return None
        size, start = data[at + 1], at + 2
        if size >= 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[at + 2 : start], "big")
        if start + size > len(data):
            return None
        nodes.append(_node(data[at], data[start : start + size], depth))
        at = start + size
    return nodes


def _node(tag: int, content: bytes, depth: int) -> Node:
    before = b"" if tag & CONSTRUCTED else WRAPPERS.get(tag)
    if before is None or depth == DEEPEST or not content.startswith(before) or len(content) == len(before):
        return Node(tag, content)
    children = elements(content[len(before) :], depth + 1)
    return Node(tag, content) if children is None else Node(tag, b"", before, children)


def rows(nodes: list[Node]) -> list[list[Node]]:
    """Every list of siblings that has members."""
    found = [nodes] if nodes else []
    for node in nodes:
        if node.children is not None:
            found += rows(node.children)
    return found


def mutated(data: bytes, random: Random, others: list[bytes]) -> bytes:
    """`data` with one to three changes; elements of `others` may come into it. It may be no DER at all."""
    nodes = elements(data)
    if not nodes or random.random() < 0.1:
        return _bytes_changed(data, random)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        places = rows(nodes)
        if places:
            _change(random.choice(places), random, others)
    return b"".join(node.encoded() for node in nodes)


def _change(row: list[Node], random: Random, others: list[bytes]) -> None:
    at = random.randrange(len(row))
    node = row[at]
    kind = random.randrange(9)
    if kind == 0:
        del row[at]
    elif kind == 1:
        row.insert(random.randrange(len(row) + 1), node)
    elif kind == 2:
        other = random.randrange(len(row))
        row[at], row[other] = row[other], row[at]
    elif kind == 3:
        row[at] = Node(random.choice(ODD_TAGS + CONTEXT_TAGS), node.content, node.before, node.children)
    elif kind == 4:
        row[at] = Node(node.tag, random.choice(ODD_CONTENTS))
    elif kind == 5:
        row[at] = Node(node.tag, _bytes_changed(node.encoded()[2:], random))
    elif kind == 6:
        row[at] = Node(node.tag, node.before, b"", [node])
    elif kind == 7:
        row[at] = Node(node.tag, random.choice((b"\x00", b"\xff", b"*", b"a.")) * random.choice((1, 20, 127, 300)))
    else:
        row[at] = _stranger(random, others) or node


def _stranger(random: Random, others: list[bytes]) -> Node | None:
    nodes = elements(random.choice(others)) if others else None
    return random.choice(random.choice(rows(nodes))) if nodes else None


def _bytes_changed(data: bytes, random: Random) -> bytes:
    changed = bytearray(data or b"\x00")
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(changed) + 1)
        changed[at : at + random.randrange(3)] = random.randbytes(random.randrange(3))
    return bytes(changed)
