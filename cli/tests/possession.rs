//! Tokens that are bound to a key of the client, from `mint` and `prove` to `explain`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails as the test does")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::Value;

const CONFIGURATION: &str = "development = true
[[issuer]]
url = 'https://issuer.development.invalid/'
audience = 'orders-api'
jwks_file = 'jwks.json'
proof_of_possession = ['dpop', 'mutual_tls']
[gateway]
cache_seconds = 0
";

/// An empty directory with a configuration.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _not_there = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("authorizer.toml"), CONFIGURATION).unwrap();
    path
}

fn authorizer(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_authorizer")).args(arguments).current_dir(directory).output().unwrap()
}

fn printed(directory: &Path, arguments: &[&str]) -> String {
    let output = authorizer(directory, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn mint(directory: &Path, arguments: &[&str]) -> String {
    let usual = ["mint", "--key", "key.pem", "--jwks", "jwks.json"];
    printed(directory, &[&usual, arguments].concat())
}

/// The reason for which this request is denied; `None` where it is allowed.
fn reason(directory: &Path, token: &str, arguments: &[&str]) -> Option<String> {
    let usual = ["explain", "--token", token, "--format", "json"];
    let output = authorizer(directory, &[&usual, arguments].concat());
    let explained: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert!(!explained.to_string().contains(token));
    let decision = explained.get("decision").unwrap();
    let code = decision.pointer("/reason/code").and_then(Value::as_str).map(str::to_owned);
    assert_eq!(decision.get("verdict").unwrap() == "allow", code.is_none());
    code
}

/// Rule C9, as somebody tries it by hand.
#[test]
fn a_bound_token_is_explained_with_its_proof() {
    let directory = directory("possession-dpop");
    let token = mint(&directory, &["--dpop-key", "client.pem"]);
    let prove =
        |key: &str, request: &str| printed(&directory, &["prove", request, "--key", key, "--token", &token]);
    let own = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com";
    for (kind, asked, url) in [
        ("rest-request", "GET /orders/7?page=2", format!("GET https://{own}/dev/orders/7?page=2")),
        ("http-1.0", "GET /orders/7", format!("GET https://{own}/dev/orders/7")),
        ("http-2.0", "GET /orders/7", format!("GET https://{own}/dev/orders/7")),
        ("websocket", "$connect", format!("GET wss://{own}/dev")),
    ] {
        let request = ["--request", asked, "--kind", kind];
        let proof = prove("client.pem", &url);
        let found = |proof: &str| reason(&directory, &token, &[&request[..], &["--proof", proof]].concat());
        assert_eq!(found(&proof), None, "{kind}");
        assert_eq!(
            found(&prove("client.pem", &url.replace("/dev", "/prod"))),
            Some("dpop_proof_invalid".to_owned())
        );
        assert_eq!(found(&prove("thief.pem", &url)), Some("dpop_proof_invalid".to_owned()));
        let bearer = reason(&directory, &token, &request);
        assert_eq!(bearer.as_deref(), Some("token_sender_constrained"), "{kind}");
    }
    let proof = prove("client.pem", "GET https://api.example.com/v1/orders/7");
    for (domain, expected) in [("api.example.com/v1", None), ("api.example.com", Some("dpop_proof_invalid"))]
    {
        let request = ["--request", "GET /orders/7", "--domain", domain, "--proof", &proof];
        assert_eq!(reason(&directory, &token, &request).as_deref(), expected, "{domain}");
    }
    let plain = ["--request", "GET /orders/7", "--proof", &proof];
    assert_eq!(reason(&directory, &mint(&directory, &[]), &plain).as_deref(), Some("token_unbound"));
}

/// RFC 8705, section 3.1.
#[test]
fn a_certificate_bound_token_is_explained_with_its_certificate() {
    let directory = directory("possession-certificate");
    for name in ["own", "other"] {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::OrganizationName, "Example, Inc.");
        let signed = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        fs::write(
            directory.join(format!("{name}.pem")),
            pem::encode(&pem::Pem::new("CERTIFICATE", signed.der().to_vec())),
        )
        .unwrap();
    }
    let token = mint(&directory, &["--client-certificate", "own.pem"]);
    for kind in ["rest-request", "http-1.0", "http-2.0"] {
        let request = ["--request", "GET /orders/7", "--kind", kind];
        for (certificate, expected) in [("own.pem", None), ("other.pem", Some("client_certificate_mismatch"))]
        {
            let with = [&request[..], &["--client-certificate", certificate]].concat();
            assert_eq!(reason(&directory, &token, &with).as_deref(), expected, "{kind}");
        }
        let without = reason(&directory, &token, &request);
        assert_eq!(without.as_deref(), Some("client_certificate_missing"), "{kind}");
    }
    for file in ["none.pem", "key.pem"] {
        let output = authorizer(&directory, &["mint", "--key", "key.pem", "--client-certificate", file]);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{file}");
    }
}

#[test]
fn a_proof_is_of_a_method_and_a_url() {
    let directory = directory("possession-prove");
    for request in ["", "GET", "GET /orders", "get https://a.example/", "https://a.example/"] {
        let output = authorizer(&directory, &["prove", request, "--key", "client.pem"]);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b""[..]), "{request}");
    }
    assert!(!directory.join("client.pem").exists());
    let claims = |arguments: &[&str]| {
        let usual = ["prove", "POST https://a.example/token?b=c#d", "--key", "client.pem"];
        let proof = printed(&directory, &[&usual, arguments].concat());
        let payload = proof.split('.').nth(1).unwrap();
        let octets = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload);
        serde_json::from_slice::<Value>(&octets.unwrap()).unwrap()
    };
    let without = claims(&[]);
    assert_eq!((without.get("ath"), without.get("htu").unwrap()), (None, &"https://a.example/token".into()));
    fs::write(directory.join("token"), "a.b.c\n").unwrap();
    let [typed, of_file] = [claims(&["--token", "a.b.c"]), claims(&["--token-file", "token"])];
    assert!(typed.get("ath").is_some());
    assert_eq!(typed.get("ath"), of_file.get("ath"));
    assert_ne!(typed.get("jti"), of_file.get("jti"));
}
