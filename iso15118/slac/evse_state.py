"""What an EVSE is told about matching, and what it remembers of each."""

from __future__ import annotations

from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class Options:
    """Of one EVSE."""

    mac: bytes
    """Of the network interface that its modem hangs on."""
    modem: ModemOptions = field(default_factory=ModemOptions)
    correction_dB: float = 0.0
    """What the modem's own path adds to each attenuation; it is taken off (AttnRx of the EVSE)."""
    validation: bool = False
    """A vehicle that asks is validated; without it, it hears that it need not be."""
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
    attenuation_dB: float = 0.0
    why: str = ""
