"""docs/reference/ is what the declarations say."""

import re

from bench import render_config
from bench.bench_config import KEYS
from bench.control import BOARD_VERBS
from bench.verbs import STATION_VERBS
from hal.sim.faults import FAULTS
from tests.house import rules


def test_the_configuration_page_and_its_schema_are_fresh() -> None:
    assert render_config.main(["--check"]) == 0, "run: make docs"


def test_the_control_ports_page_names_every_verb_and_every_fault() -> None:
    text = (rules.ROOT / "docs/reference/control-port.md").read_text("utf-8")
    named = set(re.findall(r"`(\w+)`", text))
    assert {*BOARD_VERBS, *STATION_VERBS, "clear_error"} <= named
    assert {*FAULTS, "BoardSilent"} <= named
    assert set(KEYS) <= named
