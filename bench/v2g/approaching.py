"""Places, coils and arms, simulated: what a session tells of WPT and ACDP becomes facts, each in its time."""

from __future__ import annotations

from collections.abc import Callable

from iso15118.approach import AlignmentWanted, Approach, Arm, ArmWanted, PairingWanted, PositioningWanted
from iso15118.frozen import dataclass
from iso15118.terms import Facts, Progress, SessionBegun, SessionOver, Told

OFF_PLACE_MM = (240, -90)
"""Where a vehicle stands that has only just come."""
CODE = 7
LIVE_V = 60.0
"""Under this, or more, an arm that nobody tells to move stays."""
LOOK_S = 0.1
MOST_LIVE_S = 60.0
"""After that it stays where it is."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How long things take."""

    positioning_s: float = 2.0
    pairing_s: float = 0.5
    alignment_s: float = 1.0
    arm_s: float = 3.0
    finds: bool = True
    """The vehicle comes to its place."""
    pairs: bool = True
    aligns: bool = True


STEPS = Steps()
Later = Callable[[float, Callable[[], None]], None]
"""After so many seconds from what was told, do this."""


class Approaching:
    """One place with its coil or its arm. An arm does what it was told last; when a session is over, or another begins, it goes home."""

    def __init__(self) -> None:
        self._down = False
        """Where the arm goes, while it moves."""
        self._moves = 0

    def arrive(self, told: Told, facts: Facts, later: Later, steps: Steps) -> None:
        """One thing that a session has told."""
        approach = facts.approach
        if approach is None:
            return
        match told:
            case SessionBegun():
                approach.positioning = approach.pairing = approach.alignment = Progress.NOT_ASKED
                approach.pairing_code, approach.emergency = None, False
                self._down = True  # whatever it was doing, it has forgotten
                self._home(facts, approach, later, steps)
            case PositioningWanted() if approach.positioning is Progress.NOT_ASKED:
                approach.positioning, approach.deviation_mm = Progress.UNDER_WAY, OFF_PLACE_MM
                later(steps.positioning_s, lambda: _placed(approach, steps))
            case PairingWanted() if approach.pairing is Progress.NOT_ASKED:
                approach.pairing = Progress.UNDER_WAY
                later(steps.pairing_s, lambda: _paired(approach, steps))
            case AlignmentWanted() if approach.alignment is Progress.NOT_ASKED:
                approach.alignment = Progress.UNDER_WAY
                later(steps.alignment_s, lambda: _aligned(approach, steps))
            case ArmWanted(down):
                self._move(approach, later, steps, down=down)
            case SessionOver():
                self._home(facts, approach, later, steps)

    def _home(self, facts: Facts, approach: Approach, later: Later, steps: Steps, waited_s: float = 0.0) -> None:
        """As soon as nothing is live."""
        if facts.voltage_V < LIVE_V:
            self._move(approach, lambda seconds, what: later(waited_s + seconds, what), steps, down=False)
        elif waited_s < MOST_LIVE_S:
            later(waited_s + LOOK_S, lambda: self._home(facts, approach, later, steps, waited_s + LOOK_S))

    def _move(self, approach: Approach, later: Later, steps: Steps, *, down: bool) -> None:
        if down is (self._down if approach.arm is Arm.MOVING else approach.arm is Arm.THERE):
            return
        self._down = down
        self._moves += 1
        number = self._moves

        def there() -> None:
            if number == self._moves:  # it was not turned round meanwhile
                approach.arm, approach.connected = (Arm.THERE, True) if down else (Arm.HOME, False)

        approach.arm, approach.connected = Arm.MOVING, False
        later(steps.arm_s, there)


def _placed(approach: Approach, steps: Steps) -> None:
    """Unless it has left again."""
    if approach.positioning is not Progress.UNDER_WAY:
        return
    approach.positioning = Progress.DONE if steps.finds else Progress.FAILED
    if steps.finds:
        approach.deviation_mm = (12, -5)


def _paired(approach: Approach, steps: Steps) -> None:
    if approach.pairing is Progress.UNDER_WAY:
        approach.pairing, approach.pairing_code = Progress.DONE if steps.pairs else Progress.FAILED, CODE


def _aligned(approach: Approach, steps: Steps) -> None:
    if approach.alignment is Progress.UNDER_WAY:
        approach.alignment = Progress.DONE if steps.aligns else Progress.FAILED
