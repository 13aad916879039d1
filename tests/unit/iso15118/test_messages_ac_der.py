"""Our AC-DER declarations against what is known of Amendment 1 (ISO 15118-20:2022/Amd 1) apart from them.

Its schema documents were not at hand. What stands here are facts read from EVerest's `lib/everest/cbv2g`, which cbexigen generated from those documents
(AMD1_xsdSchema.zip): the event codes of a document, the particles of each type in their order with how often they come, the values of each
enumeration, and how long texts may be. Two things are known to be otherwise there: `Signature` stands behind SignatureProperty, where EXI (8.5.1)
sorts it before; and the branches of ReactivePowerSupport, a choice, look like three optional elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from bench.exi import shape
from iso15118.exi import codec_of
from iso15118.messages.declare import Length, Message, Range

IEC, SAE = "urn:iso:std:iso:15118:-20:AC-DER-IEC", "urn:iso:std:iso:15118:-20:AC-DER-SAE"
AC = "urn:iso:std:iso:15118:-20:AC"

# ---- facts

# Type < the one that it extends, particles in all: those that it adds. `?` may be absent, `+L` is followed by two optional ones of the same type,
# _L2 and _L3; without a type it is a RationalNumberType. Behind the types, the enumerations.

FACTS_AC = """
AC_CPDReqEnergyTransferModeType 6: EVMaximumChargePower+L EVMinimumChargePower+L
AC_CPDResEnergyTransferModeType 12: EVSEMaximumChargePower+L EVSEMinimumChargePower+L EVSENominalFrequency MaximumPowerAsymmetry?
    EVSEPowerRampLimitation? EVSEPresentActivePower+L?
Dynamic_AC_CLReqControlModeType 16: DepartureTime:unsignedInt? EVTargetEnergyRequest EVMaximumEnergyRequest EVMinimumEnergyRequest
    EVMaximumChargePower+L EVMinimumChargePower+L EVPresentActivePower+L EVPresentReactivePower+L
Scheduled_AC_CLReqControlModeType 15: EVTargetEnergyRequest? EVMaximumEnergyRequest? EVMinimumEnergyRequest? EVMaximumChargePower+L?
    EVMinimumChargePower+L? EVPresentActivePower+L EVPresentReactivePower+L?
Dynamic_AC_CLResControlModeType 13: DepartureTime:unsignedInt? MinimumSOC:percentValueType? TargetSOC:percentValueType?
    AckMaxDelay:unsignedShort? EVSETargetActivePower+L EVSETargetReactivePower+L? EVSEPresentActivePower+L?
Scheduled_AC_CLResControlModeType 9: EVSETargetActivePower+L? EVSETargetReactivePower+L? EVSEPresentActivePower+L?
"""

FACTS = {
    IEC: """
SetpointExcitationType 2: SetpointValue Excitation:powerFactorExcitationType?
DataTupleType 2: xValue yValue:SetpointExcitationType
CurveDataPointsListType 1: CurveDataPoint:DataTupleType{2,10}
DERCurveType 10: xUnit:curveDataPointsUnitType yUnit:curveDataPointsUnitType CurveDataPoints:CurveDataPointsListType MinCosPhi?
    LockValueUnit:lockValueUnitType? LockInValue? LockOutValue? PT1ResponseReactivePower:boolean StepResponseTimeConstantReactivePower
    IntentionalDelay?
FrequencyWattType 11: Fstart Fstop IntentionalDelayFstop:unsignedShort? Slope DeactivationTime:unsignedShort?
    IntentionalDelayPowerControl:unsignedShort? PowerReference:powerReferenceType HysteresisControl:boolean PowerUpRamp:unsignedShort?
    PT1ResponseActivePower:boolean StepResponseTimeConstantActivePower
VoltWattType 6: PowerReference:powerReferenceType UStart UStop PT1ResponseActivePower:boolean StepResponseTimeConstantActivePower
    IntentionalDelayPowerControl:unsignedInt?
FaultRideThroughType 9: VoltageLimitStartFRT VoltageLimitStopFRT? VoltageRecoveryLimit? VoltageRideThroughPositiveCurveKFactor?
    VoltageRideThroughNegativeCurveKFactor? PT1ResponseActivePower:boolean StepResponseTimeConstantActivePower
    PT1ResponseReactivePower:boolean StepResponseTimeConstantReactivePower
