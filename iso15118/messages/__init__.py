"""V2G messages as classes: modules named as the schema documents, large ones split by subject; `declare` says how to read them.

The codec is told by `SETS` which modules make up the grammars of a document. Nothing is imported before it is asked for:
a session needs one or two of the sets.

Each module names its source once. [K]: from general knowledge of the standard, whose text was not at hand; the shapes themselves are held
against the published schema files (`bench.xsdcheck`), those of Amendment 1 against recorded streams and a table of facts.
"""

from typing import NamedTuple


class SchemaSet(NamedTuple):
    """The schema documents that one EXI grammar is made of."""

    namespace: str
    """Of the document's root element; of AC-DER it is that of the schema agreed on, and the roots are those of AC."""
    modules: tuple[str, ...]
    """Dotted names below `iso15118.messages`, that of the root's namespace first, everything that it imports after it."""


_XMLDSIG = "xmldsig"
_MODULES_2 = (
    "msg_def", "msg_header", "msg_body", "msg_data_types", "data_services", "data_certificates", "data_schedules", "data_charging",
)  # fmt: skip
_TYPES_20 = ("iso20.common_types", _XMLDSIG)
_COMMON_20 = (
    "iso20.common_messages",
    "iso20.common_services",
    "iso20.common_schedules",
    "iso20.common_prices",
    "iso20.common_certificates",
    *_TYPES_20,
)

_ALL = (
    SchemaSet("urn:iso:15118:2:2010:AppProtocol", ("sap",)),
    SchemaSet("urn:din:70121:2012:MsgDef", (*(f"din.{each}" for each in _MODULES_2), _XMLDSIG)),
    SchemaSet("urn:iso:15118:2:2013:MsgDef", (*(f"iso2.{each}" for each in _MODULES_2), _XMLDSIG)),
    SchemaSet("urn:iso:std:iso:15118:-20:CommonMessages", _COMMON_20),
    SchemaSet("urn:iso:std:iso:15118:-20:AC", ("iso20.ac", *_TYPES_20)),
    SchemaSet("urn:iso:std:iso:15118:-20:DC", ("iso20.dc", *_TYPES_20)),
    SchemaSet("urn:iso:std:iso:15118:-20:WPT", ("iso20.wpt", *_TYPES_20)),
    SchemaSet("urn:iso:std:iso:15118:-20:ACDP", ("iso20.acdp", *_TYPES_20)),
    SchemaSet("urn:iso:std:iso:15118:-20:AC-DER-IEC", ("iso20.ac_der_iec", "iso20.ac", *_TYPES_20)),
    SchemaSet("urn:iso:std:iso:15118:-20:AC-DER-SAE", ("iso20.ac_der_sae", "iso20.ac_der_sae_control", "iso20.ac", *_TYPES_20)),
    SchemaSet("http://www.w3.org/2000/09/xmldsig#", (_XMLDSIG,)),
)

SETS: dict[str, SchemaSet] = {each.namespace: each for each in _ALL}
"""Namespace of the document's root -> set."""
