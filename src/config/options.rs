//! Checked settings of one instance: what each key's value may be, and how they go together.
//! All complaints at once. No file is read here except by whoever loads the registry.

mod forge;
mod models;

use crate::config::address;
use crate::config::entry::Entry;
use crate::config::keys::{self, Host};
use crate::config::triage::Triage;
use crate::config::typos;
use crate::config::value::{self, Wrong};
use crate::model::Settings;
pub use crate::model::service::TokenSource;
use crate::model::service::{AppSource, Budget, Egress, Fixer, FixerModel, ForgeSettings};
use crate::registry::complaint::did_you_mean;
use crate::registry::{self, CommitSource, Complaint, Place, Selector, Service};
use std::path::PathBuf;
use std::time::Duration;

pub use crate::registry::service::Mode;

/// What happens to a chunk when the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    Drop,
    Retry,
}

/// Where the services come from.
#[derive(Clone, Debug)]
pub enum Services {
    /// None are known: incidents and reports, no diff.
    None,
    /// A file or a folder.
    Path(PathBuf),
    /// The single service of the output's own keys, and the file of its description.
    One(Box<Service>, Option<PathBuf>),
}

/// The settings of one instance.
#[derive(Clone, Debug)]
pub struct Options {
    pub services: Services,
    /// `None`: not set; the plugin and the command line have different defaults.
    pub state_dir: Option<PathBuf>,
    /// Learnt templates to start from.
    pub templates_seed: Option<PathBuf>,
    pub mode: Mode,
    pub triage: Triage,
    /// The file of the team's own watches.
    pub watches: Option<PathBuf>,
    pub fixer: Fixer,
    /// The model that investigates. Whether a service's text may go there is in its settings.
    pub fixer_model: Option<FixerModel>,
    pub budget: Budget,
    /// How far redacted text may go, of every service that says nothing else.
    pub egress: Egress,
    pub forge_token: Option<TokenSource>,
    /// The App that is given tokens, in place of one.
    pub forge_app: Option<AppSource>,
    pub dedup_window: Duration,
    pub max_fixes_per_hour: u32,
    pub context_lines: usize,
    /// Bytes.
    pub queue_limit: u64,
    /// Bytes; more than `queue_limit`.
    pub memory_limit: u64,
    /// Bytes.
    pub state_limit: u64,
    pub on_full: OnFull,
    /// What works, but probably not as meant.
    pub warnings: Vec<Complaint>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            services: Services::None,
            state_dir: None,
            templates_seed: None,
            mode: Mode::DryRun,
            triage: Triage::default(),
            watches: None,
            fixer: Fixer::Auto,
            fixer_model: None,
            budget: Budget::default(),
            egress: Egress::None,
            forge_token: None,
            forge_app: None,
            dedup_window: Duration::from_secs(24 * 3600),
            max_fixes_per_hour: 6,
            context_lines: 200,
            queue_limit: 32 << 20,
            memory_limit: 64 << 20,
            state_limit: 1 << 30,
            on_full: OnFull::Drop,
            warnings: Vec::new(),
        }
    }
}

impl Options {
    /// The slow lane's settings for a service of the registry, this instance's included.
    pub fn settings(&self, service: &Service) -> Settings {
        self.complete(service.settings(), service.egress, service.mode)
    }

    /// The same for a service that the registry does not know.
    pub fn unregistered(&self, name: &str) -> Settings {
        let settings = Settings {
            service: name.to_owned(),
            ..Settings::default()
        };
        self.complete(settings, None, None)
    }

    fn complete(&self, settings: Settings, egress: Option<Egress>, mode: Option<Mode>) -> Settings {
        // The more careful of the two.
        let mode = mode.map_or(self.mode, |mode| mode.min(self.mode));
        let egress = egress.unwrap_or(self.egress);
        let model = self.fixer_model.clone().map(|model| FixerModel {
            may_be_sent: address::allows(egress, address::reach(&model.url)),
            ..model
        });
        Settings {
            // Observing speaks to no platform.
            recovery: settings.recovery.clone().filter(|_| mode != Mode::Observe),
            observe: mode == Mode::Observe,
            deliver: mode == Mode::Pr,
            fixer: self.fixer,
            model,
            budget: self.budget,
            context_lines: self.context_lines,
            token: self.forge_token.clone(),
            forge: ForgeSettings {
                app: self.forge_app.clone(),
                ..settings.forge
            },
            ..settings
        }
    }
}

