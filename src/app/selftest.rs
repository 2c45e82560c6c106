//! What `autofix selftest` shows to a plugin and expects of it: one made-up crash, which must
//! stand in the store as one incident after an orderly exit. Loading the plugin is the door's.

use crate::app::replay::fresh_state;
use crate::app::{Error, look};
use crate::config::environment;
use crate::model::{Incident, Kind, Timestamp};
use crate::record::encode::{self, Layout};
use std::path::{Path, PathBuf};

/// Names under which a plugin may lie beside the program.
const PLUGINS: [&str; 2] = ["out_autofix.so", "libautofix.so"];

/// A crash as Python prints it, a line a record.
const CRASH: [&str; 6] = [
    "Traceback (most recent call last):",
    "  File \"/app/selftest.py\", line 7, in <module>",
    "    main()",
    "  File \"/app/selftest.py\", line 4, in main",
    "    raise RuntimeError(\"made up by autofix selftest\")",
    "RuntimeError: made up by autofix selftest",
];

/// One trial.
#[derive(Clone, Debug)]
pub struct Trial {
    pub plugin: PathBuf,
    pub state_dir: PathBuf,
    pub tag: &'static str,
    pub chunk: Vec<u8>,
}

/// Makes a trial; the plugin beside the program unless one is named.
///
/// # Errors
/// When there is no plugin to load, or no folder for its state.
pub fn prepare(plugin: Option<&Path>, now: Timestamp) -> Result<Trial, Error> {
    let plugin = match plugin {
        Some(path) => path.to_owned(),
        None => beside_program()?,
    };
    let plugin = plugin
        .canonicalize()
        .map_err(|fault| Error::unfinished(plugin.display(), fault))?;
    let mut chunk = Vec::new();
    for line in CRASH {
        encode::record(&mut chunk, Layout::Old, now, &[("log", line)]);
    }
    Ok(Trial {
        plugin,
        state_dir: fresh_state("selftest")?,
        tag: "selftest",
        chunk,
    })
}

/// The incident that the trial must have left.
///
/// # Errors
/// When there is none, or another than expected.
pub fn judge(trial: &Trial) -> Result<Incident, Error> {
    let incidents = look::incidents(&trial.state_dir)?;
    match incidents.as_slice() {
        [one] if one.kind == Kind::Crash && one.count == 1 => Ok(one.clone()),
        [] => Err(Error::Unfinished(
            "the plugin ran, but made no incident of the crash".to_owned(),
        )),
        other => Err(Error::Unfinished(format!(
            "the plugin made {} incidents of one crash; see {}",
            other.len(),
            trial.state_dir.display()
        ))),
    }
}

fn beside_program() -> Result<PathBuf, Error> {
    let folder = environment::program_dir();
    let found = folder
        .iter()
        .flat_map(|folder| PLUGINS.map(|name| folder.join(name)))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        Error::Usage(format!(
            "no {} beside this program; name it with --plugin FILE",
            PLUGINS[0]
        ))
    })
}
