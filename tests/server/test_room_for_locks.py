"""A drill's server has room for a lock on all that the dump makes, and one like any other's where that is little."""

import pytest

from fixtures.server.settings import for_loading


@pytest.mark.parametrize(("relations", "locks"), [(0, 512), (30_000, 512), (31_000, 1024), (400_000, 8192)])
def test_there_is_room_for_a_lock_on_each(relations: int, locks: int) -> None:
    values = for_loading(1 << 30, 1 << 30, relations).values
    assert int(values["max_locks_per_transaction"]) == locks
    assert locks * int(values["max_connections"]) >= relations
