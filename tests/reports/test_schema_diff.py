"""What a release changes in the schema reads as a diff, on the page and in a pull request's comment."""

from fixtures.record.evidence import Evidence
from fixtures.record.release import ReleaseRecord
from fixtures.record.release.comparison import Comparison, SchemaDifference
from reports import summary
from reports.schema_diff import Line, schema_diff
from reports.story import Story
from tests.support.evidence_examples import verified
from tests.support.whole_documents import page_of

COMPARISON = Comparison(
    objects=3,
    columns=2,
    from_zero_seconds=1,
    dropped=(),
    changes=(
        SchemaDifference(thing="column public.t.a", before="text, null", after=None),
        SchemaDifference(thing="column public.t.b", facet="type", before="integer", after="bigint"),
        SchemaDifference(thing="table public.u", before=None, after=""),
        SchemaDifference(thing="view public.v", before=None, after=" SELECT a\n   FROM t\n  WHERE (b <> '```'::text);"),
    ),
    drift=(SchemaDifference(thing="index public.t.<by_hand>", before=None, after="USING btree (b)"),),
    alike=("index public.t.x is called y by the code",),
)


def gated() -> Evidence:
    evidence = verified()
    record = evidence.record.model_copy(update={"release": ReleaseRecord(comparison=COMPARISON)})
    return evidence.model_copy(update={"record": record, "kind": "gate"})


def test_a_difference_is_what_is_gone_and_what_is_there() -> None:
    difference = schema_diff(gated().record)
    assert difference is not None
    assert difference.changes == (
        Line("-", "column public.t.a: text, null"),
        Line("-", "column public.t.b: type: integer"),
        Line("+", "column public.t.b: type: bigint"),
        Line("+", "table public.u"),
        Line("+", "view public.v: SELECT a FROM t WHERE (b <> '```'::text);"),
    )
    assert schema_diff(verified().record) is None


def test_the_comment_holds_it_in_a_block_that_nothing_in_it_closes() -> None:
    text = summary.write_up(Story(gated()))
    assert "What the release changes in the schema (5 lines)" in text
    block = text.partition("````diff\n")[2].partition("\n````\n")[0]
    assert block.splitlines()[0] == "- column public.t.a: text, null"
    assert len(block.splitlines()) == 5
    assert "````diff" not in summary.write_up(Story(verified()))


def test_the_page_tells_what_production_has_other_than_the_code() -> None:
    text = page_of(Story(gated()))
    assert "<del>- column public.t.a: text, null</del>" in text
    assert "<ins>+ index public.t.&lt;by_hand&gt;: USING btree (b)</ins>" in text
    assert "1 more thing differs in name or numbering alone" in text
    assert 'class="diff"' not in page_of(Story(verified()))
