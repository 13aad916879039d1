"""InstallCertificate, DeleteCertificate, GetInstalledCertificateIds (OCPP 2.1 M03, M04, M05).

What is judged here is then the store's work; the CSMS is answered when it is on disk. Over a line which nobody protects its own roots come and go,
as security profile 2 begins with them (A05), and nothing else does (ours, S-16): whoever sits there could let anybody charge, or sign software.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any, ClassVar

from certs.store import InstalledRoot, OwnUse, RootUse
from chargepoint.commands import DeleteOwn, DeleteRoot, InstallRoot, Log
from chargepoint.events import CertificateStored, RootReplaced, SecurityEvent
from chargepoint.ocpp.block import Block, CallReceived, Context, Later, Reply, answers, hears, refusal, status_info
from chargepoint.ocpp.device_model import Variable
from chargepoint.ocpp.messages import Answer
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

MOST_ENTRIES = 64
"""Certificates that are installed at the same time (ours)."""
CSMS: RootUse = "CSMSRootCertificate"
CHAINS: tuple[OwnUse, ...] = ("V2GCertificate", "V2G20Certificate")
"""What V2GCertificateChain means."""
CHAIN = "V2GCertificateChain"

CERTIFICATE_ENTRIES = Variable(
    "SecurityCtrlr", "CertificateEntries", "integer", "0", "certificates that are installed: roots, and chains of the station's own",
    persistent=False, max=MOST_ENTRIES, source="OCPP 2.1 M05",
)  # fmt: skip
ADDITIONAL_ROOT_CHECK = Variable(
    "SecurityCtrlr", "AdditionalRootCertificateCheck", "boolean", "false",
    "a new root for the CSMS needs the signature of the one that it replaces; only the configuration can say so", source="OCPP 2.1 M05",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that the store works at."""

    message_id: str
    action: str
    replaces: str = ""
    """The root (fingerprint) whose place it takes."""
    deletes: str = ""
    """The root that goes."""


@dataclass(slots=True)
class CertificatesBlockState:
    """What the CSMS waits for, by token."""

    next: int = 0
    pending: dict[str, Pending] = field(default_factory=dict)


