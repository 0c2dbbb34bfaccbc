//! The command itself.

use std::process::Stdio;

use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::support::{options, send_to};

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
        (&["--kind", "soap"][..], "there are rest-token"),
        (&["--route", "GET"], "`GET` is no route"),
        (&["--route", "$default"], "is no route"),
        (&["--route", "FETCH /a"], "`FETCH /a` is no route"),
        (&["--route", "GET /a//b"], "/a//b"),
        (&["--api", "none.yaml"], "cannot read `none.yaml`"),
        (&["--api", "a.yaml", "--route", "GET /a"], "`--api <FILE>` cannot be used with `--route <ROUTE>`"),
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
