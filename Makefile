# Everything a person does with this suite, one target each: `make help` tells them.

PYTHON ?= python3
RUN ?= $(or $(OUT),reports/out)/latest
export RUN

# Images of Python set it to stay small. Here each drill and each worker of the tests would compile all modules anew, and
# rewrite every test: a third of a second a drill, five a worker. What is kept lies in __pycache__; make clean removes it.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
IN_VENV := $(VENV)/bin/python
RESTORE_DRILL := $(IN_VENV) -m fixtures.commands
INSTALLED := $(VENV)/requirements.lock
# What develops the suite is three times as large as what drills.
DEVELOPING := $(VENV)/requirements-dev.lock
SAMPLE_SETS := sample/backups
LOCKER := uv==0.13.9
UV := $(VENV)/locker/bin/uv
EXTRAS := $(foreach extra,sample s3 sftp http encryption pdf,--extra $(extra))
OSCAL := $(VENV)/oscal/requirements.lock
SITE := $(VENV)/docs/requirements.lock
RELEASING := $(VENV)/release/requirements.lock

# The applications that nobody here wrote, each at two releases: an environment of its own for each.
APPS := clinics openwisp oscar rentals wagtail
APP_RELEASES := $(foreach app,$(APPS),$(app)-older $(app)-newer)
APP_VENVS := .venv-apps

# A server's address may hold a password: it goes by the environment, as it was typed, and no recipe names it.
export DRILL_SERVER := $(or $(value SERVER),$(value DRILL_SERVER),auto)

# On a server that was named the drill's user may be a superuser, if this is not empty.
export DRILL_SCRATCH_SUPERUSER := $(or $(value SCRATCH_SUPERUSER),$(value DRILL_SCRATCH_SUPERUSER))

# The key that vouches for the report; what unlocks it stays in the environment (DRILL_SIGNING_PASSPHRASE), or in a file.
export DRILL_SIGNING_KEY := $(or $(value SIGNING_KEY),$(value DRILL_SIGNING_KEY))

# The key under which samples are masked; without it they can be compared with no other drill's.
export DRILL_MASK_KEY := $(or $(value MASK_KEY),$(value DRILL_MASK_KEY))

OWN_SET := $(BACKUPS)$(SET)$(BEFORE)$(APP)$(APP_PYTHON)$(PROFILE)
OWN_DATABASE := $(DATABASE_URL)$(PGSERVICE)$(PGHOST)$(PGDATABASE)$(INTO)$(SITES_DATA)$(NO_FILES)$(UPLOADS)$(LOGS)

# A name that is misspelt would leave its value unread, and the sample would be drilled in its stead.
KNOWN := APP APPLICATION APP_PYTHON BACK BACKUPS BEFORE CACHE COMMIT CONTINUE DATABASE_URL DAYS EMPTY_QUEUES ENCRYPT_TO EVERY FINDING FLEET FOR HISTORY IMAGE_BASE INTO KEEP KEEP_INTO KEEP_OLD LOGS MASK_KEY MERGE \
  NO_FILES OFFSITE OUT POSTGRES_BIN PREVIOUS PROFILE PROVE PUBLIC_KEY PYTHON REHEARSE REPLACE RESTORE_CACHE RESTORE_CACHE_DAYS RESTORE_CACHE_GB RESUME REVIEWER REVIEWER_KEY \
  ROUNDS RUN RUNS SCALES SCRATCH_SUPERUSER SEED SERVER SET SIGNING_KEY SITES_DATA SUITE TABLE TENANT UNDRILLED UPGRADE UPLOADS WORKERS YES
KNOWN_DRILL := $(addprefix DRILL_,AGE_IDENTITY GPG_PASSPHRASE HEARTBEAT_OTHER HEARTBEAT_VERIFIED HTTP_AUTHORIZATION MASK_KEY NOTIFY \
  SCRATCH_SUPERUSER SERVER SFTP_KEY SFTP_KNOWN_HOSTS SFTP_PASSWORD SIGNING_KEY SIGNING_PASSPHRASE \
  SIGNING_PASSPHRASE_FILE)
# What other programs read may be typed behind make as well; of the environment, only DRILL_… is ours to know.
typed = $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
unknown = $(filter-out $(KNOWN) $(KNOWN_DRILL) PG% AWS_% TMPDIR CI,$(typed)) \
  $(filter-out $(KNOWN_DRILL) $(typed),$(filter DRILL_%,$(.VARIABLES)))
