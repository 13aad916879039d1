"""Energy out of the controller's two counters: one of the session, which begins anew, and one of all sessions that ended."""

from __future__ import annotations

from hal.errors import MeterFault

Ws_PER_Wh = 3600.0
PLAUSIBLE_V = 280.0
SLACK_Wh = 5.0


class Register:
    """A register that never goes back (S-12), over sessions and restarts of the controller; what flowed unseen before those is not counted.

    >>> register = Register(max_current_A=32.0)
    >>> register.begin(0.0, session_Ws=7200, total_Wh=1000, in_session=True)
    >>> register.take(1.0, session_Ws=10800)
    1003.0
    >>> register.session_may_restart = True
    >>> register.take(2.0, session_Ws=3600)
    1004.0
    """

    def __init__(self, max_current_A: float) -> None:
        self.max_power_W = max_current_A * 1.25 * PLAUSIBLE_V
        self.energy_Wh: float | None = None
        self.session_may_restart = False
        """An EV came or went, or the controller restarted: the session's counter may begin at 0."""
        self._session_Ws = 0
        self._at_s = 0.0

    def begin(self, now_s: float, session_Ws: int, total_Wh: int, *, in_session: bool) -> None:
        """The first reading after a start-up. The total gets a session at its end only, so a running one is added."""
        if min(session_Ws, total_Wh) < 0:
            raise MeterFault(f"negative counters: {session_Ws} Ws, {total_Wh} Wh")
        if self.energy_Wh is not None:
            self.session_may_restart = True
            self.take(now_s, session_Ws)
            return
        self.energy_Wh = total_Wh + (session_Ws / Ws_PER_Wh if in_session else 0.0)
        self._session_Ws, self._at_s = session_Ws, now_s

    def take(self, now_s: float, session_Ws: int) -> float:
        """The register in Wh. Raises MeterFault when the counter went back, or by more than can have flowed; nothing is counted then."""
        if self.energy_Wh is None:
            raise MeterFault("no reading yet")
        step_Ws = session_Ws - self._session_Ws
        if step_Ws < 0 and self.session_may_restart:
            step_Ws = session_Ws
        if step_Ws < 0:
            raise MeterFault(f"the session's counter went back from {self._session_Ws} to {session_Ws} Ws")
        if step_Ws > self.max_power_W * (now_s - self._at_s) + SLACK_Wh * Ws_PER_Wh:
            raise MeterFault(f"the session's counter jumped from {self._session_Ws} to {session_Ws} Ws")
        self.energy_Wh += step_Ws / Ws_PER_Wh
        self._session_Ws, self._at_s, self.session_may_restart = session_Ws, now_s, False
        return self.energy_Wh
