"""What the server programs of ours have in common that are written in C or C++ (tests/interop/servers/)."""

from __future__ import annotations

import subprocess
from functools import cache

from interop.peers.base import SERVERS, Files, OwnServer, Setup, Word, debian_version, missing_program
from support.workshop import compiled

_WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Werror")
C = ("gcc", "-std=c99", "-D_POSIX_C_SOURCE=200809L", "-O1", *_WARNINGS, "-Wpedantic", "-Wconversion")
CXX = ("g++", "-std=c++17", "-O1", *_WARNINGS)


class Compiled(OwnServer):
    """server.c and the file of one library; compiled when it is first needed in a run."""

    source: str
    header: str  # by which it is seen whether the library is there
    release = "1"  # a condition on the header's macros: the release that the program was written for
    package: str  # Debian's name for it
    libraries: tuple[str, ...]
    compiler = C

    def missing(self) -> str:
        return missing_program(C[0], self.compiler[0]) or self._missing_library()

    def version(self) -> str:
        return debian_version(self.package)

    def psk_setup(self, identity: str, key: bytes, files: Files) -> Setup | None:
        return ("--psk", key.hex(), "--identity", identity)

    def program(self, files: Files) -> list[Word]:
        source = SERVERS / self.source
        target = files.folder / source.stem
        if not target.exists():
            common = files.folder / f"{source.stem}-common.o"
            compiled(*C, "-c", SERVERS / "server.c", "-o", common)
            compiled(*self.compiler, source, common, "-o", target, *self.libraries)
        return [target]

    def _missing_library(self) -> str:
        probe = f"#include <{self.header}>\n#if !({self.release})\n#error\n#endif\n"
        if _accepts(self.compiler, probe):
            return ""
        other = "" if self.release == "1" else f", or it is none with {self.release}"
        return f"no <{self.header}> here, which {self.package} brings{other}"


@cache
def _accepts(compiler: tuple[str, ...], text: str) -> bool:
    """Whether the preprocessor has nothing against it."""
    language = "c++" if compiler[0] == "g++" else "c"
    command = [*compiler, "-E", "-x", language, "-o", "/dev/null", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60).returncode == 0
