"""Fixtures every room shares, and the line that says which engines a run really covered."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import hypothesis
import pytest

from support import engines, require
from support.workshop import Workshop

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider

hypothesis.settings.register_profile("default", deadline=None, print_blob=True)
# CI must not fail by chance on a change that broke nothing: there the same inputs come every time.
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.register_profile("long", deadline=None, print_blob=True, max_examples=1000)
if os.environ.get("LIGHTTLS_LONG") == "1":
    hypothesis.settings.load_profile("long")
else:
    hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")


if engines.native_problem():
    os.environ.setdefault("LIGHTTLS_PROVIDER", "pure")  # chosen on purpose, so that it need not be warned about


def pytest_report_header() -> list[str]:
    problem = engines.native_problem()
    if problem:
        return [f"engines: pure only; native is not built ({problem}); `make deps` installs what it needs"]
    return [
        f"engines: native, pure; processor features: {engines.cpu_feature_names(engines.cpu_features())}",
        f"implementations run: {', '.join(engines.masks_here())}",
    ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """LIGHTTLS_REQUIRE_ALL=1: what is skipped for want of something that a command brings has failed."""
    report = yield
    if os.environ.get("LIGHTTLS_REQUIRE_ALL") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        _, _, reason = report.longrepr
        if require.NO_COMMAND_BRINGS not in reason:
            report.outcome = "failed"
            report.longrepr = f"LIGHTTLS_REQUIRE_ALL=1, but {reason}"
    return report


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """One for all, so that nothing is compiled twice."""
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture(params=engines.ENGINES)
def provider(request: pytest.FixtureRequest) -> CryptoProvider:
    """Each crypto engine in turn."""
    if request.param == "native":
        require.native()
    return engines.provider(request.param)


@pytest.fixture(params=["pure", *(f"native:{mask}" for mask in engines.CPU_MASKS)])
def implementation(request: pytest.FixtureRequest) -> Iterator[CryptoProvider]:
    """Each engine in turn, and of the native one each implementation that this processor can run."""
    engine, _, mask = request.param.partition(":")
    if engine == "pure":
        yield engines.provider("pure")
        return
    require.native()
    require.cpu_features(mask)
    with engines.restricted(mask):
        yield engines.provider("native")
