"""A station where contracts pay: it trusts a world's mobility operators, and the CSMS has that world behind it."""

from __future__ import annotations

from typing import Any

from bench.csms.pki import EMAID, Roaming
from bench.ev.talking import TalkingEv
from bench.v2g.model import Vehicle
from bench.v2g.pki import NOW, World
from certs.chain import fingerprint
from certs.store import InstalledRoot, RootUse
from chargepoint.commands import Indicate, Log
from chargepoint.events import CertificatesRead, ChargingState
from iso15118.evcc.terms import Contract
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import Control, Energy, Payment
from tests.behaviour.hlc_rig import HlcSite

RESPONDER = "http://ocsp.example/"
ROOTS: dict[str, RootUse] = {"moRoot": "MORootCertificate", "v2gRoot": "V2GRootCertificate", "oemRoot": "OEMRootCertificate"}
KNOWN = ("moRoot", "v2gRoot")


class PncSite(HlcSite):
    """`roots` are those that the station knows, by their names in the tree."""

    def __init__(
        self, mode: Any = "dc", *, kind: Any = "p521", roots: tuple[str, ...] = KNOWN, responder: str = RESPONDER, **more: Any
    ) -> None:
        self.world = World.of(kind, responder=responder)
        self.roaming = Roaming(self.world, clock=lambda: self.heap.now + self.heap.utc_offset)
        super().__init__(mode, utc_s=NOW.timestamp(), right_clock=True, **more)
        self.install(*roots)

    def _csms(self, message_id: str, action: str, payload: Any) -> Any:
        told = self.roaming.answer(message_id, action, payload)
        return super()._csms(message_id, action, payload) if told is None else None if told is False else told

    def install(self, *roots: str) -> None:
        """The store has these, and no others."""
        self.heap.tell(CertificatesRead(tuple(self._root(name) for name in roots)))

    def _root(self, name: str) -> InstalledRoot:
        each = self.world.made[name].certificate
        begins, ends = each.not_valid_before_utc.timestamp(), each.not_valid_after_utc.timestamp()
        return InstalledRoot(ROOTS[name], self.world.made[name].certificate_pem.decode(), fingerprint(each), name, begins, ends)

    def payer(
        self, *contracts: Contract, installs: bool = False, control: Control = Control.DYNAMIC, soc: float = 30.0, **wants: Any
    ) -> Vehicle:
        """A vehicle that pays by these contracts, or by the one that is known. `installs`: it asks for some instead."""
        vehicle = self.vehicle(Energy.DC if self.sim.stage else Energy.AC, control, soc=soc)
        has = contracts or (() if installs else (self.world.contract(EMAID),))
        given = self.world.wants(payment=Payment.PNC, contracts=has, meter=True, **wants)
        if not installs:
            given["provisioning"] = None
        for name, value in given.items():
            setattr(vehicle.wants, name, value)
        return vehicle

    def charges(self) -> bool:
        return self.facts.charging_state is ChargingState.CHARGING and max(map(abs, self.sim.current_A)) > 1.0

    def pays(self, vehicle: Vehicle | None = None, most_s: float = 60.0, **more: Any) -> TalkingEv:
        """Plugged in, and nothing else: until energy flows."""
        ev = self.plug(vehicle or self.payer(), **more)
        self.until(self.charges, most_s)
        return ev

    # ---- what is said

    def codes(self, kind: type[Any] = cm.AuthorizationRes) -> list[str]:
        """Response codes of these answers, without those that are ongoing."""
        said = [message for _, by, message in self.ev.messages if by == "evse" and isinstance(message, kind)] if self.ev else []
        return [each.ResponseCode for each in said if not getattr(each, "EVSEProcessing", "Finished").startswith("Ongoing")]

    def shown(self) -> list[tuple[str, str]]:
        """Why a contract was refused, as the driver was told."""
        return [(each.values["why"], each.values["sentence"]) for _, each in self.at(Indicate) if each.key == "contract.refused"]

    def logged(self, key: str) -> list[dict[str, Any]]:
        return [each.values for _, each in self.at(Log) if each.key == key]

    def set(self, name: str, value: str, component: str = "ISO15118Ctrlr") -> None:
        """The CSMS sets a variable of EVSE 1."""
        evse = {"evse": {"id": 1}} if component == "ISO15118Ctrlr" else {}
        item = {"component": {"name": component, **evse}, "variable": {"name": name}, "attributeValue": value}
        message_id = f"set {name}"[:36]
        self.heap.receive([2, message_id, "SetVariables", {"setVariableData": [item]}])
        self.run(0.1)
        answers = [frame[2] for frame in self.heap.frames if frame[:2] == [3, message_id]]
        assert answers[-1]["setVariableResult"][0]["attributeStatus"] == "Accepted", answers

    def slow(self, action: str, seconds: float) -> None:
        """The CSMS takes so long for this, and for nothing else."""
        csms = self.heap.csms or self._csms

        def late(message_id: str, asked: str, payload: Any) -> Any:
            answer = csms(message_id, asked, payload)
            if asked != action:
                return answer
            self.heap.later(seconds, lambda: self.heap.receive([3, message_id, answer]))
            return None

        self.heap.csms = late

    def offline(self) -> None:
        self.heap.reachable = False
        self.heap.lose_link()
        self.run(0.1)
