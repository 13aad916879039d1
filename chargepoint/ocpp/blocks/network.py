"""Network profiles and the rows about the connection (OCPP 2.1 B09, B10, A05): what the link machine dials, and how often.

A profile in use, or one that NetworkConfigurationPriority names, is not overwritten: the way back would be gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from chargepoint.commands import Log, Persist, Put
from chargepoint.events import PoweredUp
from chargepoint.ocpp import profiles
from chargepoint.ocpp.block import Block, CallReceived, Context, Reply, answers, hears
from chargepoint.ocpp.device_model import BadValue, DeviceModel, Limits, Mutability, Variable
from chargepoint.ocpp.profiles import MOST_SLOTS, TABLE, Profile
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
    mutability=RW, unit="s", min=1, max=300, source="OCPP 2.1 Part 2, OCPPCommCtrlr",
)  # fmt: skip
ALLOW_DOWNGRADE = Variable(
    "SecurityCtrlr", "AllowSecurityProfileDowngrade", "boolean", "false", "whether security profile 3 may be left for 2; no profile is left for 1 or 0",
    source="OCPP 2.1 A05",
)  # fmt: skip


class LinkRows:
    """The rows as the link machine asks for them."""

    def __init__(self, model: DeviceModel) -> None:
        self.model = model

    def priority(self) -> list[int]:
        """NetworkConfigurationPriority."""
        return [int(part) for part in self.model.members(PRIORITY)]

    def attempts(self) -> int:
        """NetworkProfileConnectionAttempts."""
        return self.model.integer(ATTEMPTS)

    def wait_s(self, failures: int, share: float) -> float:
        """Back-off after so many failures before this one; `share` (0 to 1) of RetryBackOffRandomRange on top."""
        doubled = 1 << min(failures, self.model.integer(BACKOFF_REPEAT))
        return self.model.integer(BACKOFF_MINIMUM) * doubled + self.model.integer(BACKOFF_RANDOM) * share

    def ping_s(self) -> float:
        """WebSocketPingInterval."""
        return float(self.model.integer(PING_INTERVAL))

    def timeout_s(self) -> float:
        """MessageTimeout[Default]."""
        return float(self.model.integer(MESSAGE_TIMEOUT))


@dataclass(slots=True)
class NetworkState:
    """The slots."""

    profiles: dict[int, Profile] = field(default_factory=dict)


class NetworkBlock(Block):
    """Owns the slots; the link machine reads them."""

    name: ClassVar[str] = "network"
    variables: ClassVar[tuple[Variable, ...]] = (
        ACTIVE_PROFILE, PRIORITY, ATTEMPTS, BACKOFF_MINIMUM, BACKOFF_REPEAT, BACKOFF_RANDOM, PING_INTERVAL, MESSAGE_TIMEOUT, ALLOW_DOWNGRADE,
    )  # fmt: skip

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: NetworkState = NetworkState(profiles.configured(context.config))
        context.model.compute(ACTIVE_PROFILE, lambda _: str(context.link.slot))
        context.model.bound(PRIORITY, Limits(None, None, PRIORITY.values, MOST_SLOTS))
        context.model.guard(PRIORITY, self._known_slots)

    @hears(PoweredUp)
    def powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        """What the CSMS has set stands over the configuration. What cannot be read is left out and named."""
        out: list[object] = []
        for key, value in event.stored.get(TABLE, {}).items():
            try:
                self.state.profiles[int(key)] = profiles.from_wire(int(key), value)
            except (KeyError, TypeError, ValueError) as error:
                out.append(Log("error", "network.unreadable", {"slot": key, "error": repr(error)}))
        for slot, profile in self.state.profiles.items():
            if why := profiles.problem(profile):
                out.append(Log("error", "network.profile", {"slot": slot, "why": why}))
        return out

    def _known_slots(self, value: str) -> None:
        """Every slot holds a profile that can be dialled (B10)."""
        slots = [int(part) for part in value.split(",") if part.strip()]
        if not slots or len(set(slots)) != len(slots):
            raise BadValue("InvalidValue", "no slot, or one twice")
        for slot in slots:
            profile = self.state.profiles.get(slot)
            if profile is None or profiles.problem(profile):
                raise BadValue("InvalidNetworkConf", f"slot {slot} holds no usable profile")

    @answers("SetNetworkProfile")
    def set_network_profile(self, now: Tick, call: CallReceived) -> Reply:
        slot = call.payload["configurationSlot"]
        profile = profiles.from_wire(slot, call.payload["connectionData"])
        if not 1 <= slot <= MOST_SLOTS:
            return _rejected("InvalidConfSlot", f"there are slots 1 to {MOST_SLOTS}")  # B09.FR.02
        if slot == self.context.link.slot or str(slot) in self.context.model.members(PRIORITY):
            return _rejected("PriorityNetworkConf", f"slot {slot} is in use")
        if refused := self._refused(call.payload["connectionData"], profile):
            return _rejected(*refused)
        self.state.profiles[slot] = profile
        log = Log("info", "network.profile_set", {"slot": slot, "url": profile.url, "security_profile": profile.security_profile})
        return Reply({"status": "Accepted"}, [Persist((Put(TABLE, str(slot), profiles.to_wire(profile)),)), log])  # B09.FR.01

    def _refused(self, data: dict[str, object], profile: Profile) -> tuple[str, str] | None:
        if data.get("ocppTransport") == "SOAP":
            return "InvalidNetworkConf", "this station speaks JSON"
        if data.get("apn") or data.get("vpn"):
            return "UnsupportedParam", "this station has no modem and makes no tunnel"
        if why := profiles.problem(profile):
            return "InvalidNetworkConf", why
        active = self.context.link.security_profile if self.context.link.connected else self.context.config.csms.security_profile
        if profile.security_profile < active:  # B09.FR.04
            downgrade = self.context.model.flag(ALLOW_DOWNGRADE) and (active, profile.security_profile) == (3, 2)
            return None if downgrade else ("NoSecurityDowngrade", f"the security profile in use is {active}")
        return None


def _rejected(code: str, text: str) -> Reply:
    return Reply({"status": "Rejected", "statusInfo": {"reasonCode": code, "additionalInfo": text}})
