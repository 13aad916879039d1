"""ISO 15118-20 beside AC and DC by cable, the charger's side: by grid rules (AC_DER), over a coil (WPT), under an arm (ACDP).

Nothing of it is imported by a station: whoever wants it takes it by its namespace.
"""

from __future__ import annotations

from dataclasses import replace

from iso15118.iso20.other_streams import IEC_STREAMS, NAMESPACES, SAE_STREAMS
from iso15118.secc.iso20 import der
from iso15118.secc.iso20.dialect import CABLE, LOOP_S, Iso20, Rules
from iso15118.secc.iso20.talk import Talk
from iso15118.terms import Energy

_DER = replace(CABLE, handlers={**CABLE.handlers, "ac_parameters": der.parameters, "ac_loop": der.loop})
RULES: dict[Energy, Rules] = {
    Energy.AC_DER_IEC: replace(_DER, streams=IEC_STREAMS),
    Energy.AC_DER_SAE: replace(_DER, streams=SAE_STREAMS),
}


def begun(namespace: str, talk: Talk, loop_s: float = LOOP_S) -> Iso20:
    """A new session. Raises KeyError for another namespace; `talk.energies` are those of the namespace."""
    return Iso20(talk, loop_s, RULES[NAMESPACES[namespace][0]])
