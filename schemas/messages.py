"""The sentence of every field fault, in Chinese and in English. Templates are filled with the fault's parameters."""

from __future__ import annotations

FIELD_ERRORS: dict[str, tuple[str, str]] = {
    "required": ("必填", "This field is required"),
    "null": ("不能为空", "This must not be null"),
    "unknown-field": ("没有这个字段", "There is no such field"),
    "wrong-type": ("类型不对，应为 {expected}", "The wrong type: expected {expected}"),
    "empty": ("不能是空白", "This must not be blank"),
    "too-long": ("最多 {limit} 个字符", "At most {limit} characters are kept"),
    "too-many": ("最多 {limit} 项", "At most {limit} items are taken"),
    "too-few": ("应有 {limit} 项", "There must be {limit} items"),
    "too-precise": ("最多 {decimals} 位小数", "At most {decimals} decimals are kept"),
    "bad-characters": (
        "含有不允许的控制字符或残缺字符",
        "It holds a control character or half a character",
    ),
    "bad-id": ("编号不合规则：{pattern}", "Not an identifier: {pattern}"),
    "out-of-range": ("应在 {low} 到 {high} 之间", "It must be from {low} to {high}"),
    "bad-date": ("不是有效日期", "Not a valid date"),
    "bad-span": (
        "应为年、月、日或起止，如 2024、2024-09、2024-01/2024-09",
        "Expected a year, month or day, or from one to another, like 2024, 2024-09 or 2024-01/2024-09",
    ),
    "whole-yuan": (
        "填写 {other} 的合计应为整数元（unit 为 元）",
        "A sum with `{other}` is whole yuan (`unit` 元)",
    ),
    "date-too-early": ("不早于 {earliest}", "Not before {earliest}"),
    "date-too-late": ("不晚于 {latest}", "Not after {latest}"),
    "date-in-future": (
        "已发生的事最多写到明天（{latest}）",
        "What has happened cannot lie beyond tomorrow ({latest})",
    ),
    "before-date": ("不能早于 date", "It must not be before `date`"),
    "bad-period": ("不是有效期间，应为 2026 或 2026-Q3 的样式", "Not a period of the form 2026 or 2026-Q3"),
    "period-not-over": ("期间尚未结束，结束后再报", "The period is not over yet"),
    "bad-time": ("不是有效时间，应为 08:30 的样式", "Not a time of the form 08:30"),
    "before-begin": ("应晚于 works_from", "It must be after `works_from`"),
    "hours-together": (
        "works_from 与 works_until 要一起填写",
        "`works_from` and `works_until` are given together",
    ),
    "pause-too-long": (
        "一次批准最多暂停 {limit} 天，首尾两天都算",
        "One approval pauses at most {limit} days, both ends included",
    ),
    "together": (
        "approver 与 until 要一起填写",
        "`approver` and `until` are given together",
    ),
    "only-when-decided": (
        "只有办结时才填写",
        "It is told with a decision (办结) only",
    ),
    "needed-for-pause": (
        "暂停计时必须写明原因类别",
        "A pause needs the cause it is approved for",
    ),
    "day-needed": (
        "暂停计时的日期要写到日",
        "A pause needs the day itself, not a month or a year",
    ),
    "nothing-amended": (
        "没有写明要修改的字段",
        "No field to amend is named",
    ),
    "bad-instant": (
        "不是有效时刻，应为 2026-03-05T01:02:03.004Z 的样式",
        "Not an instant of the form 2026-03-05T01:02:03.004Z",
    ),
    "unknown-stage": ("没有这个阶段；可用：{allowed}", "There is no such stage; known: {allowed}"),
    "unknown-route": ("没有这条路径；可用：{allowed}", "There is no such route; known: {allowed}"),
    "unknown-zone": ("没有这个园区；可用：{allowed}", "There is no such zone; known: {allowed}"),
    "unknown-type": ("没有这种事件；可用：{allowed}", "There is no such event type; known: {allowed}"),
    "unknown-value": ("不是可用的取值；可用：{allowed}", "Not an allowed value; allowed: {allowed}"),
    "unknown-version": (
        "不支持的 CloudEvents 版本；可用：{allowed}",
        "Not a supported version of CloudEvents; known: {allowed}",
    ),
    "conflict": (
        "同一项目（或单位等）中，这个编号已用于不同的内容",
        "This id already carries another content about the same project, unit …",
    ),
    "demo-recipient": (
        "演示数据中的收件人只用收件箱，不能登记联系方式",
        "Recipients of the demonstration data are reached by the inbox only",
    ),
    "channel-twice": ("每种渠道只能登记一个", "One address per channel"),
    "not-http": ("应为 http 或 https 地址", "Expected an http or https address"),
    "address-with-credentials": ("地址中不能带用户名或密码", "The address must not hold a user name or password"),
    "address-odd": ("主机的写法不规范", "The host is not spelled in the ordinary way"),
    "address-forbidden": (
        "该地址在内部或保留网段；确需使用时由管理员写入 LUODI_WEBHOOK_ALLOW",
        "The address lies in a private or reserved range; the operator may allow it with LUODI_WEBHOOK_ALLOW",
    ),
    "no-robot": ("不是群机器人的地址：缺少密钥", "Not the address of a group robot: its key is missing"),
    "no-such-service": (
        "不支持该服务，或该服务另有专门渠道",
        "No service of this name, or one that has a channel of its own",
    ),
    "not-apprise": ("不是可用的 Apprise 地址", "Not an address that Apprise can read"),
    "no-secret-here": ("该渠道没有签名密钥", "This channel has no secret"),
    "no-mention-here": ("该渠道不能点名", "This channel mentions nobody"),
    "bad-secret": (
        "应为 whsec_ 加 24 至 64 字节的 base64",
        "Expected whsec_ and the base64 of 24 to 64 bytes",
    ),
    "not-email": ("应为一个电子邮箱地址，如 name@example.com", "Expected one e-mail address like name@example.com"),
    "no-smtp": (
        "尚未配置邮件服务器：由管理员设置 LUODI_SMTP_URL 和 LUODI_SMTP_FROM",
        "There is no mail server: the operator sets LUODI_SMTP_URL and LUODI_SMTP_FROM",
    ),
    "bad-mention": (
        "应为一个人的编号或手机号，不能是所有人",
        "Expected one person's id or telephone number, never everybody",
    ),
    "over-100-yi": (
        "超过 100 亿元，请核对；无误则在 confirm 中写明 {name}",
        "More than 100 亿 (10,000,000,000 yuan): check it, then name {name} in `confirm`",
    ),
    "under-100-wan": (
        "不足 100 万元，是否把万元、亿元写成了元？请核对；无误则在 confirm 中写明 {name}",
        "Less than 100 万 (1,000,000 yuan): was it meant in 万 or 亿? Check it, then name {name} in `confirm`",
    ),
    "over-total": (
        "大于总投资 investment，是否有一处写错了单位？请核对；无误则在 confirm 中写明 {name}",
        "More than the whole `investment`: was one of them meant in 万 or 亿? Check it, then name {name} in `confirm`",
    ),
}
