"""What a session may read of the EVSE where a vehicle is not served any longer."""

from __future__ import annotations

import pytest

from chargepoint import v2g_facts
from chargepoint.config import EvseConfig, V2gConfig
from chargepoint.events import Supply
from chargepoint.facts import EvseFacts
from chargepoint.v2g_facts import Moment
from chargepoint.v2g_state import V2gState
from hal.types import EvseInfo
from iso15118.terms import Wish


@pytest.mark.req("M07", "S-29")
@pytest.mark.parametrize(("supply", "fault"), [(Supply.OFF, v2g_facts.REVOKED), (Supply.POWER, "")])
def test_a_refused_vehicle_is_asked_to_stop_and_gets_no_energy_anew(supply: Supply, fault: str) -> None:
    config, board = EvseConfig(1, v2g=V2gConfig("eth1")), EvseInfo(1, 32.0)
    facts, evse = v2g_facts.of(config, board), EvseFacts(1, supply=supply)
    v2g_facts.refresh(facts, V2gState(), evse, config, board, Moment())
    assert (facts.wish, facts.fault) == (None, "")
    v2g_facts.refresh(facts, V2gState(refused=True), evse, config, board, Moment())
    assert (facts.wish, facts.fault) == (Wish.STOP, fault)
