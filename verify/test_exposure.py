"""BAK and APP: nothing lies open that need not: credentials in the dump, dumps in the checkout."""

from pathlib import Path

from fixtures.checks.blocked import Blocked
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.exposure.credentials import columns_with_text, in_clear
from fixtures.checks.exposure.outreach import ask
from fixtures.checks.exposure.planters import a_credential_in_clear, a_password_of_another_server
from fixtures.checks.exposure.spoilers import a_dump_in_the_checkout
from fixtures.checks.exposure.stale_dumps import TooMany, Walk, dumps_in
from fixtures.checks.tolerated import expect_known
from fixtures.plugin.declare import control, proven_by, reads_rows_of
from fixtures.profile import Profile
from fixtures.record.record import DrillRecord


@control(
    "BAK-13",
    title="No credential is stored in clear text in the dump",
    impact="high",
    remediation="Hash what only has to be compared. Encrypt what has to be read. Change the credentials that are "
    "stored now: they are in every backup. If it is meant to be stored so, say why under [tolerated] in "
    "the profile.",
)
@proven_by(a_credential_in_clear)
@reads_rows_of("every table")
def test_no_credential_stands_in_clear(restored: Database, promised: Profile, examination: Examination) -> None:
    """Whoever gets hold of one backup gets hold of every key in it, and of the systems that these open.

    Columns are told by their names, and by values of a well-known shape; hashes and ciphertexts that are known as such
    are safe, and binary columns are taken for ciphertext."""
    credentials = list(in_clear(restored))
    rows = sum(each.rows for each in credentials if str(each) not in promised.tolerated)
    expect_known(
        [str(each) for each in credentials],
        "credential in",
        profile=promised,
        examination=examination,
        of=len(columns_with_text(restored)),
        unit="text columns",
        says=f"hold credentials in clear, in {rows} rows",
    )


@control(
    "BAK-14",
    title="No password of another server is in the dump",
    impact="high",
    remediation="Use a password file or certificates on the server. Change the password that is stored now: it is in "
    "every backup. If it is meant to be there, say why under [tolerated] in the profile.",
)
@proven_by(a_password_of_another_server)
def test_no_password_of_another_server(restored: Database, promised: Profile, examination: Examination) -> None:
    """pg_dump writes the options of user mappings and subscriptions as they are: passwords too."""
    passwords = ask(restored, "foreign_passwords")
    expect_known(
        [row["what"] for row in passwords if row["clear"]],
        "password in",
        profile=promised,
        examination=examination,
        of=len(passwords),
        unit="ways to other servers",
        says="hold a password in clear",
    )


@control(
    "APP-07",
    title="No dump lies in the application's checkout",
    impact="high",
    remediation="Remove the file, also from the history of the repository: whoever has the code has that data. If it holds "
    "no customer's data, say so under [tolerated] in the profile.",
)
@proven_by(a_dump_in_the_checkout)
def test_no_dump_lies_in_the_checkout(record: DrillRecord, promised: Profile, examination: Examination) -> None:
    """A dump that somebody left beside the code is a backup that nobody protects, deletes or even knows of.

    A set with its manifest, in a folder that is open to its owner alone, is a backup that somebody took care of."""
    checkout = Path(record.application_path).resolve()
    walk = Walk()
    try:
        dumps = [f"dump {name}" for name in dumps_in(checkout, walk)]
    except TooMany as problem:
        raise Blocked(str(problem)) from None
    if not walk.files:
        raise Blocked(f"there is no file in {checkout}")
    expect_known(
        dumps,
        "dump",
        profile=promised,
        examination=examination,
        of=walk.files,
        unit="files",
        says="are dumps or databases",
    )
