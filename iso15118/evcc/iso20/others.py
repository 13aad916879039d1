"""ISO 15118-20 beside AC and DC by cable, the vehicle's side: by grid rules (AC_DER), over a coil (WPT), under an arm (ACDP)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from iso15118.evcc.iso20 import der
from iso15118.evcc.iso20.dialect import CABLE, Iso20, Rules
from iso15118.evcc.iso20.table import S
from iso15118.evcc.session import Spoken
from iso15118.evcc.terms import Wants
from iso15118.iso20.other_streams import IEC_STREAMS, NAMESPACE_OF, NAMESPACES, SAE_STREAMS
from iso15118.iso20.version import MAJOR, MINOR
from iso15118.terms import Energy

_DER = replace(
    CABLE,
    table=der.DER_TABLE,
    ask={**CABLE.ask, "ac_parameters": der.ac_parameters, "ac_loop": der.ac_loop},
    hear={**CABLE.hear, S.AC_PARAMETERS: der.hear_parameters, S.AC_LOOP: der.hear_loop, S.AC_STANDBY: der.hear_loop},
)
RULES: dict[Energy, Rules] = {
    Energy.AC_DER_IEC: replace(_DER, streams=IEC_STREAMS),
    Energy.AC_DER_SAE: replace(_DER, streams=SAE_STREAMS),
}


def spoken(wants: Wants) -> tuple[Spoken, ...]:
    """The namespaces for what is wanted of these, in that order."""
    namespaces = dict.fromkeys(NAMESPACE_OF[each] for each in wants.energies if each in NAMESPACE_OF)
    return tuple(Spoken(each, MAJOR, MINOR, _maker(wants, NAMESPACES[each])) for each in namespaces)


def _maker(wants: Wants, energies: tuple[Energy, ...]) -> Callable[[str], Iso20]:
    return lambda _: Iso20(wants, energies, RULES[energies[0]])
