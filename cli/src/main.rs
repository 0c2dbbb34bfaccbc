//! `authorizer`: the developer's tool of lambda-authorizer.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use authorizer_cli::gateway::{GatewayOptions, LocalGateway, arguments};
use authorizer_cli::keys::KeysToFetch;
use authorizer_cli::{Error, demo, events, generate};
use lexopt::prelude::*;

const HELP: &str = "\
The developer's tool of lambda-authorizer.

Usage: authorizer <COMMAND> [OPTIONS]

Commands:
  demo     Put every sample event to the function and show what the client gets.
           Starts a development issuer and a Lambda Runtime API on loopback;
           needs no network and no account. Exits with 1 if an event does not
           come out as expected.
             --function PATH     the function's binary (required)
             --events DIRECTORY  the sample events [default: events]
  events   Make the sample events again: new keys, new tokens, and the public
           key set beside them. No private key is kept.
             --directory DIRECTORY  where to write them [default: events]
  gateway  A local API Gateway in front of the authorizer, with a development
           issuer. `authorizer gateway --help` has its options.
  keys fetch
           Write an issuer's key set to a file, for `initial_jwks_file`, and say
           what is in it.
             --issuer URL     the issuer, as in `iss` (required)
             --output FILE    where to write it (required)
             --jwks-uri URL   where its keys are [default: by discovery]
             --ca-file FILE   certificates to trust beside the public ones
             --proxy URL      the proxy on the way
             --header NAME=VALUE  a header field to send; may come several times
             --development    allow plain http to loopback addresses
  generate Write the documentation that is made from the sources: the settings
           and their JSON Schema.
             --directory DIRECTORY  where to write it [default: docs]

Options:
  -h, --help     Show this help.
  -V, --version  Show the version.

NO_COLOR switches the colours off.
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let command = match parse() {
        Ok(command) => command,
        Err(error) => {
            eprintln!("error: {error}\nhint: `authorizer --help` lists the commands and their options");
            return ExitCode::from(2);
        }
    };
    match run(command).await {
        Ok(code) => code,
        // Whoever reads the output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

enum Command {
    Demo { function: PathBuf, events: PathBuf },
    Events { directory: PathBuf },
    Generate { directory: PathBuf },
    Gateway { options: Box<GatewayOptions> },
    FetchKeys { keys: KeysToFetch, output: PathBuf },
    Print(&'static str),
}

fn parse() -> Result<Command, lexopt::Error> {
    let mut parser = lexopt::Parser::from_env();
    let mut name = None;
    let (mut function, mut directory) = (None, None);
    while let Some(argument) = parser.next()? {
        match (name.as_deref(), argument) {
            (None, Value(value)) if value == "gateway" => {
                return Ok(match arguments::parse(&mut parser)? {
                    arguments::Request::Help => Command::Print(arguments::HELP),
                    arguments::Request::Run(options) => Command::Gateway { options },
                });
            }
            (Some("keys"), Value(value)) if value == "fetch" => return fetch_keys(parser),
            (_, Short('h') | Long("help")) => return Ok(Command::Print(HELP)),
            (_, Short('V') | Long("version")) => {
                return Ok(Command::Print(concat!("authorizer ", env!("CARGO_PKG_VERSION"), "\n")));
            }
            (None, Value(value)) => name = Some(value.string()?),
            (Some("demo"), Long("function")) => function = Some(parser.value()?.into()),
            (Some("demo"), Long("events")) | (Some("events" | "generate"), Long("directory")) => {
                directory = Some(PathBuf::from(parser.value()?));
            }
            (_, argument) => return Err(argument.unexpected()),
        }
    }
    let directory_or = |default: &str| directory.unwrap_or_else(|| default.into());
    match name.as_deref() {
        None => Ok(Command::Print(HELP)),
        Some("demo") => {
            let function = function.ok_or("`demo` needs `--function`: the path of the function's binary")?;
            Ok(Command::Demo { function, events: directory_or("events") })
        }
        Some("events") => Ok(Command::Events { directory: directory_or("events") }),
        Some("keys") => Err("there is one command `keys fetch`".into()),
        Some("generate") => Ok(Command::Generate { directory: directory_or("docs") }),
        Some(other) => Err(format!("there is no command `{other}`").into()),
    }
}

fn fetch_keys(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut keys = KeysToFetch::default();
    let mut output: Option<PathBuf> = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Print(HELP)),
            Long("issuer") => keys.issuer = parser.value()?.string()?,
            Long("output") => output = Some(parser.value()?.into()),
            Long("jwks-uri") => keys.jwks_uri = Some(parser.value()?.string()?),
            Long("ca-file") => keys.ca_file = Some(parser.value()?.into()),
            Long("proxy") => keys.proxy = Some(parser.value()?.string()?),
            Long("header") => {
                let header = parser.value()?.string()?;
                let (name, value) = header.split_once('=').ok_or("a header field is `NAME=VALUE`")?;
                keys.headers.push((name.to_owned(), value.to_owned()));
            }
            Long("development") => keys.development = true,
            argument @ (Short(_) | Long(_) | Value(_)) => return Err(argument.unexpected()),
        }
    }
    match output {
        Some(output) if !keys.issuer.is_empty() => Ok(Command::FetchKeys { keys, output }),
        _ => Err("`keys fetch` needs `--issuer` and `--output`".into()),
    }
}

async fn run(command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Print(text) => print(text)?,
        Command::Events { directory } => {
            let count = events::write(&directory)?;
            print(&format!("wrote {count} events and their key set to `{}`\n", directory.display()))?;
        }
        Command::Generate { directory } => {
            for name in generate::write(&directory)? {
                print(&format!("wrote `{}`\n", directory.join(name).display()))?;
            }
        }
        Command::FetchKeys { keys, output } => {
            let report = keys.write(&output).await?;
            print(&report.render(is_colourful()))?;
            eprintln!("wrote `{}`", output.display());
        }
        Command::Gateway { options } => gateway(&options).await?,
        Command::Demo { function, events } => return demo(&function, &events).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn demo(function: &Path, events: &Path) -> Result<ExitCode, Error> {
    let report = demo::run(function, events).await?;
    print(&report.render(is_colourful()))?;
    for difference in &report.differences {
        eprintln!("error: {difference}");
    }
    Ok(if report.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Serves until Ctrl-C.
async fn gateway(options: &GatewayOptions) -> Result<(), Error> {
    let gateway = LocalGateway::start(options).await?;
    eprint!("{}", gateway.greeting());
    tokio::signal::ctrl_c().await?;
    Ok(())
}

fn is_colourful() -> bool {
    io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// As `print!`, without its panic when nobody reads.
fn print(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

fn is_broken_pipe(error: &Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
