"""kill -9 at random instants of real processes: nothing lost, doubled or gapped; open at each boot before anything else (F-1, F-17)."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bench.campaign.kills import campaign

WHOLE = bool(os.environ.get("SOAK"))


@pytest.mark.soak
@pytest.mark.req("F-1", "F-17", "S-30")
def test_no_kill_costs_a_transaction(tmp_path: Path) -> None:
    most = {"transactions": 250, "power_losses": 100} if WHOLE else {"transactions": 5, "power_losses": 2}
    result = asyncio.run(campaign(300 if WHOLE else 12, 11, tmp_path, **most))
    assert result.wrong == []
    assert result.kills >= (300 if WHOLE else 12)
    assert result.transactions >= most["transactions"]
    assert result.power_losses >= most["power_losses"]
