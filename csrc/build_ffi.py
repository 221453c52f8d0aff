"""Builds `lighttls.crypto._core`: the declarations are cut out of lighttls.h, so that there is one copy of them."""

from __future__ import annotations

import glob
import os
import re
import sys

from cffi import FFI

HERE = os.path.dirname(os.path.abspath(__file__))


def declarations() -> str:
    """The part of lighttls.h between the cdef marks, without what cffi's parser does not know."""
    with open(os.path.join(HERE, "lighttls.h"), encoding="utf-8") as header:
        cdef = header.read().split("/* cdef: begin */")[1].split("/* cdef: end */")[0]
    cdef = re.sub(r"/\*.*?\*/", "", cdef, flags=re.DOTALL)
    return cdef.replace("LT_MUST_CHECK ", "")


def in_csrc(pattern: str) -> list[str]:
    """Files of csrc/ by paths relative to the root of the repository, as setuptools wants them."""
    return sorted("csrc/" + os.path.basename(path) for path in glob.glob(os.path.join(HERE, pattern)))


ffibuilder = FFI()
ffibuilder.cdef(declarations())
ffibuilder.set_source(
    "lighttls.crypto._core",
    '#include "lighttls.h"',
    sources=in_csrc("*.c"),
    depends=in_csrc("*.h"),
    include_dirs=["csrc"],
    extra_compile_args=[] if sys.platform == "win32" else ["-O2", "-Wall", "-fvisibility=hidden"],
    # Without a compiler lighttls still works: the pure engine takes over.
    optional=os.environ.get("LIGHTTLS_REQUIRE_NATIVE") != "1",
)
