from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from hypothesis import given, settings
from hypothesis import strategies as st

from automations.rhythm import Every, parse_cron, read
from core.errors import BadInput

BERLIN = ZoneInfo("Europe/Berlin")  # forward 2026-03-29 02:00, back 2026-10-25 03:00


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(cron, first, *, times, zone=BERLIN):
    """The next due moments by the wall clock of the zone."""
    found, moment = [], utc(first)
    for _ in range(times):
        moment = parse_cron(cron, zone).after(moment)
        found.append(moment.astimezone(zone).strftime("%d %H:%M%z"))
    return found


def test_a_time_of_day_stays_where_the_wall_clock_has_it():
    assert due("30 9 * * *", "2026-03-27 12:00", times=3) == ["28 09:30+0100", "29 09:30+0200", "30 09:30+0200"]


def test_a_time_that_the_clocks_jump_over_is_due_once_that_day():
    assert due("30 2 * * *", "2026-03-28 12:00", times=2) == ["29 03:30+0200", "30 02:30+0200"]


def test_two_times_that_become_one_moment_are_due_once():
    assert due("30 2,3 * * *", "2026-03-28 12:00", times=2) == ["29 03:30+0200", "30 02:30+0200"]


def test_a_time_that_exists_twice_is_due_at_its_first():
    assert due("30 2 * * *", "2026-10-24 12:00", times=2) == ["25 02:30+0200", "26 02:30+0100"]


def test_what_is_due_every_hour_is_due_in_both_hours_of_the_same_name():
    assert due("30 * * * *", "2026-10-24 23:31", times=3) == ["25 02:30+0200", "25 02:30+0100", "25 03:30+0100"]


def test_what_is_due_every_hour_skips_none_and_doubles_none_where_the_clocks_jump():
    assert due("0 * * * *", "2026-03-28 23:30", times=3) == ["29 01:00+0100", "29 03:00+0200", "29 04:00+0200"]


def test_an_hour_that_the_clocks_jump_over_at_midnight_falls_on_the_next_day():
    nuuk = ZoneInfo("America/Nuuk")  # 2026-03-28 23:00 is 2026-03-29 00:00

    assert due("30 23 * * *", "2026-03-28 12:00", times=2, zone=nuuk) == ["29 00:30-0100", "29 23:30-0100"]
    assert due("30 * * * *", "2026-03-29 00:00", times=3, zone=nuuk) == [
        "28 22:30-0200", "29 00:30-0100", "29 01:30-0100"
    ]  # fmt: skip
    assert due("20,40 0,23 * * *", "2026-03-29 00:50", times=3, zone=nuuk) == [
        "29 00:20-0100", "29 00:40-0100", "29 23:20-0100"
    ]  # fmt: skip


def test_either_day_is_enough_where_both_are_restricted():
    assert due("0 0 13 * fri", "2026-02-01 12:00", times=3, zone=ZoneInfo("UTC")) == [
        "06 00:00+0000", "13 00:00+0000", "20 00:00+0000"
    ]  # fmt: skip


def test_sunday_is_0_and_7_and_sun():
    days = [due(f"0 0 * * {word}", "2026-02-02 00:00", times=1) for word in ("0", "7", "sun", "SUN")]

    assert days == [["08 00:00+0100"]] * 4


def test_a_leap_day_is_found_across_a_century_without_one():
    assert parse_cron("0 0 29 2 *", ZoneInfo("UTC")).after(utc("2096-03-01")) == utc("2104-02-29")


def test_the_newest_is_found_and_those_before_it_are_counted():
    cron = parse_cron("*/15 * * * *", ZoneInfo("UTC"))

    assert cron.newest(utc("2026-05-01 10:00"), utc("2026-05-01 11:20")) == (utc("2026-05-01 11:15"), 5)
    assert cron.newest(utc("2026-05-01 10:00"), utc("2026-05-01 10:00")) == (utc("2026-05-01 10:00"), 0)


