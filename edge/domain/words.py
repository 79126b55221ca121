"""Words for people, in both languages of the site."""

from __future__ import annotations

import msgspec


class Text(msgspec.Struct, frozen=True):
    """A word for people in both languages."""

    zh: str
    en: str
