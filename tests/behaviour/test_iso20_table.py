"""The tables of ISO 15118-20, row by row: our charger's side in each state, with each request."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bench.v2g.pair import Pair
from bench.v2g.wrong import any_request
from iso15118.evcc.iso20.table import TABLE as EV_TABLE
from iso15118.evcc.terms import EvWish
from iso15118.iso20.values import rational
from iso15118.iso20.wire import RESPONSES
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_services as sv
from iso15118.messages.iso20 import common_types as ct
from iso15118.minimal import minimal
from iso15118.secc.iso20.dialect import Iso20
from iso15118.secc.iso20.table import TABLE, E, S
from iso15118.terms import Energy, PowerOff, Progress
from iso15118.v2gtp import ISO20_MAIN, ISO20_SCHEDULE_RENEGOTIATION
from tests.behaviour.iso20_rig import ask, make


def _request(event: E, dialect: Iso20) -> Any:
    """A request that is right where it is in order."""
    talk, header = dialect.talk, ct.MessageHeaderType(SessionID=dialect.talk.session_id or bytes(8), TimeStamp=0)
    kw: dict[str, Any] = {"Header": header}
    zero = rational(0)
    match event:
        case E.START | E.STOP | E.STANDBY | E.RENEGOTIATE | E.REPLAN:
            word = {E.START: "Start", E.STOP: "Stop", E.STANDBY: "Standby"}.get(event, "ScheduleRenegotiation")
            profile = minimal(cs.EVPowerProfileType) if event is E.REPLAN else None
            return cm.PowerDeliveryReq(**kw, EVProcessing="Finished", ChargeProgress=word, EVPowerProfile=profile)  # type: ignore[arg-type]
        case E.TERMINATE | E.PAUSE | E.SERVICES_AGAIN:
            stop = {E.TERMINATE: "Terminate", E.PAUSE: "Pause", E.SERVICES_AGAIN: "ServiceRenegotiation"}[event]
            return cm.SessionStopReq(**kw, ChargingSession=stop)  # type: ignore[arg-type]
        case E.SELECTION_AC | E.SELECTION_DC:
            chosen = sv.SelectedServiceType(ServiceID=1 if event is E.SELECTION_AC else 2, ParameterSetID=2)
            return cm.ServiceSelectionReq(**kw, SelectedEnergyTransferService=chosen)
        case E.SCHEDULE | E.SCHEDULE_ASIDE:
            mode = cs.Dynamic_SEReqControlModeType(
                DepartureTime=1, EVTargetEnergyRequest=zero, EVMaximumEnergyRequest=zero, EVMinimumEnergyRequest=zero
            )
            return cm.ScheduleExchangeReq(**kw, MaximumSupportingPoints=12, Dynamic_SEReqControlMode=mode)
        case E.AC_LOOP:
            fields: dict[str, Any] = dict.fromkeys(
                (
                    "EVTargetEnergyRequest", "EVMaximumEnergyRequest", "EVMinimumEnergyRequest", "EVMaximumChargePower", "EVMinimumChargePower",
                    "EVPresentActivePower", "EVPresentReactivePower",
                ), zero,
            )  # fmt: skip
            return ac.AC_ChargeLoopReq(**kw, MeterInfoRequested=False, CLReqControlMode=ac.Dynamic_AC_CLReqControlMode(**fields))
        case E.DC_LOOP:
            fields = dict.fromkeys(
                (
                    "EVTargetEnergyRequest", "EVMaximumEnergyRequest", "EVMinimumEnergyRequest", "EVMaximumChargePower", "EVMinimumChargePower",
                    "EVMaximumChargeCurrent", "EVMaximumVoltage", "EVMinimumVoltage",
                ), zero,
            )  # fmt: skip
            return dc.DC_ChargeLoopReq(
                **kw, MeterInfoRequested=False, EVPresentVoltage=zero, CLReqControlMode=dc.Dynamic_DC_CLReqControlMode(**fields)
            )
        case E.DC_PARAMETERS:
            fields = {name: rational(400) for name in ("EVMaximumChargePower", "EVMinimumChargePower", "EVMaximumChargeCurrent", "EVMinimumChargeCurrent", "EVMaximumVoltage", "EVMinimumVoltage")}  # fmt: skip
            return dc.DC_ChargeParameterDiscoveryReq(**kw, DC_CPDReqEnergyTransferMode=dc.DC_CPDReqEnergyTransferModeType(**fields))
        case E.DETAIL:
            return cm.ServiceDetailReq(**kw, ServiceID=1 if dialect.talk.energies[0] is Energy.AC else 2)
        case E.METERING:
            data = cm.SignedMeteringDataType(
                Id="id1", SessionID=talk.session_id, MeterInfo=ct.MeterInfoType(MeterID="m", ChargedEnergyReadingWh=1),
                Dynamic_SMDTControlMode=cm.Dynamic_SMDTControlModeType(),
            )  # fmt: skip
            return cm.MeteringConfirmationReq(**kw, SignedMeteringData=data)
    kinds = {kind.__name__: kind for kind in RESPONSES}
    return any_request(kinds[event.value], header.SessionID)


@pytest.fixture(scope="module")
def places() -> dict[S, tuple[Iso20, Any]]:
    """The charger's dialect in each state, as honest vehicles bring it there, with the time."""
    found: dict[S, tuple[Iso20, Any]] = {}

    def keep(pair: Pair) -> None:
        if pair.dialect is not None and pair.dialect.state not in found:
            found[pair.dialect.state] = copy.deepcopy(pair.dialect), pair.now

    for energy in (Energy.AC, Energy.DC):
        for wish, aside in ((EvWish.STANDBY, False), (EvWish.RENEGOTIATE_SCHEDULE, False), (EvWish.RENEGOTIATE_SCHEDULE, True)):
            pair = make(energy, loops=40, other_schedules_aside=aside)
            pair.watches.append(keep)
            ask(pair, "vehicle", 10, wish, None)
            ask(pair, "vehicle", 30, EvWish.RESUME, None)
            pair.session()
    return found


