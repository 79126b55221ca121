"""Who may come in, and what may not be done: status, title and what to do, in Chinese and English (see
``problem_texts``)."""

from __future__ import annotations

#: Code -> (status, title_zh, title_en, detail_zh, detail_en).
ACCOUNTS: dict[str, tuple[int, str, str, str, str]] = {
    "not_logged_in": (401, "请先登录", "Not logged in", "请登录后再试。", "Log in, or send a valid API token."),
    "bad_login": (
        401,
        "用户名或密码不对",
        "Wrong user name or password",
        "请检查后重试。",
        "Check both and try again.",
    ),
    "wrong_password": (
        403,
        "当前密码不对",
        "The present password is wrong",
        "请检查后重试。忘了密码，请管理员在盒子上运行 ./kangle user password。",
        "Check it and try again. If it is lost, the administrator can run ./kangle user password on the box.",
    ),
    "bad_token": (
        401,
        "令牌无效",
        "Token not valid",
        "令牌可能已使用、过期或被撤销，请向管理员要一个新的。",
        "It may be used up, expired or revoked; ask the administrator for a new one.",
    ),
    "too_many_tries": (
        429,
        "尝试次数过多",
        "Too many tries",
        "请在 {seconds} 秒后再试。",
        "Try again in {seconds} s.",
    ),
    "too_many_streams": (
        429,
        "实时连接过多",
        "Too many live streams",
        "请关闭不用的页面后再试。",
        "Close pages that you do not need and try again.",
    ),
    "forbidden": (
        403,
        "没有权限",
        "Not permitted",
        "您的角色不能做这件事，请找工作人员。",
        "Your role may not do this; ask the staff.",
    ),
    "cross_origin": (
        403,
        "来自其他网站的请求",
        "Request from another site",
        "请在本站页面上操作。",
        "Do this from a page of this site.",
    ),
    "already_set_up": (
        409,
        "已完成初始设置",
        "Already set up",
        "请用现有账户登录。",
        "Log in with an existing account.",
    ),
    "user_exists": (409, "用户名已存在", "User name taken", "请换一个用户名。", "Choose another user name."),
    "last_admin": (
        409,
        "这是最后一个管理员",
        "Last administrator",
        "请先建立另一个管理员。",
        "Create another administrator first.",
    ),
    "weak_password": (
        422,
        "密码太弱",
        "Weak password",
        "至少 10 个字符、5 种不同字符，且不含用户名。",
        "At least 10 characters, 5 different ones, and not the user name.",
    ),
    "bad_binding": (
        422,
        "角色与绑定不符",
        "Role and binding do not match",
        "成员和居民需要 member；结算终端需要 lane；只有面板可以带 panel；其他角色都不带。",
        "Members and residents need member, diner-terminal lane; only panel may have panel; others take none.",
    ),
    "unknown_user": (404, "没有这个用户", "Unknown user", "请检查用户名。", "Check the user name."),
    "unknown_token": (404, "没有这个令牌", "Unknown token", "请检查令牌编号。", "Check the token's id."),
    "full": (409, "数量已达上限", "Limit reached", "请先删除不用的条目。", "Delete entries that are no longer needed."),
    "accounts_unwritable": (
        503,
        "暂时无法保存账户",
        "Accounts cannot be stored now",
        "没有改动。请检查磁盘空间后再试；已登录的不受影响。",
        "Nothing was changed. See to the disk's free space and try again; who is logged in stays so.",
    ),
}
