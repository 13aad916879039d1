"""Ways of energy transfer of ISO 15118-20 beside AC and DC by cable: what supportedAppProtocol calls them, and how their messages travel."""

from __future__ import annotations

from collections.abc import Mapping

from iso15118 import v2gtp
from iso15118.iso20.version import AC
from iso15118.iso20.wire import STREAMS
from iso15118.terms import Energy

_SETS = v2gtp.SCHEMA_SETS
NAMESPACES: dict[str, tuple[Energy, ...]] = {
    _SETS[v2gtp.ISO20_AC_DER_IEC]: (Energy.AC_DER_IEC,),
    _SETS[v2gtp.ISO20_AC_DER_SAE]: (Energy.AC_DER_SAE,),
    _SETS[v2gtp.ISO20_WPT]: (Energy.WPT,),
    _SETS[v2gtp.ISO20_ACDP]: (Energy.ACDP, Energy.ACDP_BPT),
}
"""Namespace -> what may be chosen by it."""
NAMESPACE_OF: dict[Energy, str] = {energy: namespace for namespace, energies in NAMESPACES.items() for energy in energies}

IEC_STREAMS: Mapping[str, int] = {**STREAMS, AC: v2gtp.ISO20_AC_DER_IEC}
"""The messages are those of AC, of a schema set that has the members of Amendment 1, too."""
SAE_STREAMS: Mapping[str, int] = {**STREAMS, AC: v2gtp.ISO20_AC_DER_SAE}
WPT_STREAMS: Mapping[str, int] = {**STREAMS, _SETS[v2gtp.ISO20_WPT]: v2gtp.ISO20_WPT}
ACDP_STREAMS: Mapping[str, int] = {**STREAMS, _SETS[v2gtp.ISO20_ACDP]: v2gtp.ISO20_ACDP}
