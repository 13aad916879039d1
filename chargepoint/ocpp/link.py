"""The link to the CSMS: which profile is dialled, when, and how often (OCPP 2.1 Part 4 5.4, B10; S-17, F-5, F-8).

Each network profile gets NetworkProfileConnectionAttempts; then the next one in NetworkConfigurationPriority has its turn, and after the
last of them the one that worked last. Between two attempts there is always a wait: RetryBackOffWaitMinimum, doubled with each failure in
a row, and something at random on top. Only what was asked for (another password, a plugged-in network) is done at once, and once.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chargepoint.commands import CloseLink, Log, OpenLink, SetPingInterval
from chargepoint.config import identity_of
from chargepoint.events import LinkDown, LinkSwitched, LinkUp, PasswordChanged, PoweredUp, ShutdownRequested, TimerExpired
from chargepoint.ocpp import dialects, profiles
from chargepoint.ocpp.block import Context
from chargepoint.ocpp.blocks.network import PING_INTERVAL, LinkRows, NetworkState
from chargepoint.ocpp.blocks.security import BASIC_AUTH_PASSWORD
from chargepoint.ocpp.csms_url import dial_url
from chargepoint.ocpp.device_model import VariableChanged
from chargepoint.ocpp.profiles import Profile
from chargepoint.tick import Tick

STEADY_S = 60.0
"""A connection that held so long begins the back-off anew; one that falls at once is one more failure (csms 10: closed every 5 s). Ours."""


class Phase(enum.Enum):
    """Where the link stands."""

    OFF = "off"
    """Nothing is dialled: no CSMS, the network is pulled, or the end has begun."""
    WAITING = "waiting"
    DIALLING = "dialling"
    UP = "up"


@dataclass(slots=True)
class LinkState:
    """All that the machine remembers. Times are Tick.mono."""

    phase: Phase = Phase.OFF
    attempt: int = 0
    """Of the last OpenLink; an answer to an earlier one is stale."""
    slot: int = 0
    failed_here: int = 0
    """Failed attempts with this slot in a row."""
    failures: int = 0
    """Failures in a row, over all slots: the back-off."""
    dial_at: float | None = None
    up_since: float = 0.0
    last_good: int = 0
    pulled: bool = False
    ending: bool = False
    hurry: bool = False
    """The connection is being closed to be made anew at once."""


class LinkMachine:
    """Writes `connected`, `slot`, `security_profile`, `subprotocol` and `offline_since` of the link's facts."""

    def __init__(self, context: Context, slots: Callable[[], NetworkState]) -> None:
        self.context, self.slots = context, slots
        self.rows = LinkRows(context.model)
        self.state = LinkState()
        self.handlers: Mapping[type, Callable[[Tick, Any], Iterator[object]]] = {
            PoweredUp: self._powered_up,
            LinkUp: self._up,
            LinkDown: self._down,
            LinkSwitched: self._switched,
            PasswordChanged: self._password,
            VariableChanged: self._variable,
            ShutdownRequested: self._shutdown,
            TimerExpired: self._timer,
        }

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """One event in, what follows out."""
        handler = self.handlers.get(type(event))
        return list(handler(now, event)) if handler else ()

    def deadline(self) -> float | None:
        """The next attempt."""
        return self.state.dial_at if self.state.phase is Phase.WAITING else None

    # ---- what happens

    def _powered_up(self, now: Tick, event: PoweredUp) -> Iterator[object]:
        order = self._order()
        if not order:
            yield Log("warning", "link.no_csms")
            return
        self.state.slot = order[0]
        yield from self._dial(now)

    def _up(self, now: Tick, event: LinkUp) -> Iterator[object]:
        s, link = self.state, self.context.link
        if event.attempt != s.attempt or s.phase is not Phase.DIALLING:
            return
        profile = self.slots().profiles[s.slot]
        s.phase, s.up_since, s.failed_here, s.last_good = Phase.UP, now.mono, 0, s.slot
        link.connected, link.slot, link.security_profile = True, s.slot, profile.security_profile
        link.subprotocol, link.offline_since = event.subprotocol, None
        values = {"slot": s.slot, "subprotocol": event.subprotocol, "security_profile": profile.security_profile}
        yield Log("info", "link.up", {**values, **({"peer": event.peer} if event.peer else {})})

    def _down(self, now: Tick, event: LinkDown) -> Iterator[object]:
        s, link = self.state, self.context.link
        if event.attempt != s.attempt:
            return
        was_up, hurry, s.hurry = s.phase is Phase.UP, s.hurry, False
        link.connected, link.subprotocol = False, ""
        link.offline_since = now.mono if link.offline_since is None else link.offline_since
        if s.pulled or s.ending or s.phase is Phase.OFF:
            s.phase = Phase.OFF
            yield Log("info", "link.down", {"cause": event.cause})
            return
        if was_up and now.mono - s.up_since >= STEADY_S:
            s.failures = 0
        if hurry:
            yield from self._dial(now)
            return
        wait_s = self.rows.wait_s(s.failures, self.context.entropy.uniform())
        s.failures += 1
        if not was_up:
            self._failed_attempt()
        s.phase, s.dial_at = Phase.WAITING, now.mono + wait_s
        values = {"cause": event.cause, "why": event.detail, "again_in_s": round(wait_s, 1), "slot": s.slot}
        yield Log("warning", "link.down", {key: value for key, value in values.items() if value != ""})

    def _failed_attempt(self) -> None:
        """The next slot, once this one has had its attempts (B10.FR.03 [K])."""
        s = self.state
        s.failed_here += 1
        if s.failed_here < self.rows.attempts():
            return
        order = self._order()
        s.failed_here = 0
        if s.slot in order[:-1]:
            s.slot = order[order.index(s.slot) + 1]
        elif order:
            s.slot = s.last_good if s.last_good in order else order[0]

    def _switched(self, now: Tick, event: LinkSwitched) -> Iterator[object]:
        """Somebody pulled the network, or put it back."""
        s = self.state
        if event.up is not s.pulled:
            return
        s.pulled = not event.up
        if not event.up:
            if s.phase in (Phase.UP, Phase.DIALLING):
                yield CloseLink(1001, "network switched off")
            else:
                s.phase = Phase.OFF
        elif s.slot and not s.ending and s.phase is Phase.OFF:
            s.failures = s.failed_here = 0
            yield from self._dial(now)

    def _password(self, now: Tick, event: PasswordChanged) -> Iterator[object]:
        """A new password is tried at once; one that came back because the CSMS refused the new one waits its turn (A01, S-17)."""
        s = self.state
        if event.fell_back or s.phase not in (Phase.UP, Phase.DIALLING):
            return
        s.hurry = True
        yield CloseLink(1000, "new credentials")

    def _variable(self, now: Tick, event: VariableChanged) -> Iterator[object]:
        if event.concerns(PING_INTERVAL) and self.state.phase is Phase.UP:
            yield SetPingInterval(self.rows.ping_s())

    def _shutdown(self, now: Tick, event: ShutdownRequested) -> Iterator[object]:
        """The connection stands until the process ends, so that what has just ended gets out; no new one is made."""
        self.state.ending = True
        if self.state.phase is Phase.WAITING:
            self.state.phase = Phase.OFF
        yield from ()

    def _timer(self, now: Tick, event: TimerExpired) -> Iterator[object]:
        s = self.state
        if s.phase is Phase.WAITING and s.dial_at is not None and s.dial_at <= now.mono:
            yield from self._dial(now)

    # ---- dialling

    def _order(self) -> list[int]:
        """Slots that can be dialled, in their order."""
        usable = {slot: profile for slot, profile in self.slots().profiles.items() if not profiles.problem(profile)}
        return [slot for slot in self.rows.priority() if slot in usable] or sorted(usable)

    def _dial(self, now: Tick) -> Iterator[object]:
        s, config = self.state, self.context.config
        s.attempt += 1
        s.phase, s.dial_at = Phase.DIALLING, None
        profile = self.slots().profiles[s.slot]
        offered = dialects.offer(config.csms.versions)
        missing = dialects.missing(config.csms.versions)
        if s.attempt == 1 and missing:
            yield Log("info", "link.versions", {"offered": ", ".join(offered), "not_implemented": ", ".join(missing)})
        identity = profile.identity or identity_of(config)
        yield OpenLink(
            attempt=s.attempt,
            slot=s.slot,
            url=dial_url(profile.url, identity),
            identity=identity,
            security_profile=profile.security_profile,
            password=self._password_of(profile),
            subprotocols=offered,
            ping_interval_s=self.rows.ping_s(),
            message_timeout_s=self.rows.timeout_s(),
            interface="" if profile.interface == "Any" else profile.interface,
        )

    def _password_of(self, profile: Profile) -> str:
        if profile.security_profile not in (1, 2):
            return ""
        return profile.password or self.context.model.text(BASIC_AUTH_PASSWORD)