def test_an_interval_keeps_its_beat_however_late_somebody_looks():
    every = Every(90, utc("2026-05-01 10:00"))

    assert every.after(utc("2026-05-01 10:00")) == utc("2026-05-01 10:01:30")
    assert every.after(utc("2026-05-01 10:02")) == utc("2026-05-01 10:03")
    assert every.newest(utc("2026-05-01 10:01:30"), utc("2026-05-01 10:05")) == (utc("2026-05-01 10:04:30"), 2)


@pytest.mark.parametrize(
    ("cron", "code"),
    [
        ("* * * *", "CRON_INVALID"),
        ("60 * * * *", "CRON_INVALID"),
        ("* 5-3 * * *", "CRON_INVALID"),
        ("*/0 * * * *", "CRON_INVALID"),
        ("* * * foo *", "CRON_INVALID"),
        ("* * 0 * *", "CRON_INVALID"),
        ("1,,2 * * * *", "CRON_INVALID"),
        ("²* * * *", "CRON_INVALID"),
        ("0 0 30 2 *", "CRON_NEVER"),
    ],
)
def test_what_is_no_cron_is_refused_by_name(cron, code):
    with pytest.raises(BadInput) as refused:
        parse_cron(cron, BERLIN)

    assert [(one.code, one.path) for one in refused.value.problems] == [(code, "cron")]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"cron": "", "every_s": None, "zone": "UTC"}, "RHYTHM_AMBIGUOUS"),
        ({"cron": "* * * * *", "every_s": 60, "zone": "UTC"}, "RHYTHM_AMBIGUOUS"),
        ({"cron": "", "every_s": 59, "zone": "UTC"}, "EVERY_INVALID"),
        ({"cron": "* * * * *", "every_s": None, "zone": "Mars/Base"}, "ZONE_UNKNOWN"),
        ({"cron": "* * * * *", "every_s": None, "zone": "../../etc/passwd"}, "ZONE_UNKNOWN"),
        ({"cron": "* * * * *", "every_s": None, "zone": ""}, "ZONE_UNKNOWN"),
    ],
)
def test_what_is_no_rhythm_is_refused_by_name(said, code):
    with pytest.raises(BadInput) as refused:
        read(**said, since=utc("2026-05-01"))

    assert refused.value.problems[0].code == code


FIELD = {
    "minute": st.one_of(st.just("*"), st.integers(1, 30).map("*/{}".format), st.integers(0, 59).map(str)),
    "hour": st.one_of(st.just("*"), st.integers(1, 12).map("*/{}".format), st.integers(0, 23).map(str)),
    "day": st.one_of(st.just("*"), st.integers(1, 28).map(str), st.tuples(st.integers(1, 9), st.integers(10, 31)).map(
        lambda pair: f"{pair[0]}-{pair[1]}")),
    "month": st.one_of(st.just("*"), st.integers(1, 12).map(str)),
    "weekday": st.one_of(st.just("*"), st.integers(0, 6).map(str), st.just("mon-fri")),
}  # fmt: skip
CRONS = st.tuples(*FIELD.values()).map(" ".join)
MOMENTS = st.integers(0, 6 * 366 * 24 * 60).map(lambda minutes: utc("2024-01-01") + timedelta(minutes=minutes))


@given(CRONS)
def test_fields_mean_what_another_reader_of_cron_takes_them_for(text):
    minute, hour, day, month, weekday = text.split()
    other = crontab(minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=weekday)

    mine = parse_cron(text, ZoneInfo("UTC"))

    assert (mine.minutes, mine.hours, mine.days) == (other.minute, other.hour, other.day_of_month)
    assert (mine.months, mine.weekdays) == (other.month_of_year, other.day_of_week)


@settings(deadline=None)
@given(CRONS, MOMENTS, st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]))
def test_the_next_is_later_and_nothing_lies_between(text, moment, zone):
    cron = parse_cron(text, ZoneInfo(zone))

    found = cron.after(moment)

    assert found > moment
    assert cron.after(found - timedelta(seconds=1)) == found
    assert cron.newest(found, found) == (found, 0)
