#!/usr/bin/env python3
"""Builds the deployment packages, and holds what is built to its limits.

    package.py                         a zip for each architecture that this machine can build for
    package.py --into DIRECTORY ARCHITECTURE
                                       only its `bootstrap`, unpacked: what `sam build` asks for
    package.py --check BINARY          builds nothing: looks at a release build for this machine

    package.py --costs                 what each feature adds, as a table: builds the function once for each, for minutes

`--features`, or FEATURES in the environment, names what else the function is built with, separated by commas: features of
Cargo.toml, beside those that are its default. `none` among them leaves the default out: `none` alone, or `none,oauth`.

Each architecture gets the best that the installed targets of Rust can build: a static binary with musl, else a
dynamic one with glibc. It is said which, and why. Nothing is installed: `cargo lambda` would do that by itself.
"""

import argparse
import os
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE = "lambda-authorizer"
REPOSITORY = Path(__file__).resolve().parents[1]

# Lambda fetches and unpacks the zip at every cold start.
# What is reached, with little to spare; 2,400,000 is what is wanted: docs/performance.md has what stands in the way.
ZIP_LIMIT = 2_650_000
# Everything that `cargo tree` shows for the function, macros and itself included; not what only builds it.
CRATE_LIMIT = 115
# What a feature may add: bytes of the zip, and crates. Of those that Cargo.toml has as default it is within the limits above.
FEATURES = {"dynamodb": (200_000, 35), "introspection": (0, 0), "oauth": (0, 0), "possession": (0, 0), "saml": (180_000, 5)}
# Without those of the default.
NONE = "none"

# The architecture: as Rust calls it, and as an ELF header does.
ARCHITECTURES = {"arm64": ("aarch64", 183), "x86-64": ("x86_64", 62)}

# AWS-LC's CPU-jitter entropy reads the sizes of the caches from there, and nothing else of the function does. With
# it every start that fetches keys over TLS takes ten times as long: `.cargo/config.toml`, docs/start.md.
JITTER_ENTROPY = b"/sys/devices/system/cpu/cpu0/cache"

# The section that layout.ld makes, as the table of section names has it. Without it a start touches half as much of
# the binary again.
LAYOUT = b"\0.text.warm\0"


class Refused(Exception):
    """What was built, or can be built, is not what is to be deployed."""


def installed_targets():
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], check=True, capture_output=True, text=True).stdout
    return {directory.parent.name for directory in Path(sysroot.strip(), "lib", "rustlib").glob("*/lib")}


def chosen_target(architecture, installed):
    """The target to build for, and why it is that one."""
    rust, _ = ARCHITECTURES[architecture]
    static, dynamic = f"{rust}-unknown-linux-musl", f"{rust}-unknown-linux-gnu"
    missing = f"the Rust target {static} is not installed; hint: rustup target add {static}"
    if static in installed:
        return static, "static, with musl: it starts soonest"
    if dynamic in installed:
        return dynamic, f"dynamic, with glibc: {missing}"
    raise Refused(f"not built: {missing}")


def chosen_features(text):
    """The features by their names."""
    features = [name for name in text.replace(",", " ").split()]
    for name in features:
        if name not in FEATURES and name != NONE:
            raise Refused(f"`{name}` is no feature of the function\nhint: {NONE}, or one of {', '.join(FEATURES)}")
    return features


def with_features(features):
    added = [name for name in features if name != NONE]
    without = ["--no-default-features"] if NONE in features else []
    return [*without, "--features", ",".join(added)] if added else without


def allowed(features, place):
    return sum(FEATURES[name][place] for name in features if name != NONE)


def build(target, target_directory, features):
    """The stripped binary."""
    directory = target_directory / "package" / target
    command = ["cargo", "lambda", "build", "--release", "--locked", "--target", target, "--bin", PACKAGE]
    command += with_features(features)
    # What is printed to stdout is what was built, and nothing else.
    subprocess.run([*command, "--lambda-dir", directory], cwd=REPOSITORY, stdout=sys.stderr, check=True)
    return directory / PACKAGE / "bootstrap"


