"""What the station is made of: the rows of ChargingStation, EVSE and Connector that never change while it runs, and the power (B07)."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from chargepoint.events import ChargingState
from chargepoint.facts import EvseFacts
from chargepoint.ocpp.block import Block, Context
from chargepoint.ocpp.device_model import Limits, Variable
from chargepoint.ocpp.ratings import discharge_W, rated_W, supply_phases
from chargepoint.tick import Tick

_SOURCE = "OCPP 2.1 Part 2, physical components"

STATION_AVAILABLE = Variable("ChargingStation", "Available", "boolean", "true", "the station exists", constant=True, source=_SOURCE)
STATION_PHASES = Variable("ChargingStation", "SupplyPhases", "integer", None, "phases of the supply", constant=True, source=_SOURCE)
EVSE_AVAILABLE = Variable("EVSE", "Available", "boolean", "true", "the EVSE exists", per="evse", constant=True, source=_SOURCE)
EVSE_PHASES = Variable(
    "EVSE", "SupplyPhases", "integer", None, "alternating phases of the EVSE's output; 0: DC", per="evse", constant=True, source=_SOURCE
)
EVSE_POWER = Variable(
    "EVSE",
    "Power",
    "decimal",
    None,
    "power that flows now; its upper limit is the EVSE's rating",
    per="evse",
    persistent=False,
    unit="W",
    min=0,
    source=_SOURCE,
)
EVSE_DISCHARGE = Variable(
    "EVSE",
    "DischargePower",
    "decimal",
    None,
    "power that is fed back now; its upper limit is what may be",
    per="evse",
    persistent=False,
    unit="W",
    min=0,
    source=_SOURCE,
)
CONNECTOR_AVAILABLE = Variable(
    "Connector", "Available", "boolean", "true", "the connector exists", per="connector", constant=True, source=_SOURCE
)
CONNECTOR_TYPE = Variable(
    "Connector", "ConnectorType", "string", None, "ConnectorEnumStringType", per="connector", constant=True, max_length=20, source=_SOURCE
)
CONNECTOR_PHASES = Variable(
    "Connector",
    "SupplyPhases",
    "integer",
    None,
    "alternating phases of the connector; 0: DC",
    per="connector",
    constant=True,
    source=_SOURCE,
)
EVSE_CHARGING_STATE = Variable(
    "EVSE",
    "ChargingState",
    "OptionList",
    None,
    "what EVSE and EV are doing",
    per="evse",
    persistent=False,
    values=tuple(state.value for state in ChargingState),
    source=_SOURCE,
)
EVSE_TRANSACTION = Variable(
    "EVSE",
    "ActiveTransactionId",
    "string",
    None,
    "the transaction that runs here",
    per="evse",
    persistent=False,
    max_length=36,
    source=_SOURCE,
)
STATION_TRANSACTIONS = Variable(
    "ChargingStation", "ActiveTransactionId", "string", None, "the transactions that run", persistent=False, source=_SOURCE
)
METER_REGISTER = Variable(
    "FiscalMetering",
    "EnergyImportRegister",
    "decimal",
    None,
    "the meter's register",
    per="evse",
    persistent=False,
    unit="Wh",
    min=0,
    source=_SOURCE,
)
FILE_TRANSFER = Variable(
    "OCPPCommCtrlr",
    "FileTransferProtocols",
    "MemberList",
    "",
    "protocols for logs and firmware: none, so far",
    values=("FTP", "FTPS", "HTTP", "HTTPS", "SFTP"),
    constant=True,
    source="OCPP 2.1 L01, N01",
)


class InventoryBlock(Block):
    """Owns the physical rows; answers nothing by itself."""

    name: ClassVar[str] = "inventory"
    variables: ClassVar[tuple[Variable, ...]] = (
        STATION_AVAILABLE, STATION_PHASES, EVSE_AVAILABLE, EVSE_PHASES, EVSE_POWER, CONNECTOR_AVAILABLE, CONNECTOR_TYPE, CONNECTOR_PHASES, FILE_TRANSFER,
        EVSE_CHARGING_STATE,
        EVSE_TRANSACTION,
        STATION_TRANSACTIONS,
        METER_REGISTER,
        EVSE_DISCHARGE,
    )  # fmt: skip

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        model = context.model
        model.put(STATION_PHASES, str(max(evse.phases for evse in context.config.evses)))
        for evse in context.config.evses:
            model.put(EVSE_PHASES, str(supply_phases(evse)), evse.id)
            model.put(CONNECTOR_PHASES, str(supply_phases(evse)), evse.id)
            model.put(CONNECTOR_TYPE, evse.connector, evse.id)
            model.bound(EVSE_POWER, Limits(min=0, max=rated_W(evse)), evse.id)
            if discharge_W(evse):
                model.bound(EVSE_DISCHARGE, Limits(min=0, max=discharge_W(evse)), evse.id)
                model.compute(EVSE_DISCHARGE, partial(_power, context.evses[evse.id], sign=-1), evse.id)
            else:
                model.undeclare((EVSE_DISCHARGE,), evse.id)
            for row, value in (
                (EVSE_POWER, partial(_power, sign=1)),
                (EVSE_CHARGING_STATE, _charging_state),
                (EVSE_TRANSACTION, _transaction),
                (METER_REGISTER, _register),
            ):
                model.compute(row, partial(value, context.evses[evse.id]), evse.id)
        model.compute(
            STATION_TRANSACTIONS, lambda _: ",".join(facts.transaction_id for facts in context.evses.values() if facts.transaction_id)
        )


def _power(facts: EvseFacts, now: Tick, *, sign: int) -> str:
    power_W = facts.meter.power_W if facts.meter is not None and facts.power_closed else None
    return f"{max(0.0, sign * (power_W or 0.0)):.1f}"


def _charging_state(facts: EvseFacts, now: Tick) -> str:
    return facts.charging_state.value


def _transaction(facts: EvseFacts, now: Tick) -> str:
    return facts.transaction_id


def _register(facts: EvseFacts, now: Tick) -> str:
    return f"{facts.meter.energy_import_Wh:.1f}" if facts.meter is not None else ""
