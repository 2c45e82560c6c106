//! `check`: everything about a configuration that can be told before a host loads it. Looks,
//! and changes nothing: what it must try, it takes back.

mod fixer;
mod forge;
mod inputs;
mod model;
mod notify;
mod recovery;
mod repos;
mod state;

use crate::app::Error;
use crate::config::flb::{self, FluentBit};
use crate::config::{
    Entry, Options, Services, WatchesSource, environment, load_registry, read_entries, read_seed,
};
use crate::pipeline::clock;
use crate::registry::{Complaint, Place, Registry};
use crate::template::Learnt;
use std::path::{Path, PathBuf};

/// What `check` was asked for.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// A Fluent Bit file.
    pub config: Option<PathBuf>,
    /// A registry, without a Fluent Bit file.
    pub services: Option<PathBuf>,
    /// Instead of the one in the configuration.
    pub state: Option<PathBuf>,
    /// Keys that count before those of the file.
    pub set: Vec<Entry>,
    /// Look at no remote repository.
    pub offline: bool,
}

/// What it found.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    /// What was looked at and is good, a line each.
    pub checked: Vec<String>,
    /// In the order in which they were found.
    pub complaints: Vec<Complaint>,
}

impl CheckReport {
    pub fn faults(&self) -> usize {
        self.complaints
            .iter()
            .filter(|complaint| complaint.is_fault())
            .count()
    }

    pub fn warnings(&self) -> usize {
        self.complaints.len() - self.faults()
    }

    fn add(&mut self, complaints: impl IntoIterator<Item = Complaint>) {
        for complaint in complaints {
            if !self.complaints.contains(&complaint) {
                self.complaints.push(complaint);
            }
        }
    }

    fn good(&mut self, line: String) {
        if !self.checked.contains(&line) {
            self.checked.push(line);
        }
    }
}

/// Checks what was asked for.
pub fn check(options: &CheckOptions) -> Result<CheckReport, Error> {
    let mut report = CheckReport::default();
    match (&options.config, &options.services) {
        (Some(_), Some(_)) => {
            let what = "--config and --services together: the file names its own registry";
            return Err(Error::Usage(what.to_owned()));
        }
        (None, None) if options.state.is_none() && options.set.is_empty() => {
            let what = "nothing to check: give --config FILE, --services PATH or --state DIR";
            return Err(Error::Usage(what.to_owned()));
        }
        (Some(path), None) => config(options, path, &mut report),
        (None, Some(path)) => {
            let services = Services::Path(path.clone());
            let (settings, complaints) = read_entries(&options.set);
            report.add(complaints);
            let settings = Options {
                services,
                ..settings
            };
            one(options, settings, false, &mut report);
        }
        (None, None) => {
            let (settings, complaints) = read_entries(&options.set);
            report.add(complaints);
            one(options, settings, false, &mut report);
        }
    }
    Ok(report)
}

fn config(options: &CheckOptions, path: &Path, report: &mut CheckReport) {
    let file = match flb::read(path, &environment::variable) {
        Ok(file) => file,
        Err(complaint) => return report.add([complaint]),
    };
    report.add(file.complaints.iter().cloned());
    report.add(plugins(&file));
    let outputs = file.outputs();
    if let Err(complaint) = flb::choose(path, &outputs, Some("1")) {
        return report.add([complaint]);
    }
    let number = outputs.len();
    let plural = if number == 1 { "" } else { "s" };
    report.good(format!(
        "{}: {number} output{plural} called autofix",
        path.display()
    ));
    for output in outputs {
        let mut entries = options.set.clone();
        let set = |entry: &Entry| {
            let mut given = options.set.iter();
            given.any(|other| other.key.eq_ignore_ascii_case(&entry.key))
        };
        entries.extend(output.entries.iter().filter(|entry| !set(entry)).cloned());
        if output
            .get("match")
            .or_else(|| output.get("match_regex"))
            .is_none()
        {
            let remedy = "add a line such as Match *";
            let what = "the output has no Match, so no record reaches it";
            report.add([Complaint::fault(output.place.clone(), what, remedy)]);
        }
        let (settings, complaints) = read_entries(&entries);
        report.add(complaints);
        one(options, settings, true, report);
    }
}

