"""The names of `typing` that the core uses, without `typing`.

Importing that module takes a seventh of `import lighttls`, and what it brings matters to type checkers only: with
postponed annotations nothing here is looked into at run time. Type checkers read the first branch.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO as IO
    from typing import Any as Any
    from typing import BinaryIO as BinaryIO
    from typing import ClassVar as ClassVar
    from typing import Final as Final
    from typing import NoReturn as NoReturn
    from typing import Protocol as Protocol
    from typing import Self as Self
    from typing import TypeVar as TypeVar
    from typing import cast as cast
    from typing import dataclass_transform as dataclass_transform
else:

    class Any:
        """Stands for every type in aliases that are built at run time."""

    IO = BinaryIO = ClassVar = Final = NoReturn = Self = Any

    class Protocol:
        """A class whose methods say what others must have."""

        __slots__ = ()

    def TypeVar(*_, **__):  # noqa: N802
        return Any

    def cast(_, value):
        return value

    def dataclass_transform(**_):
        return lambda decorator: decorator
