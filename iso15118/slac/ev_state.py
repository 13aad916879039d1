"""What a vehicle is told about matching, and what it remembers of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, field
from typing import Any

from iso15118.frozen import dataclass
from iso15118.slac import mme, times
from iso15118.slac.layout import Mme
from iso15118.slac.modem_table import ModemOptions

MOST_EVSES = 64
"""That one run takes note of."""

ALIKE_DB = 3.0
"""Two EVSEs whose mean attenuations differ by no more are alike. Ours: what modems, their coupling and a cable's place next to another one make of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvOptions:
    """Of one vehicle."""

    mac: bytes
    """Of the network interface that its modem hangs on."""
    modem: ModemOptions = field(default_factory=ModemOptions)
    interval_s: float = times.TP_EV_BATCH_MSG_INTERVAL_S[0]
    """TP_EV_batch_msg_interval, 20 to 50 ms."""
    toggle_s: float = 0.3
    """TP_EV_vald_state_duration, 200 to 400 ms."""
    unvalidated: bool = True
    """One that may be it, and says that it need not be validated, is taken, unless another one is as near."""
    amplitudes: bytes = b""
    """An amplitude map that the EVSE gets once the link is up; none: it gets none."""


@dataclass(slots=True)
class Told:
    """What one EVSE has said."""

    attenuation_dB: float
    refused: bool = False
    """It was asked, and is not the one."""


@dataclass(slots=True)
class Run:
    """One matching, from CM_SLAC_PARM.REQ on."""

    run_id: bytes = b""
    began: float = 0.0
    """When the first CM_START_ATTEN_CHAR.IND was sent."""
    sent: int = 0
    """Of it and of the sounds."""
    answered: list[bytes] = field(default_factory=list)
    """By whom; MAC addresses, as below."""
    told: dict[bytes, Told] = field(default_factory=dict)
    chosen: bytes = b""
    toggles: int = 0

    def answer(self, evse: bytes) -> None:
        """CM_SLAC_PARM.CNF has come."""
        if evse not in self.answered and len(self.answered) < MOST_EVSES:
            self.answered.append(evse)

    def tell(self, evse: bytes, aag: bytes) -> None:
        """CM_ATTEN_CHAR.IND has; the first one counts."""
        if evse not in self.told and len(self.told) < MOST_EVSES:
            self.told[evse] = Told(sum(aag) / len(aag))

    def nearest(self) -> tuple[bytes, Told] | None:
        """Of those that are left."""
        left = [(told.attenuation_dB, evse) for evse, told in self.told.items() if not told.refused]
        return (min(left)[1], self.told[min(left)[1]]) if left else None

    def is_one_of_several(self, evse: bytes) -> bool:
        """Another one is about as near: that it is the nearest proves nothing. One that was asked and is not it counts as well, for its answer may be lost."""
        own = self.told[evse].attenuation_dB
        return any(abs(each.attenuation_dB - own) <= ALIKE_DB for other, each in self.told.items() if other != evse)

    def complete(self) -> bool:
        """All who have answered have told, and nobody can be nearer than what is near enough."""
        nearest = self.nearest()
        near = nearest is not None and nearest[1].attenuation_dB <= times.C_EV_MATCH_SIGNALATTN_DIRECT_DB
        return near and all(evse in self.told for evse in self.answered)

    def sound(self, own: bytes, random: bytes) -> Mme:
        """The next of three announcements and ten sounds."""
        self.sent += 1
        if self.sent <= times.C_EV_START_ATTEN_CHAR_INDS:
            return mme.StartAttenCharInd(forwarding_sta=own, run_id=self.run_id)
        return mme.MnbcSoundInd(count=SOUNDS - self.sent, run_id=self.run_id, random=random)

    def saved(self) -> dict[str, Any]:
        """In JSON's types."""
        told = {evse.hex(): asdict(each) for evse, each in self.told.items()}
        plain = {name: getattr(self, name) for name in ("began", "sent", "toggles")}
        octets = {"run_id": self.run_id.hex(), "chosen": self.chosen.hex()}
        return {**plain, **octets, "answered": [each.hex() for each in self.answered], "told": told}

    @classmethod
    def restored(cls, saved: dict[str, Any]) -> Run:
        """As `saved` left it."""

        def told() -> Iterator[tuple[bytes, Told]]:
            for evse, each in saved["told"].items():
                yield bytes.fromhex(evse), Told(**each)

        octets = {name: bytes.fromhex(saved[name]) for name in ("run_id", "chosen")}
        return cls(**{**saved, **octets, "answered": [bytes.fromhex(each) for each in saved["answered"]], "told": dict(told())})


SOUNDS = times.C_EV_START_ATTEN_CHAR_INDS + times.C_EV_MATCH_MNBC
"""And announcements."""
