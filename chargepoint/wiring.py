"""Which machines there are, in which order they hear an event, and which events each of them takes: the wiring of the station.

The order matters where one machine writes a fact that another one reads on the same event: values before those who read them, the link
before those who ask whether it is up, and the RPC machine last, when all that is to be sent is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, fields
from typing import Any, Protocol, runtime_checkable

from chargepoint.authorize import AuthorizeMachine
from chargepoint.certificates import CertificatesMachine
from chargepoint.clock import WallClock
from chargepoint.config import EvseConfig, StationConfig
from chargepoint.entropy import Entropy
from chargepoint.events import TimerExpired
from chargepoint.evse import EvseMachine
from chargepoint.facts import EvseFacts, LinkFacts
from chargepoint.machine import Machine
from chargepoint.ocpp.block import Block, Context
from chargepoint.ocpp.blocks.authorization import AuthorizationBlock
from chargepoint.ocpp.blocks.availability import AvailabilityBlock
from chargepoint.ocpp.blocks.certificates import CertificatesBlock
from chargepoint.ocpp.blocks.contracts import ContractsBlock
from chargepoint.ocpp.blocks.data_transfer import DataTransferBlock
from chargepoint.ocpp.blocks.inventory import InventoryBlock
from chargepoint.ocpp.blocks.local_list import LocalListBlock
from chargepoint.ocpp.blocks.meter_values import MeterValues, SamplingRows
from chargepoint.ocpp.blocks.network import LinkRows, NetworkBlock
from chargepoint.ocpp.blocks.problems import ProblemsBlock
from chargepoint.ocpp.blocks.provisioning import ProvisioningBlock
from chargepoint.ocpp.blocks.remote_control import RemoteControlBlock
from chargepoint.ocpp.blocks.renewal import RenewalBlock
from chargepoint.ocpp.blocks.reports import ReportsBlock
from chargepoint.ocpp.blocks.reset import ResetBlock
from chargepoint.ocpp.blocks.security import SecurityBlock
from chargepoint.ocpp.blocks.transactions import TransactionRows, Transactions
from chargepoint.ocpp.blocks.variables import VariablesBlock
from chargepoint.ocpp.blocks.vehicle import VehicleBlock
from chargepoint.ocpp.credentials import CredentialsMachine
from chargepoint.ocpp.device_model import DeviceModel
from chargepoint.ocpp.link import LinkMachine
from chargepoint.ocpp.messages import CallReceived
from chargepoint.ocpp.outbox import Outbox
from chargepoint.ocpp.rpc import Rpc
from chargepoint.ocpp.vendors import Vendor, by_id
from chargepoint.transaction import TransactionMachine
from hal.types import BoardInfo
from iso15118.frozen import dataclass

FIRST_BLOCKS: tuple[type[Block], ...] = (VariablesBlock, NetworkBlock)
"""Before the link machine: what it reads stands."""
BLOCKS: tuple[type[Block], ...] = (
    ProvisioningBlock,
    SecurityBlock,
    CertificatesBlock,
    RenewalBlock,
    AvailabilityBlock,
    ProblemsBlock,
    AuthorizationBlock,
    LocalListBlock,
    RemoteControlBlock,
    Transactions,
    MeterValues,
    VehicleBlock,
    ContractsBlock,
    ReportsBlock,
    InventoryBlock,
    DataTransferBlock,
    ResetBlock,
)


@runtime_checkable
class Remembers(Protocol):
    """Has a `state` that a snapshot holds."""

    state: Any


class Shared:
    """A plain dataclass that several machines hold: its `state` is itself, and is set field by field so that all still hold the same one."""

    def __init__(self, value: Any) -> None:
        self.value = value

    @property
    def state(self) -> Any:
        """The dataclass."""
        return self.value

    @state.setter
    def state(self, value: Any) -> None:
        for each in fields(value):
            setattr(self.value, each.name, getattr(value, each.name))


@dataclass(slots=True)
class Wiring:
    """Machines by name, in the order in which they hear; and who takes what."""

    context: Context
    machines: dict[str, Machine]
    rpc: Rpc
    routes: dict[type, tuple[str, ...]]
    """ROUTES: event class -> names of the machines that take it, in order."""
    answers: dict[str, str]
    """Action of the CSMS -> the block that answers."""
    _takers: dict[type, tuple[Machine, ...]] = field(default_factory=dict)

    def takers(self, event: object) -> tuple[Machine, ...]:
        """The machines that take this event. A call of the CSMS goes to the one block that answers it."""
        if isinstance(event, CallReceived):
            name = self.answers.get(event.action)
            return (self.machines[name],) if name else ()
        kind = type(event)
        found = self._takers.get(kind)
        if found is None:
            found = self._takers[kind] = tuple(self.machines[name] for name in self.routes.get(kind, ()))
        return found

    def guarded(self, machine: Machine) -> bool:
        """Whether a bug in it is kept to itself: what speaks with the CSMS must not take the contactor's keeper down with it."""
        return isinstance(machine, (Block, LinkMachine, CredentialsMachine, Rpc))

    def remembering(self) -> Iterator[tuple[str, Remembers]]:
        """All that a snapshot holds, by name."""
        context = self.context
        yield "clock", Shared(context.clock)
        yield "entropy", Shared(context.entropy)
        yield "link_facts", Shared(context.link)
        yield "certificate_facts", Shared(context.certificates)
        for evse_id, facts in context.evses.items():
            yield f"evse_facts:{evse_id}", Shared(facts)
        yield "device_model", context.model
        yield from self.machines.items()


