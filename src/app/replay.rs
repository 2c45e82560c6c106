//! `autofix replay`: log files through the very lanes of the plugin, into a fresh state folder
//! unless one is named. The reader waits where the plugin would drop. It ends when every
//! incident has its result.

use crate::app::Error;
use crate::app::checkout::{self, Checkout};
use crate::config::entry::given;
use crate::config::{
    self, Entry, Options, RegistrySource, WatchesSource, environment, flb, read_seed,
};
use crate::log::Log;
use crate::model::{Incident, Timestamp};
use crate::pipeline::{Lanes, Setup, clock};
use crate::plugin;
use crate::record::input::{Format, GZIP_MAGIC, Reader, Tally};
use crate::store::{StatusReport, Store};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Bytes of records handed over at once; a live chunk is up to about 2 MB.
const CHUNK: usize = 256 << 10;
/// How long looking up what a checkout has checked out may take.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);

/// What to replay, and how.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// Empty, or `-`: standard input.
    pub files: Vec<PathBuf>,
    /// Told from the first lines where it is not given.
    pub format: Option<Format>,
    /// Told from the file's name where it is not given.
    pub tag: Option<String>,
    /// A Fluent Bit file with the `[OUTPUT]` block to use.
    pub config: Option<PathBuf>,
    /// Which block, where the file has several: its alias, match or number.
    pub output: Option<String>,
    /// `KEY=VALUE` for any key of that block.
    pub set: Vec<String>,
    /// The same as `State_Dir`.
    pub state: Option<PathBuf>,
}

/// What a replay says while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A sentence for people: a choice that was made, a folder that is used.
    Note(String),
    /// Bytes read of the input, of so many where that is known.
    Read { bytes: u64, of: Option<u64> },
    /// Everything is read; incidents are worked on.
    Working,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Replayed {
    pub state_dir: PathBuf,
    pub incidents: Vec<Incident>,
    pub status: StatusReport,
}

/// Replays the input. `tell` hears how it goes.
///
/// # Errors
/// When the configuration, a file or the state folder cannot be used.
pub fn replay(replay: &Replay, log: Log, tell: &mut dyn FnMut(Told)) -> Result<Replayed, Error> {
    let folder = environment::current_dir()
        .map_err(|fault| Error::unfinished("the current folder", fault))?;
    let options = options(replay, &folder, tell)?;
    for warning in &options.warnings {
        tell(Told::Note(warning.to_string()));
    }
    let state_dir = match &options.state_dir {
        Some(dir) => dir.clone(),
        None => fresh_state("replay")?,
    };
    tell(Told::Note(format!("state: {}", state_dir.display())));
    let mut source = RegistrySource::new(options.services.clone());
    // What the plugin survives is a wrong argument here.
    source.load()?;
    WatchesSource::new(options.watches.clone()).load(clock::now())?;
    if let Some(path) = &options.templates_seed {
        read_seed(path).map_err(|complaint| vec![complaint])?;
    }
    let setup = plugin::assemble(&options, &state_dir, source, true, log)
        .map_err(|fault| Error::unfinished("the network's settings", fault))?;
    tell(Told::Note(plugin::started(
        &options,
        &setup.services.get(),
        &state_dir,
    )));
    let read = |lanes: &Lanes, tell: &mut dyn FnMut(Told)| read_all(replay, lanes, tell);
    Ok(run(setup, &state_dir, tell, read)?.1)
}

/// Starts the lanes, lets `read` feed them, and waits for everything to have its result.
pub(super) fn run<T>(
    setup: Setup,
    state_dir: &Path,
    tell: &mut dyn FnMut(Told),
    read: impl FnOnce(&Lanes, &mut dyn FnMut(Told)) -> Result<T, Error>,
) -> Result<(T, Replayed), Error> {
    let limits = setup.limits;
    let lanes = Lanes::start(setup).map_err(Error::Unfinished)?;
    let read = read(&lanes, tell);
    tell(Told::Working);
    // Also after a file that could not be read: what was read becomes incidents.
    lanes.finish(|| tell(Told::Working));
    let read = read?;
    let store = Store::open_existing(state_dir, limits)
        .map_err(|fault| Error::unfinished("the store", fault))?;
    let failed = |fault| Error::unfinished("the store", fault);
    let replayed = Replayed {
        state_dir: state_dir.to_owned(),
        incidents: store.incidents().map_err(failed)?,
        status: store.status(clock::now()).map_err(failed)?,
    };
    Ok((read, replayed))
}

