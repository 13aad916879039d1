"""In CI a skip is a failure; data that may not be in the repository is left out by name, not skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import rules

SKIPS = """
import pytest

def test_skips():
    pytest.skip("no such program")

@pytest.mark.collected
def test_collected(): ...

def test_runs(): ...
"""


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(SKIPS)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = collected\n")
    inherited = {k: v for k, v in os.environ.items() if k not in {"CI", "CHARGEPOINT_COLLECTED"} and not k.startswith(("PYTEST_", "COV_"))}
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-rs", str(folder)]
    return subprocess.run(command, cwd=rules.ROOT, env=inherited | environment, capture_output=True, text=True, check=False)


def test_a_skip_fails_in_ci_and_says_why(tmp_path: Path) -> None:
    done = run(tmp_path, CI="true")
    assert done.returncode == 1, done.stdout
    assert "a skip fails in CI: Skipped: no such program" in done.stdout
    assert "1 failed, 1 passed, 1 deselected" in done.stdout


def test_elsewhere_a_skip_is_named_and_collected_data_too(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "no such program" in done.stdout
    assert "CHARGEPOINT_COLLECTED is unset: 1 tests on other projects' data were left out" in done.stdout


@pytest.mark.parametrize("statement", ['pytest.skip("why", allow_module_level=True)', 'pytest.importorskip("no_such_module")'])
def test_skipping_a_whole_module_fails_in_ci_too(tmp_path: Path, statement: str) -> None:
    (tmp_path / "test_module.py").write_text(f"import pytest\n{statement}\n")
    done = run(tmp_path, CI="true")
    assert done.returncode != 0
    assert "test_module.py: a skip fails in CI" in done.stdout
