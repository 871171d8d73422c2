"""A period that names its last day lasts to the end of that day, and the next begins on the day after."""

from collections.abc import Callable
from datetime import UTC, datetime

from fixtures.checks.billing.period import not_running, overlapping_periods, with_a_hole_before
from fixtures.profile.money import Period
from tests.support.small_shop import Shop


def judged(shop: Shop, period: Period, day: int) -> tuple[tuple[str, ...], ...]:
    """The periods that overlap, those behind a hole, and those that do not run though they say so."""
    now = datetime(2026, 1, day, 23, 59, tzinfo=UTC)
    assert period.active is not None
    probes = (
        overlapping_periods(period, shop.books),
        with_a_hole_before(period, shop.books),
        not_running(period, period.active, now, shop.books),
    )
    return tuple(said.samples if (said := shop.told(probe)) is not None else () for probe in probes)


def test_the_last_day_is_within_its_period(opened: Callable[[], Shop]) -> None:
    shop = opened()
    beyond = shop.profile.period[0]
    within = Period.model_validate(beyond.model_dump() | {"last_day": True})
    shop.done("""SET LOCAL timezone = 'UTC'; UPDATE "Plans" SET ends = '2025-12-31' WHERE id = 1;
                 UPDATE "Plans" SET ends = '2026-01-10' WHERE id = 2""")
    assert judged(shop, within, 10) == ((), (), ())
    assert judged(shop, within, 11) == ((), (), ("id=2",))
    assert judged(shop, beyond, 10) == ((), ("id=2",), ("id=2",))
    # Of one day alone, the day before the next: no hole, no overlap, and none that ends before it begins.
    shop.done("""INSERT INTO "Plans" VALUES (5, 'acme', 'mail', '2026-01-11', '2026-01-11', 'over')""")
    assert judged(shop, within, 10) == ((), (), ())
    assert judged(shop, beyond, 9) == (("id=5",), ("id=2", "id=5"), ())
    shop.done("""UPDATE "Plans" SET begins = '2026-01-10' WHERE id = 5""")
    assert judged(shop, within, 10) == (("id=5",), (), ())
