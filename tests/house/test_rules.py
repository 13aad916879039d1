"""What we ship keeps the house's rules, and the rules see a breach."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.house import rules


@pytest.mark.req("S-15")
def test_no_shell_no_assert_and_pure_cores() -> None:
    found = [v for p in rules.shipped() for v in rules.violations(p.relative_to(rules.ROOT).as_posix(), p.read_text("utf-8"))]
    assert not found, "\n".join(found)


@pytest.mark.req("S-15")
@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.system('reboot ' + x)",
        "from subprocess import run\nrun(x, shell=True)",
        "import subprocess as s\ns.Popen(x, shell=flag)",
        "import subprocess\nsubprocess.getoutput(x)",
        "async def f(x):\n    await asyncio.create_subprocess_shell(x)",
        "from os import popen\npopen(x)",
        "def f(x):\n    assert x > 0",
    ],
)
def test_a_shell_or_an_assert_is_seen_in_any_room(source: str) -> None:
    assert rules.violations("bench/x.py", source)
    assert rules.violations("chargepoint/runtime/x.py", source)


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio",
        "import time as t",
        "from concurrent.futures import Future",
        "import datetime\nx = datetime.datetime.now(datetime.UTC)",
        "from datetime import datetime\nx = datetime.now()",
        "from uuid import uuid4",
        "import uuid\nx = uuid.uuid4()",
        "import os\nx = os.urandom(8)",
        "def f():\n    import secrets",
        "print('x')",
        "open('x')",
    ],
)
def test_a_core_that_reads_clock_chance_or_world_is_seen(source: str) -> None:
    assert rules.violations("chargepoint/x.py", source)
    assert rules.violations("hal/sim/pilot.py", source)
    assert not rules.violations("chargepoint/runtime/x.py", source)


def test_plain_code_is_no_breach() -> None:
    source = "from datetime import datetime, timedelta\nimport os.path\n\n\ndef f(now, lock):\n    lock.open()\n    return datetime.fromisoformat(now)\n"
    assert rules.violations("chargepoint/x.py", source) == []


def test_ruff_and_import_linter_exempt_the_same_rooms() -> None:
    config = tomllib.loads((rules.ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    exempt = {
        path
        for path, codes in config["ruff"]["lint"]["per-file-ignores"].items()
        if "TID251" in codes and not path.startswith(("tests/", "docs/"))
    }
    assert exempt == set(rules.OUTER)
    contract: dict[str, Any] = next(c for c in config["importlinter"]["contracts"] if c["id"] == "cores")
    modules = {line.removesuffix(" -> *") for line in contract["ignore_imports"]}
    rooms = {p.removesuffix(".py").removesuffix("/**").replace("/", ".") for p in rules.OUTER if not p.startswith("bench")}
    assert {m.removesuffix(".**") for m in modules} == rooms
    assert set(contract["forbidden_modules"]) == rules.BANNED_MODULES
