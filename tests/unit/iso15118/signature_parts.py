"""What the tests of signatures share: keys, and parts of messages that are signed."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448

from iso15118.messages import xmldsig as ds
from iso15118.messages.iso2 import data_certificates as two
from iso15118.messages.iso20 import common_certificates as cc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.signature import Edition, Part, sign, signer_of, verify

P256 = ec.derive_private_key(0x1234567, ec.SECP256R1())
P521 = ec.derive_private_key(0x1234567, ec.SECP521R1())
ED448 = ed448.Ed448PrivateKey.from_private_bytes(bytes(range(57)))
KEYS: dict[Edition, ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey] = {"iso2": P256, "iso20": P521, "iso20_ed448": ED448}
EDITIONS: tuple[Edition, ...] = ("iso2", "iso20", "iso20_ed448")


def chain20() -> cc.ContractCertificateChainType:
    return cc.ContractCertificateChainType(Certificate=bytes(900), SubCertificates=cc.SubCertificatesType(Certificate=(bytes(700),)))


def parts_of(edition: Edition) -> list[Part]:
    """What an authorization and, in -2, an installation sign."""
    if edition == "iso2":
        chain = two.CertificateChainType(
            Id="id1", Certificate=bytes(700), SubCertificates=two.SubCertificatesType(Certificate=(b"sub", b"ca"))
        )
        return [
            ("id1", "ContractSignatureCertChain", chain),
            ("id2", "ContractSignatureEncryptedPrivateKey", two.ContractSignatureEncryptedPrivateKeyType(Id="id2", value=bytes(48))),
            ("id3", "DHpublickey", two.DiffieHellmanPublickeyType(Id="id3", value=bytes(65))),
            ("id4", "eMAID", two.EMAIDType(Id="id4", value="DETSTC00000001")),
        ]
    mode = cm.PnC_AReqAuthorizationModeType(Id="id1", GenChallenge=bytes(16), ContractCertificateChain=chain20())
    data = cc.SignedInstallationDataType(
        Id="id2",
        ContractCertificateChain=chain20(),
        ECDHCurve="SECP521",
        DHPublicKey=bytes(133),
        SECP521_EncryptedPrivateKey=bytes(94),
    )
    return [("id1", "PnC_AReqAuthorizationMode", mode), ("id2", "SignedInstallationData", data)]


def signed(edition: Edition, parts: list[Part] | None = None) -> ds.SignatureType:
    return sign(signer_of(KEYS[edition]), edition, parts_of(edition) if parts is None else parts)


def judged(edition: Edition, signature: ds.SignatureType | None, **how: Any) -> str:
    return verify(signature, parts_of(edition), KEYS[edition].public_key(), **how)
