"""After a session of ISO 15118-2 in which a contract was refused, or none was got: whether the vehicle comes again, and by what it pays then.

    comes = after_refusal(wants, told_in_that_session, now)

That protocol has no warnings: each FAILED ends the session, so that the next way to pay is tried in the next one. ISO 15118-20 goes through its ways within one
session (`iso20.hear_contracts`), in the same order: the other contracts, one that is asked for, a card.
"""

from __future__ import annotations

from collections.abc import Sequence

from iso15118.connection import Now
from iso15118.evcc.iso2.contracts import CERTIFICATE, asking, showable
from iso15118.evcc.terms import AuthorizationRefused, Authorized, ContractInstalled, InstallationFailed, ServicesOffered, Wants
from iso15118.messages.iso2.msg_def import NAMESPACE
from iso15118.terms import DialectChosen, Payment, Told


def after_refusal(wants: Wants, told: Sequence[Told], now: Now) -> bool | None:
    """To be called once, when a session is over, with what it has told. What was refused is not tried again as long as the vehicle stays plugged in.

    True: it comes again, by another way to pay. False: there is none left. None: nothing of this was refused.
    """
    if DialectChosen(NAMESPACE) not in told:
        return None
    refused = False
    for each in told:
        match each:
            case ContractInstalled(contract, update=update):
                wants.refused -= {contract.emaid}
                wants.asked |= {"Update" if update else "Installation"}
            case InstallationFailed(update=update):
                refused, wants.asked = True, wants.asked | {"Update" if update else "Installation"}
            case AuthorizationRefused(Payment.PNC, emaid=emaid):
                refused, wants.refused = True, wants.refused | {emaid}
    if not refused or any(isinstance(each, Authorized) for each in told):
        return None
    installable = any(CERTIFICATE in each.added_services for each in told if isinstance(each, ServicesOffered))
    left = showable(wants, now)
    return bool(left) or (installable and bool(asking(wants, left))) or wants.fall_back


def unplugged(wants: Wants) -> None:
    """Another charger may take what this one has refused."""
    wants.refused = wants.asked = frozenset()
