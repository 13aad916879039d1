"""What a vehicle must not get by talk that is none of the loop: energy for ever (F-11). It says only what the tables take, and never a request of the loop.

Bounds of virtual time: 65 s in all and the answer that is waited for then (3 s), and where a state has a shorter one, that.
"""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from bench.v2g.guard import Guard
from bench.v2g.pair import LOOPS, Pair
from chargepoint.tick import Tick
from iso15118 import exi, v2gtp
from iso15118.approach import AlignmentWanted
from iso15118.connection import Command, Event, Now, Received, Send
from iso15118.evcc.terms import EvWish
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import acdp
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.iso20.dialect import Iso20
from iso15118.secc.iso20.table import E
from iso15118.secc.output import AWAY
from iso15118.terms import CableCheckWanted, DcDemand, Energy, PowerOff, PowerWanted, PrechargeWanted, SessionOver, StandbyWanted
from tests.behaviour.iso20_rig import ask, told
from tests.behaviour.iso20_rig import make as make_iso20
from tests.behaviour.test_v2gmsg_table import request as v2gmsg_request
from tests.behaviour.v2gmsg_rig import SPEECHES
from tests.behaviour.v2gmsg_rig import make as make_v2gmsg

pytestmark = pytest.mark.req("F-11")
LONGEST_S = 65.0
ANSWER_S = 3.0
SERVICES = (Energy.AC, Energy.AC_BPT, Energy.DC, Energy.DC_BPT, Energy.AC_DER_IEC, Energy.AC_DER_SAE, Energy.WPT, Energy.ACDP)
ENDING = {"power_stop", "session_stop"}
ON = (CableCheckWanted, PrechargeWanted, PowerWanted, AlignmentWanted)
"""Told, and then the output may have voltage; in DC also in standby."""


class Talker:
    """Says the next thing some time after each answer; `say` gives the octets, and how long it waits before."""

    def __init__(self, pair: Pair, say: Callable[[], tuple[Message, bytes]], gap_s: Callable[[], float]) -> None:
        self.pair, self.say, self.gap_s = pair, say, gap_s
        self._next = None if pair.secc._pending is not None else pair.mono

    def handle(self, now: Now, event: Event) -> Sequence[Command]:
        if isinstance(event, Received):
            self._next = now.mono + max(0.0, self.gap_s())
        elif self._next is not None and now.mono >= self._next:
            self._next = None
            if self.pair.evse_over is not None:
                return []
            message, octets = self.say()
            return [Send(octets, message)]
        return []

    def deadline(self) -> float | None:
        return self._next


# ---- what may be said


def framed(message: Any, came_as: int) -> tuple[Message, bytes]:
    return message, v2gtp.Frame(came_as, exi.encode(message, v2gtp.SCHEMA_SETS[came_as])).octets()


def header(pair: Pair) -> ct.MessageHeaderType:
    assert pair.any_dialect is not None
    return ct.MessageHeaderType(SessionID=pair.any_dialect.talk.session_id or bytes(8), TimeStamp=int(pair.now.utc))


@cache
def heard(energy: Energy) -> dict[Any, tuple[tuple[Any, int], ...]]:
    """What honest vehicles say: the table's event -> message and payload type."""
    found: dict[Any, list[tuple[Any, int]]] = {}
    wishes = [(each, False) for each in EvWish if each not in (EvWish.RESUME, EvWish.STOP)]
    for wish, aside in (*wishes, (EvWish.RENEGOTIATE_SCHEDULE, True)):
        pair = make_iso20(energy, other_schedules_aside=aside, status_every_s=1.0)
        ask(pair, "vehicle", 10, wish, None)
        pair.session()
        dialect = pair.dialect
        assert dialect is not None
        for (_, end, message), (_, _, octets) in zip(pair.messages, pair.octets, strict=True):
            if end == "ev" and isinstance(message, ct.V2GRequestType):
                came_as = int.from_bytes(octets[2:4], "big")
                event = dialect.rules.event_of(message, came_as)
                if event not in found:
                    found[event] = [(message, came_as)]
                    if isinstance(message, cm.PowerDeliveryReq) and message.ChargeProgress == "Start":
                        found[event].append((replaced(message, EVProcessing="Ongoing"), came_as))
    return {event: tuple(each) for event, each in found.items()}


