"""The link to the CSMS: which profile is dialled, when, and how often (OCPP 2.1 Part 4 5.4, B10; S-17, F-5, F-8).

Each network profile gets NetworkProfileConnectionAttempts; then the next one in NetworkConfigurationPriority has its turn, and after the
last of them the one that worked last. Between two attempts there is always a wait: RetryBackOffWaitMinimum, doubled with each failure in
a row, and something at random on top. Only what was asked for (another password, a plugged-in network) is done at once, and once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chargepoint.commands import CloseLink, Log, OpenLink, Persist, Put, SetPingInterval
from chargepoint.config import identity_of
from chargepoint.events import (
    CertificatesRead,
    CredentialsRenewed,
    LinkDown,
    LinkSwitched,
    LinkUp,
    PasswordChanged,
    PoweredUp,
    ShutdownRequested,
    TimerExpired,
)
from chargepoint.ocpp import dialects
from chargepoint.ocpp.block import Context
from chargepoint.ocpp.blocks.network import MESSAGE_TIMEOUT, PING_INTERVAL, LinkRows
from chargepoint.ocpp.blocks.security import BASIC_AUTH_PASSWORD, PASSWORD_LENGTHS
from chargepoint.ocpp.credentials import Choice
from chargepoint.ocpp.csms_url import dial_url
from chargepoint.ocpp.device_model import VariableChanged, place_of
from chargepoint.ocpp.link_state import LinkState, Phase
from chargepoint.ocpp.network_slots import NetworkState, dialable
from chargepoint.ocpp.profiles import Profile
from chargepoint.tick import Tick

STEADY_S = 60.0
"""A connection that held so long begins the back-off anew; one that falls at once is one more failure (csms 10: closed every 5 s). Ours."""
META, LAST_GOOD = "meta", "network_slot"
"""Table and key of the slot that worked last: the way back survives a restart."""


class LinkMachine:
    """Writes the link's facts, all but `registration`. `slots` gives what the network block keeps, `choose` with what an attempt is made."""

    def __init__(
        self, context: Context, slots: Callable[[], NetworkState], choose: Callable[[Tick, int, int], Choice] = lambda *_: Choice()
    ) -> None:
        self.context, self.slots, self.choose = context, slots, choose
        self.rows = LinkRows(context.model)
        self.state = LinkState()
        self.handlers: Mapping[type, Callable[[Tick, Any], Iterator[object]]] = {
            PoweredUp: self._powered_up,
            CertificatesRead: self._certificates,
            LinkUp: self._up,
            LinkDown: self._down,
            LinkSwitched: self._switched,
            PasswordChanged: self._password,
            CredentialsRenewed: self._renewed,
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
        self.context.link.offline_since = now.mono
        last_good = event.stored.get(META, {}).get(LAST_GOOD)
        self.state.turns.last_good = last_good if isinstance(last_good, int) else 0
        versions = self.context.config.csms.versions
        if missing := dialects.missing(versions):
            yield Log("info", "link.versions", {"offered": ", ".join(dialects.offer(versions)), "not_implemented": ", ".join(missing)})
        for slot, profile in dialable(self.slots(), self.context).items():
            if why := self._weak(profile):
                yield Log("error", "link.password", {"slot": slot, "why": why})
        yield from self._begin(now)

    def _begin(self, now: Tick) -> Iterator[object]:
        order = self._order()
        if not order or not dialects.offer(self.context.config.csms.versions):
            yield Log("warning", "link.no_csms")
            return
        self.state.turns.begin(order)
        yield from self._dial(now)

    def _certificates(self, now: Tick, event: CertificatesRead) -> Iterator[object]:
        """A certificate of our own that is there now may be what a connection was waiting for."""
        s = self.state
        if s.phase is Phase.OFF and not s.pulled and not s.ending and self._order():
            yield from self._begin(now)

    def _up(self, now: Tick, event: LinkUp) -> Iterator[object]:
        s, link = self.state, self.context.link
        profile = self.slots().profiles.get(s.turns.slot)
        if event.attempt != s.attempt or s.phase is not Phase.DIALLING or profile is None:
            return
        s.phase, s.up_since = Phase.UP, now.mono
        link.connected, link.slot, link.security_profile = True, profile.slot, profile.security_profile
        link.subprotocol, link.offline_since, link.password = event.subprotocol, None, self._password_of(profile)
        link.identity, link.root, link.wildcard = self._identity_of(profile), event.root, event.wildcard
        values = {"slot": profile.slot, "subprotocol": event.subprotocol, "security_profile": profile.security_profile}
        yield Log("info", "link.up", {**values, **({"peer": event.peer} if event.peer else {})})
        if s.turns.last_good != profile.slot:
            yield Persist((Put(META, LAST_GOOD, profile.slot),))
            if profile.message_timeout_s:
                yield from self.context.model.change(place_of(MESSAGE_TIMEOUT), str(profile.message_timeout_s))
        s.turns.connected(self._order())

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
        values = {"cause": event.cause, "why": event.detail, "again_in_s": round(wait_s, 1), "slot": s.turns.slot}
        if not was_up:
            s.turns.failed_once(self._order(), self._usable(), self.rows.attempts())
        s.phase, s.dial_at = Phase.WAITING, now.mono + wait_s
        yield Log("warning", "link.down", {key: value for key, value in values.items() if value != ""})

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
        elif s.turns.slot and not s.ending and s.phase is Phase.OFF:
            s.failures = s.turns.failed = 0
            yield from self._dial(now)

    def _password(self, now: Tick, event: PasswordChanged) -> Iterator[object]:
        """A new password is tried at once; one that came back because the CSMS refused the new one waits its turn (A01, S-17)."""
        s = self.state
        if event.fell_back or s.phase not in (Phase.UP, Phase.DIALLING):
            return
        s.hurry = True
        yield CloseLink(1000, "new credentials")

    def _renewed(self, now: Tick, event: CredentialsRenewed) -> Iterator[object]:
        if self.state.phase in (Phase.UP, Phase.DIALLING):
            self.state.hurry = True
            yield CloseLink(1000, event.what)

    def _variable(self, now: Tick, event: VariableChanged) -> Iterator[object]:
        if event.concerns(PING_INTERVAL) and self.state.phase in (Phase.UP, Phase.DIALLING):
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

    def _usable(self) -> list[int]:
        """Slots that can be dialled."""
        return [slot for slot, profile in dialable(self.slots(), self.context).items() if not self._weak(profile)]

    def _order(self) -> list[int]:
        """Slots that can be dialled, as NetworkConfigurationPriority orders them; all of them where it names none of these."""
        usable = self._usable()
        return [slot for slot in self.rows.priority() if slot in usable] or usable

    def _dial(self, now: Tick) -> Iterator[object]:
        s = self.state
        profile = dialable(self.slots(), self.context).get(s.turns.slot)
        if profile is None:
            s.phase = Phase.OFF
            yield Log("error", "link.no_csms", {"slot": s.turns.slot})
            return
        s.attempt += 1
        s.phase, s.dial_at = Phase.DIALLING, None
        identity, choice = self._identity_of(profile), self.choose(now, s.attempt, profile.security_profile)
        yield OpenLink(
            attempt=s.attempt,
            slot=profile.slot,
            url=dial_url(profile.url, identity),
            identity=identity,
            security_profile=profile.security_profile,
            password=self._password_of(profile),
            subprotocols=dialects.offer(self.context.config.csms.versions),
            ping_interval_s=self.rows.ping_s(),
            distrusted=choice.distrusted,
            own_slot=choice.own_slot,
            wildcards=self.rows.wildcards(),
        )

    def _identity_of(self, profile: Profile) -> str:
        return profile.identity or identity_of(self.context.config)

    def _password_of(self, profile: Profile) -> str:
        if profile.security_profile not in (1, 2):
            return ""
        return profile.password or self.context.model.text(BASIC_AUTH_PASSWORD)

    def _weak(self, profile: Profile) -> str:
        """A station that is known by a short password only is known by nothing (S-17)."""
        if profile.security_profile not in (1, 2) or len(self._password_of(profile)) >= PASSWORD_LENGTHS[0]:
            return ""
        return f"security profile {profile.security_profile} needs a password of at least {PASSWORD_LENGTHS[0]} characters"