$(if $(strip $(unknown)),$(error $(firstword $(unknown)) is no name that this Makefile reads. It reads $(KNOWN), and from the \
  environment $(KNOWN_DRILL)))

# Half of what is needed is refused while this file is read: before anything is made or started.
asked = $(filter $(1),$(MAKECMDGOALS))
need = $(foreach name,$(1),$(if $(value $(name)),,$(error $(name) is missing. $(2))))
OWN_SET_WAY = Your own backups: make drill BACKUPS=DIR APP=DIR PROFILE=NAME. The sample: make drill, with none of \
  BACKUPS, SET, BEFORE, APP, APP_PYTHON and PROFILE given or in the environment
OWN_DATABASE_WAY = Your own database: make backup INTO=DIR SITES_DATA=DIR (NO_FILES=yes where it keeps none). The sample: make \
  backup, with none of INTO, SITES_DATA, NO_FILES, UPLOADS, LOGS, DATABASE_URL, PGSERVICE, PGHOST and PGDATABASE given or in the environment
PROFILE_WAY = make profile BACKUPS=DIR|URL INTO=verify/profiles/NAME, and APP=DIR where the checkout is at hand. To go on with \
  a profile that is there: CONTINUE=DIR, not INTO
$(if $(call asked,profile),$(call need,BACKUPS $(if $(value CONTINUE),,INTO),$(PROFILE_WAY)))
RECOVER_WAY = The application: PGHOST=… PGDATABASE=… make recover BACKUPS=DIR|URL APP=DIR PROFILE=NAME SITES_DATA=DIR (NO_FILES=yes \
  where it keeps none). One tenant: TENANT=KEY BACKUPS=DIR|URL PROFILE=NAME SITES_DATA=DIR (NO_FILES=1 for rows alone). One that was broken off: RESUME=JOURNAL
CHECK_WAY = make check-profile BACKUPS=DIR|URL PROFILE=NAME, and RESTORE_CACHE=DIR to restore once
$(if $(call asked,check-profile),$(call need,BACKUPS PROFILE,$(CHECK_WAY)))
EXPLAIN_WAY = make explain TABLE=NAME, and RUN=reports/out/RUN-ID where the latest is not meant
$(if $(call asked,explain),$(call need,TABLE,$(EXPLAIN_WAY)))
$(if $(and $(call asked,drill prove gate),$(OWN_SET)),$(call need,BACKUPS APP PROFILE,$(OWN_SET_WAY)))
$(if $(and $(call asked,backup),$(OWN_DATABASE)),$(call need,INTO $(if $(PROFILE)$(NO_FILES),,SITES_DATA),$(OWN_DATABASE_WAY)))

# Of the environment it may be meant for another target.
$(if $(and $(call asked,drill prove demo),$(filter PREVIOUS,$(typed))),$(if $(call asked,gate),,$(error PREVIOUS is read by make gate \
  alone: a drill tries no release. Use make gate PREVIOUS=…, or leave it out)))

$(if $(and $(call asked,drill prove demo),$(filter HISTORY,$(typed))),$(if $(call asked,gate),,$(error HISTORY is read by make gate \
  alone: a drill is held against those of its OUT. Use make gate HISTORY=DIR, or leave it out)))

# What the caller gave reaches recipes by the environment, and is quoted there: a path may hold a space.
given = $(if $(value $(1)),$(2) "$$$(1)")

# A drill decides by the size of what it restored, unless it is told. The suite's own tests take every core.
ASKED_WORKERS = $(if $(value WORKERS),--workers "$$WORKERS")
EVERY_CORE = -n"$${WORKERS:-$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}"

PROVING = $(if $(call asked,prove),--prove all,$(call given,PROVE,--prove))

# Off unless asked: what is kept there is every customer's data.
KEEPING = $(call given,RESTORE_CACHE,--restore-cache) $(call given,RESTORE_CACHE_GB,--restore-cache-gb) \
  $(call given,RESTORE_CACHE_DAYS,--restore-cache-days)

