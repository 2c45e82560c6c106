//! The log bill: what each template of each service costs in lines and bytes, and a filter for
//! what was in no incident. Read from what the fast lane left in the store.

pub mod filter;

use crate::app::Error;
use crate::app::look::{failed, open};
use crate::model::{TemplateId, Timestamp};
use crate::rate;
use crate::store;
use crate::template;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::Path;

/// The bill of one service.
#[derive(Clone, Debug)]
pub struct ServiceBill {
    pub service: String,
    /// Event time of the first record.
    pub since: Option<Timestamp>,
    pub lines: u64,
    pub bytes: u64,
    /// Most bytes first.
    pub items: Vec<Item>,
}

/// One template on the bill.
#[derive(Clone, Debug)]
pub struct Item {
    /// `None`: templates that are no longer kept, together.
    pub template: Option<TemplateId>,
    /// Log text; `None` where the template is no longer kept.
    pub text: Option<String>,
    pub lines: u64,
    pub bytes: u64,
    /// Of the bytes of all services, 0 to 1.
    pub share: f64,
    pub in_incident: bool,
    pub errors: bool,
    /// Key and expression for a filter that drops these lines; for those only that were in no
    /// incident and are no errors.
    pub exclude: Option<String>,
}

/// The bill of every service, most bytes first.
///
/// # Errors
/// When there is no store or it cannot be read.
pub fn bill(state_dir: &Path) -> Result<Vec<ServiceBill>, Error> {
    let all = open(state_dir)?.learnt().map_err(failed)?;
    let mut bills: Vec<ServiceBill> = all.iter().filter_map(of_service).collect();
    let total: u64 = bills.iter().map(|bill| bill.bytes).sum();
    for item in bills.iter_mut().flat_map(|bill| &mut bill.items) {
        item.share = item.bytes as f64 / total.max(1) as f64;
    }
    bills.sort_by_key(|bill| Reverse(bill.bytes));
    Ok(bills)
}

impl Item {
    /// The object of `status --bill --json`; stable.
    pub fn to_json(&self, bill: &ServiceBill) -> Value {
        let exclude = self.exclude.clone();
        json!({
            "service": bill.service,
            "since": bill.since.map(Timestamp::to_rfc3339),
            "template": self.template,
            "text": self.text,
            "lines": self.lines,
            "bytes": self.bytes,
            "share": self.share,
            "in_incident": self.in_incident,
            "errors": self.errors,
            "filter": exclude.map(|exclude| filter::block(&[exclude])),
        })
    }
}

fn of_service(learnt: &store::Learnt) -> Option<ServiceBill> {
    let book: rate::Learnt = serde_json::from_str(&learnt.book).ok()?;
    let texts = texts(&learnt.templates);
    let items: Vec<Item> = book
        .bill()
        .into_iter()
        .map(|line| item(line, &texts))
        .collect();
    Some(ServiceBill {
        service: learnt.service.clone(),
        since: book.since(),
        lines: items.iter().map(|item| item.lines).sum(),
        bytes: items.iter().map(|item| item.bytes).sum(),
        items,
    })
}

/// Texts by template. A line that cannot be read is left out.
fn texts(lines: &str) -> HashMap<TemplateId, String> {
    let parsed = lines
        .lines()
        .filter_map(|line| template::Learnt::parse(line).ok());
    parsed.map(|learnt| (learnt.id, learnt.template)).collect()
}

fn item(line: rate::Line, texts: &HashMap<TemplateId, String>) -> Item {
    let text = line.template.and_then(|id| texts.get(&id)).cloned();
    let key = filter::Key {
        key: &line.key,
        inner: line.inner.as_deref(),
    };
    let droppable = !line.in_incident && !line.errors;
    let droppable = text.as_deref().filter(|_| droppable);
    Item {
        template: line.template,
        exclude: droppable.and_then(|text| filter::exclude(text, key)),
        text,
        lines: line.lines,
        bytes: line.bytes,
        share: 0.0,
        in_incident: line.in_incident,
        errors: line.errors,
    }
}
