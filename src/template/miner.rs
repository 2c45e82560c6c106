//! The miner: one per service.

use crate::model::TemplateId;
use crate::template::learnt::{Learnt, Refused, VERSION};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

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

/// Learns the templates of one service, line by line.
#[derive(Debug)]
pub struct Miner {
    limits: Limits,
    templates: HashMap<TemplateId, String>,
}

impl Miner {
    pub fn new(limits: Limits) -> Miner {
        Miner {
            limits,
            templates: HashMap::new(),
        }
    }

    /// Gives the line its template, which never changes for it.
    pub fn read(&mut self, message: &str) -> Seen {
        let mut hasher = DefaultHasher::new();
        message.hash(&mut hasher);
        let id = TemplateId::new(hasher.finish());
        if self.templates.contains_key(&id) {
            return Seen {
                id,
                novelty: Novelty::Known,
            };
        }
        if self.templates.len() >= self.limits.clusters {
            return Seen {
                id,
                novelty: Novelty::Full,
            };
        }
        self.templates.insert(id, message.to_owned());
        Seen {
            id,
            novelty: Novelty::New,
        }
    }

    /// The template with `<*>` for what varies, as it is now. None once it was evicted.
    pub fn text(&self, id: TemplateId) -> Option<String> {
        self.templates.get(&id).cloned()
    }

    /// Bytes of heap held, near enough; costs nothing to ask.
    pub fn bytes(&self) -> usize {
        self.templates.len() * 200
    }

    /// Templates held.
    pub fn len(&self) -> usize {
        self.templates.len()
    }

    pub fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }

    /// Everything learnt, for [`Miner::load`].
    pub fn export(&self) -> impl Iterator<Item = Learnt> + '_ {
        self.templates.iter().map(|(id, template)| Learnt {
            v: VERSION,
            service: None,
            id: *id,
            template: template.clone(),
            forms: Vec::new(),
        })
    }

    /// Takes up what a miner exported: its lines are [`Novelty::Known`] from then on.
    pub fn load(&mut self, learnt: Learnt) -> Result<(), Refused> {
        if learnt.v != VERSION {
            return Err(Refused::Version(learnt.v));
        }
        self.templates.insert(learnt.id, learnt.template);
        Ok(())
    }
}
