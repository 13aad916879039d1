"""ISO 15118-20 beside AC and DC by cable, the charger's side: by grid rules (AC_DER), over a coil (WPT), under an arm (ACDP).

Nothing of it is imported by a station: whoever wants it takes it by its namespace.
"""

from __future__ import annotations

from dataclasses import replace

from iso15118.iso20.other_streams import ACDP_STREAMS, IEC_STREAMS, NAMESPACES, SAE_STREAMS, WPT_STREAMS
from iso15118.iso20.wire import SIDE_STREAMS
from iso15118.messages.iso20 import acdp as acdp_messages
from iso15118.messages.iso20 import dc as dc_messages
from iso15118.messages.iso20 import wpt as wpt_messages
from iso15118.secc.iso20 import acdp, acdp_table, der, wpt, wpt_table
from iso15118.secc.iso20.dialect import CABLE, LOOP_S, Iso20, Rules
from iso15118.secc.iso20.talk import Talk
from iso15118.terms import Energy
from iso15118.v2gtp import ISO20_ACDP_STATUS

_DER = replace(CABLE, handlers={**CABLE.handlers, "ac_parameters": der.parameters, "ac_loop": der.loop})
RULES: dict[Energy, Rules] = {
    Energy.AC_DER_IEC: replace(_DER, streams=IEC_STREAMS),
    Energy.AC_DER_SAE: replace(_DER, streams=SAE_STREAMS),
    Energy.WPT: replace(
        CABLE,
        table=wpt_table.TABLE,
        handlers={**CABLE.handlers, **wpt.over_the_coil(CABLE.handlers)},
        event_of=wpt.event_of,
        requests=CABLE.requests | frozenset(wpt.EVENTS),
        streams=WPT_STREAMS,
        loops=wpt_table.LOOPS,
        between=wpt_table.BETWEEN,
        rounds=(wpt_messages.WPT_ChargeLoopReq,),
    ),
    Energy.ACDP: replace(
        CABLE,
        table=acdp_table.TABLE,
        handlers={
            **CABLE.handlers,
            **acdp.under_the_arm(CABLE.handlers),
            "positioning": acdp.positioning,
            "connect": acdp.connect,
            "disconnect": acdp.disconnect,
            "system_status": acdp.system_status,
        },
        event_of=acdp.event_of,
        requests=CABLE.requests | frozenset(acdp.EVENTS),
        streams=ACDP_STREAMS,
        side_streams={**SIDE_STREAMS, acdp_messages.ACDP_SystemStatusReq: ISO20_ACDP_STATUS},
        loops=acdp_table.LOOPS,
        between=acdp_table.BETWEEN,
        rounds=(dc_messages.DC_ChargeLoopReq,),
    ),
}
"""By the first energy of a namespace."""


def begun(namespace: str, talk: Talk, loop_s: float = LOOP_S) -> Iso20:
    """A new session. Raises KeyError for another namespace; `talk.energies` are those of the namespace."""
    return Iso20(talk, loop_s, RULES[NAMESPACES[namespace][0]])
