"""What the machine of the vehicle's link remembers."""

from __future__ import annotations

from dataclasses import dataclass

from chargepoint.events import Supply


@dataclass(slots=True)
class V2gState:
    """Of one EVSE. Sessions are apart: the journal begins no segment while there is one, unless it has to."""

    authorization_wanted: bool = False
    """The vehicle waits to be authorised."""
    authorised: bool = False
    """It was told that it is."""
    supply: Supply = Supply.OFF
    """What was last asked for."""
    asked_V: float = 0.0
    asked_A: float = 0.0
    was_on: bool = False
    """What was asked for has been on the output."""
    needs_told: int = 0
    """How often the vehicle has said what it needs, in this session."""
    asking_needs: bool = False
    stopped: tuple[str, ...] = ()
    """Causes of SupplyStopped."""
    stopped_for_good: bool = False
    leaving: bool = False
    """The station shuts down."""
    paused_id: bytes = b""
    paused_evcc: str = ""
    """A session that its vehicle may resume."""
