"""Reads OSCAL assessment results with compliance-trestle, in its own environment: what NIST's model refuses ends it."""

import argparse
import sys
from pathlib import Path

from trestle.core.validator_factory import validator_factory
from trestle.oscal.assessment_results import AssessmentResults

for name in sys.argv[1:]:
    results = AssessmentResults.oscal_read(Path(name))
    if results is None:
        sys.exit(f"{name} was not read")
    if not validator_factory.get(argparse.Namespace(mode="all")).model_is_valid(results, False, None):
        sys.exit(f"{name} is not valid")
    print(len(results.results[0].observations or ()))
