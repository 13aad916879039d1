"""The tables of WPT and ACDP (ISO 15118-20), row by row, at both sides."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import pytest

from bench.v2g.pair import Pair
from iso15118.evcc.iso20 import acdp_table as ev_acdp
from iso15118.evcc.iso20 import others as evcc
from iso15118.evcc.iso20 import wpt_table as ev_wpt
from iso15118.evcc.iso20.table import Said
from iso15118.evcc.terms import EvWish
from iso15118.iso20.wire import RESPONSES
from iso15118.machine import Table
from iso15118.messages.iso20 import acdp, wpt
from iso15118.secc.iso20 import acdp_table, others, wpt_table
from iso15118.secc.iso20.dialect import Iso20
from iso15118.secc.session import Answer
from iso15118.terms import Control, Energy, PowerOff
from tests.behaviour.iso20_rig import ask, ended_well, make, told

TABLES: list[Table[Any, Any]] = [wpt_table.TABLE, acdp_table.TABLE, ev_wpt.TABLE, ev_acdp.TABLE]


@pytest.mark.parametrize("table", TABLES, ids=[each.name for each in TABLES])
def test_tables_are_whole(table: Table[Any, Any]) -> None:
    assert table.undecided() == ()
    assert table.reachable() == frozenset(table.states)
    assert f"[*] --> {'setup' if 'SECC' in table.name else 'begin'}" in table.to_mermaid()


@pytest.mark.parametrize("energy", [Energy.WPT, Energy.ACDP])
def test_every_function_in_them_is_there(energy: Energy) -> None:
    secc_rules, evcc_rules = others.RULES[energy], evcc.RULES[energy]
    assert {name for each in secc_rules.table.entries.values() for name in each.do} <= set(secc_rules.handlers)
    assert {name for each in evcc_rules.table.entries.values() for name in each.do} <= set(evcc_rules.ask)
    silent = {evcc_rules.table.initial, next(each for each in evcc_rules.table.states if each.value == "over")}
    assert set(evcc_rules.table.states) - silent <= set(evcc_rules.hear)


@cache
def places(energy: Energy) -> dict[Any, tuple[Iso20, Any]]:
    """The charger's dialect in each state, as honest vehicles bring it there. Whoever uses one copies it."""
    found: dict[Any, tuple[Iso20, Any]] = {}

    def keep(pair: Pair) -> None:
        if pair.dialect is not None and pair.dialect.state not in found:
            found[pair.dialect.state] = copy.deepcopy(pair.dialect), pair.now

    for wish, aside in ((EvWish.STANDBY, False), (EvWish.RENEGOTIATE_SCHEDULE, False), (EvWish.RENEGOTIATE_SCHEDULE, True)):
        pair = make(energy, Control.DYNAMIC, loops=40, other_schedules_aside=aside, status_every_s=1.0)
        pair.watches.append(keep)
        ask(pair, "vehicle", 10, wish, None)
        ask(pair, "vehicle", 30, EvWish.RESUME, None)
        pair.session()
    return found


@cache
def asked(energy: Energy) -> dict[Any, tuple[Any, int]]:
    """What honest vehicles ask, by the event of the table: the request, and as what it came."""
    rules = others.RULES[energy]
    said: dict[Any, tuple[Any, int]] = {}

    def listen(pair: Pair) -> None:
        if pair.messages and pair.messages[-1][1] == "ev" and type(pair.messages[-1][2]) in rules.requests:
            came_as = int.from_bytes(pair.octets[-1][2][2:4], "big")
            said.setdefault(rules.event_of(pair.messages[-1][2], came_as), (pair.messages[-1][2], came_as))

    for wish, aside in (*((each, False) for each in EvWish), (EvWish.RENEGOTIATE_SCHEDULE, True)):
        pair = make(energy, Control.DYNAMIC, loops=30, other_schedules_aside=aside, status_every_s=1.0)
        pair.watches.append(listen)
        ask(pair, "vehicle", 10, wish, None)
        pair.session()
    return said


def answered(dialect: Iso20, now: Any, request: Any, came_as: int) -> Answer:
    """One request, with the session's id."""
    dialect._came_as = came_as
    return dialect.answer(now, _with_id(request, dialect.talk.session_id or bytes(8)), late=False)


