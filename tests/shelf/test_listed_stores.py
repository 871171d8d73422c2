"""A bucket is listed by its pages, and what is listed of a store is read to an end or told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.record.stage import StageBlocked
from fixtures.sandbox.guardian import Guardian
from fixtures.shelf.locate import shelf_of
from fixtures.shelf.stores.address import Address
from fixtures.shelf.stores.messages import Entry
from fixtures.shelf.stores.troubles import Troubled
from fixtures.shelf.stores.walk import below
from tests.support.remote_sets import courier, set_environment
from tests.support.small_source import PROFILE
from tests.support.stores import BUCKET, S3

SETS = [f"igny8_202611{day:02d}_{hour:02d}1500" for day in range(1, 11) for hour in range(3)]


def test_a_bucket_of_many_sets_is_listed_by_pages_and_not_folder_by_folder(
    s3: S3, folder: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, s3.environment)
    for stem in SETS:
        for suffix in (".dump", ".roles.sql"):
            s3.client.put_object(Bucket=BUCKET, Key=f"nightly/{stem}/{stem}{suffix}", Body=b"PGDMP")
    sent = courier(f"s3://{BUCKET}/nightly", folder, guardian)
    with s3.listings() as requests:
        sent.stock()
    assert [each.files.stem for each in shelf_of(folder, PROFILE.backup.pattern, sent).dated] == SETS[::-1]
    # Twenty keys a page, two a set.
    assert len(requests) == len(SETS) * 2 // 20


class Bucket:
    """A store of pages that counts them; it holds keys and no bytes."""

    def __init__(self, keys: Iterator[str] | list[str], *, size: int = 1000) -> None:
        self.keys, self.size, self.asked = sorted(keys), size, 0

    def page(self, path: str, past: str) -> tuple[list[tuple[str, Entry]], bool]:
        self.asked += 1
        listed = [key for key in self.keys if key > past]
        return [(key, Entry(path=key, size=0, version="1")) for key in listed[: self.size]], len(listed) > self.size

    def look(self, path: str) -> Entry:
        raise AssertionError("its keys alone are asked for")

    def pieces(self, entry: Entry, start: int) -> Iterator[bytes]:
        raise AssertionError("its keys alone are asked for")


ADDRESS = Address(scheme="s3", host="b", path="/x")


def names(store: Bucket) -> list[str]:
    return [path for path, _, _ in below(store, "b/x", ADDRESS)]


def test_what_lies_deeper_than_a_set_is_passed_over_at_once() -> None:
    media = [f"media/2026/11/{number:05d}.jpg" for number in range(5000)]
    store = Bucket([*media, "z/a.dump"], size=100)
    assert names(store) == ["media", "media/2026", "media/2026/11", "z", "z/a.dump"]
    assert store.asked == 2


def test_a_bucket_of_far_more_files_than_sets_is_told_and_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.shelf.stores.walk._MOST_PASSED", 50)
    store = Bucket([f"a/b/{number:05d}/file" for number in range(5000)], size=20)
    with pytest.raises(Troubled, match="s3://b/x holds more than 50 files that lie deeper than any backup set"):
        names(store)
    assert store.asked < 10


def test_a_bucket_without_an_order_is_told_and_not_read_for_ever() -> None:
    store = Bucket([])
    store.page = lambda *_: ([("a", Entry(path="a", size=0, version=""))], True)  # type: ignore[method-assign]
    with pytest.raises(Troubled, match="in no order"):
        names(store)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["a/b.dump", "a//c", "a/../d", ".hidden/e"], [".hidden", "a", "a/b.dump"]),
        (["a/", "a/b/", "a/b/c.dump"], ["a", "a/b", "a/b/c.dump"]),
        (
            ["s.sites/1/2/3/4/5/f"],
            ["s.sites", *(f"s.sites/{'/'.join('12345'[:n])}" for n in range(1, 6)), "s.sites/1/2/3/4/5/f"],
        ),
    ],
)
def test_keys_are_taken_as_the_folders_that_they_form(keys: list[str], expected: list[str]) -> None:
    assert names(Bucket(keys)) == expected


@pytest.mark.parametrize("key", ["s.sites/a//b", "s.sites/../b", f"s.sites/{'x' * 256}"])
def test_unpacked_files_that_no_folder_can_hold_are_told(key: str) -> None:
    with pytest.raises(Troubled, match="lies what no file can be called"):
        names(Bucket([key]))


def test_a_file_that_is_a_folder_too_is_told(
    s3: S3, folder: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, s3.environment)
    for key in ("twice/a", "twice/a/b"):
        s3.client.put_object(Bucket=BUCKET, Key=key, Body=b"")
    with pytest.raises(StageBlocked, match=f"a was listed twice in s3://{BUCKET}/twice, as a file and as a folder"):
        courier(f"s3://{BUCKET}/twice", folder, guardian).stock()