/// From the host, which answers for a key at a time. A key that no one asks for stays unseen,
/// so likely misspellings are asked for too.
pub fn from_properties(get: &dyn Fn(&str) -> Option<String>) -> Result<Options, Vec<Complaint>> {
    let mut entries = Vec::new();
    let mut warnings = Vec::new();
    for key in keys::KEYS {
        if let Some(value) = get(key.name) {
            entries.push(Entry {
                key: key.name.to_owned(),
                value,
                place: Place::default(),
            });
        }
        for slip in typos::slips(key.name) {
            if get(&slip).is_some() {
                let what = format!("unknown key `{slip}`");
                let remedy = format!("did you mean `{}`?", key.name);
                warnings.push(Complaint::warning(Place::default(), what, remedy));
            }
        }
    }
    warnings.dedup_by(|a, b| a.what == b.what);
    let mut options = from_entries(&entries)?;
    options.warnings.append(&mut warnings);
    Ok(options)
}

/// From entries in the order in which they were written. Where a key stands twice the first
/// counts, as it does for the host.
pub fn from_entries(entries: &[Entry]) -> Result<Options, Vec<Complaint>> {
    let (options, complaints) = read_entries(entries);
    if complaints.iter().any(Complaint::is_fault) {
        return Err(complaints);
    }
    Ok(Options {
        warnings: complaints,
        ..options
    })
}

/// The same for whoever looks on after a fault: a key with one has its default.
pub fn read_entries(entries: &[Entry]) -> (Options, Vec<Complaint>) {
    let mut reader = Reader {
        entries: known(entries).collect(),
        complaints: Vec::new(),
    };
    reader.check_keys(entries);
    let options = reader.options();
    let mut complaints = reader.complaints;
    complaints.sort_by_key(|complaint| complaint.place.line);
    (options, complaints)
}

/// Entries with a value; the host does not hand out an empty one.
fn known(entries: &[Entry]) -> impl Iterator<Item = &Entry> {
    entries
        .iter()
        .filter(|entry| !entry.value.trim().is_empty())
}

struct Reader<'a> {
    entries: Vec<&'a Entry>,
    complaints: Vec<Complaint>,
}

impl<'a> Reader<'a> {
    fn check_keys(&mut self, entries: &[Entry]) {
        let mut seen: Vec<String> = Vec::new();
        for entry in entries {
            let (key, place) = (&entry.key, entry.place.clone());
            let lower = key.to_ascii_lowercase();
            let complaint = match (keys::find(key), keys::eaten_by_host(key)) {
                (Some(_), _) if seen.contains(&lower) => Some(Complaint::fault(
                    place,
                    format!("`{key}` is set a second time"),
                    "take one out: the host hands over only the first",
                )),
                (Some(_), _) if entry.value.trim().is_empty() => Some(Complaint::warning(
                    place,
                    format!("`{key}` has no value, so its default holds"),
                    "write a value, or take the key out",
                )),
                (Some(_), _) => None,
                (None, Some(Host::Connection)) if lower == "tls" && is_on(&entry.value) => {
                    Some(Complaint::fault(
                        place,
                        "hosts from 2.1.7 on refuse `tls` on an output that opens no connection",
                        "take it out",
                    ))
                }
                (None, Some(Host::Connection)) => Some(Complaint::warning(
                    place,
                    format!("`{key}` is kept by the host and never reaches autofix"),
                    "take it out",
                )),
                (None, Some(Host::Ordinary)) if lower == "workers" && several(&entry.value) => {
                    Some(Complaint::warning(
                        place,
                        "with `Workers` above 1 lines of one stream may arrive out of order, and \
                         traces be torn apart",
                        "take it out, or set it to 1",
                    ))
                }
                (None, Some(Host::Ordinary)) => None,
                (None, None) => Some(Complaint::fault(
                    place,
                    format!("unknown key `{}`", key.escape_debug()),
                    did_you_mean(key, &keys::names()),
                )),
            };
            self.complaints.extend(complaint);
            seen.push(lower);
        }
    }

