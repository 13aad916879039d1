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
class Replan:
    """Whether the schedules that the vehicle was offered still hold, and what was done about it."""

    offered_mono: float | None = None
    offered_A: float = 0.0
    """The limit on the current when they were offered."""
    since: float | None = None
    """Since when they do not hold."""
    asked_mono: float | None = None
    """When the vehicle was last asked to take others..."""
    asked_W: float | None = None
    asked_per_kWh: float | None = None
    """...and for which limit and price: for the same it is not asked again. None: what was offered has held meanwhile."""


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
    replan: Replan = field(default_factory=Replan)
    stopped: tuple[str, ...] = ()
    """Causes of SupplyStopped."""
    stopped_for_good: bool = False
    leaving: bool = False
    """The station shuts down."""
    paused_id: bytes = b""
    paused_evcc: str = ""
    """A session that its vehicle may resume."""
