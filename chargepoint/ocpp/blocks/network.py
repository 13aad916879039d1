"""Network profiles and the rows about the connection (OCPP 2.1 B09, B10, A05): what the link machine dials, and how often.

A profile in use, or one that NetworkConfigurationPriority names, is not overwritten: the way back would be gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from chargepoint.commands import Delete, Log, Persist, Put
from chargepoint.events import Persisted, PersistFailed, PoweredUp, RegistrationChanged
from chargepoint.ocpp import device_model, profiles
from chargepoint.ocpp.block import Block, CallReceived, Context, Later, Reply, answers, hears, refusal
from chargepoint.ocpp.csms_url import UrlError, check_url
from chargepoint.ocpp.device_model import BadValue, DeviceModel, Limits, Mutability, Variable, VariableChanged, place_of
from chargepoint.ocpp.messages import Answer
from chargepoint.ocpp.network_slots import ALLOW_DOWNGRADE, NetworkState, high_enough, no_root, why_not
from chargepoint.ocpp.profile_rows import COMPONENT, SLOT_ROWS, values_of, with_value
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
    "OCPPCommCtrlr", "MessageTimeout", "integer", "30", "how long the answer to a call may take; a network profile may bring its own", instance="Default",
    unit="s", min=1, max=LONGEST_TIMEOUT_S, source="OCPP 2.1 Part 2, OCPPCommCtrlr",
)  # fmt: skip
WILDCARDS = Variable(
    "SecurityCtrlr", "AllowCSMSTLSWildcards", "boolean", "false", "the certificate of the CSMS may be for *.example.com; counts from the next connection on",
    mutability=RW, key16="AllowCentralSystemTLSWildcards", source="OCPP 2.1 errata 2025-06",
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

    def wildcards(self) -> bool:
        """AllowCSMSTLSWildcards."""
        return self.model.flag(WILDCARDS)

    def timeout_s(self) -> float:
        """MessageTimeout[Default]."""
        return max(1.0, self.model.integer(MESSAGE_TIMEOUT))


class NetworkBlock(Block):
    """Owns the slots; the link machine reads them."""

    name: ClassVar[str] = "network"
    variables: ClassVar[tuple[Variable, ...]] = (
        ACTIVE_PROFILE, PRIORITY, ATTEMPTS, BACKOFF_MINIMUM, BACKOFF_REPEAT, BACKOFF_RANDOM, PING_INTERVAL, MESSAGE_TIMEOUT, ALLOW_DOWNGRADE,
        WILDCARDS, *SLOT_ROWS.values(),
    )  # fmt: skip

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        configured, self.wrong = profiles.configured(context.config)
        self.state: NetworkState = NetworkState(configured, self._configured_floor())
        context.model.compute(ACTIVE_PROFILE, lambda _: str(context.link.slot))
        context.model.bound(PRIORITY, Limits(None, None, PRIORITY.values, MOST_SLOTS))
        context.model.guard(PRIORITY, self._known_slots)
        context.model.at_once(PRIORITY, _only_without)
        context.model.guard(WILDCARDS, self._not_what_we_stand_on)
        for (slot, name), row in SLOT_ROWS.items():
            context.model.guard(row, partial(self._settable, slot, name))

    def _not_what_we_stand_on(self, value: str) -> None:
        """Who takes the wildcard away by which the CSMS is known now would never hear of this station again."""
        link = self.context.link
        if value == "false" and link.connected and link.wildcard:
            raise BadValue(
                "InvalidValue", "the certificate of this CSMS names it by a wildcard only: this connection would be the last one"
            )

    def _configured_floor(self) -> int:
        csms = self.context.config.csms
        return csms.security_profile if csms.url else 0

    @hears(PoweredUp)
    def powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        """What the CSMS has set stands over the configuration. What cannot be read or dialled is left out and named."""
        state = self.state
        out: list[object] = [Log("error", "network.config", {"why": why}) for why in self.wrong]
        for (slot, name), row in SLOT_ROWS.items():
            if not row.constant and (start := self.context.model.text(row)):
                state.profiles[slot] = with_value(self._profile(slot), name, start)
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
            self._show(slot)
        return out

    def _profile(self, slot: int) -> Profile:
        """What stands in the slot, or the beginning of something."""
        return self.state.profiles.get(slot) or Profile(slot, "", self.state.floor)

    def _as_set(self, slot: int) -> Profile:
        """NetworkConfiguration[slot] as a profile: one request may have set several of its variables."""
        profile = self._profile(slot)
        for name in values_of(profile):
            profile = with_value(profile, name, self.context.model.text(SLOT_ROWS[slot, name]))
        return profile

    def _show(self, slot: int) -> None:
        """NetworkConfiguration[slot] as the profile has it."""
        for name, value in values_of(self._profile(slot)).items():
            if row := SLOT_ROWS.get((slot, name)):
                self.context.model.put(row, value)

    def _in_use(self, slot: int) -> bool:
        """The connection stands on it, or NetworkConfigurationPriority (also the one that waits for a restart) names it (B09.FR.22)."""
        model, place = self.context.model, place_of(PRIORITY)
        named = model.pending.get(place) or model.text(PRIORITY)
        return slot == self.context.link.slot or str(slot) in named.split(",")

    # ---- what the CSMS sets

    def _known_slots(self, value: str) -> None:
        """Every slot holds a profile that can be dialled (B09.FR.33, B09.FR.34, A05.FR.02, A05.FR.03)."""
        slots = [int(part) for part in value.split(",") if part.strip()]
        if not slots or len(set(slots)) != len(slots):
            raise BadValue("InvalidValue", "no slot, or one twice")
        for slot in slots:
            profile = self.state.profiles.get(slot)
            if profile is None:
                raise BadValue("InvalidNetworkConf", f"slot {slot} holds no profile")
            if why := why_not(profile, self.state, self.context) or no_root(profile, self.context):
                raise BadValue("InvalidNetworkConf", f"slot {slot}: {why}")

    @answers("SetNetworkProfile")
    def set_network_profile(self, now: Tick, call: CallReceived) -> Reply | Later:
        """Accepted once it is on disk (B09.FR.01): the CSMS may reset the station at once."""
        slot, data = call.payload["configurationSlot"], call.payload["connectionData"]
        if not 1 <= slot <= MOST_SLOTS:
            return refusal("Rejected", "InvalidConfSlot", f"there are slots 1 to {MOST_SLOTS}")  # B09.FR.05
        if self._in_use(slot):
            return refusal("Rejected", "PriorityNetworkConf", f"slot {slot} is in use")
        profile = profiles.from_wire(slot, data)
        if refused := self._refused(data, profile):
            return refusal("Rejected", *refused)
        self.state.storing[call.message_id] = profile
        return Later([Persist((Put(TABLE, str(slot), profiles.to_wire(profile)),), (f"{self.name}:{call.message_id}",))])

    def _refused(self, data: dict[str, object], profile: Profile) -> tuple[str, str] | None:
        if data.get("ocppTransport") == "SOAP":
            return "InvalidNetworkConf", "this station speaks JSON"
        if data.get("apn") or data.get("vpn"):
            return "UnsupportedParam", "this station has no modem and makes no tunnel"
        if why := profiles.problem(profile) or profiles.identity_problem(profile.identity):
            return "InvalidNetworkConf", why  # B09.FR.02
        if self._lower(profile.security_profile):
            return "NoSecurityDowngrade", f"security profile {profile.security_profile} is below the one in use"  # B09.FR.04, B09.FR.31
        return None

    def _lower(self, security_profile: int) -> bool:
        link = self.context.link
        floor = max(self.state.floor, link.security_profile if link.connected else 0)
        return not high_enough(security_profile, floor, self.context.model)

    def _settable(self, slot: int, name: str, value: str) -> None:
        """One variable of NetworkConfiguration[slot] (B09.FR.22, B09.FR.32): a profile that is set piece by piece is whole only at the end."""
        if self._in_use(slot):
            raise BadValue("PriorityNetworkConf", f"slot {slot} is in use")
        if name == "SecurityProfile" and self._lower(int(value)):
            raise BadValue("NoSecurityDowngrade", f"security profile {value} is below the one in use")
        if name == "BasicAuthPassword" and not (value.isascii() and value.isprintable()):
            raise BadValue("InvalidValue", "holds characters that a basic-auth password may not")
        if name == "Identity" and (why := profiles.identity_problem(value)):
            raise BadValue("InvalidValue", why)
        if name == "OcppCsmsUrl":
            try:
                check_url(value)
            except UrlError as error:
                raise BadValue("InvalidURL", str(error)) from None

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
            self._show(profile.slot)
            values = {"slot": profile.slot, "url": profile.url, "security_profile": profile.security_profile}
            out += [Answer(message_id, "SetNetworkProfile", {"status": "Accepted"}), Log("info", "network.profile_set", values)]
        return out

    @hears(VariableChanged)
    def variable_changed(self, now: Tick, event: VariableChanged) -> Sequence[object]:
        """A piece of a profile; or what is set for the whole station stands over what slots had for themselves (B09.FR.26, B09.FR.27)."""
        place = event.place
        if place.component == COMPONENT:
            return self._replace(self._as_set(int(place.component_instance)))
        without_own = OWN_CREDENTIALS.get(place.variable) if place.component == "SecurityCtrlr" else None
        return (
            [each for profile in list(self.state.profiles.values()) for each in self._replace(without_own(profile))] if without_own else ()
        )

    def _replace(self, profile: Profile) -> Sequence[object]:
        if profile == self.state.profiles.get(profile.slot):
            return ()
        self.state.profiles[profile.slot] = profile
        self._show(profile.slot)
        return [Persist((Put(TABLE, str(profile.slot), profiles.to_wire(profile)),))]

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
        lower = [slot for slot, profile in state.profiles.items() if not high_enough(profile.security_profile, level, self.context.model)]
        for slot in lower:
            del state.profiles[slot]
            self._show(slot)
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


def _only_without(old: str, new: str) -> bool:
    """Whether slots are taken out of the list, and nothing else: the others keep their order (B09.FR.20)."""
    left = new.split(",")
    return [slot for slot in old.split(",") if slot in left] == left
