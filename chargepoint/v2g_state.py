"""What the machine of the vehicle's link remembers."""

from __future__ import annotations

from dataclasses import dataclass, field

from chargepoint.events import Supply
from iso15118.secc.iso20.dialect import SavedIso20
from iso15118.secc.session import Saved


@dataclass(slots=True)
class Talking:
    """A connection and its session."""

    session: Saved
    dialect: SavedIso20 | None = None
    """None until it is agreed."""


@dataclass(slots=True)
class V2gState:
    """Of one EVSE."""

    sessions: dict[int, Talking] = field(default_factory=dict)
    """By the number of the connection, as they stood when this was asked for: at work they are objects."""
    active: int | None = None
    """The connection whose session is under way: what others want does not count."""
    protocol: str = ""
    """The namespace that was agreed on last."""
    said: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Way -> message and response code that were logged last."""
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
