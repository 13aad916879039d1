"""Random and hostile vehicles at our charger's side of ISO 15118-20: it ends every session, its power is on only where it may be, and the next honest
vehicle is served (S-24). Ten thousand under SOAK. And chargers that do wrong, for our vehicle's side.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from bench.v2g.charger import Charger, Pace, every_way
from bench.v2g.guard import Guard
from bench.v2g.misbehave import CATALOGUE, misbehaving
from bench.v2g.model import SPECS, Vehicle
from bench.v2g.pair import Pair
from bench.v2g.wrong import again
from iso15118 import exi
from iso15118.connection import Abort, Lost, Received, Send
from iso15118.evcc.iso20.dialect import spoken
from iso15118.evcc.session import Session as Evcc
from iso15118.evcc.terms import EvWish, Wants
from iso15118.exi.types import Simple, fields_of
from iso15118.iso20.wire import RESPONSES, least, payload_type
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.session import Stage
from iso15118.terms import PLAIN, Control, Ending, Energy, Progress, SessionBegun, Wish
from iso15118.v2gtp import SCHEMA_SETS, Frame

WHOLE = bool(os.environ.get("SOAK"))
KINDS = ["", *(kind.__name__ for kind in RESPONSES)]
WRONG = sorted(CATALOGUE)


def fresh() -> Pair:
    pace = Pace(authorization_s=0.2, cable_check_s=0.5)
    pair = Pair(Charger(every_way(), pace), Vehicle())
    pair.watches.append(Guard())
    return pair


def vehicle(energy: Energy, control: Control, **wants: Any) -> Vehicle:
    return Vehicle(wants=Wants(energies=(energy,), controls=(control,), meter=True, **wants))


def honest(pair: Pair) -> None:
    """One who does nothing wrong: its session begins within a second and ends in order."""
    facts = pair.charger.facts
    facts.fault, facts.wish = "", None
    pair.vehicle = vehicle(Energy.DC, Control.DYNAMIC, loops=3)
    pair.notes.clear()
    pair.connect()
    began = len(pair.charger.log)
    pair.run(1.0, until=lambda: any(isinstance(told, SessionBegun) for _, told in pair.charger.log[began:]))
    assert any(isinstance(told, SessionBegun) for _, told in pair.charger.log[began:])
    pair.run()
    assert pair.evse_over is not None
    assert pair.evse_over.ending is Ending.TERMINATED
    assert pair.notes == []


@pytest.mark.soak
@pytest.mark.req("S-2", "S-4", "S-24")
@pytest.mark.parametrize("part", range(20 if WHOLE else 2))
def test_ten_thousand_vehicles(part: int) -> None:
    dice, endings = random.Random(part), Counter[str]()
    for number in range(500 if WHOLE else 60):
        pair = fresh()
        pair.vehicle = vehicle(
            dice.choice(PLAIN), dice.choice(list(Control)), loops=dice.choice((0, 1, 20)), wish=dice.choice((None, None, *EvWish)),
            added_services=dice.choice(((), (65,))), narrow=dice.random() < 0.2, welding_detection=dice.random() < 0.8, poll_s=dice.choice((0.05, 0.5)),
            side_streams=dice.random() < 0.5,
        )  # fmt: skip
        pair.vehicle.spec = dice.choice(list(SPECS.values()))
        inner: Any = Evcc(spoken(pair.vehicle.wants))
        for name in dice.sample(WRONG, dice.choice((1, 1, 2, 3))):
            inner = misbehaving(name, inner, dice.randrange(1 << 30), dice.choice(KINDS))
        pair.at(dice.uniform(0, 20), partial(setattr, pair.charger.facts, "wish", dice.choice((None, *Wish))))
        pair.connect(inner)
        pair.run(600.0)
        assert pair.secc.stage is Stage.OVER, (part, number)
        assert pair.evse_over is not None
        endings[pair.evse_over.ending.value] += 1
        honest(pair)
    assert endings["terminated"] > 5
    assert endings["aborted"] > 20


class Spoiler:
    """A charger that does wrong now and then: flipped bits, spoilt numbers, a response of another kind, octets out of nowhere."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.often, self.how = dice, dice.choice((0.002, 0.02, 0.2)), dice.randrange(5)

    def __call__(self, end: str, send: Send) -> bytes:
        message, dice = send.message, self.dice
        if end == "ev" or not isinstance(message, ct.V2GResponseType) or dice.random() > self.often:
            return send.octets
        match self.how:
            case 0:
                flipped = bytearray(send.octets)
                flipped[dice.randrange(8, len(flipped))] ^= 1 << dice.randrange(8)
                return bytes(flipped)
            case 1:
                return self._said(self._spoilt(message))
            case 2:
                return self._said(least(dice.choice(list(RESPONSES.values())), Header=message.Header))
            case 3:
                return send.octets * dice.randrange(2, 20)
        return dice.randbytes(dice.randrange(1, 100))

    @staticmethod
    def _said(message: Any) -> bytes:
        number = payload_type(type(message))
        return Frame(number, exi.encode(message, SCHEMA_SETS[number])).octets()

    def _spoilt(self, message: Message) -> Any:
        """Numbers, words and what is there or not."""
        changed: dict[str, Any] = {}
        for each in fields_of(type(message)):
            value = getattr(message, each.name)
            if isinstance(value, ct.RationalNumberType):
                if self.dice.random() < 0.3:
                    changed[each.name] = ct.RationalNumberType(
                        Exponent=self.dice.choice((-128, 3, 127)), Value=self.dice.choice((-32768, 0, 32767))
                    )
            elif isinstance(value, Message):
                changed[each.name] = value if each.name == "Header" else self._spoilt(value)
            elif isinstance(value, tuple) and value and isinstance(value[0], Message):
                changed[each.name] = tuple(self._spoilt(one) for one in value)
            elif isinstance(each.value, Simple) and each.value.kind == "enum" and not each.many and self.dice.random() < 0.2:
                changed[each.name] = self.dice.choice(each.value.values)
        return again(message, **changed)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(20 if WHOLE else 2))