SETUPS: dict[E, str] = {E.INSTALLATION: "FAILED"}
"""What is in order, and not granted."""


def test_honest_vehicles_come_to_every_state(places: dict[S, Any]) -> None:
    assert set(places) == set(S)


@pytest.mark.parametrize("state", S)
def test_every_row_of_the_table(places: dict[S, tuple[Iso20, Any]], state: S) -> None:
    """A refused row is answered FAILED_SequenceError; what is no refusal is granted, or waits for a fact."""
    taken = set()
    for event in E:
        honest, now = places[state]
        dialect = copy.deepcopy(honest)
        facts = dialect.talk.facts
        facts.authorization = facts.cable_check = facts.power = Progress.DONE
        facts.current_A = 0.0
        dialect.talk.since["precharge"] = now.mono
        entry = TABLE.entries[state, event]
        if event in (E.SELECTION_AC, E.SELECTION_DC) and not entry.refused:
            dialect.talk.discovered = facts.energies
        dialect._came_as = ISO20_SCHEDULE_RENEGOTIATION if event is E.SCHEDULE_ASIDE else ISO20_MAIN
        answer = dialect.answer(now, _request(event, dialect), late=False)
        code = answer.response.ResponseCode if isinstance(answer.response, ct.V2GResponseType) else ""
        if entry.refused:
            assert code == "FAILED_SequenceError", (state, event)
            assert answer.failed
        else:
            taken.add(event)
            expected = SETUPS.get(event, "OK")
            assert code == expected or (expected == "OK" and code.startswith("OK")), (state, event, code, answer.failed)
            if honest.talk.energy_on and not dialect.talk.energy_on:
                assert any(isinstance(each, PowerOff) for each in answer.told), (state, event)
            if event is E.STOP:
                assert dialect.talk.since == {}, "nothing goes on"
            stays = answer.failed or dialect.state is state
            assert dialect.state is entry.to or stays, (state, event)
    assert taken == {event for event in E if not TABLE.entries[state, event].refused}


def test_the_vehicles_table_is_whole() -> None:
    """Every pair is decided, every state can be reached, and every function in it exists."""
    from iso15118.evcc.iso20 import table
    from iso15118.evcc.iso20.dialect import ASK, HEAR

    assert EV_TABLE.undecided() == ()
    assert EV_TABLE.reachable() == frozenset(table.S)
    assert {name for each in EV_TABLE.entries.values() for name in each.do} == set(ASK)
    assert set(HEAR) == set(table.S) - {table.S.BEGIN, table.S.OVER}
