from __future__ import annotations

import re
import uuid
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.fields import EVENT_ID, ID
from services.ingest.ids import FIRST_YEAR, Retry, key_year, new_event_id, new_project_id

SHANGHAI = ZoneInfo("Asia/Shanghai")
keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255)


@given(keys, st.integers(0, 999))
def test_a_retry_gets_the_ids_of_the_first_attempt(key: str, place: int) -> None:
    first, second = Retry(key, "key", "/v1/projects"), Retry(key, "key", "/v1/projects")
    assert first.event_id(place) == second.event_id(place)
    assert first.project_id("qy", place, SHANGHAI) == second.project_id("qy", place, SHANGHAI)
    assert EVENT_ID.fullmatch(first.event_id(place))
    assert re.fullmatch(r"qy-20[0-9]{2}-[0-9A-HJKMNP-TV-Z]{10}", first.project_id("qy", place, SHANGHAI))
    assert ID.fullmatch(first.project_id("qy", place, SHANGHAI))


def test_whatever_makes_a_request_another_makes_its_ids_others() -> None:
    base = Retry("k", "key", "/v1/milestones")
    others = [
        Retry("k2", "key", "/v1/milestones").event_id(0),
        Retry("k", "anonymous", "/v1/milestones").event_id(0),
        Retry("k", "key", "/v1/projects").event_id(0),
        base.event_id(1),
    ]
    assert len({base.event_id(0), *others}) == 5
    assert Retry("ab", "c", "p").event_id(0) != Retry("a", "bc", "p").event_id(0)


def test_derived_ids_never_change_between_releases() -> None:
    retry = Retry("import-7", "key", "/v1/projects")
    assert retry.event_id(0) == "9e889543-1fad-5ba0-b915-fda1f8b5f0c0"
    assert retry.project_id("qy", 0, SHANGHAI) == "qy-2026-F9NTP97Z6Y"


@pytest.mark.parametrize(
    ("key", "year"),
    [
        ("018e0be8-f400-7000-8000-000000000000", 2024),  # UUID version 7 of 5 March 2024
        ("4f3c8000-da83-11ee-8000-000000000000", 2024),  # UUID version 1 of the same day
        ("1eeda834-f3c8-6000-8000-000000000000", 2024),  # UUID version 6 of the same instant
        ("01HR5YHX00ABCDEFGHJKMNPQRS", 2024),  # ULID of 5 March 2024
        ("2025-ledger-17", 2025),
        ("2025", 2025),
        ("2025-12-31T16:30:00Z", 2025),  # the key's text is taken as it stands
        ("20251231-7", 2025),
        ("20259999-7", FIRST_YEAR),
        ("2025x", FIRST_YEAR),
        ("9999-1", FIRST_YEAR),
        ("abc", FIRST_YEAR),
        ("6f9619ff-8b86-4d01-b42d-00cf4fc964ff", FIRST_YEAR),  # a random UUID tells no time
        ("ffffffff-ffff-7fff-8fff-ffffffffffff", FIRST_YEAR),  # a time nobody lives in
        ("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", FIRST_YEAR),
    ],
)
def test_the_year_of_a_derived_project_id_comes_out_of_the_key_alone(key: str, year: int) -> None:
    assert key_year(key, SHANGHAI) == year


def test_the_year_of_a_time_in_the_key_is_the_one_of_the_business_date() -> None:
    # 31 December 2025, 16:30 UTC: already 2026 in Shanghai.
    milliseconds = 1767198600000
    key = str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62))
    assert key_year(key, SHANGHAI) == 2026
    assert key_year(key, ZoneInfo("UTC")) == 2025


def test_ids_nobody_asked_for_are_random() -> None:
    assert len({new_event_id() for _ in range(100)}) == 100
    ids = {new_project_id("demo", 2026) for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"demo-2026-[0-9A-HJKMNP-TV-Z]{10}", project_id) for project_id in ids)