# Which set of one's own, with what, and where its report goes.
CHOOSING = $(call given,SET,--set) $(call given,SEED,--seed) $(call given,BEFORE,--before) $(call given,CACHE,--cache) $(KEEPING) \
  $(call given,APP_PYTHON,--app-python) $(call given,POSTGRES_BIN,--postgres-bin) $(call given,OUT,--out)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv drill prove demo gate list backup prune profile check-profile explain test test-all test-apps venv-apps lint schema map docs image picture release report comment allure lock lock-apps bench clean keys verify-report \
  fleet-matrix fleet-report recover sign-off remove-old remove-leftovers resolve FORCE

## help    show this text
help:
	@sed -n 's/^## /  make /p' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "Your own backups: BACKUPS=DIR|URL APP=DIR PROFILE=NAME|DIR and, where wanted, SET=NAME, SET=random or BEFORE=TIME (not the"
	@echo "  newest), CACHE=DIR (keeps what a URL's sets hold), RESTORE_CACHE=DIR (keeps what was restored, for the next"
	@echo "  drill of the same dump: RESTORE_CACHE_GB=20 RESTORE_CACHE_DAYS=7), APP_PYTHON=FILE (not APP/.venv/bin/python), OUT=DIR,"
	@echo "  PROVE=all or none (proves what [proof] allows), WORKERS=N (none: as many as the restored database is worth),"
	@echo "  POSTGRES_BIN=DIR, SERVER=local or container."
	@echo "  With a server of your own, keep its password off command lines: SERVER=postgresql://… make drill BACKUPS=…"
	@echo "A release to try: PREVIOUS=DIR or a commit of APP, where the release before it runs on beside it;"
	@echo "  HISTORY=DIR, the OUT of the nightly drills: the report says what is new since the last of them."
	@echo "Your own database: DATABASE_URL or PGHOST, PGDATABASE and the like in the environment, INTO=DIR SITES_DATA=DIR"
	@echo "  and, where wanted, UPLOADS=DIR LOGS=DIR PROFILE=NAME (tells each tenant's share) APPLICATION=NAME KEEP=N"
	@echo "  ENCRYPT_TO=KEY (age1… or gpg:FINGERPRINT) OFFSITE=DIR|URL (a copy there as well)"
	@echo
	@echo "make itself ends with 2 whatever went wrong, and tells the drill's own exit code as Error 1, 2 or 3:"
	@echo "  0 VERIFIED, 1 FAILED, 2 or more: could not tell. The verdict is in reports/out/latest/evidence.json too."

## venv    make .venv from requirements.lock (the others do so by themselves), and the command .venv/bin/restore-drill
venv: $(INSTALLED) $(VENV)/bin/restore-drill

## drill   back up the sample and drill that set; or drill your own set: BACKUPS=DIR APP=DIR PROFILE=NAME
drill: $(INSTALLED)
ifeq ($(OWN_SET),)
	@$(RESTORE_DRILL) demo $(PROVING) $(ASKED_WORKERS) $(KEEPING) $(call given,POSTGRES_BIN,--postgres-bin) $(call given,OUT,--out)
else
	@echo "Drilling $${SET:-the newest set} of the backups that were named"
	@$(RESTORE_DRILL) drill $(PROVING) $(ASKED_WORKERS) --backups "$$BACKUPS" --app "$$APP" --profile "$$PROFILE" $(CHOOSING)
endif

## prove   the same, and after each check its own fault is planted in the drill's copy and must be found
prove: drill

## demo    drill the sample: what make drill does when nothing is named
demo: $(INSTALLED)
	@$(RESTORE_DRILL) demo $(PROVING) $(ASKED_WORKERS) $(call given,POSTGRES_BIN,--postgres-bin) $(call given,OUT,--out)

## gate    try a release on a backup, GO or NO-GO: APP=DIR (the release) BACKUPS=DIR PROFILE=NAME (none: the sample)
gate: $(INSTALLED)
ifeq ($(OWN_SET),)
	@$(RESTORE_DRILL) demo --gate $(PROVING) $(ASKED_WORKERS) $(KEEPING) $(call given,PREVIOUS,--previous) \
	  $(call given,HISTORY,--history) $(call given,POSTGRES_BIN,--postgres-bin) $(call given,OUT,--out)
else
	@echo "Trying the release on $${SET:-the newest set} of the backups that were named"
	@$(RESTORE_DRILL) gate $(PROVING) $(ASKED_WORKERS) --backups "$$BACKUPS" --app "$$APP" --profile "$$PROFILE" \
	  $(call given,PREVIOUS,--previous) $(call given,HISTORY,--history) $(CHOOSING)
