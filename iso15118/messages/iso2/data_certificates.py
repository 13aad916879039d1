"""Certificates, keys and contracts (ISO 15118-2:2014, Annex C [K])."""

from typing import Annotated

from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import ATTRIBUTE, ID, TEXT, Length, Message, Occurs

NAMESPACE = "urn:iso:15118:2:2013:MsgDataTypes"
QUALIFIED_ATTRIBUTES = True

genChallengeType = Annotated[bytes, Length(16, 16)]
"""Random octets that the EV gives back, signed."""

certificateType = Annotated[bytes, Length(0, 800)]
"""One X.509 certificate, DER."""

dHpublickeyType = Annotated[bytes, Length(0, 65)]
"""Sender's half of the ECDH exchange: a point of secp256r1, uncompressed."""

privateKeyType = Annotated[bytes, Length(0, 48)]
"""Private key of a contract's certificate, encrypted with AES-128-CBC: 16 octets of IV, then the key."""

eMAIDType = Annotated[str, Length(14, 15)]
"""Identifier of the contract, with its check digit or without."""


class ContractSignatureEncryptedPrivateKeyType(Message):
    """A private key, encrypted, with an Id by which a signature refers to it."""

    Id: Annotated[ID, ATTRIBUTE]
    value: Annotated[privateKeyType, TEXT]


class DiffieHellmanPublickeyType(Message):
    """A public key with an Id by which a signature refers to it."""

    Id: Annotated[ID, ATTRIBUTE]
    value: Annotated[dHpublickeyType, TEXT]


class EMAIDType(Message):
    """A contract's identifier with an Id by which a signature refers to it."""

    Id: Annotated[ID, ATTRIBUTE]
    value: Annotated[eMAIDType, TEXT]


class SubCertificatesType(Message):
    """The certificates between leaf and root."""

    Certificate: Annotated[tuple[certificateType, ...], Occurs(1, 4)]


class CertificateChainType(Message):
    """A leaf's certificate and those above it, without the root."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class ListOfRootCertificateIDsType(Message):
    """Root certificates that the EV has."""

    RootCertificateID: Annotated[tuple[ds.X509IssuerSerialType, ...], Occurs(1, 20)]