ZeroCurrentType 8: OverVoltageLimit? UnderVoltageLimit? OverVoltageRecoveryLimit? UnderVoltageRecoveryLimit?
    PT1ResponseActivePower:boolean StepResponseTimeConstantActivePower PT1ResponseReactivePower:boolean
    StepResponseTimeConstantReactivePower
ReactivePowerSupportType 3: VoltVar:DERCurveType? WattVar:DERCurveType? WattCosPhi:DERCurveType?
ActivePowerSupportType 3: UnderFrequencyWatt:FrequencyWattType? OverFrequencyWatt:FrequencyWattType? VoltWatt:VoltWattType?
EVReactivePowerLimitsType 12: EVMaximumChargeReactivePower+L EVMinimumChargeReactivePower+L? EVMaximumDischargeReactivePower+L
    EVMinimumDischargeReactivePower+L?
DSOQSetpointType 5: DSOQSetpointValue+L PT1ResponseReactivePower:boolean StepResponseTimeConstantReactivePower
DERControlType 6: OvervoltageFaultRideThrough:FaultRideThroughType? UndervoltageFaultRideThrough:FaultRideThroughType?
    ZeroCurrent:ZeroCurrentType? ReactivePowerSupport:ReactivePowerSupportType? ActivePowerSupport:ActivePowerSupportType?
    MaximumLevelDCInjection?
DSOCosPhiSetpointType 6: DSOCosPhiSetpointValue+L Excitation:powerFactorExcitationType PT1ResponseReactivePower:boolean
    StepResponseTimeConstantReactivePower
DER_AC_CPDReqEnergyTransferModeType < AC_CPDReqEnergyTransferModeType 15: EVProcessing:processingType EVMaximumDischargePower+L
    EVMinimumDischargePower+L EVSessionTotalDischargeEnergyAvailable? EVReactivePowerLimits:EVReactivePowerLimitsType?
DER_AC_CPDResEnergyTransferModeType < AC_CPDResEnergyTransferModeType 24: EVSENominalChargePower+L EVSENominalDischargePower+L
    EVSEMaximumDischargePower+L EVOperatingMode:evOperatingModeType GridConnectionMode:gridConnectionModeType DERControl:DERControlType
DER_Dynamic_AC_CLReqControlModeType < Dynamic_AC_CLReqControlModeType 32: EVMaximumDischargePower+L EVMinimumDischargePower+L
    EVMaximumChargeReactivePower+L? EVMaximumDischargeReactivePower+L? GridEventCondition:unsignedByte EVMaximumV2XEnergyRequest?
    EVMinimumV2XEnergyRequest? EVSessionTotalDischargeEnergyAvailable?
DER_Dynamic_AC_CLResControlModeType < Dynamic_AC_CLResControlModeType 24: EVSEMaximumChargePower+L EVSEMaximumDischargePower+L
    DSOMaximumDischargePower+L? DSOQSetpoint:DSOQSetpointType? DSOCosPhiSetpoint:DSOCosPhiSetpointType?
DER_Scheduled_AC_CLReqControlModeType < Scheduled_AC_CLReqControlModeType 28: EVMaximumDischargePower+L EVMinimumDischargePower+L
    EVMaximumChargeReactivePower+L? EVMaximumDischargeReactivePower+L? GridEventCondition:unsignedByte
DER_Scheduled_AC_CLResControlModeType < Scheduled_AC_CLResControlModeType 20: EVSEMaximumChargePower+L EVSEMaximumDischargePower+L
    DSOMaximumDischargePower+L? DSOQSetpoint:DSOQSetpointType? DSOCosPhiSetpoint:DSOCosPhiSetpointType?
powerFactorExcitationType: OverExcited | UnderExcited
curveDataPointsUnitType: V | Hz | W | s | var
lockValueUnitType: V | Hz | W | s | var
powerReferenceType: MaximumDischargePower | MomentaryPower
evOperatingModeType: GridFollowing | GridForming
gridConnectionModeType: GridConnected | GridIslanded
""",
    SAE: """
