"""The security log, SecurityEventNotification and the basic-auth password (OCPP 2.1 A01, A04, A05; S-17).

A new password is stored, answered, and then tried: until a connection succeeds with it the one before is kept beside it, and each
refusal by the CSMS changes to the other of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from typing import Any, ClassVar

from chargepoint.commands import Delete, Log, Persist, Put
from chargepoint.config import identity_of
from chargepoint.events import (
    LinkDown,
    LinkUp,
    OversizeReceived,
    PasswordChanged,
    PersistFailed,
    PoweredUp,
    RegistrationChanged,
    SecurityEvent,
    TimeSet,
)
from chargepoint.ocpp.block import Block, CallAnswered, CallFailed, Context, hears
from chargepoint.ocpp.device_model import BadValue, Mutability, Variable, VariableChanged, place_of
from chargepoint.ocpp.messages import CONNECTION_LOST, TIMEOUT, Call
from chargepoint.ocpp.wire import format_timestamp
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

SECURITY_EVENTS: dict[str, bool] = {
    # type -> whether it is critical, so that the CSMS is told (OCPP 2.1 Part 2, appendix 1).
    "FirmwareUpdated": True,
    "FailedToAuthenticateAtCsms": False,
    "CsmsFailedToAuthenticate": False,
    "SettingSystemTime": True,
    "StartupOfTheDevice": True,
    "ResetOrReboot": True,
    "SecurityLogWasCleared": True,
    "ReconfigurationOfSecurityParameters": False,
    "MemoryExhaustion": True,
    "InvalidMessages": False,
    "AttemptedReplayAttacks": False,
    "TamperDetectionActivated": True,
    "InvalidFirmwareSignature": True,
    "InvalidFirmwareSigningCertificate": True,
    "InvalidCsmsCertificate": True,
    "InvalidChargingStationCertificate": True,
    "DiscardedRenewedClientCertificate": True,  # A02.FR.29
    "InvalidTLSVersion": True,
    "InvalidTLSCipherSuite": True,
    "MaintenanceLoginAccepted": True,
    "MaintenanceLoginFailed": True,
}
LOG_TABLE = "security_log"
META = "meta"
OTHER_PASSWORD = "password_before"  # noqa: S105 the key of a row, no password
MOST_ENTRIES = 1000
"""The log is a ring of this many entries."""
MOST_WAITING = 100
"""Notifications that wait for the CSMS; beyond it the oldest are dropped, and stay in the log."""
MOST_TRIES = 3
"""A notification that gets no answer is sent this often."""
QUIET_S = 60.0
"""Events that come from outside are logged once in this time for the same cause, so that nobody can turn the ring (S-18)."""
FROM_OUTSIDE = frozenset({
    "AttemptedReplayAttacks", "CsmsFailedToAuthenticate", "FailedToAuthenticateAtCsms", "InvalidCsmsCertificate", "InvalidMessages",
    "InvalidTLSCipherSuite", "InvalidTLSVersion", "MaintenanceLoginFailed", "MemoryExhaustion",
})  # fmt: skip
PASSWORD_LENGTHS = (16, 40)
"""passwordString of OCPP 2.x (SecurityCtrlr.BasicAuthPassword)."""

BASIC_AUTH_PASSWORD = Variable(
    "SecurityCtrlr", "BasicAuthPassword", "string", None, "password of HTTP basic authentication",
    mutability=Mutability.WRITE_ONLY, secret=True, min=PASSWORD_LENGTHS[0], max_length=PASSWORD_LENGTHS[1], key16="AuthorizationKey", source="OCPP 2.1 A01",
)  # fmt: skip
IDENTITY = Variable(
    "SecurityCtrlr",
    "Identity",
    "string",
    None,
    "the station's identity at the CSMS",
    constant=True,
    max_length=48,
    source="OCPP 2.1 Part 4 3.1",
)
SECURITY_PROFILE = Variable(
    "SecurityCtrlr",
    "SecurityProfile",
    "integer",
    None,
    "the security profile of the connection",
    persistent=False,
    min=0,
    max=3,
    key16="SecurityProfile",
    source="OCPP 2.1 A05",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the security log; `utc` is POSIX seconds."""

    type: str
    utc: float
    info: str = ""
    waits: bool = False
    """The CSMS is still to be told."""


