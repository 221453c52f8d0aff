"""The codec of wire structures: fields declared once, read and written by generated code."""

from lighttls.wire.codec import Structure, field, structure
from lighttls.wire.kinds import Fixed, ListOf, Nested, OptionalTail, Remembered, Rest, Uint, Vector

__all__ = [
    "Fixed",
    "ListOf",
    "Nested",
    "OptionalTail",
    "Remembered",
    "Rest",
    "Structure",
    "Uint",
    "Vector",
    "field",
    "structure",
]
