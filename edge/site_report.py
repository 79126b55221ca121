"""What is wrong with a site's files: one mistake, the bag that collects them, and how they are shown.

The hard part is to report everything at once and still to say nothing false: a mistake names the file, the line (only
when it is certain), the key, the value that was found, what is allowed and what to do. A user would notice an error
here as a hunt through twelve runs for twelve typing mistakes, or as a line number that points elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, time
from typing import NamedTuple

import msgspec

from edge.domain.words import Text

MAX_MISTAKES = 500
MAX_VALUE_CHARS = 60

#: What each code says, for people. The codes are stable; programs go by them.
WHAT: dict[str, Text] = {
    "unreadable": Text("文件读不出来", "the file cannot be read"),
    "syntax": Text("文件格式不对", "the file is not well formed"),
    "unknown_key": Text("不认识这个键", "unknown key"),
    "missing": Text("缺少这一项", "missing"),
    "wrong_type": Text("类型不对", "wrong type"),
    "out_of_range": Text("超出范围", "out of range"),
    "bad_format": Text("写法不对", "badly written"),
    "not_allowed": Text("不是允许的值", "not an allowed value"),
    "unknown_id": Text("没有这个编号", "no such id"),
    "duplicate": Text("重复", "given twice"),
    "ambiguous": Text("规则互相重叠", "overlaps another rule"),
    "contradiction": Text("前后矛盾", "contradicts another value"),
    "not_armed": Text("车库不会投入保护", "the garage will not arm"),
    "unsafe": Text("不安全", "not safe"),
    "unused": Text("没有用到", "not used"),
    "energy": Text("能量与营养成分对不上", "energy does not fit the nutrients"),
    "implausible": Text("物理上不可能", "physically impossible"),
    "menu_plan": Text("菜单计划不合要求", "the menu plan breaks its own rule"),
    "too_many": Text("还有更多错误没有列出", "more mistakes were not listed"),
}


class Place(NamedTuple):
    """Where a value stands. ``line`` counts from 1 and is None unless certain; ``path`` is like ``lanes[0].device``."""

    file: str
    line: int | None
    path: str


class SiteMistake(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake. ``code`` is a key of ``WHAT``; ``value`` is what was found, shortened ("" when missing); ``allowed``
    and ``hint`` may be empty texts."""

    file: str
    line: int | None
    path: str
    code: str
    value: str
    allowed: Text
    hint: Text


class SiteErrors(Exception):  # noqa: N818 - plural: it carries every mistake
    """The site's files are not usable; ``mistakes`` holds all that is wrong, in the order of files and lines."""

    def __init__(self, mistakes: tuple[SiteMistake, ...], warnings: tuple[SiteMistake, ...] = ()) -> None:
        super().__init__(f"{len(mistakes)} mistakes in the site's files")
        self.mistakes = mistakes
        self.warnings = warnings

    def __str__(self) -> str:
        return render_mistakes(self.mistakes, "en")


EMPTY = Text("", "")


def same(words: str) -> Text:
    """The same words in both languages (numbers, ids, units)."""
    return Text(words, words)


def did_you_mean(value: str, known: Collection[str]) -> Text:
    """A hint that names the nearest known word; empty when nothing is near."""
    import difflib  # noqa: PLC0415 - only a wrong site needs it

    near = difflib.get_close_matches(value, sorted(known), n=1, cutoff=0.6)
    return Text(f"是不是想写“{near[0]}”？", f'did you mean "{near[0]}"?') if near else EMPTY


def one_of(known: Iterable[str], limit: int = 12) -> Text:
    """The list of allowed words, cut to ``limit``."""
    words = sorted(known)
    if len(words) <= limit:
        return same(", ".join(words))
    shown = ", ".join(words[:limit])
    return Text(f"{shown} 等 {len(words)} 个", f"{shown} … ({len(words)} in all)")


