"""Schemas and the way they are loaded: marshmallow decides, a short cut spares it the ordinary case.

marshmallow spends most of its time on generality (a closure per field, a set of names per object). `Loader` runs the
fields' own checks in one plain loop first; the moment anything is not in order it forgets what it did and lets
marshmallow load the whole object, so that every refusal, and every fault in it, is marshmallow's. A property test
proves that the loop accepts only what marshmallow accepts, with an equal result.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Literal

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, missing
from marshmallow.fields import Field

from schemas.fields import Checked, Json, each
from schemas.invalid import Fault
from schemas.titles import TITLES

Unknown = Literal["raise", "exclude"]
REFUSE: Unknown = RAISE
TOLERATE: Unknown = EXCLUDE


class Record(Schema):
    """A schema made of checked fields only; without one of its own it speaks in codes, not in sentences."""

    error_messages = {  # noqa: RUF012 - so declared by marshmallow
        "unknown": Fault("unknown-field"),
        "type": Fault("wrong-type", expected="object"),
    }

    also: ClassVar[Json] = {}
    """What its JSON Schema says beyond its fields."""

    @classmethod
    def declared(cls) -> dict[str, Field[Any]]:
        """The fields as the class declares them, bound to no instance: for making another schema of them."""
        return dict(cls._declared_fields)


class Loader:
    """Loads one record schema, refusing or leaving out unknown fields. Fields come out in the schema's order."""

    def __init__(self, record: type[Record], unknown: Unknown) -> None:
        self.schema = record(unknown=unknown)
        self._steps: tuple[tuple[str, Callable[[Any], Any], bool, bool], ...] = tuple(
            (name, field.check, field.required, field.allow_none) for name, field in checked_fields(self.schema)
        )
        self._known = self.schema.load_fields.keys()
        self._refuses_unknown = unknown == REFUSE

    def load(self, data: Any) -> dict[str, Any]:
        """The record's known fields. Raises marshmallow's ValidationError with a tree of `Fault`s."""
        taken = self.shortcut(data)
        if taken is None:
            taken = self.schema.load(data)
        return taken

    def shortcut(self, data: Any) -> dict[str, Any] | None:
        """What marshmallow would return for a well-formed record, None when it must be asked."""
        if type(data) is not dict:
            return None
        taken: dict[str, Any] = {}
        seen = 0
        try:
            for name, check, required, nullable in self._steps:
                value = data.get(name, missing)
                if value is missing:
                    if required:
                        return None
                    continue
                seen += 1
                if value is None:
                    if not nullable:
                        return None
                    taken[name] = None
                else:
                    taken[name] = check(value)
        except ValidationError:
            return None
        if self._refuses_unknown and seen != len(data):
            return None
        return taken


@lru_cache(maxsize=256)
def loader(record: type[Record], unknown: Unknown) -> Loader:
    """The one loader of a schema."""
    return Loader(record, unknown)


class Objects(Checked[list[dict[str, Any]]]):
    """A list of at most `limit` objects of the schema `record`, as strict as the schema around it."""

    def __init__(self, record: type[Record], limit: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.record = record
        self.limit = limit
        self._load: Callable[[Any], dict[str, Any]] | None = None

    def check(self, value: Any) -> list[dict[str, Any]]:
        if self._load is None:  # each schema has a copy of the field of its own
            assert isinstance(self.root, Schema), "a list of objects belongs to a schema"
            self._load = loader(self.record, TOLERATE if self.root.unknown == TOLERATE else REFUSE).load
        return each(value, self.limit, self._load)

    def rule(self) -> Json:
        return {"type": "array", "maxItems": self.limit, "items": object_rule(self.record)}


def checked_fields(schema: Schema) -> list[tuple[str, Checked[Any]]]:
    """The schema's fields in order; every one is a checked field."""
    named: list[tuple[str, Checked[Any]]] = []
    for name, field in schema.load_fields.items():
        assert isinstance(field, Checked), name
        named.append((field.data_key or name, field))
    return named


def object_rule(record: type[Record], *, closed: bool = True) -> Json:
    """The JSON Schema of a record; `closed` refuses unknown fields."""
    properties: Json = {}
    required: list[str] = []
    for name, field in checked_fields(record()):
        rule = field.rule()
        if field.allow_none:
            rule = {"anyOf": [rule, {"type": "null"}]}
        properties[name] = ({"title": TITLES[name]} if name in TITLES else {}) | rule
        if field.required:
            required.append(name)
    rule = {"type": "object", "properties": properties} | record.also
    return rule | ({"required": required} if required else {}) | ({"additionalProperties": False} if closed else {})
