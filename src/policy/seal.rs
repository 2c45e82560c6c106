//! What an approval is bound to: one hash over the service, where it runs, the task, and what the
//! service was like when it was asked for.

use crate::model::recovery::{Basis, Policy, State, Task};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What an approval rests on.
pub fn basis(policy: &Policy, state: &State) -> Basis {
    Basis {
        release: state.release.clone(),
        wanted: state.wanted,
        policy: sha256(policy),
    }
}

/// SHA-256 in hexadecimal. The same for the same action on the same service, and for no other.
pub fn hash(service: &str, policy: &Policy, task: &Task, basis: &Basis) -> String {
    sha256(&(service, &policy.place, task, basis))
}

fn sha256(what: &impl Serialize) -> String {
    // Plain data with string keys: there is nothing in it that JSON cannot hold.
    let text = serde_json::to_vec(what).unwrap_or_default();
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::policy;

    #[test]
    fn another_task_service_place_or_basis_is_another_hash() {
        let policy = policy();
        let state = State {
            release: Some("7".to_owned()),
            wanted: Some(2),
            ..State::default()
        };
        let to = |to: &str| Task::Rollback { to: to.to_owned() };
        let basis = super::basis(&policy, &state);
        let one = hash("cart", &policy, &to("6"), &basis);
        assert_eq!(one, hash("cart", &policy, &to("6"), &basis));
        assert_eq!(one.len(), 64);
        let mut elsewhere = policy.clone();
        elsewhere.place.target = "other".to_owned();
        let later = State {
            release: Some("8".to_owned()),
            ..state
        };
        let others = [
            hash("cart", &policy, &to("5"), &basis),
            hash("pay", &policy, &to("6"), &basis),
            hash("cart", &elsewhere, &to("6"), &basis),
            hash("cart", &policy, &to("6"), &super::basis(&policy, &later)),
            hash("cart", &policy, &to("6"), &super::basis(&elsewhere, &later)),
        ];
        assert!(others.iter().all(|other| *other != one));
    }
}