class Bag:
    """Collects mistakes and warnings. Holds at most ``MAX_MISTAKES`` of each; the count of the rest is kept and
    told."""

    def __init__(self) -> None:
        self._mistakes: list[SiteMistake] = []
        self._warnings: list[SiteMistake] = []
        self._dropped = {"mistakes": 0, "warnings": 0}

    def add(
        self,
        code: str,
        place: Place,
        value: object = "",
        allowed: Text = EMPTY,
        hint: Text = EMPTY,
        *,
        warn: bool = False,
    ) -> None:
        """Record one mistake (or warning). ``code`` must be a key of ``WHAT``."""
        target = self._warnings if warn else self._mistakes
        if len(target) >= MAX_MISTAKES:
            self._dropped["warnings" if warn else "mistakes"] += 1
            return
        target.append(
            SiteMistake(
                file=place.file,
                line=place.line,
                path=place.path,
                code=code,
                value=_shown(value),
                allowed=allowed,
                hint=hint,
            )
        )

    def __len__(self) -> int:
        """How many mistakes there are (warnings apart)."""
        return len(self._mistakes) + self._dropped["mistakes"]

    def mistakes(self) -> tuple[SiteMistake, ...]:
        """All mistakes in the order of file and line; a last entry tells how many more there were."""
        return _listed(self._mistakes, self._dropped["mistakes"])

    def warnings(self) -> tuple[SiteMistake, ...]:
        """All warnings, likewise."""
        return _listed(self._warnings, self._dropped["warnings"])


def _listed(found: list[SiteMistake], dropped: int) -> tuple[SiteMistake, ...]:
    listed = sorted(found, key=_order)
    if dropped:
        more = same(str(dropped))
        listed.append(SiteMistake(file="", line=None, path="", code="too_many", value="", allowed=EMPTY, hint=more))
    return tuple(listed)


def _order(mistake: SiteMistake) -> tuple[str, int, str]:
    return (mistake.file, mistake.line or 0, mistake.path)


def _printable(words: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in words)


def _as_typed(value: object) -> str:
    """The value as it stands in the file, not as Python would print it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | time):
        return value.isoformat()
    return value if isinstance(value, str) else repr(value)


def _shown(value: object) -> str:
    words = _printable(_as_typed(value))
    return words if len(words) <= MAX_VALUE_CHARS else words[: MAX_VALUE_CHARS - 1] + "…"


def render_mistakes(mistakes: Iterable[SiteMistake], lang: str = "zh") -> str:
    """Mistakes as text for people, two lines each: where and what, then allowed and hint. ``lang`` is "zh" or "en"."""
    return "\n".join(_render_one(m, lang) for m in mistakes)


def _render_one(mistake: SiteMistake, lang: str) -> str:
    zh = lang == "zh"
    where = ":".join(str(part) for part in (mistake.file, mistake.line) if part)
    head = "  ".join(part for part in (where, _printable(mistake.path), _pick(WHAT[mistake.code], lang)) if part)
    if mistake.value:
        head += f"：{mistake.value}" if zh else f": {mistake.value}"
    tail = []
    if allowed := _pick(mistake.allowed, lang):
        tail.append(f"允许：{allowed}" if zh else f"allowed: {allowed}")
    if hint := _pick(mistake.hint, lang):
        tail.append(hint)
    return head + "".join(f"\n    {part}" for part in tail)


def _pick(text: Text, lang: str) -> str:
    return _printable(text.zh if lang == "zh" else text.en)


def mistakes_json(mistakes: Iterable[SiteMistake]) -> bytes:
    """Findings as a JSON array: the fields of ``SiteMistake``, and ``what``, the code in words of both languages."""
    return msgspec.json.encode([_plain(mistake) for mistake in mistakes])


def _plain(mistake: SiteMistake) -> dict[str, object]:
    return {**msgspec.structs.asdict(mistake), "what": WHAT[mistake.code]}
