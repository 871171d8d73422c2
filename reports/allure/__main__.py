"""The command that builds the Allure page of one drill."""

import sys
from pathlib import Path

from fixtures.record.wrong_call import CallParser
from reports.allure.build import AllureFailed, build


def main() -> int:
    parser = CallParser(prog="python -m reports.allure", description="Build a drill's Allure page.")
    parser.add_argument("run", type=Path, metavar="RUN_DIRECTORY", help="the folder that holds allure-results")
    try:
        print(build(parser.parse_args().run))
    except AllureFailed as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
