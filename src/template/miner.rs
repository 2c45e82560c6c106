//! The miner: one per service. A line's signature is looked up in the cache; only where it is
//! new does the line go through the tree.

use super::bytes;
use super::cache::{Cache, ENTRY_BYTES};
use super::cluster::{Cluster, Fit};
use super::judge::Verdict;
use super::learnt::{Learnt, MOST_FORMS, Refused};
use super::scan::{self, Token};
use super::store::{self, Handle, Store};
use crate::model::TemplateId;
use std::collections::HashMap;

/// What one miner may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of heap in all.
    pub memory: usize,
    /// Templates.
    pub clusters: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory: 8 << 20,
            clusters: 10_000,
        }
    }
}

/// Whether a template had been seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// Seen or loaded before.
    Known,
    /// The first line of a template.
    New,
    /// An existing template became more general. Happens a bounded number of times per template.
    Changed,
    /// A new form while new ones come in a flood, or past the limits: counted, not news.
    Full,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: TemplateId,
    pub novelty: Novelty,
}

/// Changed with every change of what a template's first form is, so that ids of two algorithms
/// are not taken for each other.
const DOMAIN: u64 = 0x6175_746f_6669_7801;
/// Templates that differ in one unclear word only before the next ones share a template.
const UNCLEAR_SIBLINGS: usize = 8;
/// The same where the word looks like a state or constant.
const EVENT_SIBLINGS: usize = 24;
/// Times that one template is told as changed.
const CHANGES_TOLD: u8 = 4;
/// New templates that are told at once.
const NEWS: u32 = 1000;
/// After so many lines one more new template is told.
const LINES_PER_NEWS: u64 = 500;
/// Tries to find another id where one is taken.
const PROBES: u64 = 8;

/// Learns the templates of one service, line by line.
#[derive(Debug)]
pub struct Miner {
    cache: Cache,
    store: Store,
    tokens: Vec<Token>,
    /// Lines read.
    lines: u64,
    news: u32,
    /// When `news` was last given one more, in lines.
    refilled: u64,
}

/// What the tree says about a line.
enum Place {
    Known(Handle),
    Widen(Handle),
    /// A template of its own, in which this place varies.
    New(Option<usize>),
}

impl Miner {
    pub fn new(limits: Limits) -> Miner {
        let entries = (limits.memory / 4 / ENTRY_BYTES).min(limits.clusters.saturating_mul(4));
        let memory = limits.memory.saturating_sub(entries * ENTRY_BYTES);
        Miner {
            cache: Cache::new(entries),
            store: Store::new(limits.clusters, memory),
            tokens: Vec::new(),
            lines: 0,
            news: NEWS,
            refilled: 0,
        }
    }

    /// Gives the line its template, which never changes for it.
    #[inline]
    pub fn read(&mut self, message: &str) -> Seen {
        self.lines += 1;
        let signature = scan::signature(message);
        if let Some(handle) = self.cache.get(signature, self.lines)
            && let Some(seen) = self.again(handle)
        {
            return seen;
        }
        self.find(message, signature)
    }

    /// A line of a template that is held.
    #[inline]
    fn again(&mut self, handle: Handle) -> Option<Seen> {
        let cluster = self.store.get_mut(handle)?;
        cluster.last = self.lines;
        cluster.hits = cluster.hits.saturating_add(1);
        let id = cluster.id;
        if cluster.kept || cluster.hits < store::ESTABLISHED {
            return Some(Seen {
                id,
                novelty: Novelty::Known,
            });
        }
        let told = std::mem::replace(&mut cluster.told, true);
        self.store.establish(handle);
        // What came in a flood and stays is news after all.
        let novelty = if told { Novelty::Known } else { Novelty::New };
        Some(Seen { id, novelty })
    }

