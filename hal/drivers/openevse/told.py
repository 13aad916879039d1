"""What the controller's states mean in the words of `hal.types`, each told once."""

from __future__ import annotations

from typing import Literal

from hal.drivers.openevse import rapi
from hal.types import (
    BoardFault,
    BoardInput,
    ContactorFeedback,
    Phases,
    PilotState,
    ResidualCurrentReset,
    ResidualCurrentTrip,
    TemperatureSample,
)

LETTERS: dict[int, Literal["A", "B", "C", "D"]] = {1: "A", 2: "B", 3: "C", 4: "D"}
RESIDUAL = (0x06, 0x09)
"""Tripped; its self-test failed."""
FAULTS = {
    0x05: ("DiodeFault", "no diode in the EV's pilot circuit"),
    0x07: ("GroundFailure", "no protective earth"),
    0x08: ("ContactorWelded", "relay stuck closed"),
    0x0A: ("OverTemperature", "controller too hot"),
    0x0B: ("OverCurrent", "the EV draws more than it is offered"),
    0x0E: ("ContactorFailedToClose", "relay did not close"),
}
BOOT_FAULT = ("InternalError", "boot lock: the controller is in fault")
PLACES = ("clock", "board", "infrared")
"""Of the three sensors of `$GP`: DS3231, MCP9808, TMP007."""
NO_SENSOR = -2560


class Told:
    """What was told of one EVSE since everything was told."""

    def __init__(self, evse_id: int, phases: Phases) -> None:
        self.evse_id, self.phases = evse_id, phases
        self.f_ordered = False
        """F is what was asked for; otherwise it is the short way to an open relay, and does not count."""
        self._letter: str | None = None
        self._closed: bool | None = None
        self._tripped: bool | None = None
        self._fault: tuple[str, str] | None = None

    def everything(self, status: rapi.Status) -> list[BoardInput]:
        """Once after a start-up."""
        if self._tripped is None and status.state not in RESIDUAL:
            self._tripped = False
            return [ResidualCurrentReset(self.evse_id), *self.changes(status)]
        return self.changes(status)

    def changes(self, status: rapi.Status) -> list[BoardInput]:
        """What is new; the pilot before the contactor, as a contactor follows the pilot."""
        return [*self._faults(status), *self._pilot(status), *self._contactor(status)]

    def boot_fault(self) -> BoardInput:
        """`$SB` answered that the controller stays locked."""
        self._fault = BOOT_FAULT
        return BoardFault(self.evse_id, *BOOT_FAULT, present=True)

    def residual_over(self) -> list[BoardInput]:
        """Armed again."""
        was, self._tripped = self._tripped, False
        return [ResidualCurrentReset(self.evse_id)] if was else []

    def temperatures(self, values: tuple[str, ...]) -> list[TemperatureSample]:
        """The sensors that are there, from tenths of a degree."""
        try:
            tenths = rapi.numbers(values, len(values))
        except rapi.RapiError:
            return []
        return [
            TemperatureSample(self.evse_id, place, tenth / 10.0)
            for place, tenth in zip(PLACES, tenths, strict=False)
            if tenth > NO_SENSOR and tenth < 2000
        ]

    def _pilot(self, status: rapi.Status) -> list[BoardInput]:
        letter: Literal["A", "B", "C", "D", "E", "F"] | None = LETTERS.get(status.pilot)
        if status.state == rapi.STATE_DISABLED:
            letter = "F" if self.f_ordered else None
        elif letter is None and 0x05 <= status.state <= 0x0E:
            letter = "E"
        if letter is None or letter == self._letter:
            return []
        self._letter = letter
        return [PilotState(self.evse_id, letter)]

    def _contactor(self, status: rapi.Status) -> list[BoardInput]:
        if status.closed is self._closed:
            return []
        self._closed = status.closed
        return [ContactorFeedback(self.evse_id, status.closed, self.phases if status.closed else 0)]

    def _faults(self, status: rapi.Status) -> list[BoardInput]:
        """A fault stays as long as the controller has not looked again: asleep it does not look, so it ends there when the EV leaves."""
        out: list[BoardInput] = []
        residual, fault = status.state in RESIDUAL, FAULTS.get(status.state)
        looked = status.state in LETTERS or (status.state == rapi.STATE_SLEEPING and status.pilot == 1)
        over = looked and not status.vflags & (rapi.HARD_FAULT | rapi.BOOT_LOCK)
        if residual and not self._tripped:
            self._tripped = True
            out.append(ResidualCurrentTrip(self.evse_id, "ac"))
        elif over and self._tripped:
            out += self.residual_over()
        if self._fault is not None and (over or (fault is not None and fault != self._fault)):
            out.append(BoardFault(self.evse_id, *self._fault, present=False))
            self._fault = None
        if fault is not None and self._fault is None:
            self._fault = fault
            out.append(BoardFault(self.evse_id, *fault, present=True))
        return out
