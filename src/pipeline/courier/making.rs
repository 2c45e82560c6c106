//! From an order to an open request: one branch, one request, whoever makes them and however
//! often he is interrupted.

use super::{Courier, Due, Fault};
use crate::deliver::forge::{Branch, ErrorKind, Forge};
use crate::model::delivery::{Delivery, Order, Pull, PullState};
use crate::pipeline::clock;
use crate::store::{PullLease, PullRow};
use std::time::Duration;

/// How long a branch of another process, with another change than ours, is left to it.
const OTHERS: Duration = Duration::from_secs(600);
/// How often it is looked whether it has opened its request.
const OTHERS_PAUSE: Duration = Duration::from_secs(30);

const NOT_THIS_CHANGE: &str = "> The branch was made by another instance of autofix, which ended \
    before it opened this request. What is said below is about the same fault, but the change was \
    made by that instance, and may be another one than is described here.\n\n";

impl Courier {
    pub(super) fn make(
        &mut self,
        row: &mut PullRow,
        lease: &PullLease,
        forge: &dyn Forge,
    ) -> Result<Due, Fault> {
        self.go_on(lease)?;
        if let Some(pull) = forge.find(&row.order)? {
            return self.adopt(row, lease, forge, pull);
        }
        let mut own = true;
        if row.tip.is_none() {
            self.go_on(lease)?;
            match forge.make_branch(&row.order)? {
                Branch::Made { tip } => row.tip = Some(tip),
                Branch::Ours { tip, same: true } => row.tip = Some(tip),
                Branch::Ours { same: false, .. } if clock::now().since(row.made) < OTHERS => {
                    "another process made the branch, and is to open the request"
                        .clone_into(&mut row.why);
                    return Ok(Some(clock::now().plus(OTHERS_PAUSE)));
                }
                Branch::Ours { tip, same: false } => {
                    row.tip = Some(tip);
                    own = false;
                }
                Branch::Theirs { tip } => {
                    let why = format!(
                        "somebody else pushed to the branch {} (now at {tip}): it is left to them",
                        row.order.branch
                    );
                    return Ok(hand_over(row, why));
                }
            }
        }
        self.go_on(lease)?;
        let opened = if own {
            forge.open(&row.order)
        } else {
            forge.open(&Order {
                body: format!("{NOT_THIS_CHANGE}{}", row.order.body),
                ..row.order.clone()
            })
        };
        match opened {
            Ok(opened) => {
                let left_out = opened.left_out.join("; ");
                let due = self.adopt(row, lease, forge, opened.pull)?;
                if !left_out.is_empty() {
                    row.why = format!("{}; {left_out}", row.why);
                }
                Ok(due)
            }
            // The branch was there; what the host will not open then is for a person.
            Err(fault) if matches!(fault.kind, ErrorKind::Invalid) => {
                let why = format!("no request can be opened for the branch: {fault}");
                Ok(hand_over(row, why))
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Takes a request that is there for what it is.
    fn adopt(
        &mut self,
        row: &mut PullRow,
        lease: &PullLease,
        forge: &dyn Forge,
        pull: Pull,
    ) -> Result<Due, Fault> {
        let now = clock::now();
        row.number = Some(pull.number);
        row.url = Some(pull.url.clone());
        row.tip = pull.tip.clone().or(row.tip.take());
        row.opened = Some(now);
        if pull.state == PullState::Open {
            for (at, rest) in row.order.rest.iter().enumerate() {
                self.go_on(lease)?;
                forge.comment(&row.order, pull.number, rest, &format!("rest-{at}"))?;
            }
        }
        Ok(super::watching::follow(row, &pull.state, now))
    }
}

fn hand_over(row: &mut PullRow, why: String) -> Due {
    row.state = Delivery::Theirs;
    row.why = why;
    None
}