def replaced(message: Any, **fields: Any) -> Any:
    again = copy.copy(message)
    for name, value in fields.items():
        setattr(again, name, value)
    return again


def allowed(pair: Pair) -> list[Any]:
    """Rows of the table where the session is, without those of the loop."""
    dialect: Any = pair.any_dialect
    if isinstance(dialect, Iso20):
        table = dialect.rules.table
        said = heard(pair.vehicle.wants.energies[0])
        spoken = [
            each
            for each in table.events
            if not any(isinstance(one, dialect.rules.rounds) for one, _ in said.get(each, ())) and each in said
        ]
        return [row for row in (table.entries[dialect.state, each] for each in spoken) if not row.refused]
    rows = [dialect.TABLE.entries[dialect.state, each] for each in dialect.TABLE.events]
    return [each for each in rows if not each.refused and each.do[0] not in dialect.ROUNDS]


class Wanderer(Talker):
    """Anything that is allowed, seldom an end; just within the time that it has, or much faster."""

    def __init__(self, pair: Pair, seed: int) -> None:
        super().__init__(pair, self._any, self._gap_s)
        self.dice = random.Random(seed)
        self.ends = 0.01 if seed % 2 else 0.2
        self.gaps: tuple[float, ...] = (0.2, 0.4) if seed % 2 else (0.01, 0.1, 0.5, 0.9)

    def _gap_s(self) -> float:
        due = self.pair.secc.deadline()
        left_s = 0.0 if due is None else max(0.0, due - self.pair.mono)
        return float(self.dice.choice(self.gaps) * min(left_s, 12.0))

    def _any(self) -> tuple[Message, bytes]:
        rows = allowed(self.pair)
        weights = [self.ends if row.do[0] in ENDING else 5.0 if row.to is not row.state else 1.0 for row in rows]
        (row,) = self.dice.choices(rows, weights)
        dialect: Any = self.pair.any_dialect
        if isinstance(dialect, Iso20):
            message, came_as = self.dice.choice(heard(self.pair.vehicle.wants.energies[0])[row.event])
            return framed(replaced(message, Header=header(self.pair)), came_as)
        return older(self.pair, row.event)


def older(pair: Pair, event: Any) -> tuple[Message, bytes]:
    dialect: Any = pair.any_dialect
    message, spelling = v2gmsg_request(type(dialect), event), dialect.SPELLING
    document = exi.encode(spelling.document(dialect.talk.session_id or bytes(8), message), spelling.namespace)
    return message, v2gtp.Frame(v2gtp.SAP_DIN_ISO2, document).octets()


def longest_s(pair: Pair) -> float:
    """How long energy was on at most between two requests of the loop."""
    dc = pair.charger.chosen is not None and pair.charger.chosen.energy.is_dc
    most = total = 0.0
    since: float | None = None
    for at, end, thing in pair.moments:
        if since is not None:
            total, since = total + at - since, at
        most = max(most, total)
        if end == "ev" and type(thing).__name__ in LOOPS:
            total = 0.0
        elif end == "evse" and (isinstance(thing, ON) or (isinstance(thing, StandbyWanted) and dc)):
            since = at
        elif end == "evse" and isinstance(thing, PowerOff | SessionOver):
            since = None
    return max(most, total + (pair.mono - since if since is not None else 0.0))


def brought(service: Energy | str, place: str) -> Pair:
    """An honest session there: with energy on for the first time, or in its loop."""
    pair = make_v2gmsg(service) if isinstance(service, str) else make_iso20(service, loops=None)
    pair.watches = [Guard()]
    pair.connect()
    energy: Callable[[], bool] = lambda: pair.any_dialect is not None and pair.any_dialect.energy_on
    pair.run(400.0, until=energy if place == "first energy" else lambda: pair.loops() >= 10)
    assert energy()
    return pair


@pytest.mark.parametrize("place", ["first energy", "loop"])
@pytest.mark.parametrize("service", [*SERVICES, *SPEECHES], ids=str)
def test_no_talk_but_that_of_the_loop_keeps_energy_on(service: Energy | str, place: str) -> None:
    longest = []
    for seed in range(8):
        pair = brought(service, place)
        pair.charger.facts.standby = seed % 4 > 1
        pair.evcc = Wanderer(pair, seed)
        pair.run(900.0)
        longest.append(longest_s(pair))
        assert longest[-1] <= LONGEST_S + ANSWER_S, (seed, longest[-1])
    assert max(longest) > 3 * ANSWER_S or service == "din", "they are not all cut off at once; DIN 70121 leaves its loop for an end alone"


