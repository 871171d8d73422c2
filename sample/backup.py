"""The command line: `python -m sample.backup --into DIR` builds the sample on a passing server and backs it up."""

import argparse
import secrets
import sys
import time
from datetime import datetime
from pathlib import Path

from fixtures.commands.backup import BackupFailed, Source, take_backup
from fixtures.commands.backup.done import say_done
from fixtures.commands.backup.place import sole_writer, thin_out
from fixtures.commands.backup.seal import Seal
from fixtures.profile.reading import read_profile
from fixtures.record.wrong_call import CallParser
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, ServerUnavailable, serve
from sample.build import PROJECT, BuildFailed, Superuser, build

APPLICATION = "igny8"
PROFILE = PROJECT.parent / "verify" / "profiles" / APPLICATION


def back_up_sample(
    into: Path, *, scale: int = 1, seed: int = 7, until: datetime | None = None, seal: Seal | None = None
) -> Path:
    """Returns the new set's folder; the server it was made on is gone by then.

    Raises ServerUnavailable, BuildFailed or BackupFailed, and then no set was made."""
    run_id = secrets.token_hex(4)
    # A local server only: the sample's roles must not be made on anybody's own one.
    request = ServerRequest(run_id=run_id, choice="local")
    with (
        Guardian(run_id) as guardian,
        guardian.folder("the sample's files") as work,
        serve(request, guardian) as server,
    ):
        superuser = Superuser(server.host, server.port, server.user, server.password)
        built = build(superuser, work, scale=scale, seed=seed, until=until)
        return take_backup(
            _source(server, built.database),
            into,
            application=APPLICATION,
            sites_data=built.sites_data,
            logs=built.logs,
            seal=seal,
            profile=read_profile(PROFILE),
            pg_dump=server.clients.pg_dump,
            guardian=guardian,
            sample=True,
        )


def _source(server: Server, database: str) -> Source:
    return Source(
        {
            "host": server.host,
            "port": str(server.port),
            "user": server.user,
            "password": server.password,
            "dbname": database,
        }
    )


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: a whole set is there, its folder printed. 1: none was made."""
    chosen = _parser().parse_args(arguments)
    try:
        seal = Seal.to(chosen.encrypt_to) if chosen.encrypt_to else None
        began = time.monotonic()
        made = back_up_sample(chosen.into, scale=chosen.scale, seed=chosen.seed, until=chosen.until, seal=seal)
        print(made, flush=True)
        if not chosen.quiet:
            say_done(made, chosen.into, time.monotonic() - began, sample=True)
        if chosen.keep is not None:
            with sole_writer(chosen.into, APPLICATION):
                for name in thin_out(chosen.into, APPLICATION, chosen.keep):
                    print(f"removed {name}", file=sys.stderr)
    except (ServerUnavailable, BuildFailed, BackupFailed) as error:
        print(f"The sample was not backed up: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> CallParser:
    parser = CallParser(
        prog="python -m sample.backup",
        description="Makes the sample application's data on an ephemeral server and takes a backup set of it.",
    )
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="the folder that sets are kept in")
    parser.add_argument("--scale", type=_at_least_one, default=1, metavar="N", help="1: some MB; 100: several hundred")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="another seed, other data (7)")
    parser.add_argument("--until", type=_moment, metavar="TIME", help="when the data ends (2026-01-01T00:00:00+00:00)")
    parser.add_argument("--encrypt-to", action="append", metavar="KEY", help="age1… or gpg:FINGERPRINT")
    parser.add_argument("--quiet", action="store_true", help="print the set's folder alone")
    parser.add_argument("--keep", type=_at_least_one, metavar="N", help="remove all but the newest N sets afterwards")
    return parser


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return int(text)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("must say its offset from UTC, as in 2026-01-01T00:00:00+00:00")
    return moment


if __name__ == "__main__":
    sys.exit(main())
