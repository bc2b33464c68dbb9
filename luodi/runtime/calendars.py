"""The working calendars: the library's published years, and files for what it does not know.

A file of `calendars/` holds a year that the library does not know yet, a change within one that it knows, or the days
by which one zone departs from the country. Packaged files come with a release; the operator's of the same name take
their place. docs/domain.md describes the form.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from luodi.domain.calendar import Calendar, DayName, YearDays
from luodi.runtime import overlay

FOLDER = "calendars"
MAX_DAYS_OFF = 31  # of one entry: no holiday is longer, a slip of the year is
FIRST_YEAR, LAST_YEAR = 1980, 2100  # business dates begin in 1980; a later year than this is a slip

Years = dict[int, YearDays]


@dataclass(frozen=True, slots=True)
class _Day:
    """One day as a file tells it."""

    day: date
    off: bool
    name: DayName
    where: str


@dataclass(frozen=True, slots=True)
class _File:
    """One file: the zone it is about (None: the country), the years it holds completely, and its days."""

    name: str
    zone: str | None
    published: tuple[int, ...]
    days: tuple[_Day, ...]


def load(timezone: tzinfo, folder: Path | None, zones: Collection[str], faults: list[str]) -> Calendar:
    """The calendar of the country and of each zone that departs from it; every fault found is added to ``faults``."""
    files = [_read(file, zones, faults) for file in overlay.files(FOLDER, folder, faults)]
    country = _country([file for file in files if file.zone is None], faults)
    last = max(country.published)
    base = Calendar.build(timezone, country.years, last)
    own: dict[str, Calendar] = {}
    for zone in sorted({file.zone for file in files if file.zone is not None}):
        days = _once([day for file in files if file.zone == zone for day in file.days], faults)
        _refuse_needless(days, base, faults)
        own[zone] = Calendar.build(timezone, _overlaid(country.years, days), last)
    return base.with_zones(own)


@cache
def published_by_library() -> Mapping[int, YearDays]:
    """The holidays and make-up workdays of mainland China, of the years that the library knows."""
    import chinese_calendar  # 100 ms of import that only a running service pays

    constants = chinese_calendar.constants
    chinese = {holiday.value: holiday.chinese for holiday in constants.Holiday}
    names = {day: DayName(chinese[name], name) for day, name in {**constants.holidays, **constants.workdays}.items()}
    years = sorted({day.year for day in constants.holidays})
    return {year: YearDays.observed(year, chinese_calendar.is_workday, names) for year in years}


@dataclass(frozen=True, slots=True)
class _Country:
    published: frozenset[int]
    years: Years


def _country(files: list[_File], faults: list[str]) -> _Country:
    """The library's years, then those the files hold completely in their place, then single days over both."""
    years = dict(published_by_library())
    whole = {year for file in files for year in file.published}
    published = frozenset(years) | whole
    faults.extend(
        f"calendars: {year} is not published, but {max(published)} is: a year between published ones is missing"
        for year in range(min(published), max(published))
        if year not in published
    )
    years |= dict.fromkeys(whole, YearDays())
    days = _once([day for file in files for day in file.days], faults)
    # What a day was without the files: of a year that they hold completely, Monday to Friday.
    _refuse_needless(days, Calendar.build(UTC, years), faults)
    return _Country(published, _overlaid(years, days))


def _overlaid(years: Mapping[int, YearDays], days: Collection[_Day]) -> Years:
    found = dict(years)
    for year in {day.day.year for day in days}:
        told = [day for day in days if day.day.year == year]
        found[year] = found.get(year, YearDays()).overlaid(
            YearDays(
                off=frozenset(day.day for day in told if day.off),
                made_up=frozenset(day.day for day in told if not day.off),
                names={day.day: day.name for day in told},
            )
        )
    return found


