"""A draft takes a ledger, its kinds of entries and its usage for what their rows prove, and offers what they only suggest."""

from typing import Any

import psycopg

from tests.support.drafts import TENANTS, drafted


def test_a_ledger_that_does_not_run_on_is_not_one(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE stock (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, amount int, "
        "balance int); INSERT INTO stock SELECT g, 1, g, 5 FROM generate_series(1, 100) g",
    )
    assert not draft.profile.ledger
    assert "[[ledger]]\n" not in draft.text


def test_a_ledger_with_one_wrong_row_of_a_hundred_is_kept_and_says_so(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE entries (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, amount int, "
        "running_balance int); INSERT INTO entries SELECT g, 1, 2, 2 * g FROM generate_series(1, 100) g; "
        "UPDATE entries SET amount = 3 WHERE id = 50",
    )
    (ledger,) = draft.profile.ledger
    assert (ledger.account, ledger.order, ledger.amount, ledger.balance) == (
        ("org",),
        ("id",),
        "amount",
        "running_balance",
    )
    assert "holds for 99 of 100" in draft.prose
    assert "The few that break it are a fault of this backup, or of the order that was guessed." in draft.prose


LEDGER = (
    "CREATE TABLE entries (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, kind text, amount int, "
    "balance int); INSERT INTO entries SELECT g, 1, CASE g % 2 WHEN 0 THEN 'usage' ELSE 'grant' END, "
    "CASE g % 2 WHEN 0 THEN -2 ELSE 5 END, 5 * ((g + 1) / 2) - 2 * (g / 2) FROM generate_series(1, 100) g; "
)


def test_kinds_that_no_usual_word_names_are_offered_and_none_is_written_down(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(database, TENANTS + LEDGER + "UPDATE entries SET kind = 'Quillfeather' WHERE id % 10 = 0")
    assert draft.profile.ledger[0].kinds is None
    assert '#[ledger.kinds]\n#column = "kind"\n#credits = ["grant"]\n#debits = ["usage"]' in draft.text
    assert "Every entry is of one of these kinds: holds for 90 of 100." in draft.prose
    assert "Quillfeather" not in draft.text


def test_usage_that_comes_to_what_the_ledger_took_is_found_and_other_amounts_are_not(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(
        database,
        TENANTS + LEDGER + "CREATE TABLE calls (id int PRIMARY KEY, org_id int REFERENCES organizations, cost int); "
        "INSERT INTO calls SELECT g, 1, 10 FROM generate_series(1, 10) g; "
        "CREATE TABLE gifts (id int PRIMARY KEY, org_id int REFERENCES organizations, cost int); "
        "INSERT INTO gifts SELECT * FROM calls WHERE id > 1",
    )
    (usage,) = draft.profile.usage
    assert (usage.table.name, usage.amount, usage.by, usage.kinds) == ("calls", "cost", {"org_id": "org"}, ("usage",))
    assert "calls.cost adds up to what entries took, by org_id: holds for 1 of 1." in draft.prose
    assert f"usage.{usage.name}" in draft.profile.unconfirmed


def test_an_empty_ledger_is_offered_and_not_taken(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE entries (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, amount int, "
        "running_balance int)",
    )
    assert not draft.profile.ledger
    assert "not a row to try it on.\n#[[ledger]]" in draft.prose


CARDS = (
    "CREATE TABLE cards (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, balance numeric); "
    "CREATE TABLE card_entries (id serial PRIMARY KEY, card int NOT NULL REFERENCES cards, amount numeric); "
    "CREATE TABLE carts (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, balance numeric); "
    "CREATE TABLE cart_items (id serial PRIMARY KEY, cart int NOT NULL REFERENCES carts, amount numeric); "
    "INSERT INTO cards SELECT n, 1 + n % 2, 10 FROM generate_series(1, 60) n; "
    "INSERT INTO card_entries (card, amount) SELECT n, 5 * k FROM (VALUES (4), (-3), (1)) v (k), "
    "generate_series(1, 60) n ORDER BY k DESC; "
    "INSERT INTO carts SELECT * FROM cards; INSERT INTO cart_items (cart, amount) SELECT id, 10 FROM carts; "
)


def test_accounts_that_hold_the_sum_of_their_entries_are_a_ledger_without_a_balance_of_its_own(
    database: psycopg.Connection[Any],
) -> None:
    """What only adds up is a total and its lines."""
    draft = drafted(database, TENANTS + CARDS)
    (ledger,) = draft.profile.ledger
    assert (str(ledger.table), ledger.account, ledger.balance) == ("public.card_entries", ("card",), None)
    assert ledger.not_negative
    assert ledger.balance_of is not None
    assert (str(ledger.balance_of.table), ledger.balance_of.column) == ("public.cards", "balance")
    assert "cards.balance is the sum of the account's entries: holds for 60 of 60." in draft.prose


# Of each organization two, of which neither holds what the two hold together.
POTS = (
    "CREATE TABLE pots (org int REFERENCES organizations, wallet text, balance numeric, PRIMARY KEY (org, wallet)); "
    "CREATE TABLE pot_moves (org int, no int, wallet text, amount numeric, balance numeric, PRIMARY KEY (org, no), "
    "FOREIGN KEY (org, wallet) REFERENCES pots); "
    "INSERT INTO pots SELECT org, wallet, 30 FROM (VALUES (1), (2)) o (org), (VALUES ('cash'), ('gift')) w (wallet); "
    "INSERT INTO pot_moves SELECT org, n, CASE n % 2 WHEN 0 THEN 'cash' ELSE 'gift' END, 1, (n + 1) / 2 "
    "FROM generate_series(1, 60) n, (VALUES (1), (2)) o (org); "
)


def test_an_account_that_was_overdrawn_may_be_and_each_owner_has_several(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + POTS + CARDS + "UPDATE card_entries SET amount = CASE amount WHEN 20 THEN -30 ELSE 35 END "
        "WHERE amount IN (20, -15) AND card = 7",
    )
    ledger, pots = draft.profile.ledger
    assert not ledger.not_negative
    assert (pots.account, pots.order, pots.balance) == (("org", "wallet"), ("no",), "balance")
    assert pots.balance_of is not None
    assert pots.balance_of.key == ("org", "wallet")


MOVES = """
CREATE TABLE cards (
    id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, allocated int, debited int, refunded int, number int
);
CREATE TABLE moves (id serial PRIMARY KEY, card_id int NOT NULL REFERENCES cards, kind text, amount int);
INSERT INTO cards SELECT n, 1, 10 * n, 10 * n, CASE n % 2 WHEN 0 THEN n ELSE 0 END, 7 FROM generate_series(1, 40) n;
INSERT INTO moves (card_id, kind, amount) SELECT id, 'Debit', 5 * id FROM cards, generate_series(1, 2);
INSERT INTO moves (card_id, kind, amount) SELECT id, 'Refund', refunded FROM cards WHERE refunded > 0;
"""


def test_each_kind_of_entry_is_a_ledger_of_the_column_that_it_adds_up_to(database: psycopg.Connection[Any]) -> None:
    draft = drafted(database, TENANTS + MOVES)
    assert {
        (ledger.live.words, ledger.account, ledger.balance_of.column)
        for ledger in draft.profile.ledger
        if ledger.live is not None and ledger.balance_of is not None
    } == {(("Debit",), ("card_id",), "debited"), (("Refund",), ("card_id",), "refunded")}
    assert "moves: where kind is Refund, the sum of amount is cards.refunded: holds for 40 of 40." in draft.prose
    assert "ledger.moves-refund" in draft.profile.unconfirmed


def test_sums_that_one_row_breaks_or_that_are_all_of_nothing_are_no_ledger(database: psycopg.Connection[Any]) -> None:
    broken = "UPDATE cards SET debited = debited + 1, allocated = allocated + 1 WHERE id = 7; "
    nothing = "DELETE FROM moves WHERE kind = 'Refund' AND card_id > 4; UPDATE cards SET refunded = 0 WHERE id > 4"
    draft = drafted(database, TENANTS + MOVES + broken + nothing)
    assert draft.profile.ledger == ()


def test_what_never_takes_back_more_than_was_given_is_a_ledger_that_stays_above_zero(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(database, TENANTS + MOVES)
    (kept,) = [ledger for ledger in draft.profile.ledger if ledger.not_negative]
    assert kept.kinds is not None
    assert (kept.name, kept.kinds.credits, kept.kinds.debits, kept.kinds.unsigned) == (
        "moves-debit-less-refund",
        ("Debit",),
        ("Refund",),
        True,
    )


def test_what_was_taken_back_before_it_was_given_is_none(database: psycopg.Connection[Any]) -> None:
    draft = drafted(database, TENANTS + MOVES + "UPDATE moves SET id = -id WHERE kind = 'Refund'")
    assert len(draft.profile.ledger) == 2
    assert not [each for each in draft.profile.ledger if each.not_negative]
