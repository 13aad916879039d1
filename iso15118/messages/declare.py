"""How a schema type is declared: a class whose annotations are its content, in the order of the schema.

    class RationalNumberType(Message):
        Exponent: byte
        Value: short

    class DC_ChargeLoopReq(ct.ChargeLoopReqType, element=True):
        EVPresentVoltage: ct.RationalNumberType
        CLReqControlMode: Annotated[ct.CLReqControlModeType, REF]

- A field is an element of that name in the namespace of the class's module (`NAMESPACE`). `REF`: it is the global element of its type, in
  that one's namespace, or one that substitutes it. `ATTRIBUTE`, `TEXT`: it is an attribute, or the text of the element. `MIXED`: the text between
  the elements of a mixed type.
- `X | None = None` may be absent; `tuple[X, ...]` with `Occurs` is repeated.
- `OneOf("name")` on optional neighbours: a choice among them.
- Simple types are `Annotated[int, Range]`, `Annotated[bytes | str, Length]`, `Literal` for enumerations (in the order of the schema).
- Derived types are subclasses, with what they add.

Annotations are evaluated when the class is made (no `from __future__ import annotations` in declarations): that costs less than reading texts
later, and an unknown name is an error at import. `@dataclass` is not used: it takes 0.3 ms a class, over hundreds of types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, NamedTuple, dataclass_transform

# ---- facets and marks


class Range(NamedTuple):
    """Least and greatest value of an integer; None: unbounded. Between 0 and 4095 values apart it is coded in n bits (EXI 7.1.9)."""

    least: int | None
    most: int | None


class Length(NamedTuple):
    """Least and greatest length: characters of a text, octets of a binary. None: the schema has no bound (ours: `exi.limits`)."""

    least: int
    most: int | None


class Occurs(NamedTuple):
    """How often an element comes. None: the schema has no bound (ours: `exi.limits`)."""

    least: int
    most: int | None


class OneOf(NamedTuple):
    """A choice: of the neighbouring fields with this name exactly one is there, or none where `optional`."""

    name: str
    optional: bool = False


class Wildcard(NamedTuple):
    """A wildcard (xs:any); `namespace` as in the schema."""

    namespace: str


class Mark(NamedTuple):
    """A plain mark; see the module's text."""

    name: str


REF, ATTRIBUTE, TEXT, MIXED, HEX = Mark("ref"), Mark("attribute"), Mark("text"), Mark("mixed"), Mark("hex")

# ---- the built-in types of XML Schema that the V2G schemas use

byte = Annotated[int, Range(-128, 127)]
short = Annotated[int, Range(-32768, 32767)]
int_ = Annotated[int, Range(-(1 << 31), (1 << 31) - 1)]
long = Annotated[int, Range(-(1 << 63), (1 << 63) - 1)]
unsignedByte = Annotated[int, Range(0, 255)]
unsignedShort = Annotated[int, Range(0, 65535)]
unsignedInt = Annotated[int, Range(0, (1 << 32) - 1)]
unsignedLong = Annotated[int, Range(0, (1 << 64) - 1)]
integer = Annotated[int, Range(None, None)]
string = Annotated[str, Length(0, None)]
anyURI = Annotated[str, Length(0, None)]
ID = Annotated[str, Length(1, None)]
IDREF = Annotated[str, Length(1, None)]
base64Binary = Annotated[bytes, Length(0, None)]


# ---- classes


def _first_init(self: Message, **values: Any) -> None:
    _compile_init(type(self))(self, **values)


@dataclass_transform(kw_only_default=True, eq_default=True)
class MessageMeta(type):
    """Makes a class with slots and without values in it; the initialiser is compiled when the first object is made."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], **how: Any) -> MessageMeta:
        own = tuple(body.get("__annotations__", ()))
        own = tuple(each for each in own if not each.startswith("_"))
        body["_defaults_"] = {each: body.pop(each) for each in own if each in body}
        body["__slots__"] = own
        body["__init__"] = _first_init
        return super().__new__(mcs, name, bases, body, **how)


class Message(metaclass=MessageMeta):
    """Any type of the V2G schemas. Objects are made with keywords; two are equal when their classes and fields are."""

    _defaults_: ClassVar[dict[str, Any]]
    _element_: ClassVar[str] = ""
    """Local name of the global element of this type; "" where it has none."""
    _substitutes_: ClassVar[type[Message] | None] = None
    """The head of the substitution group that the element belongs to."""
    _abstract_: ClassVar[bool] = False
    _type_: ClassVar[str] = ""
    """The type's name in the schema; "" for an anonymous one."""
    _content_: ClassVar[str] = ""
    """The content model in the notation of a DTD, where nested groups repeat and fields alone cannot say it."""

    def __init_subclass__(
        cls,
        *,
        element: str | bool = False,
        substitutes: type[Message] | None = None,
        abstract: bool = False,
        type_name: str | None = None,
        content: str = "",
    ) -> None:
        """`element` True: the global element is named as the class. `type_name` None: as the class, or the class and "Type"."""
        super().__init_subclass__()
        cls._element_ = cls.__name__ if element is True else element or ""
        cls._substitutes_, cls._abstract_, cls._content_ = substitutes, abstract, content
        if type_name is None:
            type_name = cls.__name__ if cls.__name__.endswith("Type") else f"{cls.__name__}Type"
        cls._type_ = type_name

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(getattr(self, name) == getattr(other, name) for name in field_names(type(self)))

    __hash__ = None  # type: ignore[assignment] # messages can be changed

    def __repr__(self) -> str:
        shown = ((name, getattr(self, name, None)) for name in field_names(type(self)))
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown if value is not None and value != ())})"


def field_names(kind: type[Message]) -> tuple[str, ...]:
    """All fields in schema order, those of base types first."""
    return tuple(name for each in reversed(kind.__mro__) for name in each.__dict__.get("__slots__", ()))


def defaults(kind: type[Message]) -> dict[str, Any]:
    """Field -> default, where it has one."""
    return {name: value for each in reversed(kind.__mro__) for name, value in each.__dict__.get("_defaults_", {}).items()}


def prepare(kind: type[Message]) -> None:
    """Compile the initialiser now rather than at the first object."""
    if kind.__dict__["__init__"] is _first_init:
        _compile_init(kind)


def _compile_init(kind: type[Message]) -> Callable[..., None]:
    names, given = field_names(kind), defaults(kind)
    parameters = "".join(f", {name}=_default_{name}" if name in given else f", {name}" for name in names)
    lines = "".join(f"\n    self.{name} = {name}" for name in names) or "\n    pass"
    source = f"def __init__(self{', *' if names else ''}{parameters}):{lines}\n"
    scope: dict[str, Any] = {f"_default_{name}": value for name, value in given.items()}
    exec(source, scope)  # noqa: S102 names of our own declarations only
    made: Callable[..., None] = scope["__init__"]
    kind.__init__ = made  # type: ignore[method-assign]
    return made


class AnyElement(Message):
    """An element that a wildcard let through: no schema of the set declares it, or as one that holds a simple type."""

    name: str
    """`{namespace}local`."""
    attributes: dict[str, str]
    """Name -> value; that of xsi:type is `{namespace}local`."""
    content: tuple[Message | str, ...]
    """Texts and elements in order. A value of a simple type is its text."""
