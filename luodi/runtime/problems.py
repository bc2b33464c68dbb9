"""The words of every refusal, in Chinese and English (RFC 9457, problem+json).

`PROBLEMS` has a row per problem: status, titles, details. `FIELD_ERRORS` has a row per fault in one field. Templates
are filled by `str.format` with the parameters of the problem; a caller sees its own language, a program reads `code`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from schemas.invalid import FieldError as FieldError  # also for those who raise problems
from schemas.messages import FIELD_ERRORS as CONTRACT_FAULTS

Language = Literal["zh-CN", "en"]


class ProblemError(Exception):
    """An answer that is a problem. Raise it anywhere below a route."""

    def __init__(
        self,
        code: str,
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
        **params: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = PROBLEMS[code].status
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})
        self.params = params


@dataclass(frozen=True, slots=True)
class ProblemWords:
    """One row of the table."""

    status: int
    title_zh: str
    title_en: str
    detail_zh: str
    detail_en: str


def body(problem: ProblemError, language: Language, instance: str) -> dict[str, Any]:
    """The JSON members of the answer, in the caller's language."""
    words = PROBLEMS[problem.code]
    zh = language == "zh-CN"
    answer: dict[str, Any] = {
        "type": f"urn:luodi:problem:{problem.code}",
        "title": words.title_zh if zh else words.title_en,
        "status": words.status,
        "detail": (words.detail_zh if zh else words.detail_en).format(**problem.params),
        "instance": instance,
        "code": problem.code,
    }
    if problem.errors:
        answer["errors"] = [error_body(error, language) for error in problem.errors]
    answer.update(problem.members)
    return answer


def error_body(error: FieldError, language: Language) -> dict[str, str]:
    """One member of `errors`, in the caller's language."""
    zh, en = FIELD_ERRORS[error.code]
    return {
        "pointer": error.pointer,
        "code": error.code,
        "detail": (zh if language == "zh-CN" else en).format(**error.params),
    }


