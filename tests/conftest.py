"""What holds for every test: a skip in CI is a failure, and what is left out is named."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.token_rig import softhsm, tpm  # noqa: F401 fixtures

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
COLLECTED = os.environ.get("CHARGEPOINT_COLLECTED", "")
# How many tests were left out for want of $CHARGEPOINT_COLLECTED; xdist's controller collects nothing, so it counts none.
R = TypeVar("R", pytest.TestReport, pytest.CollectReport)
LEFT_OUT = pytest.StashKey[int]()
LONG = pytest.StashKey[int]()
"""How many tests wait for so long that they run in `make soak` only."""
WHOLE = os.environ.get("SOAK") == "1"
UNCOVERED = ("unit/bench/", "unit/runtime/", "unit/chargepoint/test_transaction_combinations", "unit/ocpp/test_schemas")
"""`make coverage`: what runs through the same lines thousands of times, or waits for real sockets and processes, is not traced. Coverage of a module is what the
tests of its own room reach."""


def _skip_is_failure(report: R) -> R:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: a skip fails in CI: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _skip_is_failure((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _skip_is_failure((yield))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Other projects' data is read from where it lies and is never in the repository: without it these tests are not there at all."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.path.relative_to(here).as_posix().startswith(UNCOVERED):
            item.add_marker("no_cover")
    if not WHOLE:
        long = [item for item in items if (mark := item.get_closest_marker("soak")) is not None and mark.kwargs.get("only")]
        config.stash[LONG] = len(long)
        if long:
            config.hook.pytest_deselected(items=long)
            items[:] = [item for item in items if item not in long]
    if COLLECTED:
        return
    left_out = [item for item in items if item.get_closest_marker("collected")]
    config.stash[LEFT_OUT] = len(left_out)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not WHOLE:
        number = str(config.stash.get(LONG, "some"))
        terminalreporter.write_line(f"{number} long tests run in `make soak` only")
    if not COLLECTED:
        count = config.stash.get(LEFT_OUT, None)
        number = "the" if count is None else str(count)
        terminalreporter.write_line(f"CHARGEPOINT_COLLECTED is unset: {number} tests on other projects' data were left out")


@pytest.fixture(scope="session")
def collected() -> Path:
    """Folder of other projects' data; for tests marked `collected`."""
    folder = Path(COLLECTED)
    if not folder.is_dir():
        pytest.fail(f"CHARGEPOINT_COLLECTED={COLLECTED}: no such folder")
    return folder


@pytest.fixture(scope="session")
def oracle() -> Callable[[str], str]:
    """`oracle("tshark")`: the path of a foreign program, or a skip that names it (`make oracles` installs them all)."""

    def find(program: str) -> str:
        path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if path is None:
            pytest.skip(f"{program} is not installed: make oracles")
        return path

    return find
