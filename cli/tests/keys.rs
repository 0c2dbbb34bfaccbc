//! `authorizer keys fetch`, against a development issuer.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::path::{Path, PathBuf};
use std::process::Output;

use authorizer_cli::issuer::{Behaviour, DevelopmentIssuer, KEYS_PATH};
use authorizer_cli::signing::{Algorithm, SigningKey};
use lambda_authorizer::jwks::KeySetFile;
use tokio::process::Command;

const SECRET: &str = "https://user:s3cret@login.example.com/";

async fn fetch(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authorizer"));
    command.args(["keys", "fetch"]).args(arguments).output().await.unwrap()
}

fn file(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _not_there = std::fs::remove_file(&path);
    path
}

async fn issuer() -> DevelopmentIssuer {
    let keys = [(Algorithm::RS256, "one"), (Algorithm::ES384, "two")]
        .map(|(algorithm, kid)| SigningKey::generate(algorithm, kid).unwrap());
    DevelopmentIssuer::start(keys).await.unwrap()
}

#[tokio::test]
async fn an_issuers_keys_are_written_to_a_file_that_the_function_takes() {
    let issuer = issuer().await;
    let path = file("keys.json");
    let output = ["--issuer", issuer.url(), "--output", path.to_str().unwrap(), "--development"];
    let uri = issuer.jwks_uri();
    for more in [&[][..], &["--jwks-uri", uri.as_str()]] {
        let fetched = fetch(&[&output[..], more].concat()).await;
        let (table, talk) =
            (String::from_utf8_lossy(&fetched.stdout), String::from_utf8_lossy(&fetched.stderr));
        assert!(fetched.status.success(), "{talk}");
        for row in [
            "KEY ID  TYPE      BITS  VERIFIES\n",
            "one     RSA       2048  RS256\n",
            "two     EC P-384   384  ES384\n",
            "2 keys\n",
        ] {
            assert!(table.contains(row), "{table}");
        }
        let text = std::fs::read(&path).unwrap();
        let file = KeySetFile::parse(&text, issuer.url()).unwrap();
        assert!(file.keys.has(Some("one")) && file.keys.has(Some("two")));
        let now = f64::from(u32::try_from(authorizer_cli::issuer::unix_time()).unwrap());
        assert!((now - file.fetched_at).abs() < 60.0);
        std::fs::remove_file(&path).unwrap();
    }
}

#[tokio::test]
async fn keys_that_cannot_be_used_are_shown() {
    let issuer = issuer().await;
    let set = r#"{"keys":[{"kty":"oct","kid":"secret","k":"AAAA"},{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    issuer.publish(KEYS_PATH, set);
    let path = file("unusable.json");
    let place = ["--issuer", issuer.url(), "--output", path.to_str().unwrap()];
    let fetched = fetch(&[&place[..], &["--development", "--header", "x-key=1"]].concat()).await;
    let table = String::from_utf8(fetched.stdout).unwrap();
    for row in ["secret  unusable", "-       Ed25519    256  EdDSA Ed25519\n", "2 keys, 1 of them unusable\n"]
    {
        assert!(table.contains(row), "{table}");
    }
}

#[tokio::test]
async fn what_fails_is_told_and_leaves_the_file_alone() {
    let issuer = issuer().await;
    let path = file("untouched.json");
    std::fs::write(&path, "as it was").unwrap();
    let output = path.to_str().unwrap();
    let told = async |arguments: &[&str], code: i32| {
        let fetched = fetch(arguments).await;
        assert_eq!(fetched.status.code(), Some(code), "{arguments:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "as it was", "{arguments:?}");
        String::from_utf8(fetched.stderr).unwrap()
    };
    let needs = told(&["--output", output], 3).await;
    assert!(needs.ends_with("not provided:\n  --issuer <URL>\nhint: `authorizer --help` lists the commands, and `--help` behind one its options\n"), "{needs}");
    let unnamed = told(&["--issuer", issuer.url(), "--output", output, "--header", "s3cret"], 3).await;
    assert_eq!(unnamed, "error: a header field is `NAME=VALUE`\n");
    let plain = told(&["--issuer", issuer.url(), "--output", output], 3).await;
    assert!(
        plain.contains("`--issuer` is not an https URL") && plain.contains("hint: `--development`"),
        "{plain}"
    );
    for place in [&["--issuer", SECRET][..], &["--issuer", issuer.url(), "--jwks-uri", SECRET]] {
        let secret = told(&[place, &["--output", output]].concat(), 3).await;
        assert!(secret.contains("it holds a user or a password\nhint: "), "{secret}");
        assert!(!secret.contains("s3cret"), "{secret}");
    }
    let here = ["--issuer", issuer.url(), "--output", output, "--development"];
    issuer.behave(Behaviour::Status(403));
    assert_eq!(told(&here, 1).await, "error: discovery: the server answered with status 403\n");
    issuer.behave(Behaviour::Answer);
    issuer.publish(KEYS_PATH, r#"{"keys":[]}"#);
    assert!(told(&here, 1).await.starts_with("error: none of the 0 keys"));
}
