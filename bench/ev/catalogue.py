"""EVs by name: kinds that exist, and kinds that misbehave."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from bench.ev.ev import Ev
from bench.ev.spec import EvSpec

CATALOGUE: dict[str, EvSpec] = {
    # well-behaved
    "three-phase": EvSpec(),
    "one-phase": EvSpec(phases=1, max_A=32.0),
    "two-phase": EvSpec(phases=2, max_A=16.0),
    "22kW": EvSpec(max_A=32.0),
    "small-battery": EvSpec(wants_Wh=500.0, taper=((400.0, 8.0),)),
    "ventilated": EvSpec(ventilation=True),
    "simplified": EvSpec(phases=1, max_A=10.0, simplified=True),
    "sleepy": EvSpec(sleeps_after_s=60.0, wakes_by="pwm"),
    "old": EvSpec(sleeps_after_s=60.0, wakes_by="pulse"),
    "slow": EvSpec(s2_delay_s=20.0, follow_s=3.0, ramp_A_per_s=8.0),
    # misbehaving
    "overdraws-15": EvSpec(overdraw=1.15),
    "overdraws-40": EvSpec(overdraw=1.40),
    "follows-late": EvSpec(follow_s=20.0),
    "never-charges": EvSpec(never_closes_s2=True),
    "flaps": EvSpec(flaps_s=2.0),
    "ignores-pwm-loss": EvSpec(ignores_pwm_loss=True),
    "stops-late": EvSpec(stop_s=5.0),
    "draws-in-b": EvSpec(draws_in_b=True),
    "no-diode": EvSpec(diode=False),
    "leaks-dc": EvSpec(leakage_dc_mA=8.0),
}


def ev(name: str = "three-phase", now_s: float = 0.0, **changes: Any) -> Ev:
    """An EV of the catalogue, with some fields of its `EvSpec` changed. KeyError names the nearest when there is none of this name."""
    if name not in CATALOGUE:
        near = get_close_matches(name, CATALOGUE, n=1)
        raise KeyError(f"no EV {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return Ev(replace(CATALOGUE[name], **changes), now_s)
