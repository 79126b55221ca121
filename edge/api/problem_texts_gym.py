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
    "photo_type": (
        415,
        "这里只收 JPEG 照片",
        "Only JPEG photos are taken here",
        "请以 Content-Type: image/jpeg 发送照片本身。",
        "Send the photo itself as Content-Type: image/jpeg.",
    ),
    "photo_not_jpeg": (
        422,
        "这不是 JPEG 照片",
        "This is no JPEG photo",
        "请在页面上重新拍照，或把图片另存为 JPEG 再发。",
        "Take it anew on the page, or save the picture as JPEG and send that.",
    ),
    "photo_broken": (
        422,
        "照片不完整",
        "The photo is cut off or damaged",
        "请重新发送；仍不行就重新拍一张。",
        "Send it again; if that does not help, take another.",
    ),
    "photo_kind": (
        422,
        "这种 JPEG 浏览器显示不了",
        "A kind of JPEG that browsers do not show",
        "请把图片另存为普通 JPEG（8 位，灰度或彩色）再发。",
        "Save the picture as an ordinary JPEG (8 bit, grey or colour) and send that.",
    ),
    "photo_side": (
        422,
        "照片的边太长",
        "The photo's sides are too long",
        "最长边最多 {limit} 像素，请缩小后再发。",
        "Its longest side may have {limit} px at most: make it smaller.",
    ),
    "photo_large": (
        413,
        "照片太大",
        "The photo is too large",
        "最多 {limit} KB，请缩小或降低质量后再发。",
        "At most {limit} KiB: make it smaller, or lower its quality.",
    ),
    "photo_taken": (
        409,
        "这个工单已有别人的照片",
        "Somebody's photo is with this order already",
        "您的报告已记下，不需要再发照片。",
        "Your report is kept; no other photo is needed.",
    ),
    "photos_full": (
        409,
        "照片已存满",
        "No room for another photo",
        "文字报告已记下。请维修人员先关闭工单，或删去不用的照片。",
        "The report in words is kept. Maintenance must close orders first, or erase photos that are not needed.",
    ),
    "no_photo": (
        404,
        "没有照片",
        "No photo",
        "没有拍过，或已删去。工单关闭后照片会删去。",
        "None was taken, or it was erased; the photo of an order is erased when it is closed.",
    ),
    "too_many_photos": (
        429,
        "照片发得太多",
        "Too many photos",
        "文字报告已记下；请在 {seconds} 秒后再发照片。",
        "The report in words is kept; send the photo in {seconds} s.",
    ),
}