DataTupleType 2: xValue yValue
FrequencyDroopSettingsType 8: db DroopFactor+L PowerReference+L:powerReferenceType OpenLoopResponseTime
CurveDataPointsListType 1: CurveDataPoint:DataTupleType{2,10}
DERCurveType 7: Enable:boolean Priority:unsignedShort? xUnit:derUnitType yUnit:derUnitType CurveDataPoints+L:CurveDataPointsListType
ConstantPowerFactorType 8: Enable:boolean Priority:unsignedShort? PowerFactorValue+L PowerFactorExcitation+L:powerFactorExcitationType
FrequencyDroopType 4: Enable:boolean Priority:unsignedShort? OverFrequencyDroop:FrequencyDroopSettingsType?
    UnderFrequencyDroop:FrequencyDroopSettingsType?
VoltVarType 12: Enable:boolean Priority:unsignedShort? xUnit:derUnitType yUnit:derUnitType CurveDataPoints+L:CurveDataPointsListType
    OpenLoopResponseTime TimeConstantPT1:unsignedInt? ReferenceVoltage AutonomousReferenceVoltageAdjustmentEnable:boolean
    ReferenceVoltageAdjustmentTimeConstant:unsignedInt
VoltWattType 9: Enable:boolean Priority:unsignedShort? xUnit:derUnitType yUnit:derUnitType CurveDataPoints+L:CurveDataPointsListType
    OpenLoopResponseTime TimeConstantPT1:unsignedInt?
WattVarType 9: Enable:boolean Priority:unsignedShort? xUnit:derUnitType yUnit:derUnitType CurveDataPoints+L:CurveDataPointsListType
    OpenLoopResponseTime? TimeConstantPT1:unsignedInt?
ConstantWattType 6: Enable:boolean Priority:unsignedShort? WattSetpoint+L Unit:derUnitType
ConstantVarType 6: Enable:boolean Priority:unsignedShort? VarSetpoint+L Unit:derUnitType
LimitMaxDischargePowerType 6: Enable:boolean Priority:unsignedShort? PercentageValue+L:unsignedShort OpenLoopResponseTime?
VoltageTripType 6: OverVoltageMustTripCurve:DERCurveType UnderVoltageMustTripCurve:DERCurveType
    OverVoltageMomentaryCessationTripCurve:DERCurveType? UnderVoltageMomentaryCessationTripCurve:DERCurveType?
    OverVoltageMayTripCurve:DERCurveType? UnderVoltageMayTripCurve:DERCurveType?
FrequencyTripType 4: OverFrequencyMustTripCurve:DERCurveType UnderFrequencyMustTripCurve:DERCurveType
    OverFrequencyMayTripCurve:DERCurveType? UnderFrequencyMayTripCurve:DERCurveType?
EnterServiceCPDResType 8: PermitService:boolean EnterServiceVoltageHigh EnterServiceVoltageLow EnterServiceFrequencyHigh
    EnterServiceFrequencyLow EnterServiceDelay? EnterServiceRandomizedDelay? EnterServiceRampTime?
EnterServiceCLResType 8: PermitService:boolean EnterServiceVoltageHigh? EnterServiceVoltageLow? EnterServiceFrequencyHigh?
    EnterServiceFrequencyLow? EnterServiceDelay? EnterServiceRandomizedDelay? EnterServiceRampTime?
ReactivePowerSupportCPDResType 4: ConstantPowerFactor:ConstantPowerFactorType VoltVar:VoltVarType WattVar:WattVarType
    ConstantVar:ConstantVarType
ReactivePowerSupportCLResType 4: ConstantPowerFactor:ConstantPowerFactorType? VoltVar:VoltVarType? WattVar:WattVarType?
    ConstantVar:ConstantVarType?
ActivePowerSupportCPDResType 4: FrequencyDroop:FrequencyDroopType VoltWatt:VoltWattType ConstantWatt:ConstantWattType
    LimitMaxDischargePower:LimitMaxDischargePowerType
ActivePowerSupportCLResType 4: FrequencyDroop:FrequencyDroopType? VoltWatt:VoltWattType? ConstantWatt:ConstantWattType?
    LimitMaxDischargePower:LimitMaxDischargePowerType?
