"""Our `iso15118` beside the PyPI distribution of that name: it refuses to be imported and says what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.house import rules


def import_it(*, beside: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": f"{rules.ROOT}:{beside}", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-c", "import iso15118"], env=environment, capture_output=True, text=True, check=False)


def test_it_imports_alone(tmp_path: Path) -> None:
    done = import_it(beside=tmp_path)
    assert done.returncode == 0, done.stderr


def test_it_refuses_beside_its_namesake_and_names_the_remedy(tmp_path: Path) -> None:
    info = tmp_path / "iso15118-0.27.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: iso15118\nVersion: 0.27.1\n")
    done = import_it(beside=tmp_path)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: the PyPI distribution 'iso15118' 0.27.1 is installed")
    assert "pip uninstall iso15118" in last
    assert "separate venv" in last
