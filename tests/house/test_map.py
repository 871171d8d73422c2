"""The map of the rooms is what the code says today."""

import re

import pytest

from docs import draw_map
from tests.house.test_layering import STOREYS

HOW_IT_WORKS = (draw_map.ROOT / "docs" / "how-it-works.md").read_text()


def test_the_picture_is_what_the_script_draws() -> None:
    assert draw_map.MAP.read_text() == draw_map.picture(), "the rooms or their imports changed: run make map"


def test_the_table_lists_every_room_from_the_ground_up_with_its_own_words() -> None:
    lines = re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", HOW_IT_WORKS, re.MULTILINE)
    assert lines == [(room, draw_map.said_of(room)) for room in STOREYS]


@pytest.mark.parametrize("folder", draw_map.BESIDE_FIXTURES)
def test_what_lies_beside_the_rooms_is_listed_with_its_own_words(folder: str) -> None:
    assert f"| `{folder}` | {draw_map.said_of(folder)} |" in HOW_IT_WORKS


def test_no_way_through_other_rooms_is_drawn_twice() -> None:
    imports = {("c", "b"), ("b", "a"), ("c", "a"), ("d", "a")}
    assert draw_map.without_detours(imports) == {("c", "b"), ("b", "a"), ("d", "a")}
