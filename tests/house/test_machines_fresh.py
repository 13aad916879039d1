"""docs/machines/ is what the tables say."""

from bench import render_machines


def test_the_pages_under_docs_machines_are_fresh() -> None:
    assert render_machines.main(["--check"]) == 0, "run: python -m bench.render_machines"
