"""The garage's problem codes: status, title and what to do, in Chinese and English (see ``problem_texts``).

Whoever reads them stands in a garage, perhaps at night: they say what was not done, and where to go.
"""

from __future__ import annotations

#: Code -> (status, title_zh, title_en, detail_zh, detail_en).
GARAGE: dict[str, tuple[int, str, str, str, str]] = {
    "garage_away": (
        503,
        "车库程序没有回应",
        "The garage program does not answer",
        "操作可能已经执行；请看现场和页面，再用同一个键问一次。",
        "It may have been carried out; look at the place and the page, then ask again with the same key.",
    ),
    "no_garage": (
        404,
        "本站没有车库",
        "No garage here",
        "站点文件没有启用 garage。",
        "The site file does not name a garage.",
    ),
    "unknown_zone": (404, "没有这个分区", "Unknown zone", "请检查分区名。", "Check the zone's name."),
    "unknown_port": (404, "没有这个充电口", "Unknown charger", "请检查充电口编号。", "Check the charger's number."),
    "unknown_session": (
        404,
        "没有这次充电",
        "Unknown session",
        "可能已经结束；请看充电口的当前状态。",
        "It may have ended; look at the charger's present state.",
    ),
    "unknown_alarm": (
        404,
        "没有这条报警",
        "Unknown alarm",
        "它可能已经结束，请看列表。",
        "It may be over; look at the list.",
    ),
    "not_shelvable": (
        422,
        "这条报警不能屏蔽",
        "This alarm cannot be put aside",
        "火警不能屏蔽，也不能停用。可以静音和确认。",
        "A fire is never shelved or taken out of service. You can silence and acknowledge it.",
    ),
    "not_on_site": (
        403,
        "必须在现场操作",
        "On site only",
        "没有执行。请到该分区自己的面板前操作；复位还要输入本人的 PIN 码。",
        "Nothing was done. Go to the panel in this zone; a reset needs your own PIN, too.",
    ),
    "no_person": (
        422,
        "没有说明是谁",
        "Nobody is named",
        "没有复位。请输入本人姓名和密码。",
        "Nothing was reset. Name who you are.",
    ),
    "bad_pin": (
        403,
        "用户名或 PIN 码不对",
        "Wrong name or PIN",
        "没有复位。这里要 PIN 码（6 到 12 位数字），不是登录密码；没有的请管理员给一个。",
        "Nothing was reset. It is the PIN of 6 to 12 digits, not the password; the administrator gives one.",
    ),
    "weak_pin": (
        422,
        "PIN 码太简单",
        "PIN too simple",
        "6 到 12 位数字，至少 4 种不同数字，不要连号。",
        "6 to 12 digits, at least 4 different ones, and no run such as 123456.",
    ),
    "not_latched": (422, "没有锁定", "Nothing is latched", "这个分区无需复位。", "This zone needs no reset."),
    "not_resettable": (
        422,
        "还不能复位",
        "Cannot be reset yet",
        "没有复位。页面列出了还在等什么。",
        "Nothing was reset. The page lists what it still waits for.",
    ),
    "not_now": (
        422,
        "现在不行",
        "Not now",
        "什么也没有做。分区、充电口或器械的状态不允许，页面上写着原因。",
        "Nothing was done. The zone, the charger or the machine does not allow it now; the page says why.",
    ),
    "offline_limit": (
        422,
        "暂时只能充这么多",
        "No more on trust just now",
        "食堂账户很久没有同步，先结清已有的充电，或请工作人员。",
        "The purses have not been heard of for long. Settle earlier sessions first, or ask the staff.",
    ),
    "port_busy": (409, "充电口正在使用", "Charger in use", "请换一个充电口。", "Choose another charger."),
}
