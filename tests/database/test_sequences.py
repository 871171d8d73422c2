"""What a sequence feeds is known by the columns' defaults, and what fits by their types."""

from collections.abc import Iterator

import pytest

from tests.support.small_tenancy import SmallTenancy, small_tenancy


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as ready:
        yield ready


FED = "CREATE SEQUENCE s {options}; CREATE TABLE t (id {type} DEFAULT {default}); INSERT INTO t VALUES ({value});"


@pytest.mark.parametrize(
    ("planted", "extreme", "last"),
    [
        (FED.format(options="", type="bigint", default="nextval('s')", value=100), 100, 2**63 - 1),
        # Wider than the column that it feeds.
        (FED.format(options="", type="integer", default="nextval('s')", value=2**31 - 1), 2**31 - 1, 2**31 - 1),
        (FED.format(options="", type="smallint", default="nextval('s')::smallint", value=7), 7, 2**15 - 1),
        (FED.format(options="INCREMENT -1", type="integer", default="nextval('s')", value=-5), -5, -(2**31)),
        (FED.format(options="AS smallint", type="integer", default="nextval('s')", value=7), 7, 2**15 - 1),
        # No value of the sequence stands there.
        (FED.format(options="", type="bigint", default="nextval('s') * 1000 + 7", value=7007), None, 2**63 - 1),
        (FED.format(options="", type="text", default="nextval('s')::text", value="'x'"), None, 2**63 - 1),
        # One sequence for two tables, and for a partitioned one with its partitions.
        (
            FED.format(options="", type="bigint", default="nextval('s')", value=3)
            + "CREATE TABLE u (id int DEFAULT nextval('s')); INSERT INTO u VALUES (9)",
            9,
            2**31 - 1,
        ),
        (
            "CREATE SEQUENCE s; CREATE TABLE p (id bigint DEFAULT nextval('s')) PARTITION BY RANGE (id);"
            "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
            "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p VALUES (4), (14)",
            14,
            2**63 - 1,
        ),
    ],
)
def test_a_sequence_is_held_against_every_column_that_it_feeds(
    tenancy: SmallTenancy, planted: str, extreme: int | None, last: int
) -> None:
    with tenancy.look(planted) as look:
        (sequence,) = [each for each in look.database.facts.sequences if each.name.name == "s"]
        assert (sequence.column_extreme, sequence.last_possible) == (extreme, last)