DERControlCLResType 5: VoltageTrip:VoltageTripType? FrequencyTrip:FrequencyTripType? EnterServiceCLRes:EnterServiceCLResType
    ReactivePowerSupportCLRes:ReactivePowerSupportCLResType? ActivePowerSupportCLRes:ActivePowerSupportCLResType?
EVApparentPowerLimitsType 12: EVMaximumApparentPowerDuringChargingAndVarAbsorption+L EVMaximumApparentPowerDuringChargingAndVarInjection+L
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption+L EVMaximumApparentPowerDuringDischargingAndVarInjection+L
DERControlCPDResType 5: VoltageTrip:VoltageTripType FrequencyTrip:FrequencyTripType EnterServiceCPDRes:EnterServiceCPDResType
    ReactivePowerSupportCPDRes:ReactivePowerSupportCPDResType ActivePowerSupportCPDRes:ActivePowerSupportCPDResType
EVReactivePowerLimitsType 27: EVMaximumVarAbsorptionDuringCharging+L EVMinimumVarAbsorptionDuringCharging+L?
    EVMaximumVarInjectionDuringCharging+L EVMinimumVarInjectionDuringCharging+L? EVMaximumVarAbsorptionDuringDischarging+L
    EVMinimumVarAbsorptionDuringDischarging+L? EVMaximumVarInjectionDuringDischarging+L EVMinimumVarInjectionDuringDischarging+L?
    EVReactiveSusceptance+L
EVExcitationLimitsType 12: EVSpecifiedOverExcitedPowerFactor+L EVSpecifiedOverExcitedDischargePower+L EVSpecifiedUnderExcitedPowerFactor+L
    EVSpecifiedUnderExcitedDischargePower+L
EVInverterDetailsType 5: EVInverterSwVersion:evInverterSwVersionType EVInverterHwVersion:evInverterHwVersionType?
    EVInverterManufacturer:evInverterManufacturerType EVInverterModel:evInverterModelType
    EVInverterSerialNumber:evInverterSerialNumberType
EVSEReactivePowerLimitsType 12: EVSEMaximumVarAbsorptionDuringCharging+L EVSEMaximumVarInjectionDuringCharging+L
    EVSEMaximumVarAbsorptionDuringDischarging+L EVSEMaximumVarInjectionDuringDischarging+L
GridLimitsType 7: GridNominalFrequency GridNominalVoltage GridNominalVoltageOffset GridMinFrequency? GridMaxFrequency? GridMaximumVoltage
    GridMinimumVoltage
EVApparentPowerType 12: EVMaximumApparentPowerDuringChargingAndVarAbsorption+L EVMaximumApparentPowerDuringChargingAndVarInjection+L
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption+L EVMaximumApparentPowerDuringDischargingAndVarInjection+L
EVReactivePowerType 24: EVMaximumVarAbsorptionDuringCharging+L EVMinimumVarAbsorptionDuringCharging+L?
    EVMaximumVarInjectionDuringCharging+L EVMinimumVarInjectionDuringCharging+L? EVMaximumVarAbsorptionDuringDischarging+L
    EVMinimumVarAbsorptionDuringDischarging+L? EVMaximumVarInjectionDuringDischarging+L EVMinimumVarInjectionDuringDischarging+L?
EVExcitationType 12: EVSpecifiedOverExcitedPowerFactor+L? EVSpecifiedOverExcitedDischargePower+L EVSpecifiedUnderExcitedPowerFactor+L?
    EVSpecifiedUnderExcitedDischargePower+L
DER_AC_CPDReqEnergyTransferModeType < AC_CPDReqEnergyTransferModeType 30: EVProcessing:processingType EVMaximumDischargePower+L
    EVMinimumDischargePower+L? EVSessionTotalDischargeEnergyAvailable? EVApparentPowerLimits:EVApparentPowerLimitsType
    EVReactivePowerLimits:EVReactivePowerLimitsType EVExcitationLimits:EVExcitationLimitsType EVInverterDetails:EVInverterDetailsType
    IEEE1547NormalCategory:ieee1547NormalCategoryType IEEE1547AbnormalCategory:ieee1547AbnormalCategoryType EVNominalVoltage
    EVMaximumVoltage EVMinimumVoltage EVNominalVoltageOffset J3072Certified:boolean J3072CertificationDate:unsignedLong
    EVUseableWattHours:unsignedInt EVUpdateTime:unsignedLong SupportedModes:unsignedInt EnabledModes:unsignedInt
