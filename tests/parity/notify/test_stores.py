"""What notify relies on in its stores, proved on the fakes and on a real MongoDB alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from luodi.domain.days import END_OF_TIME
from services.notify.looking import Ahead
from services.notify.matters import Entry, Matter, Standing, Telling, opened
from services.notify.notifications import Notification
from services.notify.watches import Broken, Recovered, Stretch, Watch, unreadable
from tests.parity.notify.conftest import AllStores
from tests.unit.notify.builders import (
    COMPOSER,
    MATTER,
    PROJECT,
    at,
    cleared_matter,
    deadline,
    open_matter,
    opening,
    red,
    watch,
)

CHANNELS = ("inbox", "webhook")
TRICKY = {"code": "$where", "a.b": {"$gt": 1}, "汉字": ["\u0000", None, 1.5, True]}


def kept(stores: AllStores, project_id: str = PROJECT) -> Watch:
    return stores.watches.get_many([project_id])[project_id]


def row(matter: Matter | None = None) -> Notification:
    (made,) = COMPOSER.openings(matter or open_matter(), CHANNELS, at(0))
    return made


# -- watches


def test_a_watch_comes_back_as_it_was(stores: AllStores) -> None:
    strange = Stretch(at(0), at(9), "law", "2026-03", TRICKY)
    yellow = Stretch(at(-9), at(0), "law", "2026-03", TRICKY)
    paused, quiet = Broken(strange, None, paused=True), Broken(red(50), "idle-land", quiet=True)
    tricky = watch(
        replace(deadline(strange, red(50), seen=7), yellows=(yellow,), yellow_seen=at(8), broken=(paused, quiet)),
        replace(
            deadline(red(1)), matter=f"{PROJECT}:blocker:$b.1", kind="promise", gap=None, blocker="$b.1", owner="电"
        ),
        name="名.$字\u0000",
        blockers={"$b.1": None, "b.2": "2026-03-01"},
        reached={"signed": None},
        withdrawn="2026-03",
        key=True,
        parent="p-0",
        recovered=(
            Recovered(MATTER, "gap", ("signed", "started"), None, None, strange, "2026-03", at(9)),
            Recovered(f"{PROJECT}:blocker:$b.1", "promise", None, "$b.1", "电", yellow, "2026-03-06", at(8)),
        ),
        traceparent="00-" + "ab" * 16 + "-" + "cd" * 8 + "-01",
    )
    stores.watches.put([tricky])
    assert kept(stores) == tricky


def test_of_unknown_projects_nothing_is_known(stores: AllStores) -> None:
    stores.watches.put([])
    assert stores.watches.get_many([]) == {}
    assert stores.watches.get_many(["p-none"]) == {}


@pytest.mark.parametrize(
    ("guard", "replaced"),
    [
        ((6, 2), True),
        ((5, 3), True),
        ((5, 2), False),
        ((4, 2), False),
        ((6, 1), False),
        ((4, 3), False),
        ((5, 1), False),
    ],
)
def test_a_watch_is_replaced_only_by_one_that_knows_more(
    stores: AllStores, guard: tuple[int, int], replaced: bool
) -> None:
    stores.watches.put([watch(events=5, ruleset=2, name="first")])
    stores.watches.put([watch(events=guard[0], ruleset=guard[1], name="second"), watch(project_id="p-other")])
    assert kept(stores).name == ("second" if replaced else "first")
    assert kept(stores, "p-other").events == 1


def test_an_unreadable_record_marks_what_is_known_and_a_good_one_mends_it(stores: AllStores) -> None:
    stores.watches.put([watch(events=5)])
    stores.watches.put([unreadable(PROJECT, kept(stores), 0, at(1)), unreadable("p-new", None, 3, at(1))])
    assert kept(stores).unreadable
    assert stores.watches.unreadable([0, 3]) == {0: [PROJECT], 3: ["p-new"]}
    assert stores.watches.unreadable([7]) == {}
    stores.watches.put([watch(events=4)])
    assert kept(stores).unreadable
    stores.watches.put([watch(events=5), watch(project_id="p-new", partition=3)])
    assert stores.watches.unreadable([0, 3]) == {}


def test_an_unreadable_record_read_late_does_not_mark_what_is_newer(stores: AllStores) -> None:
    stores.watches.put([watch(events=5)])
    before = kept(stores)
    stores.watches.put([watch(events=6)])
    stores.watches.put([unreadable(PROJECT, before, 0, at(1))])
    assert not kept(stores).unreadable


def test_what_is_due_comes_by_partition_the_longest_due_first(stores: AllStores) -> None:
    for number, (partition, due) in enumerate([(0, 30), (0, 10), (0, 20), (0, 40), (1, 5)]):
        stores.watches.put([watch(project_id=f"p{number}", partition=partition, next_due=at(due))])
    assert [w.project_id for w in stores.watches.due(0, at(30), 10)] == ["p1", "p2", "p0"]
    assert [w.project_id for w in stores.watches.due(0, at(30), 2)] == ["p1", "p2"]
    assert stores.watches.due(2, END_OF_TIME, 10) == []
    assert stores.watches.any_due({0: at(9), 1: at(5)})
    assert not stores.watches.any_due({0: at(9), 1: at(4), 2: END_OF_TIME})
    assert not stores.watches.any_due({})


def test_a_watch_is_put_off_unless_it_has_changed_since_it_was_read(stores: AllStores) -> None:
    old = watch(next_due=at(1))
    stores.watches.put([old, watch(project_id="p2", next_due=at(1))])
    stores.watches.put([watch(events=2, next_due=at(2))])
    stores.watches.put_off([(old, END_OF_TIME), (kept(stores, "p2"), at(99))])
    assert (kept(stores).next_due, kept(stores, "p2").next_due) == (at(2), at(99))
    stores.watches.put_off([])


def test_a_watch_that_became_unreadable_is_not_put_off_by_an_older_look(stores: AllStores) -> None:
    old = watch(next_due=at(1))
    stores.watches.put([old])
    stores.watches.put([unreadable(PROJECT, old, 0, at(1))])
    stores.watches.put_off([(old, END_OF_TIME)])
    assert kept(stores).next_due == at(1)


def test_a_recalled_watch_is_due_now_or_stays_due_earlier(stores: AllStores) -> None:
    stores.watches.put([watch(next_due=END_OF_TIME), watch(project_id="p2", next_due=at(1))])
    stores.watches.recall([PROJECT, "p2", "p-none"], at(5))
    stores.watches.recall([], at(0))
    assert (kept(stores).next_due, kept(stores, "p2").next_due) == (at(5), at(1))


def test_watches_are_counted(stores: AllStores) -> None:
    stores.watches.put([watch(), watch(project_id="p2")])
    assert stores.watches.count() == 2


# -- matters


def test_a_matter_comes_back_as_it_was(stores: AllStores) -> None:
    first = opened(cleared_matter(), opening(reason=TRICKY), at(2))
    stores.matters.compare_and_set([(None, first)])
    assert stores.matters.get(MATTER) == first
    assert stores.matters.get("none") is None
    assert stores.matters.standings([MATTER, "none"]) == {MATTER: Standing.of(first)}
    over = first.completed().cleared(at(3), {"code": "withdrawn", "date": None}, "00-x")
    stores.matters.compare_and_set([(first, first.completed()), (None, opened(None, opening(matter="m2"), at(0)))])
    stores.matters.compare_and_set([(first.completed(), over)])
    assert stores.matters.get(MATTER) == over


def test_what_was_told_and_done_about_a_matter_comes_back_as_it_was(stores: AllStores) -> None:
    entry = Entry("e.$1", "feedback", "u-zhang", at(3), 1, TRICKY)
    telling = Telling("escalated", 2, 1, at(4), "lead_unit", ("u", "$v"), "not-signed", TRICKY)
    climbed = open_matter().entered(entry).told(telling, None)
    stores.matters.compare_and_set([(None, climbed)])
    assert stores.matters.get(MATTER) == climbed


def test_a_matter_waits_to_be_recorded_until_what_was_done_stands_among_the_events(stores: AllStores) -> None:
    done = open_matter().entered(Entry("e1", "signed", "u-zhang", at(3), 1, {}))
    stores.matters.compare_and_set([(None, done), (None, replace(open_matter(), id="m2"))])
    assert stores.matters.unrecorded([0, 1], 9) == [done]
    assert stores.matters.unrecorded([1], 9) == []
    stores.matters.compare_and_set([(done, done.recorded())])
    assert stores.matters.unrecorded([0], 9) == []


def test_of_two_who_open_the_same_matter_one_does(stores: AllStores) -> None:
    mine = opened(None, opening(told="me"), at(0))
    theirs = opened(None, opening(told="them"), at(1))
    stores.matters.compare_and_set([(None, theirs)])
    stores.matters.compare_and_set([(None, mine), (None, opened(None, opening(matter="m2"), at(0)))])
    assert stores.matters.get(MATTER) == theirs
    assert stores.matters.get("m2") is not None


def test_a_change_from_an_older_state_changes_nothing(stores: AllStores) -> None:
    first = opened(None, opening(), at(0))
    stores.matters.compare_and_set([(None, first)])
    done = first.completed()
    stores.matters.compare_and_set([(first, done)])
    stores.matters.compare_and_set([(first, first.cleared(at(1), {"code": "withdrawn"}, None))])
    assert stores.matters.get(MATTER) == done
    stores.matters.compare_and_set([])


def test_incomplete_matters_are_found_on_the_partitions_asked_for(stores: AllStores) -> None:
    for number, partition in enumerate([0, 0, 1, -1]):
        one = opened(None, replace(opening(matter=f"m{number}"), partition=partition), at(0))
        stores.matters.compare_and_set([(None, one)])
    done = stores.matters.get("m0")
    assert done is not None
    stores.matters.compare_and_set([(done, done.completed())])
    assert {m.id for m in stores.matters.incomplete([0, -1], 10)} == {"m1", "m3"}
    assert len(stores.matters.incomplete([0, 1, -1], 2)) == 2


def test_matters_are_found_by_project_and_open_faults_by_partition(stores: AllStores) -> None:
    fault = replace(opening(matter="operations:watermark:0"), kind="operations", project_id=None)
    other = replace(fault, id="operations:watermark:1", partition=1)
    stores.matters.compare_and_set(
        [(None, opened(None, opening(), at(0))), (None, opened(None, fault, at(0))), (None, opened(None, other, at(0)))]
    )
    assert {p: [m.id for m in ms] for p, ms in stores.matters.of_projects([PROJECT, "p2"]).items()} == {
        PROJECT: [MATTER]
    }
    assert [m.id for m in stores.matters.open_faults([0, -1])] == ["operations:watermark:0"]
    before = stores.matters.get("operations:watermark:0")
    assert before is not None
    stores.matters.compare_and_set([(before, before.cleared(at(1), {"code": "mended"}, None))])
    assert stores.matters.open_faults([0, -1]) == []
    assert stores.matters.count_open() == 2


def test_matters_are_paged_newest_first_and_filtered(stores: AllStores) -> None:
    for number in range(5):
        made = replace(
            opening(matter=f"m{number}"), zone="real" if number % 2 else "demo", people=(f"u{number}", "u-all")
        )
        stores.matters.compare_and_set([(None, opened(None, made, at(number // 2)))])
    page = stores.matters.page
    assert [m.id for m in page(zone=None, state=None, people=None, before=None, limit=10)] == [
        "m4",
        "m3",
        "m2",
        "m1",
        "m0",
    ]
    assert [m.id for m in page(zone=None, state=None, people=None, before=(at(1), "m3"), limit=2)] == ["m2", "m1"]
    assert [m.id for m in page(zone="real", state="open", people=["u-all"], before=None, limit=10)] == ["m3", "m1"]
    assert [m.id for m in page(zone=None, state=None, people=["u2"], before=None, limit=10)] == ["m2"]
    asked = ["u1", "u2", "u9"]
    assert [m.id for m in page(zone=None, state=None, people=asked, before=None, limit=2)] == ["m2", "m1"]
    assert page(zone=None, state=None, people=[], before=None, limit=2) == []
    assert page(zone=None, state="cleared", people=None, before=None, limit=10) == []


# -- notifications


def test_a_row_comes_back_as_it_was_and_is_written_once(stores: AllStores) -> None:
    mine = row(open_matter(name="名.$字"))
    assert stores.notifications.insert([mine]) == {mine.id}
    assert stores.notifications.get(mine.id) == mine
    other = row(open_matter(told="$x"))
    new = replace(mine, id="n2")
    assert stores.notifications.insert([other, new]) == {"n2"}
    assert stores.notifications.get(mine.id) == mine
    assert stores.notifications.insert([]) == set()
    assert stores.notifications.get("none") is None


def test_a_row_moves_only_from_the_version_that_was_read(stores: AllStores) -> None:
    first = row()
    stores.notifications.insert([first])
    mine = first.begun("webhook", at(0), "mine", at(60))
    theirs = first.begun("webhook", at(0), "theirs", at(60))
    assert mine is not None
    assert theirs is not None
    assert stores.notifications.replace(theirs)
    assert not stores.notifications.replace(mine)
    assert stores.notifications.get(first.id) == theirs
    assert not stores.notifications.replace(replace(theirs, id="none"))


def test_the_rows_of_an_episode_come_in_order(stores: AllStores) -> None:
    first = row()
    over = open_matter().cleared(at(5), {"code": "withdrawn", "date": None}, None)
    clear = COMPOSER.all_clear(over, [first], at(5))
    assert clear is not None
    second = replace(first, id="e2", episode=2, order=2000)
    stores.notifications.insert([clear, second, first])
    assert [r.kind for r in stores.notifications.of_episode(MATTER, 1)] == ["stalled", "cleared"]
    assert [r.order for r in stores.notifications.of_matter(MATTER, 2)] == [2000, clear.order]
    assert stores.notifications.of_episode(MATTER, 3) == []


def test_what_is_due_on_a_channel_comes_the_longest_due_first(stores: AllStores) -> None:
    for number, wait in enumerate([30, 10, 20]):
        (made,) = COMPOSER.openings(open_matter(), ("inbox", "webhook", "log"), at(wait))
        stores.notifications.insert([replace(made, id=f"n{number}")])
    assert due(stores, at(20)) == ["n1", "n2"]
    assert due(stores, at(30), limit=2) == ["n1", "n2"]
    assert stores.notifications.any_due(["wecom", "webhook"], at(10))
    assert not stores.notifications.any_due(["wecom", "webhook"], at(9))
    assert not stores.notifications.any_due(["inbox", "wecom"], at(9999))
    assert stores.notifications.due("inbox", at(9999), 10) == []
    first = stores.notifications.get("n1")
    assert first is not None
    taken = first.begun("webhook", at(10), "l", at(70))
    assert taken is not None
    assert stores.notifications.replace(taken)
    assert due(stores, at(30)) == ["n2", "n0"]
    assert due(stores, at(70))[-1] == "n1"
    assert stores.notifications.due("webhook", at(70), 10)[-1] == taken


def due(stores: AllStores, wall: str, limit: int = 10, partitions: list[int] | None = None) -> list[str]:
    return [found.id for found in stores.notifications.due("webhook", wall, limit, partitions)]


def test_what_is_due_can_be_asked_of_some_partitions_only(stores: AllStores) -> None:
    stores.notifications.insert(
        [replace(row(), id=f"n{number}", partition=partition) for number, partition in enumerate([0, 1, -1, 2])]
    )
    assert set(due(stores, at(0), partitions=[1, -1])) == {"n1", "n2"}
    assert due(stores, at(0), partitions=[]) == []
    besides = stores.notifications.due("webhook", at(0), 10, None, ["n0", "n3", "none"])
    assert {found.id for found in besides} == {"n1", "n2"}
    assert len(due(stores, at(0))) == 4


def test_many_rows_move_at_once_each_only_from_the_version_that_was_read(stores: AllStores) -> None:
    rows = [replace(row(), id=f"n{number}") for number in range(5)]
    stores.notifications.insert(rows)
    mine = [step(one.begun("webhook", at(0), "mine", at(60))) for one in rows]
    assert stores.notifications.replace(step(rows[1].begun("webhook", at(0), "theirs", at(60))))
    assert stores.notifications.replace(step(rows[3].superseded()))
    gone = replace(mine[0], id="none")
    assert stores.notifications.replace_many([*mine, gone]) == {"n0", "n2", "n4"}
    assert stores.notifications.replace_many(mine[1:2]) == set()
    assert stores.notifications.replace_many([]) == set()
    leases = [found.lease for n in range(5) if (found := step(stores.notifications.get(f"n{n}")).delivery("webhook"))]
    assert leases == ["mine", "theirs", "mine", None, "mine"]
    ended = [step(one.sent("webhook", "mine", at(1))) for one in mine if one.id in {"n0", "n2", "n4"}]
    assert stores.notifications.replace_many(ended) == {"n0", "n2", "n4"}
    assert [stores.notifications.get(one.id) for one in ended] == ended
    assert stores.notifications.page(
        recipient=None, project_id=None, kind=None, status="sent", since=None, before=None, limit=9
    )


def step(after: Notification | None) -> Notification:
    assert after is not None
    return after


def test_many_rows_move_at_once_on_one_channel_whatever_else_stands_in_them(stores: AllStores) -> None:
    ways = [("inbox", "webhook"), ("inbox", "log", "webhook"), ("webhook", "inbox"), ("inbox", "webhook", "log")]
    rows = [
        replace(one, id=f"n{turn}.{number}")
        for turn in range(3)
        for number, channels in enumerate(ways)
        for one in COMPOSER.openings(replace(open_matter(), opened_at=at(turn)), channels, at(turn))
    ]
    stores.notifications.insert(rows)
    for number in (0, 4):  # further on than the others
        rows[number] = step(rows[number].postponed("webhook", at(9), at(8)))
        assert stores.notifications.replace(rows[number])
    assert stores.notifications.replace(step(rows[5].begun("log", at(9), "theirs", at(60))))
    gone = step(replace(rows[1], id="none").begun("webhook", at(9), "mine", at(60)))
    mine = [step(one.begun("webhook", at(9), "mine", at(60))) for one in rows]
    moved = [one for number, one in enumerate(mine) if number != 5]
    assert stores.notifications.replace_many([*mine, gone], "webhook") == {one.id for one in moved}
    assert [stores.notifications.get(one.id) for one in moved] == moved
    ended = [
        step(
            one.sent("webhook", "mine", at(10))
            if turn % 3
            else one.failed("webhook", "mine", f"code {turn % 2}", at(10))
        )
        for turn, one in enumerate(moved)
    ]
    assert stores.notifications.replace_many(ended, "webhook") == {one.id for one in moved}
    assert [stores.notifications.get(one.id) for one in moved] == ended
    assert stores.notifications.replace_many(mine, "webhook") == set()
    for status in ("sent", "failed", "queued"):
        found = stores.notifications.page(
            recipient=None, project_id=None, kind=None, status=status, since=None, before=None, limit=99
        )
        assert {one.id for one in found if one.id != mine[5].id} == {one.id for one in ended if one.status == status}


def test_only_an_earlier_message_under_way_on_the_same_channel_is_in_the_way(stores: AllStores) -> None:
    first = row()
    later = replace(first, id="later", order=first.order + 1000)
    last = replace(first, id="last", order=first.order + 2000)
    stores.notifications.insert([first, later, last])
    ahead_of = stores.notifications.ahead_of
    assert ahead_of([first], "webhook", own=False) == {}
    assert ahead_of([later], "inbox", own=False) == {}
    assert ahead_of([replace(later, matter="other")], "webhook", own=False) == {}
    front = Ahead(first.id, at(0))
    assert ahead_of([first, later, last], "webhook", own=False) == {"later": front, "last": front}
    assert stores.notifications.replace(step(first.begun("webhook", at(0), "l", at(60))))
    assert ahead_of([later], "webhook", own=False) == {"later": Ahead(first.id, at(60))}
    assert stores.notifications.replace(step(later.superseded()))
    over = step(step(stores.notifications.get(first.id)).sent("webhook", "l", at(1)))
    assert stores.notifications.replace(over)
    assert ahead_of([later, last], "webhook", own=False) == {}


def test_rows_are_paged_newest_first_and_filtered(stores: AllStores) -> None:
    rows = [
        replace(
            row(),
            id=f"n{number}",
            created_at=at(number // 2),
            recipient=f"u{number % 2}",
            project_id=None if number == 4 else PROJECT,
            kind="cleared" if number == 0 else "stalled",
        )
        for number in range(5)
    ]
    stores.notifications.insert(rows)
    everything = {
        "recipient": None, "project_id": None, "kind": None, "status": None, "since": None, "before": None, "limit": 10,
    }  # fmt: skip

    def page(**wanted: object) -> list[str]:
        return [r.id for r in stores.notifications.page(**{**everything, **wanted})]  # type: ignore[arg-type]  # filters by name

    assert page() == ["n4", "n3", "n2", "n1", "n0"]
    assert page(limit=2) == ["n4", "n3"]
    assert page(before=(at(1), "n3"), limit=2) == ["n2", "n1"]
    assert page(recipient="u1") == ["n3", "n1"]
    assert page(project_id=PROJECT, kind="stalled") == ["n3", "n2", "n1"]
    assert page(status="queued") == ["n4", "n3", "n2", "n1", "n0"]
    assert page(status="sent") == []
    assert page(since=at(1)) == ["n4", "n3", "n2"]
    assert page(since=at(1), before=(at(2), "n4")) == ["n3", "n2"]


# -- endpoints


def test_an_address_is_given_up_once_and_for_all(stores: AllStores) -> None:
    assert not stores.endpoints.is_disabled("webhook/1")
    stores.endpoints.disable("webhook/1", "http-410", at(0))
    stores.endpoints.disable("webhook/1", "http-410", at(9))
    assert stores.endpoints.is_disabled("webhook/1")
    assert not stores.endpoints.is_disabled("webhook/2")


def test_addresses_of_recipients_are_told_with_whose_they_are_until_they_are_forgotten(stores: AllStores) -> None:
    stores.endpoints.disable("webhook/1", "http-410", at(0))
    stores.endpoints.disable("wecom/1", "code-93000", at(0), "u-zhang")
    assert stores.endpoints.of_recipients() == {"wecom/1": ("u-zhang", "code-93000")}
    assert stores.endpoints.disabled(["webhook/1", "wecom/1", "wecom/2"]) == {"webhook/1", "wecom/1"}
    stores.endpoints.forget([])
    stores.endpoints.forget(["wecom/1"])
    assert stores.endpoints.of_recipients() == {}
    assert not stores.endpoints.is_disabled("wecom/1")
    assert stores.endpoints.is_disabled("webhook/1")


def test_where_each_has_an_address_of_its_own_only_messages_to_the_same_recipient_are_in_the_way(
    stores: AllStores,
) -> None:
    first = row()
    other = replace(first, id="other", order=first.order + 1, recipient="u-li")
    stores.notifications.insert([first, other])
    same = replace(other, id="same", recipient=first.recipient)
    ahead_of = stores.notifications.ahead_of
    assert ahead_of([other], "webhook", own=False) == {"other": Ahead(first.id, at(0))}
    assert ahead_of([other, same], "webhook", own=True) == {"same": Ahead(first.id, at(0))}


def test_units_that_report_nothing_are_listed_for_those_they_concern_and_nobody_else(stores: AllStores) -> None:
    unit = opened(None, replace(opening(matter="unit:power"), kind="unit", project_id=None, people=("u-all",)), at(0))
    other = opened(None, opening(matter="m1"), at(1))
    stores.matters.compare_and_set([(None, unit), (None, other)])
    assert [m.id for m in stores.matters.open_of_units()] == ["unit:power"]
    assert [m.id for m in stores.matters.page(zone="demo", state=None, people=None, before=None, limit=9)] == ["m1"]
    assert stores.matters.page(zone=None, state=None, people=["u-all"], before=None, limit=9) == [unit]
    stores.matters.compare_and_set([(unit, unit.cleared(at(2), {"code": "reported"}, None))])
    assert stores.matters.open_of_units() == []