    fn entry(&self, key: &str) -> Option<&'a Entry> {
        let mut entries = self.entries.iter();
        entries
            .find(|entry| entry.key.eq_ignore_ascii_case(key))
            .copied()
    }

    /// The value read, or `None` where it is not set or not good.
    fn read<T>(&mut self, key: &str, read: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let entry = self.entry(key)?;
        match read(&entry.value) {
            Ok(value) => Some(value),
            Err((what, remedy)) => {
                let what = format!("`{key}`: {what}");
                self.complaints
                    .push(Complaint::fault(entry.place.clone(), what, remedy));
                None
            }
        }
    }

    fn options(&mut self) -> Options {
        let base = Options::default();
        let triage = self.triage();
        let (fixer, fixer_model) = self.fixer();
        let egress = self.egress(triage.model.as_ref(), fixer_model.as_ref());
        let (forge_token, forge_app) = self.forge();
        let options = Options {
            services: self.services(),
            state_dir: self.read("State_Dir", value::absolute),
            templates_seed: self.read("Templates_Seed", value::absolute),
            mode: self.read("Mode", mode).unwrap_or(base.mode),
            triage,
            watches: self.read("Watches", value::absolute),
            fixer,
            fixer_model,
            budget: self.budget(),
            egress,
            forge_token,
            forge_app,
            dedup_window: self
                .read("Dedup_Window", dedup)
                .unwrap_or(base.dedup_window),
            max_fixes_per_hour: self
                .read("Max_Fixes_Per_Hour", |text| value::number(text, 0, 10_000))
                .map_or(base.max_fixes_per_hour, |number| {
                    u32::try_from(number).unwrap_or(u32::MAX)
                }),
            context_lines: self
                .read("Context_Lines", |text| value::number(text, 0, 10_000))
                .map_or(base.context_lines, |number| {
                    usize::try_from(number).unwrap_or(0)
                }),
            queue_limit: self
                .size("Queue_Limit", 4 << 20)
                .unwrap_or(base.queue_limit),
            memory_limit: self
                .size("Memory_Limit", 8 << 20)
                .unwrap_or(base.memory_limit),
            state_limit: self
                .size("State_Limit", 16 << 20)
                .unwrap_or(base.state_limit),
            on_full: self.read("On_Full", on_full).unwrap_or(base.on_full),
            warnings: Vec::new(),
        };
        self.check_memory(&options);
        options
    }

    /// From a variable or a file.
    fn secret(&mut self, in_variable: &str, in_file: &str) -> Option<TokenSource> {
        let file = self.read(in_file, value::absolute);
        let variable = self.read(in_variable, token_variable);
        if let (Some(_), Some(entry)) = (&variable, self.entry(in_file)) {
            self.complaints.push(Complaint::fault(
                entry.place.clone(),
                format!("`{in_file}` beside `{in_variable}`"),
                "take one of them out",
            ));
        }
        variable
            .map(TokenSource::Variable)
            .or(file.map(TokenSource::File))
    }

    fn size(&mut self, key: &str, least: u64) -> Option<u64> {
        self.read(key, |text| match value::size(text)? {
            bytes if bytes >= least => Ok(bytes),
            _ => Err((
                "too small to work with".to_owned(),
                format!("write at least {}M", least >> 20),
            )),
        })
    }

    fn check_memory(&mut self, options: &Options) {
        let room = 4 << 20;
        if options.memory_limit >= options.queue_limit.saturating_add(room) {
            return;
        }
        let entry = self
            .entry("Memory_Limit")
            .or_else(|| self.entry("Queue_Limit"));
        let place = entry.map(|entry| entry.place.clone()).unwrap_or_default();
        self.complaints.push(Complaint::fault(
            place,
            "`Memory_Limit` covers the queue and more, but is not 4M above `Queue_Limit`",
            "raise Memory_Limit or lower Queue_Limit",
        ));
    }

    fn services(&mut self) -> Services {
        let path = self.read("Services", value::absolute);
        let single = ["Service", "Repo", "Commit", "Descriptor"].map(|key| self.entry(key));
        let Some(first) = single.into_iter().flatten().next() else {
            return path.map_or(Services::None, Services::Path);
        };
        let place = first.place.clone();
        if self.entry("Services").is_some() {
            self.complaints.push(Complaint::fault(
                place,
                format!("`{}` beside `Services`", first.key),
                "describe the service in the registry, or take `Services` out",
            ));
            return Services::None;
        }
        if self.entry("Service").is_none() {
            self.complaints.push(Complaint::fault(
                place,
                format!("`{}` without `Service`", first.key),
                "add the service's name: Service NAME",
            ));
            return Services::None;
        }
        self.single(place)
    }

    fn single(&mut self, place: Place) -> Services {
        let Some(name) = self.read("Service", service_name) else {
            return Services::None;
        };
        let mut service = Service::named(&name, Selector::everything(), place);
        service.repo = self.read("Repo", |text| {
            let text = text.trim();
            let address = registry::check_address(text);
            address.map(|()| text.trim_end_matches('/').to_owned())
        });
        let commit = self.read("Commit", CommitSource::parse);
        service.commit = commit.unwrap_or_default();
        let mut file = None;
        if let Some(text) = self.entry("Descriptor").map(|entry| entry.value.trim()) {
            if text.starts_with('/') {
                file = Some(PathBuf::from(text));
            } else {
                service.description = Some(text.to_owned());
            }
        }
        Services::One(Box::new(service), file)
    }
}

