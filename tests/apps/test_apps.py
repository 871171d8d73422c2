"""The suite on applications that nobody here wrote: a profile each, no code of theirs changed and none of ours added."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass

import pytest

from tests.apps.foreign import Foreign, filled
from tests.apps.measured import CHANGED, DRAFTED, drafted_from


@dataclass(frozen=True)
class Fault:
    """SQL for a clone of the healthy database, and the rows that each control must find broken, by subject; a `gate` finds
    what the release itself breaks besides."""

    sql: str
    broken: Mapping[str, Mapping[str, int]]
    lost: str = ""
    gate: bool = False


FAULTS = {
    # In one clinic or another: a column, a foreign key and a record of a migration that are lost, and two migrations that
    # were faked; a total that was raised, a payment that is lost, one in another currency, a line turned negative and moved
    # to another invoice; an invoice of another clinic's, as its number tells; a letter that is gone; a keeper who was locked
    # out, while those of the same number in other clinics were not.
    "clinics": Fault(
        """
        ALTER TABLE south.billing_payment DROP COLUMN received;
        ALTER TABLE west.billing_line DROP CONSTRAINT billing_line_invoice_id_e75ab6dd_fk_billing_invoice_id;
        DELETE FROM north.django_migrations WHERE app = 'auth' AND name LIKE '0012%';
        INSERT INTO west.django_migrations (app, name, applied) VALUES
            ('filer', '0016_alter_folder_index_together_remove_folder_level_and_more', now()),
            ('filer', '0017_image__transparent', now());
        UPDATE north.billing_invoice SET total = total + 0.01 WHERE number = 'N-00001';
        DELETE FROM south.billing_payment WHERE id = (SELECT max(id) FROM south.billing_payment);
        UPDATE west.billing_payment SET currency = 'USD' WHERE id = (SELECT min(id) FROM west.billing_payment);
        UPDATE south.billing_line SET amount = -amount, invoice_id = 1 WHERE id = 24;
        UPDATE west.billing_invoice SET number = 'N-00013' WHERE number = 'W-00005';
        UPDATE south.auth_user SET is_active = false WHERE username = 'keeper';
        """,
        {
            "TEN-15": {"public.customers_clinic": 1},
            "TEN-17": {"public.customers_clinic": 13},
            "MIG-07": {"whole": 7},
            "MIG-08": {"public.customers_clinic": 5},
            "BIL-03": {"north: invoices": 1, "south: invoices": 2},
            "BIL-04": {"south: payments": 1, "west: payments": 1},
            "BIL-05": {"west: payments": 1},
            "BIL-09": {"west.billing_payment": 1},
            "BIL-11": {"west: invoices": 2},
            "BIL-21": {"south.billing_line": 1},
            "FIL-01": {"north: letters": 1},
            # Of the migrations that were faked.
            "REL-13": {"whole": 1},
            "REL-21": {"whole": 1},
            # What django-filer's own release takes from the one before, and asks of it.
            "REL-14": {"whole": 1},
            "REL-15": {"whole": 1},
        },
        lost="north/files/*/*/*/*.txt",
        gate=True,
    ),
    # A network within another organisation's, though no column is empty and no constraint broken; and an organisation
    # whose owner is a member of another one.
    "openwisp": Fault(
        """
        UPDATE openwisp_ipam_subnet SET organization_id = (
            SELECT id FROM openwisp_users_organization WHERE slug = 'organisation-2'
        ) WHERE subnet = '192.168.1.128/25';
        UPDATE openwisp_users_organizationowner SET organization_user_id = (
            SELECT m.id FROM openwisp_users_organizationuser m
            JOIN openwisp_users_user u ON u.id = m.user_id JOIN openwisp_users_organization o ON o.id = m.organization_id
            WHERE u.username = 'consultant' AND o.slug = 'organisation-3'
        ) WHERE organization_id = (SELECT id FROM openwisp_users_organization WHERE slug = 'organisation-4');
        """,
        {
            "TEN-02": {
                "public.openwisp_ipam_subnet(master_subnet_id)->public.openwisp_ipam_subnet": 1,
                "public.openwisp_users_organizationowner(organization_user_id)"
                "->public.openwisp_users_organizationuser": 1,
            }
        },
    ),
    # Keys of a company and a number: a primary key and a unique constraint that are lost; an invoice for a customer whom
    # only another company has, and a line that moved to another company's invoice of its number; a total that was raised,
    # a payment that is lost, one in another currency, a line turned negative, a number left out, more given back than was
    # received, money kept for what is void; a document that is gone.
    "rentals": Fault(
        """
        ALTER TABLE rental_line DROP CONSTRAINT rental_line_pkey;
        ALTER TABLE rental_invoice DROP CONSTRAINT rental_numbers;
        UPDATE rental_invoice SET customer_id = 5 WHERE company_id = 1 AND id = 2;
        UPDATE rental_line SET company_id = 2, id = 99 WHERE company_id = 1 AND id = 7;
        UPDATE rental_invoice SET total = total + 0.01 WHERE company_id = 1 AND id = 1;
        DELETE FROM rental_payment WHERE company_id = 2 AND id = 1;
        UPDATE rental_payment SET currency = 'CHF' WHERE company_id = 3 AND id = 1;
        UPDATE rental_line SET amount = -amount WHERE company_id = 3 AND id = 1;
        UPDATE rental_invoice SET number = 'R-00099' WHERE company_id = 2 AND id = 15;
        UPDATE rental_refund SET amount = 500 WHERE company_id = 3 AND id = 8;
        UPDATE rental_invoice SET status = 'void' WHERE company_id = 2 AND id = 6;
        """,
        {
            "TEN-09": {"public.rental_invoice(company_id,customer_id)->public.rental_customer": 1},
            "MIG-07": {"whole": 2},
            "BIL-03": {"invoices": 4},
            "BIL-04": {"payments": 3},
            "BIL-05": {"payments": 1},
            "BIL-11": {"invoices": 1},
            "BIL-13": {"payments": 1},
            "BIL-16": {"payments": 1},
            "BIL-21": {"public.rental_line": 1},
            "FIL-01": {"documents": 1},
        },
        lost="invoices/crane-1.txt",
    ),
    # One price and one basket of another customer's; a total that was raised by a cent with everything that was paid for
    # it; a payment that is lost, one given back twice over, and one that stands for two; an amount turned negative; a
    # product's image that is gone.
    "oscar": Fault(
        """
        UPDATE order_lineprice SET line_id = (SELECT max(id) FROM order_line WHERE order_id = 9) WHERE order_id = 1 AND
               id = (SELECT min(id) FROM order_lineprice WHERE order_id = 1);
        UPDATE order_order SET basket_id = (SELECT basket_id FROM order_order WHERE id = 30) WHERE id = 2;
        UPDATE order_order SET total_incl_tax = total_incl_tax + 0.01 WHERE id = 4;
        UPDATE payment_source SET amount_allocated = amount_allocated + 0.01, amount_debited = amount_debited + 0.01
         WHERE order_id = 4;
        UPDATE payment_transaction SET amount = amount + 0.01
         WHERE txn_type = 'Debit' AND source_id = (SELECT id FROM payment_source WHERE order_id = 4);
        DELETE FROM payment_transaction
         WHERE txn_type = 'Debit' AND source_id = (SELECT id FROM payment_source WHERE order_id = 5);
        UPDATE payment_source SET amount_refunded = amount_debited * 2
         WHERE id = (SELECT min(source_id) FROM payment_transaction WHERE txn_type = 'Refund');
        UPDATE payment_transaction SET amount = (SELECT amount_refunded FROM payment_source WHERE id = source_id)
         WHERE id = (SELECT min(id) FROM payment_transaction WHERE txn_type = 'Refund');
        UPDATE payment_transaction SET amount = -amount
         WHERE txn_type = 'Authorise' AND source_id = (SELECT id FROM payment_source WHERE order_id = 7);
        UPDATE payment_source SET reference = (SELECT reference FROM payment_source WHERE order_id = 10) WHERE order_id = 11;
        """,
        {
            "TEN-02": {
                "public.order_lineprice(line_id)->public.order_line": 1,
                "public.order_order(basket_id)->public.basket_basket": 1,
            },
            "BIL-02": {"debits": 1},
            "BIL-03": {"orders": 1},
            "BIL-12": {"orders": 1},
            "BIL-16": {"sources": 1},
            "BIL-15": {"sources": 1},
            "BIL-21": {"public.payment_transaction": 1, "kept": 1},
            "FIL-01": {"product images": 1},
        },
        lost="images/products/*/*/*.gif",
    ),
    # A page that shows another site's text once it is opened, and an address that leads to another site; an editor who was
    # locked out; a document that is not the one that was stored; an image that is gone.
    "wagtail": Fault(
        """
        UPDATE wagtailcore_page SET live_revision_id = (
            SELECT live_revision_id FROM wagtailcore_page WHERE url_path = '/choir/part-1/article-2/'
        ) WHERE url_path = '/bakery/part-1/article-2/';
        UPDATE wagtailredirects_redirect SET redirect_page_id = (
            SELECT id FROM wagtailcore_page WHERE url_path = '/dentist/part-0/article-3/'
        ) WHERE site_id = (SELECT id FROM wagtailcore_site WHERE hostname = 'florist.example') AND old_path = '/old-0';
        UPDATE auth_user SET is_active = false WHERE username = 'choir';
        UPDATE wagtaildocs_document SET file_size = file_size + 1 WHERE id = (SELECT min(id) FROM wagtaildocs_document);
        """,
        {
            "TEN-02": {
                "public.wagtailcore_page(live_revision_id)->public.wagtailcore_revision": 1,
                "public.wagtailredirects_redirect(redirect_page_id)->public.wagtailcore_page": 1,
            },
            "TEN-15": {"public.auth_user": 1},
            "FIL-01": {"images": 1},
            "FIL-03": {"documents": 1},
        },
        lost="original_images/*",
    ),
}


# Of each application and kind, how much of what is so a draft does not find, and how much of what it says is not so. What
# nothing in the data speaks for it leaves to a person.
OFF: dict[str, dict[str, tuple[int, int]]] = {
    "clinics": {},
    "openwisp": {},
    "oscar": {"money columns": (1, 0)},
    "rentals": {},
    "wagtail": {"shared": (1, 0)},
}
MOST_LINES = 25
# Of each application, how many lines a person writes to make the confirmed profile of the draft, and how many they take out.
# Much of what the confirmed one leaves out could stay.
LINES = {"clinics": (13, 2), "openwisp": (6, 0), "oscar": (18, 3), "rentals": (12, 1), "wagtail": (17, 0)}


@pytest.fixture(scope="module", params=sorted(FAULTS))
def foreign(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    with filled(request.param, tmp_path_factory.mktemp(request.param)) as application:
        yield application


def test_a_healthy_application_is_verified(foreign: Foreign, tmp_path_factory: pytest.TempPathFactory) -> None:
    outcome = foreign.drill(tmp_path_factory.mktemp("healthy"), proving=True)
    proving = outcome.evidence.proving
    assert proving is not None
    assert [f"{each.control} {each.subject} {each.says}" for each in proving.blind] == []
    assert not [each for each in proving.proofs if "internal error" in each.says]
    assert (outcome.red, outcome.blocked) == ({}, {}), outcome.output
    assert outcome.evidence.verdict == "VERIFIED", outcome.output
    assert outcome.exit_code == 0
    moved = outcome.evidence.record.migrated
    assert moved is not None
    assert moved.applied, "the newer release has no migration: drill it from an older one"
    looked_at = {result.control for result in outcome.evidence.results if result.examined}
    drilled = {control for control in FAULTS[foreign.name].broken if not control.startswith("REL")}
    assert looked_at.issuperset(drilled)


def test_a_draft_finds_what_the_confirmed_profile_says(
    foreign: Foreign, tmp_path_factory: pytest.TempPathFactory, record_property: Callable[[str, object], None]
) -> None:
    """The profile that a healthy set is VERIFIED by is the truth; what may be missed and what may be wrong is counted."""
    work = tmp_path_factory.mktemp("drafted")
    foreign.back_up(foreign.name, work)
    compared = drafted_from(work, foreign.profile, foreign.folder / "project")
    figures = compared.figures()
    record_property(DRAFTED, (foreign.name, {kind: astuple(each) for kind, each in figures.items()}))
    lines = (len(compared.changed.write), len(compared.changed.take_out))
    record_property(CHANGED, (foreign.name, *lines))
    off = {kind: (each.true - each.right, each.drafted - each.right) for kind, each in figures.items()}
    assert {kind: each for kind, each in off.items() if any(each)} == OFF[foreign.name], compared
    assert lines == LINES[foreign.name], compared.changed
    assert sum(lines) <= MOST_LINES


def test_a_planted_fault_is_told_by_its_own_control_alone(
    foreign: Foreign, tmp_path_factory: pytest.TempPathFactory
) -> None:
    fault = FAULTS[foreign.name]
    outcome = foreign.drill(tmp_path_factory.mktemp("planted"), fault.sql, fault.lost, gate=fault.gate)
    red: dict[str, dict[str, int]] = {}
    for result in outcome.evidence.results:
        if result.outcome == "failed":
            red.setdefault(result.control, {})[result.subject] = result.broken
    assert red == fault.broken, outcome.output
    assert outcome.blocked == {}, outcome.output
    assert outcome.exit_code == 1