endif

## list    list the backup sets, newest first, without a drill: BACKUPS=DIR|URL (none: the sample's)
list: $(INSTALLED)
	@$(RESTORE_DRILL) list --backups "$${BACKUPS:-$(SAMPLE_SETS)}" $(call given,PROFILE,--profile)

## backup  take a backup set of the sample; or of your own database: INTO=DIR SITES_DATA=DIR (or NO_FILES=yes)
backup: $(INSTALLED)
ifeq ($(OWN_DATABASE),)
	@echo "Taking a backup set of the sample into $(SAMPLE_SETS)"
	@$(IN_VENV) -m sample.backup --into $(SAMPLE_SETS) $(call given,KEEP,--keep) $(call given,ENCRYPT_TO,--encrypt-to)
else
	@echo "Taking a backup set into $$INTO"
	@$(RESTORE_DRILL) backup --into "$$INTO" $(call given,SITES_DATA,--sites-data) $(if $(NO_FILES),--no-files) \
	  $(call given,UPLOADS,--uploads) $(call given,LOGS,--logs) $(call given,PROFILE,--profile) \
	  $(call given,APPLICATION,--application) $(call given,OFFSITE,--offsite) $(call given,KEEP,--keep) $(call given,ENCRYPT_TO,--encrypt-to)
endif

## prune   tell which backup sets the profile's schedule keeps no longer; remove them: YES=1. BACKUPS=DIR|URL PROFILE=NAME OUT=DIR
prune: $(INSTALLED)
	$(call need,BACKUPS PROFILE,Where the sets lie and whose schedule it is: make prune BACKUPS=DIR|URL PROFILE=NAME OUT=DIR)
	@$(RESTORE_DRILL) prune --backups "$$BACKUPS" --profile "$$PROFILE" $(call given,OUT,--out) $(if $(YES),--yes)

# Its own database is production, and goes by the environment as for a backup.
## recover recover the whole application: BACKUPS=DIR|URL APP=DIR PROFILE=NAME SITES_DATA=DIR; or one tenant of it: TENANT=KEY MERGE=1
recover: $(INSTALLED)
ifneq ($(RESUME),)
	@$(RESTORE_DRILL) recover --resume "$$RESUME" $(if $(BACK),--back) $(if $(YES),--yes)
else ifeq ($(TENANT),)
	$(call need,BACKUPS APP PROFILE $(if $(NO_FILES),,SITES_DATA),$(RECOVER_WAY))
	@$(RESTORE_DRILL) recover --backups "$$BACKUPS" --app "$$APP" --profile "$$PROFILE" $(call given,SITES_DATA,--sites-data) \
	  $(if $(NO_FILES),--no-files) $(call given,UPLOADS,--uploads) $(call given,SET,--set) $(call given,OUT,--out) \
	  $(call given,APP_PYTHON,--app-python) $(if $(UNDRILLED),--undrilled) $(if $(EMPTY_QUEUES),--empty-queues) \
	  $(if $(REHEARSE),--rehearse) $(if $(YES),--yes) $(call given,KEEP_OLD,--keep-old) $(call given,KEEP,--keep) \
	  $(call given,KEEP_INTO,--keep-into) $(call given,ENCRYPT_TO,--encrypt-to) $(call given,POSTGRES_BIN,--postgres-bin)
else
	$(call need,BACKUPS PROFILE,Whom and from where: PGHOST=… PGDATABASE=… make recover TENANT=KEY BACKUPS=DIR|URL PROFILE=NAME SITES_DATA=DIR)
	@$(RESTORE_DRILL) recover-tenant "$$TENANT" --backups "$$BACKUPS" --profile "$$PROFILE" $(call given,SET,--set) \
	  $(call given,OUT,--out) $(if $(UNDRILLED),--undrilled) $(if $(MERGE),--merge) $(if $(YES),--yes) \
	  $(call given,REPLACE,--replace) $(call given,SITES_DATA,--sites-data) $(call given,UPLOADS,--uploads) \
	  $(if $(NO_FILES),--no-files) $(call given,POSTGRES_BIN,--postgres-bin)
endif

