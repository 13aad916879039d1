"""XSDs on disk, read with xml.etree. What is not known here is told as a fault, never passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from bench.xsdcheck.model import Complex, Global, Group, Leaf, Name, Part, Schema, Simple, Type, plain

XS = "http://www.w3.org/2001/XMLSchema"
KNOWN = {
    "schema": {"targetNamespace", "elementFormDefault", "attributeFormDefault", "version"},
    "import": {"namespace", "schemaLocation"},
    "element": {"name", "type", "ref", "minOccurs", "maxOccurs", "substitutionGroup", "abstract"},
    "complexType": {"name", "abstract", "mixed"},
    "simpleType": {"name"},
    "attribute": {"name", "type", "use"},
    "any": {"namespace", "processContents", "minOccurs", "maxOccurs"},
    "sequence": {"minOccurs", "maxOccurs"},
    "choice": {"minOccurs", "maxOccurs"},
    "extension": {"base"},
    "restriction": {"base"},
    "complexContent": set[str](),
    "simpleContent": set[str](),
    **{facet: {"value"} for facet in ("enumeration", "length", "minLength", "maxLength", "minInclusive", "maxInclusive")},
}
"""Element of XML Schema -> attributes that are understood. processContents alone is not compared: a receiver validates nothing by it."""


def _integer(bits: int, *, signed: bool) -> Simple:
    return Simple("integer", -(1 << bits - 1), (1 << bits - 1) - 1) if signed else Simple("integer", 0, (1 << bits) - 1)


BUILT_IN = {
    "boolean": Simple("boolean"),
    "integer": Simple("integer"),
    **{name: _integer(bits, signed=True) for name, bits in {"byte": 8, "short": 16, "int": 32, "long": 64}.items()},
    **{f"unsigned{name}": _integer(bits, signed=False) for name, bits in {"Byte": 8, "Short": 16, "Int": 32, "Long": 64}.items()},
    "string": Simple("text", 0),
    "anyURI": Simple("text", 0),
    "ID": Simple("text", 1),
    "IDREF": Simple("text", 1),
    "base64Binary": Simple("base64", 0),
    "hexBinary": Simple("hex", 0),
}
"""A name (ID, IDREF) has one character at least; that is all of its form that is compared."""


class XsdError(ValueError):
    """A file is no XSD that can be read; the message says which and why."""


def read(folder: Path) -> dict[str, Schema]:
    """Namespace -> schema, of all *.xsd below `folder`."""
    documents: dict[str, Document] = {}
    twice: list[tuple[str, str]] = []
    for path in sorted(folder.rglob("*.xsd")):
        document = Document(path)
        other = documents.setdefault(document.namespace, document)
        if other is not document and ET.canonicalize(from_file=path) != ET.canonicalize(from_file=other.path):
            twice.append((document.namespace, f"{other.path.name} and {path.name} are two documents of this namespace"))
    if not documents:
        raise XsdError(f"{folder}: no *.xsd there")
    schemas = {each.namespace: _Reader(each, documents).schema() for each in documents.values()}
    for namespace, words in twice:
        schemas[namespace].faults.append((namespace, words))
    return schemas


class Document:
    """One parsed file; etree forgets prefixes, so they are kept beside."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.prefixes: dict[ET.Element, dict[str, str]] = {}
        scopes: list[tuple[str, str]] = []
        root: ET.Element | None = None
        try:
            for event, it in ET.iterparse(path, events=("start-ns", "end-ns", "start")):  # noqa: S314 files that the user chose
                if event == "start-ns":
                    scopes.append(it)
                elif event == "end-ns":
                    scopes.pop()
                else:
                    root = it if root is None else root
                    self.prefixes[it] = dict(scopes)
        except ET.ParseError as error:
            raise XsdError(f"{path}: {error}") from None
        if root is None or root.tag != f"{{{XS}}}schema":
            raise XsdError(f"{path}: no schema")
        self.root: ET.Element = root
        self.namespace = root.get("targetNamespace", "")
        self.simple = {each.get("name", ""): each for each in root if each.tag == f"{{{XS}}}simpleType"}
        self.elements = {each.get("name", ""): each for each in root if each.tag == f"{{{XS}}}element"}

    def name(self, at: ET.Element, text: str) -> Name:
        """A QName in an attribute of `at`."""
        prefix, _, local = text.rpartition(":")
        return Name(self.prefixes[at].get(prefix, ""), local)


