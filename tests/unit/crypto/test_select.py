"""Which engine a process gets."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest

from lighttls.crypto import by_name, default_provider, select
from lighttls.errors import ConfigurationError
from support import require


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A process that has not chosen yet and was told nothing."""
    monkeypatch.setattr(select, "_default", None)
    monkeypatch.delenv("LIGHTTLS_PROVIDER", raising=False)
    return monkeypatch


def without_core(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sys.modules, "lighttls.crypto._core", None)
    patch.delitem(sys.modules, "lighttls.crypto.native", raising=False)


def test_native_engine_is_the_default_where_it_was_built(fresh: pytest.MonkeyPatch) -> None:
    require.native()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert default_provider().name == "native"


def test_pure_engine_takes_over_with_one_warning(fresh: pytest.MonkeyPatch) -> None:
    without_core(fresh)
    with pytest.warns(RuntimeWarning, match="without its C core"):
        chosen = default_provider()
    assert chosen.name == "pure"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert default_provider() is chosen


@pytest.mark.parametrize("name", ["pure", "native"])
def test_engine_that_the_environment_names_is_chosen_without_a_warning(fresh: pytest.MonkeyPatch, name: str) -> None:
    if name == "native":
        require.native()
    fresh.setenv("LIGHTTLS_PROVIDER", name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert default_provider().name == name


def test_native_engine_that_was_asked_for_is_never_replaced(fresh: pytest.MonkeyPatch) -> None:
    without_core(fresh)
    fresh.setenv("LIGHTTLS_PROVIDER", "native")
    with pytest.raises(ConfigurationError, match="was not built"):
        default_provider()


def test_unknown_name_is_a_configuration_error(fresh: pytest.MonkeyPatch) -> None:
    fresh.setenv("LIGHTTLS_PROVIDER", "openssl")
    with pytest.raises(ConfigurationError, match=r"'openssl'.*LIGHTTLS_PROVIDER"):
        default_provider()
    with pytest.raises(ConfigurationError, match="'openssl'"):
        by_name("openssl")


@pytest.mark.parametrize("engine", ["native", "pure"])
def test_engine_loads_neither_cffi_nor_cryptography(engine: str) -> None:
    """cffi's compiler is needed to build, not to run; `cryptography` is loaded where it is used."""
    if engine == "native":
        require.native()
    program = (
        "import sys; from lighttls.crypto import by_name; "
        f"by_name({engine!r}).digest('sha256', b''); print(*sorted(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert f"lighttls.crypto.{engine}" in loaded
    assert not loaded & {"cffi", "cryptography"}
