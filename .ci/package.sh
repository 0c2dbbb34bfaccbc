#!/usr/bin/env bash
# Builds the deployment packages: for arm64 where Rust's target for it is installed, for x86-64 everywhere.
set -euo pipefail

# cargo-lambda would install a missing target by itself; that is the owner's decision.
installed=$(ls "$(rustc --print sysroot)/lib/rustlib")
target_directory=${CARGO_TARGET_DIR:-target}

package() {
    local architecture=$1
    local directory=$target_directory/package/$architecture
    cargo lambda build --release --locked "--$architecture" --bin lambda-authorizer \
        --output-format zip --lambda-dir "$directory"
    local zip=$directory/lambda-authorizer/bootstrap.zip
    printf '%-7s %s (%d bytes)\n' "$architecture" "$zip" "$(wc -c <"$zip")"
}

if grep -qx aarch64-unknown-linux-gnu <<<"$installed"; then
    package arm64
else
    echo 'arm64   not built: the Rust target is not installed; hint: rustup target add aarch64-unknown-linux-gnu'
fi
package x86-64
