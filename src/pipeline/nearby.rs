//! What other streams said around a fault: those of its own service, and those of neighbours that
//! the registry lets be shown beside it. A neighbour of another owner is never shown. Runs once for a
//! chunk that made signals, and looks at rings only.

use crate::model::{ContextLine, Signal, Timestamp};
use crate::pipeline::ring::head;
use crate::pipeline::streams::{Stream, Streams};
use crate::registry::Registry;
use std::sync::Arc;
use std::time::Duration;

/// How long before and after it.
const AROUND: Duration = Duration::from_secs(60);
/// Streams that are shown of the own service, and of all neighbours.
const STREAMS: usize = 4;
/// Lines of each.
const LINES: usize = 20;
/// Longest name of a stream, in bytes.
const NAME: usize = 200;

/// All streams, for the signals of one chunk.
pub struct Nearby<'a> {
    streams: Vec<&'a Stream>,
    registry: Arc<Registry>,
}

impl<'a> Nearby<'a> {
    pub fn of(streams: &'a mut Streams) -> Nearby<'a> {
        let registry = streams.registry();
        Nearby {
            streams: streams.all().map(|stream| &*stream).collect(),
            registry,
        }
    }

    /// Adds what others said to the signal's context.
    pub fn complete(&mut self, signal: &mut Signal) {
        let own =
            |stream: &Stream| stream.service == signal.service && stream.name != signal.stream;
        let mut lines = self.said(signal.last, own, |stream| stream.name.clone());
        let neighbours = self.neighbours(&signal.service);
        if !neighbours.is_empty() {
            let near = |stream: &Stream| neighbours.contains(&stream.service);
            let name = |stream: &Stream| format!("{}: {}", stream.service, stream.name);
            lines.extend(self.said(signal.last, near, name));
        }
        signal.context.append(&mut lines);
    }

    fn said(
        &self,
        time: Timestamp,
        of: impl Fn(&Stream) -> bool,
        name: impl Fn(&Stream) -> String,
    ) -> Vec<ContextLine> {
        let heard = self.streams.iter().filter(|stream| of(stream));
        let heard = heard.filter_map(|stream| {
            let lines = stream.ring.near(time, AROUND, LINES);
            (!lines.is_empty()).then_some((stream, lines))
        });
        let mut all = Vec::new();
        for (stream, lines) in heard.take(STREAMS) {
            let from = head(&name(stream), NAME).to_owned();
            all.extend(lines.into_iter().map(|line| ContextLine {
                from: Some(from.clone()),
                ..line
            }));
        }
        all
    }

    /// Names of the services that may be shown beside this one.
    fn neighbours(&self, service: &str) -> Vec<String> {
        let Some(own) = self.registry.named(service) else {
            return Vec::new();
        };
        let own = own.service;
        let shown = own.context_from.iter().filter(|name| {
            // The owner is a wall. A name that is not registered belongs to nobody.
            let other = self.registry.named(name);
            other.is_some_and(|other| other.service.owner == own.owner)
        });
        shown.cloned().collect()
    }
}
