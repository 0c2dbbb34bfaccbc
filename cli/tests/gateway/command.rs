//! The command itself.

use std::process::Stdio;

use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::support::{described, last, options, send, send_to};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authorizer"));
    command.arg("gateway").args(arguments).env_remove("AUTHORIZER_CONFIG").kill_on_drop(true);
    command
}

#[tokio::test]
async fn it_says_where_everything_is_and_serves_it() {
    let arguments = ["--listen", "127.0.0.1:0", "--issuer", "127.0.0.1:0", "--kind", "http-2.0"];
    let mut process = command(&arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let (mut address, mut said) = (None, String::new());
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(rest) = line.strip_prefix("http://").filter(|rest| rest.contains("API `")) {
            address = rest.split(' ').next().map(str::to_owned);
        }
        said += &format!("{line}\n");
        if line.starts_with("strict: an answer") {
            break;
        }
    }
    for part in
        ["GET /orders ", "development issuer", "-d grant_type=client_credentials", "strict: the error"]
    {
        assert!(said.contains(part), "{said}");
    }
    let answer = send_to(address.unwrap().parse().unwrap(), "GET /orders", &[], "").await;
    assert_eq!(answer.status, 401);
    let line = lines.next_line().await.unwrap().unwrap();
    assert!(line.starts_with("GET /orders: 401 (identity_source_missing"), "{line}");
}

