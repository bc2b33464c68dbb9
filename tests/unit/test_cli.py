"""The `luodi` command: a table whose every row leads somewhere."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from luodi import cli


def test_the_verbs_are_the_ones_people_depend_on() -> None:
    assert list(cli.VERBS) == [
        *("up", "down", "reset", "status", "doctor", "seed", "ask"),
        *("ingest", "tracker", "notify", "notify test", "notify resend", "link"),
        *("rebuild", "rejects", "config"),
    ]


@pytest.mark.parametrize("verb", cli.VERBS.values(), ids=lambda verb: verb.name)
def test_every_verb_leads_to_a_function_that_is_there(verb: cli.Verb) -> None:
    module, _, function = verb.target.partition(":")
    assert function == "main"
    assert callable(getattr(import_module(module), function))


def test_help_names_every_verb_and_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in cli.VERBS)


@pytest.mark.parametrize("words", [[], ["fly"], ["ingest", "--fast"]])
def test_wrong_usage_is_told_with_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 64
    shown = capsys.readouterr()
    assert "usage: luodi COMMAND" in shown.out + shown.err


def test_help_loads_neither_a_client_library_nor_a_service() -> None:
    program = """
import sys
from luodi import cli
cli.main(["--help"])
sys.exit(", ".join({"kafka", "pymongo", "flask", "services", "jgo"} & set(sys.modules)) or 0)
"""
    done = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
