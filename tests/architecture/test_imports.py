"""What import-linter cannot say by module name: pydantic and the web framework stay in ``edge/api``."""

from __future__ import annotations

import ast

WEB = frozenset({"fastapi", "pydantic", "starlette", "uvicorn"})


def imported(path):
    """Top-level names that a module imports, wherever in it; nothing of one that does not hold a word of ``WEB``."""
    source = path.read_bytes()
    if not any(name.encode() in source for name in WEB):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_only_the_api_knows_the_web_framework(product_modules, root):
    outside = [
        path.relative_to(root).as_posix()
        for path in product_modules
        if path.relative_to(root).parts[:2] != ("edge", "api") and WEB & set(imported(path))
    ]
    assert outside == []
    assert any(WEB & set(imported(path)) for path in product_modules), "the test looks at nothing"


def test_no_folder_of_data_becomes_a_package(root):
    assert not [path for folder in ("config", "docker", "tests") for path in (root / folder).rglob("__init__.py")]