    fn find(&mut self, message: &str, signature: u64) -> Seen {
        let mut tokens = std::mem::take(&mut self.tokens);
        scan::tokens(message, &mut tokens);
        let seen = match self.place(message, &tokens) {
            Place::Known(handle) => self.join(handle, signature),
            Place::Widen(handle) => {
                self.store.change(handle, |cluster| cluster.widen(&tokens));
                let seen = self.join(handle, signature);
                self.tell_change(handle, seen)
            }
            Place::New(any) => self.add(message, &tokens, signature, any),
        };
        self.tokens = tokens;
        seen
    }

    fn join(&mut self, handle: Handle, signature: u64) -> Seen {
        self.cache.put(signature, handle, self.lines);
        self.again(handle).unwrap_or(Seen {
            id: id_of(signature, 0),
            novelty: Novelty::Full,
        })
    }

    fn tell_change(&mut self, handle: Handle, seen: Seen) -> Seen {
        let tell = self.store.get_mut(handle).is_some_and(|cluster| {
            cluster.changes = cluster.changes.saturating_add(1);
            cluster.changes <= CHANGES_TOLD
        });
        match seen.novelty {
            Novelty::Known if tell => Seen {
                novelty: Novelty::Changed,
                ..seen
            },
            _ => seen,
        }
    }

    /// Where the line belongs: to the template that fits as it is, the most special first; else
    /// to one that may become more general; else nowhere yet.
    fn place(&self, message: &str, tokens: &[Token]) -> Place {
        let key = store::leaf(tokens.len(), tokens.first().map(|token| token.hash));
        let mut same: Option<(usize, TemplateId, Handle)> = None;
        let mut widened: Option<(TemplateId, Handle)> = None;
        let mut nearly = Siblings::default();
        let mut judged = 0;
        // In a flood a line is weighed against what was learnt, not against the flood itself.
        let flood = self.news == 0;
        for (handle, cluster) in self.store.leaf(key) {
            if flood && cluster.hits == 1 {
                continue;
            }
            match cluster.fit(message, tokens, &mut judged) {
                Fit::Same(any) => {
                    let this = (any, cluster.id, handle);
                    if same.is_none_or(|best| (this.0, this.1) < (best.0, best.1)) {
                        same = Some(this);
                    }
                }
                Fit::Widened => {
                    if widened.is_none_or(|best| cluster.id < best.0) {
                        widened = Some((cluster.id, handle));
                    }
                }
                Fit::Nearly(place, verdict) => nearly.add(place, verdict),
                Fit::No => {}
            }
        }
        match (same, widened) {
            (Some((_, _, handle)), _) => Place::Known(handle),
            (None, Some((_, handle))) => Place::Widen(handle),
            (None, None) => Place::New(nearly.place()),
        }
    }

    fn add(&mut self, message: &str, tokens: &[Token], signature: u64, any: Option<usize>) -> Seen {
        let id = (0..PROBES).map(|probe| id_of(signature, probe));
        let free = |id: &TemplateId| self.store.by_id(id.number()).is_none();
        let Some(id) = id.into_iter().find(free) else {
            let id = id_of(signature, 0);
            return Seen {
                id,
                novelty: Novelty::Full,
            };
        };
        let told = self.may_tell();
        let mut cluster = Cluster::new(id, message, tokens, any);
        cluster.last = self.lines;
        cluster.hits = 1;
        cluster.told = told;
        let novelty = match self.store.insert(cluster) {
            Some(handle) => {
                self.cache.put(signature, handle, self.lines);
                if told { Novelty::New } else { Novelty::Full }
            }
            None => Novelty::Full,
        };
        Seen { id, novelty }
    }

    /// Whether one more new template is news, or one of a flood.
    fn may_tell(&mut self) -> bool {
        let due = (self.lines - self.refilled) / LINES_PER_NEWS;
        self.refilled += due * LINES_PER_NEWS;
        let due = u32::try_from(due).unwrap_or(NEWS);
        self.news = self.news.saturating_add(due).min(NEWS);
        let any = self.news > 0;
        self.news = self.news.saturating_sub(1);
        any
    }

