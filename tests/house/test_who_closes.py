"""Only interlock.py asks for a closed contactor, and only there the lease on power is given out."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("chargepoint", "iso15118", "hal", "certs")


def constructors_of(name: str) -> set[str]:
    found = set()
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == name:
                    found.add(path.relative_to(ROOT).as_posix())
    return found


@pytest.mark.parametrize("name", ["CloseContactor", "Permit"])
def test_only_the_interlock_makes_it(name: str) -> None:
    assert constructors_of(name) == {"chargepoint/interlock.py"}
