//! The smallest function that the Runtime API can drive, for the tests of this crate: it allows whatever it
//! is asked. `BEHAVIOUR` makes it misbehave: `exit`, `init_error`, `hang`. `ANSWER` is what it answers instead, with
//! the ARN of the event in the place of `{arn}`; `ERROR` is the message of the error that it ends each event with.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::{env, process, thread};

fn main() -> io::Result<()> {
    let behaviour = env::var("BEHAVIOUR").unwrap_or_default();
    println!("environment {:?}", env::vars().collect::<Vec<_>>());
    eprintln!("behaviour `{behaviour}`");
    match behaviour.as_str() {
        "exit" => process::exit(7),
        "hang" => loop {
            thread::park();
        },
        "init_error" => {
            request("POST", "init/error", r#"{"errorType":"Fake","errorMessage":"cannot start"}"#)?;
            process::exit(1);
        }
        _ => {}
    }
    loop {
        let event = request("GET", "invocation/next", "")?;
        let marker = "lambda-runtime-aws-request-id: ";
        let id = event.lines().find_map(|line| line.strip_prefix(marker)).unwrap_or_default();
        println!(r#"{{"request_id":"{id}","decision":"allow","reason":null,"rule":"everything"}}"#);
        if let Ok(message) = env::var("ERROR") {
            let error = format!(r#"{{"errorType":"Fake","errorMessage":"{message}"}}"#);
            request("POST", &format!("invocation/{id}/error"), &error)?;
            continue;
        }
        let answer = env::var("ANSWER").unwrap_or_else(|_| EVERYTHING.to_owned());
        let arn = ["\"methodArn\":\"", "\"routeArn\":\""].iter().find_map(|name| event.split_once(name));
        let arn = arn.and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
        request("POST", &format!("invocation/{id}/response"), &answer.replace("{arn}", arn))?;
    }
}

const EVERYTHING: &str = r#"{"principalId":"anyone","policyDocument":{"Version":"2012-10-17","Statement":[
    {"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*"}]}}"#;

fn request(method: &str, path: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(env::var("AWS_LAMBDA_RUNTIME_API").unwrap_or_default())?;
    let length = body.len();
    write!(
        stream,
        "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: runtime\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
