"""What kind of EV it is: an EV that keeps to IEC 61851-1, unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvSpec:
    """Currents are on each phase."""

    phases: int = 3
    """Phases of the on-board charger."""
    max_A: float = 16.0
    min_A: float = 6.0
    """Offered less, it does not charge."""
    wants_Wh: float | None = None
    """How much it takes before it is full; None: no end."""
    draws_for_s: float | None = None
    """So long after current first flowed it has had enough; None: no end."""
    taper: tuple[tuple[float, float], ...] = ()
    """Charge profile: (taken energy in Wh, at most so many A from there on), rising."""
    s2_delay_s: float = 1.5
    """From valid PWM to closed S2."""
    follow_s: float = 1.0
    """From a change of the duty to the first change of the current."""
    ramp_A_per_s: float = 8.0
    """The on-board charger's ramp; delay and ramp together stay within 5 s (IEC 61851-1)."""
    stop_s: float = 1.0
    """From loss of PWM to open S2, current ramped down before; the standard gives 3 s."""
    ventilation: bool = False
    """It asks for ventilation: state D instead of C."""
    simplified: bool = False
    """No S2: C as soon as it is plugged in, and 10 A at most (IEC 61851-1 A.2.3)."""
    sleeps_after_s: float | None = None
    """So long without PWM, and it falls asleep: then PWM alone may not wake it."""
    wakes_by: str = "pwm"
    """"pwm": PWM after X1 wakes it; "pulse": it wants to see the pilot at F or E for 3 s first."""
    diode: bool = True

    # misbehaviour
    overdraw: float = 1.0
    """It draws so many times what it may."""
    ignores_pwm_loss: bool = False
    """It keeps S2 closed and goes on drawing when the PWM goes away."""
    never_closes_s2: bool = False
    flaps_s: float | None = None
    """S2 opens and closes each so many seconds."""
    draws_in_b: bool = False
    """It draws whenever there is voltage, S2 or not."""
    leakage_dc_mA: float = 0.0
