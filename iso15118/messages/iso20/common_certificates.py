"""TODO"""

from typing import Annotated, Literal

from iso15118.messages.declare import ATTRIBUTE, ID, Length, Message, Occurs, OneOf
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonMessages"
QUALIFIED_ATTRIBUTES = True


ecdhCurveType = Literal["SECP521", "X448"]
"""TODO"""

dhPublicKeyType = Annotated[bytes, Length(133, 133)]
"""TODO"""

secp521_EncryptedPrivateKeyType = Annotated[bytes, Length(94, 94)]
"""TODO"""

x448_EncryptedPrivateKeyType = Annotated[bytes, Length(84, 84)]
"""TODO"""

tpm_EncryptedPrivateKeyType = Annotated[bytes, Length(206, 206)]
"""TODO"""

certificateType = Annotated[bytes, Length(0, 1600)]
"""TODO"""


class SubCertificatesType(Message):
    """TODO"""

    Certificate: Annotated[tuple[certificateType, ...], Occurs(1, 3)]


class ContractCertificateChainType(Message):
    """TODO"""

    Certificate: certificateType
    SubCertificates: SubCertificatesType


class EMAIDListType(Message):
    """TODO"""

    EMAID: Annotated[tuple[ct.identifierType, ...], Occurs(1, 8)]


class SignedCertificateChainType(Message):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE]
    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class SignedInstallationDataType(Message, element="SignedInstallationData"):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE]
    ContractCertificateChain: ContractCertificateChainType
    ECDHCurve: ecdhCurveType
    DHPublicKey: dhPublicKeyType
    SECP521_EncryptedPrivateKey: Annotated[secp521_EncryptedPrivateKeyType, OneOf("choice1")] | None = None
    X448_EncryptedPrivateKey: Annotated[x448_EncryptedPrivateKeyType, OneOf("choice1")] | None = None
    TPM_EncryptedPrivateKey: Annotated[tpm_EncryptedPrivateKeyType, OneOf("choice1")] | None = None


class CertificateChainType(Message):
    """TODO"""

    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None