def inspect(binary):
    """The machine of a 64-bit ELF file, and whether it needs a dynamic linker."""
    content = binary.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01":
        raise Refused(f"{binary} is no 64-bit ELF file")
    (machine,) = struct.unpack_from("<H", content, 18)
    (headers,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    # PT_INTERP
    is_dynamic = any(struct.unpack_from("<I", content, headers + size * index) == (3,) for index in range(count))
    return machine, is_dynamic


def check_binary(binary, architecture, is_static):
    machine, is_dynamic = inspect(binary)
    if machine != ARCHITECTURES[architecture][1]:
        raise Refused(f"{binary} is not for {architecture}")
    if is_static and is_dynamic:
        raise Refused(f"{binary} is not static: it needs a dynamic linker")
    content = binary.read_bytes()
    if LAYOUT not in content:
        raise Refused(f"{binary} is not laid out\nhint: build.rs passes layout.ld to the linker")
    if JITTER_ENTROPY in content:
        hint = "hint: AWS_LC_SYS_NO_JITTER_ENTROPY=1, as .cargo/config.toml has it, must reach the build of aws-lc-sys"
        raise Refused(f"{binary} gathers CPU-jitter entropy at its first TLS handshake\n{hint}")


def pack(binary, archive):
    """A zip with nothing but the binary; the same for the same binary. Its size."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = 0o100755 << 16
    entry.create_system = 3
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(archive, "w", compresslevel=9) as file:
        file.writestr(entry, binary.read_bytes(), compresslevel=9)
    return archive.stat().st_size


def check_size(archive, size, features):
    limit = ZIP_LIMIT + allowed(features, 0)
    if size > limit:
        raise Refused(f"{archive} has {size:,} bytes, more than {limit:,}")


def crates(target, features):
    """The function's crates, each version once."""
    command = ["cargo", "tree", "--locked", "--package", PACKAGE, "--edges", "normal", "--prefix", "none"]
    command += with_features(features)
    tree = subprocess.run(
        [*command, "--format", "{p}", "--target", target], cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout
    # A proc macro and a crate seen before are marked behind their name and version.
    return {tuple(line.split()[:2]) for line in tree.splitlines() if line}


def check_crates(names, features):
    limit = CRATE_LIMIT + allowed(features, 1)
    if len(names) > limit:
        raise Refused(f"the function has {len(names)} crates, more than {limit}")


def host():
    """The architecture of this machine, and its target."""
    details = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    target = next(line.split()[1] for line in details.splitlines() if line.startswith("host:"))
    for architecture, (rust, _) in ARCHITECTURES.items():
        if target.startswith(rust):
            return architecture, target
    raise Refused(f"nothing is deployed for {target}")


def package(architecture, installed, target_directory, features):
    """One architecture's binary and a line that tells of it."""
    target, reason = chosen_target(architecture, installed)
    check_crates(crates(target, features), features)
    binary = build(target, target_directory, features)
    check_binary(binary, architecture, is_static=target.endswith("-musl"))
    return binary, reason


def package_all(installed, target_directory, features):
    built = 0
    for architecture in ARCHITECTURES:
        try:
            target, reason = chosen_target(architecture, installed)
        except Refused as refusal:
            print(f"{architecture:7} {refusal}")
            continue
        binary, _ = package(architecture, installed, target_directory, features)
        name = "-".join([PACKAGE, *features, architecture])
        archive = target_directory / "package" / f"{name}.zip"
        size = pack(binary, archive)
        check_size(archive, size, features)
        print(f"{architecture:7} {archive} ({size:,} bytes, {len(crates(target, features))} crates)\n{'':7} {reason}", flush=True)
        built += 1
    if not built:
        raise Refused("nothing was built")


def costs(installed, target_directory):
    """A row of docs/performance.md for the function with nothing, and for what each feature adds to it."""
    architecture, _ = host()
    target, _ = chosen_target(architecture, installed)
    archive = target_directory / "package" / "measured.zip"
    print(f"| {architecture}, {target} | binary | zipped | crates |\n|---|---|---|---|", flush=True)
    bare = None
    for features in [[NONE], *([NONE, name] for name in FEATURES), [], list(FEATURES)]:
        binary = build(target, target_directory, features)
        sizes = [binary.stat().st_size, pack(binary, archive), len(crates(target, features))]
        bare = bare or sizes
        is_alone = len(features) == 2 and NONE in features
        shown = [f"{size - less:+,}" if is_alone else f"{size:,}" for size, less in zip(sizes, bare, strict=True)]
        name = f"`{features[1]}` adds" if is_alone else {1: "none", 0: "the default"}.get(len(features), "all")
        print(f"| {name} | {' | '.join(shown)} |", flush=True)


def check(binary, target_directory):
    architecture, target = host()
    names = crates(target, [])
    check_crates(names, [])
    check_binary(binary, architecture, is_static=False)
    archive = target_directory / "package" / "checked.zip"
    size = pack(binary, archive)
    check_size(archive, size, [])
    print(f"{binary}: {size:,} of {ZIP_LIMIT:,} bytes zipped, {len(names)} of {CRATE_LIMIT} crates, no jitter entropy")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, metavar="DIRECTORY")
    parser.add_argument("--check", type=Path, metavar="BINARY")
    parser.add_argument("--costs", action="store_true")
    parser.add_argument("--features", default=os.environ.get("FEATURES", ""), metavar="NAMES")
    parser.add_argument("architecture", nargs="?", choices=ARCHITECTURES)
    arguments = parser.parse_args()
    if (arguments.into is None) != (arguments.architecture is None):
        parser.error("`--into` and an architecture belong together")
    target_directory = Path(os.environ.get("CARGO_TARGET_DIR") or "target")
    target_directory = (REPOSITORY / target_directory).resolve()
    try:
        features = chosen_features(arguments.features)
        if arguments.costs:
            costs(installed_targets(), target_directory)
        elif arguments.check:
            check(arguments.check, target_directory)
        elif arguments.into:
            binary, reason = package(arguments.architecture, installed_targets(), target_directory, features)
            shutil.copy2(binary, arguments.into / "bootstrap")
            print(f"{arguments.architecture}: {reason}")
        else:
            package_all(installed_targets(), target_directory, features)
    except Refused as refusal:
        sys.exit(f"error: {refusal}")
    except subprocess.CalledProcessError as failure:
        sys.exit(f"error: `{' '.join(map(str, failure.cmd))}` failed\n{failure.stderr or ''}".rstrip())


if __name__ == "__main__":
    main()
