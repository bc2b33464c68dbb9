from __future__ import annotations

from pathlib import Path

import pytest

from seeds.event import SeedEvent
from seeds.files import UnreadableFileError, read


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


PROJECT = """
[defaults]
zone = "demo"

[[project]]
id = "p-1"
name = "示例项目"
route = "land"
actor = "demo-officer-01"

[[project.milestone]]
stage = "signed"
date = 2026-03-05

[[project.milestone]]
stage = "land_supplied"

[[event]]
subject = "p-1"
type = "note.added"
data = { text = "说明" }
"""


def test_a_toml_file_tells_projects_with_their_reports_and_events_as_they_are(tmp_path: Path) -> None:
    events = read(written(tmp_path, "own.toml", PROJECT))
    assert [(event.subject, event.type) for event in events] == [
        ("p-1", "project.registered"),
        ("p-1", "milestone.reported"),
        ("p-1", "milestone.reported"),
        ("p-1", "note.added"),
    ]
    assert events[0].data == {"zone": "demo", "name": "示例项目", "route": "land"}
    assert events[1].data == {"stage": "signed", "date": "2026-03-05"}
    assert events[2].data == {"stage": "land_supplied", "date": None}
    assert [event.actor for event in events] == ["demo-officer-01"] * 3 + [None]


def test_reading_a_file_again_gives_the_same_events(tmp_path: Path) -> None:
    path = written(tmp_path, "own.toml", PROJECT)
    assert read(path) == read(path)
    assert len({event.id for event in read(path)}) == 4


def test_a_json_lines_file_tells_one_event_per_line(tmp_path: Path) -> None:
    text = (
        '{"subject": "p-1", "type": "note.added", "data": {"text": "a"}}\n\n'
        '{"subject": "p-1", "type": "note.added", "id": "n2", "actor": "u-1", "data": {"text": "b"}}\n'
    )
    first, second = read(written(tmp_path, "own.jsonl", text))
    assert first.id.startswith("seed-")
    assert second == SeedEvent("p-1", "n2", "note.added", {"text": "b"}, "u-1")


def test_a_byte_order_mark_of_a_spreadsheet_program_does_no_harm(tmp_path: Path) -> None:
    text = '\ufeff{"subject": "p-1", "type": "note.added", "data": {"text": "a"}}'
    assert len(read(written(tmp_path, "own.jsonl", text))) == 1


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "", "ends in .toml or .jsonl"),
        ("a.toml", "[[project]\n", "a.toml: "),
        ("a.toml", '[[project]]\nname = "x"\n', "project 1: `id` is missing"),
        ("a.toml", 'project = "x"\n', r"\[\[project\]\]"),
        ("a.toml", 'defaults = "x"\n', "defaults"),
        ("a.jsonl", "{", "line 1: not JSON"),
        ("a.jsonl", '{"subject": NaN}', "line 1: not JSON"),
        ("a.jsonl", "[" * 100_000, "line 1: not JSON"),
        ("a.jsonl", "\n[]", "line 2: an event is an object"),
        ("a.jsonl", '{"subject": "p", "type": "t"}', "line 1: an event needs"),
        ("a.jsonl", '{"subject": "p", "type": "t", "data": {}, "id": 5}', "id and actor are text"),
        ("a.jsonl", '{"subject": "p", "type": "t", "data": {}, "recordedtime": "x"}', "recordedtime: not known"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(tmp_path: Path, name: str, text: str, says: str) -> None:
    with pytest.raises(UnreadableFileError, match=says):
        read(written(tmp_path, name, text))


def test_a_file_that_is_missing_or_not_utf8_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="No such file"):
        read(tmp_path / "none.jsonl")
    path = tmp_path / "gbk.jsonl"
    path.write_bytes("示例".encode("gbk"))
    with pytest.raises(UnreadableFileError, match="save the file as UTF-8"):
        read(path)
