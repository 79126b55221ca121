"""Every problem code that the API answers with: its HTTP status, a title and what to do, in Chinese and English.

A user meets these words at the worst moment (the tray is on the reader, a queue behind them): they say what happened
and what to do next. ``{names}`` are filled in by whoever raises the problem.
"""

from __future__ import annotations

from typing import NamedTuple

from edge.api.problem_texts_accounts import ACCOUNTS
from edge.api.problem_texts_garage import GARAGE
from edge.api.problem_texts_gym import GYM
from edge.api.problem_texts_history import HISTORY


class ProblemText(NamedTuple):
    status: int
    title_zh: str
    title_en: str
    detail_zh: str
    detail_en: str


#: Seconds after which asking again makes sense, sent as Retry-After with every 503 that names no other.
RETRY_AFTER_S = 2

TEXTS: dict[str, ProblemText] = {
    # requests that are no valid requests
    "bad_request": ProblemText(
        400, "请求有误", "Bad request", "请求无法解析，请检查格式。", "The request cannot be read; check its form."
    ),
    "bad_json": ProblemText(
        400, "JSON 有误", "Bad JSON", "请求体不是有效的 JSON（UTF-8）。", "The body is not valid JSON in UTF-8."
    ),
    "bad_cursor": ProblemText(
        400,
        "翻页标记无效",
        "Bad cursor",
        "请使用上一页给出的 next_cursor，或不带 cursor 从头开始。",
        "Use the next_cursor of the page before, or leave cursor out to begin again.",
    ),
    "bad_idempotency_key": ProblemText(
        400,
        "缺少或无效的 Idempotency-Key",
        "Missing or bad Idempotency-Key",
        "请带上 Idempotency-Key 头：1 到 255 个可见 ASCII 字符；重试时用同一个值。",
        "Send the header Idempotency-Key, 1 to 255 visible ASCII characters; repeat it unchanged when you ask again.",
    ),
    "host_not_allowed": ProblemText(
        400,
        "主机名不在许可之列",
        "Host not allowed",
        "请用站点文件 [api] allowed_hosts 中的名字访问。",
        "Use a name that the site file lists under [api] allowed_hosts.",
    ),
    "validation": ProblemText(
        422, "内容不符合要求", "Invalid content", "请改正 errors 中列出的各项。", "Correct what errors lists."
    ),
    "not_found": ProblemText(404, "没有找到", "Not found", "请检查地址。", "Check the address."),
    "method_not_allowed": ProblemText(
        405, "不支持此方法", "Method not allowed", "可用的方法见 Allow 头。", "The header Allow lists what is possible."
    ),
    "too_large": ProblemText(
        413, "内容过大", "Too large", "请求体最多 {limit} 字节。", "A body may have at most {limit} bytes."
    ),
    "unsupported_media": ProblemText(
        415,
        "内容类型不支持",
        "Unsupported content type",
        "请以 Content-Type: application/json 发送。",
        "Send it as Content-Type: application/json.",
    ),
    "too_slow": ProblemText(
        408, "请求超时", "Request took too long", "请重试；重试时用同一个键。", "Ask again, under the same key."
    ),
    # answers of the daemon (docs/architecture.md)
    "tray_changed": ProblemText(
        409,
        "餐盘有变化",
        "The tray has changed",
        "没有扣款。请看屏幕上的新价格再付款。",
        "Nothing was charged. Look at the new price, then pay.",
    ),
    "not_firm": ProblemText(
        422,
        "价格尚未确定",
        "Price not certain yet",
        "没有扣款。请等读取完成，或按屏幕提示移动餐盘。",
        "Nothing was charged. Wait until reading is done, or move the plates as the screen says.",
    ),
    "blocked": ProblemText(
        422,
        "有餐盘不能付款",
        "A plate stops payment",
        "没有扣款。请按屏幕提示换盘，或叫工作人员。",
        "Nothing was charged. Change the plate as the screen says, or call the staff.",
    ),
    "purse_short": ProblemText(
        422, "余额不足", "Balance too low", "没有扣款。请充值或付现金。", "Nothing was charged. Top up or pay in cash."
    ),
    "no_member": ProblemText(
        422, "没有识别到会员", "No member identified", "请先刷卡，或付现金。", "Show a card first, or pay in cash."
    ),
    "unknown_card": ProblemText(
        404, "不认识这张卡", "Unknown card", "请换一张卡，或找工作人员。", "Use another card, or ask the staff."
    ),
    "tender_short": ProblemText(
        422,
        "收到的现金不够",
        "Not enough cash",
        "收款金额须不小于应付金额。",
        "The cash must cover what is to be paid.",
    ),
    "bad_method": ProblemText(
        422, "付款方式无效", "Unknown payment method", "请用 purse 或 cash。", "Use purse or cash."
    ),
    "unknown_order": ProblemText(
        404,
        "没有这笔订单",
        "Unknown order",
        "请检查订单号；超过退款期限的订单不能再改。",
        "Check the order's id; one that is older than the limit for refunds can no longer be changed.",
    ),
    "already_voided": ProblemText(409, "订单已撤销", "Already voided", "无需再做。", "Nothing more to do."),
    "already_refunded": ProblemText(
        409, "这些行已退款", "Already refunded", "请查看订单的退款记录。", "See the order's refunds."
    ),
    "too_old": ProblemText(
        422,
        "超过期限",
        "Too long ago",
        "撤销只限当天；退款有期限，请找经理。",
        "A void is for the same day only and refunds have a limit; ask the manager.",
    ),
    "unknown_plate": ProblemText(404, "没有这个盘子", "Unknown plate", "请先登记盘子。", "Register the plate first."),
    "unknown_dish": ProblemText(404, "没有这道菜", "Unknown dish", "请检查菜品编号。", "Check the dish's id."),
    "unknown_category": ProblemText(
        404, "没有这类顾客", "Unknown diner category", "请检查类别编号。", "Check the category's id."
    ),
    "unknown_lane": ProblemText(404, "没有这个结算台", "Unknown lane", "请检查台号。", "Check the lane's number."),
    "unknown_member": ProblemText(
        404, "没有这个会员", "Unknown member", "请检查会员编号。", "Check the member's token."
    ),
    "unknown_view": ProblemText(
        404,
        "没有这个视图",
        "Unknown view",
        "您可看的视图中没有与 keys 相符的。",
        "None of the views that you may see fits keys.",
    ),
    "id_reused": ProblemText(
        409,
        "同一个键，不同的内容",
        "Same key, other content",
        "这次没有执行；这个键先前已用于别的内容或别的登录，那一次的结果不变。新的操作请用新的 Idempotency-Key。",
        "Nothing was done this time; what the key did before, for other content or another login, stands. A new action "
        "needs a new Idempotency-Key.",
    ),
    "id_taken": ProblemText(
        409, "编号已被使用", "Id already taken", "没有执行。请用新的编号。", "Nothing was done. Use a new id."
    ),
    "bad_value": ProblemText(422, "数值无效", "Invalid value", "请检查内容。", "Check the values."),
    "bad_command": ProblemText(
        500,
        "程序版本不一致",
        "Programs disagree",
        "没有执行。请重启全部进程（./kangle up）。",
        "Nothing was done. Restart all processes (./kangle up).",
    ),
    "busy": ProblemText(503, "系统繁忙", "Busy", "请稍后用同一个键重试。", "Ask again shortly, under the same key."),
    "storage": ProblemText(
        503,
        "暂时无法存盘",
        "Cannot store now",
        "没有扣款。请用同一个键重试；若持续，请检查磁盘空间。",
        "Nothing was charged. Ask again under the same key; if it lasts, check the disk's free space.",
    ),
    "internal": ProblemText(
        500,
        "内部错误",
        "Internal error",
        "请用同一个键重试；若再次发生，请记下编号并报修。",
        "Ask again under the same key; if it happens again, report the number in instance.",
    ),
    # what is away
    "daemon_away": ProblemText(
        503,
        "结算程序没有回应",
        "The canteen program does not answer",
        "您的付款可能已经完成；请用同一个键再问一次。",
        "Your payment may have been taken; ask again with the same key.",
    ),
    "no_view_yet": ProblemText(
        503, "还没有数据", "No data yet", "程序正在启动，请稍候。", "The program is starting; wait a moment."
    ),
    "books_away": ProblemText(
        503,
        "暂时无法读取账本",
        "The books cannot be read now",
        "请稍后再试；若持续，请检查 canteen 进程。",
        "Try again shortly; if it lasts, check the canteen process.",
    ),
    "not_ready": ProblemText(
        503, "尚未就绪", "Not ready", "未通过的检查见 errors。", "errors names the checks that failed."
    ),
    "pages_missing": ProblemText(
        503, "页面尚未构建", "Pages are not built", "请运行 ./kangle setup。", "Run ./kangle setup."
    ),
    "stopping": ProblemText(503, "正在停止", "Stopping", "请稍后再试。", "Try again shortly."),
    # demo
    "demo_off": ProblemText(
        404,
        "演示模式未开启",
        "Demo is off",
        "站点文件中 [demo] enabled = true 才可用。",
        "It needs [demo] enabled = true in the site file.",
    ),
    "demo_away": ProblemText(
        503,
        "模拟器没有回应",
        "The simulator does not answer",
        "请检查模拟器是否在运行。",
        "Check that the simulator runs.",
    ),
    "demo_refused": ProblemText(409, "模拟器拒绝", "The simulator refused", "{reason}", "{reason}"),
    **{code: ProblemText(*words) for code, words in (ACCOUNTS | GARAGE | GYM | HISTORY).items()},
}