# ---- one thing, again and again


def start_ongoing(pair: Pair) -> tuple[Message, bytes]:
    return framed(cm.PowerDeliveryReq(Header=header(pair), EVProcessing="Ongoing", ChargeProgress="Start"), v2gtp.ISO20_MAIN)


def check_in(pair: Pair) -> tuple[Message, bytes]:
    return framed(cm.VehicleCheckInReq(Header=header(pair), EVCheckInStatus="CheckIn", ParkingMethod="AutoParking"), v2gtp.ISO20_PARKING)


def status(pair: Pair) -> tuple[Message, bytes]:
    how = acdp.EVTechnicalStatusType(EVReadyToCharge=True, EVImmobilizationRequest=False)
    return framed(acdp.ACDP_SystemStatusReq(Header=header(pair), EVTechnicalStatus=how), v2gtp.ISO20_ACDP_STATUS)


def reached(energy: Energy, state: str, wish: EvWish | None = None) -> Pair:
    """An honest session in this state of the charger's table; `wish`: what leads there from the loop."""
    pair = make_iso20(energy, loops=None)
    pair.watches = [Guard()]
    ask(pair, "vehicle", 10, wish, None)
    pair.connect()
    pair.run(400.0, until=lambda: pair.dialect is not None and pair.dialect.state.value == state and (wish is None or pair.loops() >= 10))
    assert pair.dialect is not None
    assert pair.dialect.state.value == state
    return pair


def over_after_s(pair: Pair, say: Callable[[Pair], tuple[Message, bytes]], gap_s: float) -> float:
    """It says this again and again; when the session is over, and nothing is on then."""
    begun = pair.mono
    pair.evcc = Talker(pair, lambda: say(pair), lambda: gap_s)
    pair.run(1000.0, until=lambda: pair.evse_over is not None)
    assert pair.evse_over is not None
    after_s = pair.mono - begun
    pair.run(10.0)
    assert (pair.charger.facts.current_A, pair.charger.facts.voltage_V) == (0.0, 0.0)
    return after_s


AGAIN = EvWish.RENEGOTIATE_SCHEDULE


@pytest.mark.parametrize(
    ("energy", "state", "wish", "gap_s", "within_s"),
    [
        (Energy.AC, "AC ready", AGAIN, 0.9, 11.0),
        (Energy.DC, "DC ready", AGAIN, 0.9, 11.0),
        (Energy.AC_DER_IEC, "AC ready", AGAIN, 0.9, 11.0),
        (Energy.AC_DER_SAE, "AC ready", AGAIN, 0.9, 11.0),
        (Energy.WPT, "WPT ready", AGAIN, 0.8, 11.0),
        (Energy.ACDP, "DC ready", AGAIN, 0.9, 11.0),
        (Energy.DC, "DC precharging", None, 8.0, 17.0),
        (Energy.ACDP, "DC precharging", None, 0.5, 11.0),
        (Energy.AC, "AC ready", None, 8.0, 64.0),
    ],
    ids=str,
)
def test_a_vehicle_that_is_never_ready(energy: Energy, state: str, wish: EvWish | None, gap_s: float, within_s: float) -> None:
    pair = reached(energy, state, wish)
    assert over_after_s(pair, start_ongoing, gap_s) <= within_s
    assert pair.evse_over is not None
    assert pair.evse_over.why == "the vehicle is not ready in time"


def test_how_long_it_is_not_ready_counts_anew_after_the_loop() -> None:
    pair = reached(Energy.AC, "AC standby", EvWish.STANDBY)
    dialect = pair.dialect
    assert dialect is not None
    loop = replaced(heard(Energy.AC)[E.AC_LOOP][0][0], Header=header(pair))
    for message, at_s in ((start_ongoing(pair)[0], 0.0), (loop, 40.0), (start_ongoing(pair)[0], 80.0)):
        response: Any = dialect.answer(Tick(pair.mono + at_s, pair.now.utc), message, late=False).response
        assert response.ResponseCode == "OK"


