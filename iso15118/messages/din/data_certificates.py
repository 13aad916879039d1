"""Certificates, keys and contracts (DIN SPEC 70121:2014 [K])."""

from typing import Annotated

from iso15118.messages.declare import Length, Message, Occurs

NAMESPACE = "urn:din:70121:2012:MsgDataTypes"

genChallengeType = Annotated[str, Length(0, None)]
"""Random text that the EV gives back, signed."""

certificateType = Annotated[bytes, Length(0, 1200)]
"""One X.509 certificate, DER."""

rootCertificateIDType = Annotated[str, Length(0, 40)]
"""Name of a root certificate."""

dHParamsType = Annotated[bytes, Length(0, 256)]
"""Sender's half of the Diffie-Hellman exchange under which a private key is encrypted."""

privateKeyType = Annotated[bytes, Length(0, 128)]
"""Private key of a contract's certificate, encrypted."""

contractIDType = Annotated[str, Length(0, 24)]
"""Identifier of the contract."""


class SubCertificatesType(Message):
    """The certificates between leaf and root."""

    Certificate: Annotated[tuple[certificateType, ...], Occurs(1, None)]


class CertificateChainType(Message):
    """A leaf's certificate and those above it, without the root."""

    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class ListOfRootCertificateIDsType(Message):
    """Root certificates that the EV has."""

    RootCertificateID: Annotated[tuple[rootCertificateIDType, ...], Occurs(1, None)]