PROBLEMS: dict[str, ProblemWords] = {
    "bad-json": ProblemWords(400, "正文不是有效的 JSON", "The body is not valid JSON", "{reason}", "{reason}"),
    "bad-request": ProblemWords(400, "请求有误", "The request is malformed", "{reason}", "{reason}"),
    "bad-query": ProblemWords(
        400,
        "查询参数有误",
        "A query parameter is wrong",
        "请按 errors 中各项更正。",
        "Correct what `errors` names.",
    ),
    "bad-position": ProblemWords(
        400,
        "位置标记无效",
        "The position is not one of this system's",
        "after 必须是本系统提交回执中的 position。",
        "`after` takes a `position` that this system's ingest answered.",
    ),
    "unauthorized": ProblemWords(
        401,
        "需要密钥",
        "A key is needed",
        "请在请求头中写 Authorization: Bearer <密钥>。",
        "Send the header Authorization: Bearer <key>.",
    ),
    "bad-link": ProblemWords(
        401,
        "链接无效",
        "The link is not valid",
        "链接不正确、已过期或已被收回，请向园区专员索取新链接。",
        "It is wrong, out of date or revoked: ask the zone's officer for a new one.",
    ),
    "not-found": ProblemWords(404, "没有找到", "Not found", "{what} 不存在。", "{what} does not exist."),
    "method-not-allowed": ProblemWords(
        405,
        "不支持的方法",
        "The method is not allowed here",
        "此地址支持：{allowed}。",
        "This address takes: {allowed}.",
    ),
    "conflict": ProblemWords(
        409,
        "同一编号已有不同内容",
        "The same id already carries another content",
        "{subject} 已有编号为 {id} 的事件，内容不同。",
        "{subject} already has an event {id} with another content.",
    ),
    "not-theirs": ProblemWords(
        403,
        "不由此人办理",
        "This is for others to do",
        "{who} 不能办理此事；可由以下人员或单位办理：{allowed}。",
        "{who} cannot do this; it is for: {allowed}.",
    ),
    "own-feedback": ProblemWords(
        403,
        "不能复核自己的反馈",
        "Nobody reviews their own feedback",
        "反馈由 {who} 提交，须由他人复核。",
        "The feedback is by {who}; somebody else must review it.",
    ),
    "own-report": ProblemWords(
        403,
        "不能核实自己上报的节点",
        "Nobody verifies their own report",
        "该节点由同一人上报，须由他人核实。",
        "The same person reported this milestone; somebody else must verify it.",
    ),
    "not-a-stall": ProblemWords(
        409,
        "不是项目的督办事项",
        "Not a matter of a project",
        "{what} 是系统自身的告警，修复后自行解除。",
        "{what} is an alarm about the system itself: it ends when the fault is mended.",
    ),
    "not-stalled": ProblemWords(
        409,
        "督办事项未亮红灯",
        "The matter is not red",
        "{what} 目前不是红灯，无须签收、反馈或复核。",
        "{what} is not red now: there is nothing to sign for, to answer or to review.",
    ),
    "nothing-to-review": ProblemWords(
        409,
        "没有待复核的反馈",
        "No feedback waits for review",
        "{what} 没有待复核的反馈。",
        "No feedback on {what} waits for review.",
    ),
    "held-too-often": ProblemWords(
        409,
        "恢复日期已用完",
        "No further recovery date can be accepted",
        "同一次超期最多 {limit} 次以恢复日期暂缓上报。",
        "A recovery date holds the ladder at most {limit} times in one stall.",
    ),
    "not-over": ProblemWords(
        409,
        "红灯尚未解除",
        "The stall is not over",
        "{what} 的红灯尚未解除，不能销号。",
        "{what} cannot be closed: its stall is not over.",
    ),
    "silence-over": ProblemWords(
        409, "静默已结束", "The silence is over", "静默 {what} 已经结束。", "The silence {what} is over."
    ),
    "not-cleared": ProblemWords(
        409,
        "问题尚未解决",
        "The blocker is not cleared",
        "问题 {what} 尚未解决（承诺改期不等于解决），不能销号。",
        "It cannot be closed: the blocker {what} is not cleared; another promise does not clear it.",
    ),
    "digest-not-resent": ProblemWords(
        409,
        "汇总不再次发送",
        "A digest is not sent again",
        "消息 {what} 是某日的汇总，其内容可能已过时。请单独再次发送其中的消息；下一次汇总会列出仍然有效的事项。",
        "The message {what} is the digest of a morning and may be out of date. Send the messages that it named by "
        "themselves; the next digest lists what still holds.",
    ),
    "not-given-up": ProblemWords(
        409,
        "没有可再次发送的内容",
        "Nothing of it was given up",
        "消息 {what} 没有失败或放弃的渠道：已送达、仍在发送或已不再需要。",
        "No channel of the message {what} has failed or was given up: it was delivered, is still under way, or is no "
        "longer needed.",
    ),
    "not-confirmed": ProblemWords(
        409,
        "企业尚未确认",
        "The enterprise has not confirmed it",
        "问题 {what} 已报解决，但企业尚未确认（或表示未解决），不能销号。请先由企业确认："
        "POST /v1/projects/…/blockers/{what}/confirm。",
        "It cannot be closed: the blocker {what} is reported as cleared, and the enterprise has not confirmed that, or "
        "says otherwise. Have it confirmed first: POST /v1/projects/…/blockers/{what}/confirm.",
    ),
    "already-closed": ProblemWords(409, "已经销号", "Already closed", "{what} 已经销号。", "{what} is closed already."),
    "too-many-acts": ProblemWords(
        409,
        "办理次数过多",
        "Too many acts on one stall",
        "同一次超期最多记录 {limit} 次办理。",
        "At most {limit} acts are recorded of one stall.",
    ),
    "too-large": ProblemWords(
        413, "正文过大", "The body is too large", "最多 {limit} 字节。", "At most {limit} bytes are taken."
    ),
    "unsupported-media-type": ProblemWords(
        415, "不支持的正文类型", "The content type is not supported", "请使用 {expected}。", "Use {expected}."
    ),
    "invalid": ProblemWords(
        422,
        "内容不符合要求",
        "The content does not fit the rules",
        "请按 errors 中各项更正。",
        "Correct what `errors` names.",
    ),
    "needs-confirmation": ProblemWords(
        422,
        "需要确认",
        "A value needs confirmation",
        "请核对 errors 中各项；无误则在 confirm 中写明字段名后重新提交。",
        "Check what `errors` names; if it is right, name the fields in `confirm` and send again.",
    ),
    "too-many-requests": ProblemWords(
        429, "请求过多", "Too many requests", "请在 {seconds} 秒后重试。", "Try again in {seconds} s."
    ),
    "internal": ProblemWords(
        500,
        "内部错误",
        "Internal error",
        "已记录，编号 {trace_id}。",
        "It has been logged under {trace_id}.",
    ),
    "unavailable": ProblemWords(
        503,
        "暂时不可用",
        "Temporarily unavailable",
        "{what} 暂时不可用，请稍后重试。",
        "{what} is not available for the moment; try again later.",
    ),
    "outcome-unknown": ProblemWords(
        503,
        "结果未知",
        "The outcome is unknown",
        "未能及时得到确认。请用回执中的编号重试：重复提交不会重复计数。",
        "No acknowledgement came in time. Retry with the ids in this answer: a retry is never counted twice.",
    ),
    "overloaded": ProblemWords(
        503, "繁忙", "Overloaded", "待确认的事件过多，请稍后重试。", "Too many events await acknowledgement; try again."
    ),
    "too-many-streams": ProblemWords(
        503,
        "实时连接已满",
        "Too many live streams",
        "实时连接数已达上限，请稍后再试，或改用列表查询。",
        "No place for one more live stream: try again later, or read the list.",
    ),
    "not-ready": ProblemWords(503, "尚未就绪", "Not ready", "请看 missing。", "See `missing`."),
    "not-yet-visible": ProblemWords(
        503,
        "尚不可见",
        "Not yet visible",
        "该提交在 {seconds} 秒内尚未生效，请稍后再查。",
        "What was posted is not visible after {seconds} s; ask again.",
    ),
}

