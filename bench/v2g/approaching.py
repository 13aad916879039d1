"""Places, coils and arms, simulated: what a session tells of WPT and ACDP becomes facts, each in its time."""

from __future__ import annotations

from collections.abc import Callable

from iso15118.approach import AlignmentWanted, Approach, Arm, ArmWanted, PairingWanted, PositioningWanted
from iso15118.frozen import dataclass
from iso15118.terms import Progress, SessionBegun, SessionOver, Told

OFF_PLACE_MM = (240, -90)
"""Where a vehicle stands that has only just come."""
CODE = 7


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


def arrive(told: Told, approach: Approach | None, later: Callable[[float, Callable[[], None]], None], steps: Steps) -> None:
    """One thing that a session has told."""
    if approach is None:
        return
    match told:
        case SessionBegun():
            approach.positioning = approach.pairing = approach.alignment = Progress.NOT_ASKED
            approach.pairing_code, approach.emergency = None, False
        case PositioningWanted() if approach.positioning is Progress.NOT_ASKED:
            approach.positioning, approach.deviation_mm = Progress.UNDER_WAY, OFF_PLACE_MM
            later(steps.positioning_s, lambda: _placed(approach, steps))
        case PairingWanted() if approach.pairing is Progress.NOT_ASKED:
            approach.pairing = Progress.UNDER_WAY
            later(steps.pairing_s, lambda: _paired(approach, steps))
        case AlignmentWanted() if approach.alignment is Progress.NOT_ASKED:
            approach.alignment = Progress.UNDER_WAY
            later(steps.alignment_s, lambda: setattr(approach, "alignment", Progress.DONE if steps.aligns else Progress.FAILED))
        case ArmWanted(down) if approach.arm is (Arm.HOME if down else Arm.THERE):
            _move(approach, later, steps, down=down)
        case SessionOver() if approach.arm is not Arm.HOME:
            _move(approach, later, steps, down=False)


def _placed(approach: Approach, steps: Steps) -> None:
    approach.positioning = Progress.DONE if steps.finds else Progress.FAILED
    if steps.finds:
        approach.deviation_mm = (12, -5)


def _paired(approach: Approach, steps: Steps) -> None:
    approach.pairing = Progress.DONE if steps.pairs else Progress.FAILED
    approach.pairing_code = CODE


def _move(approach: Approach, later: Callable[[float, Callable[[], None]], None], steps: Steps, *, down: bool) -> None:
    def there() -> None:
        approach.arm, approach.connected = (Arm.THERE, True) if down else (Arm.HOME, False)

    approach.arm, approach.connected = Arm.MOVING, False
    later(steps.arm_s, there)