## profile draft a profile from a backup set: BACKUPS=DIR|URL INTO=verify/profiles/NAME (or CONTINUE=DIR: append what is new), APP=DIR SET=NAME
profile: $(INSTALLED)
	@$(RESTORE_DRILL) profile --backups "$$BACKUPS" $(call given,INTO,--into) $(call given,CONTINUE,--continue) $(call given,SET,--set) \
	  $(call given,APP,--app) $(call given,POSTGRES_BIN,--postgres-bin)

## check-profile  say what each line of a profile does on a restored set, without a drill: BACKUPS=DIR|URL PROFILE=NAME
check-profile: $(INSTALLED)
	@$(RESTORE_DRILL) check-profile "$$PROFILE" --backups "$$BACKUPS" $(call given,SET,--set) \
	  $(call given,RESTORE_CACHE,--restore-cache) $(call given,POSTGRES_BIN,--postgres-bin)

## explain show what the profile says of a table, and which controls touch it: TABLE=NAME, by RUN (the latest) or BACKUPS PROFILE
explain: $(INSTALLED)
	@$(RESTORE_DRILL) explain "$$TABLE" $(if $(value BACKUPS),--backups "$$BACKUPS",--run "$$RUN") \
	  $(call given,SET,--set) $(call given,PROFILE,--profile) $(call given,POSTGRES_BIN,--postgres-bin)

## test    run the suite's own tests in minutes; the last lines count what they leave to test-all
test: $(DEVELOPING) $(OSCAL)
	@$(IN_VENV) -m pytest tests --ignore tests/apps -m "not whole and not further" $(EVERY_CORE) --dist worksteal

## test-all  run all of the suite's own tests, with whole drills; the last lines name what this machine cannot run
test-all: $(DEVELOPING) $(OSCAL) $(RELEASING)
	@$(IN_VENV) -m pytest tests --ignore tests/apps $(EVERY_CORE) --dist worksteal

## venv-apps  install the applications that test-apps drills
venv-apps: $(APP_RELEASES:%=$(APP_VENVS)/%/requirements.lock)

## test-apps  drill applications from PyPI, from one release to a later one (installs them into .venv-apps)
test-apps: $(DEVELOPING) venv-apps
	@$(IN_VENV) -m pytest tests/apps $(EVERY_CORE) --dist loadscope

## lint    run ruff and strict mypy
lint: $(DEVELOPING)
	@$(IN_VENV) -m ruff check .
	@$(IN_VENV) -m ruff format --check .
	@$(IN_VENV) -m mypy

## schema  write the JSON schemas and their documents from the shapes
schema: $(DEVELOPING)
	@$(IN_VENV) -m reports.schema
	@$(IN_VENV) -m fixtures.profile.schema

## map     draw docs/map.svg: the rooms and their imports
map: $(DEVELOPING)
	@$(IN_VENV) -m docs.draw_map

## docs    build the documents as a site, in docs/site; a link that leads nowhere ends it
docs: $(SITE)
	@$(dir $(SITE))bin/python docs/build_site.py

## picture draw docs/report.png, the README's picture of a report (needs Chromium): RUN=reports/out/RUN-ID (the latest)
picture: $(INSTALLED)
	@$(IN_VENV) -m docs.draw_report "$$RUN"

## release build wheel, sdist, SBOM and SHA256SUMS of this commit, in dist/: a version that CHANGELOG.md has and no tag
release: $(RELEASING)
	@$(dir $(RELEASING))bin/python .ci/release/make_release.py

## image   build the container image restore-drill of this commit, pulling nothing: SUITE=bookworm|trixie, or IMAGE_BASE=IMAGE
image: $(RELEASING) $(UV)
	@deploy/image/build $(abspath $(UV)) $(abspath $(dir $(RELEASING))bin/python)

## report  render a drill's documents again: RUN=reports/out/RUN-ID (the latest)
report: $(INSTALLED)
	@$(RESTORE_DRILL) report "$$RUN"

# An empty COMMIT is handed on, and refused: nothing would be compared with what git could not tell.
## comment write the summary as a comment on a GitHub pull request, edited by later runs: RUN=reports/out/RUN-ID (the latest) COMMIT=ID
comment: $(INSTALLED)
	@$(RESTORE_DRILL) comment "$$RUN" $(if $(filter undefined,$(origin COMMIT)),,--commit "$$COMMIT")

