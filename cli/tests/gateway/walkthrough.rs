//! The README's walk-through, as it is printed: with curl, or without it where there is none.

use std::path::Path;

use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use authorizer_cli::issuer::Client;
use tokio::process::Command;

use crate::support::{address, options, send_to};

/// The commands of the README between `make gateway` and the next.
fn commands() -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, rest) = readme.split_once("\nmake gateway\n```\n").unwrap();
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    rest.split_once("```").unwrap().0.lines().map(str::to_owned).collect()
}

async fn gateway() -> LocalGateway {
    // As `make gateway` has it.
    let makefile =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Makefile")).unwrap();
    assert!(makefile.contains("-- gateway --client development:development $(GATEWAY_OPTIONS)\n"));
    let client = Client { id: "development".into(), secret: "development".into() };
    let built_in = GatewayOptions::default();
    let options = GatewayOptions { client: Some(client), ..options("rest-request") };
    assert_eq!((built_in.kind, built_in.listen.port()), (options.kind, 9700));
    LocalGateway::start(&options).await.unwrap()
}

/// The commands, at the ports that were free.
fn at_home(command: &str, gateway: &LocalGateway) -> String {
    let issuer = gateway.issuer().unwrap().url().trim_end_matches('/').to_owned();
    let api = format!("http://{}", address(gateway));
    command.replace("http://127.0.0.1:9800", &issuer).replace("http://127.0.0.1:9700", &api)
}

#[tokio::test]
async fn the_three_commands_give_401_403_and_200() {
    let gateway = gateway().await;
    let commands: Vec<String> = commands().iter().map(|command| at_home(command, &gateway)).collect();
    let [token, requests @ ..] = commands.as_slice() else { panic!("no commands") };
    let mut statuses = Vec::new();
    let has_curl =
        Command::new("curl").arg("--version").output().await.is_ok_and(|curl| curl.status.success());
    for request in requests {
        let status = match has_curl {
            true => with_curl(token, request).await,
            false => by_hand(token, request).await,
        };
        statuses.push(status);
    }
    assert_eq!(statuses, [401, 403, 200]);
}

/// The same without curl: so that the commands are looked at where there is none, and are no simpler than this.
#[tokio::test]
async fn the_three_commands_mean_what_they_say() {
    let gateway = gateway().await;
    let commands: Vec<String> = commands().iter().map(|command| at_home(command, &gateway)).collect();
    let mut statuses = Vec::new();
    for request in &commands[1..] {
        statuses.push(by_hand(&commands[0], request).await);
    }
    assert_eq!(statuses, [401, 403, 200]);
}

async fn with_curl(token: &str, request: &str) -> u16 {
    let output = Command::new("bash").args(["-euc", &format!("{token}\n{request}")]).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').nth(1).unwrap_or_else(|| panic!("{request}: {text}")).parse().unwrap()
}

async fn by_hand(token: &str, request: &str) -> u16 {
    let command = token.strip_prefix("TOKEN=$(").unwrap().strip_suffix(')').unwrap();
    let (_, token) = sent(command).await;
    sent(&request.replace("$TOKEN", &token)).await.0
}

/// Does what a command line of curl says, with the options that the README has.
async fn sent(command: &str) -> (u16, String) {
    let words = words(command);
    let mut words = words.iter().map(String::as_str);
    assert_eq!(words.next(), Some("curl"));
    let (mut fields, mut form, mut url) = (Vec::new(), Vec::new(), "");
    while let Some(word) = words.next() {
        match word {
            "-s" | "-i" => {}
            "-H" => fields.push(words.next().unwrap().to_owned()),
            "-d" => form.push(words.next().unwrap()),
            "-u" => {
                assert_eq!(words.next(), Some("development:development"));
                fields.push("Authorization: Basic ZGV2ZWxvcG1lbnQ6ZGV2ZWxvcG1lbnQ=".to_owned());
            }
            word => url = word.strip_prefix("http://").unwrap(),
        }
    }
    let (host, path) = url.split_once('/').unwrap();
    let method = if form.is_empty() { "GET" } else { "POST" };
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let answer = send_to(host.parse().unwrap(), &format!("{method} /{path}"), &fields, &form.join("&")).await;
    (answer.status, answer.body)
}

/// The words of a command line without variables; quotes keep spaces.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for letter in command.chars() {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            (' ', None) => words.push(String::new()),
            (letter, _) => words.last_mut().unwrap().push(letter),
        }
    }
    words
}
