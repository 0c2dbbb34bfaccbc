//! The Lambda function, as it is deployed.

use std::process::ExitCode;

use lambda_authorizer::Function;

fn main() -> ExitCode {
    Function::new().run()
}
