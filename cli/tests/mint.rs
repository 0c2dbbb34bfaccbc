//! `authorizer mint`, and what the function makes of its tokens.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use authorizer_cli::mint::Broken;
use lambda_authorizer::config::Config;
use lambda_authorizer::event::Event;
use lambda_authorizer::io::Edges;
use lambda_authorizer::{Authorizer, Level};
use serde_json::{Value, json};

/// An empty directory of this test's own.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _not_there = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn mint(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_authorizer"))
        .args(["mint", "--key", "key.pem"])
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn token(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    let token = printed.strip_suffix('\n').unwrap();
    assert!(!token.contains(char::is_whitespace), "{printed}");
    token.to_owned()
}

/// What the function answers, with the reason of a refusal in the context.
async fn answer(directory: &Path, token: &str) -> Value {
    let toml = "development = true\n[[issuer]]\nurl = 'https://issuer.development.invalid/'\naudience = 'orders-api'\n
        jwks_file = 'jwks.json'\n[response]\nreason_key = 'reason'\n";
    let config = Config::parse(toml, Some(directory)).map_err(|error| error.to_string()).unwrap();
    let authorizer = Authorizer::new(config, Level::Fatal, Edges::of_this_machine());
    let payload = json!({
        "type": "TOKEN",
        "authorizationToken": format!("Bearer {token}"),
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/orders",
    });
    let event = Event { payload: &payload.to_string(), invocation_id: "1", deadline: None };
    let answer = authorizer.authorize(event).await.ok().unwrap();
    serde_json::from_str(answer.as_str()).unwrap()
}

fn effect(answer: &Value) -> &str {
    answer.pointer("/policyDocument/Statement/0/Effect").and_then(Value::as_str).unwrap()
}

#[tokio::test]
async fn the_function_takes_a_token_of_every_algorithm() {
    for algorithm in lambda_authorizer::jwks::Algorithm::ALL {
        let directory = directory(&format!("mint-{}", algorithm.name()));
        let arguments = ["--algorithm", algorithm.name(), "--jwks", "jwks.json", "--claim", "level=3"];
        let answer = answer(&directory, &token(&mint(&directory, &arguments))).await;
        assert_eq!((effect(&answer), &answer["principalId"]), ("Allow", &json!("user-7f1c")), "{answer}");
    }
}

#[tokio::test]
async fn a_broken_token_is_refused_for_its_reason() {
    let directory = directory("mint-broken");
    let sound = token(&mint(&directory, &["--jwks", "jwks.json"]));
    assert_eq!(effect(&answer(&directory, &sound).await), "Allow");
    for broken in Broken::ALL {
        let output = mint(&directory, &["--broken", broken.name()]);
        let answer = answer(&directory, &token(&output)).await;
        assert_eq!(effect(&answer), "Deny", "{}", broken.name());
        assert_eq!(answer["context"]["reason"], broken.reason().name(), "{}", broken.name());
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.ends_with(&format!("refused with `{}`\n", broken.reason().name())), "{told}");
    }
}

#[test]
fn a_key_is_made_once_and_for_its_owner_alone() {
    let directory = directory("mint-key");
    let first = mint(&directory, &["--claim", "a=1"]);
    token(&first);
    let made = String::from_utf8(first.stderr).unwrap();
    assert!(made.starts_with("made a key for ES256: `key.pem`\n"), "{made}");
    let file = directory.join("key.pem");
    let key = fs::read_to_string(&file).unwrap();
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let again = mint(&directory, &["--jwks", "jwks.json"]);
    token(&again);
    assert!(!String::from_utf8(again.stderr).unwrap().contains("made a key"));
    assert_eq!(fs::read_to_string(&file).unwrap(), key);
    let published = fs::read_to_string(directory.join("jwks.json")).unwrap();
    assert!(!published.contains("\"d\"") && published.contains("P-256"), "{published}");

    let other = mint(&directory, &["--algorithm", "RS256"]);
    assert_eq!((other.status.code(), other.stdout.as_slice()), (Some(1), &b""[..]));
    let told = String::from_utf8(other.stderr).unwrap();
    assert!(told.contains("is one for ES256, and does not sign with RS256\nhint: "), "{told}");
}

