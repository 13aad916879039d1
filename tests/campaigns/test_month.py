"""A month of a station: nothing is lost over outages and two restarts a day, what it told adds up to what its meter counted, and it grows nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from bench.campaign.month import KEEP_DISK_MB

WHOLE = bool(os.environ.get("SOAK"))
GROWTH_MB, STATE_DIR_MB, DATABASE_MB = 2.0, KEEP_DISK_MB + 4.0, 4.0
WH = 0.2
"""A reading is told in tenths of a Wh."""


@pytest.mark.soak
@pytest.mark.req("S-30", "F-1", "F-4", "E17")
@pytest.mark.timeout(0 if WHOLE else 300)
def test_a_month() -> None:
    """30 days and 300 sessions under SOAK, else a morning; in a process of its own, whose memory nobody else uses."""
    days = 30.0 if WHOLE else 0.3
    done = subprocess.run([sys.executable, "-m", "bench.campaign.month", str(days)], capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    print(figures)
    assert figures["wrong"] == []
    assert figures["unended"] == 0
    assert figures["transactions"] >= int(10 * days)
    assert figures["told_Wh"] == pytest.approx(figures["metered_Wh"], abs=WH * figures["transactions"])
    assert figures["restarts"] >= max(1.0, 1.5 * days)
    assert figures["resumed"] >= (days if WHOLE else 1)
    assert figures["state_dir_MB"] < STATE_DIR_MB
    assert figures["database_MB"] < DATABASE_MB
    if WHOLE:
        assert figures["outages"] > 30
        assert figures["rss_MB"] - figures["rss_warm_MB"] <= GROWTH_MB