/// The host chooses the loader by the file's name.
fn plugins(file: &FluentBit) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for entry in &file.plugins {
        let path = Path::new(&entry.value);
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let Some(name) = name.filter(|name| name.contains("autofix")) else {
            continue;
        };
        if name.starts_with("flb-") {
            let what = format!("the host loads `{name}` in another way: its name begins with flb-");
            complaints.push(Complaint::fault(
                entry.place.clone(),
                what,
                "call it out_autofix.so",
            ));
        } else if !path.exists() {
            let what = format!("`{}` is not there on this machine", entry.value);
            complaints.push(Complaint::warning(
                entry.place.clone(),
                what,
                "check the path",
            ));
        }
    }
    complaints
}

/// One instance: its settings, registry, repositories and state folder.
fn one(options: &CheckOptions, settings: Options, plugin: bool, report: &mut CheckReport) {
    match load_registry(&settings.services) {
        Ok(registry) => services(options, &settings, &registry, report),
        Err(complaints) => report.add(complaints),
    }
    if let Some(path) = &settings.watches {
        match WatchesSource::new(Some(path.clone())).load(clock::now()) {
            Ok(watches) => {
                let plural = if watches.len() == 1 { "" } else { "es" };
                report.good(format!(
                    "{}: {} watch{plural}",
                    path.display(),
                    watches.len()
                ));
            }
            Err(faults) => report.add(faults),
        }
    }
    if let Some(path) = &settings.templates_seed {
        report.add(seed(path));
    }
    let folder = options.state.clone().or_else(|| settings.state_dir.clone());
    let default = || plugin.then(|| PathBuf::from(environment::DEFAULT_STATE_DIR));
    if let Some(folder) = folder.or_else(default) {
        let complaints = state::check(&folder);
        if complaints.iter().all(|complaint| !complaint.is_fault()) {
            report.good(format!("{}: state folder", folder.display()));
        }
        report.add(complaints);
    }
}

/// The first line of a file of learnt templates that cannot be taken up.
fn seed(path: &Path) -> Option<Complaint> {
    let text = match read_seed(path) {
        Ok(text) => text,
        Err(complaint) => return Some(complaint),
    };
    let mut lines = text.lines().enumerate();
    lines.find_map(|(at, line)| {
        let why = match Learnt::parse(line) {
            _ if line.trim().is_empty() => return None,
            Ok(learnt) if learnt.service.is_some() => return None,
            Ok(_) => "it names no service".to_owned(),
            Err(why) => why.to_string(),
        };
        Some(Complaint::fault(
            Place::line(
                &path.to_string_lossy(),
                u32::try_from(at + 1).unwrap_or(u32::MAX),
            ),
            why,
            "write the file with `autofix inspect templates --export`",
        ))
    })
}

fn services(
    options: &CheckOptions,
    settings: &Options,
    registry: &Registry,
    report: &mut CheckReport,
) {
    report.add(registry.warnings().iter().cloned());
    let number = registry.services().len();
    if let Services::Path(path) = &settings.services {
        let plural = if number == 1 { "" } else { "s" };
        report.good(format!("{}: {number} service{plural}", path.display()));
    }
    if number == 0 {
        let place = match &settings.services {
            Services::Path(path) => Place::file(&path.to_string_lossy()),
            Services::None | Services::One(..) => Place::default(),
        };
        let what = "no service is known: incidents and reports, but no diff";
        let remedy = "set Services; `autofix init` in a checkout writes a registry";
        report.add([Complaint::warning(place, what, remedy)]);
    }
    let (complaints, good) = repos::check(settings, registry, options.offline);
    report.add(complaints);
    good.into_iter().for_each(|line| report.good(line));
    let (complaints, good) = forge::check(settings, registry, options.offline);
    report.add(complaints);
    good.into_iter().for_each(|line| report.good(line));
    let (complaints, good) = inputs::check(registry);
    report.add(complaints);
    good.into_iter().for_each(|line| report.good(line));
    let (complaints, good) = notify::check(registry);
    report.add(complaints);
    good.into_iter().for_each(|line| report.good(line));
    let (complaints, good) = recovery::check(registry, options.offline);
    report.add(complaints);
    good.into_iter().for_each(|line| report.good(line));
    let asked = [
        model::check(settings, options.offline),
        fixer::check(settings, options.offline),
    ];
    for asked in asked {
        match asked {
            None => {}
            Some(Ok(line)) => report.good(line),
            Some(Err(complaint)) => report.add([complaint]),
        }
    }
}
