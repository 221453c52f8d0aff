"""Builds lwIP and this folder's shim: as `lighttls.transports.lwip._core` by setup.py, or anywhere, under any names.

LIGHTTLS_LWIP_SOURCE names lwIP's source tree (the folder that has src/core), which is not part of lighttls. "system"
takes Debian's library (liblwip-dev) instead: no DNS, no PPP, no clock of ours, and one stack for all modules.

    python csrc/lwip/build_ffi.py --source TREE --into FOLDER NAME...

compiles once and links a module for each NAME: each is a stack of its own, so that one process can have several.
"""

from __future__ import annotations

import argparse
import glob
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor

from cffi import FFI

HERE = os.path.dirname(os.path.abspath(__file__))
PATTERNS = ("core/*.c", "core/ipv4/*.c", "core/ipv6/*.c", "netif/ethernet.c", "netif/ppp/*.c", "netif/ppp/polarssl/*.c")
OPTIONS = ["-O2", "-fvisibility=hidden"]
SYSTEM = "system"
SYSTEM_HEADERS = "/usr/include/lwip"


def declarations(tree: str) -> str:
    """What stands between the cdef marks of this folder's headers, without comments."""
    text = ""
    for path in ours(tree, "*.h"):
        with open(path, encoding="utf-8") as header:
            text += "".join(re.findall(r"/\* cdef: begin \*/(.*?)/\* cdef: end \*/", header.read(), re.DOTALL))
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def in_here(pattern: str) -> list[str]:
    return sorted(glob.glob(os.path.join(HERE, pattern)))


def ours(tree: str, pattern: str) -> list[str]:
    """The shim's files that go with this lwIP."""
    return [path for path in in_here(pattern) if tree != SYSTEM or not os.path.basename(path).startswith("ppp")]


def in_tree(tree: str) -> list[str]:
    """The files of lwIP that we use. Those of features that lwipopts.h switches off compile to nothing."""
    if tree == SYSTEM:
        return []
    if not os.path.exists(os.path.join(tree, "src", "core", "tcp_in.c")):
        sys.exit(
            f"{tree or 'LIGHTTLS_LWIP_SOURCE'} is no source tree of lwIP: it has no src/core/tcp_in.c. "
            "tools/lwip_source.sh fetches one; docs/lwip.md says how to use it."
        )
    return sorted(path for pattern in PATTERNS for path in glob.glob(os.path.join(tree, "src", pattern)))


def headers(tree: str) -> str:
    """Those that declare something for Python."""
    return "".join(
        f'#include "{os.path.basename(path)}"\n'
        for path in ours(tree, "*.h")
        if os.path.basename(path) not in ("lwipopts.h", "hooks.h", "inner.h")
    )


def builder(name: str, tree: str, objects: list[str]) -> FFI:
    """cffi's builder of one module out of what is compiled already."""
    ffi = FFI()
    ffi.cdef(declarations(tree))
    ffi.set_source(
        name,
        headers(tree),
        extra_objects=objects,
        libraries=["lwip"] if tree == SYSTEM else [],
        depends=[os.path.relpath(path) for pattern in ("*.c", "*.h", "arch/*.h") for path in in_here(pattern)],
        include_dirs=[HERE],
        extra_compile_args=OPTIONS,
    )
    return ffi


def compile_once(tree: str, into: str) -> list[str]:
    """Object files of lwIP and the shim, in a folder that is made if need be."""
    os.makedirs(into, exist_ok=True)
    compiler = [*shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"), *OPTIONS, "-fPIC"]
    compiler += shlex.split(os.environ.get("CFLAGS", ""))
    if tree == SYSTEM:  # with the options that the library was built with, which lie beside its headers
        compiler += ["-DLW_LIBRARY", "-isystem", SYSTEM_HEADERS]
    else:
        compiler += ["-I" + HERE, "-isystem", os.path.join(tree, "src", "include")]
    jobs = []
    for source in ours(tree, "*.c") + in_tree(tree):
        shim = os.path.dirname(source) == HERE
        name = os.path.relpath(source, HERE if shim else os.path.join(tree, "src")).replace(os.sep, "-")
        target = os.path.join(into, ("shim-" if shim else "lwip-") + name + ".o")
        warnings = ["-Wall", "-Wextra", "-Werror"] if shim else ["-w"]
        jobs.append(([*compiler, *warnings, "-c", source, "-o", target], target))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(lambda job: subprocess.run(job[0], check=True), jobs):
            pass
    return [target for _, target in jobs]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Build lwIP as modules for lighttls.transports.lwip.Stack.")
    parser.add_argument(
        "--source", default=os.environ.get("LIGHTTLS_LWIP_SOURCE", ""), help="lwIP's source tree, or 'system'"
    )
    parser.add_argument("--into", required=True, help="the folder that gets the modules")
    parser.add_argument("names", nargs="+", metavar="NAME", help="a module's name")
    arguments = parser.parse_args(argv)
    folder = os.path.abspath(arguments.into)
    tree = arguments.source if arguments.source == SYSTEM else os.path.abspath(arguments.source)
    objects = compile_once(tree, os.path.join(folder, "objects"))
    for name in arguments.names:
        builder(name, tree, objects).compile(tmpdir=folder)


if __name__ == "__main__":
    main()
else:  # setup.py compiles what it is linked from
    in_tree(os.environ["LIGHTTLS_LWIP_SOURCE"])  # or says that there is none, before the C core is compiled
    ffibuilder = builder("lighttls.transports.lwip._core", os.environ["LIGHTTLS_LWIP_SOURCE"], [])