    /// The template with `<*>` for what varies, as it is now. None once it was evicted.
    pub fn text(&self, id: TemplateId) -> Option<String> {
        self.store.by_id(id.number()).map(Cluster::render)
    }

    /// Bytes of heap held, near enough; costs nothing to ask.
    pub fn bytes(&self) -> usize {
        self.store.bytes() + self.cache.bytes() + self.tokens.capacity() * size_of::<Token>()
    }

    /// Templates held.
    pub fn len(&self) -> usize {
        self.store.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is left of a line when its values are masked, whatever was learnt.
    pub fn masked(message: &str) -> String {
        let mut tokens = Vec::new();
        scan::tokens(message, &mut tokens);
        Cluster::new(TemplateId::new(0), message, &tokens, None).render()
    }

    /// Everything learnt, for [`Miner::load`], in the order of the ids.
    pub fn export(&self) -> impl Iterator<Item = Learnt> + '_ {
        let mut forms: HashMap<u32, Vec<u64>> = HashMap::new();
        for (signature, handle) in self.cache.iter() {
            if self.store.get(handle).is_some() {
                forms.entry(handle.slot).or_default().push(signature);
            }
        }
        let mut all: Vec<_> = self.store.iter().collect();
        all.sort_by_key(|(_, cluster)| cluster.id);
        all.into_iter().map(move |(handle, cluster)| {
            let mut forms = forms.remove(&handle.slot).unwrap_or_default();
            forms.sort_unstable();
            forms.truncate(MOST_FORMS);
            Learnt::of(cluster, &forms)
        })
    }

    /// Takes up what a miner exported: its lines are [`Novelty::Known`] from then on, in
    /// whatever order its templates come.
    ///
    /// # Errors
    /// [`Refused`] says why it was not taken; then nothing has changed.
    pub fn load(&mut self, learnt: &Learnt) -> Result<(), Refused> {
        let (mut cluster, forms) = learnt.checked()?;
        let id = learnt.id.number();
        let handle = match self.store.by_id(id) {
            Some(held) if held.parts != cluster.parts => return Err(Refused::Taken),
            Some(_) => self.store.handle_of(id),
            None if !self.store.has_room(&cluster) => None,
            None => {
                cluster.last = self.lines;
                cluster.hits = store::ESTABLISHED;
                cluster.told = true;
                cluster.kept = true;
                self.store.insert(cluster)
            }
        };
        let handle = handle.ok_or(Refused::Full)?;
        for form in forms {
            let held = self.cache.get(form, self.lines);
            if held.is_none_or(|held| self.store.get(held).is_none()) {
                self.cache.put(form, handle, self.lines);
            }
        }
        Ok(())
    }
}

fn id_of(signature: u64, probe: u64) -> TemplateId {
    TemplateId::new(bytes::join(bytes::join(DOMAIN, signature), probe) >> 16)
}

/// Places in which templates differ from a line in one word, and how many do.
#[derive(Default)]
struct Siblings {
    counts: [(usize, usize, usize); 4],
}

impl Siblings {
    fn add(&mut self, place: usize, verdict: Verdict) {
        let entry = self
            .counts
            .iter_mut()
            .find(|(at, count, _)| *at == place || *count == 0);
        if let Some((at, count, events)) = entry {
            *at = place;
            *count += 1;
            *events += usize::from(verdict == Verdict::Event);
        }
    }

