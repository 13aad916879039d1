"""What a vehicle takes of a charger that brings contracts and signed prices, and what not (ISO 15118-20 8.3.4.3.9, 8.3.4.3.7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.v2g.charger import Given
from bench.v2g.pair import Pair
from bench.v2g.pki import Cps, World
from bench.v2g.wrong import again
from certs.testpki_make import Kind
from iso15118 import exi
from iso15118.evcc.terms import Authorized, ContractInstalled, InstallationFailed, PricesDoubted, PricesJudged
from iso15118.iso20.values import rational
from iso15118.messages.iso20 import common_certificates as cc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_prices as pr
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.iso20.schedules import ALGORITHM
from iso15118.terms import (
    Control,
    DynamicPlan,
    Energy,
    InstallationAsked,
    InstallationRefused,
    Offered,
    Payment,
    Price,
    Prices,
    Schedule,
    Slot,
)
from iso15118.trust import Refusal
from tests.behaviour.iso20_pnc_rig import KINDS, codes, pnc
from tests.behaviour.iso20_rig import ended_well, told

DAY_S = 86_400
Change = Callable[[cm.CertificateInstallationRes], cm.CertificateInstallationRes]


def fields(message: Any, **other: Any) -> Any:
    """A copy with other fields."""
    return again(message, **other)


def served(pair: Pair, cps: Cps, change: Change) -> Pair:
    def answer(asked: InstallationAsked) -> Given | Refusal:
        given = cps.answer(asked)
        assert isinstance(given, Given)
        made = exi.decode(given.octets, cm.NAMESPACE)
        assert isinstance(made, cm.CertificateInstallationRes)
        return Given(exi.encode(change(made), cm.NAMESPACE), given.remaining)

    pair.charger.provides = answer
    return pair.session()


def data_with(**other: Any) -> Change:
    return lambda made: fields(made, SignedInstallationData=fields(made.SignedInstallationData, **other))


def changed_key(made: cm.CertificateInstallationRes) -> cm.CertificateInstallationRes:
    """One bit of the key, and signed again: only the envelope shows it."""
    data = made.SignedInstallationData
    octets = data.SECP521_EncryptedPrivateKey or b""
    other = fields(data, SECP521_EncryptedPrivateKey=octets[:40] + bytes([octets[40] ^ 1]) + octets[41:])
    return resigned(made, other)


def resigned(made: cm.CertificateInstallationRes, data: cc.SignedInstallationDataType) -> cm.CertificateInstallationRes:
    signature = World.of().signature("cpsLeaf", ("id1", "SignedInstallationData", data))
    return fields(made, Header=fields(made.Header, Signature=signature), SignedInstallationData=data)  # type: ignore[no-any-return]


def for_the_tpm(made: cm.CertificateInstallationRes) -> cm.CertificateInstallationRes:
    return resigned(made, fields(made.SignedInstallationData, SECP521_EncryptedPrivateKey=None, TPM_EncryptedPrivateKey=bytes(206)))


def of_curve448(made: cm.CertificateInstallationRes) -> cm.CertificateInstallationRes:
    return resigned(made, fields(made.SignedInstallationData, ECDHCurve="X448"))


def anothers(made: cm.CertificateInstallationRes) -> cm.CertificateInstallationRes:
    """A contract whose key is not the one in the envelope."""
    chain = World.of().contract("DETSTC00000044").chain
    shown = cc.ContractCertificateChainType(Certificate=chain[0], SubCertificates=cc.SubCertificatesType(Certificate=chain[1:]))
    return resigned(made, fields(made.SignedInstallationData, ContractCertificateChain=shown))


def same(made: cm.CertificateInstallationRes) -> cm.CertificateInstallationRes:
    return made


WORLD = World.of()
OTHERS = World.of(seed=b"somebody else's")
WRONG: dict[str, tuple[Cps, Change, str]] = {
    "a service below another root": (Cps(WORLD, sender=OTHERS), same, "whose certificate is neither with it nor a root that is known here"),
    "a station in the place of the service": (Cps(WORLD, by="seccLeaf"), same, "its DC is CPO, not CPS"),
    "the operator himself": (Cps(WORLD, by="contractLeaf"), same, "refused"),
    "data that were changed": (Cps(WORLD), data_with(DHPublicKey=bytes(133)), "SignedInstallationData is not what was signed"),
    "a key that was changed": (
        Cps(WORLD),
        changed_key,
        "it was sealed for another key, another PCID or another certificate, or was changed",
    ),
    "a key for a TPM": (Cps(WORLD), for_the_tpm, "it is sealed for the vehicle's TPM 2.0"),
    "a key of another curve than it says": (Cps(WORLD), of_curve448, "an encrypted key of iso20, and the curve X448"),
    "another contract's certificate": (Cps(WORLD), anothers, "it was sealed for another key, another PCID or another certificate"),
    "a contract below another root": (
        Cps(OTHERS, sender=WORLD),
        same,
        "whose certificate is neither with it nor a root that is known here",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_a_vehicle_does_not_take_in(what: str) -> None:
    """The session goes on with a card."""
    cps, change, why = WRONG[what]
    pair = served(pnc(contracts=()), cps, change)
    ended_well(pair)
    assert told(pair, ContractInstalled, "ev") == []
    failed = told(pair, InstallationFailed, "ev")
    assert len(failed) == 1
    assert why in failed[0].why
    assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]


def test_a_contract_for_another_vehicle() -> None:
    """It is sealed for the one whose certificate was in the request: an eavesdropper cannot open it."""
    pair = pnc(contracts=())
    assert pair.vehicle.wants.provisioning is not None
    pair.vehicle.wants.provisioning = replace(pair.vehicle.wants.provisioning, agreement=OTHERS.provisioning().agreement)
    pair.session()
    assert "it was sealed for another key" in told(pair, InstallationFailed, "ev")[0].why


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "what the service has answered cannot be read"),
        (bytes(300), "what the service has answered cannot be read"),
        (exi.encode(cm.SessionStopReq(Header=ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=0), ChargingSession="Terminate"), cm.NAMESPACE),
         "the service has answered with a SessionStopReq"),
    ],
)  # fmt: skip
def test_a_service_that_answers_nonsense(octets: bytes, why: str) -> None:
    pair = pnc(contracts=())
    pair.charger.provides = lambda _: Given(octets)
    pair.session()
    ended_well(pair)
    assert codes(pair, cm.CertificateInstallationRes) == ["WARNING_NoCertificateAvailable"]
    assert why in told(pair, InstallationRefused)[0].why


@pytest.mark.parametrize(
    ("code", "answered"),
    [
        ("FAILED_SignatureError", "WARNING_NoCertificateAvailable"),
        ("WARNING_NoContractMatchingPCIDFound", "WARNING_NoContractMatchingPCIDFound"),
        ("WARNING_CertificateRevoked", "WARNING_CertificateRevoked"),
    ],
)
def test_a_service_that_refuses(code: str, answered: str) -> None:
    """What ends a session elsewhere does not end this one: it may be paid for otherwise."""
    pair = served(pnc(contracts=()), Cps(WORLD), lambda made: fields(made, ResponseCode=code))
    ended_well(pair)
    assert codes(pair, cm.CertificateInstallationRes) == [answered]


def test_a_contract_that_nobody_has_signed_is_not_handed_on() -> None:
    pair = served(pnc(contracts=()), Cps(WORLD), lambda made: fields(made, Header=fields(made.Header, Signature=None)))
    assert [each.why for each in told(pair, InstallationRefused)] == ["the service has answered a contract that is not signed"]


def test_one_bad_contract_of_three_does_not_keep_the_others_away() -> None:
    def second(made: cm.CertificateInstallationRes) -> cm.CertificateInstallationRes:
        return data_with(DHPublicKey=bytes(133))(made) if made.RemainingContractCertificateChains == 1 else made

    emaids = ("DETSTC00000001", "DETSTC00000002", "DETSTC00000003")
    pair = served(pnc(contracts=(), most_contracts=3), Cps(WORLD, emaids), second)
    ended_well(pair)
    assert [each.contract.emaid for each in told(pair, ContractInstalled, "ev")] == [emaids[0], emaids[2]]


# ---- prices


def schedule() -> pr.AbsolutePriceScheduleType:
    stack = pr.PriceRuleStackType(Duration=DAY_S, PriceRule=(pr.PriceRuleType(EnergyFee=rational(0.25), PowerRangeStart=rational(0)),))
    return pr.AbsolutePriceScheduleType(
        Id="tariff1",
        TimeAnchor=1_800_000_000,
        PriceScheduleID=7,
        Currency="EUR",
        Language="en",
        PriceAlgorithm=ALGORITHM,
        PriceRuleStacks=pr.PriceRuleStackListType(PriceRuleStack=(stack,)),
    )


def priced(kind: Kind, energy: Energy, control: Control, by: str = "moSub2", world: World | None = None, **wants: Any) -> Pair:
    octets, signature = (world or World.of(kind)).signed_prices(schedule(), by)
    prices = Prices(7, "EUR", (Price(0, DAY_S, 0.25),), signed=octets)
    offered = Offered(energy, pricings=(1,))
    facts = {"energies": (offered,), "prices_signature": signature, "dynamic": DynamicPlan(prices=prices)}
    pair = pnc(kind, energy, control, facts=facts, **wants)
    limits = pair.charger.facts
    back = (Slot(0, DAY_S, -5000.0),) if energy.is_bpt else ()
    made = (
        Schedule(1, (Slot(0, DAY_S, 20_000.0),), back, prices),
        Schedule(2, (Slot(0, DAY_S, 9_000.0),), prices=replace(prices, id=8, signed=b"")),
    )
    pair.charger._plan = lambda: setattr(limits, "schedules", made)  # type: ignore[method-assign]
    return pair


@pytest.mark.parametrize("control", Control)
@pytest.mark.parametrize("energy", [Energy.AC, Energy.DC_BPT])
@pytest.mark.parametrize("kind", KINDS)
def test_prices_that_the_operator_has_signed(kind: Kind, energy: Energy, control: Control) -> None:
    pair = priced(kind, energy, control).session()
    ended_well(pair)
    assert told(pair, PricesJudged, "ev") == [PricesJudged(verified=True)]
    assert told(pair, PricesDoubted, "ev") == []


@pytest.mark.parametrize(
    ("by", "world"), [("moSub1", None), ("contractLeaf", None), ("moSub2", OTHERS)], ids=["sub-CA 1", "the contract", "another operator"]
)
def test_prices_that_somebody_else_has_signed(by: str, world: World | None) -> None:
    pair = priced("p521", Energy.DC, Control.DYNAMIC, by, world).session()
    ended_well(pair)
    judged = told(pair, PricesJudged, "ev")
    assert [each.verified for each in judged] == [False]
    assert "the signature is not the key's" in judged[0].why


def test_signed_prices_of_a_session_that_a_card_pays() -> None:
    pair = priced("p521", Energy.DC, Control.DYNAMIC, contracts=(), provisioning=None).session()
    assert [each.why for each in told(pair, PricesJudged, "ev")] == ["no contract pays: nobody knows whose signature it should be"]


def test_what_is_signed_is_not_cut() -> None:
    """With more prices than the vehicle takes, it gets those that there is room for, unsigned."""
    pair = priced("p521", Energy.DC, Control.DYNAMIC, most_points=12)
    plan = pair.charger.facts.dynamic
    assert plan is not None
    assert plan.prices is not None
    pair.charger.facts.dynamic = DynamicPlan(prices=replace(plan.prices, slots=tuple(Price(n * 60, 60, 0.25) for n in range(20))))
    pair.session()
    ended_well(pair)
    assert told(pair, PricesJudged, "ev") == []
    assert told(pair, PricesDoubted, "ev") == []


def test_a_signature_that_cannot_be_read_is_left_out() -> None:
    pair = priced("p521", Energy.DC, Control.DYNAMIC)
    pair.charger.facts.prices_signature = b"no signature"
    pair.session()
    ended_well(pair)
    assert [each.why for each in told(pair, PricesJudged, "ev")] == ["the message is not signed"]


def test_a_signature_of_other_prices_is_left_out() -> None:
    """It would cover what is not there."""
    pair = priced("p521", Energy.DC, Control.DYNAMIC)
    pair.charger.facts.prices_signature = World.of().signed_prices(again(schedule(), Id="tariff2"))[1]
    pair.session()
    ended_well(pair)
    assert [each.why for each in told(pair, PricesJudged, "ev")] == ["the message is not signed"]
    assert all(each.Header.Signature is None for _, _, each in pair.messages if isinstance(each, cm.ScheduleExchangeRes))
