//! Tells the linker which functions lie together in what is deployed: docs/performance.md, "Where the code lies".

#![expect(clippy::disallowed_methods, reason = "a build script is told by its environment")]

use std::env;

const LAYOUT: &str = "layout.ld";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={LAYOUT}");
    let is = |variable, value| env::var(variable).is_ok_and(|found| found == value);
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        let directory = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{directory}/{LAYOUT}");
    }
}
