"""Which room may import which (the agreement's table, as data), checked on the syntax tree of every module.

Imports inside functions and under TYPE_CHECKING count too: the table is about who needs to know whom.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from support.require import REPOSITORY

SOURCE = REPOSITORY / "src"
EVERYBODY = {"_struct", "_typing", "iana", "errors"}
CONTRACT = {"crypto.provider", "crypto.suites"}  # what an engine promises, without any engine
SETTINGS = {"config", "events", "identity", "info", "keys", "psk", "session", "x509"}
DEVICES = {"devices.atecc608a", "transports.at_modem"}  # users import them by these names; and simulated ones
DEVICES |= {"testing.atecc608a", "testing.modem"}
PUBLIC = {"", "connection", "trace", *SETTINGS}  # lighttls, and the modules whose names it offers

ROOMS: dict[str, set[str]] = {
    "iana": set(),
    "_struct": set(),
    "_typing": set(),
    "errors": set(),
    "wire": set(),
    "messages": {"wire"},
    "crypto": set(),
    "record": CONTRACT,
    "x509": {"crypto", "wire", *CONTRACT},  # used alone, it chooses the default engine
    "keys": CONTRACT,
    "session": {"crypto", "wire", *CONTRACT},  # a file is sealed by the default engine
    "identity": {"keys", "x509"},
    "psk": CONTRACT,
    "info": SETTINGS,
    "events": SETTINGS | CONTRACT,
    "profiles": CONTRACT,
    "config": {"crypto", "profiles", *SETTINGS, *CONTRACT},  # it chooses the default engine
    "handshake": {"messages", "messages.extensions", "profiles", *SETTINGS, *CONTRACT},
    "keeper": {"handshake", "session"},
    "ledger": {"handshake", "info"},
    "trace": {"messages"},
    "conversation": {"crypto", "record", "messages", "handshake", "keeper", "ledger", "trace", *SETTINGS, *CONTRACT},
    "connection": {"conversation", "handshake", "record", *SETTINGS},
    "transports": PUBLIC,
    "devices": {"crypto", *PUBLIC},  # used without a connection, they choose the default engine
    "adapters": PUBLIC,
    "provisioning": {"transports", "devices", *PUBLIC},
    "testing": {"transports.lwip", *PUBLIC},  # behind a simulated modem is a network that speaks PPP
    "cli": {"transports", "devices", "testing", *DEVICES, *PUBLIC},
    "aio": {"transports", *PUBLIC},
    "__main__": {"cli"},
    "": {
        "connection",
        "keys.pkcs11",
        "session.files",
        "session.sealing",
        "trace",
        "transports",
        *SETTINGS,
        *CONTRACT,
    },  # lighttls/__init__.py: names, nothing else
}
"""Room -> rooms it may import, besides itself and `EVERYBODY`. A room is entered by its `__init__`."""

OUTSIDE = {"transports", "devices", "adapters", "provisioning", "testing", "cli", "aio", "__main__", ""}
IMPURE = {"asyncio", "select", "selectors", "socket", "ssl", "subprocess", "threading", "time"}
HEAVY = {"dataclasses", "inspect", "logging", "re", "typing"}  # milliseconds at every start of a device program
HAS_CLOCK = {"config"}  # where the system's clock becomes the default of a setting

USES_CRYPTOGRAPHY = {"crypto", "keys.software", "testing.atecc608a.curve", "testing.pki"}
USES_CORE = {"crypto.native", "crypto.native_records"}


@dataclass(frozen=True)
class Import:
    line: int
    module: str  # dotted, absolute
    deferred: bool  # inside a function


def module_name(path: Path) -> str:
    """The name below `lighttls`: "" for the package itself, "x509.der" for a module."""
    parts = path.relative_to(SOURCE / "lighttls").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def offered(package: str) -> frozenset[str]:
    """The names that a package's `__init__` imports, and so offers under its own name."""
    init = SOURCE.joinpath(*package.split("."), "__init__.py")
    nodes = ast.walk(ast.parse(init.read_text(encoding="utf-8"))) if init.exists() else ()
    return frozenset(
        alias.asname or alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    )