    /// The place that has shown so many words that it varies.
    fn place(&self) -> Option<usize> {
        let many = |(_, count, events): &&(usize, usize, usize)| {
            let limit = if *events > 0 {
                EVENT_SIBLINGS
            } else {
                UNCLEAR_SIBLINGS
            };
            *count >= limit
        };
        self.counts.iter().find(many).map(|(at, _, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Novelty::{Changed, Full, Known, New};

    fn miner(clusters: usize) -> Miner {
        Miner::new(Limits {
            memory: 1 << 20,
            clusters,
        })
    }

    /// A word of letters that stands for the number.
    fn word(mut number: usize) -> String {
        let mut word = String::from("w");
        while number > 0 {
            word.push(char::from(b'g' + (number % 16) as u8));
            number /= 16;
        }
        word
    }

    #[test]
    fn novelty_of_a_line() {
        let mut miner = miner(100);
        let mut novelty = |line: &str| miner.read(line).novelty;
        assert_eq!(novelty("user root came"), New);
        assert_eq!(novelty("user root came"), Known);
        assert_eq!(novelty("user test came"), Changed);
        assert_eq!(novelty("user else came"), Known);
        assert_eq!(novelty("nobody left"), New);
    }

    #[test]
    fn ids_depend_on_nothing_but_the_first_form() {
        // Written out, so that a change of the algorithm is noticed: then DOMAIN changes too.
        let id = miner(9).read("took 5 ms for /a/b").id;
        assert_eq!(id.to_string(), "609f2d4ed53b");
        let mut other = miner(9);
        other.read("something else");
        assert_eq!(other.read("took 17 ms for /c").id, id);
    }

    #[test]
    fn a_flood_of_templates_drives_out_nothing_that_was_learnt() {
        let mut miner = miner(80);
        let learnt: Vec<String> = (0..40)
            .map(|n| format!("{} is learnt here", word(n)))
            .collect();
        let ids: Vec<_> = learnt.iter().map(|line| miner.read(line).id).collect();
        for line in learnt.iter().chain(&learnt) {
            miner.read(line);
        }
        let mut full = 0;
        for n in 0..10_000 {
            full += usize::from(
                miner
                    .read(&format!("made up {} {}", word(n), word(n / 7)))
                    .novelty
                    == Full,
            );
            assert!(n % 100 > 0 || miner.len() <= 80 && miner.bytes() <= 1 << 20);
        }
        assert!(full > 8_900, "{full}");
        for (line, id) in learnt.iter().zip(ids) {
            assert_eq!(miner.read(line), Seen { id, novelty: Known }, "{line}");
        }
    }

    #[test]
    fn what_stays_of_a_flood_is_told_when_it_is_established() {
        let mut miner = miner(20_000);
        for n in 0..3000 {
            miner.read(&format!("made up {} {}", word(n), word(n / 7)));
        }
        let mut news = || miner.read("a real fault that comes again").novelty;
        assert_eq!([news(), news(), news(), news()], [Full, Known, New, Known]);
    }

    #[test]
    fn memory_is_bounded_whatever_is_read() {
        let mut miner = Miner::new(Limits {
            memory: 200_000,
            clusters: 1_000_000,
        });
        for n in 0..4_000 {
            miner.read(&format!(
                "{} {}",
                word(n),
                "long words follow here ".repeat(60)
            ));
            miner.read(&format!("user {} of group some came", word(n)));
        }
        assert!(miner.bytes() <= 220_000, "{}", miner.bytes());
        assert!(miner.len() > 20);
    }

    #[test]
    fn a_place_that_shows_many_words_varies() {
        let mut miner = miner(10_000);
        let mut ids: Vec<_> = (0..500)
            .map(|n| miner.read(&format!("now baking {} for tea", word(n))).id)
            .collect();
        ids.sort();
        ids.dedup();
        assert!(ids.len() <= UNCLEAR_SIBLINGS + 1, "{}", ids.len());
    }

    #[test]
    fn any_line_is_read() {
        let mut miner = miner(100);
        for line in [
            "",
            " ",
            "\u{0}\u{1b}[0m",
            "....",
            "'",
            "\"",
            "<*>",
            ":::",
            "C:\\",
            "(",
            "é",
        ] {
            let seen = miner.read(line);
            assert_eq!(
                miner.read(line),
                Seen {
                    novelty: Known,
                    ..seen
                },
                "{line:?}"
            );
            assert!(miner.text(seen.id).is_some());
        }
        let long = "x y ".repeat(500_000);
        assert_eq!(miner.read(&long).id, miner.read(&format!("{long}z")).id);
    }
}
