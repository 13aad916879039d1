"""A vehicle in a session of DIN 70121 or ISO 15118-2, and the responses of a charger that a test writes: what it does not write is as a good charger says it."""

from __future__ import annotations

from typing import Any, cast

from bench.v2g import pki_older
from bench.v2g.pki import World
from chargepoint.tick import Tick
from iso15118 import exi
from iso15118.evcc.din import dialect as din
from iso15118.evcc.iso2 import dialect as iso2
from iso15118.evcc.session import Turn
from iso15118.evcc.terms import CloseContactors, OpenContactors, Wants
from iso15118.evcc.v2gmsg.dialect import V2gMsg
from iso15118.evcc.v2gmsg.table import S
from iso15118.messages.declare import field_names
from iso15118.messages.din import data_charging as din_charging
from iso15118.messages.din import data_schedules as din_schedules
from iso15118.messages.din import data_services as din_services
from iso15118.messages.din import msg_body as din_body
from iso15118.messages.din import msg_data_types as din_types
from iso15118.messages.iso2 import data_charging as iso2_charging
from iso15118.messages.iso2 import data_schedules as iso2_schedules
from iso15118.messages.iso2 import data_services as iso2_services
from iso15118.messages.iso2 import msg_body as iso2_body
from iso15118.messages.iso2 import msg_data_types as iso2_types
from iso15118.minimal import minimal
from iso15118.terms import Battery, Energy, EnergyWanted, EvLimits, Payment, Told
from iso15118.v2gmsg.values import Unit, physical

ID = b"\x01\x02\x03\x04\x05\x06\x07\x08"
BATTERY_V = 350.0
WORLD = World.of("p256")
EMAID = "DETSTC00000001"
SPEECHES = ("din", "iso2-dc", "iso2-ac")


def wants(**given: Any) -> Wants:
    """Of a vehicle with a battery of 350 V."""
    limits = EvLimits(max_power_W=11_000, min_power_W=1_400, max_current_A=200, max_voltage_V=420, target_soc=80)
    shown = Battery(soc=40, full=False, capacity_Wh=60_000)
    needs = EnergyWanted(departure_s=7200, target_Wh=20_000)
    usual: dict[str, Any] = {"limits": limits, "shown": shown, "needs": needs, "voltage_V": BATTERY_V, "target_V": 360.0, "target_A": 25.0}
    return Wants(**(usual | given))


