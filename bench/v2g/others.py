"""What a bench speaks beside `iso15118.protocols`: ways of energy transfer of ISO 15118-20 that no station has (AC by grid rules, WPT, ACDP).

chargepoint secc --service ac-der-iec      # or ac-der-sae, wpt, acdp, acdp-bpt
"""

from __future__ import annotations

from iso15118.evcc import speak as speak_ev
from iso15118.evcc.iso20 import others as evcc
from iso15118.evcc.session import Spoken as Offered
from iso15118.evcc.terms import Wants
from iso15118.iso20.other_streams import NAMESPACES
from iso15118.iso20.version import MAJOR, MINOR
from iso15118.protocols import BY_NAMESPACE, Spoken
from iso15118.secc import speak
from iso15118.secc.iso20 import others as secc
from iso15118.secc.iso20.dialect import LOOP_S
from iso15118.secc.iso20.talk import Talk
from iso15118.terms import PLAIN, Energy


def protocol(namespace: str) -> Spoken:
    """As supportedAppProtocol says it."""
    if namespace in NAMESPACES:
        mode = "dc" if NAMESPACES[namespace][0].is_dc else "ac"
        return Spoken(namespace, MAJOR, MINOR, (mode,))
    return BY_NAMESPACE[namespace]


def begun(namespace: str, host: speak.Host, loop_s: float = LOOP_S) -> speak.Dialect:
    """A new session of a charger."""
    if namespace in NAMESPACES:
        talk = Talk(host.facts, NAMESPACES[namespace], host.fresh_id, host.challenge, host.paused, pnc=host.verified)
        return secc.begun(namespace, talk, loop_s)
    return speak.begun(namespace, host, loop_s)


def spoken(wants: Wants) -> tuple[Offered, ...]:
    """What a vehicle offers: these, best first, and then what it speaks by cable."""
    found = evcc.spoken(wants)
    return found if found and not any(each in PLAIN for each in wants.energies) else (*found, *speak_ev.spoken(wants))


def namespaces(energies: tuple[Energy, ...]) -> tuple[str, ...]:
    """Those of what is offered, and of no cable."""
    return tuple(namespace for namespace, these in NAMESPACES.items() if any(each in energies for each in these))
