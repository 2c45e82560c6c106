//! `autofix init`: says what was written and prints the blocks to paste.

use crate::app::{self, init::InitOptions};
use crate::cli::arguments::InitArguments;
use crate::cli::output::{Out, STRONG, safe};
use crate::cli::{Outcome, folder};

pub(super) fn run(arguments: &InitArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let report = app::init::init(&InitOptions {
        folder: folder()?.join(&arguments.folder),
        force: arguments.force,
    })?;
    let path = report.path.display().to_string();
    let path = safe(&path);
    if report.written {
        out.line(&format!("wrote {path}"));
    } else {
        out.line(&format!(
            "{path} exists and was left as it is (--force overwrites it)."
        ));
        out.line("This would have been written:");
        out.line("");
    }
    if !report.written {
        block(&report.text, out);
    }
    let title = out.paint(STRONG, "For a classic Fluent Bit file:");
    out.line(&format!("\n{title}\n"));
    block(&report.classic, out);
    let title = out.paint(STRONG, "For a YAML file:");
    out.line(&format!("\n{title}\n"));
    block(&report.yaml, out);
    out.line(
        "\nStart Fluent Bit with -e /PATH/out_autofix.so, then see `autofix check --config FILE`.",
    );
    Ok(Outcome::Done)
}

fn block(text: &str, out: &mut Out) {
    for line in text.lines() {
        out.line(&safe(line));
    }
}
