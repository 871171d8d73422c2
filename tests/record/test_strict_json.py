"""JSON that two readers may read in two ways is refused by every reader, which names the key."""

import ast
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

import fixtures
import reports
from fixtures.custody.drill_ledger import Entry
from fixtures.database.shares_file import SharesLine
from fixtures.record.evidence import Evidence
from fixtures.record.manifest import Manifest
from fixtures.record.record import DrillRecord
from fixtures.record.shape import Shape, why_not_strict
from fixtures.record.strict_json import NotStrict, strict_json
from fixtures.restore.cache.entry import Entry as Kept
from fixtures.shelf.choosing import look_over
from tests.dump.test_fuzz import MANIFEST_TEXT

# What is read by one program alone, which also wrote it or asked for it; or what is somebody else's, where the reader
# looks at each value of a key.
ONE_READER = {
    "fixtures/application/interpreter.py": "the answer of a program of ours",
    "fixtures/application/probes/history.py": "an order of ours",
    "fixtures/application/probes/stands.py": "an order of ours",
    "fixtures/application/probes/start.py": "an order of ours",
    "fixtures/application/probes/visiting/addresses.py": "what the checkout says of itself",
    "fixtures/application/probes/visiting/answers.py": "what the application answers",
    "fixtures/application/probes/visiting/keys.py": "a key that an order of ours tells",
    "fixtures/application/probes/visiting/sharing.py": "what a fork of the same program was answered",
    "fixtures/application/probes/visits.py": "an order of ours",
    "fixtures/application/probes/walk_migrations.py": "an order of ours",
    "fixtures/application/visible.py": "what an interpreter and its packages say of themselves",
    "fixtures/checks/sites/archive_index.py": "a row of an index of ours",
    "fixtures/dump/grammar.py": "what the grammar's parser says",
    "fixtures/profile/one_select.py": "what the grammar's parser says",
    "fixtures/release/rehearse.py": "the answer of a program of ours",
    "fixtures/sandbox/guardian.py": "an order of ours",
    "fixtures/sandbox/namespace.py": "the answer of the program that confines",
    "fixtures/sandbox/supervise.py": "an order of ours",
    "fixtures/sites/inventory.py": "a definition, whose two keys are counted",
    "fixtures/sites/published.py": "a published file, of which each value counts",
    "reports/allure/build.py": "what this repository says of its packages",
    "reports/audit/typeset.py": "an order of ours",
    "reports/comment.py": "the answer of a forge",
}


def test_every_reader_of_json_is_strict_or_its_only_one() -> None:
    root = Path(fixtures.__path__[0]).parent
    lax = {
        str(file.relative_to(root))
        for room in (fixtures, reports)
        for file in Path(room.__path__[0]).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("json.load", "json.loads")
        if file.name != "strict_json.py"
    }
    assert lax == set(ONE_READER)


@pytest.mark.parametrize("shape", [Manifest, Evidence, Entry, SharesLine, Kept, DrillRecord])
def test_a_key_that_stands_twice_is_named(shape: type[Shape]) -> None:
    for twice in (b'{"a": {"format": 1, "f\\u006frmat": 2}}', b'{"format": 1, "b": [], "format": 1}'):
        with pytest.raises(ValidationError) as refused:
            shape.model_validate_json(twice)
        assert why_not_strict(refused.value) == (
            "the key 'format' stands in it twice, so that two readers may read two things"
        )


def test_a_table_that_a_manifest_counts_twice_is_named(tmp_path: Path) -> None:
    assert Manifest.model_validate_json(MANIFEST_TEXT).tables
    manifest = tmp_path / "a_20260101_000000.manifest.json"
    manifest.write_bytes(MANIFEST_TEXT.replace(b'{"public.t": 1}', b'{"public.t": 0, "public.t": 1}'))
    (only,) = look_over(tmp_path, "(?P<date>$)", "here").candidates
    assert only.problem.startswith("the manifest cannot be read: the key 'public.t' stands in it twice")


def test_what_is_no_json_is_told_as_before() -> None:
    with pytest.raises(ValidationError, match="Invalid JSON") as refused:
        Manifest.model_validate_json(b"{")
    assert why_not_strict(refused.value) == ""


@pytest.mark.parametrize("key", ["a" * 9000, "\x1b[2J\u202e"])
def test_a_key_is_shown_shortened_and_escaped(key: str) -> None:
    with pytest.raises(NotStrict) as refused:
        strict_json(f"{{{json.dumps(key)}: 1, {json.dumps(key)}: 2}}")
    assert str(refused.value).isascii()
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_know_is_refused(number: str) -> None:
    with pytest.raises(NotStrict, match="is no number of JSON"):
        strict_json(f'{{"a": {number}}}')
