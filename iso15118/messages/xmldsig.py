"""XML signatures as the V2G schemas import them (W3C XML Signature Syntax and Processing, xmldsig-core-schema)."""

from typing import Annotated

from iso15118.messages.declare import (
    ATTRIBUTE,
    ID,
    MIXED,
    REF,
    TEXT,
    Length,
    Message,
    Occurs,
    Range,
    Wildcard,
    anyURI,
    base64Binary,
    integer,
    string,
)

NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"


CryptoBinary = Annotated[bytes, Length(0, None)]
"""Whole number, most significant octet first."""

DigestValueType = Annotated[bytes, Length(0, None)]
"""Digest of what a Reference points at, of the length of its algorithm."""

HMACOutputLengthType = Annotated[int, Range(None, None)]
"""How many bits of the HMAC are kept."""


class SignatureValueType(Message, element="SignatureValue"):
    """The signature itself; ECDSA: r and s side by side."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    value: Annotated[base64Binary, TEXT]


class CanonicalizationMethodType(Message, element="CanonicalizationMethod"):
    """How SignedInfo becomes octets; V2G: canonical EXI."""

    Algorithm: Annotated[anyURI, ATTRIBUTE]
    any: Annotated[tuple[Message, ...], Occurs(0, None), Wildcard("##any")] = ()
    text: Annotated[str, MIXED] = ""


class SignatureMethodType(Message, element="SignatureMethod"):
    """Algorithm of the signature, by URI."""

    Algorithm: Annotated[anyURI, ATTRIBUTE]
    HMACOutputLength: HMACOutputLengthType | None = None
    any: Annotated[tuple[Message, ...], Occurs(0, None), Wildcard("##other")] = ()
    text: Annotated[str, MIXED] = ""


class TransformType(Message, element="Transform", content="(any | XPath)*"):
    """How what is referred to becomes octets before the digest; V2G: canonical EXI."""

    Algorithm: Annotated[anyURI, ATTRIBUTE]
    any: Annotated[tuple[Message, ...], Occurs(0, None), Wildcard("##other")] = ()
    XPath: Annotated[tuple[string, ...], Occurs(0, None)] = ()
    text: Annotated[str, MIXED] = ""


class TransformsType(Message, element="Transforms"):
    """Transforms, in the order in which they are applied."""

    Transform: Annotated[tuple[TransformType, ...], Occurs(1, None), REF]


class DigestMethodType(Message, element="DigestMethod"):
    """Algorithm of the digest, by URI."""

    Algorithm: Annotated[anyURI, ATTRIBUTE]
    any: Annotated[tuple[Message, ...], Occurs(0, None), Wildcard("##other")] = ()
    text: Annotated[str, MIXED] = ""


class ReferenceType(Message, element="Reference"):
    """What is signed: URI "#" and the Id of an element, and its digest."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    URI: Annotated[anyURI, ATTRIBUTE] | None = None
    Type: Annotated[anyURI, ATTRIBUTE] | None = None
    Transforms: Annotated[TransformsType, REF] | None = None
    DigestMethod: Annotated[DigestMethodType, REF]
    DigestValue: DigestValueType


