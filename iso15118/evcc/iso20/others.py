"""ISO 15118-20 beside AC and DC by cable, the vehicle's side: by grid rules (AC_DER), over a coil (WPT), under an arm (ACDP)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from iso15118.evcc.iso20 import acdp, acdp_table, der, hear_energy, hear_loop, wpt, wpt_table
from iso15118.evcc.iso20.acdp_table import A
from iso15118.evcc.iso20.dialect import CABLE, Iso20, Rules
from iso15118.evcc.iso20.table import S
from iso15118.evcc.iso20.wpt_table import W
from iso15118.evcc.session import Spoken
from iso15118.evcc.terms import Wants
from iso15118.iso20.other_streams import ACDP_STREAMS, IEC_STREAMS, NAMESPACE_OF, NAMESPACES, SAE_STREAMS, WPT_STREAMS
from iso15118.iso20.version import MAJOR, MINOR
from iso15118.iso20.wire import SIDE_STREAMS
from iso15118.messages.iso20 import acdp as acdp_messages
from iso15118.messages.iso20 import wpt as wpt_messages
from iso15118.terms import Energy
from iso15118.v2gtp import ISO20_ACDP_STATUS

_DER = replace(
    CABLE,
    table=der.DER_TABLE,
    ask={**CABLE.ask, "ac_parameters": der.ac_parameters, "ac_loop": der.ac_loop},
    hear={**CABLE.hear, S.AC_PARAMETERS: der.hear_parameters, S.AC_LOOP: der.hear_loop, S.AC_STANDBY: der.hear_loop},
)
RULES: dict[Energy, Rules] = {
    Energy.AC_DER_IEC: replace(_DER, streams=IEC_STREAMS),
    Energy.AC_DER_SAE: replace(_DER, streams=SAE_STREAMS),
    Energy.WPT: replace(
        CABLE,
        table=wpt_table.TABLE,
        ask={
            **CABLE.ask,
            "positioning_setup": wpt.positioning_setup,
            "positioning": wpt.positioning,
            "pairing": wpt.pairing,
            "wpt_parameters": wpt.wpt_parameters,
            "alignment": wpt.alignment,
            "wpt_loop": wpt.wpt_loop,
        },
        hear={
            **CABLE.hear,
            W.POSITIONING_SETUP: wpt.hear_positioning_setup,
            W.POSITIONING: wpt.hear_positioning,
            W.PAIRING: wpt.hear_pairing,
            W.PARAMETERS: wpt.hear_parameters,
            W.ALIGNMENT: wpt.hear_alignment,
            W.LOOP: wpt.hear_loop,
            W.STANDBY: wpt.hear_loop,
            W.METERING: hear_loop.metering_confirmation,
            W.PARKING: hear_loop.parking,
            W.REPLAN: hear_loop.other_schedules,
            W.REPLANNED: hear_loop.other_profile,
            W.TO_STANDBY: hear_energy.power_standby,
        },
        streams=WPT_STREAMS,
        always_aside=(W.REPLAN, S.ARRIVAL, S.DEPARTURE),
        rounds=(wpt_messages.WPT_ChargeLoopReq,),
    ),
    Energy.ACDP: replace(
        CABLE,
        table=acdp_table.TABLE,
        ask={
            **CABLE.ask,
            "positioning": acdp.positioning,
            "connect": acdp.connect,
            "disconnect": acdp.disconnect,
            "system_status": acdp.system_status,
        },
        hear={
            **CABLE.hear,
            A.POSITIONING: acdp.hear_positioning,
            A.CONNECT: acdp.hear_connect,
            A.DISCONNECT: acdp.hear_disconnect,
            A.STATUS: acdp.hear_status,
            S.DC_LOOP: acdp.hear_dc_loop,
        },
        streams=ACDP_STREAMS,
        side_streams={**SIDE_STREAMS, acdp_messages.ACDP_SystemStatusReq: ISO20_ACDP_STATUS},
        always_aside=(*CABLE.always_aside, A.STATUS),
    ),
}
"""By the first energy of a namespace."""


def spoken(wants: Wants) -> tuple[Spoken, ...]:
    """The namespaces for what is wanted of these, in that order."""
    namespaces = dict.fromkeys(NAMESPACE_OF[each] for each in wants.energies if each in NAMESPACE_OF)
    return tuple(Spoken(each, MAJOR, MINOR, _maker(wants, NAMESPACES[each])) for each in namespaces)


def _maker(wants: Wants, energies: tuple[Energy, ...]) -> Callable[[str], Iso20]:
    return lambda _: Iso20(wants, energies, RULES[energies[0]])
