"""The routes of all areas share one application, which knows each by the name of its function."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import services.tracker

ROOM = Path(services.tracker.__path__[0])


def test_no_two_routes_have_a_function_of_one_name() -> None:
    names = Counter(
        node.name
        for module in ROOM.glob("*http.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        if any(ast.unparse(decorator).startswith("app.") for decorator in node.decorator_list)
    )
    assert names["projects"] == 1
    assert [name for name, count in names.items() if count > 1] == []
