"""What may be written about a contact: how a person, a unit or a desk is reached outside the inbox."""

from __future__ import annotations

import re

from schemas.fields import Choice, Name, Text
from schemas.loading import Objects, Record

CHANNELS = ("wecom", "dingtalk", "feishu", "email", "webhook", "apprise")
"""The channels that a contact may have, one of each."""

RECIPIENT = re.compile(r"operators|zone:[a-z][a-z0-9-]{0,31}|[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""A person, a unit, a zone's desk, or those who run the system."""

LANGUAGES = ("zh-CN", "en")
STYLES = ("card", "text")

MAX_ADDRESS = 2048
MAX_SECRET = 512


class ContactChannel(Record):
    """One way to a contact. Without `address` the one that is kept for this channel stays, its secret too."""

    channel = Choice("value", CHANNELS, required=True)
    address = Text(MAX_ADDRESS)
    secret = Text(MAX_SECRET, allow_none=True)
    mention = Text(64, allow_none=True)
    style = Choice("value", STYLES, allow_none=True)


class ContactBody(Record):
    """The body of `PUT /v1/contacts/{recipient}`: the whole contact, but for addresses that are kept."""

    name = Text(100, allow_none=True)
    phone = Text(40, allow_none=True)
    language = Choice("value", LANGUAGES, allow_none=True)
    channels = Objects(ContactChannel, len(CHANNELS))


RECIPIENT_NAME = Name(RECIPIENT)
