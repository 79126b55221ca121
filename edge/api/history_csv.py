"""Samples as CSV for spreadsheets: UTF-8 with a byte order mark (or Chinese names break in Excel), CRLF (RFC 4180).

The hard part is a name that a spreadsheet takes for a formula: text that begins with =, +, -, @, tab or CR gets an
apostrophe in front. A user would notice a mistake as garbled names, or as a sheet that runs somebody's formula.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta, timezone

from edge.api.history_answers import samples_of
from edge.runtime.history_messages import SamplesPart

HEAD = ("time", "time_ms", "vertical", "device", "point", "quantity", "unit", "value", "quality")
QUALITIES = ("good", "clock_untrusted", "retained", "fault", "test")
_LOCAL = timezone(timedelta(hours=8))
_RISKY = ("=", "+", "-", "@", "\t", "\r")


def csv_head() -> bytes:
    """The first line, behind the byte order mark."""
    return b"\xef\xbb\xbf" + ",".join(HEAD).encode() + b"\r\n"


def csv_cut(rows: int) -> bytes:
    """The last line of a table that is not all of it: a file that just ends looks like everything."""
    chinese = f"不完整：只有前 {rows} 行，请缩短时间或少选曲线"
    return f"{chinese} · incomplete: only the first {rows} lines; choose a shorter span\r\n".encode()


def csv_rows(part: SamplesPart, limit: int) -> bytes:
    """The lines of a page, at most ``limit``."""
    found = samples_of(part, None)
    series = found.series
    names = tuple(
        safe_cell(name) for name in (series.vertical, series.device, series.point, series.quantity, series.unit)
    )
    values: list[float | None] | list[str | None] = found.word or found.value
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for time_ms, value, quality in zip(found.time_ms[:limit], values, found.quality, strict=False):
        shown = "" if value is None else safe_cell(value) if isinstance(value, str) else repr(value)
        writer.writerow((_time(time_ms), time_ms, *names, shown, QUALITIES[min(quality, len(QUALITIES) - 1)]))
    return out.getvalue().encode()


def safe_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_RISKY) else text


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms // 1000, UTC).astimezone(_LOCAL).strftime("%Y-%m-%dT%H:%M:%S") + (
        f".{time_ms % 1000:03d}+08:00"
    )
