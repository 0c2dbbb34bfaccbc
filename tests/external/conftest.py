"""What all these tests start from. A tool that is missing is a failure, not a reason to skip."""

import os
from pathlib import Path

import pytest
from harness import KeyServer
from issuer import Issuer


@pytest.fixture(scope="session")
def binary():
    """The built function."""
    path = Path(os.environ.get("LAMBDA_AUTHORIZER_BINARY", ""))
    assert path.is_absolute() and path.is_file(), (
        "LAMBDA_AUTHORIZER_BINARY is not the absolute path of the built function\n  hint: `make external` sets it"
    )
    return path


@pytest.fixture(scope="session")
def featured():
    """The same, built with every feature."""
    path = Path(os.environ.get("LAMBDA_AUTHORIZER_FEATURED", ""))
    assert path.is_absolute() and path.is_file(), (
        "LAMBDA_AUTHORIZER_FEATURED is not the absolute path of the function with every feature\n"
        "  hint: `make external` sets it"
    )
    return path


@pytest.fixture(scope="session")
def bare():
    """The same, built with none."""
    path = Path(os.environ.get("LAMBDA_AUTHORIZER_BARE", ""))
    assert path.is_absolute() and path.is_file(), (
        "LAMBDA_AUTHORIZER_BARE is not the absolute path of the function without any feature\n"
        "  hint: `make external` sets it"
    )
    return path


@pytest.fixture(scope="session")
def cli():
    """The built command line tool."""
    path = Path(os.environ.get("LAMBDA_AUTHORIZER_CLI", ""))
    assert path.is_absolute() and path.is_file(), (
        "LAMBDA_AUTHORIZER_CLI is not the absolute path of the built `authorizer`\n  hint: `make external` sets it"
    )
    return path


@pytest.fixture(scope="module")
def key_server():
    with KeyServer() as server:
        yield server


@pytest.fixture(scope="module")
def issuer(key_server):
    """An issuer whose key set is published."""
    return Issuer.start(key_server)
