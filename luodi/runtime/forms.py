"""What a row of a configuration file may say: fields for marshmallow, and its faults as lines.

TOML's types are strict already: a number in quotes is a text and refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate


class Form(Schema):
    """A row; unknown keys are refused."""

    class Meta:
        unknown = RAISE


class WordsForm(Form):
    """A text in both languages."""

    zh = fields.String(required=True, validate=validate.Length(1, 500))
    en = fields.String(required=True, validate=validate.Length(1, 500))


def whole(least: int, most: int, **more: Any) -> fields.Integer:
    """A whole number."""
    return fields.Integer(strict=True, validate=validate.Range(least, most), **more)


def text(**more: Any) -> fields.String:
    """A text of at most 500 characters."""
    return fields.String(validate=validate.Length(1, 500), **more)


def words(**more: Any) -> fields.Nested:
    """A text in both languages."""
    return fields.Nested(WordsForm, **more)


def day(**more: Any) -> fields.Raw:
    """A date as TOML writes it."""
    return fields.Raw(validate=_must_be_a_day, **more)


def yes() -> fields.Raw:
    """True or false; the library's own field takes "on" and 1 for true."""
    return fields.Raw(validate=_must_be_a_boolean)


def _must_be_a_day(value: Any) -> None:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValidationError("Not a date: write 2027-01-01 without quotes.")


def _must_be_a_boolean(value: Any) -> None:
    if not isinstance(value, bool):
        raise ValidationError("Not true or false.")


def flat(messages: Any, path: str = "") -> Iterator[str]:
    """marshmallow's tree of messages as lines; rows of a list are counted from 1."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            name = (
                f" {key + 1}" if isinstance(key, int) else "" if key == "_schema" else f": {key}" if path else str(key)
            )
            yield from flat(inner, path + name)
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield f"{path}: {message}" if path else str(message)
