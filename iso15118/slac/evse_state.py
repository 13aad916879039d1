"""What an EVSE is told about matching, and what it remembers of each."""

from __future__ import annotations

import enum
from dataclasses import asdict, field
from typing import Any

from iso15118.frozen import dataclass
from iso15118.slac import mme, times
from iso15118.slac.evse_table import State
from iso15118.slac.modem_table import ModemOptions

MISSED = {
    State.ASKED: "no CM_START_ATTEN_CHAR.IND came",
    State.SOUNDING: "none of its sounds was heard",
    State.TOLD: "no CM_ATTEN_CHAR.RSP came",
    State.KNOWN: "it chose nobody, or another EVSE",
    State.COUNTING: "its toggles were not counted",
    State.MATCHED: "it has not joined the network",
}
"""What did not come, by how far a matching had."""


class Result(enum.IntEnum):
    """Of CM_VALIDATE.CNF."""

    NOT_READY = 0
    READY = 1
    SUCCESS = 2
    FAILURE = 3
    NOT_REQUIRED = 4


TOGGLES_LATE_S = times.TT_EVSE_VALD_TOGGLE_S + 0.5
"""The host has counted by then."""
JOINING_S, JOINED_S = 0.25, 1.0
"""So often the modem is asked for its link, until it is up and after."""
ANEW_S = 2.0
"""A vehicle that has the key and not the link yet begins anew after this. Ours: one that CM_SLAC_MATCH.CNF has not reached has asked for it three times by
then and goes on for TT_matching_repetition, and one that it has reached is joining the network: what asks in its name is somebody else.
"""
MOST_MATCHINGS = 160
"""At once; C_EVSE_match_parallel wants 5. A station's port lets 250 frames a second in, and one that has only asked and begun lasts a second at most: at that
rate nobody has to give way. To a new one gives way all the same: of those of whom no sound was heard the oldest, else the older one of a vehicle with two,
else the oldest that decides; without any, nobody does.
"""
MOST_RUNS = 2
"""Of one vehicle: what it has given up, and what it has begun. Of more the one that has come least far gives way, and of those the youngest: what asks
again and again in a vehicle's name ends nothing that the vehicle has begun.
"""
_FARNESS = tuple(State)


@dataclass(frozen=True, slots=True)
class Options:
    """Of one EVSE."""

    mac: bytes
    """Of the network interface that its modem hangs on."""
    modem: ModemOptions = field(default_factory=ModemOptions)
    correction_dB: float = 0.0
    """What the modem's own path adds to each attenuation; it is taken off (AttnRx of the EVSE)."""
    validation: bool = False
    """A vehicle that asks is validated, and one whose toggles were not counted gets no key. Not to ask is legal up to C_EV_match_signalattn_direct only, as
    this station has measured it. Without it a vehicle that asks hears that it need not be, and gets the key up to C_EV_match_signalattn_indirect.
    """
    init_s: float = times.TT_EVSE_SLAC_INIT_S[1]
    """TT_EVSE_SLAC_init, 20 to 50 s."""
    amplitudes: bytes = b""
    """An amplitude map that vehicles get once the link is up, one octet of 0 to 15 a carrier; none: they get none."""
    anew_when_linked: bool = False
    """CM_SLAC_PARM.REQ of the vehicle that has the link begins anew. A station does not take it: anybody on the line can send one in its name, and a
    vehicle that has really left is missed by the modem soon."""


