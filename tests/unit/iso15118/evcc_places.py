"""ISO 15118-20 as a vehicle speaks it: a real session brings it to each of its states, and from there its tests go on."""

from __future__ import annotations

import copy
from typing import Any

from bench.v2g.charger import Charger, every_way
from bench.v2g.model import Vehicle
from bench.v2g.pair import Pair
from bench.v2g.pki import Cps, World
from chargepoint.tick import Tick
from iso15118.evcc.iso20.dialect import Iso20
from iso15118.evcc.iso20.table import S
from iso15118.evcc.session import Session, Turn
from iso15118.evcc.terms import (
    EvWish,
    Wants,
)
from iso15118.iso20.values import rational
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_types as ct
from iso15118.minimal import minimal
from iso15118.terms import AddedService, Control, Energy, Parameter, ParameterSet, Payment, PowerOff

_ABSTRACT: dict[type[Any], dict[str, Any]] = {
    ac.AC_ChargeLoopRes: {"CLResControlMode": ac.Dynamic_AC_CLResControlMode(EVSETargetActivePower=rational(5000))},
    dc.DC_ChargeLoopRes: {"CLResControlMode": minimal(dc.Dynamic_DC_CLResControlMode)},
}


WORLD = World.of()
INSTALLING: dict[str, Any] = {"payment": Payment.PNC, **WORLD.wants()}
"""Of a vehicle that asks for its first contract."""
PAYING: dict[str, Any] = {"payments": (Payment.PNC, Payment.EIM), "certificate_installation": True, "trust": WORLD.trust()}


def drive(energy: Energy, control: Control, wish: EvWish, *, parks: bool = False, **wants: Any) -> dict[S, tuple[Iso20, Tick]]:
    """A whole session with our own charger: the vehicle's dialect as it was when each state had just been asked. `parks`: checks in before
    the schedules, and the wish comes when the energy is off.
    """
    added = (AddedService(65, (ParameterSet(1, (Parameter("Port", 80),)),)),)
    pair = Pair(
        Charger(every_way(added_services=added, **PAYING), provides=Cps(WORLD).answer),
        Vehicle(wants=Wants(energies=(energy,), controls=(control,), loops=40, meter=True, **wants)),
    )
    pair.vehicle.wants.wish = EvWish.CHECK_IN if parks else None
    found: dict[S, tuple[Iso20, Tick]] = {}

    def keep(pair: Pair) -> None:
        dialect = pair.evcc.dialect if isinstance(pair.evcc, Session) else None
        if isinstance(dialect, Iso20) and dialect.state not in found:
            found[dialect.state] = copy.deepcopy(dialect), pair.now

    pair.watches.append(keep)
    begins = (lambda: any(isinstance(each, PowerOff) for _, each in pair.charger.log)) if parks else (lambda: pair.loops() > 5)
    pair.when(begins, lambda: setattr(pair.vehicle.wants, "wish", wish))
    pair.when(lambda: pair.loops() > 15, lambda: setattr(pair.vehicle.wants, "wish", EvWish.RESUME))
    pair.session()
    return found


def all_places() -> dict[S, tuple[Iso20, Tick]]:
    """The vehicle's dialect in every state."""
    found: dict[S, tuple[Iso20, Tick]] = {}
    for energy in (Energy.DC, Energy.AC):
        for wish in (EvWish.STANDBY, EvWish.RENEGOTIATE_SCHEDULE, EvWish.CONFIRM_METERING, EvWish.CHECK_IN):
            for state, place in drive(energy, Control.DYNAMIC, wish).items():
                found.setdefault(state, place)
        for state, place in drive(energy, Control.DYNAMIC, EvWish.RENEGOTIATE_SCHEDULE, other_schedules_aside=True).items():
            found.setdefault(state, place)
        for state, place in drive(energy, Control.DYNAMIC, EvWish.CHECK_OUT, parks=True).items():
            found.setdefault(state, place)
    for state, place in drive(Energy.DC, Control.DYNAMIC, EvWish.STANDBY, **INSTALLING).items():
        found.setdefault(state, place)
    return found


class Place:
    """A vehicle whose request has just gone out; its clock is ours."""

    def __init__(self, places: dict[S, tuple[Iso20, Tick]], state: S) -> None:
        dialect, self.start = copy.deepcopy(places[state])
        self.dialect, self.wants = dialect, dialect.talk.wants
        self.wants.loops, self.wants.wish = None, None
        self.now = self.start
        self.ask()

    def later(self, seconds: float) -> Place:
        self.now = Tick(self.start.mono + seconds, self.start.utc + seconds)
        return self

    def ask(self) -> Any:
        return self.dialect.ask(self.now).request

    def response(self, **fields: Any) -> Any:
        """The least response of the kind that is awaited."""
        kind: Any = self.dialect._expected
        header = ct.MessageHeaderType(SessionID=self.dialect.session_id or b"12345678", TimeStamp=0)
        return minimal(kind, **({"Header": header, "ResponseCode": "OK"} | _ABSTRACT.get(kind, {}) | fields))

    def hear(self, **fields: Any) -> Turn:
        return self.dialect.heard(self.now, self.response(**fields))

    def next(self, **fields: Any) -> Any:
        """The request that follows from a response."""
        turn = self.hear(**fields)
        assert turn.over is None, turn.why
        return self.ask()


AWAITED = [state for state in S if state not in (S.BEGIN, S.OVER)]
BEFORE = [
    S.SETUP, S.AUTHORIZATION_SETUP, S.INSTALLATION, S.AUTHORIZATION, S.DISCOVERY, S.DETAIL, S.SELECTION, S.AC_PARAMETERS, S.DC_PARAMETERS, S.ARRIVAL, S.SCHEDULE,
]  # fmt: skip
UNDER_POWER = [
    S.CABLE_CHECK,
    S.PRECHARGE,
    S.START,
    S.AC_LOOP,
    S.DC_LOOP,
    S.AC_STANDBY,
    S.DC_STANDBY,
    S.AC_TO_STANDBY,
    S.DC_TO_STANDBY,
    S.RENEGOTIATION,
    S.RESCHEDULE,
    S.AC_REPLAN,
    S.DC_REPLAN,
    S.AC_REPLANNED,
    S.DC_REPLANNED,
    S.AC_METERING,
    S.DC_METERING,
    S.AC_PARKING,
    S.DC_PARKING,
]
RIGHT: dict[S, dict[str, Any]] = {
    S.AUTHORIZATION_SETUP: {"AuthorizationServices": ("EIM",)},
    S.DETAIL: {"ServiceID": 2},
}
