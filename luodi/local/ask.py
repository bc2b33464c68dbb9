"""`luodi ask`: any question that tracker or notify answers, as a table at a terminal.

What can be asked, with which parameters, is read from the contracts the running services show of themselves, so every
query there is can be asked here.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width
from urllib.parse import quote, urlencode

from luodi.local.faults import LocalError, UnavailableError
from luodi.local.net import OK, reachable
from luodi.local.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from luodi.local.settings import StackSettings

SERVICES = ("tracker", "notify")  # of two that answer the same question, the first is asked
ROOT = "/v1/"
TIMEOUT_S = 30.0
MAX_BYTES = 64 << 20
PAGE = 500
DEFAULT_ROWS = 50
FALLBACK_COLUMNS, LONGEST_CELL = 120, 60
GAP = "  "


@dataclass(frozen=True)
class Question:
    """One query of a service: its address below `/v1/` with `{names}`, what it is called, what may be asked for."""

    service: str
    path: str
    summary: str
    parameters: tuple[str, ...]

    def fits(self, asked: str) -> bool:
        """Whether this is the question that somebody has written with ids in place of the names."""
        return re.fullmatch(re.sub(r"\\\{[^/]*\\\}", "[^/]+", re.escape(self.path)), asked) is not None


def main(argv: Sequence[str]) -> int:
    """Asks and prints; without a question prints all there are."""
    parser = argparse.ArgumentParser("luodi ask", description="Ask what the services know, as a table.")
    parser.add_argument("what", nargs="?", help="e.g. stalled, blockers, projects/ID; absent: show what can be asked")
    parser.add_argument("filters", nargs="*", metavar="NAME=VALUE", help="e.g. zone=demo light=red")
    parser.add_argument("--json", action="store_true", help="print the answer as it is")
    parser.add_argument("--en", action="store_true", help="answer in English")
    parser.add_argument(
        "--limit", type=int, default=DEFAULT_ROWS, help=f"how many rows at most (default {DEFAULT_ROWS})"
    )
    parser.add_argument("--columns", help="which columns, with commas; default: what fits")
    arguments = parser.parse_args(argv)
    if wrong := [text for text in arguments.filters if "=" not in text]:
        parser.error(f"{wrong[0]!r} is not NAME=VALUE")
    asker = Asker(read_settings(os.environ, Path.cwd()), "en" if arguments.en else "zh-CN")
    questions = asker.questions()
    if arguments.what is None:
        sys.stdout.write(listed(questions))
        return 0
    what = arguments.what.strip("/").removeprefix(ROOT.strip("/") + "/")
    found = next((question for question in questions if question.fits(what)), None)
    if found is None:
        raise LocalError(f"nobody answers {what!r}", mend="luodi ask shows what can be asked")
    filters = dict(text.split("=", 1) for text in arguments.filters)
    answer = asker.answer(found.service, what, filters, arguments.limit, pages="cursor" in found.parameters)
    if arguments.json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")
        return 0
    wanted = arguments.columns.split(",") if arguments.columns else None
    width = shutil.get_terminal_size((FALLBACK_COLUMNS, 0)).columns if sys.stdout.isatty() else None
    sys.stdout.write(shown(answer, wanted, width))
    return 0


@dataclass(frozen=True)
class Asker:
    """Asks the services of a stack over their public API."""

    settings: StackSettings
    language: str

    def questions(self) -> list[Question]:
        """All there are. Raises UnavailableError when one of the services does not answer."""
        found: list[Question] = []
        for service in SERVICES:
            contract = self._get(service, f"{ROOT}openapi.json")
            for path, methods in contract["paths"].items():
                if "get" not in methods or not path.startswith(ROOT) or path.endswith(("/stream", "openapi.json")):
                    continue
                told = methods["get"]
                if told.get("security"):  # it is for those who come by a link, and opens to no key
                    continue
                names = tuple(row["name"] for row in told.get("parameters", ()) if row.get("in") == "query")
                found.append(Question(service, path.removeprefix(ROOT), told.get("summary", ""), names))
        # What names no id comes first: `blockers/summary` is no blocker.
        return sorted(found, key=lambda question: ("{" in question.path, SERVICES.index(question.service)))

    def answer(self, service: str, what: str, filters: Mapping[str, str], limit: int, *, pages: bool) -> dict[str, Any]:
        """The answer to a question; of a list so many items, from as many pages as it takes."""
        path = ROOT + quote(what)
        if not pages:
            return self._get(service, path, filters)
        asked = {**filters, "limit": str(min(limit, PAGE))}
        body = self._get(service, path, asked)
        while body.get("next") and len(body["items"]) < limit:
            more = self._get(service, path, {**asked, "cursor": body["next"]})
            body = {**body, "items": [*body["items"], *more["items"]], "next": more["next"]}
        return {**body, "items": body["items"][:limit], "next": body["next"] or None}

    def _get(self, service: str, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        at = reachable(self.settings.listens[service])
        headers = {"Accept-Language": self.language}
        if self.settings.services.api_key is not None:
            headers["Authorization"] = f"Bearer {self.settings.services.api_key}"
        link = http.client.HTTPConnection(at.host, at.port, timeout=TIMEOUT_S)
        try:
            link.request("GET", f"{path}?{urlencode(query)}" if query else path, headers=headers)
            answer = link.getresponse()
            body = json.loads(answer.read(MAX_BYTES))
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise UnavailableError(
                f"{service} does not answer at {at}: {exc}", mend="luodi status shows what runs"
            ) from exc
        finally:
            link.close()
        if answer.status != OK:
            raise LocalError("\n  ".join(refusal(body)))
        return dict(body)


def refusal(problem: Mapping[str, Any]) -> Iterator[str]:
    """A problem as lines: what it is, then each fault."""
    yield str(problem.get("detail") or problem.get("title") or problem)
    for error in problem.get("errors", ()):
        yield f"{error['pointer']}: {error['detail']}"


def listed(questions: Sequence[Question]) -> str:
    """What can be asked, with the parameters of each."""
    ordered = sorted(questions, key=lambda question: (question.service, question.path))
    width = max(len(question.path) for question in ordered)
    rows = []
    for question in ordered:
        asked = " ".join(f"{name}=" for name in question.parameters if name not in ("cursor", "limit", "after"))
        rows.append(
            f"  {question.path:<{width}}  {question.summary}\n" + (f"  {'':<{width}}    {asked}\n" if asked else "")
        )
    return "usage: luodi ask WHAT [NAME=VALUE …]\n\n" + "".join(rows)


def shown(answer: Mapping[str, Any], wanted: Sequence[str] | None, width: int | None) -> str:
    """An answer for people: its items as a table, everything else as an outline. `width`: of the terminal, if any."""
    items = answer.get("items")
    beside = {name: value for name, value in answer.items() if name not in ("items", "next")}
    text = "".join(f"{line}\n" for line in outline(beside))
    if items is None:
        return text
    text += "\n" if text else ""
    if not items:
        return f"{text}—\n"
    text += "".join(f"{line}\n" for line in table(items, wanted, width))
    return text + ("… --limit N shows more\n" if answer.get("next") else "")


def outline(value: Any, indent: str = "") -> Iterator[str]:
    """Anything as indented lines; what is empty or unknown is left out."""
    rows = value.items() if isinstance(value, dict) else enumerate(value, 1)
    for name, held in rows:
        if held is None or held in ([], {}, ""):
            continue
        if isinstance(held, dict | list) and cell(held) is None:
            yield f"{indent}{name}:"
            yield from outline(held, indent + "  ")
        else:
            yield f"{indent}{name}: {cell(held)}"


def table(items: Sequence[Mapping[str, Any]], wanted: Sequence[str] | None, width: int | None) -> Iterator[str]:
    """Items in columns. Without wish all that hold anything worth a cell, as many as fit; the rest is named below."""
    names = list(wanted or dict.fromkeys(name for item in items for name, held in item.items() if cell(held)))
    cells = [[_cut(cell(item.get(name)) or "") for name in names] for item in items]
    widths = [max(len_of(text) for text in column) for column in zip(names, *cells, strict=True)]
    fitting = len(names)
    if wanted is None and width is not None:
        while fitting > 1 and sum(widths[:fitting]) + len(GAP) * (fitting - 1) > width:
            fitting -= 1
    for row in (names, *cells):
        padded = [text + " " * (room - len_of(text)) for text, room in zip(row, widths, strict=True)]
        yield GAP.join(padded[:fitting]).rstrip()
    if fitting < len(names):
        yield f"({', '.join(names[fitting:])})"


def cell(value: Any) -> str | None:
    """A value in one cell; None where it needs more room than that."""
    if isinstance(value, dict):
        return cell(value["text"]) if "text" in value else None
    if isinstance(value, list):
        plain = all(isinstance(held, str | int | float) for held in value)
        return ", ".join(cell(held) or "" for held in value) if plain else None
    if value is None:
        return ""
    if isinstance(value, bool):
        return "✓" if value else ""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())


def len_of(text: str) -> int:
    """How many columns a text takes: Chinese takes two a character."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _cut(text: str) -> str:
    if len_of(text) <= LONGEST_CELL:
        return text
    kept = ""
    while len_of(kept) < LONGEST_CELL - 2:
        kept += text[len(kept)]
    return kept + "…"
