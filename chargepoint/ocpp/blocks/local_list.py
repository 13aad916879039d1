"""The local authorization list: SendLocalList, GetLocalListVersion, and what it says about a token (OCPP 2.1 block D)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any, ClassVar

from chargepoint import codec
from chargepoint.commands import Delete, Log, Persist, Put
from chargepoint.events import IdToken, ListChecked, Persisted, PersistFailed, PoweredUp, TokenForced, TokenLookup
from chargepoint.ocpp.block import Block, CallReceived, Context, Later, Reply, answers, hears, refusal
from chargepoint.ocpp.device_model import Mutability, Variable
from chargepoint.ocpp.id_tokens import MOST_ADDITIONAL, Entry, entry_of, from_wire, key_of
from chargepoint.ocpp.limits import refuse_oversize, size_of
from chargepoint.ocpp.messages import Answer
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

TABLE = "local_list"
VERSION_KEY = "version"
"""Beside the hashes of the tokens, in the same table, so that list and version are written together."""
MOST_ENTRIES = 10_000
"""What the list holds [K]: maxLimit of LocalAuthListCtrlr.Entries."""
MOST_STORAGE = 5_000_000
"""Bytes that so many entries can take at most, with groups and EVSEs of usual length [K]: maxLimit of LocalAuthListCtrlr.Storage."""
MOST_PER_MESSAGE = 250
LARGEST_MESSAGE = 131_072
"""Bytes of one SendLocalList, as compact JSON [K]."""
WRITTEN = "local_list:written:"
"""Ref of the rows of one SendLocalList."""

LIST_AVAILABLE = Variable("LocalAuthListCtrlr", "Available", "boolean", "true", "there is a list", constant=True, source="OCPP 2.1 D01")
LIST_ENABLED = Variable(
    "LocalAuthListCtrlr", "Enabled", "boolean", "true", "the list is used",
    mutability=Mutability.READ_WRITE, key16="LocalAuthListEnabled", source="OCPP 2.1 D01",
)  # fmt: skip
LIST_NO_POST = Variable(
    "LocalAuthListCtrlr", "DisablePostAuthorize", "boolean", "false", "do not ask the CSMS about a token that the list refuses",
    mutability=Mutability.READ_WRITE, source="OCPP 2.1 C14.FR.03",
)  # fmt: skip
LIST_ENTRIES = Variable(
    "LocalAuthListCtrlr", "Entries", "integer", None, "tokens in the list; maxLimit is what it holds",
    persistent=False, max=MOST_ENTRIES, source="OCPP 2.1 D01",
)  # fmt: skip
LIST_ITEMS = Variable(
    "LocalAuthListCtrlr", "ItemsPerMessage", "integer", str(MOST_PER_MESSAGE), "entries of one SendLocalList",
    constant=True, key16="SendLocalListMaxLength", source="OCPP 2.1 D01.FR.11",
)  # fmt: skip
LIST_BYTES = Variable(
    "LocalAuthListCtrlr", "BytesPerMessage", "integer", str(LARGEST_MESSAGE), "bytes of one SendLocalList",
    constant=True, unit="B", source="OCPP 2.1 D01.FR.11",
)  # fmt: skip
LIST_STORAGE = Variable(
    "LocalAuthListCtrlr", "Storage", "integer", None, "bytes that the list takes; maxLimit is what it may take", unit="B", persistent=False, max=MOST_STORAGE,
    source="OCPP 2.1 D01",
)  # fmt: skip
LIST_EXPIRY = Variable(
    "LocalAuthListCtrlr", "SupportsExpiryDateTime", "boolean", "true", "an entry counts until its cacheExpiryDateTime",
    constant=True, source="OCPP 2.1 C13.FR.05",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A SendLocalList on its way to the disk: what it takes away, what it puts there."""

    message_id: str
    version: int
    whole: bool
    put: dict[str, Entry] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    size_after: int = 0
    """Bytes of the list with it."""