def _once(days: list[_Day], faults: list[str]) -> list[_Day]:
    seen: dict[date, _Day] = {}
    for day in days:
        first = seen.setdefault(day.day, day)
        if first is not day:
            faults.append(f"{day.where}: {day.day} stands in {first.where} too")
    return list(seen.values())


def _refuse_needless(days: Collection[_Day], base: Calendar, faults: list[str]) -> None:
    faults.extend(
        f"{day.where}: {day.day} is worked anyway: a make-up workday is a day that else is free"
        for day in days
        if not day.off and base.is_workday(day.day)
    )


def _read(file: overlay.File, zones: Collection[str], faults: list[str]) -> _File:
    name = file.source
    try:
        table = tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as exc:
        faults.append(f"{name}: {exc}")
        return _File(name, None, (), ())
    faults.extend(f"{name}: unknown key {key!r}" for key in table if key not in {"zone", "published", "off", "made_up"})
    zone = table.get("zone")
    if zone is not None and (not isinstance(zone, str) or zone not in zones):
        faults.append(f"{name}: zone = {zone!r} is no zone that is configured")
        zone = None
    published = _published(name, table, faults)
    if "zone" in table and published:
        faults.append(f"{name}: published: a year is published for the country, not for a zone")
        published = ()
    days = [*_days(name, table, "off", faults), *_days(name, table, "made_up", faults)]
    # A file about a zone nobody knows must not speak for the country.
    return _File(name, zone, published, tuple(days) if ("zone" in table) is (zone is not None) else ())


def _published(name: str, table: Mapping[str, Any], faults: list[str]) -> tuple[int, ...]:
    years = table.get("published", [])
    if not isinstance(years, list) or not all(type(y) is int and FIRST_YEAR <= y <= LAST_YEAR for y in years):
        faults.append(f"{name}: published must be a list of years from {FIRST_YEAR} to {LAST_YEAR}")
        return ()
    return tuple(years)


def _days(name: str, table: Mapping[str, Any], kind: str, faults: list[str]) -> Iterator[_Day]:
    """The days of `[[off]]` (name, name_en, from, until) or `[[made_up]]` (name, name_en, date)."""
    rows = table.get(kind, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        faults.append(f"{name}: `{kind}` stands in double brackets: [[{kind}]]")
        return
    begin_key, keys = KEYS[kind]
    for number, row in enumerate(rows, 1):
        where = f"{name}: {kind} {number}"
        before = len(faults)
        faults.extend(f"{where}: unknown key {key!r}" for key in row if key not in keys)
        faults.extend(f"{where}: {key} is missing" for key in ("name", begin_key) if key not in row)
        faults.extend(
            f"{where}: {key} must be {'a text' if keys[key] is str else 'a day such as 2027-10-01'}"
            for key in sorted(keys.keys() & row.keys())
            if not _is(row[key], keys[key])
        )
        if len(faults) > before:
            continue
        first, last = row[begin_key], row.get("until", row[begin_key])
        if first.year < FIRST_YEAR or last.year > LAST_YEAR:
            faults.append(f"{where}: days from {FIRST_YEAR} to {LAST_YEAR} are known")
        elif not 0 <= (last - first).days < MAX_DAYS_OFF:
            faults.append(f"{where}: {first} to {last} is no span of 1 to {MAX_DAYS_OFF} days")
        else:
            named = DayName(row["name"], row.get("name_en", row["name"]))
            for number_of_day in range((last - first).days + 1):
                yield _Day(first + timedelta(days=number_of_day), kind == "off", named, where)


def _is(value: object, kind: type) -> bool:
    """A moment of a day is a date to Python; here it is a slip."""
    return isinstance(value, kind) and not isinstance(value, datetime)


KEYS: dict[str, tuple[str, dict[str, type]]] = {
    "off": ("from", {"name": str, "name_en": str, "from": date, "until": date}),
    "made_up": ("date", {"name": str, "name_en": str, "date": date}),
}
"""Table in a file -> the key its day or days begin with, and all its keys with their kinds."""
