"""Reads the queries behind a drill's results from `queries.jsonl`, and writes them so that they can be pasted."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from fixtures.record.evidence import Evidence, Result
from fixtures.record.queries import FILE, AskedTogether, Query


def texts_by_digest(evidence: Evidence, directory: Path) -> dict[str, str]:
    """The queries of each digest as one text; none where the file is not the one that the evidence names."""
    file = directory / FILE
    content = file.read_bytes() if evidence.queries_sha256 and file.exists() else b""
    if hashlib.sha256(content).hexdigest() != evidence.queries_sha256:
        return {}
    try:
        lines = [AskedTogether.model_validate_json(line) for line in content.splitlines()]
    except ValidationError:
        return {}
    return {each.sha256: "\n\n".join(map(_pasted, each.queries)) for each in lines}


def queries_of(results: Iterable[Result], queries: Mapping[str, str]) -> dict[str, str]:
    """The queries that these results name, each digest once, in the order of the results."""
    digests = dict.fromkeys(result.query_sha256 for result in results)
    return {sha256: queries[sha256] for sha256 in digests if sha256 in queries}


def _pasted(query: Query) -> str:
    """One statement, ended; where values were given, which ones stand for each `%s`."""
    parameters = f"-- put in for each %s, in this order: {', '.join(query.parameters)}\n" if query.parameters else ""
    text = query.text.strip().removesuffix(";").rstrip()
    # A comment at the end would take in the semicolon.
    end = "\n;" if "--" in text.splitlines()[-1] else ";"
    return f"{parameters}{text}{end}"
