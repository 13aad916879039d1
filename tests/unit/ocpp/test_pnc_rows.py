"""Every standardised variable of ISO15118Ctrlr and SecurityCtrlr: there with the value that counts, and set or refused as it should be, in a whole station."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargepoint.config import EvseConfig, StationConfig, V2gConfig
from chargepoint.ocpp.device_model import Missing
from chargepoint.ocpp.variable import parse_place
from chargepoint.ocpp.variable_values import BadValue
from chargepoint.wiring import build
from hal.types import BoardInfo, EvseInfo, GoesOn, Shape
from tests.unit.ocpp.block_rig import CONFIG

SITE = replace(CONFIG, evses=(EvseConfig(id=1, v2g=V2gConfig("eth1")), EvseConfig(id=2)))
BOARD = BoardInfo("sim", Shape.RAW, GoesOn(), (EvseInfo(1, 32.0), EvseInfo(2, 32.0)))
TALKS, STATION = "ISO15118Ctrlr@1", "ISO15118Ctrlr"
RW, RO, WO = "ReadWrite", "ReadOnly", "WriteOnly"
THERE: dict[str, str] = {
    f"{TALKS}.Enabled": RW, f"{TALKS}.Available": RO, f"{TALKS}.ProtocolSupported[1]": RO, f"{TALKS}.RequestedEnergyTransferMode": RO,
    f"{TALKS}.PnCEnabled": RW, f"{TALKS}.CentralContractValidationAllowed": RW, f"{TALKS}.ContractValidationOffline": RW,
    f"{TALKS}.ContractCertificateInstallationEnabled": RW, f"{TALKS}.SupportedProviders": RW, f"{TALKS}.RequestMeteringReceipt": RO,
    f"{TALKS}.ServiceRenegotiationSupport": RO, f"{TALKS}.MaxScheduleEntries": RO, f"{TALKS}.V2GCertificateInstallationEnabled": RO,
    f"{STATION}.V2GCertificateInstallationEnabled": RW, f"{STATION}.SeccId": RW, f"{STATION}.CountryName": RW, f"{STATION}.OrganizationName": RW,
    "SecurityCtrlr.AllowSecurityProfileDowngrade": RO, "SecurityCtrlr.AllowCSMSTLSWildcards": RW, "SecurityCtrlr.AdditionalRootCertificateCheck": RO,
    "SecurityCtrlr.BasicAuthPassword": WO, "SecurityCtrlr.CertificateEntries": RO, "SecurityCtrlr.CertSigningRepeatTimes": RW,
    "SecurityCtrlr.CertSigningWaitMinimum": RW, "SecurityCtrlr.Identity": RO, "SecurityCtrlr.MaxCertificateChainSize": RO,
    "SecurityCtrlr.OrganizationName": RW, "SecurityCtrlr.SecurityProfile": RO,
}  # fmt: skip
ABSENT = ("MaxPriceElements", "NotificationMaxDelay", "NotificationDelay")
"""Optional: prices come from the configuration, and a vehicle is told anew whenever something changes."""
LIMITS: list[tuple[str, str, str, bool]] = [
    (f"{TALKS}.SupportedProviders", "DE-ABC, nlxyz", "DE-ABC, nlxyz", True),
    (f"{TALKS}.SupportedProviders", "", "", True),
    (f"{TALKS}.SupportedProviders", "DEABCD", "", False),
    (f"{TALKS}.SupportedProviders", ",".join(f"DE{each:03}" for each in range(129)), "", False),
    (f"{TALKS}.PnCEnabled", "perhaps", "", False),
    (f"{STATION}.SeccId", "x" * 64, "x" * 64, True),
    (f"{STATION}.SeccId", "x" * 65, "", False),
    (f"{STATION}.CountryName", "DEU", "", False),
    ("SecurityCtrlr.CertSigningWaitMinimum", "0", "", False),
    ("SecurityCtrlr.CertSigningRepeatTimes", "17", "", False),
    ("SecurityCtrlr.OrganizationName", "x" * 65, "", False),
]


def model_of(config: StationConfig = SITE) -> Any:
    return build(config, BOARD).context.model


@pytest.mark.parametrize("name", THERE)
def test_it_is_there_and_is_set_or_not(name: str) -> None:
    model = model_of()
    place = model.find(parse_place(name))
    assert not isinstance(place, Missing)
    row = model.rows[place]
    assert str(getattr(row.mutability, "value", row.mutability)) == THERE[name] or (row.constant and THERE[name] == RO)


@pytest.mark.parametrize("name", ABSENT)
def test_what_has_no_meaning_here_is_unknown(name: str) -> None:
    model = model_of()
    assert isinstance(model.find(parse_place(f"{TALKS}.{name}")), Missing)


def test_an_evse_without_a_line_has_none_of_those_that_speak_of_vehicles() -> None:
    rows = model_of().rows
    assert {place.variable for place in rows if place.component == "ISO15118Ctrlr" and place.evse_id == 2} == {"Available", "Problem"}


@pytest.mark.parametrize(("name", "value", "spelled", "taken"), LIMITS)
def test_what_does_not_fit_is_refused(name: str, value: str, spelled: str, taken: bool) -> None:
    model = model_of()
    place = model.find(parse_place(name))
    if taken:
        assert model.checked(place, value) == spelled
    else:
        with pytest.raises(BadValue):
            model.checked(place, value)


@pytest.mark.parametrize("value", ["true", "false"])
def test_each_evse_says_what_the_station_does(value: str) -> None:
    model = model_of(replace(SITE, variables={f"{STATION}.V2GCertificateInstallationEnabled": value}))
    model.seed({f"{STATION}.V2GCertificateInstallationEnabled": value})
    assert model.shown(None, model.find(parse_place(f"{TALKS}.V2GCertificateInstallationEnabled"))) == value