@dataclass(slots=True)
class SecurityState:
    """The log's position, what the CSMS is to be told, and the password that may have to come back."""

    next: int = 0
    first: int = 0
    """The first entry of this run."""
    waiting: dict[int, Entry] = field(default_factory=dict)
    sending: int | None = None
    tries: int = 0
    time_set: bool = False
    logged: dict[str, float] = field(default_factory=dict)
    """type and info -> Tick.mono of the last entry."""
    proven_password: str = field(default="", repr=False)
    """With this one the last connection came up."""
    other_password: str = field(default="", repr=False)
    """The other of the two between which refusals change; "" when the one in use has proved itself."""
    rolled_back: bool = False


class SecurityBlock(Block):
    """Owns the security log and the password."""

    name: ClassVar[str] = "security"
    variables: ClassVar[tuple[Variable, ...]] = (
        BASIC_AUTH_PASSWORD, IDENTITY, SECURITY_PROFILE,
    )  # fmt: skip

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: SecurityState = SecurityState()
        model, csms = context.model, context.config.csms
        model.put(BASIC_AUTH_PASSWORD, csms.basic_auth_password)
        model.put(SECURITY_PROFILE, str(csms.security_profile))
        model.put(IDENTITY, identity_of(context.config))
        model.compute(IDENTITY, lambda _: context.link.identity or identity_of(context.config))  # B09.FR.28
        model.compute(SECURITY_PROFILE, lambda _: str(context.link.security_profile if context.link.connected else csms.security_profile))
        model.guard(BASIC_AUTH_PASSWORD, _printable)

    @hears(PoweredUp)
    def powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        """The log goes on where it was; what the CSMS was not told waits on (A04)."""
        entries = {int(key): _entry(value) for key, value in event.stored.get(LOG_TABLE, {}).items() if key.isdecimal()}
        self.state.first = self.state.next = max(entries, default=-1) + 1
        self.state.waiting = {number: entry for number, entry in sorted(entries.items())[-MOST_WAITING:] if entry.waits}
        meta = event.stored.get(META, {})
        self.state.other_password = str(meta.get(OTHER_PASSWORD, ""))
        out = self._log(now, "StartupOfTheDevice", event.reason)
        before = meta.get("firmware_version")
        if event.firmware_version and before != event.firmware_version:
            out.append(Persist((Put(META, "firmware_version", event.firmware_version),)))
            out += self._log(now, "FirmwareUpdated", f"{before} to {event.firmware_version}") if before else []
        return out

    # ---- the log

    @hears(SecurityEvent)
    def happened(self, now: Tick, event: SecurityEvent) -> Sequence[object]:
        return self._log(now, event.type, event.info)

    @hears(TimeSet)
    def time_set(self, now: Tick, event: TimeSet) -> Sequence[object]:
        """What was logged before the station knew the time is told with the right one (F-3)."""
        if not self.state.time_set:
            self.state.time_set = True
            for number, entry in self.state.waiting.items():
                if number >= self.state.first:
                    self.state.waiting[number] = replace(entry, utc=entry.utc + event.changed_s)
        return ()

    @hears(OversizeReceived)
    def oversize(self, now: Tick, event: OversizeReceived) -> Sequence[object]:
        return self._log(now, "InvalidMessages", "a frame beyond the limit")

    @hears(PersistFailed)
    def not_stored(self, now: Tick, event: PersistFailed) -> Sequence[object]:
        return self._log(now, "MemoryExhaustion", "the database takes no more") if "full" in event.error.lower() else ()

    @hears(LinkDown)
    def link_down(self, now: Tick, event: LinkDown) -> Sequence[object]:
        """What a failed connection says about credentials and certificates (F-8, F-9, S-29)."""
        self.state.sending = None
        match event.cause:
            case "unauthorized":
                return [*self._log(now, "FailedToAuthenticateAtCsms", "the CSMS refused the credentials"), *self._other_password()]
            case "certificate":
                return self._log(now, "InvalidCsmsCertificate", event.detail)
            case "tls":
                return self._log(now, _tls_event(event.detail), event.detail)
            case _:
                return ()

    def _log(self, now: Tick, kind: str, info: str) -> list[object]:
        state, info = self.state, info[:255]
        if kind not in SECURITY_EVENTS:
            return [Log("error", "security.unknown_event", {"type": kind})]
        again = f"{kind} {info}"
        if kind in FROM_OUTSIDE:
            state.logged = {key: at for key, at in state.logged.items() if now.mono - at < QUIET_S}
            if again in state.logged:
                return []
            state.logged[again] = now.mono
        number, state.next = state.next, state.next + 1
        entry = Entry(kind, self.context.clock.utc(now), info, waits=SECURITY_EVENTS[kind])
        writes: list[Put | Delete] = [Put(LOG_TABLE, str(number), _stored(entry))]
        if number >= MOST_ENTRIES:
            writes.append(Delete(LOG_TABLE, str(number - MOST_ENTRIES)))
        if entry.waits:
            state.waiting[number] = entry
            if len(state.waiting) > MOST_WAITING:
                del state.waiting[next(each for each in state.waiting if each != state.sending)]
        return [Persist(tuple(writes)), Log("warning", "security.event", {"type": kind, "info": info}), *self._tell()]

    # ---- telling the CSMS

    @hears(RegistrationChanged)
    def registered(self, now: Tick, event: RegistrationChanged) -> Sequence[object]:
        return self._tell()

    def _tell(self) -> list[object]:
        state = self.state
        if not self.context.link.online or state.sending is not None or not state.waiting:
            return []
        number, entry = next(iter(state.waiting.items()))
        state.sending = number
        payload: dict[str, Any] = {"type": entry.type, "timestamp": format_timestamp(entry.utc)}
        if entry.info:
            payload["techInfo"] = entry.info
        return [Call("SecurityEventNotification", payload, f"{self.name}:{number}")]

    @hears(CallAnswered, CallFailed)
    def told(self, now: Tick, event: CallAnswered | CallFailed) -> Sequence[object]:
        """Told, or refused: one that the CSMS answers with an error is not sent for ever. What went with the link goes again."""
        if not event.token.startswith(f"{self.name}:"):
            return ()
        state, code = self.state, event.code if isinstance(event, CallFailed) else ""
        state.sending = None
        if code == CONNECTION_LOST:
            return ()
        state.tries = state.tries + 1 if code == TIMEOUT else 0
        if 0 < state.tries < MOST_TRIES:
            return self._tell()
        state.tries = 0
        number = int(event.token.split(":")[1])
        entry = state.waiting.pop(number, None)
        if entry is None:
            return self._tell()
        settled = replace(entry, waits=False)
        return [Persist((Put(LOG_TABLE, str(number), _stored(settled)),)), *self._tell()]

    # ---- the password (A01)

    @hears(VariableChanged)
    def variable_changed(self, now: Tick, event: VariableChanged) -> Sequence[object]:
        if event.place.component != "SecurityCtrlr":
            return ()
        out = self._log(now, "ReconfigurationOfSecurityParameters", event.place.variable)
        if event.concerns(BASIC_AUTH_PASSWORD) and not self.state.rolled_back:
            out += [*self._keep_other(self.state.proven_password), PasswordChanged()]
        self.state.rolled_back = False
        return out

    @hears(LinkUp)
    def link_up(self, now: Tick, event: LinkUp) -> Sequence[object]:
        """The password in use has proved itself."""
        self.state.proven_password = self.context.link.password or self.context.model.text(BASIC_AUTH_PASSWORD)
        return [*(self._keep_other("") if self.state.other_password else ()), *self._tell()]

    def _keep_other(self, password: str) -> list[object]:
        self.state.other_password = password
        return [Persist((Put(META, OTHER_PASSWORD, password) if password else Delete(META, OTHER_PASSWORD),))]

    def _other_password(self) -> list[object]:
        if not self.state.other_password:
            return []
        other, place = self.state.other_password, place_of(BASIC_AUTH_PASSWORD)
        refused = self.context.model.text(BASIC_AUTH_PASSWORD)
        self.state.rolled_back = True
        return [
            *self._keep_other(refused),
            *self.context.model.change(place, other),
            Log("warning", "password.fell_back"),
            PasswordChanged(fell_back=True),
        ]


def _printable(password: str) -> None:
    """What HTTP basic authentication can carry (passwordString); a colon may stand in it, controls and other scripts may not."""
    if not (password.isascii() and password.isprintable()):
        raise BadValue("InvalidValue", "holds characters that a basic-auth password may not")


def _tls_event(detail: str) -> str:
    lowered = detail.lower()
    if "version" in lowered:
        return "InvalidTLSVersion"
    if "our client certificate" in lowered:
        return "FailedToAuthenticateAtCsms"
    return "InvalidTLSCipherSuite" if "cipher" in lowered else "CsmsFailedToAuthenticate"


def _stored(entry: Entry) -> dict[str, Any]:
    return {"type": entry.type, "utc": entry.utc, "info": entry.info, "waits": entry.waits}


def _entry(value: Any) -> Entry:
    return Entry(value["type"], value["utc"], value.get("info", ""), waits=value.get("waits", False))
