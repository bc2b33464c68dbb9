"""Enterprises: what they ask for and by when they are answered, how they are qualified, what they are helped with."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from luodi.domain.areas import CHAPTERS
from luodi.domain.chapters import Telling, written
from luodi.domain.days import instant, parse_instant
from luodi.domain.enterprises import (
    ACCEPTED,
    ANSWERED,
    ENTERPRISE_AMENDED,
    ENTERPRISE_REGISTERED,
    LINK_REVOKED,
    OPEN,
    REQUEST_ACCEPTED,
    REQUEST_ANSWERED,
    REQUEST_RAISED,
    REQUESTS_KEPT,
)
from luodi.domain.events import EVENT_RETRACTED, Event
from luodi.domain.fold import advance, fold
from luodi.domain.kinds import KINDS
from luodi.domain.lights import GREEN, GREY, RED, YELLOW, light_at
from luodi.domain.qualifications import (
    LADDERS,
    QUALIFICATION_ENDED,
    QUALIFICATION_GRANTED,
    QUALIFICATION_RENEWED,
    held,
    level_id,
    level_of,
    state_at,
)
from luodi.domain.reasons import text
from luodi.domain.services import ENTERPRISE_SERVED, KEPT, SERVICE_GIVEN
from luodi.domain.subjects import ENTERPRISE, PROJECT, kind_of
from luodi.domain.upgrades import MEASURE_REPORTED
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import published

FIRM = "enterprise:firm"
FRIDAY_NOON = "2026-06-05T04:00:00.000Z"


class Firm:
    """What is recorded of an enterprise (or a project), event by event."""

    def __init__(self, subject: str = FIRM) -> None:
        self.subject = subject
        self.events: list[Event] = []
        self._number = count(1)

    def tell(self, type_: str, at: str | None = None, **data: Any) -> str:
        number = next(self._number)
        recorded = at or f"2026-06-01T01:{number // 60:02d}:{number % 60:02d}.000Z"
        self.events.append(Event(self.subject, f"e{number}", type_, recorded, 0, "u-clerk", data))
        return f"e{number}"

    @property
    def document(self) -> dict[str, Any]:
        """The chapters, and the fields of an enterprise."""
        kind = kind_of(self.subject)
        state = fold(self.events, KINDS[kind].empty)
        backwards = fold(reversed(self.events), KINDS[kind].empty)
        assert state == backwards
        chapters = written(CHAPTERS[kind], Telling(self.subject, state, DEFAULT_RULES, published()))
        return chapters if kind == PROJECT else KINDS[kind].document(self.subject, state, DEFAULT_RULES, published())


def lights(row: dict[str, Any], *moments: str) -> list[str]:
    return [light_at(row["lights"], moment)["light"] for moment in moments]


def morning(day: str) -> str:
    """The first moment of a business day in Shanghai."""
    moment = parse_instant(f"{day}T00:00:00.000Z")
    return instant(moment.fromtimestamp(moment.timestamp() - 8 * 3600, moment.tzinfo))


def just_before(day: str) -> str:
    moment = parse_instant(morning(day))
    return instant(moment.fromtimestamp(moment.timestamp() - 0.001, moment.tzinfo))


def test_of_each_field_the_last_value_holds_and_null_clears() -> None:
    firm = Firm()
    firm.tell(ENTERPRISE_REGISTERED, name="一号企业", zone="demo", scale="规上")
    firm.tell(ENTERPRISE_AMENDED, scale=None, industry="新材料")
    document = firm.document
    assert {name: document[name] for name in ("name", "zone", "industry")} == {
        "name": "一号企业",
        "zone": "demo",
        "industry": "新材料",
    }
    assert "scale" not in document
    assert "requests" not in document, "where nothing is told there is no chapter"


def test_the_first_answer_is_due_one_working_day_after_the_day_of_the_request() -> None:
    firm = Firm()
    firm.tell(REQUEST_RAISED, FRIDAY_NOON, text="变压器容量不足", kind="用电")
    (request,) = firm.document["requests"]
    assert (request["state"], request["due"], request["in_time"]) == (OPEN, "2026-06-08", None)
    assert lights(request, FRIDAY_NOON, just_before("2026-06-08"), morning("2026-06-08")) == [GREEN, GREEN, YELLOW]
    assert lights(request, just_before("2026-06-09"), morning("2026-06-09")) == [YELLOW, RED]


def test_a_request_of_a_sunday_is_due_on_monday_and_a_worked_saturday_counts() -> None:
    firm = Firm()
    firm.tell(REQUEST_RAISED, "2026-06-07T04:00:00.000Z", text="用工")
    firm.tell(REQUEST_RAISED, "2026-05-08T04:00:00.000Z", text="补班的星期六")  # 9 May 2026 is worked
    sunday, friday = (row for row in sorted(firm.document["requests"], key=lambda row: str(row["id"])))
    assert (sunday["due"], friday["due"]) == ("2026-06-08", "2026-05-09")


@pytest.mark.parametrize(("answered", "in_time"), [(just_before("2026-06-09"), True), (morning("2026-06-09"), False)])
def test_an_answer_in_the_last_minute_of_the_due_day_is_in_time(answered: str, in_time: bool) -> None:
    firm = Firm()
    asked = firm.tell(REQUEST_RAISED, FRIDAY_NOON, text="变压器容量不足")
    firm.tell(REQUEST_ANSWERED, answered, request_id=asked, text="已转供电公司")
    (request,) = firm.document["requests"]
    assert (request["state"], request["first_answer_at"], request["in_time"]) == (ANSWERED, answered, in_time)
    assert request["lights"] == [], "nothing is waited for any more"


def test_an_acceptance_is_a_first_answer_and_stands_whatever_is_answered_later() -> None:
    firm = Firm()
    asked = firm.tell(REQUEST_RAISED, FRIDAY_NOON, text="变压器容量不足")
    firm.tell(REQUEST_ACCEPTED, "2026-06-08T01:00:00.000Z", request_id=asked, project_id="p1", blocker_id="b1")
    firm.tell(REQUEST_ANSWERED, "2026-06-10T01:00:00.000Z", request_id=asked, text="下周送电")
    (request,) = firm.document["requests"]
    assert (request["state"], request["in_time"]) == (ACCEPTED, True)
    assert (request["accepted"]["project_id"], request["accepted"]["blocker_id"]) == ("p1", "b1")
    assert [answer["text"] for answer in request["answers"]] == ["下周送电"]


def test_a_retracted_answer_leaves_the_request_open() -> None:
    firm = Firm()
    asked = firm.tell(REQUEST_RAISED, FRIDAY_NOON, text="变压器容量不足")
    answer = firm.tell(REQUEST_ANSWERED, "2026-06-08T01:00:00.000Z", request_id=asked, text="错发")
    firm.tell(EVENT_RETRACTED, "2026-06-08T02:00:00.000Z", event_id=answer, reason="错发")
    (request,) = firm.document["requests"]
    assert (request["state"], lights(request, morning("2026-06-09"))) == (OPEN, [RED])


def test_an_answer_to_a_request_that_nobody_raised_changes_nothing() -> None:
    firm = Firm()
    firm.tell(REQUEST_ANSWERED, request_id="e99", text="?")
    assert "requests" not in firm.document


def test_after_a_revocation_a_request_through_an_older_link_is_nothing_and_one_through_a_newer_counts() -> None:
    firm = Firm()
    firm.tell(REQUEST_RAISED, text="旧链接，收回前", link=0)
    firm.tell(REQUEST_RAISED, text="未来的链接", link=1)
    firm.tell(LINK_REVOKED, reason="外泄")
    firm.tell(REQUEST_RAISED, text="旧链接，收回后", link=0)
    firm.tell(REQUEST_RAISED, text="新链接", link=1)
    firm.tell(REQUEST_RAISED, text="电话受理")
    document = firm.document
    assert [row["text"] for row in document["requests"]] == ["旧链接，收回前", "新链接", "电话受理"]
    assert [row["by_link"] for row in document["requests"]] == [True, True, False]
    assert document["link"] == {"generation": 1, "refused": 2}


def test_a_flood_of_requests_keeps_the_last_of_them() -> None:
    firm = Firm()
    state = KINDS[ENTERPRISE].empty()
    for number in range(REQUESTS_KEPT + 5):
        at = f"2026-06-01T{number // 60:02d}:{number % 60:02d}:00.000Z"
        after = advance(state, Event(FIRM, f"e{number}", REQUEST_RAISED, at, 0, "link", {"text": str(number)}))
        assert after is not None
        state = after
    assert (len(state["entries"]["requests"]), state["counted"]["requests"]) == (REQUESTS_KEPT, REQUESTS_KEPT + 5)
    assert next(iter(state["entries"]["requests"])) == "e5"
    assert firm.events == []


@pytest.mark.parametrize(
    ("told", "ladder", "step"),
    [
        ("创新型中小企业", "growth", 0),
        ("专精特新中小企业", "growth", 1),
        ("专精特新“小巨人”企业", "growth", 2),
        ('专精特新"小巨人"', "growth", 2),
        ("专精特新「小巨人」企业", "growth", 2),
        ("little-giant", "growth", 2),
        ("国家级绿色工厂", "green-factory", 2),
        ("近零碳工厂", "zero-carbon", 0),
    ],
)
def test_a_level_is_known_by_what_people_call_it(told: str, ladder: str, step: int) -> None:
    found = level_of(told)
    assert found is not None
    assert (found[0].id, found[1]) == (ladder, step)


def test_a_level_on_no_ladder_stands_for_itself() -> None:
    assert level_of("市长质量奖") is None
    assert level_id("市长质量奖") == "市长质量奖"


def test_no_two_levels_have_a_name_in_common() -> None:
    levels = [level for ladder in LADDERS for level in ladder.levels]
    assert len({level.id for level in levels}) == len(levels)
    assert all(level_id(name) == level.id for level in levels for name in (level.id, level.zh, *level.also))


def test_a_qualification_is_to_be_examined_again_from_ninety_days_before_its_last_day() -> None:
    firm = Firm()
    firm.tell(QUALIFICATION_GRANTED, level="专精特新中小企业", date="2023-09-01", valid_until="2026-08-31")
    (row,) = firm.document["qualifications"]
    first = "2026-06-02"  # 90 days before 31 August
    assert lights(row, just_before(first), morning(first)) == [GREEN, YELLOW]
    assert lights(row, just_before("2026-09-01"), morning("2026-09-01")) == [YELLOW, RED]
    assert [state_at(row, morning(day)) for day in ("2026-06-01", first, "2026-09-01")] == [
        "valid",
        "recheck",
        "expired",
    ]


def test_without_an_end_on_the_paper_the_rule_behind_the_level_says_how_long_it_holds() -> None:
    firm = Firm()
    firm.tell(QUALIFICATION_GRANTED, level="小巨人", date="2024-09")
    firm.tell(QUALIFICATION_GRANTED, level="国家级绿色工厂", date="2024-03-05")
    firm.tell(QUALIFICATION_GRANTED, level="创新型中小企业")
    giant, green, undated = firm.document["qualifications"]
    assert (giant["valid_until"], giant["by_rule"]) == ("2027-09-29", True)  # a month counts from its last day
    assert (green["valid_until"], green["by_rule"]) == (None, False)
    assert (undated["valid_until"], undated["by_rule"]) == (None, False)
    assert lights(green, "2090-01-01T00:00:00.000Z") == [GREEN]


def test_a_renewal_moves_the_end_and_an_ending_closes_it_whichever_is_recorded_first() -> None:
    firm = Firm()
    granted = firm.tell(QUALIFICATION_GRANTED, level="专精特新中小企业", date="2022-09-01")
    firm.tell(QUALIFICATION_RENEWED, qualification_id=granted, date="2025-08-20", valid_until="2028-08-31")
    (row,) = firm.document["qualifications"]
    assert (row["valid_until"], len(row["renewals"])) == ("2028-08-31", 1)
    firm.tell(QUALIFICATION_ENDED, qualification_id=granted, date="2026-02-01", reason="迁出")
    (row,) = firm.document["qualifications"]
    assert lights(row, just_before("2026-02-01"), morning("2026-02-01")) == [GREEN, GREY]
    assert row["ended"]["reason"] == "迁出"


def test_a_reexamination_that_was_passed_extends_the_former_end_and_told_twice_only_once() -> None:
    firm = Firm()
    granted = firm.tell(QUALIFICATION_GRANTED, level="小巨人", date="2022-03-05")
    firm.tell(QUALIFICATION_RENEWED, qualification_id=granted, date="2024-12-20")
    firm.tell(QUALIFICATION_RENEWED, qualification_id=granted, date="2025-01-10")
    (row,) = firm.document["qualifications"]
    assert (row["valid_until"], row["by_rule"]) == ("2028-03-04", True)
    firm.tell(QUALIFICATION_RENEWED, qualification_id=granted, date="2028-06-30")  # announced late
    (row,) = firm.document["qualifications"]
    assert row["valid_until"] == "2031-03-04"


def test_a_new_certificate_of_a_high_tech_firm_holds_from_its_own_day() -> None:
    firm = Firm()
    granted = firm.tell(QUALIFICATION_GRANTED, level="高新技术企业", date="2022-10-18")
    firm.tell(QUALIFICATION_RENEWED, qualification_id=granted, date="2025-12-01")
    (row,) = firm.document["qualifications"]
    assert (row["valid_until"], row["by_rule"]) == ("2028-11-30", True)


def test_an_enterprise_holds_the_highest_level_of_each_ladder_that_is_valid() -> None:
    firm = Firm()
    firm.tell(QUALIFICATION_GRANTED, level="创新型中小企业", date="2025-01-10")
    giant = firm.tell(QUALIFICATION_GRANTED, level="小巨人", date="2025-09-01")
    firm.tell(QUALIFICATION_GRANTED, level="市长质量奖", date="2025-09-01")
    now = morning("2026-06-01")
    best = held(firm.document["qualifications"], now)
    assert {key: row["level_id"] for key, row in best.items()} == {"growth": "little-giant", "市长质量奖": "市长质量奖"}
    firm.tell(QUALIFICATION_ENDED, qualification_id=giant, date="2026-03-01")
    assert held(firm.document["qualifications"], now)["growth"]["level_id"] == "innovative"


@pytest.mark.parametrize("subject", [FIRM, "p1"])
def test_services_are_counted_by_month_and_kind_and_the_last_are_kept(subject: str) -> None:
    firm = Firm(subject)
    type_ = ENTERPRISE_SERVED if subject == FIRM else SERVICE_GIVEN
    firm.tell(type_, kind="代办", date="2026-03-05", text="代办环评")
    firm.tell(type_, kind="培训", date="2026-03-20")
    wrong = firm.tell(type_, kind="培训", date="2026-03-21")
    firm.tell(EVENT_RETRACTED, event_id=wrong, reason="重复")
    for _ in range(KEPT):
        firm.tell(type_, kind="专家上门", date="2026-04-01")
    told = firm.document["services"]
    assert told["months"] == [
        {"month": "2026-03", "count": 2, "kinds": {"代办": 1, "培训": 1}},
        {"month": "2026-04", "count": KEPT, "kinds": {"专家上门": KEPT}},
    ]
    assert (told["count"], len(told["latest"])) == (KEPT + 2, KEPT)


@pytest.mark.parametrize(
    ("told", "change", "unit", "reckoned"),
    [
        ({"before": 300_000, "after": 650_000, "unit": "片/月"}, 116.67, "%", True),
        ({"before": 97, "after": 98.7, "unit": "%"}, 1.7, "points", True),
        ({"change": 18.6, "unit": "%"}, 18.6, "%", False),
        ({"change": -15.2}, -15.2, "%", False),
        ({"before": 20, "after": 40, "unit": "台/月"}, 100, "%", True),
        ({"after": 90, "unit": "台"}, None, None, False),
        ({"before": 0, "after": 5}, None, None, False),
        ({"before": 30, "after": 70, "word": "超过", "unit": "%"}, None, None, False),
        ({"before": 20, "before_word": "余", "after": 40}, None, None, False),
    ],
)
def test_the_change_of_a_measure_is_told_or_reckoned_from_before_and_after(
    told: dict[str, Any], change: float | None, unit: str | None, reckoned: bool
) -> None:
    project = Firm("p1")
    project.tell(MEASURE_REPORTED, name="指标", **told)
    (measure,) = project.document["measures"]
    assert (measure["change"], measure["change_unit"], measure["reckoned"]) == (change, unit, reckoned)


def test_of_a_measure_told_again_the_last_holds_in_its_old_place() -> None:
    project = Firm("p1")
    project.tell(MEASURE_REPORTED, name="月产", before=30, after=60)
    project.tell(MEASURE_REPORTED, name="成品率", before=97, after=98, unit="%")
    project.tell(MEASURE_REPORTED, name="月产", before=30, after=65)
    assert [(row["name"], row["after"]) for row in project.document["measures"]] == [("月产", 65), ("成品率", 98)]


def test_every_light_says_why_in_both_languages() -> None:
    firm = Firm()
    firm.tell(REQUEST_RAISED, FRIDAY_NOON, text="变压器容量不足")
    granted = firm.tell(QUALIFICATION_GRANTED, level="小巨人", date="2024-09-01")
    firm.tell(QUALIFICATION_GRANTED, level="市长质量奖")
    firm.tell(QUALIFICATION_ENDED, qualification_id=granted, date="2027-09-30")
    document = firm.document
    steps = [step for row in (*document["requests"], *document["qualifications"]) for step in row["lights"]]
    assert len({step["reason"]["code"] for step in steps}) == 8
    today = published().business_date(FRIDAY_NOON)
    assert all(text(step["reason"], language, today) for step in steps for language in ("zh-CN", "en"))
    late = next(step for step in document["requests"][0]["lights"] if step["light"] == RED)
    assert text(late["reason"], "zh-CN", today) == "应于2026-06-08前首次答复，尚未答复，还有3天"
