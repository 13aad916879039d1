"""docs/reference/ is what the declarations say."""

from bench import render_config


def test_the_configuration_page_and_its_schema_are_fresh() -> None:
    assert render_config.main(["--check"]) == 0, "run: make docs"
