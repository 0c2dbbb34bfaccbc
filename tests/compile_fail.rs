//! What must not compile does not, and for the reason that counts. A `compile_fail` in the documentation
//! would also be content with a spelling mistake.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test looks for what was built, and fails by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io::Write as _};

const IMPORTS: &str = "use lambda_authorizer::claims::Claims; use lambda_authorizer::credential::CredentialKind; use lambda_authorizer::verify::{Identity, Principal};";

/// A `Principal` comes from a verification and from nowhere else.
#[test]
fn a_principal_is_made_by_verification_only() {
    for (error, function) in [
        (None, "fn look(principal: &Principal) -> Claims { principal.claims().clone() }"),
        (
            Some("E0451"),
            "fn forge(claims: Claims, kind: CredentialKind) -> Principal {
                Principal { issuer: \"https://issuer.example/\".into(), key_id: None, kind, claims }
            }",
        ),
        (
            Some("E0616"),
            "fn promote(mut principal: Principal, claims: Claims) { principal.claims = claims; }",
        ),
        (Some("E0308"), "fn convert(claims: Claims) -> Principal { Principal::from(claims) }"),
        (Some("E0599"), "fn conjure() -> Principal { Principal::default() }"),
        (Some("E0624"), "fn vouch() { let _ = Principal::vouched_for; }"),
        (None, "fn claim(claims: Claims) -> Identity { Identity { key_id: None, claims } }"),
        (Some("E0308"), "fn believe(identity: Identity) -> Principal { Principal::from(identity) }"),
    ] {
        assert_eq!(compile(&format!("{IMPORTS} pub {function}")).as_deref(), error, "{function}");
    }
}

/// The code of the first error; `None` when it compiles.
fn compile(source: &str) -> Option<String> {
    let dependencies = env::current_exe().unwrap().parent().unwrap().to_owned();
    let mut compiler = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["-", "--crate-type=lib", "--edition=2024", "--emit=metadata", "--error-format=short"])
        .arg("-o")
        .arg(dependencies.join("compile_fail.rmeta"))
        .arg("-L")
        .arg(format!("dependency={}", dependencies.display()))
        .arg("--extern")
        .arg(format!("lambda_authorizer={}", library(&dependencies).display()))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    compiler.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    let output = compiler.wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let code = errors.split("error[").nth(1).and_then(|rest| rest.split(']').next());
    assert_eq!(output.status.success(), code.is_none(), "{errors}");
    code.map(str::to_owned)
}

/// The library that this very test was built with, or a later build of it.
fn library(directory: &Path) -> PathBuf {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("liblambda_authorizer-") && name.ends_with(".rlib")
    };
    files.filter(is_ours).max_by_key(|path| path.metadata().unwrap().modified().unwrap()).unwrap()
}
