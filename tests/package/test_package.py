"""What `make package` holds a package to, and that each check can fail. It builds nothing."""

import stat
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".ci"))

import package  # noqa: E402

STATIC = {"arm64": "aarch64-unknown-linux-musl", "x86-64": "x86_64-unknown-linux-musl"}
DYNAMIC = {"arm64": "aarch64-unknown-linux-gnu", "x86-64": "x86_64-unknown-linux-gnu"}
MACHINES = {name: machine for name, (_, machine) in package.ARCHITECTURES.items()}


def elf(path, machine, segments, content=package.LAYOUT):
    """The smallest file that tells its machine and the types of its segments."""
    header = bytearray(64)
    header[:6] = b"\x7fELF\x02\x01"
    header[18:20] = machine.to_bytes(2, "little")
    header[32:40] = (64).to_bytes(8, "little")
    header[54:56] = (56).to_bytes(2, "little")
    header[56:58] = len(segments).to_bytes(2, "little")
    table = b"".join(kind.to_bytes(4, "little") + bytes(52) for kind in segments)
    path.write_bytes(bytes(header) + table + content)
    return path


LOAD, INTERPRETER = 1, 3


@pytest.mark.parametrize("architecture", package.ARCHITECTURES)
def test_the_static_target_is_taken_where_it_is_installed(architecture):
    target, reason = package.chosen_target(architecture, {STATIC[architecture], DYNAMIC[architecture]})
    assert target == STATIC[architecture]
    assert reason.startswith("static")


@pytest.mark.parametrize("architecture", package.ARCHITECTURES)
def test_without_it_the_dynamic_one_is_and_the_reason_is_told(architecture):
    target, reason = package.chosen_target(architecture, {DYNAMIC[architecture]})
    assert target == DYNAMIC[architecture]
    assert f"hint: rustup target add {STATIC[architecture]}" in reason


@pytest.mark.parametrize(("architecture", "other"), [("arm64", "x86-64"), ("x86-64", "arm64")])
def test_nothing_is_built_for_another_architecture_than_was_asked_for(architecture, other):
    with pytest.raises(package.Refused, match=f"rustup target add {STATIC[architecture]}"):
        package.chosen_target(architecture, {STATIC[other], DYNAMIC[other]})


def test_what_is_installed_has_this_machine():
    _, target = package.host()
    assert target in package.installed_targets()


@pytest.mark.parametrize("architecture", package.ARCHITECTURES)
def test_a_binary_is_for_its_architecture(architecture, tmp_path):
    binary = elf(tmp_path / "bootstrap", MACHINES[architecture], [LOAD])
    package.check_binary(binary, architecture, is_static=True)
    for other in set(MACHINES) - {architecture}:
        with pytest.raises(package.Refused, match=f"not for {other}"):
            package.check_binary(binary, other, is_static=True)


def test_a_static_binary_needs_no_dynamic_linker(tmp_path):
    binary = elf(tmp_path / "bootstrap", MACHINES["arm64"], [LOAD, INTERPRETER])
    package.check_binary(binary, "arm64", is_static=False)
    with pytest.raises(package.Refused, match="not static"):
        package.check_binary(binary, "arm64", is_static=True)


def test_a_real_binary_is_read(tmp_path):
    machine, _ = package.inspect(Path(sys.executable).resolve())
    assert machine in MACHINES.values()
    (tmp_path / "script").write_text("#!/bin/sh\n")
    with pytest.raises(package.Refused, match="no 64-bit ELF"):
        package.inspect(tmp_path / "script")


def test_jitter_entropy_is_noticed(tmp_path):
    text = package.LAYOUT + package.JITTER_ENTROPY + b"\0"
    binary = elf(tmp_path / "bootstrap", MACHINES["x86-64"], [LOAD], text)
    with pytest.raises(package.Refused, match="AWS_LC_SYS_NO_JITTER_ENTROPY"):
        package.check_binary(binary, "x86-64", is_static=True)