def is_module(package: str, name: str) -> bool:
    """Whether `from package import name` fetches a module of its own."""
    path = SOURCE.joinpath(*package.split("."), name)
    there = path.is_dir() or path.with_suffix(".py").exists() or path.with_suffix(".pyi").exists()
    return there and name not in offered(package)


def imports(source: str) -> Iterator[Import]:
    """Every module that `source` imports, wherever it does."""

    def walk(node: ast.AST, deferred: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, deferred) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                yield Import(node.lineno, f"{base}.{alias.name}" if is_module(base, alias.name) else base, deferred)
        deferred = deferred or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, deferred)

    return walk(ast.parse(source), deferred=False)


def within(name: str, places: set[str]) -> bool:
    """Whether a module is one of `places` or inside one of them."""
    return any(place and (name == place or name.startswith(place + ".")) for place in places)


def faults(name: str, source: str) -> list[str]:
    """What module `name` imports against the rules, with line numbers."""
    room = name.split(".")[0]
    found = []

    def fault(what: Import, why: str) -> None:
        found.append(f"lighttls.{name}:{what.line} imports {what.module}: {why}")

    for item in imports(source):
        top, _, rest = item.module.partition(".")
        if item.module.startswith("."):
            fault(item, "write it in full")
        elif top == "lighttls" and rest.endswith("_core"):
            if not within(name, USES_CORE):
                fault(item, "only crypto.native and its part for records cross the border to C")
        elif top == "lighttls":
            target = rest.split(".")[0]
            if target == room or target in EVERYBODY:
                continue
            if not (rest in ROOMS[room] or (target in ROOMS[room] and rest == target)):
                entered = target in ROOMS[room]
                fault(item, f"import from lighttls.{target}" if entered else f"not among {sorted(ROOMS[room])}")
        elif top in {"cryptography", "_cffi_backend", "cffi"}:
            if top == "cryptography" and not within(name, USES_CRYPTOGRAPHY):
                fault(item, f"only {sorted(USES_CRYPTOGRAPHY)} may")
            if top == "cryptography" and not item.deferred:
                fault(item, "only inside functions, it costs tens of milliseconds")
        elif room not in OUTSIDE and top in IMPURE and not (top == "time" and room in HAS_CLOCK):
            fault(item, "the core does no I/O and reads no clock")
        elif room not in OUTSIDE and top in HEAVY and (room, top) != ("_typing", "typing"):  # for type checkers alone
            fault(item, "too slow to import in the core")
    return found


MODULES = sorted((SOURCE / "lighttls").rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: module_name(path) or "lighttls")
def test_module_imports_only_what_its_room_may(path: Path) -> None:
    name = module_name(path)
    assert name.split(".")[0] in ROOMS, f"lighttls.{name} is in no room; the table and docs/architecture.md need it"
    assert faults(name, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("wire.codec", "from lighttls.messages import Message"),
        ("record.layer", "from lighttls.crypto import native"),
        ("handshake.table", "def f():\n    from lighttls.record import RecordLayer"),
        ("messages.hello", "from lighttls.wire.codec import Reader"),
        ("connection", "import time"),
        ("x509.path", "if TYPE_CHECKING:\n    import socket"),
        ("events", "from dataclasses import dataclass"),
        ("x509.path", "def f():\n    import cryptography.x509"),
        ("crypto.pure", "from cryptography.hazmat.primitives import hashes"),
        ("connection", "from lighttls.crypto import _core"),
        ("transports.sockets", "from lighttls.handshake import step"),
        ("keys.signer", "from . import software"),
    ],
)
def test_checker_sees_a_forbidden_import(name: str, source: str) -> None:
    assert len(faults(name, source)) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("record.layer", "from lighttls.crypto.provider import RecordOpener"),
        ("crypto.pure", "def f():\n    from cryptography.hazmat.primitives import hashes"),
        ("crypto.native", "from lighttls.crypto._core import ffi, lib"),
        ("transports.sockets", "import socket\nfrom lighttls import ClientConnection"),
        ("config", "import time"),
    ],
)
def test_checker_passes_an_allowed_import(name: str, source: str) -> None:
    assert faults(name, source) == []