def test_chargers_that_do_wrong(part: int) -> None:
    """Whatever a charger says, the vehicle comes to an end, and draws nothing then."""
    dice, endings = random.Random(1000 + part), Counter[str]()
    for number in range(500 if WHOLE else 80):
        pair = fresh()
        pair.watches.clear()
        pair.vehicle = vehicle(
            dice.choice(PLAIN), dice.choice(list(Control)), loops=20, added_services=(65,), wish=dice.choice((None, *EvWish))
        )
        pair.spoil = Spoiler(dice)
        pair.connect()
        pair.run(600.0)
        assert pair.ev_over is not None, (part, number)
        assert not pair.vehicle.drawing
        assert pair.secc.stage is Stage.OVER
        endings[pair.ev_over.ending.value] += 1
    assert endings["terminated"] > 5
    assert endings["aborted"] > 20


class Cable(RuleBasedStateMachine):
    """One charger; vehicles come and go, facts change, the cable is cut and sprinkled with octets."""

    @initialize()
    def begin(self) -> None:
        self.pair = fresh()

    @property
    def busy(self) -> bool:
        return hasattr(self, "pair") and self.pair.sessions > 0 and self.pair.secc.stage is not Stage.OVER

    @precondition(lambda self: not self.busy)
    @rule(
        name=st.sampled_from(WRONG),
        seed=st.integers(0, 1 << 16),
        at=st.sampled_from(KINDS),
        energy=st.sampled_from(PLAIN),
        control=st.sampled_from(Control),
        wish=st.sampled_from((None, *EvWish)),
    )
    def plug(self, name: str, seed: int, at: str, energy: Energy, control: Control, wish: EvWish | None) -> None:
        self.pair.vehicle = vehicle(energy, control, loops=30, wish=wish)
        self.pair.connect(misbehaving(name, Evcc(spoken(self.pair.vehicle.wants)), seed, at))

    @precondition(lambda self: self.busy)
    @rule(seconds=st.sampled_from((0.01, 0.3, 1.0, 3.0, 10.0, 100.0)))
    def wait(self, seconds: float) -> None:
        self.pair.at(seconds, lambda: None)
        self.pair.run(seconds)

    @precondition(lambda self: self.busy)
    @rule(wish=st.sampled_from((None, *Wish)))
    def charger_wants(self, wish: Wish | None) -> None:
        self.pair.charger.facts.wish = wish
        self.pair.changed()

    @precondition(lambda self: self.busy)
    @rule(wish=st.sampled_from((None, *EvWish)))
    def driver_wants(self, wish: EvWish | None) -> None:
        self.pair.vehicle.wants.wish = wish

    @precondition(lambda self: self.busy)
    @rule(
        what=st.sampled_from(("cable_check", "precharge", "power", "authorization")),
        how=st.sampled_from((Progress.FAILED, Progress.UNDER_WAY)),
    )
    def hardware(self, what: str, how: Progress) -> None:
        setattr(self.pair.charger.facts, what, how)
        self.pair.changed()

    @precondition(lambda self: self.busy)
    @rule()
    def fault(self) -> None:
        self.pair.charger.facts.fault = "a fan is stuck"
        self.pair.changed()

    @precondition(lambda self: self.busy)
    @rule(
        octets=st.one_of(
            st.binary(max_size=40), st.binary(max_size=40).map(lambda body: b"\x01\xfe\x80\x02" + len(body).to_bytes(4, "big") + body)
        )
    )
    def sprinkle(self, octets: bytes) -> None:
        self.pair._evse(Received(octets))

    @precondition(lambda self: self.busy)
    @rule(event=st.sampled_from((Lost(), Abort("unplugged"))))
    def cut(self, event: Lost | Abort) -> None:
        self.pair._evse(event)
        assert self.pair.secc.stage is Stage.OVER

    @precondition(lambda self: not self.busy)
    @rule()
    def somebody_honest(self) -> None:
        honest(self.pair)

    @invariant()
    def guarded(self) -> None:
        if hasattr(self, "pair"):
            self.pair._look()

    def teardown(self) -> None:
        if self.busy:
            self.pair.run(600.0)
            assert self.pair.secc.stage is Stage.OVER
        if hasattr(self, "pair"):
            honest(self.pair)


@pytest.mark.soak
@pytest.mark.req("S-24")
def test_vehicles_that_come_and_go() -> None:
    run_state_machine_as_test(
        Cable,
        settings=settings(
            max_examples=3000 if WHOLE else 40, stateful_step_count=15, deadline=None, derandomize=not WHOLE, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