@pytest.mark.parametrize(("wish", "state"), [(None, "AC ready"), (AGAIN, "AC ready"), (EvWish.STANDBY, "AC standby")])
def test_one_that_is_not_ready_hears_of_a_fault(wish: EvWish | None, state: str) -> None:
    pair = reached(Energy.AC, state, wish)
    pair.charger.facts.fault = "residual current"
    assert over_after_s(pair, start_ongoing, 0.5) < 0.1


@pytest.mark.parametrize("gap_s", [0.2, 0.8])
@pytest.mark.parametrize(
    ("energy", "state", "wish", "say", "within_s"),
    [
        (Energy.AC, "AC reschedule", AGAIN, check_in, 1.1),
        (Energy.DC, "DC reschedule", AGAIN, check_in, 1.1),
        (Energy.WPT, "WPT reschedule", AGAIN, check_in, 1.1),
        (Energy.WPT, "WPT ready", AGAIN, check_in, 1.1),
        (Energy.ACDP, "DC reschedule", AGAIN, status, 1.1),
        (Energy.ACDP, "DC ready", AGAIN, status, 1.1),
        (Energy.WPT, "WPT loop", None, check_in, 0.6),
        (Energy.ACDP, "DC loop", None, status, 0.6),
        (Energy.DC, "DC precharging", None, check_in, 10.1),
        (Energy.ACDP, "DC precharging", None, status, 10.1),
        (Energy.DC, "DC standby", EvWish.STANDBY, check_in, 60.1),
        (Energy.ACDP, "DC standby", EvWish.STANDBY, status, 60.1),
    ],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_what_stands_beside_the_main_stream_keeps_nothing_on(
    energy: Energy, state: str, wish: EvWish | None, say: Callable[[Pair], tuple[Message, bytes]], within_s: float, gap_s: float
) -> None:
    assert over_after_s(reached(energy, state, wish), say, gap_s) <= within_s


@pytest.mark.parametrize(("energy", "say"), [(Energy.DC, check_in), (Energy.ACDP, status)])
def test_nor_while_the_insulation_is_tested(energy: Energy, say: Callable[[Pair], tuple[Message, bytes]]) -> None:
    pair = make_iso20(energy)
    pair.connect()
    pair.run(400.0, until=lambda: bool(told(pair, CableCheckWanted)))
    assert over_after_s(pair, say, 8.0) <= 10.1


def test_without_energy_a_vehicle_may_check_out_for_long() -> None:
    pair = reached(Energy.DC, "DC off", EvWish.STOP)
    pair.evcc = Talker(pair, lambda: check_in(pair), lambda: 30.0)
    pair.run(600.0)
    assert pair.evse_over is None


def test_a_standby_may_last() -> None:
    """With requests of the loop, which the charger needs to ask for its end."""
    pair = reached(Energy.DC, "DC standby", EvWish.STANDBY)
    pair.run(400.0)
    assert pair.evse_over is None
    assert pair.dialect is not None
    assert pair.dialect.stands_by


# ---- in a circle


def circle(pair: Pair, *events: str) -> Callable[[Pair], tuple[Message, bytes]]:
    """These of DIN 70121 and ISO 15118-2, one after the other."""
    dialect: Any = pair.any_dialect
    found = [next(each for each in dialect.TABLE.events if each.value == name) for name in events]
    turn = itertools.cycle(found)
    return lambda pair: older(pair, next(turn))


@pytest.mark.parametrize("gap_s", [0.2, 8.0])
@pytest.mark.parametrize("speech", ["iso2-ac", "iso2-dc"])
def test_other_schedules_again_and_again(speech: str, gap_s: float) -> None:
    pair = brought(speech, "loop")
    kind = speech.removeprefix("iso2-").upper()
    again = circle(pair, "PowerDeliveryReq Renegotiate", f"ChargeParameterDiscoveryReq {kind}", "PowerDeliveryReq Start")
    assert over_after_s(pair, again, gap_s) <= LONGEST_S + 1.0
    assert longest_s(pair) <= LONGEST_S + 1.0


@pytest.mark.parametrize("service", [Energy.DC, "iso2-dc"], ids=str)
def test_nor_where_no_timer_is_looked_at(service: Energy | str) -> None:
    """A host that is flooded may be late with it: what comes then is refused, but for an end."""
    pair = brought(service, "loop")
    for name, code in (
        ("PowerDeliveryReq Stop", "OK"),
        ("PowerDeliveryReq ScheduleRenegotiation", "FAILED"),
        ("PowerDeliveryReq Renegotiate", "FAILED"),
    ):
        dialect: Any = copy.deepcopy(pair.any_dialect)
        events = (dialect.rules.table if isinstance(dialect, Iso20) else dialect.TABLE).events
        event = next((each for each in events if each.value == name), None)
        if event is None:
            continue
        dialect.talk.facts.current_A = 0.0
        late = Tick(pair.mono + LONGEST_S, pair.now.utc + LONGEST_S)
        if isinstance(dialect, Iso20):
            message = replaced(heard(Energy.DC)[event][0][0], Header=header(pair))
        else:
            octets = older(pair, event)[1][v2gtp.HEADER :]
            message = dialect.request(late, v2gtp.SAP_DIN_ISO2, octets)
        answer = dialect.answer(late, message, late=False)
        assert (answer.response.ResponseCode, answer.failed) == (code, AWAY if code == "FAILED" else "")


@pytest.mark.parametrize("speech", ["iso2-ac", "iso2-dc"])
def test_such_a_circle_needs_a_round_of_the_loop(speech: str) -> None:
    """Else it is refused, and the energy goes off."""
    pair = brought(speech, "loop")
    begun, kind = pair.mono, speech.removeprefix("iso2-").upper()
    again = circle(pair, "PowerDeliveryReq Renegotiate", f"ChargeParameterDiscoveryReq {kind}", "PowerDeliveryReq Start")
    pair.evcc = Talker(pair, lambda: again(pair), lambda: 0.2)
    pair.run(2.0)
    assert [at for at, each in pair.charger.log if isinstance(each, PowerOff)] == [pytest.approx(begun + 0.6, abs=0.3)]
    assert pair.evse_over is not None
    assert pair.evse_over.why == "PowerDeliveryReq in AC loop begun".replace("AC", kind)


def test_a_start_alone_holds_no_current() -> None:
    """It gives a second to say what current is wanted."""
    pair = brought("iso2-dc", "loop")
    assert pair.charger.facts.current_A > 100.0
    again = circle(
        pair, "PowerDeliveryReq Renegotiate", "ChargeParameterDiscoveryReq DC", "PowerDeliveryReq Start", "SessionStopReq Terminate"
    )
    gaps = iter((0.2, 0.2, 5.0, 5.0))
    pair.evcc = Talker(pair, lambda: again(pair), lambda: next(gaps))
    pair.run(2.2)
    assert told(pair, DcDemand)[-1].target_A == 0.0
    assert not told(pair, PowerOff)


@pytest.mark.parametrize(("schedules_s", "why"), [(35.0, "no request in time"), (5.0, "no result of the insulation test in time")])
def test_other_schedules_and_then_another_cable_check(schedules_s: float, why: str) -> None:
    """Energy that goes off in between counts on."""
    pair = brought("iso2-dc", "loop")
    facts, pair.charger.pace = pair.charger.facts, replace(pair.charger.pace, cable_check_s=100.0, schedule_s=schedules_s)
    words = iter(["PowerDeliveryReq Renegotiate"])

    def say(pair: Pair) -> tuple[Message, bytes]:
        dialect: Any = pair.any_dialect
        ready = dialect.state.value in ("DC ready", "DC cable check")
        return circle(pair, next(words, "CableCheckReq" if ready else "ChargeParameterDiscoveryReq DC"))(pair)

    facts.schedules = None
    pair.evcc = Talker(pair, lambda: say(pair), lambda: 0.4)
    pair.run(900.0)
    assert told(pair, CableCheckWanted)
    assert pair.evse_over is not None
    assert pair.evse_over.why == why
    assert longest_s(pair) <= LONGEST_S + 1.0


def test_other_profiles_beside_the_loop_are_no_loop() -> None:
    pair = make_iso20(Energy.AC, loops=None, other_schedules_aside=True)
    pair.connect()
    pair.run(400.0, until=lambda: pair.loops() >= 10)
    aside, plan = heard(Energy.AC)[E.SCHEDULE_ASIDE][0], heard(Energy.AC)[E.REPLAN][0]
    turn = itertools.cycle((aside, aside, plan))

    def say(pair: Pair) -> tuple[Message, bytes]:
        message, came_as = next(turn)
        return framed(replaced(message, Header=header(pair)), came_as)

    assert over_after_s(pair, say, 0.1) <= 1.1