@dataclass(slots=True)
class LocalListState:
    """The list as it is on the disk."""

    version: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)
    size: int = 0
    """Bytes that the entries take. Kept as they change: to count all of them takes longer than a report may hold up the pilot."""
    change: Change | None = None


class LocalListBlock(Block):
    """First to be asked about a token. A new list counts, and is accepted, once it is on the disk: whole or not at all (D01.FR.12)."""

    name: ClassVar[str] = "local_list"
    variables: ClassVar[tuple[Variable, ...]] = (
        LIST_AVAILABLE, LIST_ENABLED, LIST_NO_POST, LIST_ENTRIES, LIST_ITEMS, LIST_BYTES, LIST_STORAGE, LIST_EXPIRY,
    )  # fmt: skip

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: LocalListState = LocalListState()
        context.model.compute(LIST_ENTRIES, lambda _: str(len(self.state.entries)))
        context.model.compute(LIST_STORAGE, lambda _: str(self.state.size))

    @hears(PoweredUp)
    def powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        stored = event.stored.get(TABLE, {})
        version = stored.get(VERSION_KEY, 0)
        try:
            self.state.entries = {key: codec.load(Entry, value, key) for key, value in stored.items() if key != VERSION_KEY}
            self.state.size = _size(self.state.entries)
            self.state.version = version if isinstance(version, int) else 0
        except codec.CodecError as error:
            # Half a list would let in whom the other half shuts out: the CSMS sees version 0 and sends it anew.
            self.state.entries, self.state.size, self.state.version = {}, 0, 0
            return [Log("error", "local_list.unreadable", {"why": str(error)})]
        return []

    @hears(TokenLookup)
    def lookup(self, now: Tick, event: TokenLookup) -> Sequence[object]:
        """An entry that has expired is as good as none, but that its token is not unknown (C13.FR.05, C13.FR.06)."""
        model = self.context.model
        entry = self.state.entries.get(key_of(event.id_token)) if model.flag(LIST_ENABLED) else None
        counts = entry is not None and (entry.until is None or self.context.clock.utc(now) <= entry.until)
        found = entry.known() if entry is not None and counts else None
        final, lapsed = model.flag(LIST_NO_POST), entry is not None and not counts
        return [ListChecked(event.lookup_id, event.id_token, event.purpose, found, final, event.contract, lapsed, event.stops)]

    # ---- the CSMS's side

    @answers("GetLocalListVersion")
    def version(self, now: Tick, call: CallReceived) -> Reply:
        """0: there is none, or it is not enabled (D02.FR.02, D02.FR.03)."""
        return Reply({"versionNumber": self.state.version if self.context.model.flag(LIST_ENABLED) else 0})

    @answers("SendLocalList")
    def send_local_list(self, now: Tick, call: CallReceived) -> Reply | Later:
        payload = call.payload
        items = payload.get("localAuthorizationList", [])
        refuse_oversize(MOST_PER_MESSAGE, LARGEST_MESSAGE, len(items), payload)
        problem = self._problem(payload, items)
        if problem is not None:
            return problem
        change = change_of(call.message_id, payload, items)
        change = replace(change, size_after=self._size_after(change))
        if len(_after(self.state.entries, change)) > MOST_ENTRIES or change.size_after > MOST_STORAGE:
            return refusal("Failed", "OutOfStorage", f"the list holds {MOST_ENTRIES} entries and {MOST_STORAGE} bytes")
        self.state.change = change
        return Later([Persist(self._rows(change), (WRITTEN + call.message_id,))])

    def _problem(self, payload: dict[str, Any], items: list[dict[str, Any]]) -> Reply | None:
        version, full = payload["versionNumber"], payload["updateType"] == "Full"
        if not self.context.model.flag(LIST_ENABLED):
            return refusal("Failed", "NotEnabled", "LocalAuthListCtrlr.Enabled is false")
        if self.state.change is not None:
            return refusal("Failed", "Busy", "another list is being stored")
        if version <= 0:
            return refusal("Failed", "InvalidValue", "versionNumber has to be above 0")
        if not full and version <= self.state.version:
            return refusal("VersionMismatch", "VersionMismatch", f"here is {self.state.version}")
        if full and any("idTokenInfo" not in item for item in items):
            return refusal("Failed", "MissingParam", "a full list needs idTokenInfo in every entry")
        if any(len(item["idToken"].get("additionalInfo", ())) > MOST_ADDITIONAL for item in items):
            return refusal("Failed", "TooManyElements", f"additionalInfo: {MOST_ADDITIONAL} at most")
        keys = [key_of(from_wire(item["idToken"])) for item in items]
        if len(set(keys)) < len(keys):
            return refusal("Failed", "InvalidValue", "a token is there twice")
        return None

    def _rows(self, change: Change) -> tuple[Put | Delete, ...]:
        gone = [key for key in self.state.entries if key not in change.put] if change.whole else change.gone
        return (
            *(Delete(TABLE, key) for key in gone),
            *(Put(TABLE, key, codec.dump(Entry, entry)) for key, entry in change.put.items()),
            Put(TABLE, VERSION_KEY, change.version),
        )

    def _size_after(self, change: Change) -> int:
        if change.whole:
            return _size(change.put)
        entries = self.state.entries
        return self.state.size + _size(change.put) - _size({key: entries[key] for key in {*change.put, *change.gone} & entries.keys()})

    @hears(Persisted, PersistFailed)
    def stored(self, now: Tick, event: Persisted | PersistFailed) -> Sequence[object]:
        change = self.state.change
        if change is None or WRITTEN + change.message_id not in event.refs:
            return ()
        self.state.change = None
        if isinstance(event, PersistFailed):
            failed = refusal("Failed", "OutOfStorage", "it could not be written")
            return [
                Log("error", "local_list.not_stored", {"error": event.error}),
                Answer(change.message_id, "SendLocalList", failed.payload),
            ]
        self.state.size = change.size_after
        self.state.entries, self.state.version = _after(self.state.entries, change), change.version
        log = Log("info", "local_list.stored", {"version": change.version, "entries": len(self.state.entries)})
        return [Answer(change.message_id, "SendLocalList", {"status": "Accepted"}), log]

    @hears(TokenForced)
    def forced(self, now: Tick, event: TokenForced) -> Sequence[object]:
        if event.where != "list":
            return ()
        key, entry = key_of(IdToken(event.token, "ISO14443")), Entry(event.status, event.group)
        self.state.size = self._size_after(Change("", 0, whole=False, put={key: entry}))
        self.state.entries[key] = entry
        self.state.version = self.state.version or 1
        return [Persist((Put(TABLE, key, codec.dump(Entry, entry)), Put(TABLE, VERSION_KEY, self.state.version)))]


def change_of(message_id: str, payload: dict[str, Any], items: list[dict[str, Any]]) -> Change:
    """What a request that may be carried out does: an entry without idTokenInfo goes (D01.FR.16, D01.FR.17)."""
    put = {key_of(from_wire(item["idToken"])): entry_of(item["idTokenInfo"], 0.0) for item in items if "idTokenInfo" in item}
    gone = tuple(key_of(from_wire(item["idToken"])) for item in items if "idTokenInfo" not in item)
    return Change(message_id, payload["versionNumber"], payload["updateType"] == "Full", put, gone)


def _size(entries: Mapping[str, Entry]) -> int:
    return sum(size_of((key, codec.dump(Entry, entry))) for key, entry in entries.items())


def _after(entries: dict[str, Entry], change: Change) -> dict[str, Entry]:
    kept = {} if change.whole else {key: entry for key, entry in entries.items() if key not in change.gone}
    return {**kept, **change.put}
