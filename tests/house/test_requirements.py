"""docs/requirements.md is what the tests say, and says it for every way of marking."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import requirements

MARKED = """
import pytest
pytestmark = [pytest.mark.peer, pytest.mark.req("A-1")]

@pytest.mark.req("S-10", "S-9")
def test_one(): ...

class TestTwo:
    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.req("E13.FR.02"))])
    async def test_three(self, x): ...

BOTH = pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.req("S-2"))])
LAST = pytest.mark.req("S-3")

@BOTH
@pytest.mark.parametrize("y", [pytest.param(1, marks=LAST)])
def test_four(x, y): ...

def helper(): ...
"""


def test_the_page_is_fresh() -> None:
    assert requirements.main(["--check"]) == 0, "run: make docs"


def test_marks_of_module_function_and_parameter_are_found_in_natural_order(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(MARKED)
    one, three = f"{tmp_path.name}/test_x.py::test_one", f"{tmp_path.name}/test_x.py::TestTwo::test_three"
    four = f"{tmp_path.name}/test_x.py::test_four"
    wanted = {"A-1": [three, four, one], "E13.FR.02": [three], "S-2": [four], "S-3": [four], "S-9": [one], "S-10": [one]}
    assert requirements.shown(tmp_path) == wanted
    assert list(requirements.shown(tmp_path)) == ["A-1", "E13.FR.02", "S-2", "S-3", "S-9", "S-10"]


def test_an_id_that_is_no_literal_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text("import pytest\n@pytest.mark.req(name)\ndef test_one(): ...\n")
    with pytest.raises(ValueError, match=r"test_x\.py:2: mark\.req takes literal strings"):
        requirements.shown(tmp_path)