def build(config: StationConfig, board: BoardInfo, vendors: Iterable[Vendor] = ()) -> Wiring:
    """The machines of a station on this board. Raises KeyError when the board has no EVSE of a configured id, ValueError for vendors that collide."""
    evses = {evse.id: EvseFacts(evse.id) for evse in config.evses}
    blocks = (*BLOCKS, *(_talking() if any(evse.v2g.interface for evse in config.evses) else ()))
    model = DeviceModel((row for block in (*FIRST_BLOCKS, *blocks) for row in block.variables), evses)
    context = Context(config, model, WallClock(), Entropy(), evses, LinkFacts(), vendors=by_id(vendors))
    machines: dict[str, Machine] = {block.name: block(context) for block in FIRST_BLOCKS}
    machines["certificates"] = CertificatesMachine(context.certificates, context.clock, config.certificates.expiring_days)
    network = machines[NetworkBlock.name]
    machines["credentials"] = credentials = CredentialsMachine(context)
    machines["link"] = LinkMachine(context, lambda: network.state, credentials.choose)
    machines |= {f"evse:{evse.id}": _evse(evse.id, context, board) for evse in config.evses}
    machines |= {f"v2g:{evse.id}": _v2g(evse.id, context, board) for evse in config.evses if evse.v2g.interface}
    machines |= {f"slac:{each.id}": _slac(each, context) for each in config.evses if each.has_modem}
    machines["authorize"] = AuthorizeMachine(config, evses)
    machines |= {block.name: block(context) for block in blocks}
    rows = TransactionRows(model)
    sampling = SamplingRows(model)
    machines["transaction"] = TransactionMachine(config, rows, sampling, evses, context.link, context.clock, context.entropy)
    machines["outbox"] = Outbox(rows, context.link, context.clock)
    answers = answers_of(machines)
    machines["rpc"] = rpc = Rpc(answers, context.link, LinkRows(model).timeout_s)
    return Wiring(context, machines, rpc, routes_of(machines), answers)


def _evse(evse_id: int, context: Context, board: BoardInfo) -> EvseMachine:
    config = next(evse for evse in context.config.evses if evse.id == evse_id)
    return EvseMachine(config, context.config.timings, context.evses[evse_id], board.evse(evse_id), context.clock)


def _v2g(evse_id: int, context: Context, board: BoardInfo) -> Machine:
    from chargepoint.v2g import V2gMachine  # noqa: PLC0415 a station that does not talk carries no messages of ISO 15118

    config = next(evse for evse in context.config.evses if evse.id == evse_id)
    tariff = context.config.tariff
    return V2gMachine(config, board.evse(evse_id), context.evses[evse_id], context.entropy, tariff, context.clock, context.certificates)


def _talking() -> tuple[type[Block], ...]:
    from chargepoint.ocpp.blocks import certificate_status, vehicle_status  # noqa: PLC0415 the same for X.509

    return certificate_status.CertificateStatusBlock, vehicle_status.VehicleStatusBlock


def _slac(config: EvseConfig, context: Context) -> Machine:
    from chargepoint.matching import MatchingMachine  # noqa: PLC0415 the same for its frames

    return MatchingMachine(config, context.config.timings, context.entropy)


def routes_of(machines: Mapping[str, Machine]) -> dict[type, tuple[str, ...]]:
    """Who takes what. A timer is its machine's own, so TimerExpired is in no route."""
    routes: dict[type, tuple[str, ...]] = {}
    for name, machine in machines.items():
        for kind in machine.handlers:
            if kind is not TimerExpired:
                routes[kind] = (*routes.get(kind, ()), name)
    return routes


def answers_of(machines: Mapping[str, Machine]) -> dict[str, str]:
    """Action -> block. Raises ValueError when two blocks answer the same: exactly one does."""
    answers: dict[str, str] = {}
    for name, machine in machines.items():
        for action in machine.answered if isinstance(machine, Block) else ():
            if action in answers:
                raise ValueError(f"{action} is answered by {answers[action]} and by {name}")
            answers[action] = name
    return answers
