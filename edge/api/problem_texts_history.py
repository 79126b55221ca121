"""The history's problem codes: status, title and what to do, in Chinese and English (see ``problem_texts``)."""

from __future__ import annotations

#: Code -> (status, title_zh, title_en, detail_zh, detail_en).
HISTORY: dict[str, tuple[int, str, str, str, str]] = {
    "history_away": (
        503,
        "暂时无法读取历史数据",
        "The history cannot be read now",
        "设备和收款不受影响。请稍后再试；若持续，请检查 history 进程。",
        "Devices and payments are not affected. Try again shortly; if it lasts, check the history process.",
    ),
    "unknown_series": (404, "没有这条曲线", "Unknown series", "请从列表中重新选择。", "Choose again from the list."),
    "too_much": (
        422,
        "一次要得太多",
        "Too much at once",
        "请缩短时间范围，或加大窗口宽度。",
        "Ask for a shorter span or for wider windows.",
    ),
}
