"""Calendars made of files: what they may say, what they change, and how their faults are told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import chinese_calendar
import pytest

from luodi.domain.calendar import Calendar, DayName
from luodi.runtime import calendars, configuration, settings
from luodi.runtime.errors import InvalidSettingsError
from tests.unit.domain.builders import SHANGHAI

ZONES = ("demo", "mine")
LOCAL = {"LUODI_MODE": "local", "KAFKA_BOOTSTRAP_SERVERS": "k:1", "MONGODB_URI": "mongodb://m"}

# Invented days: nothing of 2027 is published yet.
YEAR_2027 = """
published = [2027]

[[off]]
name = "元旦"
name_en = "New Year's Day"
from = 2027-01-01
until = 2027-01-03

[[off]]
name = "国庆节"
from = 2027-10-01
until = 2027-10-07

[[made_up]]
name = "国庆节"
date = 2027-10-09
"""

OWN_DAYS = """
zone = "mine"

[[off]]
name = "建区纪念日"
from = 2026-03-05

[[made_up]]
name = "春节"
date = 2026-02-23
"""


def calendar(tmp_path: Path, **files: str) -> Calendar:
    faults: list[str] = []
    found = calendars.load(SHANGHAI, written(tmp_path, files), ZONES, faults)
    assert faults == []
    return found


def faults_of(tmp_path: Path, **files: str) -> str:
    faults: list[str] = []
    calendars.load(SHANGHAI, written(tmp_path, files), ZONES, faults)
    return "\n".join(faults)


def written(tmp_path: Path, files: dict[str, str]) -> Path:
    folder = tmp_path / "calendars"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_without_files_the_librarys_years_and_the_packaged_corrections_are_all_that_is_known() -> None:
    faults: list[str] = []
    found = calendars.load(SHANGHAI, None, ZONES, faults)
    assert faults == []
    last = max(day.year for day in chinese_calendar.constants.holidays)
    assert found.last_published == last
    days = [date.fromordinal(n) for n in range(date(2004, 1, 1).toordinal(), date(last, 12, 31).toordinal() + 1)]
    differing = [day for day in days if found.is_workday(day) != chinese_calendar.is_workday(day)]
    assert differing == [date(2005, 12, 31)]
    assert found.name_of(date(2005, 12, 31)) == DayName("元旦", "New Year's Day")


def test_the_operators_file_takes_the_place_of_the_packaged_one_of_the_same_name(tmp_path: Path) -> None:
    written(tmp_path, {"2005": ""})
    faults: list[str] = []
    found = calendars.load(SHANGHAI, tmp_path, ZONES, faults)
    assert faults == []
    assert not found.is_workday(date(2005, 12, 31))


def test_a_year_not_yet_published_works_from_its_first_day_and_guesses_nothing(tmp_path: Path) -> None:
    found = calendar(tmp_path)
    assert found.last_published == 2026
    assert found.is_workday(date(2027, 1, 1)), "a Friday"
    assert not found.is_workday(date(2027, 1, 2)), "a Saturday"
    assert found.add_workdays(date(2026, 12, 31), 1) == date(2027, 1, 1)
    assert found.workdays_between(date(2026, 12, 31), date(2027, 1, 31)) == 21
    assert found.name_of(date(2027, 1, 1)) is None


def test_a_year_that_arrives_is_published(tmp_path: Path) -> None:
    before, after = calendar(tmp_path), calendar(tmp_path, y2027=YEAR_2027)
    assert (before.last_published, after.last_published) == (2026, 2027)
    assert after.last_published_day == date(2027, 12, 31).toordinal()
    assert after.fingerprint() != before.fingerprint()
    worked = {day: after.is_workday(date(2027, 10, day)) for day in range(1, 12)}
    assert [day for day, is_worked in worked.items() if is_worked] == [8, 9, 11]
    assert after.add_workdays(date(2026, 12, 31), 1) == date(2027, 1, 4)
    assert not after.is_workday(date(2026, 10, 1)), "the years before are as they were"


def test_a_published_file_takes_the_place_of_the_librarys_whole_year(tmp_path: Path) -> None:
    found = calendar(tmp_path, other="published = [2026]\n[[off]]\nname = '元旦'\nfrom = 2026-01-01\n")
    assert not found.is_workday(date(2026, 1, 1))
    assert found.is_workday(date(2026, 10, 1)), "a Thursday that the file does not name"
    assert not found.is_workday(date(2026, 10, 10)), "nor does it name this Saturday"
    assert found.name_of(date(2026, 10, 1)) is None


def test_a_change_within_a_year_leaves_its_other_days_alone(tmp_path: Path) -> None:
    changed = "[[off]]\nname = '延长'\nfrom = 2026-02-24\nuntil = 2026-02-28\n"
    found = calendar(tmp_path, change=changed)
    assert [day for day in range(23, 29) if found.is_workday(date(2026, 2, day))] == []
    assert found.name_of(date(2026, 2, 28)) == DayName("延长", "延长"), "a make-up Saturday that is free now"
    assert found.name_of(date(2026, 2, 23)) == DayName("春节", "Spring Festival")
    assert found.last_published == 2026


def test_a_day_known_in_an_unpublished_year_counts_and_publishes_nothing(tmp_path: Path) -> None:
    found = calendar(tmp_path, early="[[off]]\nname = '元旦'\nfrom = 2027-01-01\n")
    assert not found.is_workday(date(2027, 1, 1))
    assert found.last_published == 2026


def test_a_zone_departs_from_the_country_alone(tmp_path: Path) -> None:
    found = calendar(tmp_path, mine=OWN_DAYS)
    mine, demo = found.of("mine"), found.of("demo")
    assert demo is found
    assert found.of(None) is found
    assert not mine.is_workday(date(2026, 3, 5))
    assert demo.is_workday(date(2026, 3, 5))
    assert mine.is_workday(date(2026, 2, 23)), "a weekday that the country has off"
    assert not demo.is_workday(date(2026, 2, 23))
    assert not mine.is_workday(date(2026, 10, 1)), "elsewhere it is the country's"
    assert mine.midnight(date(2026, 3, 5)) == demo.midnight(date(2026, 3, 5))


def test_a_zone_has_its_own_days_in_a_year_that_arrives_too(tmp_path: Path) -> None:
    found = calendar(tmp_path, y2027=YEAR_2027, mine='zone = "mine"\n[[off]]\nname="建区日"\nfrom = 2027-10-08\n')
    assert not found.of("mine").is_workday(date(2027, 10, 8))
    assert not found.of("mine").is_workday(date(2027, 10, 7))
    assert found.of("mine").last_published == 2027


def test_the_fingerprint_covers_every_zone_and_no_name(tmp_path: Path) -> None:
    plain = calendar(tmp_path).fingerprint()
    mine = calendar(tmp_path, mine=OWN_DAYS).fingerprint()
    renamed = calendar(tmp_path, mine=OWN_DAYS.replace("建区纪念日", "纪念日")).fingerprint()
    theirs = calendar(tmp_path, mine=OWN_DAYS.replace('"mine"', '"demo"')).fingerprint()
    assert len({plain, mine, theirs}) == 3
    assert renamed == mine


def test_days_are_called_by_their_holiday(tmp_path: Path) -> None:
    found = calendar(tmp_path, y2027=YEAR_2027)
    assert found.name_of(date(2026, 10, 3)) == DayName("国庆节", "National Day"), "a Saturday within it"
    assert found.name_of(date(2026, 10, 10)) == DayName("国庆节", "National Day"), "the make-up Saturday"
    assert found.name_of(date(2026, 10, 12)) is None
    assert found.name_of(date(2027, 1, 2)) == DayName("元旦", "New Year's Day")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("published = 2027", "published must be a list of years"),
        ("published = [27]", "published must be a list of years"),
        ("published = [2028]", "2027 is not published, but 2028 is"),
        ("publishd = [2027]", "unknown key 'publishd'"),
        ("zone = 'nowhere'\n[[off]]\nname='x'\nfrom=2026-03-05", "zone = 'nowhere' is no zone that is configured"),
        ("zone = 'mine'\npublished = [2027]", "a year is published for the country, not for a zone"),
        ("[off]\nname='x'", "`off` stands in double brackets"),
        ("[[off]]\nname='x'", "off 1: from is missing"),
        ("[[off]]\nfrom=2026-03-05", "off 1: name is missing"),
        ("[[off]]\nname='x'\nfrom=2026-03-05\nto=2026-03-06", "off 1: unknown key 'to'"),
        ("[[off]]\nname='x'\nfrom='2026-03-05'", "off 1: from must be a day such as"),
        ("[[off]]\nname='x'\nfrom=2026-03-05T00:00:00", "off 1: from must be a day such as"),
        ("[[off]]\nname=5\nfrom=2026-03-05", "off 1: name must be a text"),
        ("[[off]]\nname='x'\nfrom=2026-03-05\nuntil=2026-03-04", "is no span of 1 to 31 days"),
        ("[[off]]\nname='x'\nfrom=2026-10-01\nuntil=2027-10-07", "is no span of 1 to 31 days"),
        ("[[off]]\nname='x'\nfrom=1979-10-01", "days from 1980 to 2100 are known"),
        ("[[off]]\nname='x'\nfrom=2026-03-05\n[[made_up]]\nname='x'\ndate=2026-03-05", "off 1 too"),
        ("[[made_up]]\nname='x'\ndate=2026-03-05", "2026-03-05 is worked anyway"),
        ("[[made_up]]\nname='x'\ndate=2026-10-10", "2026-10-10 is worked anyway"),
        ("zone='mine'\n[[made_up]]\nname='x'\ndate=2026-03-05", "2026-03-05 is worked anyway"),
        ("this is no TOML", "calendars/bad.toml: "),
    ],
)
def test_a_fault_is_told_with_its_file(tmp_path: Path, text: str, told: str) -> None:
    faults = faults_of(tmp_path, bad=text)
    assert told in faults
    assert "bad.toml" in faults or "is not published" in faults


def test_a_file_about_an_unknown_zone_never_speaks_for_the_country(tmp_path: Path) -> None:
    faults: list[str] = []
    folder = written(tmp_path, {"bad": "zone = 'nowhere'\n[[off]]\nname='x'\nfrom=2026-03-05"})
    found = calendars.load(SHANGHAI, folder, ZONES, faults)
    assert faults
    assert found.is_workday(date(2026, 3, 5))


def test_every_fault_of_every_file_is_told_at_the_start(tmp_path: Path) -> None:
    written(tmp_path, {"a": "publishd = [2027]", "b": "[[off]]\nname='x'\n[[made_up]]\nname='x'\ndate=1"})
    (tmp_path / "zones.toml").write_text("[[zone]]\nid='Bad Id'", encoding="utf-8")
    (tmp_path / "calendars" / "c.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidSettingsError) as caught:
        configuration.load(settings.read({**LOCAL, "LUODI_CONFIG_DIR": str(tmp_path)}))
    told = "\n".join(caught.value.faults)
    for part in ("zone 1: code is missing", "a.toml: unknown", "from is missing", "date must be a day", "c.toml: "):
        assert part in told


def test_the_configuration_answers_for_each_zone(tmp_path: Path) -> None:
    written(tmp_path, {"demo": OWN_DAYS.replace('"mine"', '"demo"')})
    config = configuration.load(settings.read({**LOCAL, "LUODI_CONFIG_DIR": str(tmp_path)}))
    assert not config.calendar_of("demo").is_workday(date(2026, 3, 5))
    assert config.calendar_of("weinan").is_workday(date(2026, 3, 5))