fn read_all(replay: &Replay, lanes: &Lanes, tell: &mut dyn FnMut(Told)) -> Result<(), Error> {
    let input = PathBuf::from("-");
    let files: Vec<&PathBuf> = match replay.files.as_slice() {
        [] => vec![&input],
        files => files.iter().collect(),
    };
    for path in files {
        let (source, size, start) =
            open(path).map_err(|fault| Error::unfinished(path.display(), fault))?;
        let input = Input {
            name: name_of(path),
            tag: replay.tag.clone().unwrap_or_else(|| tag_of(path)),
            format: replay.format,
            source,
            size,
            start,
            chunk: CHUNK,
        };
        feed(input, lanes, tell)?;
    }
    Ok(())
}

/// One log on its way into the lanes.
pub(super) struct Input {
    /// As people call it.
    pub name: String,
    pub tag: String,
    pub format: Option<Format>,
    pub source: Source,
    pub size: Option<u64>,
    /// About when it was written.
    pub start: Timestamp,
    /// Bytes of records handed over at once: what a model programs is there for the next.
    pub chunk: usize,
}

/// Hands a whole log to the lanes, as fast as they take it.
pub(super) fn feed(
    input: Input,
    lanes: &Lanes,
    tell: &mut dyn FnMut(Told),
) -> Result<Tally, Error> {
    let (name, tag) = (input.name, input.tag);
    let failed = |fault: io::Error| Error::unfinished(&name, fault);
    let mut reader = Reader::open(input.source, input.format, input.start).map_err(failed)?;
    let detected = reader.detected();
    tell(Told::Note(format!(
        "{name}: read as {} ({}), tag {tag}",
        detected.format.word(),
        detected.why
    )));
    while let Some(chunk) = reader.chunk(input.chunk).map_err(failed)? {
        lanes
            .intake
            .wait(tag.as_bytes(), &chunk.bytes)
            .map_err(|_| Error::Unfinished("a record is larger than Queue_Limit".to_owned()))?;
        lanes.settle();
        tell(Told::Read {
            bytes: reader.tally().bytes,
            of: input.size,
        });
    }
    let cut = reader.tally().cut;
    if cut > 0 {
        tell(Told::Note(format!(
            "{name}: {cut} lines were too long and were cut"
        )));
    }
    Ok(reader.tally())
}

pub(super) type Source = Box<dyn BufRead>;

/// The input, unpacked where it is gzip; its size where that means something; its age.
pub(super) fn open(path: &Path) -> io::Result<(Source, Option<u64>, Timestamp)> {
    let now = clock::now();
    if is_stdin(path) {
        return Ok((unpacked(io::stdin())?, None, now));
    }
    let file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "this is a folder; name the log files in it",
        ));
    }
    let age = about.modified().map_or(now, clock::stamp);
    let source = unpacked(file)?;
    let packed = path.extension().is_some_and(|end| end == "gz");
    let size = (about.is_file() && !packed).then_some(about.len());
    Ok((source, size, age))
}

