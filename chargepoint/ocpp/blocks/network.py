"""Network profiles and the rows about the connection (OCPP 2.1 B09, B10, A05): what the link machine dials, and how often.

A profile in use, or one that NetworkConfigurationPriority names, is not overwritten: the way back would be gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from chargepoint.commands import Delete, Log, Persist, Put
from chargepoint.events import Persisted, PersistFailed, PoweredUp, RegistrationChanged
from chargepoint.ocpp import device_model, profiles
from chargepoint.ocpp.block import Block, CallReceived, Context, Later, Reply, answers, hears
from chargepoint.ocpp.device_model import BadValue, DeviceModel, Limits, Mutability, Variable, VariableChanged, place_of
from chargepoint.ocpp.messages import Answer
from chargepoint.ocpp.profiles import LONGEST_TIMEOUT_S, MOST_SLOTS, TABLE, Profile
from chargepoint.tick import Tick

RW = Mutability.READ_WRITE

ACTIVE_PROFILE = Variable(
    "OCPPCommCtrlr", "ActiveNetworkProfile", "integer", None, "slot of the network profile that the connection stands on",
    persistent=False, source="OCPP 2.1 B10",
)  # fmt: skip
PRIORITY = Variable(
    "OCPPCommCtrlr", "NetworkConfigurationPriority", "SequenceList", "1", "slots of network profiles, the first one tried first; counts from the next start on",
    mutability=RW, values=tuple(str(slot) for slot in range(1, MOST_SLOTS + 1)), reboot_required=True, source="OCPP 2.1 B10",
)  # fmt: skip
ATTEMPTS = Variable(
    "OCPPCommCtrlr", "NetworkProfileConnectionAttempts", "integer", "3", "attempts with one network profile before the next one is tried",
    mutability=RW, min=1, max=100, source="OCPP 2.1 B10",
)  # fmt: skip
BACKOFF_MINIMUM = Variable(
    "OCPPCommCtrlr", "RetryBackOffWaitMinimum", "integer", "5", "wait before the first new attempt",
    mutability=RW, unit="s", min=1, max=3600, source="OCPP 2.1 Part 4 5.4",
)  # fmt: skip
BACKOFF_REPEAT = Variable(
    "OCPPCommCtrlr", "RetryBackOffRepeatTimes", "integer", "5", "how often the wait is doubled",
    mutability=RW, min=0, max=16, source="OCPP 2.1 Part 4 5.4",
)  # fmt: skip
BACKOFF_RANDOM = Variable(
    "OCPPCommCtrlr", "RetryBackOffRandomRange", "integer", "5", "at random so much longer at the most",
    mutability=RW, unit="s", min=0, max=3600, source="OCPP 2.1 Part 4 5.4",
)  # fmt: skip
PING_INTERVAL = Variable(
    "OCPPCommCtrlr", "WebSocketPingInterval", "integer", "30", "time between two pings of the websocket; 0 = none",
    mutability=RW, unit="s", min=0, max=86_400, key16="WebSocketPingInterval", source="OCPP 2.1 Part 4 5.3",
)  # fmt: skip
MESSAGE_TIMEOUT = Variable(
    "OCPPCommCtrlr", "MessageTimeout", "integer", "30", "how long the answer to a call may take", instance="Default",
    mutability=RW, unit="s", min=1, max=LONGEST_TIMEOUT_S, source="OCPP 2.1 Part 2, OCPPCommCtrlr",
)  # fmt: skip
ALLOW_DOWNGRADE = Variable(
    "SecurityCtrlr", "AllowSecurityProfileDowngrade", "boolean", "false", "whether security profile 3 may be left for 2; no profile is left for 1 or 0",
    source="OCPP 2.1 A05",
)  # fmt: skip


META, FLOOR = "meta", "security_floor"
"""Table and key of the highest security profile that has worked."""
OWN_CREDENTIALS: dict[str, Callable[[Profile], Profile]] = {
    "Identity": lambda profile: replace(profile, identity=""),
    "BasicAuthPassword": lambda profile: replace(profile, password=""),
}
"""Variables of SecurityCtrlr, and a profile without its own one."""


class LinkRows:
    """The rows as the link machine asks for them. Whoever forced a value past its limits gets the nearest one that can be lived with."""

    def __init__(self, model: DeviceModel) -> None:
        self.model = model

    def priority(self) -> list[int]:
        """NetworkConfigurationPriority."""
        return [int(part) for part in self.model.members(PRIORITY) if part.isdecimal()]

    def attempts(self) -> int:
        """NetworkProfileConnectionAttempts."""
        return max(1, self.model.integer(ATTEMPTS))

    def wait_s(self, failures: int, share: float) -> float:
        """Back-off after so many failures before this one; `share` (0 to 1) of RetryBackOffRandomRange on top.

        The wait is doubled RetryBackOffRepeatTimes times and then stays.
        """
        doubled = 1 << max(0, min(failures, self.model.integer(BACKOFF_REPEAT), 16))
        return max(1.0, self.model.integer(BACKOFF_MINIMUM)) * doubled + max(0, self.model.integer(BACKOFF_RANDOM)) * share

    def ping_s(self) -> float:
        """WebSocketPingInterval."""
        return max(0.0, self.model.integer(PING_INTERVAL))

    def timeout_s(self) -> float:
        """MessageTimeout[Default]."""
        return max(1.0, self.model.integer(MESSAGE_TIMEOUT))


@dataclass(slots=True)
class NetworkState:
    """The slots, and what has been reached with them."""

    profiles: dict[int, Profile] = field(default_factory=dict)
    floor: int = 0
    """No profile with a lower security profile is dialled: what the configuration asks for, or what has worked since."""
    storing: dict[str, Profile] = field(default_factory=dict)
    """SetNetworkProfile that waits for the store: message id -> profile."""


def dialable(state: NetworkState, context: Context) -> dict[int, Profile]:
    """The profiles that a connection may be made with, by slot."""
    return {slot: profile for slot, profile in sorted(state.profiles.items()) if not why_not(profile, state, context)}


def why_not(profile: Profile, state: NetworkState, context: Context) -> str:
    """Why this profile is not dialled, for a person; "" when it is."""
    if wrong := profiles.problem(profile):
        return wrong
    if profile.security_profile == 3 and not context.config.csms.client_cert_file:
        return "security profile 3 needs a certificate of the station's own (csms.client_cert_file)"  # A05.FR.03
    if not _high_enough(profile.security_profile, state.floor, context.model):
        return f"security profile {profile.security_profile} is below {state.floor}, which this station has reached"
    return ""


def _high_enough(wanted: int, floor: int, model: DeviceModel) -> bool:
    """Never down, but from 3 to 2 where that is allowed (A05.FR.08, .09, .10)."""
    return wanted >= floor or ((floor, wanted) == (3, 2) and model.flag(ALLOW_DOWNGRADE))


class NetworkBlock(Block):
    """Owns the slots; the link machine reads them."""

    name: ClassVar[str] = "network"
    variables: ClassVar[tuple[Variable, ...]] = (
        ACTIVE_PROFILE, PRIORITY, ATTEMPTS, BACKOFF_MINIMUM, BACKOFF_REPEAT, BACKOFF_RANDOM, PING_INTERVAL, MESSAGE_TIMEOUT, ALLOW_DOWNGRADE,
    )  # fmt: skip

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        configured, self.wrong = profiles.configured(context.config)
        self.state: NetworkState = NetworkState(configured, self._configured_floor())
        context.model.compute(ACTIVE_PROFILE, lambda _: str(context.link.slot))
        context.model.bound(PRIORITY, Limits(None, None, PRIORITY.values, MOST_SLOTS))
        context.model.guard(PRIORITY, self._known_slots)

    def _configured_floor(self) -> int:
        csms = self.context.config.csms
        return csms.security_profile if csms.url else 0

    @hears(PoweredUp)
    def powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        """What the CSMS has set stands over the configuration. What cannot be read or dialled is left out and named."""
        state = self.state
        out: list[object] = [Log("error", "network.config", {"why": why}) for why in self.wrong]
        for key, value in event.stored.get(TABLE, {}).items():
            try:
                state.profiles[int(key)] = profiles.from_wire(int(key), value)
            except (KeyError, TypeError, ValueError) as error:
                out.append(Log("error", "network.unreadable", {"slot": key, "error": repr(error)}))
        reached = event.stored.get(META, {}).get(FLOOR)
        if isinstance(reached, list) and reached[1:] == [self._configured_floor()] and reached[0] in (1, 2, 3):
            state.floor = max(state.floor, reached[0])
        for slot, profile in state.profiles.items():
            if why := why_not(profile, state, self.context):
                out.append(Log("error", "network.profile", {"slot": slot, "why": why}))
        return out

    # ---- what the CSMS sets

    def _known_slots(self, value: str) -> None:
        """Every slot holds a profile that can be dialled (B09.FR.33, B09.FR.34, A05.FR.02, A05.FR.03)."""
        slots = [int(part) for part in value.split(",") if part.strip()]
        if not slots or len(set(slots)) != len(slots):
            raise BadValue("InvalidValue", "no slot, or one twice")
        for slot in slots:
            profile = self.state.profiles.get(slot)
            if profile is None or why_not(profile, self.state, self.context):
                raise BadValue("InvalidNetworkConf", f"slot {slot} holds no usable profile")

    @answers("SetNetworkProfile")
    def set_network_profile(self, now: Tick, call: CallReceived) -> Reply | Later:
        """Accepted once it is on disk (B09.FR.01): the CSMS may reset the station at once."""
        slot, data = call.payload["configurationSlot"], call.payload["connectionData"]
        if not 1 <= slot <= MOST_SLOTS:
            return _rejected("InvalidConfSlot", f"there are slots 1 to {MOST_SLOTS}")  # B09.FR.05
        if slot == self.context.link.slot or str(slot) in self.context.model.shown(now, place_of(PRIORITY)).split(","):
            return _rejected("PriorityNetworkConf", f"slot {slot} is in use")  # B09.FR.22
        profile = profiles.from_wire(slot, data)
        if refused := self._refused(data, profile):
            return _rejected(*refused)
        self.state.storing[call.message_id] = profile
        return Later([Persist((Put(TABLE, str(slot), profiles.to_wire(profile)),), (f"{self.name}:{call.message_id}",))])

    def _refused(self, data: dict[str, object], profile: Profile) -> tuple[str, str] | None:
        if data.get("ocppTransport") == "SOAP":
            return "InvalidNetworkConf", "this station speaks JSON"
        if data.get("apn") or data.get("vpn"):
            return "UnsupportedParam", "this station has no modem and makes no tunnel"
        if why := profiles.problem(profile):
            return "InvalidNetworkConf", why  # B09.FR.02
        floor = max(self.state.floor, self.context.link.security_profile if self.context.link.connected else 0)
        if not _high_enough(profile.security_profile, floor, self.context.model):
            return "NoSecurityDowngrade", f"the security profile in use is {floor}"  # B09.FR.04, B09.FR.31
        return None

    @hears(Persisted, PersistFailed)
    def stored(self, now: Tick, event: Persisted | PersistFailed) -> Sequence[object]:
        """The store has answered for a SetNetworkProfile; one that is not kept does not count (B09.FR.03)."""
        out: list[object] = []
        for ref in event.refs:
            message_id = ref.removeprefix(f"{self.name}:")
            profile = self.state.storing.pop(message_id, None) if message_id != ref else None
            if profile is None:
                continue
            if isinstance(event, PersistFailed):
                out.append(Answer(message_id, "SetNetworkProfile", {"status": "Failed", "statusInfo": {"reasonCode": "InternalError"}}))
                continue
            self.state.profiles[profile.slot] = profile
            values = {"slot": profile.slot, "url": profile.url, "security_profile": profile.security_profile}
            out += [Answer(message_id, "SetNetworkProfile", {"status": "Accepted"}), Log("info", "network.profile_set", values)]
        return out

    @hears(VariableChanged)
    def variable_changed(self, now: Tick, event: VariableChanged) -> Sequence[object]:
        """What is set for the whole station stands over what the slot in use had for itself (B09.FR.26, B09.FR.27)."""
        without_own = OWN_CREDENTIALS.get(event.place.variable) if event.place.component == "SecurityCtrlr" else None
        profile = self.state.profiles.get(self.context.link.slot)
        if without_own is None or profile is None or (bare := without_own(profile)) == profile:
            return ()
        self.state.profiles[profile.slot] = bare
        return [Persist((Put(TABLE, str(profile.slot), profiles.to_wire(bare)),))]

    # ---- no way down

    @hears(RegistrationChanged)
    def registered(self, now: Tick, event: RegistrationChanged) -> Sequence[object]:
        """Accepted over a higher security profile: the lower ones are dropped (A05.FR.05, A05.FR.06).

        Only now: a connection that the CSMS takes no station on is no way to live with.
        """
        level, state = self.context.link.security_profile, self.state
        if event.status != "Accepted" or level == state.floor:
            return ()
        state.floor = level
        lower = [slot for slot, profile in state.profiles.items() if not _high_enough(profile.security_profile, level, self.context.model)]
        for slot in lower:
            del state.profiles[slot]
        writes: list[Put | Delete] = [Put(META, FLOOR, [level, self._configured_floor()]), *(Delete(TABLE, str(slot)) for slot in lower)]
        if not lower:
            return [Persist(tuple(writes))]
        return [Persist((*writes, *self._without(lower))), Log("info", "network.dropped", {"slots": lower, "security_profile": level})]

    def _without(self, slots: Sequence[int]) -> Sequence[Put]:
        model, gone = self.context.model, {str(slot) for slot in slots}
        left = ",".join(part for part in model.members(PRIORITY) if part not in gone) or str(self.context.link.slot)
        model.put(PRIORITY, left)
        place = place_of(PRIORITY)
        if place in model.pending:
            model.pending[place] = ",".join(part for part in model.pending[place].split(",") if part not in gone) or left
        return [Put(device_model.TABLE, place.key, model.pending.get(place, left))]


def _rejected(code: str, text: str) -> Reply:
    return Reply({"status": "Rejected", "statusInfo": {"reasonCode": code, "additionalInfo": text}})
