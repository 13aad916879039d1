"""What has to hold at every moment of a session: watches for `Pair`. `Guard`, whatever the vehicle does:

- More than 2 A flow only between PowerDelivery Start and the end of the ramp down; back only where both ways were chosen; never more than the charger's limits.
- The energy is off before what ends it is answered, and before a connection is closed.
- The charger says to its host that a session is over once, and nothing after that.

`Careful` is for vehicles that do no wrong: nothing is drawn when they say that they stop, and DC begins with closed contactors, which close when
the voltages are near.
"""

from __future__ import annotations

from bench.v2g.pair import Pair
from bench.v2g.progress import progress
from iso15118.connection import Close
from iso15118.evcc.terms import CloseContactors, DrawPower, OpenContactors, StopDrawing
from iso15118.messages.declare import Message
from iso15118.secc.output import OPENS_A
from iso15118.terms import CableCheckWanted, PowerOff, PowerWanted, PrechargeWanted, SessionOver, Told

IDLE_A = 2.0
RAMP_S = 1.5
"""So long the current may take to go down."""


class Guard:
    """Looks at the story of a pair as it grows. Raises AssertionError."""

    def __init__(self) -> None:
        self.energy = False
        """The output may have voltage."""
        self.power = False
        """Current may flow."""
        self.over = False
        self._asked: Message | None = None
        self._connection = 0
        self._last_A = self._off_at = 0.0
        self._seen = 0

    def __call__(self, pair: Pair) -> None:
        if pair.sessions != self._connection:
            self._connection, self.over = pair.sessions, False
        for end, thing in pair.story[self._seen :]:
            (self._vehicle if end == "ev" else self._charger)(thing)
        self._seen = len(pair.story)
        current_A, last_A, self._last_A = abs(pair.charger.facts.current_A), self._last_A, abs(pair.charger.facts.current_A)
        if self.power:
            self._off_at = pair.mono
        elif current_A > IDLE_A and (current_A > last_A or pair.mono > self._off_at + RAMP_S):
            raise AssertionError(f"{pair.charger.facts.current_A:.1f} A without PowerDelivery Start, at {pair.mono:.3f}")
        self._limits(pair)

    @staticmethod
    def _limits(pair: Pair) -> None:
        facts, chosen = pair.charger.facts, pair.charger.chosen
        if facts.current_A < 0 and (chosen is None or not chosen.energy.is_bpt):
            raise AssertionError(f"{facts.current_A:.1f} A back from a vehicle that gives nothing")
        if facts.dc is not None and chosen is not None and chosen.energy.is_dc and (
            facts.voltage_V > facts.dc.max_voltage_V or not -facts.dc.max_discharge_A <= facts.current_A <= facts.dc.max_current_A
        ):  # fmt: skip
            raise AssertionError(f"{facts.voltage_V:.0f} V, {facts.current_A:.1f} A: more than the charger may")

    def _vehicle(self, thing: Message | Told | Close) -> None:
        if isinstance(thing, Message):
            self._asked = thing

    def _charger(self, thing: Message | Told | Close) -> None:
        match thing:
            case CableCheckWanted() | PrechargeWanted():
                self.energy = True
            case PowerWanted():
                self.energy = self.power = True
            case PowerOff():
                self.energy = self.power = False
            case SessionOver():
                self._off("SessionOver")
                if self.over:
                    raise AssertionError("the session is over twice")
                self.over = True
            case Message() if self._ends(thing):
                self._off(type(thing).__name__)
            case Close():
                self._off("the end of the connection")
        if isinstance(thing, Told) and self.over and not isinstance(thing, SessionOver):
            raise AssertionError(f"{type(thing).__name__} after the session was over")

    def _ends(self, response: Message) -> bool:
        name, code = type(response).__name__, getattr(response, "ResponseCode", "")
        if name == "supportedAppProtocolRes":
            return False
        if code.startswith("FAILED") or name == "SessionStopRes":
            return True
        return name == "PowerDeliveryRes" and code != "WARNING_StandbyNotAllowed" and progress(self._asked) in ("Stop", "Standby")

    def _off(self, before: str) -> None:
        if self.energy or self.power:
            raise AssertionError(f"{before} while the energy was on")


class Careful:
    """Looks at an honest vehicle, from this place of the story on. Raises AssertionError."""

    def __init__(self, seen: int = 0) -> None:
        self.drawing = False
        self._seen = seen

    def __call__(self, pair: Pair) -> None:
        for end, thing in pair.story[self._seen :]:
            if end == "ev":
                self._look(pair, thing)
        self._seen = len(pair.story)

    def _look(self, pair: Pair, thing: Message | Told | Close) -> None:
        match thing:
            case DrawPower():
                self.drawing = True
            case StopDrawing():
                self.drawing = False
            case CloseContactors(voltage_V) if abs(voltage_V - pair.vehicle.wants.voltage_V) > pair.vehicle.wants.near_V:
                raise AssertionError(f"contactors close at {voltage_V:.0f} V, the battery has {pair.vehicle.wants.voltage_V:.0f} V")
            case OpenContactors() if abs(pair.charger.facts.current_A) >= OPENS_A:
                raise AssertionError(f"contactors open under {pair.charger.facts.current_A:.0f} A")
            case Message() if progress(thing) == "Start" and _is_dc(pair) and not pair.vehicle.wants.contactors_closed:
                raise AssertionError("PowerDelivery Start with open contactors")
            case _ if self.drawing and _ends_drawing(thing):
                raise AssertionError(f"{type(thing).__name__} of a vehicle that draws")


def _ends_drawing(thing: object) -> bool:
    return progress(thing) in ("Stop", "Standby") or isinstance(thing, (SessionOver, Close)) or type(thing).__name__ == "SessionStopReq"


def _is_dc(pair: Pair) -> bool:
    return pair.vehicle.chosen is not None and pair.vehicle.chosen.energy.is_dc