## allure  build a drill's Allure page (needs Node.js and npm): RUN=reports/out/RUN-ID (the latest)
allure: $(INSTALLED)
	@echo "Building the Allure page of $$RUN"
	@$(IN_VENV) -m reports.allure "$$RUN"

## lock    write requirements.lock (drills) and requirements-dev.lock (tests) from pyproject.toml (UPGRADE=1: with the newest versions)
lock: $(UV)
	@echo "Locking with $(LOCKER)"
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile --quiet --universal --generate-hashes \
	  --python-version 3.11 $(EXTRAS) $(if $(UPGRADE),--upgrade) -o requirements.lock pyproject.toml
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile --quiet --universal --generate-hashes \
	  --python-version 3.11 $(EXTRAS) --extra dev --constraint requirements.lock $(if $(UPGRADE),--upgrade) \
	  -o requirements-dev.lock pyproject.toml

## lock-apps  write the other lock files, from tests/apps/*/requirements/*.in, tests/oscal, docs and .ci/release
lock-apps: $(UV)
	@echo "Locking with $(LOCKER)"
	@set -e; for wanted in $(APPS:%=tests/apps/%/requirements/older) $(APPS:%=tests/apps/%/requirements/newer) \
	  tests/oscal/requirements docs/requirements .ci/release/requirements; do \
	  UV_CUSTOM_COMPILE_COMMAND="make lock-apps" $(UV) pip compile --quiet --universal --generate-hashes \
	    --python-version 3.11 -o $$wanted.lock $$wanted.in; done

## bench   measure speed, as ratios within one run: SCALES=1,10,100 ROUNDS=3 (minutes; prints a page)
bench: $(DEVELOPING)
	@$(IN_VENV) -m bench $(call given,SCALES,--scales) $(call given,ROUNDS,--rounds)

## keys    make the key pair that signs drills: INTO=DIR (then: make drill SIGNING_KEY=DIR/drill-signing.key)
keys: $(INSTALLED)
	$(call need,INTO,A folder that only the drill reads: make keys INTO=DIR)
	@$(RESTORE_DRILL) keys "$$INTO"

## verify-report  check a report's signature, files and ledger: RUN=reports/out/RUN-ID PUBLIC_KEY=FILE EVERY=HOURS
verify-report: $(INSTALLED)
	@$(RESTORE_DRILL) verify-report "$$RUN" $(call given,PUBLIC_KEY,--public-key) \
	  $(call given,REVIEWER_KEY,--reviewer-key) $(call given,EVERY,--every)

## fleet-matrix  print the matrix of many databases' drills: FOR=github|gitlab|jenkins|kubernetes FLEET=FILE (fleet.toml)
fleet-matrix: $(INSTALLED)
	$(call need,FOR,Whose scheduler takes it: make fleet-matrix FOR=github)
	@$(RESTORE_DRILL) fleet matrix --for "$$FOR" $(call given,FLEET,--fleet)

## fleet-report  check the reports of many databases; one page, one verdict: RUNS=DIR|URL PUBLIC_KEY=FILE FLEET=FILE INTO=DIR
fleet-report: $(INSTALLED)
	$(call need,RUNS PUBLIC_KEY,Where each database has its folder of reports: make fleet-report RUNS=DIR|URL PUBLIC_KEY=FILE)
	@$(RESTORE_DRILL) fleet report --runs "$$RUNS" --public-key "$$PUBLIC_KEY" $(call given,FLEET,--fleet) \
	  $(call given,INTO,--into)

## sign-off  sign that a report was reviewed: RUN=reports/out/RUN-ID REVIEWER=NAME SIGNING_KEY=FILE
sign-off: $(INSTALLED)
	$(call need,REVIEWER SIGNING_KEY,The reviewer and their own key: make sign-off RUN=… REVIEWER=NAME SIGNING_KEY=FILE)
	@$(RESTORE_DRILL) sign-off "$$RUN" --reviewer "$$REVIEWER" --signing-key "$$SIGNING_KEY"

## remove-old  remove old reports, never the last VERIFIED one, and no line of the ledger: DAYS=N OUT=DIR
remove-old: $(INSTALLED)
	$(call need,DAYS,How many days reports are kept: make remove-old DAYS=400)
	@$(RESTORE_DRILL) remove-old "$${OUT:-reports/out}" --days "$$DAYS"

