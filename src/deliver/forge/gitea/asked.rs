//! Who and what goes with a pull request: labels, which the API knows by numbers, and reviewers.

use super::{Gitea, PAGE, PAGES};
use crate::deliver::forge::Error;
use crate::deliver::forge::call::{list, number, text};
use crate::deliver::forge::site::encoded;
use serde_json::json;

impl Gitea {
    /// The ids of labels of the repository and of its organisation, and a sentence for each that
    /// there is not.
    pub(super) fn labels(&self, names: &[String]) -> Result<(Vec<u64>, Vec<String>), Error> {
        if names.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let owner = self.places.target.split('/').next().unwrap_or_default();
        let lists = [
            format!("{}/labels", self.target()),
            format!("orgs/{}/labels", encoded(owner)),
        ];
        let mut known: Vec<(String, u64)> = Vec::new();
        for path in lists {
            for page in 1..=PAGES {
                let answer = self.api.get(&format!("{path}?limit={PAGE}&page={page}"))?;
                let labels = match answer.status {
                    200 => list(&answer.body, ""),
                    // No organisation, or the token may not see labels.
                    403 | 404 => break,
                    _ => return Err(self.api.refusal(&answer, "looking for labels")),
                };
                known.extend(labels.iter().filter_map(|label| {
                    Some((text(label, "/name")?.to_owned(), number(label, "/id")?))
                }));
                if labels.is_empty() {
                    break;
                }
            }
        }
        let (mut ids, mut left_out) = (Vec::new(), Vec::new());
        for name in names {
            match known.iter().find(|(known, _)| known == name) {
                Some((_, id)) if !ids.contains(id) => ids.push(*id),
                Some(_) => {}
                None => left_out.push(format!("label {name}: the repository has no such label")),
            }
        }
        Ok((ids, left_out))
    }

    /// Asks one after the other, because one that the host does not take spoils the rest. The
    /// request is open by now, so nothing here is an error.
    pub(super) fn ask(&self, number: u64, names: &[String], left_out: &mut Vec<String>) {
        let path = format!("{}/pulls/{number}/requested_reviewers", self.target());
        for name in names {
            let body = match name.split_once('/') {
                Some((_, team)) => json!({ "team_reviewers": [team] }),
                None => json!({ "reviewers": [name] }),
            };
            let why = match self.api.post(&path, &body) {
                Ok(answer) if answer.is_good() => continue,
                Ok(answer) => self.api.refusal(&answer, "asking").to_string(),
                Err(e) => e.to_string(),
            };
            left_out.push(format!("reviewer {name}: {why}"));
        }
    }
}
