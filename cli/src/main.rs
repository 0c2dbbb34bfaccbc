//! `authorizer`: the developer's tool of lambda-authorizer.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

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
    Print(&'static str),
}

fn parse() -> Result<Command, lexopt::Error> {
    let mut parser = lexopt::Parser::from_env();
    let mut name = None;
    let (mut function, mut directory) = (None, None);
    while let Some(argument) = parser.next()? {
        match (name.as_deref(), argument) {
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
        Some("generate") => Ok(Command::Generate { directory: directory_or("docs") }),
        Some(other) => Err(format!("there is no command `{other}`").into()),
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
        Command::Demo { function, events } => return demo(&function, &events).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn demo(function: &Path, events: &Path) -> Result<ExitCode, Error> {
    let report = demo::run(function, events).await?;
    let colour = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    print(&report.render(colour))?;
    for difference in &report.differences {
        eprintln!("error: {difference}");
    }
    Ok(if report.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// As `print!`, without its panic when nobody reads.
fn print(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

fn is_broken_pipe(error: &Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
