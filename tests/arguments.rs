//! The function's command line, which a container image may set to anything.

use std::process::Command;

#[test]
fn other_arguments_change_nothing() {
    for arguments in [&[][..], &["handler"], &["--check"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_lambda-authorizer"))
            .args(arguments)
            .env_clear()
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(1), &b""[..]), "{arguments:?}");
        assert!(
            printed.contains("\"level\":\"FATAL\"") && printed.contains("AUTHORIZER_ISSUER"),
            "{printed}"
        );
    }
}
