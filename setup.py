"""The C core and its wheel tag; everything else is in pyproject.toml.

LIGHTTLS_NO_NATIVE=1 leaves the C core out, LIGHTTLS_REQUIRE_NATIVE=1 makes failing to build it an error.
"""

import os
import sysconfig

from setuptools import setup

native = os.environ.get("LIGHTTLS_NO_NATIVE") != "1"
stable_abi = not sysconfig.get_config_var("Py_GIL_DISABLED")  # free-threaded Python has none

setup(
    cffi_modules=["csrc/build_ffi.py:ffibuilder"] if native else [],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if native and stable_abi else {},
)
