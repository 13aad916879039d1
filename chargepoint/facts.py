"""What is known right now, for every machine to read. Each field has one machine that writes it, named beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

from chargepoint.events import ChargingState, IdToken
from hal.types import MeterSample


@dataclass(slots=True)
class EvseFacts:
    """One EVSE as it stands."""

    evse_id: int
    # written by `evse`
    plugged: bool = False
    charging_state: ChargingState = ChargingState.IDLE
    power_closed: bool = False
    locked: bool = False
    limit_A: float = 0.0
    limit_reason: str = ""
    faults: dict[str, str] = field(default_factory=dict)
    """Fault code -> text for a person."""
    meter: MeterSample | None = None
    meter_mono: float = 0.0
    # written by `authorize`
    id_token: IdToken | None = None
    """Whom the EVSE may give energy now."""
    owner: IdToken | None = None
    """Whose the running transaction is, also when its authorisation is over: nobody else goes on with it."""
    # written by `transaction`
    transaction_id: str = ""
    # written by the availability block
    operative: bool = True
    reserved: bool = False
    bay_occupied: bool = False


@dataclass(slots=True)
class LinkFacts:
    """The link to the CSMS as it stands; written by the link machine and, for `registration`, the boot block."""

    connected: bool = False
    slot: int = 0
    security_profile: int = 0
    subprotocol: str = ""
    identity: str = ""
    """The station's identity on this connection, or on the last one."""
    password: str = field(default="", repr=False)
    """Basic-auth password of this connection, or of the last one; "" without basic auth."""
    registration: str = ""
    """RegistrationStatusEnumType of the last BootNotificationResponse; "" before the first."""
    offline_since: float | None = 0.0
    """Tick.mono since when there is no link; None while there is one."""

    @property
    def online(self) -> bool:
        """Whether the CSMS would answer an ordinary message now."""
        return self.connected and self.registration == "Accepted"
