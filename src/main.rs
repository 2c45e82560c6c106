//! The `autofix` command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    autofix::cli::run()
}