pub(super) fn unpacked(source: impl Read + 'static) -> io::Result<Source> {
    let mut source = BufReader::with_capacity(1 << 16, source);
    let packed = source.fill_buf()?.starts_with(&GZIP_MAGIC);
    Ok(if packed {
        Box::new(BufReader::new(MultiGzDecoder::new(source)))
    } else {
        Box::new(source)
    })
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn name_of(path: &Path) -> String {
    match is_stdin(path) {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

/// As Fluent Bit's tail would tag it: files of a node's containers with their whole path, whose
/// last part names the pod, others with their name.
pub(super) fn tag_of(path: &Path) -> String {
    if is_stdin(path) {
        return "stdin".to_owned();
    }
    let whole = path.to_string_lossy();
    if let Some((_, name)) = whole.rsplit_once("/containers/") {
        return format!("kube.var.log.containers.{name}");
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".log").unwrap_or(name).to_owned()
}

/// From the file, the arguments, and the checkout that this is run in.
fn options(replay: &Replay, folder: &Path, tell: &mut dyn FnMut(Told)) -> Result<Options, Error> {
    let mut own = config::from_command_line(&replay.set, folder)?;
    if let Some(state) = &replay.state {
        own.push(given("State_Dir", &state.to_string_lossy(), folder));
    }
    let mut entries = of_file(replay.config.as_deref(), replay.output.as_deref())?;
    entries.retain(|entry| !has(&own, &entry.key));
    entries.append(&mut own);
    if replay.config.is_none() {
        assume(&mut entries, folder, tell);
    }
    Ok(config::from_entries(&entries)?)
}

fn of_file(path: Option<&Path>, output: Option<&str>) -> Result<Vec<Entry>, Error> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let file = flb::read(path, &environment::variable)?;
    let faults: Vec<_> = file
        .complaints
        .iter()
        .filter(|complaint| complaint.is_fault())
        .cloned()
        .collect();
    if !faults.is_empty() {
        return Err(Error::Complaints(faults));
    }
    let block = flb::choose(path, &file.outputs(), output)?;
    let ours = |entry: &&Entry| config::keys::find(&entry.key).is_some();
    Ok(block.entries.iter().filter(ours).cloned().collect())
}

fn has(entries: &[Entry], key: &str) -> bool {
    entries
        .iter()
        .any(|entry| entry.key.eq_ignore_ascii_case(key))
}

/// What nobody set is taken from the checkout, and said.
fn assume(entries: &mut Vec<Entry>, folder: &Path, tell: &mut dyn FnMut(Told)) {
    if has(entries, "Services") {
        return;
    }
    let repo = entries
        .iter()
        .find(|entry| entry.key.eq_ignore_ascii_case("Repo"))
        .map(|entry| entry.value.clone());
    let place = repo.as_deref().map_or(folder, Path::new);
    let Some(checkout) = Checkout::around(place) else {
        return;
    };
    let mut said = Vec::new();
    let mut add = |key: &str, value: String, entries: &mut Vec<Entry>| {
        if !has(entries, key) {
            said.push(format!("{key} {value}"));
            entries.push(given(key, &value, folder));
        }
    };
    add("Service", checkout.service_name(), entries);
    add("Repo", checkout.top.to_string_lossy().into_owned(), entries);
    let head = match has(entries, "Commit") {
        true => Ok(String::new()),
        false => head_of(&checkout.top),
    };
    match head {
        Ok(head) => add("Commit", head, entries),
        Err(why) => tell(Told::Note(format!("the commit cannot be assumed: {why}"))),
    }
    if !said.is_empty() {
        let said = said.join(", ");
        tell(Told::Note(format!("assumed from the checkout: {said}")));
    }
}

fn head_of(top: &Path) -> Result<String, Error> {
    let repo = checkout::open(top, Instant::now() + HEAD_DEADLINE)?;
    let head = repo.head();
    head.map(|head| head.to_string())
        .map_err(|fault| Error::Unfinished(fault.to_string()))
}

/// A new folder for this run of a command; the diffs of a replay are in it, so nobody removes it
/// here.
pub(super) fn fresh_state(command: &str) -> Result<PathBuf, Error> {
    let since = clock::now().0;
    let dir = environment::temporary_dir().join(format!(
        "autofix-{command}-{}-{since:x}",
        std::process::id()
    ));
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&dir)
        .map_err(|fault| Error::unfinished(dir.display(), fault))?;
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_a_tail() {
        for (path, tag) in [
            ("/var/log/app.log", "app"),
            ("shop.log.gz", "shop"),
            ("-", "stdin"),
            (
                "/var/log/containers/p_n_c-12.log",
                "kube.var.log.containers.p_n_c-12.log",
            ),
        ] {
            assert_eq!(tag_of(Path::new(path)), tag);
        }
    }
}
