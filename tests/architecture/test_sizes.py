"""Modules of at most 300 lines, functions of at most 40 (docstring apart): what is longer is listed with its reason."""

from __future__ import annotations

import ast

MODULE_LINES = 300
FUNCTION_LINES = 40

LONG_MODULES = {
    "edge/domain/canteen/messages.py": "the seam that daemon, API and pages share; one file shows it whole",
    "edge/domain/canteen/pricing.py": "plan, amounts and explanation take the same steps in the same order",
    "edge/domain/canteen/lanes.py": "one lane's way from chips to view, each step reading the one before",
}
LONG_FUNCTIONS = {
    "edge/domain/canteen/orders.py::_build": "a paid tray as rows, one constructor call each",
}


def functions(node):
    """All functions in a module, class or statement. Only statements are looked into: an expression holds none."""
    for child in statements(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        yield from functions(child)


def statements(node):
    """The statements right inside ``node``."""
    for name in ("body", "orelse", "finalbody"):
        inside = getattr(node, name, ())
        yield from inside if isinstance(inside, list) else ()
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield from part.body


def length(function):
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        lines -= first.end_lineno - first.lineno + 1
    return lines


def test_modules_are_short(product_modules, root):
    long = {
        path.relative_to(root).as_posix(): count
        for path in product_modules
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MODULE_LINES
    }
    assert {name: count for name, count in long.items() if name not in LONG_MODULES} == {}
    assert sorted(LONG_MODULES) == sorted(long), "a listed module is short again: take it off the list"


def test_functions_are_short(product_modules, root):
    long = {
        f"{path.relative_to(root).as_posix()}::{node.name}": length(node)
        for path in product_modules
        for node in functions(ast.parse(path.read_bytes()))
        if length(node) > FUNCTION_LINES
    }
    assert {name: count for name, count in long.items() if name not in LONG_FUNCTIONS} == {}
    assert sorted(LONG_FUNCTIONS) == sorted(long), "a listed function is short again: take it off the list"


def test_a_function_is_found_wherever_it_stands():
    places = (
        "if x:\n    def f(): ...\nelse:\n    async def f(): ...",
        "for x in y:\n    def f(): ...\nelse:\n    def f(): ...",
        "try:\n    def f(): ...\nexcept E:\n    def f(): ...\nelse:\n    def f(): ...\nfinally:\n    def f(): ...",
        "match x:\n    case 1:\n        def f(): ...",
        "with x:\n    class C:\n        def f(self):\n            def f(): ...",
        "async def f():\n    async with x:\n        while y:\n            def f(): ...",
    )
    for source in places:
        assert len(list(functions(ast.parse(source)))) == source.count("def f("), source
