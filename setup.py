"""The extensions and their wheel tag; everything else is in pyproject.toml.

LIGHTTLS_NO_NATIVE=1 leaves the C core out, LIGHTTLS_REQUIRE_NATIVE=1 makes failing to build it an error.
LIGHTTLS_LWIP_SOURCE names the source tree of lwIP, if its transport shall be built as well.
"""

import os
import runpy
import sysconfig

from setuptools import setup
from setuptools.command.build_ext import build_ext

native = os.environ.get("LIGHTTLS_NO_NATIVE") != "1"
stable_abi = not sysconfig.get_config_var("Py_GIL_DISABLED")  # free-threaded Python has none

modules = ["csrc/build_ffi.py:ffibuilder"] if native else []
lwip_source = os.environ.get("LIGHTTLS_LWIP_SOURCE")
if lwip_source:
    modules.append("csrc/lwip/build_ffi.py:ffibuilder")


class BuildExtensions(build_ext):
    """Compiles lwIP where the rest is built: setuptools refuses sources that lie elsewhere."""

    def build_extension(self, extension):
        if extension.name == "lighttls.transports.lwip._core":
            compile_once = runpy.run_path("csrc/lwip/build_ffi.py")["compile_once"]
            extension.extra_objects = compile_once(lwip_source, os.path.join(self.build_temp, "lwip"))
        super().build_extension(extension)


setup(
    cffi_modules=modules,
    cmdclass={"build_ext": BuildExtensions},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if modules and stable_abi else {},
)
