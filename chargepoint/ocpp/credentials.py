"""With what a connection to the CSMS is made: what is new is tried first, and given up where it does not work (A02.FR.08 to .10, .28, .29; M05.FR.12 to .14).

A new client chain that the CSMS does not take alternates with the one before, after each round over all network profiles; the one that the connection
comes up with stays, the other one is gone. A new root is trusted alone; where the CSMS's chain does not end at it, the one before it counts once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from certs.store import OwnChain, OwnUse, RootUse, in_use
from chargepoint.commands import Delete, DeleteOwn, DeleteRoot, Log, Persist, Put, RollBack
from chargepoint.events import CertificateStored, CredentialsRenewed, LinkCause, LinkDown, LinkUp, PoweredUp, RootReplaced, SecurityEvent
from chargepoint.ocpp.block import Context
from chargepoint.ocpp.blocks.network import LinkRows
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

STATION: OwnUse = "ChargingStationCertificate"
CSMS: RootUse = "CSMSRootCertificate"
META, FALLBACK = "meta", "fallback_root"
"""Table and key of the root that is kept as long as the new one has not proved itself."""
NAME = "credentials"
REACHED: frozenset[LinkCause] = frozenset({"closed", "tls", "unauthorized", "forbidden", "not_found", "http", "redirect", "protocol"})
"""Somebody was there: our chain may be why there is no connection. A network that is down says nothing about it (ours)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """For one attempt, as OpenLink has it."""

    distrusted: tuple[str, ...] = ()
    own_slot: str = ""


@dataclass(slots=True)
class CredentialsState:
    """What is being tried."""

    attempt: int = 0
    """The last one, and what it is made with: profile, `dialled`, and whether it is the old chain."""
    security_profile: int = 0
    dialled: Choice = Choice()
    with_old: bool = False
    up: bool = False
    fallback_root: str = ""
    trust_fallback: bool = False
    """The next attempt does."""
    show_old: bool = False
    """The next attempts do."""
    failed: int = 0
    """In a row, with the chain that is tried now."""


class CredentialsMachine:
    """Stands before the link machine, which asks it (`choose`) when it dials."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.rows = LinkRows(context.model)
        self.state = CredentialsState()
        self.handlers: Mapping[type, Callable[[Tick, Any], Sequence[object]]] = {
            PoweredUp: self._powered_up,
            RootReplaced: self._replaced,
            LinkUp: self._up,
            LinkDown: self._down,
            CredentialsRenewed: self._renewed,
            CertificateStored: self._stored,
        }

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """One event in, what follows out."""
        handler = self.handlers.get(type(event))
        return handler(now, event) if handler else ()

    def deadline(self) -> float | None:
        return None

    def choose(self, now: Tick, attempt: int, security_profile: int) -> Choice:
        """For the attempt that is made now."""
        state = self.state
        new, old = self._chains(now)
        state.with_old = state.show_old and bool(old)
        distrusted = (state.fallback_root,) if state.fallback_root and not state.trust_fallback else ()
        shown = old[0] if state.with_old else new
        state.attempt, state.security_profile, state.up = attempt, security_profile, False
        state.dialled = Choice(distrusted, shown.slot if shown else "")
        return state.dialled

    def _chains(self, now: Tick) -> tuple[OwnChain | None, Sequence[OwnChain]]:
        """The client chain to be used (A02.FR.09), and the others, where that is one that was adopted."""
        own, utc = self.context.certificates.own, self.context.clock.known_utc(now)
        new = next(iter(in_use(own, STATION, utc)), None)
        chains = [each for each in own if each.use == STATION and each.state != "pending" and each is not new]
        chains.sort(key=lambda each: (not each.configured, each.not_before_utc), reverse=True)
        return new, chains if new and not new.configured else []

    # ---- what happens

    def _powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        fallback = event.stored.get(META, {}).get(FALLBACK)
        self.state.fallback_root = fallback if isinstance(fallback, str) else ""
        return ()

    def _replaced(self, now: Tick, event: RootReplaced) -> Sequence[object]:
        """One that was kept until now is gone with it: there is one to fall back to, and no more (M05.FR.09)."""
        before, self.state.fallback_root, self.state.trust_fallback = self.state.fallback_root, event.fingerprint, False
        gone = [DeleteRoot(f"{NAME}:root", before)] if before and before != event.fingerprint else []
        return [*gone, Persist((Put(META, FALLBACK, event.fingerprint),))]

    def _renewed(self, now: Tick, event: CredentialsRenewed) -> Sequence[object]:
        self.state.failed, self.state.show_old = 0, False
        return ()

    def _stored(self, now: Tick, event: CertificateStored) -> Sequence[object]:
        if not event.error or not event.token.startswith(f"{NAME}:"):
            return ()
        return [Log("error", "credentials.not_discarded", {"what": event.token, "why": event.text or event.error})]

    def _up(self, now: Tick, event: LinkUp) -> Sequence[object]:
        state = self.state
        if event.attempt != state.attempt or state.up:
            return ()
        state.up, state.failed = True, 0
        return [
            *(self._root_proved() if state.security_profile >= 2 else ()),
            *(self._chain_proved(now) if state.security_profile == 3 else ()),
        ]

    def _root_proved(self) -> Sequence[object]:
        state = self.state
        if not state.fallback_root:
            return ()
        if not state.dialled.distrusted:
            state.trust_fallback = False  # the next connection tries the new one again
            return [Log("warning", "root.fell_back", {"why": "the CSMS's certificate is not by the new root"})]
        gone, state.fallback_root = state.fallback_root, ""
        return [DeleteRoot(f"{NAME}:root", gone), Persist((Delete(META, FALLBACK),)), Log("info", "root.replaced")]

    def _chain_proved(self, now: Tick) -> Sequence[object]:
        """The other one of the two is discarded (A02.FR.10); a newer one that the operator has put into the configuration stays."""
        state = self.state
        new, old = self._chains(now)
        if new is None or not old:
            return ()
        state.show_old = False
        if not state.with_old:
            gone = [each for each in old if not each.configured or each.not_before_utc <= new.not_before_utc]
            return [
                *(DeleteOwn(f"{NAME}:own", each.slot) for each in gone),
                *([Log("info", "client_certificate.replaced")] if gone else []),
            ]
        same = old[0].state == "previous" and old[0].kind == new.kind and not old[0].configured
        words = "the CSMS did not take the renewed client certificate; the one before it is in use again"
        return [
            RollBack(f"{NAME}:own", STATION) if same else DeleteOwn(f"{NAME}:own", new.slot),
            SecurityEvent("DiscardedRenewedClientCertificate", words),  # A02.FR.29
            Log("warning", "client_certificate.fell_back", {"why": words}),
        ]

    def _down(self, now: Tick, event: LinkDown) -> Sequence[object]:
        """An attempt has failed; one that was up has proved what it was made with."""
        state = self.state
        if event.attempt != state.attempt or state.up:
            return ()
        if event.cause == "certificate" and state.fallback_root:
            state.trust_fallback = not state.trust_fallback
            return ()
        if event.cause not in REACHED or not self._chains(now)[1]:
            return ()
        state.failed += 1
        if state.failed >= self.rows.attempts() * max(1, len(self.rows.priority())):  # A02.FR.28
            state.failed, state.show_old = 0, not state.show_old
        return ()
