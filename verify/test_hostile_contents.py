"""RST: nothing that came back acts by itself or reaches outside, unless the profile knows of it."""

from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.exposure.outreach import ask, foreign_hosts, loaded_schedulers, scheduled_jobs
from fixtures.checks.exposure.planters import (
    a_constraint_that_reads_a_file,
    a_host_that_is_not_productions,
    a_job_that_waits,
    a_publication_that_nobody_knows,
)
from fixtures.checks.exposure.servers_own import expect_as_in_template0
from fixtures.checks.restore.spoilers import an_altered_function_of_the_server, an_unlogged_table
from fixtures.checks.tolerated import expect_known
from fixtures.plugin.declare import control, proven_by, shown_by_tests
from fixtures.profile import Profile
from fixtures.record.server_own import ServerOwn


@control(
    "RST-10",
    title="No code runs with the server's own rights",
    impact="critical",
    remediation="Find out who created it. It can read and write all that the server can. If it is meant to be there, "
    "say why under [tolerated] in the profile, in the words of the finding.",
)
@shown_by_tests("only a superuser can make what it looks for, and what plants a fault is none")
def test_no_code_runs_with_the_servers_own_rights(
    restored: Database, promised: Profile, examination: Examination
) -> None:
    """An untrusted language or a function in C does on the database's machine whatever its author likes."""
    functions = [row["what"] for row in ask(restored, "native_code")]
    of = len(ask(restored, "outside_access"))
    expect_known(
        functions,
        "language",
        "native function",
        profile=promised,
        examination=examination,
        of=of,
        unit="pieces of code",
        says="run with the server's own rights",
    )


@control(
    "RST-11",
    title="No code reaches files, programs or other servers",
    impact="high",
    remediation="Read the named code before anything runs it. If it is meant to be there, say why under [tolerated] "
    "in the profile, in the words of the finding.",
)
@proven_by(a_constraint_that_reads_a_file)
def test_no_code_reaches_files_programs_or_other_servers(
    restored: Database, promised: Profile, examination: Examination
) -> None:
    """COPY … PROGRAM, pg_read_file, lo_import or dblink in a function waits there for the first superuser who calls it.

    What is written openly is found; code that builds such a call at run time is not."""
    code = ask(restored, "outside_access")
    expect_known(
        [row["what"] for row in code if row["reaches"]],
        "outside access in",
        profile=promised,
        examination=examination,
        of=len(code),
        unit="pieces of code",
        says="reach files, programs or other servers",
    )


@control(
    "RST-12",
    title="Every foreign server is declared in the profile",
    impact="high",
    remediation=(
        "Drop the foreign server in every copy. A copy with it reads or writes production's other servers. "
        "If it is meant "
        "to be there, say why under [tolerated] in the profile."
    ),
)
@shown_by_tests("it takes a foreign-data wrapper, which only a superuser can make, and what plants a fault is none")
def test_no_foreign_server_is_unknown(restored: Database, promised: Profile, examination: Examination) -> None:
    """A foreign server makes a copy of yesterday write into the systems of today."""
    servers = [row["what"] for row in ask(restored, "foreign_servers")]
    expect_known(
        servers,
        "foreign server",
        profile=promised,
        examination=examination,
        of=len(servers),
        unit="foreign servers",
        says="are not known to the profile",
    )


@control(
    "RST-13",
    title="Every publication and subscription is declared, and no subscription is enabled",
    impact="high",
    remediation="Disable the subscription before the copy has a network. It would fetch, and confirm, production's "
    "changes. If publications or subscriptions are meant to be there, say why under [tolerated] in the "
    "profile.",
)
@proven_by(a_publication_that_nobody_knows)
def test_nothing_replicates_by_itself(restored: Database, promised: Profile, examination: Examination) -> None:
    """pg_dump writes subscriptions so that they come back disabled; one that is enabled was made so by something else."""
    replication = ask(restored, "replication")
    expect_known(
        [row["what"] for row in replication],
        "publication",
        "subscription",
        profile=promised,
        examination=examination,
        of=len(replication),
        unit="publications and subscriptions",
        says="are enabled, or not known to the profile",
        worse=[f"{row['what']} is enabled" for row in replication if row["connects"]],
    )


