"""ISO 15118-20, what a vehicle makes of the responses in the charge loop."""

from __future__ import annotations

from iso15118.connection import Now
from iso15118.evcc.iso20 import plans
from iso15118.evcc.iso20.table import Said
from iso15118.evcc.iso20.talk import ONGOING_S, Heard, Talk, failed, leave, leaving, our_W, round_due_s
from iso15118.evcc.loop import asked_anew, too_much
from iso15118.evcc.terms import Delivered, EvseAsks, EvseLimits, EvWish, MeterShown, Parked, PowerTarget, StopDrawing, WishTaken
from iso15118.iso20.values import maybe, number
from iso15118.iso20.wire import WISHES
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.terms import Control, Reading, Told, Wish


def ac_loop(talk: Talk, now: Now, response: ac.AC_ChargeLoopRes) -> Heard:
    """What the charger wants us to draw, or to give."""
    mode = response.CLResControlMode
    if not isinstance(mode, (ac.Scheduled_AC_CLResControlMode, ac.Dynamic_AC_CLResControlMode)):
        return failed(f"{type(mode).__name__} in the loop of AC")
    bpt = isinstance(mode, (ac.BPT_Scheduled_AC_CLResControlMode, ac.BPT_Dynamic_AC_CLResControlMode))
    if wrong := _wrong(talk, dynamic=isinstance(mode, ac.Dynamic_AC_CLResControlMode), bpt=bpt):
        return failed(wrong)
    return next_round(talk, now, response, PowerTarget(our_W(talk, mode, "EVSETargetActivePower")))


def dc_loop(talk: Talk, now: Now, response: dc.DC_ChargeLoopRes) -> Heard:
    """What the charger delivers, and its limits where it says them. Where it is more than we can take we go."""
    mode = response.CLResControlMode
    if not isinstance(mode, (dc.Scheduled_DC_CLResControlMode, dc.Dynamic_DC_CLResControlMode)):
        return failed(f"{type(mode).__name__} in the loop of DC")
    bpt = isinstance(mode, (dc.BPT_Scheduled_DC_CLResControlMode, dc.BPT_Dynamic_DC_CLResControlMode))
    if wrong := _wrong(talk, dynamic=isinstance(mode, dc.Dynamic_DC_CLResControlMode), bpt=bpt):
        return failed(wrong)
    limits = EvseLimits(
        max_power_W=maybe(mode.EVSEMaximumChargePower),
        min_power_W=maybe(mode.EVSEMinimumChargePower),
        max_current_A=maybe(mode.EVSEMaximumChargeCurrent),
        max_voltage_V=maybe(mode.EVSEMaximumVoltage),
        min_voltage_V=maybe(getattr(mode, "EVSEMinimumVoltage", None)),
        max_discharge_W=maybe(getattr(mode, "EVSEMaximumDischargePower", None)),
        min_discharge_W=maybe(getattr(mode, "EVSEMinimumDischargePower", None)),
        max_discharge_A=maybe(getattr(mode, "EVSEMaximumDischargeCurrent", None)),
    )
    delivered = Delivered(
        number(response.EVSEPresentVoltage),
        number(response.EVSEPresentCurrent),
        response.EVSEPowerLimitAchieved,
        response.EVSECurrentLimitAchieved,
        response.EVSEVoltageLimitAchieved,
    )
    if wrong := too_much(talk.wants.limits, delivered):
        talk.loops += 1
        return leave(talk, wrong, delivered, off=True)
    return next_round(talk, now, response, delivered, *((limits,) if limits != EvseLimits() else ()))


def _wrong(talk: Talk, *, dynamic: bool, bpt: bool) -> str:
    """Another control mode or direction than was chosen."""
    if talk.energy is None or talk.way is None or bpt != talk.energy.is_bpt:
        return "the direction is not that of the chosen service"
    return "" if dynamic == (talk.way.control is Control.DYNAMIC) else "the control mode is not that of the chosen parameter set"


def next_round(talk: Talk, now: Now, response: ct.ChargeLoopResType, *shown: Told) -> Heard:
    """Our own wishes first, then the charger's, then the next round."""
    told = list(shown)
    talk.loops += 1
    if (info := response.MeterInfo) is not None:
        talk.meter, talk.receipt = info, response.Receipt
        told.append(
            MeterShown(
                Reading(info.MeterID, info.ChargedEnergyReadingWh, info.BPT_DischargedEnergyReadingWh, info.MeterSignature or b"", info.MeterTimestamp)
            )
        )  # fmt: skip
    if gone := leaving(talk, *told, off=True):
        return gone
    if talk.wants.loops is not None and talk.loops >= talk.wants.loops:
        return leave(talk, "as many rounds as were wanted", *told, off=True)
    status = response.EVSEStatus
    asked = WISHES[status.EVSENotification] if status is not None else None
    anew = asked_anew(talk, now, asks=asked is Wish.RENEGOTIATE_SCHEDULE)
    if talk.wants.wish is not None and (heard := _ours(talk, talk.wants.wish, *told)):
        return heard
    if status is not None and asked is not None:
        told.append(EvseAsks(asked, status.NotificationMaxDelay))
        still = asked is Wish.RENEGOTIATE_SCHEDULE and not anew
        if asked in talk.wants.heeds and not still and (heard := _theirs(talk, asked, *told)):
            return heard
    if talk.replanning:
        return Heard(Said.REPLAN, tuple(told))
    return Heard(Said.AGAIN, tuple(told), round_due_s(talk, now))


