"""ISO 15118-20, the requests of a vehicle by which it says who pays: with EIM, with a contract, and for contracts that it does not have yet."""

from __future__ import annotations

from certs.reading import CertificateError, kind_of
from iso15118.connection import Now
from iso15118.evcc.iso20.talk import Talk, header
from iso15118.iso20.certificates import certificates, leaf_of, sub_certificates, wrong_key
from iso15118.messages import xmldsig as ds
from iso15118.messages.iso20 import common_certificates as cc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.signature import Edition, Part, Signer, sign
from iso15118.terms import Payment

MOST_ROOTS = 20
MOST_EMAIDS = 8
_EDITIONS: dict[str, Edition] = {"p521": "iso20", "ed448": "iso20_ed448", "p256": "iso20_p256"}


def signs(chain: tuple[bytes, ...], *, peer: bool = False) -> bool:
    """Whether ISO 15118-20 has signatures by the key of this chain's leaf."""
    try:
        return not wrong_key(leaf_of(chain[0]), peer=peer)
    except (CertificateError, IndexError):
        return False


def signed(chain: tuple[bytes, ...], signer: Signer, part: Part) -> ds.SignatureType:
    """By the algorithm that belongs to the key of the chain's leaf."""
    return sign(signer, _EDITIONS[kind_of(leaf_of(chain[0]).key)], [part])


def authorization(talk: Talk, now: Now) -> cm.AuthorizationReq:
    """With the contract over the charger's challenge, once for each; repeated as it was ([V2G20-1582]). Or by other means."""
    if talk.payment is Payment.EIM or talk.contract is None:
        return cm.AuthorizationReq(
            Header=header(talk, now), SelectedAuthorizationService="EIM", EIM_AReqAuthorizationMode=cm.EIM_AReqAuthorizationModeType()
        )
    contract, shown = talk.contract, talk.shown
    if shown is None:
        mode = cm.PnC_AReqAuthorizationModeType(
            Id="id1",
            GenChallenge=talk.challenge,
            ContractCertificateChain=cc.ContractCertificateChainType(
                Certificate=contract.chain[0],
                SubCertificates=sub_certificates(contract.chain) or cc.SubCertificatesType(Certificate=(b"",)),
            ),
        )
        signature = signed(contract.chain, contract.signer, ("id1", "PnC_AReqAuthorizationMode", mode))
        shown = cm.AuthorizationReq(Header=header(talk, now, signature), SelectedAuthorizationService="PnC", PnC_AReqAuthorizationMode=mode)
        talk.shown = shown
    return cm.AuthorizationReq(
        Header=header(talk, now, shown.Header.Signature),
        SelectedAuthorizationService="PnC",
        PnC_AReqAuthorizationMode=shown.PnC_AReqAuthorizationMode,
    )


def certificate_installation(talk: Talk, now: Now) -> cm.CertificateInstallationReq:
    """Contracts, asked for by what the maker has given us; repeated as it was until it is answered, and for each contract more ([V2G20-1579])."""
    before, wants = talk.request, talk.wants
    if before is None:
        given = wants.provisioning
        if given is None:
            raise AssertionError("contracts are asked for without a provisioning certificate")
        chain = cc.SignedCertificateChainType(Id="id1", Certificate=given.chain[0], SubCertificates=sub_certificates(given.chain))
        signature = signed(given.chain, given.signer, ("id1", "OEMProvisioningCertificateChain", chain))
        emaids = () if talk.unlisted else wants.emaids[: min(MOST_EMAIDS, wants.most_contracts)]  # [V2G20-1551]
        before = cm.CertificateInstallationReq(
            Header=header(talk, now, signature),
            OEMProvisioningCertificateChain=chain,
            ListOfRootCertificateIDs=ct.ListOfRootCertificateIDsType(RootCertificateID=_roots(talk)),
            MaximumContractCertificateChains=wants.most_contracts,
            PrioritizedEMAIDs=cc.EMAIDListType(EMAID=emaids) if emaids else None,
        )
        talk.request = before
    return cm.CertificateInstallationReq(
        Header=header(talk, now, before.Header.Signature),
        OEMProvisioningCertificateChain=before.OEMProvisioningCertificateChain,
        ListOfRootCertificateIDs=before.ListOfRootCertificateIDs,
        MaximumContractCertificateChains=before.MaximumContractCertificateChains,
        PrioritizedEMAIDs=before.PrioritizedEMAIDs,
    )


def _roots(talk: Talk) -> tuple[ds.X509IssuerSerialType, ...]:
    """Those that we judge a sender by; the schema wants one at least."""
    found = tuple(
        ds.X509IssuerSerialType(X509IssuerName=each.issuer.rfc4514_string(), X509SerialNumber=each.serial_number)
        for each in certificates(talk.wants.v2g_roots)[:MOST_ROOTS]
    )
    return found or (ds.X509IssuerSerialType(X509IssuerName="", X509SerialNumber=0),)