@control(
    "RST-14",
    title="Every event trigger is declared and enabled",
    impact="high",
    remediation="Enable the trigger in production, or say under [tolerated] in the profile why it is there. It runs "
    "at every migration.",
)
@shown_by_tests("only a superuser can make what it looks for, and what plants a fault is none")
def test_every_event_trigger_is_known_and_enabled(
    restored: Database, promised: Profile, examination: Examination
) -> None:
    """An event trigger runs at every change of the schema: the next migration, or the next restore, sets it off."""
    triggers = ask(restored, "event_triggers")
    expect_known(
        [row["what"] for row in triggers],
        "event trigger",
        profile=promised,
        examination=examination,
        of=len(triggers),
        unit="event triggers",
        says="are disabled, or not known to the profile",
        worse=[f"{row['what']} is disabled" for row in triggers if row["disabled"]],
    )


@control(
    "RST-15",
    title="No scheduled job waits in the database",
    impact="high",
    remediation="Keep every copy from running the job: UPDATE cron.job SET active = false in it. If it is meant to be "
    "there, say why under [tolerated] in the profile.",
)
@proven_by(a_job_that_waits)
def test_no_scheduled_job_waits(restored: Database, promised: Profile, examination: Examination) -> None:
    """A job that production runs at night runs in a restored copy too, on real people's data and addresses."""
    jobs = scheduled_jobs(restored)
    expect_known(
        jobs,
        "scheduled job",
        profile=promised,
        examination=examination,
        of=len(jobs),
        unit="active jobs",
        says="wait to be run",
        worse=[f"{name} is loaded by the drill's server and runs them" for name in loaded_schedulers(restored) if jobs],
    )


@control(
    "RST-16",
    title="No table is unlogged",
    impact="high",
    remediation="ALTER TABLE … SET LOGGED in production. If its rows may be lost, say so under [tolerated] in the profile.",
)
@proven_by(an_unlogged_table)
def test_no_table_is_unlogged(restored: Database, promised: Profile, examination: Examination) -> None:
    """An unlogged table is emptied by a crash, and is always empty in a dump that was taken from a standby."""
    tables = restored.facts.row_tables
    expect_known(
        [f"unlogged table {table.name}" for table in tables if table.unlogged],
        "unlogged table",
        profile=promised,
        examination=examination,
        of=len(tables),
        unit="tables",
        says="are unlogged",
    )


@control(
    "RST-17",
    title="The data names no host but production's own",
    impact="medium",
    remediation="Make sure that this is production's backup and not a copy's. List production's hosts under [hosts] "
    "in the profile. Change them in every copy before anybody uses it.",
)
@proven_by(a_host_that_is_not_productions)
def test_the_data_names_no_host_but_productions_own(
    restored: Database, promised: Profile, examination: Examination
) -> None:
    """django_site says where links in mails lead: a backup of the wrong environment shows in it, and so does a copy
    that writes to customers in production's name."""
    looked, others = foreign_hosts(restored, promised.hosts)
    examination.expect_none(others, "are not among the profile's [hosts]", of=looked, unit="host names")


@control(
    "RST-18",
    title="The server's own catalogue is as in template0",
    impact="critical",
    remediation=(
        "Find out who altered what the finding names: everybody who uses it gets the result that its author "
        "wants. Take a backup "
        "of a database that nobody altered. If a cast is meant to be there, say why under [tolerated] in the profile."
    ),
)
@proven_by(an_altered_function_of_the_server)
def test_the_servers_own_catalogue_is_as_in_template0(
    server_own: ServerOwn, promised: Profile, examination: Examination
) -> None:
    """With an altered function or operator of pg_catalog every query sees what it is told, in a drill and in production.

    Who may use such an object changes nothing that is computed: it is listed."""
    expect_as_in_template0(server_own, promised, examination)
