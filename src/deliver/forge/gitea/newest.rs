//! Finds the pull request of a branch among those of a repository.

use super::{Gitea, PAGE, PAGES};
use crate::deliver::forge::Error;
use crate::deliver::forge::call::{list, number, text};
use crate::deliver::forge::site::{encoded, encoded_path};
use crate::model::delivery::{Order, Pull, PullState};
use serde_json::Value;

impl Gitea {
    /// The newest request of this branch, made from the place where our branches are: anybody may
    /// open one from a fork with a branch of the same name. The host finds one by its branches, but
    /// any of several; only one of them can be open.
    pub(super) fn newest(&self, order: &Order, base: &str) -> Result<Option<Pull>, Error> {
        let head = encoded_path(&self.head(&order.branch));
        let path = format!("{}/pulls/{}/{head}", self.target(), encoded(base));
        let answer = self.api.get(&path)?;
        let found = match answer.status {
            200 if self.is_ours(&answer.body, order, base) => {
                Some(self.pull(&answer.body, &answer)?)
            }
            200 | 404 => None,
            _ => return Err(self.api.refusal(&answer, "looking for the pull request")),
        };
        match found {
            Some(pull) if pull.state == PullState::Open => Ok(Some(pull)),
            Some(pull) => {
                let newer = self.among_newest(order, base, pull.number)?;
                Ok(newer.or(Some(pull)))
            }
            None => self.among_newest(order, base, 0),
        }
    }

    /// The newest of the requests with a greater number, as far as the list is read.
    fn among_newest(&self, order: &Order, base: &str, than: u64) -> Result<Option<Pull>, Error> {
        for page in 1..=PAGES {
            let path = format!("{}/pulls?state=all&limit={PAGE}&page={page}", self.target());
            let answer = self.api.get(&path)?;
            if answer.status != 200 || !answer.body.is_array() {
                return Err(self.api.refusal(&answer, "looking for the pull request"));
            }
            let pulls = list(&answer.body, "");
            let ours = pulls.iter().filter(|pull| self.is_ours(pull, order, base));
            if let Some(pull) = ours.max_by_key(|pull| number(pull, "/number")) {
                let pull = self.pull(pull, &answer)?;
                return Ok((pull.number > than).then_some(pull));
            }
            let oldest = pulls
                .iter()
                .filter_map(|pull| number(pull, "/number"))
                .min();
            // A host may give fewer on a page than asked for; only an empty one is the last.
            if oldest.is_none_or(|oldest| oldest <= than) {
                break;
            }
        }
        Ok(None)
    }

    /// The branch as a pull request names it.
    pub(super) fn head(&self, branch: &str) -> String {
        match self
            .places
            .fork
            .as_deref()
            .and_then(|f| f.split('/').next())
        {
            Some(owner) => format!("{owner}:{branch}"),
            None => branch.to_owned(),
        }
    }

    fn is_ours(&self, pull: &Value, order: &Order, base: &str) -> bool {
        // A branch that was deleted stands in the label still.
        let branch = [text(pull, "/head/ref"), text(pull, "/head/label")];
        let same_branch = branch.contains(&Some(order.branch.as_str()))
            || text(pull, "/head/label") == Some(&self.head(&order.branch));
        let source = text(pull, "/head/repo/full_name");
        let same_place = match (&self.places.fork, source) {
            (_, Some(source)) => source.eq_ignore_ascii_case(self.places.source()),
            (None, None) => {
                let id = |of: &str| number(pull, &format!("/{of}/repo_id"));
                id("head").is_some() && id("head") == id("base")
            }
            (Some(_), None) => false,
        };
        same_branch && same_place && text(pull, "/base/ref") == Some(base)
    }
}