FIELD_ERRORS: dict[str, tuple[str, str]] = {
    **CONTRACT_FAULTS,
    "unknown-parameter": ("没有这个参数；可用：{allowed}", "There is no such parameter; known: {allowed}"),
    "not-allowed": ("取值不在允许范围内：{allowed}", "Not one of the allowed values: {allowed}"),
    "one-value": ("只能填写一个值", "Only one value is taken"),
    "bad-week": ("应为周，如 2026-W10，或其中一天", "Expected a week like 2026-W10, or a day of it"),
    "live-only": (
        "只用于当前，不能与 as_of、known_at 同用",
        "Asks of the present, not together with as_of or known_at",
    ),
    "one-of": ("应指定其中一项：{names}", "Exactly one of these is needed: {names}"),
    "bad-day": ("应为日期，如 2026-03-05", "Expected a date like 2026-03-05"),
    "bad-month": ("应为月份，如 2026-03", "Expected a month like 2026-03"),
    "bad-moment": (
        "应为日期或时刻，如 2026-03-05 或 2026-03-05T01:02:03.004Z",
        "Expected a date or an instant, like 2026-03-05 or 2026-03-05T01:02:03.004Z",
    ),
    "not-of-the-past": (
        "只能用于当前清单，不能与 as_of、known_at 同用",
        "Asks of the present only, not with as_of or known_at",
    ),
    "in-the-future": ("不能晚于现在", "Must not lie in the future"),
    "bad-cursor": ("游标不属于这个查询，请从头翻页", "Not a cursor of this query: begin again without it"),
    "own-report": ("与上报人相同", "The one who reported it"),
    "one-of-two": ("matter 与 project_id 只填其一", "Give one of `matter` and `project_id`"),
    "too-long-text": ("过长，最多 {limit} 个字符", "Too long: at most {limit} characters"),
}