#[test]
fn a_file_of_claims_gives_way_to_what_is_typed() {
    use base64::Engine as _;
    let directory = directory("mint-claims");
    fs::write(directory.join("claims.json"), r#"{"scope": "a", "org": {"tier": "gold"}}"#).unwrap();
    let token =
        token(&mint(&directory, &["--claims", "claims.json", "--claim", "scope=b c", "--claim", "aud=null"]));
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((&claims["scope"], &claims["org"]["tier"]), (&json!("b c"), &json!("gold")));
    assert!(claims.get("aud").is_none());

    fs::write(directory.join("list.json"), "[]").unwrap();
    let list = mint(&directory, &["--claims", "list.json"]);
    assert_eq!(list.status.code(), Some(1));
    assert!(String::from_utf8(list.stderr).unwrap().contains("`list.json` is no JSON object"));
}

/// Whoever trusts the key would take the token for the real issuer's.
#[test]
fn nothing_is_made_for_a_real_issuers_name() {
    let directory = directory("mint-real");
    for arguments in
        [&["--issuer", "https://login.example.com/"][..], &["--issuer", "https://a.test@login.example.com/"]]
    {
        let output = mint(&directory, &[arguments, &["--jwks", "jwks.json"]].concat());
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b""[..]), "{arguments:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("may be a real issuer's name"));
    }
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
    fs::write(directory.join("claims.json"), r#"{"iss": "https://login.example.com/"}"#).unwrap();
    for claims in [["--claim", "iss=https://login.example.com/"], ["--claims", "claims.json"]] {
        let claimed = mint(&directory, &claims);
        assert_eq!((claimed.status.code(), claimed.stdout.as_slice()), (Some(3), &b""[..]), "{claims:?}");
    }
    assert!(!directory.join("key.pem").exists());
}

#[tokio::test]
async fn a_token_may_have_expired_before_it_is_made() {
    let directory = directory("mint-past");
    for (seconds, expected) in [("-500", "Deny"), ("500", "Allow")] {
        let token = token(&mint(&directory, &["--jwks", "jwks.json", "--expires-in", seconds]));
        assert_eq!(effect(&answer(&directory, &token).await), expected, "{seconds}");
    }
}

/// The caller was verified: only the policy could not be made.
#[test]
fn the_rules_are_explained_to_a_caller_whose_policy_is_too_large() {
    let directory = directory("mint-large");
    let teams: Vec<String> = (0..30).map(|team| format!("team-{team:016}")).collect();
    let claim = format!("teams={}", json!(teams));
    let token = token(&mint(&directory, &["--jwks", "jwks.json", "--claim", &claim]));
    let routes: Vec<String> =
        (0..8).map(|part| format!("GET /teams/{{claims.teams}}/documents-of-the-part-{part}")).collect();
    let config = format!(
        "development = true\n[[issuer]]\nurl = 'https://issuer.development.invalid/'\naudience = 'orders-api'\n
        jwks_file = 'jwks.json'\n[[rule]]\nname = 'team'\nroutes = {}\nrequires = 'authenticated'\n",
        json!(routes)
    );
    fs::write(directory.join("authorizer.toml"), config).unwrap();
    let explained = |token: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_authorizer"))
            .args(["explain", "--request", "GET /teams/a", "--token", token])
            .current_dir(&directory)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let large = explained(&token);
    assert!(large.contains("policy_too_large") && large.contains("team: "), "{large}");
    assert!(!large.contains("for want of a verified caller"), "{large}");
    assert!(explained("a.b.c").contains("rules: 1, not looked at for want of a verified caller"));
}
