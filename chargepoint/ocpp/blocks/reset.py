"""Reset, and the ordered end of the process (OCPP 2.1 B11, B12, B13; F-18).

A reset of the station ends the transactions, waits until their end is on disk (and a moment, so that it gets out), stores what the next
BootNotification has to say, and only then orders the restart. A reset of one EVSE takes its pilot down and up again, with the
station running on. ImmediateAndResume takes the energy off and leaves transactions open: they go on afterwards (`chargepoint.transaction_resume`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import ClassVar

from chargepoint.commands import Log, Persist, Restart, StopProcess
from chargepoint.events import (
    AuthorisationEnded,
    EvseOutOfService,
    Persisted,
    PersistFailed,
    PowerSwitched,
    ResetInterrupts,
    SecurityEvent,
    ShutdownRequested,
    SupplyStopped,
    TimerExpired,
    TransactionEnded,
    UnlockFinished,
    UnlockWanted,
)
from chargepoint.facts import EvseFacts
from chargepoint.ocpp import boot_reason
from chargepoint.ocpp.block import Block, CallReceived, Context, Reply, answers, hears, refusal
from chargepoint.ocpp.device_model import Mutability, Variable
from chargepoint.ocpp.resumption_rows import RESUMPTION_TIMEOUT
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

REF = "reset:boot_reason"
CAUSE = "reset"
END_S = 15.0
"""A reset does not wait longer for transactions to end; what is left is ended as after a power loss (F-1)."""
SHUTDOWN_END_S = 3.5
"""The same on SIGTERM, where all is over within 5 s (F-18)."""
DELIVERY_S, SHUTDOWN_DELIVERY_S = 2.0, 1.0
"""So long ended transactions get to reach the CSMS before the link goes; they are on disk in any case."""
EVSE_DOWN_S = 3.0
"""How long a reset takes an EVSE out of service: longer than T_step_X1 (IEC 61851-1 A.5.3), so that the EV begins anew."""

RETRY_S = 15.0
"""A restart that was ordered and has not happened by then is ordered again."""

RESET_RETRIES = Variable(
    "OCPPCommCtrlr", "ResetRetries", "integer", "3", "how often a reset that does not happen is tried again",
    mutability=Mutability.READ_WRITE, min=0, max=100, key16="ResetRetries", source="OCPP 2.1 B11",
)  # fmt: skip
ALLOW_RESET = Variable(
    "EVSE", "AllowReset", "boolean", "true", "this EVSE can be reset by itself", per="evse", constant=True, source="OCPP 2.1 B11.FR.10"
)


@dataclass(slots=True)
class Going:
    """The end of the process that has begun. Times are Tick.mono."""

    boot_reason: str
    """What the next BootNotification says."""
    restarts: bool
    """A Reset, or an end for good."""
    give_up_at: float
    ended: bool = False
    """A transaction was ended for it: give its events time to get out."""
    settled_at: float | None = None
    stored: bool = False
    """The reason is with the database; once it is on disk, go."""
    retry_at: float | None = None
    orders: int = 0
    """How often the restart has been ordered."""
    resumes: bool = False
    """Transactions stay open; only the energy goes."""


@dataclass(slots=True)
class ResetState:
    """Resets that wait and that are going on."""

    going: Going | None = None
    scheduled: bool = False
    """The whole station resets when it is idle."""
    scheduled_evses: tuple[int, ...] = ()
    down_until: dict[int, float] = field(default_factory=dict)
    """EVSE that is being reset -> when it comes back."""
    ending: tuple[int, ...] = ()
    """EVSEs that are reset as soon as their transaction has ended."""
    resuming: dict[int, float | None] = field(default_factory=dict)
    """EVSE that is being reset with its transaction open -> when that is over; None: it is still under power."""


class ResetBlock(Block):
    """Answers Reset, and ends the process in order."""

    name: ClassVar[str] = "reset"
    variables: ClassVar[tuple[Variable, ...]] = (ALLOW_RESET, RESET_RETRIES)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: ResetState = ResetState()

    # ---- the CSMS's Reset

    @answers("Reset")
    def reset(self, now: Tick, call: CallReceived) -> Reply:
        kind, evse_id = call.payload["type"], call.payload.get("evseId", 0)
        if self.state.going:
            return refusal("Rejected", "InternalError", "the station is going down already")
        if evse_id and evse_id not in self.context.evses:
            return refusal("Rejected", "UnknownEvse", f"there is no EVSE {evse_id}")
        if evse_id and not self.context.model.flag(ALLOW_RESET, evse_id):
            return refusal("Rejected", "NotEnabled", "this EVSE cannot be reset by itself")
        if kind == "ImmediateAndResume":
            return self._reset_resuming(now, evse_id)
        if not evse_id:
            return self._reset_station(now, immediate=kind == "Immediate")
        return self._reset_evse(now, evse_id, immediate=kind == "Immediate")

    def _reset_station(self, now: Tick, *, immediate: bool) -> Reply:
        if immediate or all(_idle(facts) for facts in self.context.evses.values()):
            return Reply({"status": "Accepted"}, self._go(now, "RemoteReset", END_S, restarts=True))
        self.state.scheduled = True
        return Reply({"status": "Scheduled"}, self._close_idle())

    def _reset_resuming(self, now: Tick, evse_id: int) -> Reply:
        if not self.context.model.integer(RESUMPTION_TIMEOUT):
            return refusal("Rejected", "NotEnabled", "transactions do not outlive a reset: TxCtrlr.ResumptionTimeout is 0")
        if not evse_id:
            return Reply({"status": "Accepted"}, self._go(now, "RemoteReset", END_S, restarts=True, resumes=True))
        if not self.context.evses[evse_id].transaction_id:
            return self._reset_evse(now, evse_id, immediate=True)
        self.state.scheduled_evses = tuple(other for other in self.state.scheduled_evses if other != evse_id)
        self.state.resuming[evse_id] = None
        stop = [ResetInterrupts(evse_id), SupplyStopped(evse_id, True, CAUSE)]
        return Reply({"status": "Accepted"}, [Log("info", "evse.reset", {"evse": evse_id}), *stop, *self._proceed(now)])

    def _reset_evse(self, now: Tick, evse_id: int, *, immediate: bool) -> Reply:
        facts = self.context.evses[evse_id]
        if immediate or _idle(facts):
            return Reply({"status": "Accepted"}, self._take_down(now, evse_id))
        if evse_id not in self.state.scheduled_evses:
            self.state.scheduled_evses = (*self.state.scheduled_evses, evse_id)
        return Reply({"status": "Scheduled"})

    def _close_idle(self) -> list[object]:
        """While a reset waits for idle, nothing new begins (B12.FR.03 [K])."""
        return [EvseOutOfService(facts.evse_id, CAUSE, out=True) for facts in self.context.evses.values() if _idle(facts)]

    # ---- one EVSE

    def _take_down(self, now: Tick, evse_id: int) -> list[object]:
        facts = self.context.evses[evse_id]
        self.state.scheduled_evses = tuple(other for other in self.state.scheduled_evses if other != evse_id)
        self.state.ending = tuple(other for other in self.state.ending if other != evse_id)
        if facts.transaction_id:
            self.state.ending = (*self.state.ending, evse_id)
            return [_ended(facts, "ImmediateReset", at_once=False)]
        self.state.down_until[evse_id] = now.mono + EVSE_DOWN_S
        stop = [_ended(facts, "ImmediateReset", at_once=False)] if facts.id_token else []
        return [Log("info", "evse.reset", {"evse": evse_id}), *stop, EvseOutOfService(evse_id, CAUSE, out=True)]

    # ---- the whole station

    @hears(ShutdownRequested)
    def shutdown(self, now: Tick, event: ShutdownRequested) -> Sequence[object]:
        """SIGTERM: the contactor opens first, transactions end with this reason, the store is complete, all within 5 s."""
        return self._go(now, "LocalReset", SHUTDOWN_END_S, restarts=False, reason=event.reason)

    def _go(
        self, now: Tick, next_reason: str, wait_s: float, *, restarts: bool, reason: str = "ImmediateReset", resumes: bool = False
    ) -> list[object]:
        evses = self.context.evses.values()
        kept = [facts for facts in evses if resumes and facts.transaction_id]
        others = [facts for facts in evses if facts not in kept]
        running = [facts for facts in others if facts.transaction_id or facts.id_token or facts.power_closed]
        ended = any(facts.transaction_id for facts in others)
        self.state.going = Going(next_reason, restarts, now.mono + wait_s, ended=ended, resumes=resumes)
        self.state.scheduled = False
        return [
            *(_ended(facts, reason, at_once=not restarts) for facts in running),
            *(ResetInterrupts(facts.evse_id) for facts in kept),
            *(SupplyStopped(facts.evse_id, True, CAUSE) for facts in kept),
            *(EvseOutOfService(facts.evse_id, CAUSE, out=True) for facts in others),
            SecurityEvent("ResetOrReboot", next_reason),
            Log("info", "station.going", {"boot_reason": next_reason, "transactions": sum(1 for facts in evses if facts.transaction_id)}),
            *self._proceed(now),
        ]

    @hears(TransactionEnded)
    def ended(self, now: Tick, event: TransactionEnded) -> Sequence[object]:
        """One that a reset was to leave open: nobody begins another in its place before the reset is over."""
        out: list[object] = []
        if self.state.going and self.state.going.resumes:
            out = [EvseOutOfService(event.evse_id, CAUSE, out=True)]
        elif event.evse_id in self.state.resuming:
            del self.state.resuming[event.evse_id]
            out = [ResetInterrupts(event.evse_id, over=True), *self._take_down(now, event.evse_id)]
        return [*out, *self._proceed(now)]

    @hears(AuthorisationEnded, PowerSwitched, UnlockFinished, TimerExpired)
    def looked(self, now: Tick, event: object) -> Sequence[object]:
        return self._proceed(now)

    def _proceed(self, now: Tick) -> list[object]:
        return self._go_on(now, self.state.going) if self.state.going else [*self._evses(now), *self._when_idle(now)]

    def _evses(self, now: Tick) -> list[object]:
        out: list[object] = []
        for evse_id in self.state.scheduled_evses:
            if _idle(self.context.evses[evse_id]):
                out += self._take_down(now, evse_id)
        for evse_id in self.state.ending:
            if not self.context.evses[evse_id].transaction_id:
                out += self._take_down(now, evse_id)
        for evse_id, over_at in list(self.state.resuming.items()):
            if over_at is None:
                self.state.resuming[evse_id] = None if self.context.evses[evse_id].power_closed else now.mono + EVSE_DOWN_S
            elif over_at <= now.mono:
                del self.state.resuming[evse_id]
                out.append(ResetInterrupts(evse_id, over=True))
        for evse_id, until in list(self.state.down_until.items()):
            if until <= now.mono:
                del self.state.down_until[evse_id]
                if not self.state.scheduled:
                    out.append(EvseOutOfService(evse_id, CAUSE, out=False))
        return out

    def _when_idle(self, now: Tick) -> list[object]:
        if not self.state.scheduled:
            return []
        if all(_idle(facts) for facts in self.context.evses.values()):
            return self._go(now, "ScheduledReset", END_S, restarts=True)
        return self._close_idle()

    def _go_on(self, now: Tick, going: Going) -> list[object]:
        if going.stored:
            return self._order(now, going) if going.retry_at is not None and going.retry_at <= now.mono else []
        late, released = now.mono >= going.give_up_at, []
        if going.settled_at is None and (late or not self._under_way(going)):
            waits = (going.ended or going.resumes) and self.context.link.online and not late
            delivery_s = DELIVERY_S if going.restarts else SHUTDOWN_DELIVERY_S
            going.settled_at = now.mono + (delivery_s if waits else 0.0)
            released = self._released(going)
        if going.settled_at is None or now.mono < going.settled_at:
            return released
        going.stored = True
        return [*released, Persist((boot_reason.kept(going.boot_reason),), (REF,))]

    def _released(self, going: Going) -> list[object]:
        """Plugs of transactions that stay open are free while the station is away (B13.FR.20)."""
        kept = [facts for facts in self.context.evses.values() if going.resumes and facts.transaction_id]
        return [UnlockWanted(facts.evse_id) for facts in kept if facts.locked]

    def _under_way(self, going: Going) -> bool:
        """What has to be over before the process may end."""
        evses = self.context.evses.values()
        return any(facts.power_closed if going.resumes and facts.transaction_id else facts.transaction_id for facts in evses)

    @hears(Persisted, PersistFailed)
    def stored(self, now: Tick, event: Persisted | PersistFailed) -> Sequence[object]:
        """All that was to be stored before is stored as well; a store that fails must not keep the station from restarting."""
        going = self.state.going
        if going is None or not going.stored or REF not in event.refs:
            return ()
        return self._order(now, going) if going.restarts else (StopProcess(),)

    def _order(self, now: Tick, going: Going) -> list[object]:
        """A restart that does not come about is tried ResetRetries times, and then the station goes on serving (B11)."""
        if going.orders > self.context.model.integer(RESET_RETRIES):
            self.state.going = None
            kept = [evse_id for evse_id, facts in self.context.evses.items() if going.resumes and facts.transaction_id]
            back: list[object] = [ResetInterrupts(evse_id, over=True) for evse_id in kept]
            back += [EvseOutOfService(evse_id, CAUSE, out=False) for evse_id in self.context.evses if evse_id not in kept]
            return [Log("error", "station.reset_failed", {"tries": going.orders}), Persist((boot_reason.FORGOTTEN,)), *back]
        going.orders += 1
        going.retry_at = now.mono + RETRY_S
        return [Restart(going.boot_reason)]

    def deadline(self) -> float | None:
        going = self.state.going
        if going is None:
            waits = (*self.state.down_until.values(), *self.state.resuming.values())
            return min((at for at in waits if at is not None), default=None)
        if going.stored:
            return going.retry_at
        return going.give_up_at if going.settled_at is None else going.settled_at


def _idle(facts: EvseFacts) -> bool:
    """Nothing that a reset would disturb: no transaction, nobody who may begin one, no supply, no plug held fast (errata 2025-06 to B11)."""
    return not facts.transaction_id and not facts.id_token and not facts.power_closed and not facts.locked


def _ended(facts: EvseFacts, reason: str, *, at_once: bool) -> AuthorisationEnded:
    return AuthorisationEnded(facts.evse_id, reason, "ResetCommand", at_once=at_once)
