"""A provisioning service as ISO 15118-2 has it: what it makes for CertificateInstallationReq and CertificateUpdateReq."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs import contract as envelopes
from certs.testpki_make import drawn, key_of
from iso15118 import exi
from iso15118.evcc.iso2.contracts import signed_parts
from iso15118.iso2.certificates import chain_type
from iso15118.messages import xmldsig as ds
from iso15118.messages.iso2 import data_certificates as ce
from iso15118.messages.iso2 import data_schedules as sc
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_def as md
from iso15118.messages.iso2 import msg_header as mh
from iso15118.signature import sign

if TYPE_CHECKING:
    from bench.v2g.pki import World

NAMESPACE = md.NAMESPACE


def receiver_of(request: Any) -> x509.Certificate:
    """Whose key opens the answer. Raises TypeError for a message that asks for no contract."""
    match request:
        case mb.CertificateInstallationReq():
            return x509.load_der_x509_certificate(request.OEMProvisioningCert)
        case mb.CertificateUpdateReq():
            return x509.load_der_x509_certificate(request.ContractSignatureCertChain.Certificate)
    raise TypeError(type(request).__name__)


def made(world: World, sender: World, by: str, octets: bytes, emaid: str) -> bytes:
    """One contract, sealed for whoever has asked, as a document."""
    asked: Any = exi.decode(octets, NAMESPACE)
    request = asked.Body.BodyElement
    update = isinstance(request, mb.CertificateUpdateReq)
    identity = world.issued(emaid)
    ephemeral: Any = key_of(world.kind, world.seed, f"ephemeral {emaid}")
    key: Any = identity.key
    sealed = envelopes.seal(
        "iso2",
        key,
        envelopes.agrees_by(receiver_of(request)),
        contract=identity.certificate,
        ephemeral=ephemeral,
        iv=drawn(world.seed, f"iv {emaid}", octets=16),
    )
    kind = mb.CertificateUpdateRes if update else mb.CertificateInstallationRes
    response = kind(
        ResponseCode="OK",
        SAProvisioningCertificateChain=chain_type(_der(sender.made[by].chain)),
        ContractSignatureCertChain=chain_type(_der(identity.chain), "id1"),
        ContractSignatureEncryptedPrivateKey=ce.ContractSignatureEncryptedPrivateKeyType(Id="id2", value=sealed.encrypted),
        DHpublickey=ce.DiffieHellmanPublickeyType(Id="id3", value=sealed.dh_public_key),
        eMAID=ce.EMAIDType(Id="id4", value=emaid),
    )
    header = mh.MessageHeaderType(SessionID=asked.Header.SessionID, Signature=sign(sender.signer(by), "iso2", signed_parts(response)))
    return exi.encode(md.V2G_Message(Header=header, Body=mb.BodyType(BodyElement=response)), NAMESPACE)


def signed_tariff(world: World, tariff: sc.SalesTariffType, by: str = "moSub2") -> tuple[bytes, bytes]:
    """`Prices.signed_tariff` and `Facts.tariff_signature` for a tariff that has an Id."""
    signature = sign(world.signer(by), "iso2", [(tariff.Id or "", "SalesTariff", tariff)])
    return exi.encode_fragment("SalesTariff", tariff, NAMESPACE), exi.encode_fragment("Signature", signature, ds.NAMESPACE)


def _der(certificates: tuple[x509.Certificate, ...]) -> tuple[bytes, ...]:
    return tuple(each.public_bytes(Encoding.DER) for each in certificates)
