"""The words of a drill: one word for one thing, in every document."""

WORDS = (
    ("backup set", "The dump, the archive of sites data, and the uploads, logs, roles and manifest taken with it."),
    ("manifest", "What the source held at the instant of the dump's own snapshot."),
    ("profile", "What one application promises: its tenant root, money tables, sites and tolerances."),
    ("drill", "One run, from locating the backup set to tearing the server down."),
    ("stage", "One step of a drill."),
    ("record", "What the stages found, as data."),
    ("control", "One thing that must hold, with an id that an auditor can cite."),
    ("subject", "What one control is tried on: a table, a reference, a ledger, a site."),
    ("check", "One control tried on one subject."),
    ("passed", "Tried, and it held. The number examined says on how much."),
    ("failed", "Tried, and it did not hold."),
    ("blocked", "Could not be tried, with the reason. It is never a pass."),
    ("waived", "Failed, and somebody accepted it, by name, until a date."),
    ("exempt", "The profile says, with its reason, that this application has nothing to try it on."),
    ("evidence", "Every control on every subject with its outcome, for one drill."),
    ("RPO", "How old the backup may be: the work that a recovery from it would lose."),
    ("RTO", "How long a recovery may take."),
    ("VERIFIED", "Every check that was planned was made, and none found a fault that nobody has accepted."),
    ("FAILED", "At least one check found a fault, or the drill left something behind."),
    ("INCONCLUSIVE", "No fault was found, but not everything could be tried."),
)
