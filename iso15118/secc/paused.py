"""A session that waits for its vehicle to come back, in whatever dialect it was."""

from __future__ import annotations

from iso15118.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Paused:
    """A session that may be resumed by the vehicle that paused it ([V2G20-2545], [V2G2-747] [K])."""

    session_id: bytes
    evcc_id: str
    schedule_id: int | None = None
    """SAScheduleTupleID, or ScheduleTupleID, that held: the vehicle goes by it again ([V2G2-741] [K]), so that its host offers one with that id first."""