def _ours(talk: Talk, wish: EvWish, *told: Told) -> Heard | None:
    """A wish of the vehicle that can be done from here."""
    taken = WishTaken(wish)
    match wish:
        case EvWish.RENEGOTIATE_SERVICE if talk.renegotiation:
            talk.ending = "ServiceRenegotiation"
            return leave(talk, wish.value, taken, *told, off=True)
        case EvWish.RENEGOTIATE_SCHEDULE:
            return _other(talk, taken, *told)
        case EvWish.STANDBY if talk.drawing:
            talk.drawing = talk.replanning = False
            talk.done("other schedules")
            return Heard(Said.STANDBY, (StopDrawing(wish.value), taken, *told))
        case EvWish.RESUME if not talk.drawing:
            return Heard(Said.RESUME, (taken, *told))
        case EvWish.CONFIRM_METERING if talk.drawing and talk.meter is not None:
            return Heard(Said.METERING, (taken, *told))
        case EvWish.CHECK_IN if talk.drawing:
            return Heard(Said.CHECK_IN, (taken, *told))
        case EvWish.CHECK_OUT if talk.drawing:
            return Heard(Said.CHECK_OUT, (taken, *told))
    return None


def _theirs(talk: Talk, wish: Wish, *told: Told) -> Heard | None:
    """A wish of the charger that can be done from here."""
    match wish:
        case Wish.STOP | Wish.PAUSE:
            talk.ending = "Pause" if wish is Wish.PAUSE else "Terminate"
            return leave(talk, f"the charger asks: {wish.value}", *told, off=True)
        case Wish.RENEGOTIATE_SERVICE if talk.renegotiation:
            talk.ending = "ServiceRenegotiation"
            return leave(talk, f"the charger asks: {wish.value}", *told, off=True)
        case Wish.RENEGOTIATE_SCHEDULE:
            return _other(talk, *told)
        case Wish.EXIT_STANDBY if not talk.drawing:
            return Heard(Said.RESUME, told)
        case Wish.CONFIRM_METERING if talk.drawing and talk.meter is not None:
            return Heard(Said.METERING, told)
    return None


def _other(talk: Talk, *told: Told) -> Heard:
    """Other schedules: beside the loop where the vehicle wants so, but not out of standby, where no loop goes on."""
    aside = talk.wants.other_schedules_aside and talk.drawing
    talk.replanning = aside
    return Heard(Said.REPLAN if aside else Said.RESCHEDULE, told)


def other_schedules(talk: Talk, now: Now, response: cm.ScheduleExchangeRes) -> Heard:
    """Nothing yet: the next round of the loop, and then again. Where there are none, or not in time, those of before hold."""
    if gone := leaving(talk, off=True):
        return gone
    if response.GoToPause:
        talk.ending = "Pause"
        return leave(talk, "the charger wants a pause", off=True)
    if response.EVSEProcessing != "Finished" and talk.ongoing("other schedules", now, ONGOING_S):
        return Heard(Said.GO, wait_s=round_due_s(talk, now))
    talk.replanning = False
    talk.done("other schedules")
    if response.EVSEProcessing != "Finished" or response.ResponseCode == "WARNING_ScheduleRenegotiationFailed":
        return Heard(Said.GO, wait_s=round_due_s(talk, now))
    told = plans.taken(talk, response)
    return Heard(Said.PROFILE, told) if told else failed("the charger answers in another control mode")


def other_profile(talk: Talk, now: Now, response: cm.PowerDeliveryRes) -> Heard:
    """The charger has our profile, and the loop goes on with it."""
    return leaving(talk, off=True) or Heard(Said.GO, wait_s=round_due_s(talk, now))


def metering_confirmation(talk: Talk, now: Now, response: cm.MeteringConfirmationRes) -> Heard:
    """Back to the loop."""
    return leaving(talk, off=True) or Heard(Said.GO)


def parking(talk: Talk, now: Now, response: cm.VehicleCheckInRes | cm.VehicleCheckOutRes) -> Heard:
    """Back to the loop."""
    told = Parked(EvWish.CHECK_OUT, response.EVSECheckOutStatus) if isinstance(response, cm.VehicleCheckOutRes) else Parked(EvWish.CHECK_IN)
    return leaving(talk, told, off=True) or Heard(Said.GO, (told,))
