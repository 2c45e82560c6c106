//! The ledger of one investigation, over the store: each call is booked under the incident's lease
//! before it is made and corrected after it, and what was said is kept with it.

use crate::investigate::inquiry::{Denied, Entry, Estimate, Halted, Ledger};
use crate::llm::Usage;
use crate::model::Settings;
use crate::model::service::{FixerModel, Usd};
use crate::pipeline::clock;
use crate::pipeline::lane::Halt;
use crate::store::{Booked, Booking, Error, ErrorKind, Lease, OverBudget, Store, Tokens};

/// Books for one incident.
pub struct StoreLedger<'a> {
    pub store: &'a mut Store,
    pub lease: &'a Lease,
    pub settings: &'a Settings,
    pub model: &'a FixerModel,
    /// The state is on a disk that does not last.
    pub is_ephemeral: bool,
    pub halt: &'a Halt,
    booked: Option<(Booked, Estimate)>,
}

impl<'a> StoreLedger<'a> {
    pub fn new(
        store: &'a mut Store,
        lease: &'a Lease,
        settings: &'a Settings,
        model: &'a FixerModel,
        is_ephemeral: bool,
        halt: &'a Halt,
    ) -> StoreLedger<'a> {
        StoreLedger {
            store,
            lease,
            settings,
            model,
            is_ephemeral,
            halt,
            booked: None,
        }
    }

    /// Whose budget it is.
    fn owner(&self) -> &'a str {
        let settings = self.settings;
        settings.owner.as_deref().unwrap_or(&settings.service)
    }

    fn most(&self, call: Estimate) -> Usd {
        self.model.prices.most(call.prompt, call.output)
    }
}

impl Ledger for StoreLedger<'_> {
    fn book(&mut self, call: Estimate) -> Result<(), Denied> {
        if self.halt.requested() {
            return Err(Denied::Halted(Halted::Ending));
        }
        let budget = self.settings.budget;
        let most = self.most(call);
        if self.is_ephemeral && most > Usd(0) && !budget.on_ephemeral {
            return Err(Denied::OverBudget(OverBudget::Ephemeral.to_string()));
        }
        let booking = Booking {
            service: &self.settings.service,
            owner: self.owner(),
            model: &self.model.model,
            most,
            tokens: Tokens {
                input: call.prompt,
                output: call.output,
                ..Tokens::default()
            },
            within: call.within,
        };
        let now = clock::now();
        match self.store.book(self.lease, &booking, budget, now) {
            Ok(Ok(booked)) => {
                self.booked = Some((booked, call));
                Ok(())
            }
            Ok(Err(over)) => Err(Denied::OverBudget(over.to_string())),
            Err(fault) => Err(Denied::Halted(halted(&fault))),
        }
    }

    fn settle(
        &mut self,
        used: Option<Usage>,
        entries: &mut dyn FnMut(Usd) -> Vec<Entry>,
    ) -> Result<(), Halted> {
        let Some((booked, call)) = self.booked.take() else {
            return self.keep(entries(Usd(0)));
        };
        let prices = self.model.prices;
        let (tokens, usd) = match used {
            Some(used) => (
                Tokens {
                    input: used.input,
                    output: used.output,
                    cache_write: used.cache_write,
                    cache_read: used.cache_read,
                },
                prices.cost(used.input, used.output, used.cache_write, used.cache_read),
            ),
            None => (
                Tokens {
                    input: call.prompt,
                    output: call.output,
                    ..Tokens::default()
                },
                self.most(call),
            ),
        };
        let kept = lines(&entries(usd))?;
        self.store
            .settle(self.lease, booked, (tokens, usd), &kept, clock::now())
            .map_err(|fault| halted(&fault))
    }

    fn keep(&mut self, entries: Vec<Entry>) -> Result<(), Halted> {
        let kept = lines(&entries)?;
        self.store
            .keep(self.lease, &kept, clock::now())
            .map_err(|fault| halted(&fault))
    }

    fn has_room_after(&self, call: Estimate) -> bool {
        let most = self.most(call);
        if most == Usd(0) {
            return true;
        }
        let (owner, service) = (self.owner(), &self.settings.service);
        let left = self.store.left_for(
            self.lease.incident,
            owner,
            service,
            self.settings.budget,
            clock::now(),
        );
        // Where the store cannot say, the next booking will.
        left.map_or(true, |left| left >= most.plus(most))
    }
}

/// Each with the time of the wall clock.
fn lines(entries: &[Entry]) -> Result<Vec<String>, Halted> {
    let at = clock::now().to_rfc3339();
    let line = |entry: &Entry| {
        let mut value = serde_json::to_value(entry)?;
        if let Some(object) = value.as_object_mut() {
            object.insert("at".to_owned(), at.clone().into());
        }
        serde_json::to_string(&value)
    };
    let lines: Result<Vec<String>, serde_json::Error> = entries.iter().map(line).collect();
    lines.map_err(|fault| Halted::Store(fault.to_string()))
}

fn halted(fault: &Error) -> Halted {
    match fault.kind {
        ErrorKind::LeaseLost => Halted::Lost,
        ErrorKind::Place
        | ErrorKind::Missing
        | ErrorKind::Full
        | ErrorKind::Busy
        | ErrorKind::Newer
        | ErrorKind::Broken => Halted::Store(fault.to_string()),
    }
}
