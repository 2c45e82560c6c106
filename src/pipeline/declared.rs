//! The inputs that services declare for failure events of their platforms. A record under such a tag is
//! an event of the service that declares it, whatever the record says, and no text of a log: it goes to
//! no template, watch, trace or ring. A record under any other tag is no event, whatever it says.

use crate::counters::Counters;
use crate::pipeline::notes::{Note, Reported, takes_failures};
use crate::pipeline::streams::Services;
use crate::record::View;
use crate::record::failure::{self, Presented};
use crate::registry::Registry;
use crossbeam_channel::Sender;
use std::collections::HashMap;
use std::sync::Arc;

/// Tags whose answer is kept; a sender may make them up.
const MAX_TAGS: usize = 1_024;

/// The answer for each tag.
pub struct Declared {
    services: Arc<Services>,
    registry: Arc<Registry>,
    generation: u64,
    tags: HashMap<String, Option<Arc<str>>>,
}

impl Declared {
    pub fn new(services: Arc<Services>) -> Declared {
        Declared {
            registry: services.get(),
            services,
            // None yet: the first look reads the registry again.
            generation: 0,
            tags: HashMap::new(),
        }
    }

    /// The service that declares a tag. Asked once for each chunk.
    pub fn service(&mut self, tag: &str) -> Option<Arc<str>> {
        let generation = self.services.generation();
        if self.generation != generation {
            self.generation = generation;
            self.registry = self.services.get();
            self.tags.clear();
        }
        if !self.registry.has_inputs() {
            return None;
        }
        if let Some(known) = self.tags.get(tag) {
            return known.clone();
        }
        if self.tags.len() >= MAX_TAGS {
            self.tags.clear();
        }
        let found = self.registry.by_input(tag);
        let service: Option<Arc<str>> = found.map(|found| found.name().into());
        self.tags.insert(tag.to_owned(), service.clone());
        service
    }
}

/// Hands on what a record of a declared input tells of failures.
pub fn take(service: &str, view: &View<'_>, notes: &Sender<Note>, counters: &Counters) {
    let failures = failure::read(view);
    if failures.is_empty() {
        return;
    }
    let number = failures.len() as u64;
    counters.events.add(number);
    let reported = Reported {
        service: service.to_owned(),
        failures,
        presented: Presented::of(view),
        came: view.time(),
    };
    let note = Note::Failures(Box::new(reported));
    if !takes_failures(notes) || notes.try_send(note).is_err() {
        counters.events_dropped.add(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Text;

    fn registry(text: &str) -> Registry {
        let (file, text) = ("s.toml".to_owned(), text.to_owned());
        Registry::parse(&[Text { file, text }]).unwrap()
    }

    #[test]
    fn the_registry_that_holds_now_says_whose_a_tag_is() {
        let shop = "[[service]]\nname = \"shop\"\ninputs = [\"hook.*\"]\n";
        let services = Arc::new(Services::new(registry(shop)));
        let mut declared = Declared::new(Arc::clone(&services));
        let mut name = |tag: &str| declared.service(tag).map(|name| name.to_string());
        assert_eq!(name("hook.a").as_deref(), Some("shop"));
        assert_eq!(name("hook.a").as_deref(), Some("shop"));
        assert_eq!(name("app.shop"), None);
        (0..5_000).for_each(|n| assert_eq!(name(&format!("made.up.{n}")), None));
        services.replace(registry(
            "[[service]]\nname = \"cart\"\ninputs = \"hook.a\"\n",
        ));
        assert_eq!(name("hook.a").as_deref(), Some("cart"));
        assert_eq!(name("hook.b"), None);
        services.replace(registry("[[service]]\nname = \"cart\"\n"));
        assert_eq!(name("hook.a"), None);
        assert!(declared.tags.len() <= MAX_TAGS);
    }
}
