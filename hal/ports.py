"""What a charger's body can be asked. A call that returns means that the hardware moved; else it raises a `HalError` within bounded time.

A board tells what happens through the one `sink` that `Board.listen` takes: called in the event loop's thread, in order, at once, and
never from inside of a call on that board. Everything is told once when `start` is done, so that a sink never has to ask.

Calls may come at the same time. `Contactor.open`, `PowerPath.withdraw`, `DcSupply.off`, `ControlPilot.set_x1` and `set_f` make safe: they wait for no
other call, and they cancel a closing that is on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from hal.types import (
    BoardInfo,
    BoardInput,
    Indication,
    InsulationSample,
    MeterSample,
    Phases,
    SignedContext,
    SignedSample,
    TemperatureSample,
)

Sink = Callable[[BoardInput], None]
"""Takes what the hardware says; it must not block, and it must not raise."""


class ControlPilot(Protocol):
    """What the EVSE puts on the control pilot (IEC 61851-1). Readings come as `PilotVoltage` or `PilotState`.

    On a delegated board PWM means "allowed, with this limit", and X1 "not now": the controller runs the pilot itself.
    """

    async def set_x1(self) -> None:
        """Steady +12 V behind the source resistor: the EV may not draw. Raises PilotFault, BoardSilent."""

    async def set_pwm(self, duty_percent: float) -> None:
        """1 kHz PWM; 5 is digital communication, 8 to 97 a current limit. Raises PilotFault (out of range), BoardSilent."""

    async def set_f(self) -> None:
        """Steady -12 V: not available. Raises PilotFault, BoardSilent, NotFitted."""


class ProximityPilot(Protocol):
    """The coding of the plug in a socket; changes come as `ProximityResistance`."""

    async def read(self) -> float | None:
        """Ohm, or None without a plug. Raises BoardSilent."""


class PowerPath(Protocol):
    """The lease on power: when it lapses, the hardware opens, so a hung process holds no power (F-16)."""

    async def permit(self, ttl_s: float) -> None:
        """From now on until `ttl_s` later the contactor may be closed. Raises BoardSilent; the lease then stands as it was."""

    async def withdraw(self) -> None:
        """End the lease at once: the hardware opens. Raises BoardSilent."""


class Contactor(Protocol):
    """The power contactor with its mirror contacts; changes come as `ContactorFeedback`."""

    async def close(self, phases: Phases = 3) -> None:
        """Returns when the feedback says closed. Raises LeaseLapsed (no live permit), ContactorFault (it did not close; the coil
        is off again), BoardSilent. On a delegated board it waits for the controller to close.
        """

    async def open(self) -> None:
        """Returns when the feedback says open. Raises ContactorFault (welded), BoardSilent. Ends a closing on its way."""


class DcSupply(Protocol):
    """A DC stage; what it does comes as `DcSample`. It delivers under the lease of `PowerPath` only: when that lapses it goes off, and then opens."""

    async def set_output(self, voltage_V: float, current_A: float) -> None:
        """From now on at most this voltage and at most this current; negative: so much is taken from the vehicle. Returns when the stage has taken the
        order, not when it is there. Raises StageFault (out of its ratings, or it does not take it), LeaseLapsed, BoardSilent.
        """

    async def off(self) -> None:
        """The current goes down as fast as the stage can, then the voltage. Makes safe: waits for no other call. Returns when the stage has taken the
        order. Raises StageFault, BoardSilent.
        """


class InsulationMonitor(Protocol):
    """Measures the resistance between the DC output and protective earth, at the voltage that is on the output."""

    async def measure(self) -> InsulationSample:
        """May take seconds. Raises InsulationFault (no reading, or its self-test failed), BoardSilent."""


class Meter(Protocol):
    """The energy meter; samples come by themselves as `MeterSample`."""

    async def read(self) -> MeterSample:
        """One reading now. Raises MeterFault, BoardSilent."""


class SignedMeter(Protocol):
    """A meter that signs (Eichrecht)."""

    async def sign(self, context: SignedContext, transaction_id: str, id_token: str = "") -> SignedSample:
        """A signed value for this moment; may take seconds. Raises MeterFault, BoardSilent."""


class Lock(Protocol):
    """The lock of a socket; changes come as `LockState`."""

    async def lock(self) -> None:
        """Returns when its sensor says locked. Raises LockFault, BoardSilent."""

    async def unlock(self) -> None:
        """Returns when its sensor says unlocked. Raises LockFault, BoardSilent."""


class ResidualCurrent(Protocol):
    """The residual-current device; trips come as `ResidualCurrentTrip`."""

    async def self_test(self) -> None:
        """With the contactor open only. Raises ResidualCurrentFault, BoardSilent."""

    async def reset(self) -> None:
        """Arm it again. Raises ResidualCurrentFault (it does not hold), BoardSilent."""


class Temperature(Protocol):
    """Temperature sensors; changes come as `TemperatureSample`."""

    async def read(self) -> tuple[TemperatureSample, ...]:
        """All sensors of this EVSE. Raises BoardSilent."""


class TokenReader(Protocol):
    """A card reader; cards come as `TokenPresented`."""

    async def enable(self, on: bool) -> None:
        """Read cards, or do not. Raises BoardSilent."""


class Indicator(Protocol):
    """Lamp, display or buzzer of one EVSE."""

    async def show(self, indication: Indication) -> None:
        """Show this until told otherwise. Raises BoardSilent; what the indicator cannot show it leaves out."""


class Clock(Protocol):
    """A battery-backed clock on the board."""

    async def read(self) -> float:
        """POSIX seconds. Raises BoardSilent, HalError when it was never set."""

    async def set(self, utc_s: float) -> None:
        """Set it. Raises BoardSilent."""


@dataclass(frozen=True, slots=True)
class EvsePorts:
    """The body of one EVSE; None is not fitted."""

    pilot: ControlPilot
    contactor: Contactor
    power: PowerPath
    proximity: ProximityPilot | None = None
    meter: Meter | None = None
    signed_meter: SignedMeter | None = None
    lock: Lock | None = None
    residual_current: ResidualCurrent | None = None
    temperature: Temperature | None = None
    indicator: Indicator | None = None
    dc: DcSupply | None = None
    insulation: InsulationMonitor | None = None


class Board(Protocol):
    """One board with all its EVSEs. `listen` first, then `start`, then the ports; `stop` at the end."""

    @property
    def info(self) -> BoardInfo:
        """What it is; complete once `start` has returned."""

    @property
    def evses(self) -> Mapping[int, EvsePorts]:
        """Ports by EVSE id; complete once `start` has returned."""

    @property
    def reader(self) -> TokenReader | None:
        """The card reader."""

    @property
    def clock(self) -> Clock | None:
        """The battery-backed clock."""

    def listen(self, sink: Sink) -> None:
        """Who hears what happens; one, set before `start`."""

    async def start(self) -> None:
        """Connect; everything open and at X1 before anything else; then tell every input once. Raises BoardSilent, HalError.

        A line that breaks later is `BoardSilence`, and the driver goes on trying by itself.
        """

    async def stop(self) -> None:
        """Open, let go of the hardware, end all tasks. Raises nothing: what cannot be reached any more is left to `on_silence`."""


class RawBoard(Board, Protocol):
    """`info.shape` is RAW: we read the pilot's voltages and set the duty; closing is ours."""


class DelegatedBoard(Board, Protocol):
    """`info.shape` is DELEGATED: a controller runs the pilot and closes by itself; the same ports mean allow, limit and disallow."""
