"""PyPI `pyslac` as a foreign EVSE against our vehicle's side, over simulated modems on real interfaces.

Its limits are known: it answers no CM_VALIDATE, checks no lengths, and one short frame ends it. What our side says to it is well-formed.
"""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

import pytest

from bench.v2g.cable import running
from tests.peers.plc_cable import LINKED, holder, plc, vehicle

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("plc"), pytest.mark.timeout(180)]
NEEDS = ("pyslac==0.8.3", "marshmallow<4")
KEYED = "Enable PWM"
WHOLE = os.environ.get("SOAK") == "1"
LINES: list[tuple[str, ...]] = [
    (),
    ("--duplicates", "0.5", "--loss", "0.02"),
    ("--delay-s", "0.04"),
    ("--ev-kind", "lumissil", "--dB", "10"),
]
EVSE = """
import asyncio, sys
from pyslac.environment import Config
from pyslac.examples.single_slac_session import SlacHandler
config = Config()
config.load_envs()
given = {"number_of_evses": 1, "parameters": [{"evse_id": "DE*SWT*E1", "network_interface": sys.argv[1]}]}
asyncio.run(SlacHandler(config).start(given))
"""


@pytest.fixture(scope="session")
def pyslac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its python, in an environment of its own."""
    folder = tmp_path_factory.mktemp("pyslac") / "venv"
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *NEEDS], check=True, capture_output=True)
    return python


@pytest.mark.soak
@pytest.mark.parametrize("line", LINES if WHOLE else LINES[:2], ids=lambda line: " ".join(line) or "as it is")
def test_our_vehicle_matches_with_pyslac(pyslac: Path, tmp_path: Path, line: tuple[str, ...]) -> None:
    with plc(tmp_path, *line) as (link, _), running(link.evse, tmp_path / "evse.log", [pyslac, "-c", EVSE, link.evse_interface]) as evse:
        evse.until(KEYED)
        with holder(link, tmp_path) as car:
            assert LINKED in car.text()
            assert "slac: matched" in car.text()
        evse.until("PEV-EVSE MATCHED Successfully")


@pytest.mark.soak(only=True)
def test_our_vehicle_does_not_match_with_one_that_is_far(pyslac: Path, tmp_path: Path) -> None:
    with (
        plc(tmp_path, "--dB", "60") as (link, _),
        running(link.evse, tmp_path / "evse.log", [pyslac, "-c", EVSE, link.evse_interface]) as evse,
    ):
        evse.until(KEYED)
        with vehicle(link, tmp_path) as car:
            assert car.ended() == 1, car.text()
            assert "no charger has matched" in car.text()
