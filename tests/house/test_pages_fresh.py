"""The other generated pages are what a run prints today."""

import pytest

from bench import render_limits, render_story


@pytest.mark.parametrize("page", [render_limits, render_story], ids=["limits", "story"])
def test_the_page_is_fresh(page: object) -> None:
    assert page.main(["--check"]) == 0, "run: make docs"  # type: ignore[attr-defined] # both have a main
