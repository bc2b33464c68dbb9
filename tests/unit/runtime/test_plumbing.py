from __future__ import annotations

import ast
import re
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from luodi.runtime import configuration, kafka, lifecycle, settings, trace
from luodi.runtime.clock import ManualClock, SystemClock
from luodi.runtime.errors import InvalidSettingsError
from luodi.runtime.names import LOG_EVENTS

LOCAL = {"LUODI_MODE": "local", "KAFKA_BOOTSTRAP_SERVERS": "k:1", "MONGODB_URI": "mongodb://m"}
ROOT = Path(__file__).parents[3]


def test_a_shifted_clock_shifts_business_time_and_leaves_the_wall_alone() -> None:
    clock = ManualClock(datetime(2026, 3, 5, tzinfo=UTC), offset_s=3600)
    clock.advance(1.5)
    assert clock.now_text() == "2026-03-05T01:00:01.500Z"
    assert clock.wall_text() == "2026-03-05T00:00:01.500Z"
    assert clock.monotonic() == 1.5


def test_the_system_clock_keeps_whole_milliseconds() -> None:
    assert SystemClock().now().microsecond % 1000 == 0


def test_a_malformed_traceparent_is_replaced_and_a_good_one_kept() -> None:
    good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert trace.accept(good) == good
    for bad in (None, "", "00-zz", good.upper(), "00-" + "0" * 32 + "-b7ad6b7169203331-01"):
        assert trace.accept(bad) != bad
        assert trace.trace_id(trace.accept(bad))


def test_the_partition_of_a_key_is_the_one_the_java_client_computes() -> None:
    # murmur2 of these keys as published in the Java client's own tests: 21 -> -973932308, foobar -> -790332482
    assert kafka.partition_for("21", 2**31 - 1) == (-973932308 & 0x7FFFFFFF) % (2**31 - 1)
    assert kafka.partition_for("foobar", 2**31 - 1) == (-790332482 & 0x7FFFFFFF) % (2**31 - 1)


def test_an_exception_in_a_thread_ends_the_process_with_that_failure() -> None:
    stop = lifecycle.Stop()
    boom = RuntimeError("boom")

    def fail() -> None:
        raise boom

    lifecycle.spawn("worker", fail, stop).join(5)
    assert stop.asked
    assert stop.failure is boom


def test_only_the_first_failure_is_kept() -> None:
    stop = lifecycle.Stop()
    first = RuntimeError("first")
    stop.fail(first)
    stop.fail(RuntimeError("second"))
    assert stop.failure is first
    assert stop.wait(0)


def test_waiting_for_the_stop_wakes_at_once() -> None:
    stop = lifecycle.Stop()
    threading.Timer(0.05, stop.ask).start()
    assert stop.wait(10)


def test_the_packaged_zones_are_known_and_have_codes_of_their_own() -> None:
    zones = configuration.load(settings.read(LOCAL)).zones
    assert set(zones) == {"demo", "qingyuan", "weinan", "yichang", "qingdao", "kunshan", "changzhi", "urumqi"}
    assert zones["demo"].demo
    assert len({zone.code for zone in zones.values()}) == len(zones)


def test_the_operators_zones_overlay_ours_and_their_faults_are_all_told(tmp_path: Path) -> None:
    file = tmp_path / "zones.toml"
    environ = {**LOCAL, "LUODI_CONFIG_DIR": str(tmp_path)}
    file.write_text('[[zone]]\nid="mine"\ncode="mine"\nname="我的园区"\nname_en="Mine"\n', encoding="utf-8")
    assert configuration.load(settings.read(environ)).zones["mine"].name == "我的园区"
    file.write_text('[[zone]]\nid="Bad Id"\ncode="demo"\nnmae="x"\n[[zone]]\nid="a"\ncode=3\n', encoding="utf-8")
    with pytest.raises(InvalidSettingsError) as caught:
        configuration.load(settings.read(environ))
    told = "\n".join(caught.value.faults)
    for part in ("zone 1: name is missing", "unknown key 'nmae'", "id = 'Bad Id'", "zone 2: code must be str"):
        assert part in told


def test_the_calendar_knows_the_published_make_up_days() -> None:
    calendar = configuration.load(settings.read(LOCAL)).calendar
    # 2026: Sunday 4 January is worked for the New Year bridge of Friday 2 January (国办发明电)
    first, second, fourth = (date(2026, 1, day).toordinal() for day in (1, 2, 4))
    assert calendar.count(second) - calendar.count(first) == 0
    assert calendar.count(fourth) - calendar.count(fourth - 1) == 1


def test_every_log_event_stands_in_the_closed_list() -> None:
    used: set[str] = set()
    for path in [*ROOT.glob("luodi/runtime/*.py"), *ROOT.glob("services/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"info", "warning", "error", "exception"}
                and ast.unparse(node.func.value) != "parser"  # which speaks to whoever typed a command
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and isinstance(node.args[0].value, str)
            ):
                used.add(node.args[0].value)
    assert used <= set(LOG_EVENTS)
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", name) for name in LOG_EVENTS)