def test_a_binary_is_laid_out(tmp_path):
    binary = elf(tmp_path / "bootstrap", MACHINES["x86-64"], [LOAD], b"\0.text\0")
    with pytest.raises(package.Refused, match="layout.ld"):
        package.check_binary(binary, "x86-64", is_static=True)


def test_a_zip_holds_an_executable_and_is_the_same_each_time(tmp_path):
    binary = elf(tmp_path / "built", MACHINES["arm64"], [LOAD], b"text" * 1000)
    archives = [tmp_path / "first.zip", tmp_path / "second.zip"]
    for archive in archives:
        assert package.pack(binary, archive) == archive.stat().st_size
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with zipfile.ZipFile(archives[0]) as file:
        (entry,) = file.infolist()
        assert entry.filename == "bootstrap"
        assert stat.S_IMODE(entry.external_attr >> 16) == 0o755
        assert file.read(entry) == binary.read_bytes()


def test_a_zip_has_its_limit():
    package.check_size(Path("small.zip"), package.ZIP_LIMIT, [])
    with pytest.raises(package.Refused, match="2,650,001 bytes"):
        package.check_size(Path("large.zip"), package.ZIP_LIMIT + 1, [])


def test_a_feature_may_cost_what_is_said_of_it_and_no_more():
    package.check_size(Path("featured.zip"), package.ZIP_LIMIT + 200_000, ["dynamodb"])
    with pytest.raises(package.Refused, match="more than 2,850,000"):
        package.check_size(Path("large.zip"), package.ZIP_LIMIT + 200_001, ["dynamodb"])


def test_features_are_known_by_their_names():
    assert package.chosen_features("") == []
    assert package.chosen_features(" dynamodb ") == ["dynamodb"]
    assert package.chosen_features("none,oauth") == ["none", "oauth"]
    with pytest.raises(package.Refused, match="hint: none, or one of dynamodb, "):
        package.chosen_features("dynamo")


def test_the_default_may_be_left_out_and_things_added_one_by_one():
    for text, arguments in [
        ("", []),
        ("dynamodb", ["--features", "dynamodb"]),
        ("none", ["--no-default-features"]),
        ("none,oauth,possession", ["--no-default-features", "--features", "oauth,possession"]),
    ]:
        assert package.with_features(package.chosen_features(text)) == arguments
    package.check_size(Path("bare.zip"), package.ZIP_LIMIT, ["none"])
    with pytest.raises(package.Refused, match="more than 2,650,000"):
        package.check_size(Path("bare.zip"), package.ZIP_LIMIT + 1, ["none", "oauth"])


def test_the_features_are_those_of_the_function():
    manifest = tomllib.loads((package.REPOSITORY / "Cargo.toml").read_text())
    # What only the developer's tool is built with.
    own = set(manifest["features"]) - {"api", "default", "schema"}
    assert own == set(package.FEATURES) and set(manifest["features"]["default"]) <= own


@pytest.mark.parametrize("feature", ["dynamodb", "saml"])
def test_a_feature_only_adds_crates(feature):
    _, target = package.host()
    plain, featured = package.crates(target, []), package.crates(target, [feature])
    assert plain < featured
    assert not [name for name, _ in plain if name.startswith(("aws-", "bergshamra")) and "lc" not in name]
    assert len(featured) - len(plain) <= package.FEATURES[feature][1]
    package.check_crates(featured, [feature])


def test_crates_of_a_feature_are_not_given_away():
    _, target = package.host()
    with pytest.raises(package.Refused, match="crates"):
        package.check_crates(package.crates(target, ["dynamodb"]), [])


def test_crates_have_their_limit():
    names = {("crate", f"v{number}") for number in range(package.CRATE_LIMIT)}
    package.check_crates(names, [])
    with pytest.raises(package.Refused, match="116 crates"):
        package.check_crates(names | {("another", "v1")}, [])


def test_crates_are_counted_once_for_each_version():
    _, target = package.host()
    names = package.crates(target, [])
    assert ("lambda-authorizer", "v0.1.0") in names
    assert len([name for name, _ in names if name == "serde"]) == 1
    # The developer's tool is none of the function's crates.
    assert not [name for name, _ in names if name == "authorizer-cli"]
