"""The application's logs and those of the publishing sync, one of the latter for each active site."""

from pathlib import Path

from . import canary
from .outline import Outline
from .publishing import history


def write_logs(outline: Outline, folder: Path) -> None:
    sync = folder / "publish-sync-logs"
    sync.mkdir(parents=True, exist_ok=True)
    random = outline.random("logs")
    moments = sorted(outline.any_moment(random) for _ in range(500 * min(outline.scale, 20)))
    lines = [f"{at.isoformat()} INFO igny8 request {n} took {random.randrange(900)} ms" for n, at in enumerate(moments)]
    lines.insert(10, f"{moments[10].isoformat()} ERROR igny8 {canary.SENTENCE} ({canary.TENANT_SLUG})")
    (folder / "app.log").write_text("\n".join(lines) + "\n")
    for site in outline.sites:
        if site.version is not None:
            told = [f"site {site.id} v{version} {status}\n" for version, status in history(site)]
            (sync / f"site-{site.id}.log").write_text("".join(told))
