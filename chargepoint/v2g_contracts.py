"""Plug & Charge at one EVSE, between its sessions and the station: contracts that are shown, and that are asked for (ISO 15118, OCPP 2.1 C07, M01, M02).

A session judges what it can by `Trust`; whether the contract pays is for the authorize machine to say, and what is installed comes through the CSMS. Both
are asked with a number, so that an answer that comes late finds nobody. But what a provisioning service has made is for the certificate that has asked for it,
in whichever session: a vehicle that comes again finds its question, or the answer (`Question`).

Where a refusal ends its session (ISO 15118-2), a vehicle comes again with the same contract, and not for ever: after the second time it is offered to pay
otherwise, as long as it is plugged in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs.hash_data import ocsp_requests
from certs.reading import readable
from certs.store import InstalledRoot, RootUse
from chargepoint.authorize_contract import indicated
from chargepoint.authorize_rules import EMAID, plain, same_token
from chargepoint.commands import Log
from chargepoint.events import (
    CertificateHash,
    Contract,
    ContractJudged,
    ContractPresented,
    ContractsAllowed,
    IdToken,
    InstallationAnswered,
    InstallationWanted,
    StopRequested,
)
from chargepoint.facts import CertificateFacts, EvseFacts
from chargepoint.tick import Tick
from chargepoint.v2g_state import Contracts, Question
from iso15118.terms import ContractRefused, ContractShown, Facts, InstallationAsked, InstallationRefused, Payment, Progress, Told
from iso15118.trust import Refusal, Trust

CONTRACT_ROOTS: tuple[RootUse, ...] = ("MORootCertificate", "V2GRootCertificate")
"""Where contracts may end."""
OEM_ROOTS: tuple[RootUse, ...] = ("OEMRootCertificate",)
ASKED_S = 300.0
"""So long a question of a vehicle stands, and its answer is kept."""
MOST_VAIN = 8
"""eMAIDs that are refused at one plug-in; a vehicle that has more of them has spent them all."""
_EIM = (Payment.EIM,)
_PNC = (Payment.PNC, Payment.EIM)


# ---- what is so, for the session


def refresh(
    facts: Facts, s: Contracts, evse: EvseFacts, certificates: CertificateFacts, *, clock_known: bool, offered: bool, p256: bool = False
) -> None:
    """What changes. `offered`: the vehicle has been told its ways to pay, and chooses among them: those hold, whatever has changed meanwhile.

    `p256`: keys of ISO 15118-2 are taken, too.
    """
    allowed, roots = s.allowed, certificates.roots
    if not offered:
        s.offers_pnc = allowed is not None and allowed.pnc and not s.spent and _free_for_contracts(evse)
        s.offers_installation = s.offers_pnc and allowed is not None and allowed.installation
        facts.providers = allowed.providers if allowed is not None else ()
    facts.payments = _PNC if s.offers_pnc else _EIM
    facts.certificate_installation = s.offers_installation
    central = allowed is not None and allowed.central
    facts.trust = _trust(roots, certificates.revoked, central=central, clock_known=clock_known, peer_profile=p256)
    facts.contract, facts.contract_refusal = _contract(s, evse), s.refusal or Refusal.NOT_ACCEPTED
    facts.installation, facts.installation_res = s.installation, s.installation_res
    facts.installation_remaining, facts.installation_refusal = s.remaining, s.installation_refusal


def _free_for_contracts(evse: EvseFacts) -> bool:
    """Somebody who has been authorised otherwise pays: then a contract is not asked for."""
    return all(each is None or each.type == EMAID for each in (evse.id_token, evse.owner))


def _contract(s: Contracts, evse: EvseFacts) -> Progress:
    if not s.emaid:
        return Progress.NOT_ASKED
    if s.refusal is not None:
        return Progress.FAILED
    pays = evse.id_token is not None and same_token(evse.id_token, IdToken(s.emaid, EMAID))
    return Progress.DONE if s.pays and pays and evse.settled else Progress.UNDER_WAY


@lru_cache(maxsize=16)
def _trust(roots: tuple[InstalledRoot, ...], revoked: frozenset[str], *, central: bool, clock_known: bool, peer_profile: bool) -> Trust:
    known = _ders(roots, CONTRACT_ROOTS), _ders(roots, OEM_ROOTS)
    return Trust(*known, revoked, central=central, clock_known=clock_known, peer_profile=peer_profile)


def _ders(roots: tuple[InstalledRoot, ...], uses: tuple[RootUse, ...]) -> tuple[bytes, ...]:
    read = (each for root in roots if root.use in uses for each in readable(root.pem.encode()))
    return tuple(dict.fromkeys(each.public_bytes(Encoding.DER) for each in read))


# ---- what the session tells


def shown(s: Contracts, evse: EvseFacts, told: ContractShown) -> list[object]:
    """A contract: whoever pays for it is asked."""
    s.number, s.emaid, s.refusal, s.pays, s.lasting = s.number + 1, told.emaid, None, False, False
    contract = Contract(evse.evse_id, s.number, _pem(told.chain), _hashes(told.path), bool(told.path), told.why)
    log = Log("info", "v2g.contract", {"evse": evse.evse_id, "emaid": told.emaid, "found": told.why})
    return [log, ContractPresented(evse.evse_id, told.emaid, contract)]


def refused(s: Contracts, evse: EvseFacts, told: ContractRefused) -> list[object]:
    """One that is not taken."""
    _keep(s, told.emaid, told.refusal, told.sentence)
    values = {"evse": evse.evse_id, "emaid": told.emaid, "refusal": told.refusal.value, "why": told.why}
    return [Log("warning", "v2g.contract_refused", values)]


def _keep(s: Contracts, emaid: str, refusal: Refusal, sentence: str) -> None:
    """The first is the one that the vehicle would have paid with. What the driver has read stands."""
    key = _key(emaid, sentence)
    if sentence and s.unsaid is None and key not in s.said and len(s.said) < MOST_VAIN:
        s.unsaid, s.unsaid_sentence, s.unsaid_key = refusal, sentence, key


def say(s: Contracts, evse: EvseFacts) -> list[object]:
    """The vehicle shows no other contract: one sentence for its driver, however many have been refused."""
    if s.unsaid is None:
        return []
    shown, s.unsaid = indicated(evse.evse_id, s.unsaid, s.unsaid_sentence), None
    s.said = (*s.said, s.unsaid_key)
    return [shown]


def over(s: Contracts, told: Iterable[Told]) -> None:
    """A session has ended with these words. What nobody could tell, or what is of the moment, may be otherwise the next time."""
    for each in told:
        if isinstance(each, ContractRefused) and (s.lasting or not s.emaid):
            key = _key(each.emaid)
            s.spent = s.spent or key in s.vain or len(s.vain) >= MOST_VAIN
            s.vain = s.vain if s.spent else (*s.vain, key)


def _key(emaid: str, sentence: str = "") -> str:
    """Of an eMAID, however it is written, and of what was said of it: nobody has to read it out of what is remembered."""
    return sha256(f"{plain(IdToken(emaid, EMAID))} {sentence}".encode()).hexdigest()


def asked(s: Contracts, now: Tick, evse: EvseFacts, told: InstallationAsked) -> list[object]:
    """A vehicle wants contracts. What it has asked for before is not asked for again: it waits for the same answer, or has it."""
    s.installation, s.installation_res, s.remaining = Progress.UNDER_WAY, b"", None
    what, before, leaf = "update" if told.update else "installation", s.question, question(told)
    log = Log("info", f"v2g.{what}", {"evse": evse.evse_id, "pcid": told.pcid, "number": told.number, "most": told.maximum})
    if before is not None and before.leaf == leaf and told.certificate and now.mono - before.since < ASKED_S:
        late = [InstallationAnswered(evse.evse_id, s.asked, before.installation_res, before.remaining)] if before.installation_res else []
        return [log, *late]
    s.asked, s.question = s.asked + 1, Question(leaf, now.mono)
    return [log, InstallationWanted(evse.evse_id, s.asked, told.namespace, told.octets, told.maximum, told.emaids, told.update)]


def question(told: InstallationAsked) -> str:
    """Who asks, and for what."""
    what = (told.namespace, told.update, told.maximum, told.emaids)
    return sha256(told.certificate + repr(what).encode()).hexdigest()


def not_installed(s: Contracts, evse: EvseFacts, told: InstallationRefused) -> list[object]:
    """What was asked for is not given, or nobody waits for it any longer."""
    s.installation = Progress.NOT_ASKED if s.installation is Progress.UNDER_WAY else s.installation
    return [Log("warning", "v2g.installation_refused", {"evse": evse.evse_id, "refusal": told.refusal.value, "why": told.why})]


# ---- what the station answers


def heard(s: Contracts, evse: EvseFacts, event: ContractJudged | InstallationAnswered | ContractsAllowed) -> list[object]:
    """What is so from now on; what answers an earlier question is not. Whose session is over meanwhile reads at once why."""
    match event:
        case ContractsAllowed():
            s.allowed = event
        case ContractJudged(number=number, refusal=refusal) if number == s.number and s.emaid:
            s.refusal, s.pays, s.lasting = refusal, refusal is None, event.lasting
            if refusal is None:
                s.unsaid, s.paid = None, s.emaid
            else:
                _keep(s, s.emaid, refusal, event.sentence)
        case ContractJudged(number=number, refusal=refusal, sentence=sentence) if number == s.number and refusal and sentence:
            return [indicated(evse.evse_id, refusal, sentence)]
        case InstallationAnswered(number=number) if number == s.asked and s.installation is Progress.UNDER_WAY:
            s.installation = Progress.DONE if event.octets else Progress.FAILED
            s.installation_res, s.remaining, s.installation_refusal, s.question = event.octets, event.remaining, event.refusal, None
        case InstallationAnswered(number=number) if number == s.asked and s.question is not None:
            late = replace(s.question, installation_res=event.octets, remaining=event.remaining)
            s.question = late if event.octets else None
            return [Log("info", "v2g.installation_late", {"evse": evse.evse_id, "octets": len(event.octets)})]
    return []


def withdrawn(s: Contracts, evse: EvseFacts, connection: int) -> list[object]:
    """The vehicle on this connection is not served any longer: what its contract has authorised ends, also where its session has already."""
    theirs = evse.vehicle is not None and evse.vehicle.connection == connection
    if not (theirs and s.paid and evse.id_token is not None and same_token(evse.id_token, IdToken(s.paid, EMAID))):
        return []
    return [StopRequested(evse.evse_id, "DeAuthorized")]


def left(s: Contracts) -> None:
    """Unplugged: the next vehicle may be another one."""
    s.paid, s.said, s.vain, s.spent, s.question = "", (), (), False, None


def forget(s: Contracts) -> None:
    """What belonged to one session; numbers go on."""
    s.emaid, s.refusal, s.pays, s.unsaid, s.lasting = "", None, False, None, False
    s.installation, s.installation_res, s.remaining = Progress.NOT_ASKED, b"", None


def _pem(chain: tuple[bytes, ...]) -> str:
    return "".join(x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM).decode() for each in chain)


def _hashes(path: tuple[bytes, ...]) -> tuple[CertificateHash, ...]:
    certificates = [x509.load_der_x509_certificate(each) for each in path]
    return tuple(CertificateHash(*each.hash_data, each.responder_url) for each in ocsp_requests(certificates))
