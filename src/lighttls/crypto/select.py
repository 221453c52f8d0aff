"""Which engine to use: the native one if it was built, else the pure one; LIGHTTLS_PROVIDER decides explicitly."""

from __future__ import annotations

import os
import warnings

from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import ConfigurationError

_default: CryptoProvider | None = None


def by_name(name: str) -> CryptoProvider:
    """The engine called "native" or "pure". Raises ConfigurationError if it is unknown or was not built."""
    if name == "pure":
        from lighttls.crypto.pure import PureProvider

        return PureProvider()
    if name != "native":
        raise ConfigurationError(
            f"no crypto engine is called {name!r} (LIGHTTLS_PROVIDER): there are 'native' and 'pure'"
        )
    try:
        from lighttls.crypto.native import NativeProvider
    except ImportError as error:
        raise ConfigurationError(f"the native crypto engine was not built: {error}") from error
    return NativeProvider()


def default_provider() -> CryptoProvider:
    """The engine of this process, chosen at the first call. Warns when it falls back to the pure one."""
    global _default
    if _default is None:
        _default = _choose()
    return _default


def _choose() -> CryptoProvider:
    wanted = os.environ.get("LIGHTTLS_PROVIDER")
    if wanted:
        return by_name(wanted)
    try:
        return by_name("native")
    except ConfigurationError:
        warnings.warn(
            "lighttls was installed without its C core and uses the pure engine, which is slower and not "
            "constant-time. Reinstall with a C compiler, or set LIGHTTLS_PROVIDER=pure to accept it.",
            RuntimeWarning,
            stacklevel=3,
        )
        return by_name("pure")