DER_AC_CPDResEnergyTransferModeType < AC_CPDResEnergyTransferModeType 29: EVSEProcessing:processingType EVSEStatus:EVSEStatusType?
    DERControlCPDRes:DERControlCPDResType EVSENominalChargePower+L? EVSENominalDischargePower+L? EVSEMaximumDischargePower+L
    EVSEReactivePowerLimits:EVSEReactivePowerLimitsType GridLimits:GridLimitsType RequiredDEROperatingMode:requiredDEROperatingModeType
    GridConnectionMode:gridConnectionModeType EVSEUpdateTime:unsignedLong
DER_Scheduled_AC_CLReqControlModeType < Scheduled_AC_CLReqControlModeType 34: EVPresentVoltage EVPresentFrequency
    EVMaximumDischargePower+L? EVMinimumDischargePower+L? DEROperationalState:derOperationalStateType
    DERConnectionStatus:derConnectionStatusType EVApparentPower:EVApparentPowerType? EVReactivePower:EVReactivePowerType?
    EVExcitation:EVExcitationType? EVUpdateTime:unsignedLong EVMinimumChargingDuration:unsignedInt?
    EVDurationMaximumChargeRate:unsignedInt? EVDurationMaximumDischargeRate:unsignedInt? DERAlarmStatus:unsignedInt
    EnabledModes:unsignedInt
DER_Scheduled_AC_CLResControlModeType < Scheduled_AC_CLResControlModeType 18: DERControlCLRes:DERControlCLResType
    EVSEMaximumChargePower+L? EVSEMaximumDischargePower+L? RequiredDEROperatingMode:requiredDEROperatingModeType?
    GridConnectionMode:gridConnectionModeType?
DER_Dynamic_AC_CLReqControlModeType < Dynamic_AC_CLReqControlModeType 38: EVMaximumDischargePower+L EVMinimumDischargePower+L
    EVPresentVoltage EVPresentFrequency EVSessionTotalDischargeEnergyAvailable? EVApparentPower:EVApparentPowerType?
    EVReactivePower:EVReactivePowerType? EVExcitation:EVExcitationType? EVMaximumV2XEnergyRequest? EVMinimumV2XEnergyRequest?
    DEROperationalState:derOperationalStateType DERConnectionStatus:derConnectionStatusType EVUpdateTime:unsignedLong
    EVMinimumChargingDuration:unsignedInt EVDurationMaximumChargeRate:unsignedInt EVDurationMaximumDischargeRate:unsignedInt
    DERAlarmStatus:unsignedInt EnabledModes:unsignedInt
DER_Dynamic_AC_CLResControlModeType < Dynamic_AC_CLResControlModeType 22: DERControlCLRes:DERControlCLResType EVSEMaximumChargePower+L?
    EVSEMaximumDischargePower+L? RequiredDEROperatingMode:requiredDEROperatingModeType? GridConnectionMode:gridConnectionModeType?
powerReferenceType: MaximumActivePower | MomentaryPower
derUnitType: V | Hz | W | s | var | PercentageEVMaximumConfiguredActivePower | PercentageEVMaximumConfiguredReactivePower |
    PercentageEVMaximumConfiguredApparentPower | PercentageEVMaximumAvailableActivePower | PercentageEVMaximumAvailableReactivePower |
    PercentageV
