//! `autofix locate`: the places in a repository that a stack trace or a log speaks of, best first.

use crate::app::inspect::open;
use crate::app::locate::{LocateOptions, Tree, locate};
use crate::app::{self};
use crate::cli::Outcome;
use crate::cli::arguments::LocateArguments;
use crate::cli::output::{Out, STRONG, complain, safe};
use std::io::Read;

/// Largest text that is read for one trace, in bytes.
const TEXT_LIMIT: u64 = 64 << 20;

pub(super) fn run(arguments: LocateArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let tree = match (arguments.tree, arguments.repo) {
        (Some(list), _) => Tree::List(list),
        (None, Some(folder)) => Tree::Repo {
            folder,
            commit: arguments.commit,
        },
        (None, None) => {
            let what = "say where to look: --repo DIR --commit SHA, or --tree LIST";
            return Err(app::Error::Usage(what.to_owned()));
        }
    };
    let mut bytes = Vec::new();
    open(arguments.file.as_deref())?
        .take(TEXT_LIMIT)
        .read_to_end(&mut bytes)
        .map_err(|error| app::Error::unfinished("cannot read the trace", error))?;
    let options = LocateOptions {
        tree,
        root: arguments.root,
        path_prefixes: arguments.path_prefix,
    };
    let found = locate(&options, &String::from_utf8_lossy(&bytes))?;
    let places = &found.places;
    for place in places {
        if arguments.json {
            out.json(place);
            continue;
        }
        let line = place.line.map_or(String::new(), |line| format!(":{line}"));
        let function = place.function.as_deref().unwrap_or("?");
        let at = out.paint(STRONG, &safe(&format!("{}{line}", place.file)));
        let rest = format!("in {function} ({:.2}: {})", place.confidence, place.why);
        out.line(&format!("{}. {at} {}", place.rank, safe(&rest)));
    }
    if places.is_empty() && !arguments.json {
        out.line("nothing in the repository is spoken of");
    }
    for note in &found.notes {
        complain(note);
    }
    Ok(Outcome::Done)
}
