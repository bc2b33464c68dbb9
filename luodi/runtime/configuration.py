"""Configuration that is data: zones and calendars, packaged with us and overlaid by the operator's folder."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.rules import ZONE_DEFAULT, Rules
from luodi.runtime import calendars, limits
from luodi.runtime.errors import InvalidSettingsError
from luodi.runtime.settings import Settings

_ID = re.compile(r"[a-z][a-z0-9-]{0,31}")
_CODE = re.compile(r"[a-z][a-z0-9]{0,15}")
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Zone:
    """An industrial zone: `code` begins the project ids issued for it; `demo` marks invented data, `published` a record
    of published facts that never runs a clock, `limits` names the presets of rules that are active in it, `head` is
    the id of the person or post at the top of its ladder."""

    id: str
    code: str
    name: str
    name_en: str
    demo: bool = False
    published: bool = False
    limits: tuple[str, ...] = (ZONE_DEFAULT,)
    head: str | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the services know before any event: zones by id, working-day calendars, rules in force."""

    zones: Mapping[str, Zone]
    calendar: Calendar
    rules: Rules

    def calendar_of(self, zone: str | None) -> Calendar:
        """The working days of a zone: the country's unless the zone departs from them."""
        return self.calendar.of(zone)


def load(settings: Settings) -> Configuration:
    """Read all configuration; raises InvalidSettingsError with every fault found."""
    faults: list[str] = []
    zones = _zones("zones.toml", resources.files("seeds").joinpath("zones.toml").read_text(encoding="utf-8"), faults)
    if settings.config_dir is not None:
        own = settings.config_dir / "zones.toml"
        if own.is_file():
            zones.update(_zones(str(own), _read(own, faults), faults))
    _refuse_shared_codes(zones, faults)
    calendar = calendars.load(settings.timezone, settings.config_dir, zones.keys(), faults)
    rules = limits.load(settings.config_dir, {zone.id: zone.limits for zone in zones.values()}, faults)
    if faults:
        raise InvalidSettingsError(faults)
    return Configuration(zones, calendar, rules)


def _read(path: Path, faults: list[str]) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        faults.append(f"{path}: {exc}")
        return ""


def _zones(source: str, text: str, faults: list[str]) -> dict[str, Zone]:
    try:
        rows = tomllib.loads(text).get("zone", [])
    except tomllib.TOMLDecodeError as exc:
        faults.append(f"{source}: {exc}")
        return {}
    found: dict[str, Zone] = {}
    for number, row in enumerate(rows, 1):
        where = f"{source}: zone {number}"
        faults_before = len(faults)
        _check_zone(row, where, faults)
        if len(faults) == faults_before:
            if row["id"] in found:
                faults.append(f"{where}: id {row['id']!r} stands twice")
            found[row["id"]] = Zone(**(row | {"limits": tuple(row.get("limits", (ZONE_DEFAULT,)))}))
    return found


def _check_zone(row: Mapping[str, Any], where: str, faults: list[str]) -> None:
    kinds: dict[str, type] = {"id": str, "code": str, "name": str, "name_en": str, "demo": bool, "published": bool}
    kinds |= {"limits": list, "head": str}
    faults.extend(f"{where}: {name} is missing" for name in ("id", "code", "name", "name_en") if name not in row)
    for name, value in row.items():
        if name not in kinds:
            faults.append(f"{where}: unknown key {name!r}")
        elif not isinstance(value, kinds[name]):
            faults.append(f"{where}: {name} must be {kinds[name].__name__}")
    listed = row.get("limits")
    if isinstance(listed, list):
        if not listed or not all(isinstance(preset, str) for preset in listed):
            faults.append(f"{where}: limits must name at least one preset")
        elif len(set(listed)) < len(listed):
            faults.append(f"{where}: limits names a preset twice")
    for name, pattern in (("id", _ID), ("code", _CODE), ("head", _PERSON)):
        if isinstance(row.get(name), str) and not pattern.fullmatch(row[name]):
            faults.append(f"{where}: {name} = {row[name]!r} does not match {pattern.pattern}")


def _refuse_shared_codes(zones: Mapping[str, Zone], faults: list[str]) -> None:
    by_code: dict[str, str] = {}
    for zone in zones.values():
        other = by_code.setdefault(zone.code, zone.id)
        if other != zone.id:
            faults.append(f"zones {other} and {zone.id} share the code {zone.code!r}")
