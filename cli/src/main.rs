//! `authorizer`: the developer's tool of lambda-authorizer.

use std::process::ExitCode;

use authorizer_cli::commands::{self, Ending, Misuse};
use authorizer_cli::local::is_of_configuration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let is_json = commands::asks_for_json(std::env::args_os());
    let matches = match commands::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => {
            let told = commands::misuse(&error);
            eprintln!("{told}");
            tell_a_machine(is_json, told.trim_start_matches("error: "));
            return Ending::Invalid.into();
        }
        Err(help) => {
            let _nobody_reads = commands::print(&help.to_string());
            return Ending::Done.into();
        }
    };
    match commands::run(&matches).await {
        Ok(ending) => ending.into(),
        Err(error) if commands::is_broken_pipe(&error) => Ending::Failed.into(),
        Err(error) => {
            eprintln!("error: {error}");
            tell_a_machine(is_json, &error.to_string());
            if error.is::<Misuse>() || is_of_configuration(&error) {
                Ending::Invalid.into()
            } else {
                Ending::Failed.into()
            }
        }
    }
}

/// Who asked for JSON gets it of a failure, too.
fn tell_a_machine(is_json: bool, text: &str) {
    if is_json {
        let _nobody_reads = commands::print_failure(text);
    }
}
