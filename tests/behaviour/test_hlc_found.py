"""What explorations and campaigns have found wrong in an EVSE that talks and its sessions, one story each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.v2g.model import COMPACT
from chargepoint.commands import CloseVehicle, Log, Permit, SetDcOutput, SetDuty, SetX1
from chargepoint.events import SessionChanged, SessionStage, Supply, SupplyAsked, VehicleSaid, VehicleServed
from hal.types import DcSample
from iso15118 import exi, v2gtp
from iso15118.iso20.wire import least
from iso15118.messages.iso20 import acdp, wpt
from iso15118.messages.iso20 import common_types as ct
from iso15118.terms import Energy
from tests.behaviour.hlc_rig import HlcSite

KIND = {"ac": Energy.AC, "dc": Energy.DC}


def wanting(mode: str) -> HlcSite:
    """At 5 % with S2 closed and somebody authorised; the session is ours to make up."""
    site = HlcSite(mode)
    ev = site.plug(site.vehicle(KIND[mode]), modem=False)
    site.card()
    site.run(4.0)
    assert site.duties() == [5.0]
    ev.s2 = True
    site.run(0.5)
    return site


def begin(site: HlcSite) -> None:
    site.heap.tell(SessionChanged(1, SessionStage.BEGUN))


@pytest.mark.parametrize("supply", [Supply.CABLE_CHECK, Supply.PRECHARGE])
def test_ac_closes_for_nothing_but_power(supply: Supply) -> None:
    site = wanting("ac")
    begin(site)
    site.heap.tell(SupplyAsked(1, supply, 400.0))
    site.run(3.0)
    assert site.guard.closed_s == 0.0


@pytest.mark.parametrize("supply", [Supply.PRECHARGE, Supply.POWER])
def test_dc_closes_for_nothing_but_a_cable_check(supply: Supply) -> None:
    site = wanting("dc")
    begin(site)
    site.heap.tell(SupplyAsked(1, supply, 400.0, 10.0))
    site.run(3.0)
    assert site.guard.closed_s == 0.0


@pytest.mark.parametrize("then", [None, SessionStage.BEGUN])
def test_what_was_asked_without_a_session_is_no_consent(then: SessionStage | None) -> None:
    site = wanting("ac")
    site.heap.tell(SupplyAsked(1, Supply.POWER))
    if then:
        site.heap.tell(SessionChanged(1, then))
    site.run(3.0)
    assert site.guard.closed_s == 0.0


def test_consent_ends_with_its_session() -> None:
    site = wanting("ac")
    begin(site)
    site.heap.tell(SessionChanged(1, SessionStage.ABORTED))
    site.heap.tell(SupplyAsked(1, Supply.POWER))
    site.until(lambda: site.hlc.value == "waiting for the link")
    begin(site)
    site.run(3.0)
    assert site.guard.closed_s == 0.0


def test_between_5_percent_and_a_current_x1_has_its_time_after_a_pulse_too() -> None:
    """The X1 after a pulse of state F is shorter than T_step_X1."""
    site = HlcSite("ac")
    site.plug(site.vehicle(Energy.AC), modem=False)
    site.card()
    site.until(lambda: site.hlc.value == "again", most_s=70.0)
    site.heap.tell(VehicleServed(1, ready=False, why="no link-local address"))
    site.until(lambda: site.duties()[-1] > 10.0)
    x1_at = site.at(SetX1)[-1][0]
    current_at = site.at(SetDuty)[-1][0]
    assert current_at - x1_at >= 3.0


def test_no_cable_check_below_what_the_stage_gives() -> None:
    site = wanting("dc")
    begin(site)
    site.heap.tell(SupplyAsked(1, Supply.CABLE_CHECK, 10.0))
    site.heap.looks.remove(site.guard)  # it knows of no session
    site.until(lambda: "CableCheckFailure" in site.facts.faults)
    assert site.at(SetDcOutput) == []


def test_the_lease_of_a_ramp_down_is_given_once() -> None:
    site = HlcSite("dc")
    site.charge(site.vehicle(Energy.DC, spec=replace(COMPACT, welded=True)))
    site.heap.world.inject(1, "StageNotOff")
    site.heap.looks.remove(site.guard)
    at = site.heap.now
    site.heap.world.inject(1, "EmergencyStop")
    site.run(0.85)
    for _ in range(4):
        site.run(0.02)
        site.heap.tell(DcSample(1, 400.0, 50.0, 400.0))
    ends = [round(when + each.ttl_s, 6) for when, each in site.at(Permit) if when >= at]
    assert ends == sorted(set(ends))


FOREIGN = [
    (number, kind)
    for number, module in ((v2gtp.ISO20_ACDP, acdp), (v2gtp.ISO20_WPT, wpt))
    for kind in vars(module).values()
    if isinstance(kind, type)
    and issubclass(kind, ct.V2GRequestType)
    and kind.__module__ == module.__name__
    and not kind.__name__.endswith("Type")
]


@pytest.mark.req("S-2")
@pytest.mark.parametrize(("number", "kind"), FOREIGN, ids=lambda each: getattr(each, "__name__", ""))
def test_a_request_of_a_schema_set_that_nobody_speaks_ends_the_session_in_order(number: int, kind: type[ct.V2GRequestType]) -> None:
    site = HlcSite("ac")
    ev = site.plug(site.vehicle(Energy.AC))
    site.until(lambda: "AuthorizationReq" in site.said("ev"))
    request = least(kind, Header=ct.MessageHeaderType(SessionID=ev.vehicle.session_id, TimeStamp=0))
    site.heap.tell(VehicleSaid(1, 1, v2gtp.Frame(number, exi.encode(request, v2gtp.SCHEMA_SETS[number])).octets()))
    assert site.at(CloseVehicle)
    assert [log for _, log in site.at(Log) if log.key == "v2g.broken"]
    assert not [log for _, log in site.at(Log) if log.key == "v2g.failed"]
