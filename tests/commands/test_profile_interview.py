"""On a terminal a profile asks what decides most of it: Enter takes the draft, and each answer is in the file at once."""

import os
import shutil
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.commands.continuing.proceed import Continued
from fixtures.commands.drafting.__main__ import finish
from fixtures.profile.reading import read_profile
from tests.support.drills import PROFILE
from tests.support.on_a_terminal import CTRL_C, Seen, on_a_terminal

DRAFT = """# A person's own words.
unconfirmed = [
  "application",
  "backup", # read it on Monday
  "targets",
  "tenancy.root",
  "tenancy.shared",
  "tenancy.login",
  "invoice.bill",
  "invoice.quote",
  "payment.quoted",
  "files.photo",
]
[application]
name = "shop"
environment = {}
# An address that answers with 200 to anybody.
#health = "/healthz"

[backup]   # odd   spacing stays
required = ["dump"]
least_bytes = 1
# Nothing in a backup tells them.
[targets]
rpo_hours = 26
rto_minutes = 60

# Guessed of 9 tables.
[tenancy]
root = "org"

# Tables from which no foreign key leads to a tenant.
[tenancy.shared]
# django_session: 0 rows.
django_session = "Django's own: sessions"
# vat: 4 rows; 2 tables point at it.
vat = "looks like a list"
# note: 7 rows; none points at it.
note = "looks like a list"
# colour: 3 rows; none points at it.
#colour = "why it belongs to no tenant"
# size: 5 rows; none points at it.
#size = "why it belongs to no tenant"

# Owned tables with rows that lead to no tenant.
[tenancy.ownerless]
# 3 of 40 rows of task have none (task.org_id).
#task = {at_most = 3, reason = "why these rows belong to no tenant"}

# 2 of 40 tasks lead to another tenant's. Is it meant? If so, say why.
#[[tenancy.crossing]]
#reference = "public.task(parent_id)->public.task"
#at_most = 2
#reason = "why these rows may lead to another tenant's"

# person has a password.
[tenancy.login]
users = "person"
password = "password"
owner = "owner_id"

# A person's own, which needs the log-in.
[tenancy.probe]

# bill: total is the sum of its lines: holds for 30 of 30.
[[invoice]]
name = "bill"
table = "bill"
tenant = "org_id"
currency = "currency"
status = "status"
# The statuses that mean it was paid in full: paid in 20 rows.
paid = ["paid"]
total = "total"

[invoice.lines]
table = "line"
invoice = "bill_id"
amount = "amount"

# quote: total is the sum of its lines: holds for 3 of 3.
[[invoice]]
name = "quote"
table = "quote"
tenant = "org_id"
currency = "currency"
status = "status"
# The statuses that mean it was paid in full: none of the usual words.
paid = ["paid"]
total = "total"

[invoice.lines]
table = "quote_line"
invoice = "quote_id"
amount = "amount"

# quoted points at quote.
[[payment]]
name = "quoted"
settles = "quote"
table = "quoted"
invoice = "quote_id"
amount = "amount"

# photo.file: 9 of 9 read like a path.
[[files]]
name = "photo"
table = "photo"
path = "file"
# Under it in the archive: holds for 9 of 9.
root = "media"
"""
BEGUN = (
    "",  # the root
    "7",  # there is no seventh
    "2",  # one of the shared tables is a tenant's
    CTRL_C,
)
GONE_ON = (
    "2",  # of two tables that nothing is known of, all share one
    "sizes are the industry's",
    "1",  # rows of nobody are meant, those that cross are not
    "short",
    "the operator's own tasks",
    "2",  # the second document is none
    "paid, settled",
    "n",  # nobody logs in so
    "?",  # what files there are is left open
    "12",
    "",
    "/up",
)
GO_ON = (
    "import sys; from pathlib import Path; from fixtures.commands.drafting.__main__ import finish; "
    "from fixtures.commands.continuing.proceed import Continued; "
    "file = Path(sys.argv[1]); text = file.read_text(); sys.exit(finish(file, Continued(text, text, ())))"
)


@dataclass(frozen=True)
class Interviewed:
    """A profile whose questions were answered in two goes, and its text after each."""

    file: Path
    begun: Seen
    after_ctrl_c: str
    gone_on: Seen

    @property
    def text(self) -> str:
        return self.file.read_text()


def asked(file: Path, typed: Sequence[str]) -> Seen:
    """The end of `restore-drill profile --continue` on a terminal, where nothing is new."""
    return on_a_terminal([sys.executable, "-c", GO_ON, str(file)], dict(os.environ), file.parent, 60, typed)