powerFactorExcitationType: OverExcited | UnderExcited
ieee1547NormalCategoryType: CategoryA | CategoryB
ieee1547AbnormalCategoryType: CategoryI | CategoryII | CategoryIII
derOperationalStateType: On | Off
derConnectionStatusType: Disconnected | Connected
requiredDEROperatingModeType: GridFollowing | GridForming
gridConnectionModeType: GridConnected | GridIslanded
""",
}


def words(text: str) -> list[str]:
    return text.split()


# Where the elements of energy transfer stand among all 48 (49 with SAE's FrequencyDroop) of a document, from the first on.
CODES = words("""
AC_CPDReqEnergyTransferMode AC_CPDResEnergyTransferMode AC_ChargeLoopReq AC_ChargeLoopRes AC_ChargeParameterDiscoveryReq
AC_ChargeParameterDiscoveryRes BPT_AC_CPDReqEnergyTransferMode BPT_AC_CPDResEnergyTransferMode BPT_Dynamic_AC_CLReqControlMode
BPT_Dynamic_AC_CLResControlMode BPT_Scheduled_AC_CLReqControlMode BPT_Scheduled_AC_CLResControlMode CLReqControlMode CLResControlMode
CanonicalizationMethod DER_AC_CPDReqEnergyTransferMode DER_AC_CPDResEnergyTransferMode DER_Dynamic_AC_CLReqControlMode
DER_Dynamic_AC_CLResControlMode DER_Scheduled_AC_CLReqControlMode DER_Scheduled_AC_CLResControlMode DSAKeyValue DigestMethod DigestValue
Dynamic_AC_CLReqControlMode Dynamic_AC_CLResControlMode
""")
LATER = {
    IEC: {"KeyInfo": 26, "Scheduled_AC_CLReqControlMode": 37, "Scheduled_AC_CLResControlMode": 38, "X509Data": 47},
    SAE: {"FrequencyDroop": 26, "KeyInfo": 27, "Scheduled_AC_CLReqControlMode": 38, "Scheduled_AC_CLResControlMode": 39, "X509Data": 48},
}
COUNT, BITS = {IEC: 48, SAE: 49}, 6

# XML Schema Part 2, and simple types of CommonTypes.
SIMPLE = {
    "boolean": shape.Simple(bool),
    "unsignedByte": shape.Simple(int, Range(0, (1 << 8) - 1)),
    "unsignedShort": shape.Simple(int, Range(0, (1 << 16) - 1)),
    "unsignedInt": shape.Simple(int, Range(0, (1 << 32) - 1)),
    "unsignedLong": shape.Simple(int, Range(0, (1 << 64) - 1)),
    "percentValueType": shape.Simple(int, Range(0, 100)),
    "processingType": shape.Simple(str, values=("Finished", "Ongoing", "Ongoing_WaitingForCustomerInteraction")),
}
SIMPLE |= {
    f"evInverter{each}Type": shape.Simple(str, length=Length(0, 32))
    for each in ("SwVersion", "HwVersion", "Manufacturer", "Model", "SerialNumber")
}


# ---- what they say


class Particle(NamedTuple):
    name: str
    type: str
    least: int
    most: int


class Type(NamedTuple):
    base: str
    total: int
    own: list[Particle]


def types(text: str) -> dict[str, Type]:
    found = {}
    for line in lines(text):
        if head := re.match(r"(\w+)(?: < (\w+))? (\d+):", line):
            found[head[1]] = Type(head[2] or "", int(head[3]), [each for word in line[head.end() :].split() for each in particles(word)])
    return found


def enumerations(text: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values.split(" | ")) for line in lines(text) if " | " in line for name, _, values in [line.partition(": ")]}


def lines(text: str) -> list[str]:
    return re.sub(r"\n {4}\s*", " ", text).strip().split("\n")


def particles(word: str) -> Iterator[Particle]:
    parts = re.fullmatch(r"(\w+)(\+L)?(?::(\w+))?(\?|\{(\d+),(\d+)\})?", word)
    assert parts, word
    name, lines_, kind, often, least, most = parts.groups()
    kind = kind or "RationalNumberType"
    yield Particle(name, kind, int(least) if least else 0 if often == "?" else 1, int(most or 1))
    if lines_:
        yield from (Particle(name + each, kind, 0, 1) for each in ("_L2", "_L3"))


def whole(name: str, every: dict[str, Type]) -> list[Particle]:
    return [*(whole(every[name].base, every) if every[name].base else ()), *every[name].own]


def declared(namespace: str, of: str) -> dict[str, type[Message]]:
    return {each._type_: each for each in shape.classes(namespace) if shape.namespace_of(each) == of}


EVERY = [(namespace, name) for namespace, text in FACTS.items() for name in types(text)]


# ---- ours


@pytest.mark.parametrize(("namespace", "name"), EVERY, ids=[f"{namespace[-3:]} {name}" for namespace, name in EVERY])
def test_particles(namespace: str, name: str) -> None:
    every, values = types(FACTS_AC) | types(FACTS[namespace]), enumerations(FACTS[namespace])
    ours = declared(namespace, namespace)[name]
    expected = whole(name, every)
    assert len(expected) == every[name].total
    assert_same(ours, expected, values, namespace)
    bases = [each._type_ for each in ours.__mro__[1:] if issubclass(each, Message) and each is not Message]
    assert bases[:1] == ([every[name].base] if every[name].base else [])


@pytest.mark.parametrize("namespace", FACTS, ids=["IEC", "SAE"])
def test_types_of_ac_that_they_extend(namespace: str) -> None:
    for name, each in types(FACTS_AC).items():
        assert len(each.own) == each.total
        assert_same(declared(namespace, AC)[name], each.own, {}, namespace)


def assert_same(ours: type[Message], expected: list[Particle], values: dict[str, tuple[str, ...]], namespace: str) -> None:
    fields = shape.fields(ours)
    assert [each.name for each in fields] == [each.name for each in expected]
    for field, particle in zip(fields, expected, strict=True):
        where = f"{ours.__name__}.{field.name}"
        assert field.place == "element", where
        assert not field.ref, where
        assert tuple(field.occurs) == (particle.least, particle.most), where
        if particle.type in SIMPLE:
            assert field.kind == SIMPLE[particle.type], where
        elif particle.type in values:
            assert field.kind == shape.Simple(str, values=values[particle.type]), where
        else:
            assert not isinstance(field.kind, shape.Simple), where
            assert field.kind._type_ == particle.type, where
            assert shape.namespace_of(field.kind) in {namespace, "urn:iso:std:iso:15118:-20:CommonTypes"}, where


@pytest.mark.parametrize("namespace", FACTS, ids=["IEC", "SAE"])
def test_nothing_more_is_declared(namespace: str) -> None:
    assert set(declared(namespace, namespace)) == set(types(FACTS[namespace]))


def test_one_choice() -> None:
    """In the facts its branches are three particles that may be absent."""
    branches = {
        (each._type_, field.name, field.one_of.optional)
        for namespace in FACTS
        for each in declared(namespace, namespace).values()
        for field in shape.fields(each)
        if field.one_of
    }
    assert branches == {("ReactivePowerSupportType", name, False) for name in ("VoltVar", "WattVar", "WattCosPhi")}


@pytest.mark.parametrize("namespace", FACTS, ids=["IEC", "SAE"])
def test_event_codes_of_a_document(namespace: str) -> None:
    names = [qname[1] for qname in codec_of(namespace).schema.elements]
    assert len(names) == COUNT[namespace]
    assert len(names).bit_length() == BITS
    assert names[: len(CODES)] == CODES
    assert {name: names.index(name) for name in LATER[namespace]} == LATER[namespace]
    at = names.index("Signature")
    assert names[at : at + 5] == ["Signature", "SignatureMethod", "SignatureProperties", "SignatureProperty", "SignatureValue"]


@pytest.mark.parametrize("namespace", FACTS, ids=["IEC", "SAE"])
@pytest.mark.parametrize(
    ("head", "others"),
    [
        ("AC_CPDReqEnergyTransferModeType", ["AC_CPDReqEnergyTransferMode", "BPT_AC_CPDReqEnergyTransferMode"]),
        ("AC_CPDResEnergyTransferModeType", ["AC_CPDResEnergyTransferMode", "BPT_AC_CPDResEnergyTransferMode"]),
        ("CLReqControlModeType", [f"{how}{when}_AC_CLReqControlMode" for how in ("", "BPT_") for when in ("Dynamic", "Scheduled")]),
        ("CLResControlModeType", [f"{how}{when}_AC_CLResControlMode" for how in ("", "BPT_") for when in ("Dynamic", "Scheduled")]),
    ],
)
def test_who_may_stand_for_whom(namespace: str, head: str, others: list[str]) -> None:
    """Messages of AC take the DER elements where those of AC itself stand."""
    (kind,) = (each for each in shape.classes(namespace) if each._type_ == head)
    der = {f"DER_{each.removeprefix('BPT_')}" for each in others}
    assert {each._element_ for each in shape.members(kind, namespace)} == der | set(others)