/// Whether a number of threads is more than one.
fn several(value: &str) -> bool {
    value.trim().parse::<u64>().is_ok_and(|threads| threads > 1)
}

fn is_on(text: &str) -> bool {
    ["on", "true", "yes"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(text.trim()))
}

fn service_name(text: &str) -> Result<String, Wrong> {
    let name = text.trim();
    registry::check_name(name)?;
    if name.contains(registry::CAPTURE) {
        let what = "a pattern cannot stand here".to_owned();
        return Err((what, "use a registry: Services PATH".to_owned()));
    }
    Ok(name.to_owned())
}

fn mode(text: &str) -> Result<Mode, Wrong> {
    let words = [Mode::Observe, Mode::DryRun, Mode::Pr].map(|mode| (mode.word(), mode));
    value::word(text, &words)
}

/// The name, not the token: where somebody put the token itself it is not repeated.
fn token_variable(text: &str) -> Result<String, Wrong> {
    let name = text.trim();
    let good = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let known = ["ghp_", "gho_", "ghs_", "github_pat_", "glpat-"];
    if good && !known.iter().any(|prefix| name.starts_with(prefix)) {
        return Ok(name.to_owned());
    }
    Err((
        "this is no name of a variable".to_owned(),
        "write the name of the variable that holds the token, never the token".to_owned(),
    ))
}

fn on_full(text: &str) -> Result<OnFull, Wrong> {
    value::word(text, &[("drop", OnFull::Drop), ("retry", OnFull::Retry)])
}

