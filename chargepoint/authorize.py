"""What a token means: who may charge where, who may stop what, and when a permission ends (OCPP 2.1 blocks C and F).

Tokens come from readers, from the CSMS, and as contracts from vehicles. What is known about one is asked by `TokenLookup` and told by `TokenVerdict`; what follows
from that is decided here, when the verdict comes, by what is so then: no order of card, plug, late answer and remote stop is a special
case (S-10, S-11). Free charging is a token as well: `NoAuthorization`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from chargepoint import authorize_contract, authorize_invalid, authorize_kept, authorize_stopped
from chargepoint.authorize_rules import (
    ACCEPTED,
    EMAID,
    LONGEST_TOKEN,
    LONGEST_TYPE,
    MOST_LOOKUPS,
    NO_TOKEN,
    AuthorizeState,
    Grant,
    How,
    Lookup,
    Spot,
    chosen,
    groups_of,
    guessed,
    kept,
    mac_token,
    obstacle,
    parsed,
    said,
    same_group,
    same_token,
    stop_trigger,
    usable,
)
from chargepoint.commands import Indicate, Log
from chargepoint.config import StationConfig
from chargepoint.events import (
    AuthorisationEnded,
    AuthorisationRules,
    Authorised,
    CablePluggedIn,
    ContractPresented,
    EvDisconnected,
    EvseSeen,
    IdToken,
    OperationalChanged,
    PoweredUp,
    RemoteStartRequested,
    RemoteStopRequested,
    RulesWanted,
    SessionChanged,
    SessionStage,
    StopRequested,
    TimerExpired,
    TokenLookup,
    TokenVerdict,
    TransactionEnded,
    TransactionKept,
    TransactionStarted,
    TransactionTokenJudged,
    UnlockWanted,
    VehicleMatched,
)
from chargepoint.facts import EvseFacts
from chargepoint.tick import Tick
from hal.types import MeterSample, MeterSilence, TokenPresented


class AuthorizeMachine:
    """One for the station, since one reader may serve several EVSEs. Writes `id_token` and `owner` of the facts."""

    def __init__(self, config: StationConfig, evses: Mapping[int, EvseFacts]) -> None:
        self.config = config
        self.evses = evses
        self.owners_tokens = parsed(config.local_tokens)
        self.autocharging = {evse.id for evse in config.evses if evse.v2g.slac.autocharge}
        self.tethered = {evse.id for evse in config.evses if evse.connector != "sType2"}
        self.alone = not config.csms.url and not config.network_profiles and not config.local_tokens
        """Nobody could ever be authorised here: charging is free."""
        self.state = AuthorizeState(spots={evse_id: Spot() for evse_id in evses})
        self.handlers: dict[type, Callable[[Tick, Any], list[object]]] = {
            PoweredUp: lambda _now, event: [RulesWanted(), *authorize_stopped.restored(self.state.spots, event.stored)],
            EvseSeen: self._seen,
            AuthorisationRules: self._rules,
            TokenPresented: self._presented,
            ContractPresented: self._contract,
            VehicleMatched: self._matched,
            SessionChanged: self._session,
            TokenVerdict: self._verdict,
            RemoteStartRequested: self._remote_start,
            RemoteStopRequested: lambda _now, event: self.end(event.evse_id, "Remote"),
            StopRequested: self._stop_requested,
            CablePluggedIn: self._plugged_in,
            EvDisconnected: self._unplugged,
            OperationalChanged: self._operational,
            TransactionKept: self._kept,
            TransactionStarted: self._started,
            TransactionEnded: self._transaction_ended,
            AuthorisationEnded: self._ended_by_others,
            TransactionTokenJudged: lambda _now, event: authorize_invalid.judged(self, event),
            MeterSample: lambda _now, event: authorize_invalid.measured(self, event),
            MeterSilence: lambda _now, event: authorize_invalid.unmeasured(self, event),
            TimerExpired: self._timer,
        }

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """One event; what concerns an EVSE that is not there is ignored."""
        handler = self.handlers.get(type(event))
        if handler is None or ((evse_id := getattr(event, "evse_id", 0)) and evse_id not in self.evses):
            return ()
        return handler(now, event)

    def deadline(self) -> float | None:
        """When the first token has waited long enough for its EV."""
        return min((s.grant.plug_by for s in self.state.spots.values() if s.grant and s.grant.plug_by is not None), default=None)

    # ---- a card at a reader

    def _presented(self, now: Tick, event: TokenPresented) -> list[object]:
        id_token = IdToken(event.id_token, event.type)
        at = tuple(e for e in (event.evse_ids or self.evses) if e in self.evses)
        if self.alone or not at:
            return []
        if not 0 < len(id_token.id_token) <= LONGEST_TOKEN or not 0 < len(id_token.type) <= LONGEST_TYPE:
            return [Log("warning", "auth.unreadable_token", {"evses": list(at), "length": len(id_token.id_token)})]
        mine = [e for e in at if (grant := self._grant(e)) and same_token(grant.id_token, id_token)]
        if mine:
            return [each for e in mine for each in self.end(e, "Local", by=id_token)]
        if left := kept(self.evses, self.state.spots, at, id_token):
            return [UnlockWanted(e) for e in left]
        if any(same_token(lookup.id_token, id_token) and lookup.remote_start_id is None for lookup in self.state.lookups.values()):
            return []  # a second swipe while the first one is being looked up changes nothing
        if self._free():  # nobody is asked, and the transaction names it (AuthCtrlr.Enabled)
            target = chosen(self.evses, self.state.spots, at, id_token)
            return self._start(now, target, Grant(id_token, how="none_needed")) if target else []
        plugged = tuple(e for e in at if self.evses[e].plugged)
        lookup = Lookup(id_token, at, plugged, at=(plugged or at)[0])
        if any(same_token(token, id_token) for token in self.owners_tokens):
            return self._decide(now, lookup, Grant(id_token, how="list", owners=True))
        return self._ask(lookup)

    def _ask(self, lookup: Lookup) -> list[object]:
        pays = authorize_contract.already(self.state, lookup) is not None
        startable = pays or any(not obstacle(self.evses[e], lookup.id_token) for e in lookup.evse_ids)
        refused = authorize_contract.refused(lookup, "Invalid")
        if not startable and not self._ongoing():
            return [Log("info", "auth.no_evse", {"evses": list(lookup.evse_ids)}), *refused]
        if len(self.state.lookups) >= MOST_LOOKUPS:
            return [Log("warning", "auth.too_many", {"waiting": len(self.state.lookups)}), *refused]
        self.state.counter += 1
        self.state.lookups[self.state.counter] = lookup
        purpose: Literal["start", "stop"] = "start" if startable else "stop"
        return [TokenLookup(self.state.counter, lookup.id_token, purpose, lookup.contract, groups_of(self.evses, self.state.spots, lookup))]

    def _verdict(self, now: Tick, event: TokenVerdict) -> list[object]:
        lookup = self.state.lookups.pop(event.lookup_id, None)
        if lookup is None:
            return []
        group = event.group or lookup.group
        if event.status != ACCEPTED:
            if (paid := authorize_contract.own(self.state, lookup, event)) is not None:
                return authorize_contract.accepted(paid, lookup)
            lasting = event.status not in authorize_contract.OF_THE_MOMENT
            return self._refuse(lookup, event.status, certificate=event.certificate, lasting=lasting)
        if same_group(group, self.state.rules.master_pass_group):
            return self._refuse(lookup, "Invalid", lasting=True) if lookup.of_vehicle else self._master_pass(lookup)
        if event.evse_ids and not set(event.evse_ids) & set(lookup.evse_ids):
            return self._refuse(lookup, "NotAtThisLocation", lasting=True)
        how: How = event.how if lookup.remote_start_id is None else "remote"
        return self._decide(now, lookup, Grant(lookup.id_token, group, how=how, remote_start_id=lookup.remote_start_id), event.evse_ids)

    def _decide(self, now: Tick, lookup: Lookup, grant: Grant, only: tuple[int, ...] = ()) -> list[object]:
        """An accepted token: it starts where an EV waits; else it stops the one charge of its group; else it waits for an EV."""
        where = [e for e in lookup.evse_ids if not only or e in only]
        target = chosen(self.evses, self.state.spots, where, lookup.id_token)
        if lookup.contract is not None and (target or authorize_contract.already(self.state, lookup)):
            return self._pay_by(now, lookup, grant)
        if lookup.of_vehicle:
            return self._start(now, target, grant) if target else self._refuse(lookup, "Invalid")
        if lookup.remote_start_id is None and not (target and self.evses[target].plugged):
            shared = [e for e in lookup.evse_ids if (other := self._grant(e)) and same_group(other.group, grant.group)]
            if len(shared) == 1:
                return self.end(shared[0], "Local", by=lookup.id_token)
            grant.home = tuple(e for e in where if e != target)
        return self._start(now, target, grant) if target else self._refuse(lookup, "Invalid", told=False)

    def _master_pass(self, lookup: Lookup) -> list[object]:
        """It stops everything that goes on, and never starts anything (C16.FR.02, C16.FR.03, C12.FR.09)."""
        going = self._ongoing() if lookup.remote_start_id is None else ()
        if not going:
            return self._refuse(lookup, "Invalid")
        return [each for e in going for each in self.end(e, "MasterPass", by=lookup.id_token)]

    def _refuse(self, lookup: Lookup, status: str, *, told: bool = True, certificate: str = "", lasting: bool = False) -> list[object]:
        """`told`: the token itself is the matter, not the EVSE, whose own texts say why it cannot be used."""
        refused = authorize_contract.refused(lookup, status, certificate, lasting=lasting)
        if lookup.contract is not None or lookup.remote_start_id is not None:
            return refused
        if lookup.of_vehicle:  # to drivers who know of no such thing it is as if nobody had shown anything
            return [*refused, *(Indicate(e, "auth.present") for e in lookup.evse_ids if not self._grant(e))]
        busy = [self._grant(e) is not None for e in lookup.evse_ids]
        if any(busy) and (all(busy) or not told):
            return [*refused, Indicate(lookup.at, "auth.other_card")]
        return [*refused, *([Indicate(lookup.at, said(status))] if told else [])]

    # ---- a contract that a vehicle shows

    def _contract(self, now: Tick, event: ContractPresented) -> list[object]:
        """A token that only its own EVSE can be started with, and that stops nothing: the vehicle shows it by itself, in every session."""
        evse_id, id_token = event.evse_id, IdToken(event.emaid, EMAID)
        spot, facts = self.state.spots[evse_id], self.evses[evse_id]
        lookup = Lookup(id_token, (evse_id,), (evse_id,), at=evse_id, contract=event.contract, of_vehicle=True)
        stopped, grant = authorize_stopped.counts_no_more(spot, id_token), authorize_contract.already(self.state, lookup)
        if grant is None and (stopped or not facts.plugged or obstacle(facts, id_token) or not 0 < len(event.emaid) <= LONGEST_TOKEN):
            log = Log("info", "auth.contract_not_now", {"evse": evse_id, "stopped": stopped})
            return [log, *self._refuse(lookup, "Invalid", lasting=stopped)]
        if grant is not None and grant.leaf == authorize_contract.certificate_key(event.contract):
            return authorize_contract.accepted(grant, lookup)
        if event.contract.rooted and any(same_token(token, id_token) for token in self.owners_tokens):
            return self._decide(now, lookup, Grant(id_token, how="list", owners=True))
        return self._ask(lookup)

    def _pay_by(self, now: Tick, lookup: Lookup, grant: Grant) -> list[object]:
        """A card that is being looked up was for this start: when its verdict comes it neither starts nor stops anything."""
        if (paid := authorize_contract.already(self.state, lookup)) is not None:
            return authorize_contract.accepted(paid, lookup)
        self.state.bar(lookup.at)
        return [*self._start(now, lookup.at, grant), *authorize_contract.accepted(grant, lookup)]

    def _matched(self, now: Tick, event: VehicleMatched) -> list[object]:
        """Where its MAC address is a token (autocharge, C06): once in a plug-in, and like a contract it stops nothing."""
        evse_id, id_token = event.evse_id, mac_token(event.mac)
        spot, facts = self.state.spots[evse_id], self.evses[evse_id]
        if spot.grant and spot.grant.id_token.type == id_token.type and not same_token(spot.grant.id_token, id_token):
            return self.end(evse_id, "EVDisconnected")  # another vehicle in the place of the one that pays
        shown = spot.shown or authorize_stopped.counts_no_more(spot, id_token)
        if evse_id not in self.autocharging or shown or not facts.plugged or self._free() or obstacle(facts, id_token):
            return []
        spot.shown = True
        lookup = Lookup(id_token, (evse_id,), (evse_id,), at=evse_id, of_vehicle=True)
        if any(same_token(token, id_token) for token in self.owners_tokens):
            return self._decide(now, lookup, Grant(id_token, how="list", owners=True))
        return self._ask(lookup)

    def _session(self, now: Tick, event: SessionChanged) -> list[object]:
        """What a vehicle has shown counts in its session only."""
        if event.stage is not SessionStage.BEGUN:
            self.state.bar(event.evse_id, lambda lookup: lookup.contract is not None)
        return []

    # ---- beginnings

    def _start(self, now: Tick, evse_id: int, grant: Grant) -> list[object]:
        spot, facts = self.state.spots[evse_id], self.evses[evse_id]
        spot.grant, spot.invalid = grant, ""
        facts.id_token = facts.owner = grant.id_token
        out: list[object] = [Authorised(evse_id, grant.id_token, grant.group, grant.how, grant.remote_start_id)]
        if facts.plugged:
            grant.was_plugged = True
            return out
        wait_s = self.state.rules.connection_timeout_s
        grant.plug_by = now.mono + wait_s
        return [*out, Indicate(evse_id, "auth.plug_first", {"minutes": round(wait_s / 60, 1)})]

    def _plugged_in(self, now: Tick, event: CablePluggedIn) -> list[object]:
        evse_id, spot = event.evse_id, self.state.spots[event.evse_id]
        spot.plugged_at = now.mono
        if spot.grant:
            spot.grant.plug_by, spot.grant.was_plugged, spot.grant.home = None, True, ()
            return authorize_invalid.still(self, evse_id)
        return self._moved_here(now, evse_id) or self._welcome(now, evse_id)

    def _moved_here(self, now: Tick, evse_id: int) -> list[object]:
        other = guessed(self.evses, self.state.spots, evse_id)
        grant = self._grant(other) if other else None
        if grant is None:
            return []
        return [*self.end(other, "Other"), *self._start(now, evse_id, replace(grant, plug_by=None, home=()))]

    def _welcome(self, now: Tick, evse_id: int) -> list[object]:
        """An EV without an authorisation: free charging begins, anybody else is asked for a card."""
        facts = self.evses[evse_id]
        if not facts.plugged or self._grant(evse_id) or not usable(facts):
            return []
        if self._free() and not obstacle(facts, NO_TOKEN):
            return self._start(now, evse_id, Grant(NO_TOKEN, how="none_needed"))
        return [Indicate(evse_id, "auth.present")]

    def _remote_start(self, now: Tick, event: RemoteStartRequested) -> list[object]:
        lookup = Lookup(event.id_token, (event.evse_id,), (), event.remote_start_id, event.group, event.evse_id)
        if same_group(event.group, self.state.rules.master_pass_group):
            return self._refuse(lookup, "Invalid")
        if event.authorize:
            if self.evses[event.evse_id].plugged:
                lookup.plugged = (event.evse_id,)
            return self._ask(lookup)
        return self._decide(now, lookup, Grant(event.id_token, event.group, how="remote", remote_start_id=event.remote_start_id))

    # ---- ends

    def end(self, evse_id: int, reason: str, trigger: str = "", *, by: IdToken | None = None) -> list[object]:
        """End what is authorised here, and let nothing that is still being looked up begin here (S-11). `by`: presented for it."""
        spot, facts = self.state.spots[evse_id], self.evses[evse_id]
        noted = authorize_stopped.noted(spot, evse_id, reason)
        spot.grant, spot.invalid, facts.id_token = None, "", None
        self._disown(evse_id)
        self.state.bar(evse_id)
        return [*noted, AuthorisationEnded(evse_id, reason, trigger or stop_trigger(reason), by, at_once=reason == "EmergencyStop")]

    def _disown(self, evse_id: int) -> None:
        facts = self.evses[evse_id]
        if not facts.transaction_id and not self._grant(evse_id):
            facts.owner = None

    def _stop_requested(self, now: Tick, event: StopRequested) -> list[object]:
        if self._grant(event.evse_id) or self.evses[event.evse_id].transaction_id:
            return self.end(event.evse_id, event.reason)
        self.state.bar(event.evse_id)
        return []

    def _unplugged(self, now: Tick, event: EvDisconnected) -> list[object]:
        evse_id, grant = event.evse_id, self._grant(event.evse_id)
        spot = self.state.spots[evse_id]
        out = authorize_stopped.has_left(spot, evse_id)
        spot.shown, spot.left = False, grant.id_token if grant else spot.left
        self.state.bar(evse_id, lambda lookup: evse_id in lookup.plugged)
        if grant is None:
            self._disown(evse_id)
        elif self.state.rules.end_on_unplug or not self.evses[evse_id].transaction_id:
            return [*out, *self.end(evse_id, "EVDisconnected")]
        elif evse_id in self.tethered:
            grant.plug_by = now.mono + self.state.rules.connection_timeout_s
        return out

    def _timer(self, now: Tick, event: TimerExpired) -> list[object]:
        out: list[object] = []
        for evse_id, spot in self.state.spots.items():
            if spot.grant and spot.grant.plug_by is not None and spot.grant.plug_by <= now.mono:
                out += self.end(evse_id, "Timeout")  # also of a cable that was pulled and does not come back (E10.FR.02)
        return out

    def _operational(self, now: Tick, event: OperationalChanged) -> list[object]:
        if event.operative:
            return self._welcome(now, event.evse_id)
        if self._grant(event.evse_id) and not self.evses[event.evse_id].transaction_id:
            return self.end(event.evse_id, "Other")
        self.state.bar(event.evse_id)
        return []

    def _ended_by_others(self, now: Tick, event: AuthorisationEnded) -> list[object]:
        """A reset or a fault ended it; our own words, coming back, change nothing."""
        spot = self.state.spots[event.evse_id]
        spot.grant, spot.invalid, self.evses[event.evse_id].id_token = None, "", None
        self._disown(event.evse_id)
        self.state.bar(event.evse_id)
        return []

    # ---- transactions

    def _kept(self, now: Tick, event: TransactionKept) -> list[object]:
        return authorize_kept.kept(self.state, self.evses[event.evse_id], self.owners_tokens, self.tethered, now, event)

    def _seen(self, now: Tick, event: EvseSeen) -> list[object]:
        authorize_kept.seen(self.state, event.evse_id, now)
        return authorize_stopped.seen(self.state.spots[event.evse_id], self.evses[event.evse_id])

    def _started(self, now: Tick, event: TransactionStarted) -> list[object]:
        meter = self.evses[event.evse_id].meter
        self.state.spots[event.evse_id].started_Wh = meter.energy_import_Wh if meter else None
        return []

    def _transaction_ended(self, now: Tick, event: TransactionEnded) -> list[object]:
        """The authorisation ends with its transaction (OCPP 2.1 C 1.6), and the EVSE belongs to nobody."""
        evse_id = event.evse_id
        out = self.end(evse_id, "Other") if self._grant(evse_id) else []
        self.evses[evse_id].owner, self.state.spots[evse_id].started_Wh = None, None
        return out

    # ---- rules

    def _rules(self, now: Tick, event: AuthorisationRules) -> list[object]:
        was_free = self._free()
        self.state.rules = event
        if was_free or not self._free():
            return []
        return [each for evse_id in self.evses for each in self._welcome(now, evse_id)]

    def _free(self) -> bool:
        return self.alone or not self.state.rules.enabled

    def _grant(self, evse_id: int) -> Grant | None:
        return self.state.spots[evse_id].grant

    def _ongoing(self) -> tuple[int, ...]:
        return tuple(e for e, facts in self.evses.items() if self._grant(e) or facts.transaction_id)