@pytest.mark.parametrize("energy", [Energy.WPT, Energy.ACDP])
def test_every_request_in_every_state(energy: Energy) -> None:
    """Honest vehicles come to every state; what an honest vehicle has said anywhere is taken where its row is, and refused elsewhere."""
    rules, said = others.RULES[energy], asked(energy)
    assert set(places(energy)) == set(rules.table.states)
    never = {event for event in rules.table.events if event not in said}
    assert {each.name for each in never} <= {"INSTALLATION", "REPLAN"}
    for state, (honest, now) in places(energy).items():
        for event, (request, came_as) in said.items():
            dialect = copy.deepcopy(honest)
            answer = answered(dialect, now, request, came_as)
            refused = rules.table.entries[state, event].refused
            code = getattr(answer.response, "ResponseCode", "")
            assert (code == "FAILED_SequenceError") == refused, (state, event, code, answer.failed)
            if honest.talk.energy_on and not dialect.talk.energy_on:
                assert any(isinstance(each, PowerOff) for each in answer.told), (state, event)


def _with_id(request: Any, session_id: bytes) -> Any:
    again = copy.copy(request)
    again.Header = copy.copy(request.Header)
    again.Header.SessionID = session_id
    return again


def _parks(pair: Pair) -> None:
    """It checks in before the schedules, and out after the energy."""
    pair.vehicle.wants.wish = EvWish.CHECK_IN
    pair.when(
        lambda: any(each.why != "alignment" for each in told(pair, PowerOff)),
        lambda: setattr(pair.vehicle.wants, "wish", EvWish.CHECK_OUT),
    )
    pair.session()
    ended_well(pair)


def test_every_row_of_the_vehicles_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions take every row but those of stops, which are taken above, and of contracts, which are as by cable."""
    from iso15118.evcc.iso20 import dialect as dialect_module
    from iso15118.machine import step

    taken: dict[str, set[tuple[Any, Any]]] = {each.name: set() for each in TABLES}

    def counted(table: Any, state: Any, event: Any) -> Any:
        taken[table.name].add((state, event))
        return step(table, state, event)

    monkeypatch.setattr(dialect_module, "step", counted)
    for energy in (Energy.WPT, Energy.ACDP):
        for wish in EvWish:
            for aside in (False, True) if wish is EvWish.RENEGOTIATE_SCHEDULE else (False,):
                pair = make(energy, loops=40, other_schedules_aside=aside, status_every_s=1.0)
                ask(pair, "vehicle", 10, wish, None)
                ask(pair, "vehicle", 25, EvWish.RESUME, None)
                pair.session()
    for energy, welding_detection in ((Energy.WPT, True), (Energy.ACDP, True), (Energy.ACDP, False)):
        _parks(make(energy, welding_detection=welding_detection))
    usual = (
        Said.GO,
        Said.AC,
        Said.DC,
        Said.CHECK_IN,
        Said.CHECK_OUT,
        Said.REPLAN,
        Said.PROFILE,
        Said.STANDBY,
        Said.METERING,
        Said.OVER,
        *ev_acdp.Beside,
    )
    for table in (ev_wpt.TABLE, ev_acdp.TABLE):
        rows = {(each.state, each.event) for each in table.entries.values() if not each.refused}
        assert {each for each in rows - taken[table.name] if each[1] in usual} == set()
        awaited = {each.state for each in table.entries.values() if each.event is Said.FAILED and not each.refused}
        assert {each.value for each in set(table.states) - awaited} == {"begin", "over"}, "everything may fail"


def test_messages_of_one_way_are_none_of_another() -> None:
    """A station's session by cable takes none of them."""
    assert not set(RESPONSES) & {wpt.WPT_PairingReq, acdp.ACDP_ConnectReq}
    for energy, stranger in ((Energy.WPT, acdp.ACDP_ConnectReq), (Energy.ACDP, wpt.WPT_PairingReq)):
        assert stranger not in others.RULES[energy].requests


def test_both_may_say_how_they_are_from_the_setup_to_the_end() -> None:
    refused = {state for state in acdp_table.TABLE.states if acdp_table.TABLE.entries[state, acdp_table.P.STATUS].refused}
    assert {each.value for each in refused} == {"setup", "over"}
