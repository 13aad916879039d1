"""Who a token is: local list before cache before CSMS; and the cache itself (OCPP 2.1 block C).

| | online | offline |
|---|---|---|
| list or cache: Accepted | LocalPreAuthorize: taken, else the CSMS is asked | LocalAuthorizeOffline: taken |
| list or cache: anything else | asked again, unless DisablePostAuthorize | refused |
| unknown | asked, unless DisableRemoteAuthorization | OfflineTxForUnknownIdEnabled: taken, but not whose time in the list is over |

A known one that is of the group of what it ends is asked about in no case (E07.FR.01).

A CSMS that does not answer, or answers with an error, leaves what list and cache say; an unknown token is then refused, since nobody
is offline. When the link breaks under the question, the station is offline.

A contract that a vehicle has shown (C07) is a token of type eMAID. Online the CSMS is asked in any case, with what it needs to look its certificates up,
since one may have been revoked; offline list and cache count for one that is right by a root that is known here, if ContractValidationOffline lets them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from typing import Any, ClassVar, Literal

from chargepoint.authorize_contract import certificate_key
from chargepoint.authorize_rules import same_group
from chargepoint.commands import Delete, Log, Persist, Put
from chargepoint.events import (
    AuthorisationRules,
    Contract,
    IdToken,
    KnownToken,
    ListChecked,
    Persisted,
    PersistFailed,
    PoweredUp,
    RulesWanted,
    TokenForced,
    TokenVerdict,
    TransactionTokenJudged,
)
from chargepoint.ocpp import auth_cache, revoked_contracts
from chargepoint.ocpp.authorize_contract import OF_THE_EMAID, certificate_of, counts, kept
from chargepoint.ocpp.block import Block, CallAnswered, CallFailed, CallReceived, Context, Later, Reply, answers, hears
from chargepoint.ocpp.contract_rows import CENTRAL_VALIDATION, OFFLINE_VALIDATION
from chargepoint.ocpp.device_model import DeviceModel, Mutability, Variable, VariableChanged
from chargepoint.ocpp.id_tokens import CSMS_KNOWS, MOST_ADDITIONAL, TYPES, Entry, entry_of, key_of, to_wire
from chargepoint.ocpp.limits import size_of
from chargepoint.ocpp.messages import CONNECTION_LOST, Answer, Call
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

CLEARED = "auth_cache:cleared:"
"""Ref of the rows that a ClearCache takes away."""


def _flag(component: str, name: str, default: str, doc: str, key16: str = "", source: str = "OCPP 2.1 block C") -> Variable:
    return Variable(component, name, "boolean", default, doc, mutability=Mutability.READ_WRITE, key16=key16, source=source)


AUTH_ENABLED = _flag("AuthCtrlr", "Enabled", "true", "whether anybody has to be authorised; if not, whoever plugs in may charge")
LOCAL_PRE_AUTHORIZE = _flag(
    "AuthCtrlr", "LocalPreAuthorize", "true", "online, too, list and cache are enough for a known token", "LocalPreAuthorize", "OCPP 2.1 C12, C14"
)  # fmt: skip
LOCAL_AUTHORIZE_OFFLINE = _flag(
    "AuthCtrlr", "LocalAuthorizeOffline", "true", "offline, list and cache are enough for a known token", "LocalAuthorizeOffline", "OCPP 2.1 C13"
)  # fmt: skip
OFFLINE_UNKNOWN = _flag(
    "AuthCtrlr", "OfflineTxForUnknownIdEnabled", "false", "offline, a token that nobody knows may charge", "AllowOfflineTxForUnknownId", "OCPP 2.1 C15"
)  # fmt: skip
NO_REMOTE_AUTHORIZATION = _flag("AuthCtrlr", "DisableRemoteAuthorization", "false", "never ask the CSMS, go by list and cache alone")
MASTER_PASS = Variable(
    "AuthCtrlr", "MasterPassGroupId", "string", "", "tokens of this group stop every transaction and start none",
    mutability=Mutability.READ_WRITE, max_length=255, source="OCPP 2.1 C16",
)  # fmt: skip
ADDITIONAL_ITEMS = Variable(
    "AuthCtrlr", "AdditionalInfoItemsPerMessage", "integer", str(MOST_ADDITIONAL), "additionalInfo entries of one idToken",
    constant=True, source="OCPP 2.1 part 2, 2.2",
)  # fmt: skip
SUPPORTED_TYPES = Variable(
    "AuthCtrlr", "SupportedIdTokenTypes", "MemberList", ",".join(TYPES), "types of idToken that can be used here",
    values=TYPES, constant=True, source="OCPP 2.1 part 2, 2.2",
)  # fmt: skip
CACHE_AVAILABLE = Variable("AuthCacheCtrlr", "Available", "boolean", "true", "there is a cache", constant=True, source="OCPP 2.1 C10")
CACHE_ENABLED = _flag(
    "AuthCacheCtrlr", "Enabled", "true", "the cache is used and filled", "AuthorizationCacheEnabled", "OCPP 2.1 C10.FR.01"
)
CACHE_LIFETIME = Variable(
    "AuthCacheCtrlr", "LifeTime", "integer", "0", "how long a token stays in the cache after its last use; 0 = until room is needed",
    mutability=Mutability.READ_WRITE, unit="s", min=0, max=315_360_000, source="OCPP 2.1 C10.FR.10",
)  # fmt: skip
CACHE_NO_POST = _flag("AuthCacheCtrlr", "DisablePostAuthorize", "false", "do not ask again about a cached token that was not accepted")
CACHE_POLICY = Variable(
    "AuthCacheCtrlr", "Policy", "OptionList", "LRU", "what goes when the cache is full: what is not accepted, then what was used longest ago",
    values=("LRU", "LFU", "FIFO", "CUSTOM"), constant=True, source="OCPP 2.1 C10",
)  # fmt: skip
CACHE_STORAGE = Variable("AuthCacheCtrlr", "Storage", "integer", None, "bytes that the cache takes", unit="B", persistent=False, source="OCPP 2.1 C10")  # fmt: skip
CONNECTION_TIMEOUT = Variable(
    "TxCtrlr", "EVConnectionTimeOut", "integer", "120", "how long an authorised token waits for the EV to be plugged in",
    mutability=Mutability.READ_WRITE, unit="s", min=1, max=86_400, key16="ConnectionTimeOut", source="OCPP 2.1 C01.FR.26, E03.FR.05",
)  # fmt: skip
STOP_ON_INVALID = _flag(
    "TxCtrlr", "StopTxOnInvalidId", "true", "a token that the CSMS refuses in the middle is deauthorised, not just given no energy",
    "StopTransactionOnInvalidId", "OCPP 2.1 E05",
)  # fmt: skip
MAX_ENERGY_ON_INVALID = Variable(
    "TxCtrlr", "MaxEnergyOnInvalidId", "integer", "0", "energy that a transaction still gets whose token the CSMS refuses, from its beginning",
    mutability=Mutability.READ_WRITE, unit="Wh", min=0, max=1_000_000, key16="MaxEnergyOnInvalidId", source="OCPP 2.1 E05.FR.03",
)  # fmt: skip
END_ON_UNPLUG = _flag(
    "TxCtrlr", "StopTxOnEVSideDisconnect", "true", "the authorisation ends when the EV is unplugged, else it may come back",
    "StopTransactionOnEVSideDisconnect", "OCPP 2.1 E09, E10",
)  # fmt: skip
UNLOCK_ON_UNPLUG = Variable(
    "OCPPCommCtrlr", "UnlockOnEVSideDisconnect", "boolean", "true", "a socket releases the plug that is pulled at the EV; else its driver does",
    mutability=Mutability.READ_WRITE, key16="UnlockConnectorOnEVSideDisconnect", source="OCPP 2.1 E09, E10",
)  # fmt: skip
BEFORE_ACCEPTED = _flag("TxCtrlr", "TxBeforeAcceptedEnabled", "true", "tokens are taken before the CSMS has accepted the station", source="OCPP 2.1 B02, B03 [K]")  # fmt: skip

RULES = (AUTH_ENABLED, MASTER_PASS, CONNECTION_TIMEOUT, STOP_ON_INVALID, MAX_ENERGY_ON_INVALID, END_ON_UNPLUG, UNLOCK_ON_UNPLUG)


@dataclass(frozen=True, slots=True)
class Asked:
    """A token that the CSMS has been asked about, and what was known of it before."""

    id_token: IdToken
    purpose: Literal["start", "stop"]
    how: Literal["list", "cache"] = "list"
    found: KnownToken | None = None
    final: bool = False
    """A refusal that is known is not asked about again (DisablePostAuthorize of the list or of the cache)."""
    contract: Contract | None = None
    lapsed: bool = False
    """It is in the list, and its time there is over."""
    ends: bool = False
    """It is known, and of the group of an authorisation that it ends: nobody is asked about that (E07.FR.01)."""


@dataclass(slots=True)
class AuthorizationState:
    """The cache, and what is under way."""

    cache: dict[str, Entry] = field(default_factory=dict)
    revoked: dict[str, float] = field(default_factory=dict)
    """Contract certificates that the CSMS has called revoked, as `revoked_contracts` has them."""
    asked: dict[int, Asked] = field(default_factory=dict)


class AuthorizationBlock(Block):
    """Says who a token is, and keeps what the CSMS has said about it."""

    name: ClassVar[str] = "authorization"
    variables: ClassVar[tuple[Variable, ...]] = (
        AUTH_ENABLED, LOCAL_PRE_AUTHORIZE, LOCAL_AUTHORIZE_OFFLINE, OFFLINE_UNKNOWN, NO_REMOTE_AUTHORIZATION, MASTER_PASS, ADDITIONAL_ITEMS,
        SUPPORTED_TYPES, CACHE_AVAILABLE, CACHE_ENABLED, CACHE_LIFETIME, CACHE_NO_POST, CACHE_POLICY, CACHE_STORAGE, CONNECTION_TIMEOUT,
        STOP_ON_INVALID, MAX_ENERGY_ON_INVALID, END_ON_UNPLUG, UNLOCK_ON_UNPLUG, BEFORE_ACCEPTED, CENTRAL_VALIDATION, OFFLINE_VALIDATION,
    )  # fmt: skip

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: AuthorizationState = AuthorizationState()
        for evse in context.config.evses:
            if not evse.v2g.interface:
                context.model.undeclare((CENTRAL_VALIDATION, OFFLINE_VALIDATION), evse.id)
        if not any(evse.connector == "sType2" for evse in context.config.evses):
            context.model.fix(UNLOCK_ON_UNPLUG, "false")
        context.model.compute(CACHE_STORAGE, lambda _: str(sum(size_of((key, str(entry))) for key, entry in self.state.cache.items())))

    @hears(PoweredUp)
    def powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        self.state.cache, unreadable = auth_cache.loaded(event.stored.get(auth_cache.TABLE, {}))
        self.state.revoked, gone = revoked_contracts.loaded(event.stored.get(revoked_contracts.TABLE, {}))
        forgotten = [Persist(tuple(gone))] if gone else []
        return [*forgotten, *([Log("warning", "auth.cache_unreadable", {"rows": unreadable})] if unreadable else [])]

    @hears(RulesWanted, VariableChanged)
    def rules(self, now: Tick, event: RulesWanted | VariableChanged) -> Sequence[object]:
        """The rows that the authorize machine goes by."""
        if isinstance(event, VariableChanged) and not any(event.concerns(row) for row in RULES):
            return ()
        return (rules_of(self.context.model),)

    # ---- who is this?

    @hears(ListChecked)
    def listed(self, now: Tick, event: ListChecked) -> Sequence[object]:
        """The list has spoken; now the cache, then the CSMS."""
        cached = None if event.found else self._cached(now, event.id_token)
        model, link = self.context.model, self.context.link
        final = event.final if event.found else model.flag(CACHE_NO_POST)
        found = event.found or cached
        how: Literal["list", "cache"] = "list" if event.found else "cache"
        ends = found is not None and any(same_group(found.group, group) for group in event.stops)
        asked = Asked(event.id_token, event.purpose, how, found, final, event.contract, event.lapsed, ends)
        if not link.online:
            waits = link.registration != "Accepted" and not model.flag(BEFORE_ACCEPTED)
            return [TokenVerdict(event.lookup_id, "")] if waits else self._offline(now, event.lookup_id, asked)
        if asked.contract is not None:
            return self._ask_about(now, event.lookup_id, asked, asked.contract)
        if found and found.status == "Accepted" and (asked.ends or model.flag(LOCAL_PRE_AUTHORIZE)):
            return [*self._used(now, asked), verdict(event.lookup_id, asked.how, found)]
        if (found and found.status != "Accepted" and final) or model.flag(NO_REMOTE_AUTHORIZATION):
            return [verdict(event.lookup_id, asked.how, found or KnownToken("Unknown"))]
        self.state.asked[event.lookup_id] = asked
        return [Call("Authorize", {"idToken": to_wire(event.id_token)}, f"{self.name}:{event.lookup_id}")]

    def _ask_about(self, now: Tick, lookup_id: int, asked: Asked, contract: Contract) -> list[object]:
        """The CSMS is asked, unless it is never to be, or cannot be asked about this one."""
        model = self.context.model
        if model.flag(NO_REMOTE_AUTHORIZATION):
            return self._offline(now, lookup_id, asked)
        shown = certificate_of(contract, central=model.flag(CENTRAL_VALIDATION, contract.evse_id))
        if shown is None:
            return [TokenVerdict(lookup_id, "Invalid", certificate="CertChainError")]
        self.state.asked[lookup_id] = asked
        return [Call("Authorize", {"idToken": to_wire(asked.id_token), **shown}, f"{self.name}:{lookup_id}")]

    def _offline(self, now: Tick, lookup_id: int, asked: Asked) -> list[object]:
        model, found, contract = self.context.model, asked.found, asked.contract
        if contract is not None and not (contract.rooted and model.flag(OFFLINE_VALIDATION, contract.evse_id)):
            return [TokenVerdict(lookup_id, "")]
        if contract is not None and certificate_key(contract) in self.state.revoked:
            return [TokenVerdict(lookup_id, "Invalid", certificate=revoked_contracts.REVOKED)]
        if contract is not None and (refused := self._row(now, certificate_key(contract))) is not None:
            return [TokenVerdict(lookup_id, "Invalid", certificate=refused.status)]
        if found and found.status == "Accepted" and not asked.ends and not model.flag(LOCAL_AUTHORIZE_OFFLINE):
            return [TokenVerdict(lookup_id, "")]
        if found:
            return [*self._used(now, asked), verdict(lookup_id, asked.how, found)]
        if asked.purpose == "start" and not asked.lapsed and model.flag(OFFLINE_UNKNOWN):
            return [TokenVerdict(lookup_id, "Accepted", how="offline_unknown")]
        return [TokenVerdict(lookup_id, "")]

    @hears(CallAnswered)
    def call_answered(self, now: Tick, event: CallAnswered) -> Sequence[object]:
        """IdTokenInfo counts, and of a contract certificateStatus as well; a tariff and the rest are for others."""
        lookup_id = self._lookup_of(event.token)
        asked = self.state.asked.pop(lookup_id, None)
        if asked is None:
            return ()
        said, contract = entry_of(event.payload["idTokenInfo"], self.context.clock.utc(now)), asked.contract
        if contract is None:
            return [*self._keep(asked.id_token, said), verdict(lookup_id, "online", said.known())]
        said_of_it = str(event.payload.get("certificateStatus", ""))
        blocked = not said_of_it and certificate_key(contract) in self.state.revoked
        certificate = revoked_contracts.REVOKED if blocked else said_of_it  # which it stays until it is accepted, not until nothing is said
        entry = counts(said, certificate, rooted=contract.rooted)
        told = replace(verdict(lookup_id, "online", entry.known()), certificate=certificate)
        unjudged = not certificate and entry.status != said.status
        log: list[object] = [Log("warning", "auth.contract_not_judged", {"evse": contract.evse_id})] if unjudged else []
        rows = revoked_contracts.told(self.state.revoked, contract, said_of_it, self.context.clock.utc(now))
        log += [Persist(tuple(rows))] if rows else []
        return [*log, *self._keep_contract(asked.id_token, kept(contract, entry, certificate)), told]

    @hears(CallFailed)
    def failed(self, now: Tick, event: CallFailed) -> Sequence[object]:
        lookup_id = self._lookup_of(event.token)
        asked = self.state.asked.pop(lookup_id, None)
        if asked is None:
            return ()
        log = Log("warning", "auth.not_answered", {"code": event.code, "why": event.description})
        if event.code != CONNECTION_LOST and asked.found is None:
            return [log, TokenVerdict(lookup_id, "")]
        return [log, *self._offline(now, lookup_id, asked)]

    def _lookup_of(self, token: str) -> int:
        owner, _, number = token.partition(":")
        return int(number) if owner == self.name and number.isdecimal() else 0

    # ---- the cache

    def _cached(self, now: Tick, id_token: IdToken) -> KnownToken | None:
        entry = self._row(now, key_of(id_token))
        return entry.known() if entry is not None else None

    def _row(self, now: Tick, key: str) -> Entry | None:
        entry = self.state.cache.get(key) if self.context.model.flag(CACHE_ENABLED) else None
        return None if entry is None or auth_cache.lapsed(entry, self.context.clock.utc(now), self._lifetime_s()) else entry

    def _used(self, now: Tick, asked: Asked) -> Sequence[object]:
        """Its lifetime begins anew."""
        entry = self.state.cache.get(key_of(asked.id_token))
        if asked.how != "cache" or entry is None:
            return ()
        return self._keep(asked.id_token, replace(entry, used=self.context.clock.utc(now)))

    def _keep(self, id_token: IdToken, entry: Entry) -> Sequence[object]:
        """What the CSMS says is kept, whatever it says (C10.FR.01, C10.FR.05); tokens of the CSMS's own making are not (C05)."""
        if not self.context.model.flag(CACHE_ENABLED) or id_token.type in CSMS_KNOWS:
            return ()
        rows = auth_cache.put(self.state.cache, key_of(id_token), entry, self._lifetime_s())
        return (Persist(rows),) if rows else ()

    def _keep_contract(self, id_token: IdToken, found: dict[str, Entry | None]) -> Sequence[object]:
        """Of the token, and of the certificate that was shown."""
        if not self.context.model.flag(CACHE_ENABLED):
            return ()
        rows: list[Put | Delete] = []
        for name, entry in found.items():
            key = key_of(id_token) if name == OF_THE_EMAID else name
            rows += (
                auth_cache.drop(self.state.cache, key)
                if entry is None
                else auth_cache.put(self.state.cache, key, entry, self._lifetime_s())
            )
        return (Persist(tuple(rows)),) if rows else ()

    def _lifetime_s(self) -> float:
        return float(self.context.model.integer(CACHE_LIFETIME))

    @hears(TransactionTokenJudged)
    def judged(self, now: Tick, event: TransactionTokenJudged) -> Sequence[object]:
        """A TransactionEventResponse says it as well (C12.FR.06)."""
        return self._keep(event.id_token, entry_of(event.info, self.context.clock.utc(now)))

    @hears(TokenForced)
    def forced(self, now: Tick, event: TokenForced) -> Sequence[object]:
        if event.where != "cache":
            return ()
        return self._keep(IdToken(event.token, "ISO14443"), Entry(event.status, event.group, used=self.context.clock.utc(now)))

    @answers("ClearCache")
    def clear_cache(self, now: Tick, call: CallReceived) -> Reply | Later:
        """Answered when it is gone from the disk, too (C11.FR.02 to .04)."""
        if not self.context.model.flag(CACHE_ENABLED):
            return Reply({"status": "Rejected", "statusInfo": {"reasonCode": "NotEnabled"}})
        rows = tuple(row for key in list(self.state.cache) for row in auth_cache.drop(self.state.cache, key))
        return Later([Persist(rows, (CLEARED + call.message_id,))]) if rows else Reply({"status": "Accepted"})

    @hears(Persisted, PersistFailed)
    def stored(self, now: Tick, event: Persisted | PersistFailed) -> Sequence[object]:
        status = {"status": "Accepted" if isinstance(event, Persisted) else "Rejected"}
        ids = [ref.removeprefix(CLEARED) for ref in event.refs if ref.startswith(CLEARED)]
        return [Answer(message_id, "ClearCache", dict(status)) for message_id in ids]


def verdict(lookup_id: int, how: Any, found: KnownToken) -> TokenVerdict:
    """What is known, as the authorize machine hears it."""
    return TokenVerdict(lookup_id, found.status, found.group, how, found.evse_ids)


def rules_of(model: DeviceModel) -> AuthorisationRules:
    """The rows as they stand."""
    return AuthorisationRules(
        enabled=model.flag(AUTH_ENABLED),
        connection_timeout_s=float(model.integer(CONNECTION_TIMEOUT)),
        master_pass_group=model.text(MASTER_PASS),
        stop_on_invalid=model.flag(STOP_ON_INVALID),
        max_energy_on_invalid_Wh=float(model.integer(MAX_ENERGY_ON_INVALID)),
        end_on_unplug=model.flag(END_ON_UNPLUG),
        unlock_on_unplug=model.flag(UNLOCK_ON_UNPLUG),
    )
