"""The public validators find nothing: a mere warning is a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from translated import TEMPLATE, mutated

TOOLS = Path(sys.executable).parent

VALIDATORS = {
    "cfn-lint": ["cfn-lint", "--"],
    "sam validate --lint": ["sam", "validate", "--lint", "--template-file"],
    "sam validate": ["sam", "validate", "--region", "us-east-1", "--template-file"],
}


def run(validator, template, home):
    command, *arguments = VALIDATORS[validator]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # `sam` keeps an installation id in the home directory, and phones home unless told not to.
    environment |= {"SAM_CLI_TELEMETRY": "0", "HOME": str(home), "AWS_DEFAULT_REGION": "us-east-1"}
    return subprocess.run(
        [TOOLS / command, *arguments, template], cwd=home, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("validator", VALIDATORS)
def test_is_clean(validator, tmp_path):
    finished = run(validator, TEMPLATE, tmp_path)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize(
    ("validator", "pattern", "replacement"),
    [
        ("cfn-lint", r"AutoDeploy: true", "AutoDeploys: true"),
        ("sam validate --lint", r"AutoDeploy: true", "AutoDeploys: true"),
        # A REQUEST authorizer without identity source: only the translator minds.
        ("sam validate", r"^( *FunctionPayloadType: REQUEST\n.*\n.*\n) *Headers: .*\n", r"\1"),
    ],
)
def test_can_fail(validator, pattern, replacement, tmp_path):
    faulty = tmp_path / "template.yaml"
    faulty.write_text(mutated(TEMPLATE.read_text(encoding="utf-8"), pattern, replacement), encoding="utf-8")
    assert run(validator, faulty, tmp_path).returncode != 0
