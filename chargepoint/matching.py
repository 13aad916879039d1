"""The power-line modem of one EVSE, and which vehicle on the line is the one on its cable (SLAC, ISO 15118-3).

The machine of `iso15118.slac` at the station's door: frames come in and go out by the port, keys come from the station's entropy, and what is found is
told to the EVSE. It answers nobody while no vehicle is on the pilot (S-13).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from chargepoint.commands import Log, SendOnPowerLine
from chargepoint.config import EvseConfig, Timings
from chargepoint.entropy import Entropy
from chargepoint.events import (
    DataLinkChanged,
    EvDisconnected,
    LevelSettled,
    MatchingFailed,
    ModemReady,
    PowerLineChanged,
    PowerLineHeard,
    TalkingBegun,
    TalkingEnded,
    TimerExpired,
    VehicleMatched,
)
from chargepoint.tick import Tick
from iso15118.frozen import dataclass
from iso15118.slac import mme
from iso15118.slac.evse import Evse
from iso15118.slac.evse_state import Options
from iso15118.slac.mme import MmeError
from iso15118.slac.modem_table import Kind, ModemOptions, State
from iso15118.slac.signals import (
    Begin,
    CountToggles,
    FrameHeard,
    KeyReady,
    Leave,
    LinkChanged,
    Matched,
    MatchFailed,
    ModemSeen,
    Note,
    PilotSeen,
    SendFrame,
    SlacCommand,
    SlacEvent,
    Toggled,
)
from iso15118.slac.signals import TimerExpired as SlacTimer
from iso15118.slac.times import TP_MATCH_LEAVE_S

NOTE_EVERY_S = 1.0
_OFF = "5 % is off the pilot"
_SHOWN: dict[type, str] = {
    mme.SlacParmReq: "CM_SLAC_PARM.REQ",
    mme.SlacParmCnf: "CM_SLAC_PARM.CNF",
    mme.StartAttenCharInd: "CM_START_ATTEN_CHAR.IND",
    mme.AttenCharInd: "CM_ATTEN_CHAR.IND",
    mme.AttenCharRsp: "CM_ATTEN_CHAR.RSP",
    mme.ValidateReq: "CM_VALIDATE.REQ",
    mme.ValidateCnf: "CM_VALIDATE.CNF",
    mme.SlacMatchReq: "CM_SLAC_MATCH.REQ",
    mme.SlacMatchCnf: "CM_SLAC_MATCH.CNF",
}
"""For whoever looks on; sounds and profiles are many, and alike."""
KINDS = {"auto": None, "qualcomm": Kind.QUALCOMM, "lumissil": Kind.LUMISSIL, "key_only": Kind.KEY_ONLY}


@dataclass(slots=True)
class MatchingState:
    """What it remembers."""

    mac: bytes = b""
    """Of the interface; empty while it is down."""
    slac: dict[str, Any] = field(default_factory=dict)
    """`Evse.saved()`."""
    level: str = "A"
    toggles: int = 0
    toggling: bool = False
    """The C of a toggle is shown that began while they are counted."""
    counted_until: float | None = None
    """BCB toggles are counted until then."""
    leave_at: float | None = None
    """The network of a vehicle whose session is over is left then."""
    lost: bool = False
    """The modem does nothing."""
    said: str = ""
    """The message that was logged last."""
    noted: dict[str, float] = field(default_factory=dict)
    """When each kind of note was logged last."""


class MatchingMachine:
    """One for each EVSE with a power-line modem."""

    def __init__(self, config: EvseConfig, timings: Timings, entropy: Entropy) -> None:
        self.config, self.timings, self.entropy = config, timings, entropy
        self.memory = MatchingState()
        self.slac: Evse | None = None
        self.handlers: Mapping[type, Callable[[Tick, Any], list[object]]] = {
            PowerLineChanged: self._line,
            PowerLineHeard: lambda now, event: [*self._message(now, ">", event.octets), *self._slac(now, FrameHeard(event.octets))],
            LevelSettled: self._level,
            TalkingBegun: self._begun,
            TalkingEnded: self._ended,
            EvDisconnected: self._unplugged,
            TimerExpired: self._timer,
        }

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        """One event."""
        handler = self.handlers.get(type(event))
        if handler is None or getattr(event, "evse_id", self.config.id) != self.config.id:
            return ()
        return handler(now, event)

    def deadline(self) -> float | None:
        """Of SLAC, of toggles that are counted, or of a network that is left."""
        dues = (self.slac.deadline() if self.slac is not None else None, self.memory.counted_until, self.memory.leave_at)
        return min((at for at in dues if at is not None), default=None)

    # ---- in and out of a snapshot

    @property
    def state(self) -> MatchingState:
        """All that this machine remembers."""
        self.memory.slac = self.slac.saved() if self.slac is not None else {}
        return self.memory

    @state.setter
    def state(self, value: MatchingState) -> None:
        self.memory, self.slac = value, None
        if value.mac:
            self.slac = self._made(value.mac)
            self.slac.restore(value.slac)

    # ---- in

    def _made(self, mac: bytes) -> Evse:
        slac = self.config.v2g.slac
        options = Options(
            mac,
            ModemOptions(kind=KINDS[slac.modem], mac=slac.address),
            correction_dB=slac.correction_dB,
            validation=slac.validation,
            init_s=self.timings.link_s,
        )
        return Evse(options, self.entropy.take)

    def _line(self, now: Tick, event: PowerLineChanged) -> list[object]:
        out: list[object] = []
        if self.slac is not None:
            out += self._told(now, self.slac.stop(now, event.why or "the interface of the modem has changed"))
        self.memory.mac, self.slac = (event.mac, self._made(event.mac)) if event.ready else (b"", None)
        if self.slac is None:
            return [*out, ModemReady(self.config.id, ready=False, lost=event.why or "the interface of the modem is down")]
        self.slac.pilot = self.memory.level
        return [*out, *self._told(now, self.slac.start(now))]

    def _level(self, now: Tick, event: LevelSettled) -> list[object]:
        """A toggle is C between two B."""
        m = self.memory
        if m.counted_until is not None:
            m.toggles += m.toggling and event.level == "B"
            m.toggling = m.level == "B" and event.level == "C"
        m.level = event.level
        return self._slac(now, PilotSeen(event.level))

    def _begun(self, now: Tick, event: TalkingBegun) -> list[object]:
        self.memory.leave_at = None
        return self._slac(now, Begin())

    def _ended(self, now: Tick, event: TalkingEnded) -> list[object]:
        """A vehicle that sleeps keeps its link, and comes back to it; another may still have to close its connection."""
        if self.slac is None or not self.slac.linked:
            return self._slac(now, Leave(_OFF))
        self.memory.leave_at = None if event.paused else now.mono + TP_MATCH_LEAVE_S
        return []

    def _unplugged(self, now: Tick, event: EvDisconnected) -> list[object]:
        self.memory.leave_at = None
        return self._slac(now, Leave("the vehicle is unplugged"))

    def _timer(self, now: Tick, event: TimerExpired) -> list[object]:
        m, out = self.memory, []
        if m.counted_until is not None and m.counted_until <= now.mono:
            m.counted_until = None
            out = self._slac(now, Toggled(m.toggles))
        if m.leave_at is not None and m.leave_at <= now.mono:
            m.leave_at = None
            out += self._slac(now, Leave(_OFF))
        return [*out, *self._slac(now, SlacTimer())]

    def _slac(self, now: Tick, event: SlacEvent) -> list[object]:
        return self._told(now, self.slac.handle(now, event)) if self.slac is not None else []

    # ---- out

    def _told(self, now: Tick, commands: Sequence[SlacCommand]) -> list[object]:
        evse_id, out = self.config.id, list[object]()
        for each in commands:
            match each:
                case SendFrame(octets):
                    out += [SendOnPowerLine(evse_id, octets), *self._message(now, "<", octets)]
                case KeyReady(ready):
                    out.append(ModemReady(evse_id, ready))
                case Matched(mac, _, attenuation_dB):
                    out += [
                        VehicleMatched(evse_id, mac.hex(":"), round(attenuation_dB, 1)),
                        Log("info", "slac.matched", {"evse": evse_id, "attenuation_dB": round(attenuation_dB, 1)}),
                    ]
                case LinkChanged(up, why):
                    out += [DataLinkChanged(evse_id, up), Log("info", "slac.link", {"evse": evse_id, "up": up, "text": why})]
                case MatchFailed(why):
                    out.append(MatchingFailed(evse_id, why))
                case CountToggles(for_s):
                    self.memory.toggles, self.memory.toggling, self.memory.counted_until = 0, False, now.mono + for_s
                case ModemSeen(firmware, mac):
                    out.append(Log("info", "slac.modem", {"evse": evse_id, "mac": mac.hex(":"), "firmware": firmware}))
                case Note(level, key, words) if self._worth_a_line(now, key):
                    out.append(Log(level, key, {"evse": evse_id, "text": words[:200]}))
        return [*out, *self._lost()]

    def _worth_a_line(self, now: Tick, key: str) -> bool:
        """Whoever is on the line can cause notes with every frame: one of a kind in `NOTE_EVERY_S`."""
        last = self.memory.noted.get(key)
        if last is not None and now.mono - last < NOTE_EVERY_S:
            return False
        self.memory.noted[key] = now.mono
        return True

    def _message(self, now: Tick, way: str, octets: bytes) -> list[object]:
        """What is said over and over is logged once, and so is what strangers say in turns."""
        try:
            name = _SHOWN.get(type(mme.read(octets).mme), "")
        except MmeError:
            return []
        if not name or name == self.memory.said or not self._worth_a_line(now, name):
            return []
        self.memory.said = name
        return [Log("info", "slac.message", {"evse": self.config.id, "way": way, "message": name})]

    def _lost(self) -> list[object]:
        """A modem that has been given up is told once."""
        dead = self.slac is not None and self.slac.modem.state is State.DEAD
        lost, self.memory.lost = self.memory.lost, dead
        return [ModemReady(self.config.id, ready=False, lost="the power-line modem does not answer")] if dead and not lost else []