class CertificatesBlock(Block):
    """Roots and chains as the CSMS sees them."""

    name: ClassVar[str] = "installed"
    variables: ClassVar[tuple[Variable, ...]] = (CERTIFICATE_ENTRIES, ADDITIONAL_ROOT_CHECK)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: CertificatesBlockState = CertificatesBlockState()
        context.model.compute(CERTIFICATE_ENTRIES, lambda _: str(min(self._entries(), MOST_ENTRIES)))

    def _entries(self) -> int:
        held = self.context.certificates
        return len(held.roots) + sum(1 for each in held.own if each.state != "pending")

    # ---- M05

    @answers("InstallCertificate")
    def install(self, now: Tick, call: CallReceived) -> Reply | Later:
        from chargepoint.ocpp.certificate_rules import Unfit, judge_root  # noqa: PLC0415 a station without certificates carries none of it

        use, pem, held = call.payload["certificateType"], call.payload["certificate"], self.context.certificates
        if use != CSMS and self.context.link.security_profile < 2:
            return refusal("Rejected", "InsecureConnection", f"{use} is installed over security profile 2 or 3 only")
        replaces = self._replaced() if use == CSMS and self.context.model.flag(ADDITIONAL_ROOT_CHECK) else None
        try:
            fingerprint = judge_root(pem, use, self.context.clock.known_utc(now), (replaces,) if replaces else ())
        except Unfit as unfit:
            why = str(unfit)
            return refusal(
                "Rejected", "InvalidCertificate", why, Log("warning", "certificate.refused", {"use": use, "why": why})
            )  # M05.FR.07
        if any((each.use, each.fingerprint) == (use, fingerprint) for each in held.roots):
            return Reply({"status": "Accepted"})
        if self._entries() >= MOST_ENTRIES:
            return refusal("Rejected", "CertificateStoreFull", f"{MOST_ENTRIES} certificates are installed")  # M05.FR.06
        return self._store(call, InstallRoot(self._token(), use, pem), replaces.fingerprint if replaces else "")

    def _replaced(self) -> InstalledRoot | None:
        """The root in whose place a new one comes: the newest, should the one before it still be there."""
        return max(self.context.certificates.trusted(CSMS), key=lambda each: each.not_before_utc, default=None)

    # ---- M04

    @answers("DeleteCertificate")
    def delete(self, now: Tick, call: CallReceived) -> Reply | Later:
        from certs.hash_data import HashDataError  # noqa: PLC0415 as above
        from chargepoint.ocpp import certificate_rules as rules  # noqa: PLC0415

        held = self.context.certificates
        try:
            asked = rules.asked_for(call.payload["certificateHashData"])
        except HashDataError as error:
            return refusal("NotFound", "InvalidValue", str(error))
        for root in held.roots:
            if rules.named(asked, rules.pairs_of_root(root, held.roots)):
                if self.context.link.security_profile < 2 and self._uses(root) != {CSMS}:
                    return refusal("Failed", "InsecureConnection", f"{root.use} is deleted over security profile 2 or 3 only")
                if self._needed(root):
                    return refusal("Failed", "InUse", "the connection to the CSMS stands on this root")  # M04.FR.08 [K]
                return self._store(call, DeleteRoot(self._token(), root.fingerprint), deletes=root.fingerprint)
        for own in held.own:
            pairs = rules.pairs_of_chain(own, held.roots)
            if not rules.named(asked, pairs):
                continue
            if own.use not in CHAINS:
                return refusal("Failed", "NotAllowed", "the station's own certificate for the CSMS is not deleted")  # M04.FR.06
            if self.context.link.security_profile < 2:
                return refusal("Failed", "InsecureConnection", f"{own.use} is deleted over security profile 2 or 3 only")
            if not rules.named(asked, pairs[:1]):
                return refusal("Failed", "InUse", "this sub-CA goes with the chain that it is part of")
            return self._store(call, DeleteOwn(self._token(), own.slot))
        return refusal("NotFound", "NotFound", "no certificate of these hashes is installed")  # M04.FR.04

    def _uses(self, root: InstalledRoot) -> set[RootUse]:
        """The store deletes it for all of them."""
        return {each.use for each in self.context.certificates.roots if each.fingerprint == root.fingerprint}

    def _needed(self, root: InstalledRoot) -> bool:
        """Without it the CSMS would be a stranger. While nobody says which one it is, it may be any."""
        link, trusted = self.context.link, {each.fingerprint for each in self.context.certificates.trusted(CSMS)}
        if link.security_profile < 2 or root.fingerprint not in trusted:
            return False
        going = {each.deletes for each in self.state.pending.values()}
        return link.root in ("", root.fingerprint) or not trusted - going - {root.fingerprint}

    # ---- M03

    @answers("GetInstalledCertificateIds")
    def get_ids(self, now: Tick, call: CallReceived) -> Reply:
        wanted = call.payload.get("certificateType")
        found = [each for each in self._listed() if not wanted or each["certificateType"] in wanted]
        if not found:
            return Reply({"status": "NotFound"})  # M03.FR.02
        return Reply({"status": "Accepted", "certificateHashDataChain": found})

    def _listed(self) -> list[dict[str, Any]]:
        held = self.context.certificates
        if not held.roots and not held.own:
            return []
        from chargepoint.ocpp import certificate_rules as rules  # noqa: PLC0415 as above

        listed: list[dict[str, Any]] = [
            {"certificateType": each.use, "certificateHashData": rules.wire(rules.pairs_of_root(each, held.roots)[0])}
            for each in held.roots
        ]
        for own in held.own:
            if own.use not in CHAINS or own.state != "active":
                continue
            pairs = rules.pairs_of_chain(own, held.roots)
            if pairs:
                leaf, *children = (rules.wire(each) for each in pairs[: 1 + rules.MOST_CHILDREN])
                listed.append({
                    "certificateType": CHAIN,
                    "certificateHashData": leaf,
                    **({"childCertificateHashData": children} if children else {}),  # M03.FR.05
                })  # fmt: skip
        return listed

    # ---- the store

    def _token(self) -> str:
        self.state.next += 1
        return f"{self.name}:{self.state.next}"

    def _store(self, call: CallReceived, command: InstallRoot | DeleteRoot | DeleteOwn, replaces: str = "", deletes: str = "") -> Later:
        self.state.pending[command.token] = Pending(call.message_id, call.action, replaces, deletes)
        return Later([command])

    @hears(CertificateStored)
    def stored(self, now: Tick, event: CertificateStored) -> Sequence[object]:
        pending = self.state.pending.pop(event.token, None)
        if pending is None:
            return ()
        if not event.error:
            replaced = [RootReplaced(pending.replaces)] if pending.replaces else []
            changed = SecurityEvent("ReconfigurationOfSecurityParameters", pending.action)
            return [Answer(pending.message_id, pending.action, {"status": "Accepted"}), *replaced, changed]
        refused = "NotFound" if event.error == "NotFound" else "Failed"
        if pending.action == "InstallCertificate":
            refused = "Rejected" if event.error in ("Invalid", "Full") else "Failed"
        payload = {"status": refused, "statusInfo": status_info("CertificateStore", event.text or event.error)}
        return [
            Answer(pending.message_id, pending.action, payload),
            Log("error", "certificate.not_stored", {"action": pending.action, "why": event.text or event.error}),
        ]