@pytest.fixture(scope="module")
def interviewed(tmp_path_factory: pytest.TempPathFactory) -> Interviewed:
    file = tmp_path_factory.mktemp("interview") / "profile.toml"
    file.write_text(DRAFT)
    begun = asked(file, BEGUN)
    return Interviewed(file, begun, file.read_text(), asked(file, GONE_ON))


def test_ctrl_c_keeps_what_was_answered_and_what_is_left_is_asked_again(interviewed: Interviewed) -> None:
    begun, parent = interviewed.begun, interviewed.file.parent
    assert begun.exit_code == 130
    assert "10 questions decide most of it" in begun.shown
    assert "Type numbers from 1 to 2" in begun.shown
    assert f"what was answered is in {interviewed.file}. To be asked what is left: --continue {parent}" in begun.said
    left = tomllib.loads(interviewed.after_ctrl_c)["unconfirmed"]
    assert set(tomllib.loads(DRAFT)["unconfirmed"]) - set(left) == {"tenancy.root", "tenancy.shared"}
    assert "8 questions decide most of it" in interviewed.gone_on.shown
    assert interviewed.gone_on.exit_code == 0


def test_the_evidence_stands_beside_each_question(interviewed: Interviewed) -> None:
    shown = " ".join((interviewed.begun.shown + interviewed.gone_on.shown).split())
    for evidence in (
        "1. vat: 4 rows; 2 tables point at it. Shared, since looks like a list.",
        "3 of 40 rows of task have none (task.org_id).",
        "2 of 40 tasks lead to another tenant's.",
        "invoice bill. bill: total is the sum of its lines: holds for 30 of 30.",
        "paid in 20 rows",
        "Root media: Under it in the archive: holds for 9 of 9.",
    ):
        assert evidence in shown
    assert "django_session" not in shown


def test_answers_are_written_with_their_reasons(interviewed: Interviewed) -> None:
    profile = read_profile(interviewed.file).profile
    day = interviewed.text.partition("# Answered on ")[2][:10]
    said = f"answered on {day}: "
    assert {table.name: reason for table, reason in profile.tenancy.shared.items()} == {
        "django_session": "Django's own: sessions",
        "vat": "looks like a list",
        "size": f"{said}sizes are the industry's",
    }
    ((task, meant),) = profile.tenancy.ownerless.items()
    assert (task.name, meant.at_most, meant.reason) == ("task", 3, f"{said}the operator's own tasks")
    assert "that a stranger understands" in interviewed.gone_on.shown
    # What nobody called meant stays a comment, and so does what rests on what is not so.
    assert not profile.tenancy.crossing
    assert f"# Answered on {day}: it is not meant.\n#[[tenancy.crossing]]" in interviewed.text
    assert [each.name for each in profile.invoice] == ["bill"]
    assert profile.invoice[0].paid == ("paid", "settled")
    assert not profile.payment
    assert (profile.targets.rpo_hours, profile.targets.rto_minutes) == (12, 60)
    assert profile.application.health == "/up"


def test_what_was_not_answered_stays_a_guess_and_what_the_rest_needs_stays(interviewed: Interviewed) -> None:
    profile = read_profile(interviewed.file).profile
    assert "The rest of the profile needs it as it is, so nothing was written" in interviewed.gone_on.shown
    assert profile.tenancy.login
    assert profile.unconfirmed == ("application", "backup", "tenancy.login", "files.photo")
    assert "4 parts are guesses" in interviewed.gone_on.said


def test_what_a_person_wrote_stays(interviewed: Interviewed) -> None:
    lines = interviewed.text.splitlines()
    gone = [line for line in DRAFT.splitlines() if line not in lines and f"#{line}" not in lines]
    assert [line for line in gone if not line.startswith('  "')] == [
        '#health = "/healthz"',
        "rpo_hours = 26",
        '#size = "why it belongs to no tenant"',
        '#task = {at_most = 3, reason = "why these rows belong to no tenant"}',
    ]
    for words in ("# A person's own words.", '  "backup", # read it on Monday', "[backup]   # odd   spacing stays"):
        assert words in lines


def test_nothing_is_asked_of_a_profile_that_is_confirmed(tmp_path: Path) -> None:
    file = Path(shutil.copytree(PROFILE, tmp_path / "igny8")) / "profile.toml"
    seen = asked(file, ())
    assert seen.exit_code == 0
    assert seen.shown == f"{file}: nothing new; the file was not touched\n"
    assert "Every part is confirmed" in seen.said


def test_nothing_is_asked_where_there_is_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "profile.toml"
    file.write_text(DRAFT)
    assert finish(file, Continued(DRAFT, DRAFT, ())) == 0
    assert capsys.readouterr() == (f"{file}: nothing new; the file was not touched\n", "")
    assert file.read_text() == DRAFT
