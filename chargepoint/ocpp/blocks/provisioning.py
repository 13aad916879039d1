"""BootNotification, Heartbeat and the clock (OCPP 2.1 B01 to B04, G02; F-3, F-17).

Registered means: accepted over this network profile since the process began. A mere reconnect does not boot again; another
profile does (B10.FR.10), and so does a CSMS that answers a Heartbeat with SecurityError because it has forgotten us.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from chargepoint.clock import board_is_set
from chargepoint.commands import Log, Persist
from chargepoint.events import LinkDown, LinkUp, MessageTriggered, PoweredUp, RegistrationChanged, SecurityEvent, TimerExpired, TimeSet
from chargepoint.ocpp.block import Block, CallAnswered, CallFailed, Context, hears
from chargepoint.ocpp.boot_reason import used
from chargepoint.ocpp.device_model import Mutability, Variable, VariableChanged, place_of
from chargepoint.ocpp.messages import CONNECTION_LOST, Call
from chargepoint.ocpp.wire import format_timestamp, parse_timestamp
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

BOOT = "provisioning:boot"
HEARTBEAT = "provisioning:heartbeat"
TRIGGERED_HEARTBEAT = "provisioning:triggered"
RETRY_S = 60.0
"""Between two BootNotifications where the CSMS leaves the choice to us (interval 0: B02.FR.08, B03.FR.06)."""
LONGEST_INTERVAL_S = 86_400
"""Longest interval that is taken from a BootNotificationResponse."""
FAILED_FIRST_S, FAILED_LAST_S = 10.0, 600.0
"""Wait after a BootNotification that got a CALLERROR or nothing: doubled each time up to the last, and up to a quarter more at random."""

HEARTBEAT_INTERVAL = Variable(
    "OCPPCommCtrlr", "HeartbeatInterval", "integer", "300", "time between two Heartbeats; set by each accepted BootNotification",
    mutability=Mutability.READ_WRITE, unit="s", min=1, max=LONGEST_INTERVAL_S, key16="HeartbeatInterval", source="OCPP 2.1 B01.FR.04, G02",
)  # fmt: skip
DATE_TIME = Variable(
    "ClockCtrlr", "DateTime", "dateTime", None, "the time as the station has it", persistent=False, source="OCPP 2.1 Part 2, ClockCtrlr"
)
TIME_SOURCE = Variable(
    "ClockCtrlr", "TimeSource", "SequenceList", "Heartbeat",
    "where the time comes from, the best first: Heartbeat, what the CSMS says; RealTimeClock, the board's clock where somebody has set it",
    mutability=Mutability.READ_WRITE, values=("Heartbeat", "RealTimeClock"), max_elements=2, source="OCPP 2.1 Part 2, ClockCtrlr; B01.FR.06",
)  # fmt: skip
TIME_REPORTING = Variable(
    "ClockCtrlr", "TimeAdjustmentReportingThreshold", "integer", "20", "the clock moved by more than this: security event SettingSystemTime",
    mutability=Mutability.READ_WRITE, unit="s", min=0, max=86_400, source="OCPP 2.1 Part 2, ClockCtrlr; F-3",
)  # fmt: skip
VENDOR_NAME = Variable(
    "ChargingStation",
    "VendorName",
    "string",
    None,
    "who made the station",
    constant=True,
    max_length=50,
    source="BootNotification.vendorName",
)
MODEL = Variable("ChargingStation", "Model", "string", None, "its model", constant=True, max_length=20, source="BootNotification.model")
SERIAL_NUMBER = Variable(
    "ChargingStation",
    "SerialNumber",
    "string",
    None,
    "its serial number",
    constant=True,
    max_length=25,
    source="BootNotification.serialNumber",
)
FIRMWARE_VERSION = Variable(
    "ChargingStation",
    "FirmwareVersion",
    "string",
    None,
    "version of this software",
    max_length=50,
    source="BootNotification.firmwareVersion",
)


@dataclass(slots=True)
class BootState:
    """Where registration stands. Times are Tick.mono."""

    reason: str = "PowerUp"
    powered_up: float = 0.0
    jitter_over: float | None = None
    """Nothing is sent before (F-17); None until it was drawn."""
    boot_at: float | None = None
    """When to send BootNotification, once there is a link; None when there is no need."""
    asking: bool = False
    """A BootNotification is under way."""
    failures: int = 0
    accepted_on: tuple[int, int] | None = None
    """Network profile slot and security profile of the link on which we were accepted."""
    heartbeat_at: float | None = None
    beating: bool = False


class ProvisioningBlock(Block):
    """Keeps the station registered, its heart beating and its clock right."""

    name: ClassVar[str] = "provisioning"
    variables: ClassVar[tuple[Variable, ...]] = (
        HEARTBEAT_INTERVAL, DATE_TIME, TIME_SOURCE, TIME_REPORTING, VENDOR_NAME, MODEL, SERIAL_NUMBER, FIRMWARE_VERSION,
    )  # fmt: skip

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: BootState = BootState(boot_at=0.0)
        model, config = context.model, context.config
        model.compute(DATE_TIME, lambda now: format_timestamp(context.clock.utc(now)))
        for row, value in ((VENDOR_NAME, config.vendor), (MODEL, config.model), (SERIAL_NUMBER, config.serial)):
            model.put(row, value)

    # ---- beginnings and ends of a connection

    @hears(PoweredUp)
    def powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        self.state.powered_up = now.mono
        self.state.reason = event.reason
        self.context.model.put(FIRMWARE_VERSION, event.firmware_version[:50])
        return (Persist(spent),) if (spent := used(event)) else ()

    @hears(LinkUp)
    def link_up(self, now: Tick, event: LinkUp) -> Sequence[object]:
        state = self.state
        if state.jitter_over is None:
            state.jitter_over = state.powered_up + self.context.config.timings.boot_jitter_s * self.context.entropy.uniform()
        state.asking = state.beating = False
        if self._registered_here():
            state.heartbeat_at = now.mono + self._interval() if state.heartbeat_at is None else state.heartbeat_at
            return self._due(now)
        if state.accepted_on:
            state.accepted_on, self.context.link.registration = None, ""
        state.boot_at = max(state.boot_at or 0.0, state.jitter_over)
        return self._due(now)

    @hears(LinkDown)
    def link_down(self, now: Tick, event: LinkDown) -> Sequence[object]:
        self.state.asking = self.state.beating = False
        return ()

    def _registered_here(self) -> bool:
        link = self.context.link
        return self.state.accepted_on == (link.slot, link.security_profile)

    # ---- what is due

    def deadline(self) -> float | None:
        if not self.context.link.connected:
            return None
        state = self.state
        boot = None if state.asking else state.boot_at
        heartbeat = None if state.beating or state.asking or state.accepted_on is None else state.heartbeat_at
        return min((at for at in (boot, heartbeat) if at is not None), default=None)

    @hears(TimerExpired)
    def timer(self, now: Tick, event: TimerExpired) -> Sequence[object]:
        return self._due(now)

    def _due(self, now: Tick) -> Sequence[object]:
        at = self.deadline()
        if at is None or at > now.mono:
            return ()
        state = self.state
        if state.boot_at is not None:
            state.asking = True
            return (Call("BootNotification", self.boot_notification(), BOOT, urgent=True),)
        state.beating = True
        state.heartbeat_at = now.mono + self._interval()
        return (Call("Heartbeat", {}, HEARTBEAT),)

    @hears(MessageTriggered)
    def triggered(self, now: Tick, event: MessageTriggered) -> Sequence[object]:
        """The CSMS wants it now (F06); while Pending this is how it ends the wait (B02.FR.04 [K])."""
        if event.requested == "Heartbeat":
            return (Call("Heartbeat", {}, TRIGGERED_HEARTBEAT),)
        if event.requested != "BootNotification" or self.state.asking:
            return ()
        self.state.asking = True
        return (Call("BootNotification", self.boot_notification("Triggered"), BOOT, urgent=True),)

    def boot_notification(self, reason: str = "") -> dict[str, Any]:
        """The request's payload; `reason` where it is not the one of this start (Triggered)."""
        model = self.context.model
        station = {"vendorName": model.text(VENDOR_NAME), "model": model.text(MODEL)}
        optional = {"serialNumber": model.text(SERIAL_NUMBER), "firmwareVersion": model.text(FIRMWARE_VERSION)}
        return {
            "reason": reason or self.state.reason,
            "chargingStation": {**station, **{key: value for key, value in optional.items() if value}},
        }

    def _interval(self) -> float:
        return max(1.0, self.context.model.integer(HEARTBEAT_INTERVAL))

    # ---- the answers

    @hears(CallAnswered)
    def call_answered(self, now: Tick, event: CallAnswered) -> Sequence[object]:
        if event.token in (HEARTBEAT, TRIGGERED_HEARTBEAT):
            self.state.beating = self.state.beating and event.token != HEARTBEAT
            return self._set_clock(now, event.payload["currentTime"])
        if event.token == BOOT:
            return self._boot_answered(now, event.payload)
        return ()

    def _boot_answered(self, now: Tick, payload: dict[str, Any]) -> Sequence[object]:
        state, link, status = self.state, self.context.link, payload["status"]
        state.asking, state.failures = False, 0
        interval = min(max(0, payload["interval"]), LONGEST_INTERVAL_S)
        link.registration = status
        log = Log("info" if status == "Accepted" else "warning", "boot.answered", {"status": status, "interval_s": interval})
        out: list[object] = [log, *self._set_clock(now, payload["currentTime"])]
        if status == "Accepted":
            state.boot_at = None
            state.accepted_on = (link.slot, link.security_profile)
            if interval:
                out += self.context.model.change(place_of(HEARTBEAT_INTERVAL), str(interval))
            state.heartbeat_at = now.mono + self._interval()
        else:
            state.accepted_on = None
            state.boot_at = now.mono + (interval or RETRY_S)
        return [*out, RegistrationChanged(status)]

    @hears(CallFailed)
    def failed(self, now: Tick, event: CallFailed) -> Sequence[object]:
        if event.token == HEARTBEAT:
            self.state.beating = False
            return self._forgotten(now) if event.code == "SecurityError" else ()
        if event.token != BOOT:
            return ()
        if event.code == CONNECTION_LOST:
            return ()  # the next LinkUp asks anew
        self.state.asking = False
        wait_s = min(FAILED_FIRST_S * 2 ** min(self.state.failures, 16), FAILED_LAST_S) * (1 + self.context.entropy.uniform() / 4)
        self.state.failures += 1
        self.state.boot_at = now.mono + wait_s
        return (Log("warning", "boot.failed", {"code": event.code, "why": event.description, "next_in_s": round(wait_s)}),)

    def _forgotten(self, now: Tick) -> Sequence[object]:
        """A CSMS that lost our registration wants a BootNotification before anything else (B01.FR.10 [K])."""
        self.context.link.registration = ""
        self.state.accepted_on, self.state.boot_at = None, now.mono
        return (Log("warning", "boot.forgotten"), *self._due(now))

    # ---- the clock

    def _set_clock(self, now: Tick, text: str) -> Sequence[object]:
        if not self._by_csms(now):
            return self._moved(self.context.clock.follow_board(now))
        try:
            utc = parse_timestamp(text)
        except ValueError as error:
            return (Log("warning", "clock.unreadable", {"why": str(error)}),)
        return self._moved(self.context.clock.set(now, utc))

    def _by_csms(self, now: Tick) -> bool:
        """Whether the CSMS's time counts (B01.FR.06): it is the best source, or the only one that there is."""
        sources = self.context.model.members(TIME_SOURCE)
        return sources[:1] != ("RealTimeClock",) or ("Heartbeat" in sources and not board_is_set(now))

    def _moved(self, changed_s: float) -> Sequence[object]:
        if not changed_s:
            return ()
        out: list[object] = [TimeSet(self.context.clock.offset_s, changed_s), Log("info", "clock.set", {"changed_s": round(changed_s, 3)})]
        if abs(changed_s) > self.context.model.integer(TIME_REPORTING):
            out.append(SecurityEvent("SettingSystemTime", f"changed by {changed_s:.0f} s"))
        return out

    @hears(VariableChanged)
    def variable_changed(self, now: Tick, event: VariableChanged) -> Sequence[object]:
        if event.concerns(HEARTBEAT_INTERVAL) and self.state.accepted_on:
            self.state.heartbeat_at = now.mono + self._interval()
        if event.concerns(TIME_SOURCE) and not self._by_csms(now):
            return self._moved(self.context.clock.follow_board(now))
        return ()
