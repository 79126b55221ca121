"""The gym's problem codes: status, title and what to do, in Chinese and English (see ``problem_texts``).

Whoever reads them stands at a machine, out of breath: they say what to do next.
"""

from __future__ import annotations

#: Code -> (status, title_zh, title_en, detail_zh, detail_en).
GYM: dict[str, tuple[int, str, str, str, str]] = {
    "gym_away": (
        503,
        "健身房程序没有回应",
        "The gym program does not answer",
        "操作可能已经执行；请看页面，再用同一个键问一次。",
        "It may have been carried out; look at the page, then ask again with the same key.",
    ),
    "no_gym": (404, "本站没有健身房", "No gym here", "站点文件没有启用 gym。", "The site file does not name a gym."),
    "unknown_asset": (404, "没有这台器械", "Unknown machine", "请检查器械编号。", "Check the machine's number."),
    "unknown_person": (404, "没有这个人", "Unknown person", "请检查，或请工作人员登记。", "Check, or ask the staff."),
    "unknown_workout": (
        404,
        "没有这次锻炼",
        "Unknown workout",
        "它可能不存在、不是您的，或已过认领时间。",
        "It does not exist, is not yours, or the time to claim it is over.",
    ),
    "workout_taken": (
        409,
        "这次锻炼已有主人",
        "Somebody has claimed this workout",
        "如有误，请找工作人员。",
        "If that is wrong, ask the staff.",
    ),
    "asset_busy": (
        409,
        "有人正在使用",
        "Somebody is training here",
        "请换一台，或排队等候。",
        "Choose another machine, or join the queue.",
    ),
    "asset_held": (
        409,
        "这台留给了排队的人",
        "Held for the next in line",
        "请换一台，或排队等候。",
        "Choose another machine, or join the queue.",
    ),
    "already_waiting": (409, "您已在排队", "You are waiting already", "一人一个位置。", "One place a person."),
    "not_waiting": (422, "您没有在排队", "You are not waiting", "无需退出。", "There is nothing to leave."),
    "card_taken": (
        409,
        "这张卡属于别人",
        "This card is somebody else's",
        "请核对卡号。",
        "Check the number of the card.",
    ),
}
