"""The link machine with the blocks that it lives with, on virtual time: the test is the network and the CSMS."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chargepoint.commands import Log, OpenLink
from chargepoint.config import StationConfig
from chargepoint.events import LinkCause, LinkDown, LinkUp
from chargepoint.ocpp.blocks.network import NetworkBlock
from chargepoint.ocpp.blocks.provisioning import ProvisioningBlock
from chargepoint.ocpp.blocks.security import SecurityBlock
from chargepoint.ocpp.blocks.variables import VariablesBlock
from chargepoint.ocpp.credentials import CredentialsMachine
from chargepoint.ocpp.link import LinkMachine
from tests.unit.ocpp.block_rig import CONFIG, NOW, BlockRig

BLOCKS = (VariablesBlock, NetworkBlock, ProvisioningBlock, SecurityBlock)
STEADY = {"OCPPCommCtrlr.RetryBackOffRandomRange": "0"}
"""No chance in the waits."""


def connection(url: str = "ws://other.example/", profile: int = 1, **more: Any) -> dict[str, Any]:
    """NetworkConnectionProfileType."""
    return {
        "ocppInterface": "Wired0",
        "ocppTransport": "JSON",
        "messageTimeout": 30,
        "ocppCsmsUrl": url,
        "securityProfile": profile,
        **more,
    }


def slots(*numbers: int, **more: Any) -> tuple[dict[str, Any], ...]:
    return tuple({"configurationSlot": n, "connectionData": connection(f"ws://csms{n}.example/", **more)} for n in numbers)


class LinkRig(BlockRig):
    """`config.variables` are seeds over STEADY."""

    def __init__(
        self,
        config: StationConfig = CONFIG,
        store: dict[str, dict[str, Any]] | None = None,
        variables: Mapping[str, str] | None = None,
        start: float = 1000.0,
    ) -> None:
        seeds = {**STEADY, **config.variables, **(variables or {})}
        super().__init__(BLOCKS, replace(config, variables=seeds), store if store is not None else {}, start)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.network = next(machine for machine in self.machines if isinstance(machine, NetworkBlock))
        self.credentials = CredentialsMachine(self.context)
        self.link = LinkMachine(self.context, lambda: self.network.state, self.credentials.choose)
        machines: list[Any] = [*self.machines[:2], self.credentials, self.link, *self.machines[2:]]
        self.machines = machines
        self.dials: list[tuple[float, OpenLink]] = []

    def _run(self, waiting_for: Sequence[tuple[Any, object]]) -> list[object]:
        out = super()._run(waiting_for)
        self.dials += [(self.now.mono, command) for command in out if isinstance(command, OpenLink)]
        return out

    def restart(self) -> LinkRig:
        return LinkRig(self.config, self.store, start=50.0)

    # ---- the network

    @property
    def last(self) -> OpenLink:
        return self.dials[-1][1]

    @property
    def dialled(self) -> list[int]:
        """Slots, in order."""
        return [dial.slot for _, dial in self.dials]

    @property
    def waits(self) -> list[float]:
        """From one attempt to the next."""
        times = [at for at, _ in self.dials]
        return [round(later - earlier, 6) for earlier, later in itertools.pairwise(times)]

    def up(self) -> list[object]:
        return self.hear(LinkUp(self.last.attempt, "ocpp2.1"))

    def down(self, cause: LinkCause = "closed", detail: str = "") -> list[object]:
        self.calls.clear()
        return self.hear(LinkDown(self.last.attempt, cause, detail))

    def fail(self, times: int, cause: LinkCause = "refused") -> None:
        """The attempt under way fails, and so do the next ones: `times` in all; then another one is under way."""
        for _ in range(times):
            self.down(cause)
            due = self.link.deadline()
            assert due is not None
            self.advance(due - self.now.mono)

    def accepted(self) -> None:
        """Connected, and the CSMS takes the station on."""
        self.up()
        if "BootNotification" in self.actions():
            self.answer("BootNotification", {"status": "Accepted", "interval": 300, "currentTime": NOW})
        self.accept_all()

    def set(self, name: str, value: str) -> str:
        component, variable = name.split(".")
        entry = {"component": {"name": component}, "variable": {"name": variable}, "attributeValue": value}
        status: str = self.ask("SetVariables", {"setVariableData": [entry]})["setVariableResult"][0]["attributeStatus"]
        return status

    def set_profile(self, slot: int, **data: Any) -> Any:
        return self.ask("SetNetworkProfile", {"configurationSlot": slot, "connectionData": connection(**data)})


def security_event(down: LinkDown) -> str:
    """What the security log makes of it."""
    station = LinkRig()
    station.power_up()
    station.log.clear()
    station.hear(down)
    return next((str(log.values["type"]) for log in station.said(Log) if log.key == "security.event"), "")
