"""The kinds of value the contract knows: each one `check` that returns the value to keep or raises, and one `rule` that
says the same in JSON Schema.

marshmallow calls `check` through its own machinery, `schemas.loading` calls it directly: the two can differ in the
faults they report, never in what they accept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

from marshmallow import ValidationError, fields

from luodi.domain.days import first_day, last_day
from luodi.domain.money import MAX_YUAN
from luodi.domain.periods import PERIOD
from schemas.invalid import Fault

T = TypeVar("T")
Json = dict[str, Any]

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
EVENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z")
_TIME_OF_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*")
_LINES = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]*")  # newline and tab are allowed

EARLIEST = date(1980, 1, 1)
LATEST = date(2100, 12, 31)
ONE_DAY = timedelta(days=1)


class Checked(fields.Field[T], Generic[T]):
    """A field whose whole rule stands in `check`."""

    default_error_messages = {"required": "required", "null": "null"}  # noqa: RUF012 - so declared by marshmallow

    def check(self, value: Any) -> T:
        """The value to keep; raises marshmallow's ValidationError with a `Fault`. Never sees None."""
        raise NotImplementedError

    def rule(self) -> Json:
        """The same rule as JSON Schema."""
        raise NotImplementedError

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> T:  # noqa: ARG002 - marshmallow's signature
        return self.check(value)

    def _validate(self, value: Any) -> None:
        """Nothing: `check` has said it all."""


def refuse(code: str, **params: Any) -> ValidationError:
    """The error a `check` raises."""
    return ValidationError(Fault(code, **params))


class Free(Checked[Any]):
    """Any JSON value: what it must be is decided elsewhere."""

    def check(self, value: Any) -> Any:
        return value

    def rule(self) -> Json:
        return {}


