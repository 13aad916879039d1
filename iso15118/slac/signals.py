"""What the machines of SLAC hear and want: their events and commands. Whoever hosts them carries these to and from the ports."""

from __future__ import annotations

from typing import Literal

from iso15118.frozen import dataclass

# ---- events


@dataclass(frozen=True, slots=True)
class FrameHeard:
    """An Ethernet frame came in."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class PilotSeen:
    """The pilot shows another level now: "A" to "F"."""

    level: str


@dataclass(frozen=True, slots=True)
class Toggled:
    """The toggles that were to be counted are over."""

    count: int


@dataclass(frozen=True, slots=True)
class Begin:
    """The pilot shows 5 %: a vehicle may begin."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The network is to be left: the vehicle has gone, the link is lost, the session sleeps."""

    why: str


@dataclass(frozen=True, slots=True)
class TimerExpired:
    """A deadline was reached. Machines find out which one from `now`."""


SlacEvent = FrameHeard | PilotSeen | Toggled | Begin | Leave | TimerExpired

# ---- commands


@dataclass(frozen=True, slots=True)
class SendFrame:
    """Onto the interface as it is."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class KeyReady:
    """The modem has confirmed the key that it was given last: 5 % may be shown; or it has not, and why."""

    ready: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Matched:
    """The vehicle on this cable is known; it has the key."""

    ev_mac: bytes
    run_id: bytes
    attenuation_dB: float


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """D-LINK_READY, or no more."""

    up: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class MatchFailed:
    """No vehicle has matched."""

    why: str


@dataclass(frozen=True, slots=True)
class CountToggles:
    """Count BCB toggles on the pilot for so long, then say `Toggled`."""

    for_s: float


@dataclass(frozen=True, slots=True)
class ModemSeen:
    """What hangs on the interface; `firmware` in the modem's own words, "" where it does not say."""

    firmware: str
    mac: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """For the log: `key` is one word that stays the same, `words` are for people."""

    level: Literal["debug", "info", "warning", "error"]
    key: str
    words: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A vehicle's: the EVSE that it is on is known, and has given its key."""

    evse_mac: bytes
    run_id: bytes
    attenuation_dB: float


@dataclass(frozen=True, slots=True)
class Toggle:
    """A vehicle's: so often from B to C and back on the pilot, each of them for so long, C first."""

    times: int
    state_s: float


SlacCommand = SendFrame | KeyReady | Matched | LinkChanged | MatchFailed | CountToggles | ModemSeen | Note
EvCommand = SlacCommand | Chosen | Toggle
