"""The command that renders a drill's documents again from its evidence."""

import sys
from pathlib import Path

from pydantic import ValidationError

from fixtures.record.evidence import Evidence
from fixtures.record.shape import why_not_strict
from fixtures.record.wrong_call import CallParser, run_folder
from reports.render import render
from reports.words import EVIDENCE


def main(arguments: list[str] | None = None) -> int:
    parser = CallParser(prog="restore-drill report", description="Render a drill's documents again.")
    parser.add_argument("run", type=run_folder, metavar="RUN_DIRECTORY", help=f"the folder that holds {EVIDENCE}")
    run: Path = parser.parse_args(arguments).run
    try:
        evidence = Evidence.model_validate_json((run / EVIDENCE).read_bytes())
    except OSError as error:
        print(f"{run / EVIDENCE} cannot be read: {error.strerror}. Give the folder of one run.", file=sys.stderr)
        return 2
    except ValidationError as error:
        places = ", ".join(".".join(map(str, problem["loc"])) or "the file" for problem in error.errors()[:3])
        why = why_not_strict(error) or f"see {places}"
        print(
            f"{run / EVIDENCE} is not evidence that this version reads ({why}). "
            "Render it with the version of the suite that wrote it.",
            file=sys.stderr,
        )
        return 2
    for path in render(evidence, run):
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
