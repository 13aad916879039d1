"""DIN 70121 and ISO 15118-2 as a vehicle speaks them: the tables of what it asks next, row by row; and what it offers to a charger."""

from __future__ import annotations

from typing import Any

import pytest

from iso15118.evcc.din.table import TABLE as DIN
from iso15118.evcc.iso2.table import TABLE as ISO2
from iso15118.evcc.speak import PROTOCOLS, spoken
from iso15118.evcc.terms import EvWish, Wants
from iso15118.evcc.v2gmsg import dialect as dialect_module
from iso15118.evcc.v2gmsg.dialect import V2gMsg
from iso15118.evcc.v2gmsg.table import BARE, BEFORE, UNDER_POWER, S, Said
from iso15118.machine import Table, step
from iso15118.terms import Energy
from tests.unit.iso15118 import test_evcc_v2gmsg as begin
from tests.unit.iso15118 import test_evcc_v2gmsg_dc as dc
from tests.unit.iso15118 import test_evcc_v2gmsg_loop as loop
from tests.unit.iso15118.v2gmsg_rig import Rig, paying

SPEECHES: dict[str, tuple[Table[S, Said], tuple[str, ...]]] = {"din": (DIN, ("din",)), "iso2": (ISO2, ("iso2-dc", "iso2-ac"))}


def _sessions(speech: str) -> None:
    """Sessions, stops anywhere, failures anywhere."""
    Rig(speech, loops=3).to(S.ENDING).hear()
    states = begin.STATES[speech]
    for state in states:
        begin.test_failed_is_the_end_everywhere(speech, state)
        if paying(state):
            begin.rig(speech, state).on(1)
        if state in (*BEFORE, *UNDER_POWER, S.AC_LOOP) or paying(state):
            begin.test_a_vehicle_may_stop_anywhere(speech, state)
        if state in BARE:
            begin.test_there_are_vehicles_that_say_session_stop_alone(speech, state)
    for case in begin.TAKES_TIME:
        if case[0] == speech:
            begin.test_what_is_ongoing_for_too_long(*case)
    if speech != "iso2-ac":
        dc.test_welding_detection(speech)
        dc.test_without_welding_detection(speech)
        dc.test_the_contactors_close_when_the_voltage_is_near(speech)
    if speech != "din":
        begin.test_services_beside_charging()
        begin.test_details_of_another_service_than_was_asked_for()
        loop.test_other_schedules(speech, "vehicle")
        for asked in (S.RENEGOTIATION, S.REPARAMETERS):
            loop.test_the_end_while_there_are_other_schedules(speech, asked)
            vehicle = loop.loop(speech)
            vehicle.wants.wish = EvWish.RENEGOTIATE_SCHEDULE
            vehicle.next()
            vehicle.wants.wish = None
            vehicle.to(asked).hear(ResponseCode="FAILED")
        Rig(speech, added_services=(3,)).to(S.DETAIL).hear(ResponseCode="FAILED")


@pytest.mark.parametrize("name", SPEECHES)
def test_every_row_of_the_table(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table, speeches = SPEECHES[name]
    taken: set[tuple[Any, Any]] = {(S.BEGIN, Said.GO)}

    def counted(table_: Any, state: Any, event: Any) -> Any:
        if table_ is table:
            taken.add((state, event))
        return step(table_, state, event)

    monkeypatch.setattr(dialect_module, "step", counted)
    for speech in speeches:
        _sessions(speech)
    rows = {(each.state, each.event) for each in table.entries.values() if not each.refused}
    assert rows - taken == set()


@pytest.mark.parametrize("table", [DIN, ISO2])
def test_the_tables_are_whole(table: Table[S, Said]) -> None:
    assert table.undecided() == ()
    assert table.reachable() == set(table.states)
    assert "[*] --> begin" in table.to_mermaid()


@pytest.mark.parametrize("speech", ["din", "iso2-dc", "iso2-ac"])
def test_every_state_and_action_has_its_function(speech: str) -> None:
    dialect = Rig(speech).dialect
    table = DIN if speech == "din" else ISO2
    assert {each for each in table.states if each not in (S.BEGIN, S.OVER)} <= set(dialect._hears)
    assert {name for each in table.entries.values() for name in each.do} == set(dialect._asks)


# ---- what is offered


@pytest.mark.parametrize(
    ("protocols", "namespaces"),
    [
        (("din", "iso2-dc"), ["urn:din:70121:2012:MsgDef", "urn:iso:15118:2:2013:MsgDef"]),
        (("iso2-ac", "iso20-ac", "iso2-dc"), ["urn:iso:15118:2:2013:MsgDef", "urn:iso:std:iso:15118:-20:AC"]),
        (("iso20-dc", "din"), ["urn:iso:std:iso:15118:-20:DC", "urn:din:70121:2012:MsgDef"]),
        ((), ["urn:iso:std:iso:15118:-20:DC"]),
    ],
)
def test_protocols_are_offered_in_their_order(protocols: tuple[str, ...], namespaces: list[str]) -> None:
    found = spoken(Wants(protocols=protocols))
    assert [each.namespace for each in found] == namespaces
    assert [(each.major, each.minor) for each in found] == [(1, 0) if "-20" in each else (2, 0) for each in namespaces]


def test_both_halves_of_iso2_are_one_offer() -> None:
    found = spoken(Wants(protocols=("iso2-ac", "din", "iso2-dc")))
    assert len(found) == 2
    dialect = found[0].make("")
    assert isinstance(dialect, V2gMsg)
    assert dialect.talk.energies == (Energy.AC, Energy.DC)


def test_another_name() -> None:
    with pytest.raises(ValueError, match="iso2: no such protocol; there are iso20-dc"):
        spoken(Wants(protocols=("iso2",)))
    assert len(PROTOCOLS) == 5