@dataclass(slots=True)
class Matching:
    """With one vehicle. Times are `Now.mono`."""

    ev_mac: bytes
    run_id: bytes
    state: State = State.ASKED
    due: float | None = None
    sums: list[int] = field(default_factory=lambda: [0] * mme.GROUPS)
    """Of each group of carriers, over all sounds heard; dB."""
    heard: int = 0
    tries: int = 0
    toggles: int = 0
    validated: bool | None = None
    """Whether its toggles were counted; None: it has not shown any."""
    attenuation_dB: float = 0.0
    """As the vehicle was told it, which decides by the same number."""
    why: str = ""

    def told(self, correction_dB: float) -> mme.AttenCharInd:
        """The means of all sounds."""
        means = [min(max(0.0, each / self.heard - correction_dB), 255.0) for each in self.sums]
        aag = bytes(round(each) for each in means)
        self.attenuation_dB = sum(aag) / len(aag)
        return mme.AttenCharInd(source_address=self.ev_mac, run_id=self.run_id, num_sounds=self.heard, aag=aag)

    def may_begin_anew(self, ev_mac: bytes, run_id: bytes, mono: float) -> bool:
        """CM_SLAC_PARM.REQ may take the key away from the vehicle that has it. One whose link was up has no time to join any more."""
        if ev_mac != self.ev_mac:
            return False
        return self.due is None or (run_id != self.run_id and self.due - mono <= times.TT_MATCH_JOIN_S - ANEW_S)

    def may_match(self, *, validation: bool) -> bool:
        """It is as near as a vehicle on our cable, and has shown itself where it has to."""
        if self.attenuation_dB > times.C_EV_MATCH_SIGNALATTN_INDIRECT_DB:
            return False
        near = self.validated is None and self.attenuation_dB <= times.C_EV_MATCH_SIGNALATTN_DIRECT_DB
        return self.validated or near or not validation

    def counted(self) -> mme.ValidateCnf:
        """The toggles are over."""
        self.validated = self.toggles > 0
        return mme.ValidateCnf(toggle_num=min(self.toggles, 255), result=Result.SUCCESS if self.validated else Result.FAILURE)

    def saved(self) -> dict[str, Any]:
        """In JSON's types."""
        return {**asdict(self), "state": self.state.name, "ev_mac": self.ev_mac.hex(), "run_id": self.run_id.hex()}

    @classmethod
    def restored(cls, saved: dict[str, Any]) -> Matching:
        """As `saved` left it."""
        octets = {name: bytes.fromhex(saved[name]) for name in ("ev_mac", "run_id")}
        return cls(**{**saved, **octets, "state": State[saved["state"]], "sums": list(saved["sums"])})


class Matchings(list[Matching]):
    """All that are under way, the oldest first."""

    def at(self, state: State) -> list[Matching]:
        return [each for each in self if each.state is state]

    def of(self, ev_mac: bytes, run_id: bytes) -> Matching | None:
        return next((each for each in self if each.ev_mac == ev_mac and each.run_id == run_id), None)

    def matched_with(self, ev_mac: bytes) -> bool:
        return any(each.ev_mac == ev_mac for each in self.at(State.MATCHED))

    def _runs(self, ev_mac: bytes) -> list[Matching]:
        return [each for each in self if each.ev_mac == ev_mac]

    def _doubled(self) -> list[Matching]:
        """Of vehicles with as many as they may have; of a run that counts toggles nothing is taken away."""
        return [each for each in self if each.state is not State.COUNTING and len(self._runs(each.ev_mac)) >= MOST_RUNS]

    def begun(self, ev_mac: bytes, run_id: bytes) -> Matching | None:
        """One more; None: there is no room for it."""
        own = self._runs(ev_mac)
        if len(own) >= MOST_RUNS:
            self.remove(_least(own[::-1]))
        elif len(self) >= MOST_MATCHINGS:
            mute = [each for each in self if each.state in (State.ASKED, State.SOUNDING) and not each.heard]
            way = [_least(mute)] if mute else [*self._doubled(), *self.at(State.KNOWN)]
            if not way:
                return None
            self.remove(way[0])
        self.append(Matching(ev_mac, run_id))
        return self[-1]

    def saved(self) -> list[dict[str, Any]]:
        """In JSON's types."""
        return [each.saved() for each in self]

    @classmethod
    def restored(cls, saved: list[dict[str, Any]]) -> Matchings:
        """As `saved` left them."""
        return cls(map(Matching.restored, saved))


def _least(of: list[Matching]) -> Matching:
    """That has come least far; of those the first."""
    return min(of, key=lambda each: _FARNESS.index(each.state))
