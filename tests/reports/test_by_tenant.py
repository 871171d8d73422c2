"""The page tells the findings by tenant: the worst first, each with its own list, and never more than it can show."""

from fixtures.record.evidence import Evidence, OfTenant
from reports.by_tenant import TENANTS_SHOWN
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.whole_documents import page_of


def of(*tenants: tuple[str, int | None]) -> tuple[OfTenant, ...]:
    return tuple(OfTenant(tenant=name, broken=broken) for name, broken in tenants)


def drilled() -> Evidence:
    return examples.evidence(
        [
            examples.result("BIL-02", "credits", "failed", tenants=of(("7", 2), ("hmac:4711aa4711aa", 1))),
            examples.result("TEN-02", "a reference", "failed", tenants=of(("7", None))),
            examples.result("SIT-03", "archive", "failed", tenants=of(("9", None), ("none", 4))),
            examples.result("BAK-01"),
        ]
    )


def test_the_worst_tenant_comes_first_with_its_findings_by_area() -> None:
    tenants = Story(drilled()).by_tenant
    assert [each.title for each in tenants.shown] == ["7", "no tenant", "hmac:4711aa4711aa", "9"]
    assert tenants.shown[0].areas == {"BIL": 1, "TEN": 1}
    assert tenants.areas == ("TEN", "BIL", "SIT")
    text = page_of(Story(drilled()))
    assert "Tenant 7: 2 failed checks" in text
    assert "No tenant: 1 failed check" in text
    assert "<code>credits</code>: 2 of 3 broken" in text


def test_the_findings_of_one_tenant_can_be_chosen_without_a_script() -> None:
    text = page_of(Story(drilled()))
    assert 'id="by-tenant-t0"> 7</label>' in text
    assert text.count('data-tenant="t0') == 2
    assert '[data-tenant~="t0"]' in text
    # A name that somebody chose stands in no style.
    assert "hmac:" not in text[: text.index("</style>")]


def test_many_tenants_are_counted() -> None:
    many = 3 * TENANTS_SHOWN
    failed = [
        examples.result("BIL-02", f"part {number}", "failed", tenants=of((str(number), 1))) for number in range(many)
    ]
    story = Story(examples.evidence(failed))
    assert (len(story.by_tenant.shown), story.by_tenant.more) == (TENANTS_SHOWN, 2 * TENANTS_SHOWN)
    assert "And 40 more tenants" in page_of(story)


def test_a_drill_that_names_no_tenant_has_no_such_part() -> None:
    assert "By tenant" not in page_of(Story(examples.verified()))
