"""Vehicles that come without a cable, and what is lost in the middle: the place, the pairing, the alignment, the contact; a fault and an emergency too.

Whatever the state: the energy goes off, the arm does not come down, nor goes home under voltage, and the session ends.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from bench.v2g.approaching import LIVE_V
from bench.v2g.pair import Pair
from iso15118.approach import AlignmentWanted, Approach, Arm, ArmWanted
from iso15118.connection import Lost
from iso15118.evcc.iso20 import acdp as ev_acdp
from iso15118.evcc.iso20.table import Said
from iso15118.evcc.iso20.talk import Talk as EvTalk
from iso15118.evcc.terms import EvWish, Wants
from iso15118.messages.iso20 import acdp, wpt
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.iso20.acdp_table import A, P
from iso15118.secc.iso20.dialect import Iso20
from iso15118.secc.iso20.others import RULES
from iso15118.secc.iso20.table import E, S
from iso15118.secc.iso20.wpt_table import V, W
from iso15118.terms import CableCheckWanted, Ending, Energy, Facts, PowerOff, PowerWanted, PrechargeWanted, Progress, SessionOver
from iso15118.v2gtp import ISO20_ACDP_STATUS, ISO20_WPT
from tests.behaviour.iso20_rig import ask, ended_well, make, requests, told
from tests.behaviour.test_iso20_approach_tables import answered, asked, places

SOON_S = 3.0
"""An honest vehicle says something within that, in every state."""


def _of(facts: Facts) -> Approach:
    assert facts.approach is not None
    return facts.approach


LOST: dict[str, Callable[[Facts], object]] = {
    "fault": lambda facts: setattr(facts, "fault", "something is wrong"),
    "emergency": lambda facts: setattr(_of(facts), "emergency", True),
    "place": lambda facts: setattr(_of(facts), "positioning", Progress.FAILED),
    "moves": lambda facts: setattr(_of(facts), "positioning", Progress.UNDER_WAY),
    "pairing": lambda facts: setattr(_of(facts), "pairing", Progress.FAILED),
    "alignment": lambda facts: setattr(_of(facts), "alignment", Progress.FAILED),
    "contact": lambda facts: setattr(_of(facts), "connected", False),
    "arm": lambda facts: setattr(_of(facts), "arm", Arm.MOVING),
}
OF_BOTH = ("fault", "emergency", "place", "moves")
OF = {Energy.WPT: (*OF_BOTH, "pairing", "alignment"), Energy.ACDP: (*OF_BOTH, "contact", "arm")}
"""What can be lost."""
ON_THE_WAY = (W.POSITIONING_SETUP, W.POSITIONING, A.POSITIONING)
"""There a vehicle that moves is nothing that is lost."""
OVER = (W.OFF, S.DC_OFF, A.GONE)
"""There nothing is granted any more: the session goes to its end."""
WISHES: dict[Any, tuple[EvWish, bool]] = {
    W.STANDBY: (EvWish.STANDBY, False),
    S.DC_STANDBY: (EvWish.STANDBY, False),
    W.REPLANNED: (EvWish.RENEGOTIATE_SCHEDULE, True),
    S.DC_REPLANNED: (EvWish.RENEGOTIATE_SCHEDULE, True),
    W.RESCHEDULE: (EvWish.RENEGOTIATE_SCHEDULE, False),
    S.DC_RESCHEDULE: (EvWish.RENEGOTIATE_SCHEDULE, False),
    S.DC_READY: (EvWish.RENEGOTIATE_SCHEDULE, False),
}
"""How honest vehicles come to the states off the straight way, and whether beside the loop."""


def _cases() -> list[Any]:
    return [
        pytest.param(energy, state, what, id=f"{energy.value}-{state.value}-{what}".replace(" ", "-"))
        for energy, facts in OF.items()
        for state in RULES[energy].table.states
        for what in facts
        if state not in (S.SETUP, S.OVER)
        and not (what == "moves" and state in ON_THE_WAY)
        and not (what in ("contact", "arm") and (not state.name.startswith("DC_") or state in (S.DC_PARAMETERS, S.DC_SCHEDULE, S.DC_OFF)))
    ]


def _still_while_live(pair: Pair) -> None:
    """An arm that we move (`down` or home) never moves while its contacts are live."""
    wanted = [thing for end, thing in pair.story if end == "evse" and isinstance(thing, ArmWanted)]
    if wanted and not wanted[-1].down:
        assert pair.charger.facts.voltage_V < LIVE_V


def brought_to(state: Any, energy: Energy, **wants: Any) -> Pair:
    """An honest vehicle and its charger, in that state for the first time."""
    wish, aside = WISHES.get(state, (None, False))
    pair = make(energy, other_schedules_aside=aside, **({"loops": 60, "status_every_s": None} | wants))
    if wish is not None:
        ask(pair, "vehicle", 10, wish, None)
    pair.watches[:] = pair.watches[:1]  # a vehicle that is cut off draws for a moment more
    pair.connect()
    pair.run(200.0, until=lambda: pair.dialect is not None and pair.dialect.state is state)
    assert pair.dialect is not None
    assert pair.dialect.state is state
    return pair


@pytest.mark.parametrize(("energy", "state", "what"), _cases())
def test_what_is_lost_in_any_state(energy: Energy, state: Any, what: str) -> None:
    pair = brought_to(state, energy)
    pair.watches.append(_still_while_live)
    assert pair.dialect is not None
    begun, at, was_on = len(pair.story), pair.mono, pair.dialect.energy_on
    LOST[what](pair.charger.facts)
    pair.changed()
    pair.run(SOON_S, until=lambda: pair.mono > at + SOON_S)
    assert not was_on or [end for end, thing in pair.story[begun:] if isinstance(thing, PowerOff)]
    assert pair.charger.facts.current_A == 0.0
    pair.run(400.0)
    assert pair.evse_over is not None
    assert pair.evse_over.ending is (Ending.TERMINATED if state in OVER else Ending.ABORTED), pair.evse_over
    since = [thing for end, thing in pair.story[begun:] if end == "evse"]
    assert not [each for each in since if isinstance(each, (PowerWanted, PrechargeWanted))]
    if what != "alignment":
        assert not [each for each in since if isinstance(each, AlignmentWanted)]
    assert not [each for each in since if isinstance(each, CableCheckWanted) or each == ArmWanted(down=True)]
    pair.run(10.0)
    assert pair.charger.facts.current_A == 0.0
    if what != "arm":
        assert (_of(pair.charger.facts).arm, _of(pair.charger.facts).connected) == (Arm.HOME, False)


@pytest.mark.parametrize("energy", OF)
def test_every_request_while_something_is_lost(energy: Energy) -> None:
    """From the contact, or the alignment, to the stop: whatever is asked, it fails, or the energy is off after it. Nothing is taken for granted there."""
    rules, judged = RULES[energy], 0
    for state, (honest, now) in places(energy).items():
        if not honest.talk.energy_on and not honest.talk.stands_by:
            continue
        for what in set(OF[energy]) - ({"alignment"} if state is W.ALIGNMENT else set()):
            for event, (request, came_as) in asked(energy).items():
                if rules.table.entries[state, event].refused:
                    continue
                dialect = copy.deepcopy(honest)
                LOST[what](dialect.talk.facts)
                answer = answered(dialect, now, request, came_as)
                if state is W.ALIGNMENT and event in (E.CHECK_IN, E.CHECK_OUT):
                    continue  # the next AlignmentCheckReq is judged
                # The session tells it of a failure where energy is on by then.
                off = answer.failed if dialect.energy_on else any(isinstance(each, PowerOff) for each in answer.told)
                assert off or state is W.STANDBY, (state, what, event)
                assert not dialect.talk.stands_by, (state, what, event)
                judged += 1
    assert judged > 150


BEFORE_POWER = [
    (Energy.ACDP, A.POSITIONING, P.POSITIONING, ("fault", "emergency")),
    (Energy.ACDP, A.CONNECT, P.CONNECT, OF_BOTH),
    (Energy.WPT, W.POSITIONING, V.POSITIONING, ("fault", "emergency")),
    (Energy.WPT, W.PAIRING, V.PAIRING, OF_BOTH),
    (Energy.WPT, W.PARAMETERS, V.PARAMETERS, (*OF_BOTH, "pairing")),
    (Energy.WPT, W.SCHEDULE, E.SCHEDULE, (*OF_BOTH, "pairing")),
    (Energy.WPT, W.ALIGNMENT, V.ALIGNMENT, OF[Energy.WPT]),
]


@pytest.mark.parametrize(("energy", "state", "event", "facts"), BEFORE_POWER, ids=[each[1].name for each in BEFORE_POWER])
def test_no_step_is_taken_any_more(energy: Energy, state: Any, event: Any, facts: tuple[str, ...]) -> None:
    honest, now = places(energy)[state]
    for what in facts:
        dialect = copy.deepcopy(honest)
        LOST[what](dialect.talk.facts)
        assert answered(dialect, now, *asked(energy)[event]).failed, what
        assert dialect.state is state


# ---- over a coil


def test_a_vehicle_takes_its_time_after_the_alignment() -> None:
    """The small power is off by then."""
    pair = make(Energy.WPT)
    pair.when(lambda: pair.dialect is not None and pair.dialect.state is W.READY, lambda: setattr(pair, "latency_s", 4.5))
    pair.when(lambda: bool(told(pair, PowerWanted)), lambda: setattr(pair, "latency_s", 0.002))
    pair.session()
    ended_well(pair)
    assert told(pair, PowerOff)[0] == PowerOff("alignment")
    aligned = next(at for at, end, thing in pair.moments if end == "evse" and isinstance(thing, PowerOff))
    assert next(at for at, end, thing in pair.moments if end == "evse" and isinstance(thing, PowerWanted)) > aligned + 4.4


RESULTS: dict[Any, tuple[type[Any], dict[str, Any]]] = {
    W.POSITIONING: (wpt.WPT_FinePositioningReq, {}),
    W.PAIRING: (wpt.WPT_PairingReq, {"ObservedIDCode": 99}),
    W.ALIGNMENT: (wpt.WPT_AlignmentCheckReq, {}),
}


@pytest.mark.parametrize("state", RESULTS)
@pytest.mark.parametrize(
    ("processing", "result", "comes_to"),
    [
        ("Finished", "EVResultSuccess", "on"),
        ("Finished", "EVResultUnknown", "stays"),
        ("Ongoing", "EVResultUnknown", "stays"),
        ("Ongoing", "EVResultSuccess", "stays"),
        ("Ongoing", "EVResultFailed", "fails"),
        ("Finished", "EVResultFailed", "fails"),
    ],
)
def test_what_a_vehicle_makes_of_a_step(state: Any, processing: str, result: str, comes_to: str) -> None:
    honest, now = places(Energy.WPT)[state]
    dialect = copy.deepcopy(honest)
    approach = _of(dialect.talk.facts)
    approach.positioning = approach.pairing = approach.alignment = Progress.DONE
    kind, more = RESULTS[state]
    header = ct.MessageHeaderType(SessionID=dialect.talk.session_id, TimeStamp=1)
    answer = answered(dialect, now, kind(Header=header, EVProcessing=processing, EVResultCode=result, **more), ISO20_WPT)
    assert bool(answer.failed) == (comes_to == "fails")
    assert (dialect.state is state) == (comes_to != "on")
    if comes_to == "stays":
        assert isinstance(answer.response, (wpt.WPT_FinePositioningRes, wpt.WPT_PairingRes, wpt.WPT_AlignmentCheckRes))
        assert answer.response.EVSEProcessing == ("Ongoing" if processing == "Finished" else "Finished"), "who is not done is asked on"


def test_a_vehicle_that_has_left_says_so_at_the_alignment() -> None:
    pair = make(Energy.WPT)
    pair.when(lambda: bool(told(pair, AlignmentWanted)), lambda: setattr(pair.vehicle.wants, "placed", False))
    pair.session()
    assert told(pair, SessionOver)[0].why == "alignment has failed, as the vehicle says"
    assert len(told(pair, PowerOff)) == 1


# ---- under an arm


def test_the_arm_goes_home_when_its_contacts_are_dead() -> None:
    """A vehicle that makes no test of the contactors is the first to ask for it."""
    pair = make(Energy.ACDP, welding_detection=False)
    live = []
    pair.when(
        lambda: pair.vehicle.wants.contactors_closed is False and "ACDP_Disconnect" in requests(pair),
        lambda: live.append(pair.charger.facts.voltage_V),
    )
    pair.watches.append(_still_while_live)
    pair.session()
    ended_well(pair)
    assert live[0] > LIVE_V
    assert ArmWanted(down=False) in told(pair, ArmWanted)


def test_the_arm_stays_under_a_voltage_that_nobody_knows() -> None:
    pair = brought_to(S.DC_OFF, Energy.ACDP, welding_detection=False)
    pair.charger.facts.voltage_known = False
    pair.run(200.0)
    assert told(pair, SessionOver)[0].why == "the arm does not come home in time"
    assert ArmWanted(down=False) not in told(pair, ArmWanted)


def test_an_arm_on_its_way_turns_round() -> None:
    pair = brought_to(A.CONNECT, Energy.ACDP)
    pair.run(1.0)
    assert _of(pair.charger.facts).arm is Arm.MOVING
    _of(pair.charger.facts).positioning = Progress.NOT_ASKED
    touched: list[bool] = []
    pair.watches.append(lambda pair: touched.append(_of(pair.charger.facts).connected))
    pair.run(10.0)
    assert [each.down for each in told(pair, ArmWanted)][-2:] == [True, False]
    assert _of(pair.charger.facts).arm is Arm.HOME
    assert not any(touched)
    assert told(pair, SessionOver)[0].why == "the vehicle has left its place"


@pytest.mark.parametrize("state", [A.CONNECT, S.DC_LOOP])
def test_another_session_begins_with_the_arm_at_home(state: Any) -> None:
    pair = brought_to(state, Energy.ACDP, loops=20)
    pair.run(1.0)
    pair.lose(Lost("the radio link is gone"))
    pair.vehicle.wants.contactors_closed = pair.vehicle.drawing = False
    pair.run(0.5)
    arms = []
    pair.when(lambda: pair.dialect is not None and pair.dialect.state is A.CONNECT, lambda: arms.append(_of(pair.charger.facts).arm))
    pair.session()
    ended_well(pair)
    assert arms == [Arm.HOME]
    assert _of(pair.charger.facts).arm is Arm.HOME


def _status(state: Any, **said: Any) -> tuple[Iso20, Callable[..., Any]]:
    """The charger in that state, and a way to tell it how the vehicle is."""
    honest, now = places(Energy.ACDP)[state]
    dialect = copy.deepcopy(honest)

    def tell(**said: Any) -> Any:
        header = ct.MessageHeaderType(SessionID=dialect.talk.session_id, TimeStamp=1)
        status = acdp.EVTechnicalStatusType(EVReadyToCharge=True, EVImmobilizationRequest=True, **said)
        return answered(dialect, now, acdp.ACDP_SystemStatusReq(Header=header, EVTechnicalStatus=status), ISO20_ACDP_STATUS)

    return dialect, tell


UNDER_POWER = (S.DC_PRECHARGING, S.DC_LOOP, S.DC_REPLANNED, S.DC_STANDBY, S.DC_RESCHEDULE, S.DC_READY)


@pytest.mark.parametrize("state", UNDER_POWER)
@pytest.mark.parametrize("what", OF[Energy.ACDP])
def test_the_energy_goes_off_beside_the_main_stream(state: Any, what: str) -> None:
    dialect, tell = _status(state)
    assert tell().response.EVSEReadyToCharge
    LOST[what](dialect.talk.facts)
    answer = tell()
    assert isinstance(answer.told[0], PowerOff), "before anything else"
    assert not answer.failed
    assert not answer.response.EVSEReadyToCharge
    assert not dialect.energy_on
    assert not [each for each in tell().told if isinstance(each, PowerOff)], "once"


@pytest.mark.parametrize("state", UNDER_POWER)
def test_a_contact_that_bounces_brings_no_energy_back(state: Any) -> None:
    """No insulation test and no precharge came between: the session ends."""
    dialect, tell = _status(state)
    _of(dialect.talk.facts).connected = False
    assert isinstance(tell().told[0], PowerOff)
    _of(dialect.talk.facts).connected = True
    assert not tell().response.EVSEReadyToCharge
    _, now = places(Energy.ACDP)[state]
    for event in (E.PRECHARGE, E.START, E.DC_LOOP, E.SCHEDULE):
        if not RULES[Energy.ACDP].table.entries[state, event].refused:
            again = copy.deepcopy(dialect)
            assert "was lost" in answered(again, now, *asked(Energy.ACDP)[event]).failed
            assert not again.energy_on


@pytest.mark.parametrize("state", UNDER_POWER)
@pytest.mark.parametrize(
    "said", [{"EVErrorCode": "FAILED_EmergencyEvent"}, {"EVErrorCode": "FAILED_Breaker"}, {"EVImmobilized": False}], ids=str
)
def test_a_vehicle_in_an_emergency(state: Any, said: dict[str, Any]) -> None:
    """The energy goes off, and no word brings it back: the vehicle stops, and takes the arm off."""
    dialect, tell = _status(state)
    answer = tell(**said)
    assert isinstance(answer.told[0], PowerOff)
    assert not answer.response.EVSEReadyToCharge
    assert not tell(EVErrorCode="OK_NoEVError", EVImmobilized=True).response.EVSEReadyToCharge
    _, now = places(Energy.ACDP)[state]
    for event in (E.PRECHARGE, E.START, E.DC_LOOP, E.RENEGOTIATE, E.SCHEDULE):
        if not RULES[Energy.ACDP].table.entries[state, event].refused:
            again = copy.deepcopy(dialect)
            assert "emergency" in answered(again, now, *asked(Energy.ACDP)[event]).failed
            assert not again.energy_on
    dialect.talk.facts.current_A = 0.0
    assert not answered(dialect, now, *asked(Energy.ACDP)[E.STOP]).failed
    assert not [each for each in tell(EVErrorCode="OK_NoEVError").told if isinstance(each, PowerOff)]


@pytest.mark.parametrize("said", [{"EVErrorCode": "FAILED_EmergencyEvent"}, {"EVImmobilized": False}], ids=str)
def test_the_arm_does_not_come_to_a_vehicle_in_an_emergency(said: dict[str, Any]) -> None:
    dialect, tell = _status(A.CONNECT)
    _, now = places(Energy.ACDP)[A.CONNECT]
    _of(dialect.talk.facts).arm = Arm.MOVING
    assert tell(EVImmobilized=True).response.EVSEReadyToCharge
    tell(**said)
    failed = answered(copy.deepcopy(dialect), now, *asked(Energy.ACDP)[P.CONNECT])
    assert (failed.failed, failed.told) == ("the vehicle tells of an emergency, or that it is free to roll", (ArmWanted(down=False),))
    tell(EVErrorCode="OK_NoEVError", EVImmobilized=True)
    assert not answered(dialect, now, *asked(Energy.ACDP)[P.CONNECT]).failed, "nothing has been connected yet"


def test_a_vehicle_that_rolls_under_the_arm() -> None:
    pair = brought_to(S.DC_LOOP, Energy.ACDP, status_every_s=0.5)
    pair.watches.append(_still_while_live)
    pair.run(2.0)
    pair.vehicle.wants.placed = False
    pair.run(60.0)
    assert pair.evse_over is not None
    assert "roll" in pair.evse_over.why
    assert pair.charger.facts.current_A == 0.0
    assert _of(pair.charger.facts).arm is Arm.HOME


# ---- what the vehicle believes


def _moved(kind: type[Any], processing: str, contact: str, arm: str) -> Any:
    return kind(
        Header=ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=1),
        ResponseCode="OK",
        EVSEProcessing=processing,
        EVSEElectricalChargingDeviceStatus=contact,
        EVSEMechanicalChargingDeviceStatus=arm,
    )


@pytest.mark.parametrize("contact", ["State_A", "State_B"])
@pytest.mark.parametrize("arm", ["Home", "Moving", "EndPosition"])
def test_a_vehicle_goes_by_where_the_arm_is(contact: str, arm: str) -> None:
    talk, (_, now) = EvTalk(Wants(), (Energy.ACDP,)), places(Energy.ACDP)[A.CONNECT]
    heard = ev_acdp.hear_connect(talk, now, _moved(acdp.ACDP_ConnectRes, "Finished", contact, arm))
    assert (heard.said is Said.GO) == ((arm, contact) == ("EndPosition", "State_B"))
    assert heard.said in (Said.GO, Said.OFF), "else it asks for the arm to go home"
    heard = ev_acdp.hear_disconnect(talk, now, _moved(acdp.ACDP_DisconnectRes, "Finished", contact, arm))
    assert (heard.said is Said.END) == ((arm, contact) == ("Home", "State_A"))
    assert heard.said in (Said.END, Said.FAILED)
    for hear, kind in ((ev_acdp.hear_connect, acdp.ACDP_ConnectRes), (ev_acdp.hear_disconnect, acdp.ACDP_DisconnectRes)):
        assert hear(talk, now, _moved(kind, "Ongoing", contact, arm)).said is Said.AGAIN


def test_tables_name_what_is_judged() -> None:
    """A row of the states under power that is new has to be judged as well, or to be named here."""
    ways_out = {"power_stop", "session_stop", "system_status", "welding_detection", "disconnect"}
    for energy, states in ((Energy.WPT, (W.ALIGNMENT, W.READY, W.STANDBY, W.RESCHEDULE, W.LOOP, W.REPLANNED)), (Energy.ACDP, UNDER_POWER)):
        rules = RULES[energy]
        for each in rules.table.entries.values():
            if each.state in states and not each.refused:
                for name in set(each.do) - ways_out:
                    assert rules.handlers[name].__qualname__ == "_judged.<locals>.answer", (each.state, name)