class Rig:
    """One session; `told` is all that the vehicle was told, `asked` all that it asked."""

    def __init__(self, speech: str, **given: Any) -> None:
        self.speech, self.wants = speech, wants(**given)
        self.dialect: V2gMsg
        if speech == "din":
            self.dialect = din.din(self.wants)
        else:
            self.dialect = iso2.iso2(self.wants, (Energy.DC if speech == "iso2-dc" else Energy.AC,))
        self.now = Tick(100.0, 1_800_000_100.0)
        self.told: list[Told] = []
        self.asked: list[Any] = []
        self.document: Any = None
        self.within_s = 0.0
        self.receipts = False
        """The charger wants each reading signed."""

    # ---- the charger's values

    @property
    def types(self) -> Any:
        return din_types if self.speech == "din" else iso2_types

    def value(self, unit: Unit, value: float) -> Any:
        return physical(self.types.PhysicalValueType, unit, value)

    def status(self, **given: Any) -> Any:
        """Of the charger."""
        fields = {"NotificationMaxDelay": 0, "EVSENotification": "None"}
        if self.speech == "iso2-ac":
            return iso2_types.AC_EVSEStatusType(**cast("Any", fields | {"RCD": False} | given))
        return self.types.DC_EVSEStatusType(**fields | {"EVSEIsolationStatus": "Valid", "EVSEStatusCode": "EVSE_Ready"} | given)

    def schedules(self, *tuples: tuple[int, float]) -> Any:
        """(id, most power) each, for two hours."""
        if self.speech == "din":
            sc: Any = din_schedules
            made = [
                sc.SAScheduleTupleType(SAScheduleTupleID=each, PMaxSchedule=sc.PMaxScheduleType(PMaxScheduleID=1, PMaxScheduleEntry=(self.entry(0, 7200, most),)))
                for each, most in tuples
            ]  # fmt: skip
        else:
            sc = iso2_schedules
            made = [
                sc.SAScheduleTupleType(
                    SAScheduleTupleID=each, PMaxSchedule=sc.PMaxScheduleType(PMaxScheduleEntry=(self.entry(0, 7200, most),))
                )
                for each, most in tuples
            ]
        return sc.SAScheduleList(SAScheduleTuple=tuple(made))

    def entry(self, start: int, duration: int | None, most_W: float) -> Any:
        """Of a PMaxSchedule."""
        sc: Any = din_schedules if self.speech == "din" else iso2_schedules
        power = round(most_W) if self.speech == "din" else self.value("W", most_W)
        return sc.PMaxScheduleEntryType(TimeInterval=sc.RelativeTimeInterval(start=start, duration=duration), PMax=power)

    def parameters(self, **given: Any) -> Any:
        """EVSEChargeParameter."""
        if self.speech == "iso2-ac":
            fields = {"AC_EVSEStatus": self.status(), "EVSENominalVoltage": self.value("V", 230), "EVSEMaxCurrent": self.value("A", 16)}
            return iso2_charging.AC_EVSEChargeParameter(**cast("Any", fields | given))
        ch: Any = din_charging if self.speech == "din" else iso2_charging
        return minimal(
            ch.DC_EVSEChargeParameter,
            **{
                "DC_EVSEStatus": self.status(),
                "EVSEMaximumCurrentLimit": self.value("A", 100),
                "EVSEMaximumPowerLimit": self.value("W", 50_000),
                "EVSEMaximumVoltageLimit": self.value("V", 500),
                "EVSEMinimumVoltageLimit": self.value("V", 150),
            }
            | given,
        )

    def good(self, kind: Any) -> dict[str, Any]:
        """What a good charger says in a response of this kind; there is one of each name."""
        fields: dict[str, Any] = {"ResponseCode": "OK"}
        match kind.__name__:
            case "SessionSetupRes":
                fields["ResponseCode"] = "OK_NewSessionEstablished"
            case "ServiceDiscoveryRes":
                fields |= self._services()
            case "AuthorizationRes" | "ContractAuthenticationRes":
                fields["EVSEProcessing"] = "Finished"
            case "ChargeParameterDiscoveryRes":
                fields |= {
                    "EVSEProcessing": "Finished",
                    "SASchedules": self.schedules((1, 11_000)),
                    "EVSEChargeParameter": self.parameters(),
                }
            case "CableCheckRes":
                fields |= {"EVSEProcessing": "Finished", "DC_EVSEStatus": self.status()}
            case "PreChargeRes" | "CurrentDemandRes":
                fields |= self._metered() if kind is iso2_body.CurrentDemandRes else {}
                fields |= {"DC_EVSEStatus": self.status(), "EVSEPresentVoltage": self.value("V", BATTERY_V)}
            case "WeldingDetectionRes":
                fields |= {"DC_EVSEStatus": self.status(), "EVSEPresentVoltage": self.value("V", 0)}
            case "PowerDeliveryRes":
                fields["EVSEStatus"] = self.status()
            case "ChargingStatusRes":
                fields |= {"AC_EVSEStatus": self.status(), **self._metered()}
            case "MeteringReceiptRes":
                fields["EVSEStatus"] = self.status()
            case "CertificateInstallationRes" | "CertificateUpdateRes":
                fields |= self._contract()
            case "ServiceDetailRes":
                fields["ServiceID"] = self.dialect.talk.detail_of
        return fields

    def _metered(self) -> dict[str, Any]:
        info = iso2_types.MeterInfoType(MeterID="M1", MeterReading=1234)
        return {"MeterInfo": info, "SAScheduleTupleID": 1, "ReceiptRequired": True} if self.receipts else {}

    def _contract(self) -> dict[str, Any]:
        """Of a provisioning service, for the one who asks; with its signature."""
        made: Any = exi.decode(
            pki_older.made(WORLD, WORLD, "cpsLeaf", exi.encode(self.document, pki_older.NAMESPACE), EMAID), pki_older.NAMESPACE
        )
        self.dialect.talk.given_signature = made.Header.Signature
        body = made.Body.BodyElement
        return {name: getattr(body, name) for name in field_names(type(body))}

    def _services(self) -> dict[str, Any]:
        if self.speech == "din":
            tag = din_services.ServiceTagType(ServiceID=1, ServiceCategory="EVCharging")
            return {
                "PaymentOptions": din_services.PaymentOptionsType(PaymentOption=("ExternalPayment",)),
                "ChargeService": din_services.ServiceCharge(ServiceTag=tag, FreeService=False, EnergyTransferType="DC_extended"),
            }
        modes = iso2_services.SupportedEnergyTransferModeType(
            EnergyTransferMode=("AC_single_phase_core", "AC_three_phase_core", "DC_core", "DC_extended")
        )
        return {
            "PaymentOptionList": iso2_services.PaymentOptionListType(PaymentOption=("ExternalPayment", "Contract")),
            "ChargeService": iso2_services.ChargeServiceType(
                ServiceID=1, ServiceCategory="EVCharging", FreeService=False, SupportedEnergyTransferMode=modes
            ),
            "ServiceList": iso2_services.ServiceListType(
                Service=(
                    iso2_services.ServiceType(ServiceID=2, ServiceCategory="ContractCertificate", FreeService=True),
                    iso2_services.ServiceType(ServiceID=3, ServiceCategory="Internet", FreeService=True),
                    iso2_services.ServiceType(ServiceID=4, ServiceCategory="OtherCustom", FreeService=True),
                )
            ),
        }

    # ---- the session

    def ask(self) -> Any:
        """The vehicle's next request."""
        question = self.dialect.ask(self.now)
        self.document, self.within_s = question.request, question.within_s
        self.asked.append(question.shown)
        return question.shown

    def hear(self, session_id: bytes = ID, **fields: Any) -> Turn:
        """A response to what was asked last. The vehicle's host does what it is told."""
        kind: Any = self.dialect._expected
        self.dialect.talk.given_id = session_id
        turn = self.dialect.heard(self.now, minimal(kind, **(self.good(kind) | fields)))
        self.told += turn.told
        for each in turn.told:
            if isinstance(each, CloseContactors | OpenContactors):
                self.wants.contactors_closed = isinstance(each, CloseContactors)
        return turn

    def next(self, **fields: Any) -> Any:
        """The request that follows from a response."""
        turn = self.hear(**fields)
        assert turn.over is None, turn.why
        return self.ask()

    def later(self, seconds: float) -> Rig:
        self.now = Tick(self.now.mono + seconds, self.now.utc + seconds)
        return self

    def to(self, state: S) -> Rig:
        """All goes well, until the response of this one is awaited."""
        if not self.asked:
            self.ask()
        for _ in range(40):
            if self.dialect.state is state:
                return self
            self.next()
        raise AssertionError(f"never in {state}")

    def on(self, count: int = 1) -> Rig:
        """So many more good responses."""
        for _ in range(count):
            self.next()
        return self


def paying(state: S) -> dict[str, Any]:
    """What a vehicle of ISO 15118-2 wants that comes to this state, where it needs a contract for that."""
    if state not in (S.INSTALLATION, S.UPDATE, S.CONTRACT, S.AC_RECEIPT, S.DC_RECEIPT):
        return {}
    has = {} if state is S.INSTALLATION else {"contracts": (WORLD.contract(EMAID),)}
    return WORLD.wants(payment=Payment.PNC, update=state is S.UPDATE, **has)


BODIES = {"din": din_body, "iso2-dc": iso2_body, "iso2-ac": iso2_body}