class SignedInfoType(Message, element="SignedInfo"):
    """What the signature is computed over."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    CanonicalizationMethod: Annotated[CanonicalizationMethodType, REF]
    SignatureMethod: Annotated[SignatureMethodType, REF]
    Reference: Annotated[tuple[ReferenceType, ...], Occurs(1, None), REF]


class DSAKeyValueType(Message, element="DSAKeyValue", content="((P, Q)?, G?, Y, J?, (Seed, PgenCounter)?)"):
    """DSA key; V2G has none."""

    P: CryptoBinary | None = None
    Q: CryptoBinary | None = None
    G: CryptoBinary | None = None
    Y: CryptoBinary
    J: CryptoBinary | None = None
    Seed: CryptoBinary | None = None
    PgenCounter: CryptoBinary | None = None


class RSAKeyValueType(Message, element="RSAKeyValue"):
    """RSA key; V2G has none."""

    Modulus: CryptoBinary
    Exponent: CryptoBinary


class KeyValueType(Message, element="KeyValue", content="(DSAKeyValue | RSAKeyValue | any)"):
    """Public key in the clear."""

    DSAKeyValue: Annotated[DSAKeyValueType, REF] | None = None
    RSAKeyValue: Annotated[RSAKeyValueType, REF] | None = None
    any: Annotated[tuple[Message, ...], Occurs(0, None), Wildcard("##other")] = ()
    text: Annotated[str, MIXED] = ""


class RetrievalMethodType(Message, element="RetrievalMethod"):
    """Where more about the key is found."""

    URI: Annotated[anyURI, ATTRIBUTE] | None = None
    Type: Annotated[anyURI, ATTRIBUTE] | None = None
    Transforms: Annotated[TransformsType, REF] | None = None


class X509IssuerSerialType(Message):
    """A certificate by its issuer and serial number."""

    X509IssuerName: string
    X509SerialNumber: integer


class X509DataType(
    Message, element="X509Data", content="(X509IssuerSerial | X509SKI | X509SubjectName | X509Certificate | X509CRL | any)+"
):
    """Certificates, or ways to find them."""

    X509IssuerSerial: Annotated[tuple[X509IssuerSerialType, ...], Occurs(0, None)] = ()
    X509SKI: Annotated[tuple[base64Binary, ...], Occurs(0, None)] = ()
    X509SubjectName: Annotated[tuple[string, ...], Occurs(0, None)] = ()
    X509Certificate: Annotated[tuple[base64Binary, ...], Occurs(0, None)] = ()
    X509CRL: Annotated[tuple[base64Binary, ...], Occurs(0, None)] = ()
    any: Annotated[tuple[Message, ...], Occurs(0, None), Wildcard("##other")] = ()


class PGPDataType(Message, element="PGPData", content="((PGPKeyID, PGPKeyPacket?, any*) | (PGPKeyPacket, any*))"):
    """PGP key; V2G has none."""

    PGPKeyID: base64Binary | None = None
    PGPKeyPacket: base64Binary | None = None
    any: Annotated[tuple[Message, ...], Occurs(0, None), Wildcard("##other")] = ()


class SPKIDataType(Message, element="SPKIData", content="(SPKISexp, any?)+"):
    """SPKI key; V2G has none."""

    SPKISexp: Annotated[tuple[base64Binary, ...], Occurs(0, None)] = ()
    any: Annotated[tuple[Message, ...], Occurs(0, None), Wildcard("##other")] = ()


class KeyInfoType(
    Message,
    element="KeyInfo",
    content="(KeyName | KeyValue | RetrievalMethod | X509Data | PGPData | SPKIData | MgmtData | any)+",
):
    """Which key made the signature; V2G leaves it out, the message carries the chain."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    KeyName: Annotated[tuple[string, ...], Occurs(0, None)] = ()
    KeyValue: Annotated[tuple[KeyValueType, ...], Occurs(0, None), REF] = ()
    RetrievalMethod: Annotated[tuple[RetrievalMethodType, ...], Occurs(0, None), REF] = ()
    X509Data: Annotated[tuple[X509DataType, ...], Occurs(0, None), REF] = ()
    PGPData: Annotated[tuple[PGPDataType, ...], Occurs(0, None), REF] = ()
    SPKIData: Annotated[tuple[SPKIDataType, ...], Occurs(0, None), REF] = ()
    MgmtData: Annotated[tuple[string, ...], Occurs(0, None)] = ()
    any: Annotated[tuple[Message, ...], Occurs(0, None), Wildcard("##other")] = ()
    text: Annotated[str, MIXED] = ""


class ObjectType(Message, element="Object", content="(any)*"):
    """Anything signed that lives inside of the signature."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    MimeType: Annotated[string, ATTRIBUTE] | None = None
    Encoding: Annotated[anyURI, ATTRIBUTE] | None = None
    any: Annotated[tuple[Message, ...], Occurs(0, None), Wildcard("##any")] = ()
    text: Annotated[str, MIXED] = ""


class SignatureType(Message, element="Signature"):
    """A signature over elements of the message that it comes with."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    SignedInfo: Annotated[SignedInfoType, REF]
    SignatureValue: Annotated[SignatureValueType, REF]
    KeyInfo: Annotated[KeyInfoType, REF] | None = None
    Object: Annotated[tuple[ObjectType, ...], Occurs(0, None), REF] = ()


class ManifestType(Message, element="Manifest"):
    """List of references that the application checks, not the signature."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    Reference: Annotated[tuple[ReferenceType, ...], Occurs(1, None), REF]


class SignaturePropertyType(Message, element="SignatureProperty", content="(any)+"):
    """Statement about a signature, for example its time."""

    Target: Annotated[anyURI, ATTRIBUTE]
    Id: Annotated[ID, ATTRIBUTE] | None = None
    any: Annotated[tuple[Message, ...], Occurs(0, None), Wildcard("##other")] = ()
    text: Annotated[str, MIXED] = ""


class SignaturePropertiesType(Message, element="SignatureProperties"):
    """Statements about a signature."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    SignatureProperty: Annotated[tuple[SignaturePropertyType, ...], Occurs(1, None), REF]


ELEMENTS = {"DigestValue": DigestValueType, "KeyName": string, "MgmtData": string}
"""Global elements of simple type."""
