"""Each control on exposure goes red on its own fault, and no other does; what is found is named and never shown."""

import gzip
import sqlite3
from pathlib import Path

import pytest

from fixtures.checks.exposure.stale_dumps import Walk, dumps_in
from tests.planted.test_hostile import tolerated
from tests.support.drills import Drilling, Healthy
from tests.support.met_faults import Fault

SECRET = "hunter2-never-shown"
PLAIN_DUMP = "--\n-- PostgreSQL database dump\n--\n\nCOPY public.igny8_users (id, email) FROM stdin;\n"
# 40 hexadecimal digits are no hash where a key is wanted: Django REST framework's tokens look so.
IN_A_COLUMN = f"""
    ALTER TABLE igny8_sites ADD wordpress_api_key text;
    UPDATE igny8_sites SET wordpress_api_key = '{SECRET}' WHERE id = 1;
    UPDATE igny8_sites SET wordpress_api_key = repeat('0123456789', 4) WHERE id = 2;
    UPDATE igny8_sites SET wordpress_api_key = 'pbkdf2_sha256$1000$salt$aGFzaA==' WHERE id = 3;
"""
SAFE = f"""
    ALTER TABLE igny8_sites ADD wordpress_api_key text, ADD "smtpPassword" text, ADD token_hash text,
        ADD password_changed_at text, ADD tokens_used int;
    UPDATE igny8_sites SET wordpress_api_key = 'gAAAAAB' || repeat('x_-9', 30), "smtpPassword" = '!unusable',
        token_hash = repeat('f', 64), password_changed_at = 'yesterday', tokens_used = 7 WHERE id = 1;
    UPDATE igny8_sites SET wordpress_api_key = '', "smtpPassword" = '$2b$12$abcdefghijklmnopqrstuv' WHERE id = 2;
    UPDATE igny8_tasks SET payload = '{{"password": "argon2$argon2id$v=19$x", "token_type": "bearer"}}'
     WHERE task_key = (SELECT task_key FROM igny8_tasks ORDER BY 1 LIMIT 1);
    UPDATE igny8_content SET body = 'How to connect: postgres://user:{SECRET}@host/db, says the manual' WHERE id = 1;
"""


def leave_dumps(checkout: Path) -> None:
    (checkout / "backup_postgres_20251120_232816.sql").write_text(PLAIN_DUMP)
    (checkout / "igny8_core" / "notes.txt").write_bytes(b"PGDMP\x01\x0e\x00" + bytes(200))
    (checkout / "igny8_core" / "old.bin").write_bytes(gzip.compress(PLAIN_DUMP.encode()))
    with sqlite3.connect(checkout / "db_backup_20251120_232646.sqlite3") as database:
        database.execute("CREATE TABLE users (email text)")
    database.close()


PLANTED = {
    "BAK-13": {
        "keys in a column that is called so": Fault(
            says="text columns hold credentials in clear, in 2 rows",
            samples=("credential in public.igny8_sites.wordpress_api_key",),
            sql=IN_A_COLUMN,
        ),
        "a secret within JSON": Fault(
            says="text columns hold credentials in clear, in 1 rows",
            samples=("credential in public.igny8_tasks.payload",),
            sql=f"""
                UPDATE igny8_tasks SET payload = payload || '{{"smtp": {{"client_secret": "{SECRET}"}}}}'
                 WHERE task_key = (SELECT task_key FROM igny8_tasks ORDER BY 1 LIMIT 1)
            """,
        ),
        "a key that only its shape gives away": Fault(
            says="text columns hold credentials in clear, in 1 rows",
            samples=("credential in public.igny8_notes.body",),
            sql="UPDATE igny8_notes SET body = 'sk_live_' || repeat('4eC39HqL', 3) WHERE id = 1",
        ),
    },
    "BAK-14": {
        "a password in a user mapping": Fault(
            says="ways to other servers hold a password in clear",
            samples=("password in user mapping of igny8_app on archive",),
            sql=f"""
                CREATE EXTENSION IF NOT EXISTS postgres_fdw;
                CREATE SERVER archive FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'archive.example');
                CREATE USER MAPPING FOR igny8_app SERVER archive OPTIONS (user 'etl', password '{SECRET}')
            """,
            profile=tolerated("foreign server archive"),
        ),
        "a password in a subscription": Fault(
            says="ways to other servers hold a password in clear",
            samples=("password in subscription events",),
            sql=f"""
                CREATE SUBSCRIPTION events CONNECTION 'host=events.example password={SECRET}' PUBLICATION events
                WITH (connect = false)
            """,
            profile=tolerated("subscription events"),
        ),
    },
    "APP-07": {
        "dumps under four names": Fault(
            says="files are dumps or databases",
            samples=(
                "dump backup_postgres_20251120_232816.sql",
                "dump db_backup_20251120_232646.sqlite3",
                "dump igny8_core/notes.txt",
                "dump igny8_core/old.bin",
            ),
            broken=4,
            in_code=leave_dumps,
        ),
    },
}


@pytest.mark.further
def test_hashes_ciphertexts_and_what_only_sounds_so_are_safe(
    healthy: Healthy, tmp_path: Path, drilling: Drilling
) -> None:
    healthy.backup(tmp_path / "backups", SAFE)
    outcome = drilling(tmp_path / "backups", tmp_path / "out", planted=SAFE)
    assert (outcome.red, outcome.blocked) == ({}, {}), outcome.output


def test_code_that_only_speaks_of_dumps_is_none(tmp_path: Path) -> None:
    (tmp_path / "roles.sql").write_text(
        "CREATE ROLE a;\n-- not a PostgreSQL database dump\nINSERT INTO t VALUES (1);\n"
    )
    (tmp_path / "test_dump.py").write_text(f"# how a dump begins\nBEGINS = '''\n{'#' * 3000}\n{PLAIN_DUMP}'''\n")
    (tmp_path / "logo.png.gz").write_bytes(gzip.compress(b"\x89PNG"))
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8bnothing")
    (tmp_path / "empty.dump").touch()
    (tmp_path / "link.dump").symlink_to("roles.sql")
    for passed_over in (".git", "node_modules", "a_set"):
        (tmp_path / passed_over).mkdir(mode=0o700)
        (tmp_path / passed_over / "old.dump").write_bytes(b"PGDMP")
    (tmp_path / "a_set" / "a_set.manifest.json").touch()
    walk = Walk()
    assert list(dumps_in(tmp_path, walk)) == []
    assert walk.files == 5
    (tmp_path / "a_set").chmod(0o755)
    assert list(dumps_in(tmp_path, walk)) == ["a_set/old.dump"]
