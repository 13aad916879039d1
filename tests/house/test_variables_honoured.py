"""A variable that can be set is read by the block that declares it: none is for show (OCPP 2.1 B05, the house's rule)."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import chargepoint.ocpp.blocks as package
from chargepoint.ocpp.block import Block
from chargepoint.ocpp.device_model import DeviceModel, Limits, Mutability, Variable
from chargepoint.ocpp.variable_values import checked

MODULES = [importlib.import_module(f"{package.__name__}.{info.name}") for info in pkgutil.iter_modules(package.__path__)]
BLOCKS = [
    value
    for module in MODULES
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, Block) and value.__module__ == module.__name__
]
ROWS = [row for block in BLOCKS for row in block.variables]


def names_of(module: ModuleType, row: Variable) -> set[str]:
    """Module-level names that stand for the row, by itself or in a table."""

    def holds(value: object) -> bool:
        if isinstance(value, dict):
            return any(each is row for each in value.values())
        return value is row or (isinstance(value, (tuple, list)) and any(each is row for each in value))

    return {name for name, value in vars(module).items() if holds(value)}


def names_read(source: str) -> set[str]:
    """Names that code reads: not what only declares (module level, and the classes' own `variables`)."""
    read: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            read |= {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)}
    return read


def unread(source: str, module: ModuleType, rows: tuple[Variable, ...]) -> list[str]:
    read = names_read(source)
    return [row.name for row in rows if row.mutability is not Mutability.READ_ONLY and not names_of(module, row) & read]


@pytest.mark.req("B05.FR.09")
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_what_can_be_set_is_read(block: type[Block]) -> None:
    module = importlib.import_module(block.__module__)
    assert unread(inspect.getsource(module), module, block.variables) == []


def test_this_test_finds_a_row_for_show() -> None:
    source = (
        "DECORATION = Variable()\n\nclass B:\n    variables = (DECORATION, HONOURED)\n    def f(self): return self.model.text(HONOURED)\n"
    )
    rows = tuple(Variable("C", name, "string", "", "", mutability=Mutability.READ_WRITE) for name in ("Decoration", "Honoured"))
    module = ModuleType("example")
    vars(module).update(DECORATION=rows[0], HONOURED=rows[1])
    assert unread(source, module, rows) == ["Decoration"]


def test_no_row_has_two_owners() -> None:
    assert DeviceModel(ROWS, (1, 2)).rows


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.component}.{row.name}[{row.instance}]")
def test_each_row_is_sound(row: Variable) -> None:
    assert row.doc
    assert row.source
    assert not row.secret or row.mutability is Mutability.WRITE_ONLY
    assert not (row.constant and row.mutability is not Mutability.READ_ONLY)
    assert len(row.component) <= 50
    assert len(row.name) <= 50
    assert len(row.unit) <= 16
    if row.default:
        upper = row.max if row.max_length is None else row.max_length
        assert checked(row.type, row.default, Limits(row.min, upper, row.values, row.max_elements)) == row.default