fn dedup(text: &str) -> Result<Duration, Wrong> {
    let window = value::duration(text)?;
    let year = Duration::from_secs(365 * 24 * 3600);
    if window.is_zero() || window > year {
        let what = "out of range".to_owned();
        return Err((what, "write a time up to 365d".to_owned()));
    }
    Ok(window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::triage;
    use crate::registry::service::Egress;

    fn read(pairs: &[(&str, &str)]) -> Result<Options, Vec<Complaint>> {
        from_properties(&|key| {
            let mut pairs = pairs.iter();
            let found = pairs.find(|(name, _)| name.eq_ignore_ascii_case(key));
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_set_gives_the_table_s_defaults() {
        let options = read(&[]).unwrap();
        assert!(options.warnings.is_empty(), "{:?}", options.warnings);
        let all: Vec<Entry> = keys::KEYS
            .iter()
            .filter(|key| !key.default.is_empty())
            .map(|key| Entry {
                key: key.name.to_owned(),
                value: key.default.to_owned(),
                place: Place::default(),
            })
            .collect();
        let set = from_entries(&all).unwrap();
        let plain = |mut options: Options| {
            options.state_dir = None;
            format!("{options:?}")
        };
        assert_eq!(plain(options), plain(set));
    }

    #[test]
    fn every_fault_at_once() {
        let complaints = read(&[
            ("mode", "pull"),
            ("Fixer", "Anthropoc"),
            ("Fixer_Region", "eu.west"),
            ("Budget_Per_Day", "-1"),
            ("Triage", "ruls"),
            ("State_Dir", "state"),
            ("Queue_Limit", "10Q"),
            ("Memory_Limit", "9M"),
            ("Dedup_Window", "24"),
            ("Watches", "w.json"),
            ("Repo", "https://x:y@git.example/a"),
        ])
        .unwrap_err();
        let all: String = complaints.iter().map(|c| format!("{c}\n")).collect();
        for part in [
            "`Mode`: `pull` is not one of its words",
            "`Fixer`: `Anthropoc` is not one of its words; did you mean `anthropic`?",
            "`Fixer_Region`: this is no region",
            "`Budget_Per_Day`: this is no amount of money",
            "`Triage`: `ruls` is not one of its words; did you mean `rules`?",
            "`State_Dir`: `state` is a relative path",
            "`Queue_Limit`: `10Q` is no size",
            "`Memory_Limit` covers the queue",
            "`Dedup_Window`: `24` is no duration",
            "`Watches`: `w.json` is a relative path",
            "`Repo` without `Service`",
        ] {
            assert!(all.contains(part), "{part}\n{all}");
        }
    }

    #[test]
    fn one_service_of_the_output_s_own_keys() {
        let options = read(&[
            ("Service", "checkout"),
            ("Repo", "/srv/checkout"),
            ("Commit", "env:GIT_SHA"),
            ("Descriptor", "Takes payments"),
        ])
        .unwrap();
        let Services::One(service, None) = &options.services else {
            panic!("{:?}", options.services);
        };
        let settings = options.settings(service);
        assert_eq!(settings.repo.as_deref(), Some("/srv/checkout"));
        assert_eq!(settings.context_lines, 200);
        assert!(read(&[("Services", "/s"), ("Service", "a")]).is_err());
    }

    #[test]
    fn of_two_modes_the_more_careful_holds() {
        for (instance, service, (observe, deliver)) in [
            ("observe", Some(Mode::Pr), (true, false)),
            ("dry-run", Some(Mode::Pr), (false, false)),
            ("pr", None, (false, true)),
            ("pr", Some(Mode::Pr), (false, true)),
            ("pr", Some(Mode::DryRun), (false, false)),
            ("pr", Some(Mode::Observe), (true, false)),
        ] {
            let options = read(&[("Mode", instance), ("Service", "a")]).unwrap();
            let Services::One(one, None) = &options.services else {
                panic!("{:?}", options.services);
            };
            let settings = options.settings(&Service {
                mode: service,
                ..(**one).clone()
            });
            assert_eq!((settings.observe, settings.deliver), (observe, deliver));
        }
    }

    #[test]
    fn a_model_for_triage_and_how_far_text_may_go() {
        let triage = |pairs: &[(&str, &str)]| read(pairs).unwrap();
        let local = triage(&[("Triage", "ollama")]);
        let model = local.triage.model.unwrap();
        assert_eq!(
            (model.url.as_str(), model.model.as_str()),
            (triage::OLLAMA, triage::MODEL)
        );
        assert_eq!((local.egress, local.warnings.len()), (Egress::Local, 0));
        let far = [
            ("Triage", "openai"),
            ("Triage_Url", "https://llm.example/v1"),
        ];
        let options = triage(&far);
        assert_eq!(options.egress, Egress::None);
        assert!(options.warnings[0].what.contains("`Egress` is not set"));
        let options = triage(&[far[0], far[1], ("Egress", "local")]);
        assert!(options.warnings[0].what.contains("does not reach"));
        let options = triage(&[far[0], far[1], ("Egress", "cloud")]);
        assert_eq!((options.egress, options.warnings.len()), (Egress::Cloud, 0));
        assert!(read(&[("Triage", "openai")]).is_err());
        assert!(read(&[("Triage", "ollama"), ("Triage_Batch_Lines", "0")]).is_err());
    }

    #[test]
    fn several_threads_of_the_host_are_warned_of() {
        for (threads, warned) in [("1", false), ("4", true), ("0", false)] {
            let entry = Entry {
                key: "Workers".to_owned(),
                value: threads.to_owned(),
                place: Place::default(),
            };
            let (_, complaints) = read_entries(&[entry]);
            let said = complaints
                .iter()
                .any(|c| c.what.contains("`Workers` above 1"));
            assert_eq!(said, warned, "{threads}: {complaints:?}");
        }
    }

    #[test]
    fn the_host_hides_typos_but_likely_ones_are_asked_for() {
        let options = read(&[("Stat_Dir", "/x")]).unwrap();
        let all: Vec<String> = options.warnings.iter().map(ToString::to_string).collect();
        assert!(
            all.contains(&"unknown key `stat_dir`; did you mean `State_Dir`?".to_owned()),
            "{all:?}"
        );
    }
}
