"""ISO 15118-20 as a vehicle speaks it: the table of what it asks next, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from bench.v2g.pki import World
from iso15118.evcc.iso20 import dialect as dialect_module
from iso15118.evcc.iso20.table import TABLE, S, Said
from iso15118.evcc.terms import (
    EvWish,
)
from iso15118.machine import step
from iso15118.terms import Control, Energy
from tests.unit.iso15118 import test_evcc_iso20 as begin
from tests.unit.iso15118 import test_evcc_iso20_loop as loop
from tests.unit.iso15118.evcc_places import AWAITED, BEFORE, INSTALLING, RIGHT, UNDER_POWER, Place, drive


def test_every_row_of_the_table(places: dict[S, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions, stops anywhere and failures anywhere take every row that is not refused."""
    taken: set[tuple[Any, Any]] = {(S.BEGIN, Said.GO)}

    def counted(table: Any, state: Any, event: Any) -> Any:
        if table is TABLE:
            taken.add((state, event))
        return step(table, state, event)

    monkeypatch.setattr(dialect_module, "step", counted)
    for energy in (Energy.AC, Energy.DC):
        for wish in (
            EvWish.STANDBY,
            EvWish.RENEGOTIATE_SCHEDULE,
            EvWish.CONFIRM_METERING,
            EvWish.RENEGOTIATE_SERVICE,
            EvWish.CHECK_IN,
            EvWish.CHECK_OUT,
        ):
            drive(energy, Control.DYNAMIC, wish, added_services=(65,))
        drive(energy, Control.DYNAMIC, EvWish.RENEGOTIATE_SCHEDULE, other_schedules_aside=True)
        drive(energy, Control.DYNAMIC, EvWish.CHECK_OUT, parks=True)
    strangers = World.of(seed=b"strangers")
    for contracts in ((), (strangers.contract("DETSTC00000008"), strangers.contract("DETSTC00000009"))):
        drive(Energy.DC, Control.DYNAMIC, EvWish.STANDBY, **INSTALLING | {"contracts": contracts})
    for awaited in AWAITED:
        Place(places, awaited).hear(ResponseCode="FAILED")
    for state in [*BEFORE, *UNDER_POWER]:
        place = Place(places, state)
        place.wants.wish = EvWish.STOP
        place.hear(**RIGHT.get(state, {}))
    for state in (S.AC_STANDBY, S.DC_STANDBY):
        loop.test_other_schedules_out_of_standby(places, state)
    for state in (S.AC_TO_STANDBY, S.DC_TO_STANDBY):
        loop.test_standby_is_not_allowed(places, state)
    begin.test_a_vehicle_that_is_not_ready_says_so(places)
    begin.test_without_welding_detection(places)
    begin.test_what_is_ongoing_for_too_long(places, S.SCHEDULE, {"EVSEProcessing": "Ongoing"}, 60.0, "schedules")
    begin.test_what_is_ongoing_for_too_long(places, S.RESCHEDULE, {"EVSEProcessing": "Ongoing"}, 60.0, "schedules")
    assert taken == {(each.state, each.event) for each in TABLE.entries.values() if not each.refused}


def test_the_table_draws_itself() -> None:
    drawn = TABLE.to_mermaid()
    assert "[*] --> begin" in drawn
    assert all(word in drawn for word in ("precharge", "DC_loop", "session_stop"))