class Text(Checked[str]):
    """Text of 1 to `limit` characters, not only blanks; with `lines` it may hold newlines and tabs."""

    def __init__(self, limit: int, *, lines: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit = limit
        self.lines = lines
        self._allowed = _LINES if lines else _LINE

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise refuse("wrong-type", expected="string")
        if len(value) > self.limit:
            raise refuse("too-long", limit=self.limit)
        if not (value.isprintable() or self._allowed.fullmatch(value)):  # what is printable is always allowed
            raise refuse("bad-characters")
        if not value or value.isspace():
            raise refuse("empty")
        return value

    def rule(self) -> Json:
        return {"type": "string", "minLength": 1, "maxLength": self.limit}


class Name(Checked[str]):
    """An identifier: of a project, a person, a unit, a zone, an event."""

    def __init__(self, pattern: re.Pattern[str] = ID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pattern = pattern

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise refuse("wrong-type", expected="string")
        if not self.pattern.fullmatch(value):
            raise refuse("bad-id", pattern=self.pattern.pattern)
        return value

    def rule(self) -> Json:
        return {"type": "string", "pattern": f"^{self.pattern.pattern}$"}


class Choice(Checked[str]):
    """One word of a closed list. `what` is the noun of the fault's code: `unknown-stage`."""

    def __init__(self, what: str, allowed: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.what = what
        self.allowed = tuple(allowed)
        self._set = frozenset(allowed)

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise refuse("wrong-type", expected="string")
        if value not in self._set:
            raise refuse(f"unknown-{self.what}", allowed=", ".join(self.allowed))
        return value

    def rule(self) -> Json:
        return {"type": "string", "enum": list(self.allowed)}


class Flag(Checked[bool]):
    """true or false, nothing that merely looks like it."""

    def check(self, value: Any) -> bool:
        if value is not True and value is not False:
            raise refuse("wrong-type", expected="boolean")
        return bool(value)

    def rule(self) -> Json:
        return {"type": "boolean"}


class Whole(Checked[int]):
    """A whole number from `low` to `high`. A fraction is refused, also one that is whole by value, like 1.0."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low = low
        self.high = high

    def check(self, value: Any) -> int:
        if type(value) is not int:
            raise refuse("wrong-type", expected="integer")
        if not self.low <= value <= self.high:
            raise refuse("out-of-range", low=self.low, high=self.high)
        return value

    def rule(self) -> Json:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


class Money(Whole):
    """Whole yuan."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(0, MAX_YUAN, **kwargs)


class Amount(Checked[int | float]):
    """A number from `low` to `high` with at most `decimals` decimals: mu, square metres, percent.

    A value that is whole comes out as an int, so that 34 and 34.0 are the same content.
    """

    def __init__(self, high: int, *, decimals: int = 2, low: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low = low
        self.high = high
        self.decimals = decimals

    def check(self, value: Any) -> int | float:
        if type(value) is int:
            number: int | float = value
        elif type(value) is float and math.isfinite(value):
            number = int(value) if value.is_integer() else value
        else:
            raise refuse("wrong-type", expected="number")
        if not self.low <= number <= self.high:
            raise refuse("out-of-range", low=self.low, high=self.high)
        if round(number, self.decimals) != number:
            raise refuse("too-precise", decimals=self.decimals)
        return number

    def rule(self) -> Json:
        return {"type": "number", "minimum": self.low, "maximum": self.high}


class Quantity(Checked[int | float]):
    """A number of either sign with at most four decimals: a rate of growth, a count, yuan.

    A value that is whole comes out as an int, so that 34 and 34.0 are the same content.
    """

    HIGH = MAX_YUAN
    DECIMALS = 4

    def check(self, value: Any) -> int | float:
        if type(value) is int:
            number: int | float = value
        elif type(value) is float and math.isfinite(value):
            number = int(value) if value.is_integer() else value
        else:
            raise refuse("wrong-type", expected="number")
        if not -self.HIGH <= number <= self.HIGH:
            raise refuse("out-of-range", low=-self.HIGH, high=self.HIGH)
        if round(number, self.DECIMALS) != number:
            raise refuse("too-precise", decimals=self.DECIMALS)
        return number

    def rule(self) -> Json:
        return {"type": "number", "minimum": -self.HIGH, "maximum": self.HIGH}


DATE_PATTERN = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"


def _period(text: str) -> tuple[date, date] | None:
    """First and last day of a date, None when it is none.

    Only called with texts of at most ten characters: the caches behind it must not keep a hostile megabyte alive.
    """
    try:
        return first_day(text), last_day(text)
    except ValueError:
        return None


class Day(Checked[str]):
    """A business date `YYYY-MM-DD` from 1980 to 2100; with `partial` also a month `YYYY-MM` or a year `YYYY`."""

    def __init__(self, *, partial: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.partial = partial
        self._lengths = (4, 7, 10) if partial else (10,)

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise refuse("wrong-type", expected="string")
        days = _period(value) if len(value) in self._lengths else None
        if days is None:
            raise refuse("bad-date")
        if days[0] < EARLIEST:
            raise refuse("date-too-early", earliest=EARLIEST.isoformat())
        if days[1] > LATEST:
            raise refuse("date-too-late", latest=LATEST.isoformat())
        return value

    def rule(self) -> Json:
        return {"type": "string", "pattern": DATE_PATTERN} if self.partial else {"type": "string", "format": "date"}


class Period(Checked[str]):
    """A year `YYYY` or a quarter `YYYY-Q1` … `YYYY-Q4`, from 1980 to 2100."""

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise refuse("wrong-type", expected="string")
        if not PERIOD.fullmatch(value):
            raise refuse("bad-period")
        if not EARLIEST.year <= int(value[:4]) <= LATEST.year:
            raise refuse("out-of-range", low=EARLIEST.year, high=LATEST.year)
        return value

    def rule(self) -> Json:
        return {"type": "string", "pattern": f"^{PERIOD.pattern}$"}


_MONTH_OR_DAY = r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?"
SPAN_PATTERN = rf"^{_MONTH_OR_DAY}(?:/{_MONTH_OR_DAY})?$"
_SPAN = re.compile(SPAN_PATTERN, re.ASCII)


class Span(Checked[str]):
    """The time a number is about: a year, month or day, or from one to another: `2024-01/2024-09`."""

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise refuse("wrong-type", expected="string")
        if len(value) > 21 or not _SPAN.fullmatch(value):
            raise refuse("bad-span")
        spans = [_period(part) for part in value.split("/")]
        known = [span for span in spans if span is not None]
        if len(known) < len(spans) or known[0][0] > known[-1][1]:
            raise refuse("bad-span")
        if known[0][0] < EARLIEST:
            raise refuse("date-too-early", earliest=EARLIEST.isoformat())
        if known[-1][1] > LATEST:
            raise refuse("date-too-late", latest=LATEST.isoformat())
        return value

    def rule(self) -> Json:
        return {"type": "string", "pattern": SPAN_PATTERN}


class TimeOfDay(Checked[str]):
    """A time of the day on the zone's clock, `08:30`, so that text order is time order."""

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise refuse("wrong-type", expected="string")
        if not _TIME_OF_DAY.fullmatch(value):
            raise refuse("bad-time")
        return value

    def rule(self) -> Json:
        return {"type": "string", "pattern": f"^{_TIME_OF_DAY.pattern}$"}


class Instant(Checked[str]):
    """An instant as every document carries it: UTC, 24 characters, three decimals, so that text order is time order."""

    def check(self, value: Any) -> str:
        if type(value) is not str:
            raise refuse("wrong-type", expected="string")
        if not _INSTANT.fullmatch(value):
            raise refuse("bad-instant")
        days = _period(value[:10])
        if days is None or not EARLIEST <= days[0] <= LATEST:
            raise refuse("bad-instant")
        return value

    def rule(self) -> Json:
        return {"type": "string", "format": "date-time", "pattern": f"^{_INSTANT.pattern}$"}


class Items(Checked[list[Any]]):
    """A list of at most `limit` values, or of just so many where it is `whole`, each of the kind `inner`."""

    def __init__(self, inner: Checked[Any], limit: int, *, whole: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = inner
        self.limit = limit
        self.whole = whole

    def check(self, value: Any) -> list[Any]:
        kept = each(value, self.limit, self.inner.check)
        if self.whole and len(kept) < self.limit:
            raise refuse("too-few", limit=self.limit)
        return kept

    def rule(self) -> Json:
        least = {"minItems": self.limit} if self.whole else {}
        return {"type": "array", **least, "maxItems": self.limit, "items": self.inner.rule()}


def each(value: Any, limit: int, check: Callable[[Any], Any]) -> list[Any]:
    """Every item through `check`, the faults of all of them kept by their place."""
    if type(value) is not list:
        raise refuse("wrong-type", expected="array")
    if len(value) > limit:
        raise refuse("too-many", limit=limit)
    kept: list[Any] = []
    faults: dict[int, Any] = {}
    for place, item in enumerate(value):
        try:
            kept.append(check(item))
        except ValidationError as exc:
            faults[place] = exc.messages
    if faults:
        raise ValidationError(faults)
    return kept
