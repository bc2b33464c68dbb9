"""The domain stays pure: it imports nothing that knows the world, and never asks what time it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import luodi.domain

ALLOWED = frozenset(
    {
        "__future__",
        "bisect",
        "collections",
        "collections.abc",
        "dataclasses",
        "datetime",
        "decimal",
        "functools",
        "hashlib",
        "itertools",
        "json",
        "operator",
        "re",
        "typing",
        "unicodedata",
    }
)
FORBIDDEN_CALLS = frozenset(
    {"now", "today", "utcnow", "fromtimestamp", "open", "print", "getenv", "__import__", "eval"}
)
MODULES = sorted(Path(luodi.domain.__path__[0]).rglob("*.py"))


def imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            found.add(node.module)
    return found


def calls(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                found.add(node.func.attr)
            elif isinstance(node.func, ast.Name):
                found.add(node.func.id)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_of_the_domain_imports_only_what_is_pure(path: Path) -> None:
    foreign = {
        name
        for name in imports(ast.parse(path.read_text("utf-8")))
        if name not in ALLOWED and name != "luodi.domain" and not name.startswith("luodi.domain.")
    }
    assert foreign == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_of_the_domain_never_asks_for_the_time_or_the_world(path: Path) -> None:
    assert calls(ast.parse(path.read_text("utf-8"))) & FORBIDDEN_CALLS == set()


def test_all_modules_are_looked_at() -> None:
    assert {"assess", "calendar", "clocks", "days", "events", "fold", "pauses", "reasons", "rules", "stages"} <= {
        path.stem for path in MODULES
    }


@pytest.mark.parametrize(
    "source",
    ["import os", "import time", "from logging import getLogger", "import random", "from socket import socket"],
)
def test_the_check_sees_a_forbidden_import(source: str) -> None:
    assert imports(ast.parse(source)) - ALLOWED


def test_the_check_sees_a_forbidden_call() -> None:
    assert calls(ast.parse("datetime.now(UTC); open('x')")) == {"now", "open"}