#[tokio::test]
async fn what_cannot_be_is_said_with_what_to_do() {
    for (arguments, expected) in [
        (&["--kind", "soap"][..], "there are rest-token, rest-request"),
        (&["--route", "GET"], "`GET` is no route"),
        (&["--route", "$default"], "is no route"),
        (&["--route", "FETCH /a"], "`FETCH /a` is no route"),
        (&["--route", "GET /a//b"], "/a//b"),
        (&["--route", "GET orders"], "`GET orders` is no route"),
        (&["--route", "GET /orders/**"], "hint: write `{proxy+}`"),
        (&["--cache-seconds", "9999"], "3600"),
        (&["--config", "none.toml"], "hint: `--config` names"),
        (&["--api", "none.yaml"], "cannot read `none.yaml`"),
        (&["--api", "a.yaml", "--route", "GET /a"], "cannot be used with"),
        (&["--config", "none.toml"], "cannot read `none.toml`"),
        (&["--client", "id"], "a client is `ID:SECRET`"),
        (&["--issuer", "0.0.0.0:0", "--listen", "127.0.0.1:0"], "is not on loopback"),
        (&["--backend", "ftp://a"], "is no URL of a backend"),
        (&["--kind", "rest-token", "--validation", "("], "validation expression cannot be read"),
        (&["--frobnicate"], "--frobnicate"),
    ] {
        let free = if arguments.contains(&"--issuer") { &[][..] } else { &["--issuer", "127.0.0.1:0"] };
        let output = command(&[arguments, free].concat()).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "{arguments:?}: {said}");
        let is_of_routes = arguments.contains(&"--route") || arguments.contains(&"--cache-seconds");
        assert!(!is_of_routes || output.status.code() == Some(3), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_said() {
    let gateway = LocalGateway::start(&options("rest-request")).await.unwrap();
    let taken = GatewayOptions { listen: gateway.addresses()[0].1, ..options("rest-request") };
    let error = LocalGateway::start(&taken).await.err().unwrap().to_string();
    assert!(error.contains("cannot listen on") && error.contains("hint: "), "{error}");
}

#[tokio::test]
async fn an_address_that_others_reach_is_warned_about() {
    let open = GatewayOptions { listen: "0.0.0.0:0".parse().unwrap(), ..options("rest-request") };
    assert!(LocalGateway::start(&open).await.unwrap().greeting().contains("warning: `0.0.0.0:"));
    assert!(!LocalGateway::start(&options("rest-request")).await.unwrap().greeting().contains("warning"));
}

#[tokio::test]
async fn the_help_has_every_option() {
    let output = command(&["--help"]).output().await.unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for option in [
        "--api",
        "--route",
        "--kind",
        "--identity-source",
        "--validation",
        "--cache-seconds",
        "--stage",
        "--config",
        "--function",
        "--backend",
        "--issuer",
        "--client",
        "--listen",
        "--source-ip",
        "--history",
    ] {
        assert!(help.contains(&format!("  {option} ")), "{option}");
    }
}

#[tokio::test]
async fn what_aws_would_not_deploy_is_warned_about() {
    let simple = |is_simple: bool, sources: &str| {
        json!({"openapi": "3.0.1", "paths": {"/orders": {"get": {"security": [{"lambda": []}]}}}, "components": {
            "securitySchemes": {"lambda": {"x-amazon-apigateway-authorizer": {"type": "request",
                "identitySource": sources, "authorizerPayloadFormatVersion": "2.0", "enableSimpleResponses": is_simple}}}}})
    };
    let source = "$request.header.X-Token";
    let config = "[[issuer]]\nurl = 'https://issuer.development.invalid/'\naudience = 'orders-api'\njwks_uri = 'http://127.0.0.1:9/'\n
        [[identity_source]]\nfrom = 'header'\nname = 'X-Secret'\nscheme = 'none'\n";
    let config = format!("development = true\n{config}");
    let wrong = described("kind-differs", &simple(true, source), Some(&config)).await;
    assert!(
        wrong.greeting().contains("warning: authorizer `lambda`: it expects simple responses"),
        "{}",
        wrong.greeting()
    );
    let answer = send(&wrong, "GET /orders?a=1", &["X-Token: t", "X-Secret: opaque-secret"]).await;
    let record = last(&wrong);
    assert_eq!((answer.status, record["reason"].as_str()), (500, Some("answer_malformed")));
    assert!(!record.to_string().contains("opaque-secret"), "{record}");
    let right = described("kind-fits", &simple(false, source), Some(&config)).await;
    assert!(!right.greeting().contains("warning"), "{}", right.greeting());

    let rest = |sources: &str, seconds: u32| {
        json!({"openapi": "3.0.1", "paths": {"/orders": {"get": {"security": [{"lambda": []}]}}}, "components": {
            "securitySchemes": {"lambda": {"type": "apiKey", "in": "header", "name": "Unused",
                "x-amazon-apigateway-authorizer": {"type": "request", "identitySource": sources,
                    "authorizerResultTtlInSeconds": seconds}}}}})
    };
    for (sources, seconds, is_warned) in
        [("", 300, true), ("", 0, false), ("method.request.header.Authorization", 300, false)]
    {
        let gateway = described(&format!("ttl-{seconds}-{is_warned}"), &rest(sources, seconds), None).await;
        let greeting = gateway.greeting();
        assert_eq!(
            greeting.contains("AWS refuses a TTL without"),
            is_warned,
            "{sources} {seconds}: {greeting}"
        );
    }
}

/// API Gateway knows nothing of it: its identity source is another one.
#[tokio::test]
async fn what_the_configuration_takes_for_a_credential_is_not_kept() {
    let api = json!({"openapi": "3.0.1", "paths": {"/orders": {"get": {"security": [{"lambda": []}]}}}, "components": {
        "securitySchemes": {"lambda": {"x-amazon-apigateway-authorizer": {"type": "request",
            "identitySource": "$request.header.X-Tenant", "authorizerPayloadFormatVersion": "2.0"}}}}});
    let config = "development = true\n[[issuer]]\nurl = 'https://issuer.development.invalid/'\naudience = 'orders-api'\n
        jwks_uri = 'http://127.0.0.1:9/'\n[[identity_source]]\nfrom = 'query'\nname = 'ticket'\n
        [[identity_source]]\nfrom = 'header'\nname = 'X-Token'\nscheme = 'none'\n";
    let gateway = described("own-credentials", &api, Some(config)).await;
    for (line, fields) in [
        ("GET /orders?page=2&ticket=opaque%2Dsecret", &["X-Tenant: 7", "X-Other: kept"][..]),
        ("GET /orders?page=2", &["X-Tenant: 7", "X-Other: kept", "X-Token: opaque-secret"]),
        (
            "GET /orders?page=2",
            &["X-Tenant: 7", "X-Other: kept", "X-Token: opaque-secret", "x-token: opaque-other"],
        ),
    ] {
        let _refused = send(&gateway, line, fields).await;
        let record = last(&gateway);
        assert!(record["event"].is_object() && !record.to_string().contains("opaque"), "{record}");
        assert_eq!(record["event"]["queryStringParameters"]["page"], "2");
        assert_eq!(record["event"]["headers"]["x-other"], "kept");
    }
}
