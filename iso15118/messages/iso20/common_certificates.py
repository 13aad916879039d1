"""Certificate chains and the installation of contracts (ISO 15118-20:2022, schema CommonMessages [K])."""

from typing import Annotated, Literal

from iso15118.messages.declare import ATTRIBUTE, ID, Length, Message, Occurs, OneOf
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonMessages"
QUALIFIED_ATTRIBUTES = True


ecdhCurveType = Literal["SECP521", "X448"]
"""Curve of the key agreement that protects the contract's private key."""

dhPublicKeyType = Annotated[bytes, Length(133, 133)]
"""Public key of the key agreement; the size is that of an uncompressed point of P-521."""

secp521_EncryptedPrivateKeyType = Annotated[bytes, Length(94, 94)]
"""Key of P-521 by AES-GCM: 12 octets of nonce, 66 of key, 16 of tag."""

x448_EncryptedPrivateKeyType = Annotated[bytes, Length(84, 84)]
"""Key of Curve448 by AES-GCM: 12 octets of nonce, 56 of key, 16 of tag."""

tpm_EncryptedPrivateKeyType = Annotated[bytes, Length(206, 206)]
"""Key wrapped for import into the EV's TPM 2.0."""

certificateType = Annotated[bytes, Length(0, 1600)]
"""X.509 certificate in DER."""


class SubCertificatesType(Message):
    """CA certificates between leaf and root."""

    Certificate: Annotated[tuple[certificateType, ...], Occurs(1, 3)]


class ContractCertificateChainType(Message):
    """Contract certificate with its chain; the root is left out."""

    Certificate: certificateType
    SubCertificates: SubCertificatesType


class EMAIDListType(Message):
    """Contracts that the EV wants first, in this order."""

    EMAID: Annotated[tuple[ct.identifierType, ...], Occurs(1, 8)]


class SignedCertificateChainType(Message):
    """Provisioning certificate of the EV with its chain, signed with its key."""

    Id: Annotated[ID, ATTRIBUTE]
    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class SignedInstallationDataType(Message, element="SignedInstallationData"):
    """Contract certificate and its encrypted private key, signed by the provisioning service."""

    Id: Annotated[ID, ATTRIBUTE]
    ContractCertificateChain: ContractCertificateChainType
    ECDHCurve: ecdhCurveType
    DHPublicKey: dhPublicKeyType
    SECP521_EncryptedPrivateKey: Annotated[secp521_EncryptedPrivateKeyType, OneOf("choice1")] | None = None
    X448_EncryptedPrivateKey: Annotated[x448_EncryptedPrivateKeyType, OneOf("choice1")] | None = None
    TPM_EncryptedPrivateKey: Annotated[tpm_EncryptedPrivateKeyType, OneOf("choice1")] | None = None


class CertificateChainType(Message):
    """Leaf certificate with its chain; the root is left out."""

    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None