class _Reader:
    def __init__(self, document: Document, documents: dict[str, Document]) -> None:
        self.document, self.documents = document, documents
        self.into = Schema(document.namespace)

    def fault(self, words: str, where: str = "") -> None:
        self.into.faults.append((where or self.document.path.name, words))

    def schema(self) -> Schema:
        root, into = self.document.root, self.into
        for each in root.iter():
            self.known(each)
        into.qualified = root.get("elementFormDefault", "unqualified") == "qualified"
        into.qualified_attributes = root.get("attributeFormDefault", "unqualified") == "qualified"
        kinds: dict[str, Callable[[ET.Element], None]] = {
            "import": lambda at: into.imports.add(at.get("namespace", "")),
            "element": self.global_element,
            "complexType": lambda at: self.complex_type(at, at.get("name", "")),
            "simpleType": lambda at: into.simple.update({at.get("name", ""): self.simple_type(at)}),
        }
        for each in root:
            if (kind := tag(each)) in kinds:
                kinds[kind](each)
            elif kind != "annotation":
                self.fault(f"{kind} at the top")
        return into

    def known(self, at: ET.Element) -> None:
        kind = tag(at)
        if kind in {"annotation", "documentation", "appinfo"} or not at.tag.startswith(f"{{{XS}}}"):
            return
        if unknown := sorted(set(at.attrib) - KNOWN[kind]) if kind in KNOWN else [f"all of {kind}"]:
            self.fault(f"{kind} {at.get('name', '')}: not understood: {', '.join(unknown)}")

    # ---- elements

    def global_element(self, at: ET.Element) -> None:
        name, head = at.get("name", ""), at.get("substitutionGroup")
        made = self.type_of(at, f"<{name}>")
        self.into.elements[name] = Global(made, self.document.name(at, head) if head else None)
        if at.get("abstract") == "true" and not self.is_abstract(made):
            self.fault("the element is abstract, its type is not", name)

    def is_abstract(self, made: Type) -> bool:
        if isinstance(made, Simple) or made.namespace not in self.documents:
            return False
        path = f"{{{XS}}}complexType[@name='{made.local}']"
        return any(each.get("abstract") == "true" for each in self.documents[made.namespace].root.findall(path))

    def type_of(self, at: ET.Element, anonymous: str) -> Type:
        """The type of an element or attribute, named or inside of it."""
        if named := at.get("type"):
            return self.resolve(self.document, at, named)
        for each in at:
            if tag(each) == "simpleType":
                return self.simple_type(each)
            if tag(each) == "complexType":
                self.complex_type(each, anonymous)
                return Name(self.document.namespace, anonymous)
        self.fault(f"{at.get('name')}: an element without a type")
        return Name("", "")

    def resolve(self, document: Document, at: ET.Element, text: str) -> Type:
        """A built-in or named simple type by what it allows; a complex one by its name."""
        name = document.name(at, text)
        if name.namespace == XS:
            if name.local not in BUILT_IN:
                self.fault(f"{name.local}: a built-in type that is not understood")
            return BUILT_IN.get(name.local, Simple("unknown"))
        there = self.documents.get(name.namespace)
        if there is None:
            self.fault(f"{text}: there is no XSD of {name.namespace}")
        elif (found := there.simple.get(name.local)) is not None:
            return self.simple_type(found, there)
        return name

    # ---- types

    def simple_type(self, at: ET.Element, document: Document | None = None) -> Simple:
        document = document or self.document
        restriction = next(iter(parts(at)), None)
        if restriction is None or tag(restriction) != "restriction":
            self.fault(f"{at.get('name')}: a simple type that is no restriction")
            return Simple("unknown")
        base = self.resolve(document, restriction, restriction.get("base", ""))
        if not isinstance(base, Simple):
            self.fault(f"{at.get('name')}: restricts what is no simple type")
            return Simple("unknown")
        least, most, values = base.least, base.most, list[str]()
        for facet in parts(restriction):
            value, kind = facet.get("value", ""), tag(facet)
            if kind == "enumeration":
                values.append(value)
                continue
            least = int(value) if kind in {"length", "minLength", "minInclusive"} else least
            most = int(value) if kind in {"length", "maxLength", "maxInclusive"} else most
        return Simple("enumeration", values=tuple(values)) if values else Simple(base.kind, least, most)

    def complex_type(self, at: ET.Element, name: str) -> None:
        into = self.into.types[name] = Complex(abstract=at.get("abstract") == "true", mixed=at.get("mixed") == "true")
        body = at
        for each in parts(at):
            if tag(each) in {"complexContent", "simpleContent"}:
                body = next(iter(parts(each)), each)
                base = self.resolve(self.document, body, body.get("base", ""))
                into.base, into.text = (base, None) if isinstance(base, Name) else (None, base)
                if tag(body) != "extension":
                    self.fault("derived otherwise than by extension", name)
        content: list[Part] = []
        for each in parts(body):
            if tag(each) == "attribute":
                self.attribute(each, into, name)
            elif tag(each) in {"sequence", "choice"}:
                content.append(self.group(each, name))
            elif tag(each) not in {"complexContent", "simpleContent"}:
                self.fault(f"{tag(each)} in a complex type", name)
        into.content = plain(Group(tuple(content)))

    def attribute(self, at: ET.Element, into: Complex, owner: str) -> None:
        made, use = self.type_of(at, ""), at.get("use", "optional")
        if isinstance(made, Simple) and use in {"optional", "required"}:
            into.attributes[at.get("name", "")] = (made, use == "required")
        else:
            self.fault(f"attribute {at.get('name')} is not understood", owner)

    def group(self, at: ET.Element, owner: str) -> Group:
        return Group(tuple(self.part(each, owner) for each in parts(at)), tag(at) == "choice", *occurs(at))

    def part(self, at: ET.Element, owner: str) -> Part:
        if tag(at) in {"sequence", "choice"}:
            return self.group(at, owner)
        if tag(at) == "any":
            return Leaf(Name(at.get("namespace", "##any"), "any"), None, *occurs(at))
        if ref := at.get("ref"):
            return self.reference(self.document.name(at, ref), at, owner)
        name = at.get("name", "")
        namespace = self.document.namespace if self.into.qualified else ""
        return Leaf(Name(namespace, name), self.type_of(at, f"{owner}/<{name}>"), *occurs(at))

    def reference(self, name: Name, at: ET.Element, owner: str) -> Leaf:
        there = self.documents.get(name.namespace)
        found = there.elements.get(name.local) if there else None
        if there is None or found is None:
            self.fault(f"{name}: no such element", owner)
            return Leaf(name, name, *occurs(at))
        named = found.get("type")
        made = self.resolve(there, found, named) if named else Name(name.namespace, f"<{name.local}>")
        return Leaf(name, made, *occurs(at))


def tag(at: ET.Element) -> str:
    """The local name."""
    return at.tag.rpartition("}")[2]


def parts(at: ET.Element) -> Iterator[ET.Element]:
    """What is inside, without documentation."""
    return (each for each in at if tag(each) != "annotation")


def occurs(at: ET.Element) -> tuple[int, int | None]:
    """How often the particle comes."""
    most = at.get("maxOccurs", "1")
    return int(at.get("minOccurs", "1")), None if most == "unbounded" else int(most)