## remove-leftovers  remove what killed drills left on this machine, and on a server of your own: SERVER=postgresql://…
remove-leftovers: $(INSTALLED)
	@$(RESTORE_DRILL) remove-leftovers

## resolve show the rows behind a finding's masks, on this terminal only: FINDING=F-… MASK_KEY=FILE RUN=…
resolve: $(INSTALLED)
	$(call need,FINDING,The finding as the report tells it: make resolve FINDING=F-… MASK_KEY=FILE)
	@$(RESTORE_DRILL) resolve "$$FINDING" --run "$$RUN" $(call given,BACKUPS,--backups) $(call given,APP,--app) \
	  $(call given,APP_PYTHON,--app-python) $(call given,POSTGRES_BIN,--postgres-bin)

## clean   remove .venv, caches, dist/ and the sample's sets; reports of drills stay
clean:
	rm -rf $(VENV) $(APP_VENVS) dist docs/site .mypy_cache .ruff_cache .pytest_cache $(SAMPLE_SETS) reports/allure/node_modules tests/axe/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install_lock = uv --version >/dev/null 2>&1 && \
	  uv pip install --quiet --python $(IN_VENV) --require-hashes --compile-bytecode -r $< || \
	  $(IN_VENV) -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r $<

# The copy of the lock in .venv is the mark of a whole installation of that very lock. uv is used where there is one, and pip
# where there is none or it fails: it reads no pip.conf.
$(INSTALLED): requirements.lock $(if $(shell test -x $(IN_VENV) || echo missing),FORCE)
	@if test -x $(IN_VENV) && cmp -s $< $@; then touch $@; exit 0; fi; set -e; \
	refuse() { echo "$$*" >&2; exit 1; }; \
	command -v "$(PYTHON)" >/dev/null || refuse "There is no $(PYTHON) here. Install Python 3.11 or newer" \
	  "(Debian: apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3"; \
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || refuse \
	  "$(PYTHON) is $$("$(PYTHON)" -V 2>&1); 3.11 or newer is needed. Install one, or name it: make PYTHON=/path/to/python3"; \
	"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || refuse "$(PYTHON) cannot make a virtual environment:" \
	  "its venv module is missing (Debian: apt-get install python3-venv)"; \
	echo "Making $(VENV) with $$("$(PYTHON)" -V)"; \
	"$(PYTHON)" -m venv --clear $(VENV); \
	$(install_lock); \
	cp $< $@

$(VENV)/bin/restore-drill: fixtures/commands/front/in_checkout.sh $(INSTALLED)
	@install -m 755 $< $@

$(DEVELOPING): requirements-dev.lock $(INSTALLED)
	@if cmp -s $< $@; then touch $@; exit 0; fi; set -e; \
	echo "Adding what develops and tests the suite"; \
	$(install_lock); \
	cp $< $@

$(UV): | $(INSTALLED)
	@$(IN_VENV) -m pip install -qq --disable-pip-version-check --upgrade --target $(VENV)/locker $(LOCKER)

# What reads OSCAL is as large as the suite itself, and only the tests want it: an environment of its own. So has what makes the site,
# and what makes a release.
$(OSCAL): tests/oscal/requirements.lock | $(UV)
$(SITE): docs/requirements.lock | $(UV)
$(RELEASING): .ci/release/requirements.lock | $(UV)
$(OSCAL) $(SITE) $(RELEASING):
	@echo "Installing $<"
	@$(UV) venv --quiet --clear --python $(IN_VENV) $(@D)
	@$(UV) pip sync --quiet --python $(@D)/bin/python --require-hashes $<
	@cp $< $@

# As above: the copy of the lock is the mark of a whole installation of it. Compiled here, since drills write no bytecode.
define app_venv
$(APP_VENVS)/$(1)-$(2)/requirements.lock: tests/apps/$(1)/requirements/$(2).lock | $(UV)
	@echo "Installing $(1), its $(2) release"
	@$(UV) venv --quiet --clear --python $(IN_VENV) $$(@D)
	@$(UV) pip sync --quiet --python $$(@D)/bin/python --require-hashes --compile-bytecode $$<
	@cp $$< $$@
endef
$(foreach app,$(APPS),$(foreach release,older newer,$(eval $(call app_venv,$(app),$(release)))))
