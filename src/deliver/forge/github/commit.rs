//! A branch with one commit, made without a clone: blobs, a tree on the base's, a commit, and last the
//! reference, which only one process can make.

use super::Github;
use crate::deliver::forge::ours::{self, Whose};
use crate::deliver::forge::wire::{Answer, encoded_path};
use crate::deliver::forge::{Branch, Error, ErrorKind};
use crate::model::delivery::{FileChange, Order};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A token for contents may not change these, and nothing of ours should.
const WORKFLOWS: &str = ".github/workflows/";

impl Github {
    pub(super) fn branch(&self, order: &Order) -> Result<Branch, Error> {
        if let Some(there) = self.there(order)? {
            return Ok(there);
        }
        let workflow = order
            .files
            .iter()
            .find(|file| file.path.starts_with(WORKFLOWS));
        if let Some(file) = workflow {
            let what = format!("{} is a workflow, which autofix does not change", file.path);
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        let tree = self.base_tree(order)?;
        let mut entries = Vec::with_capacity(order.files.len());
        for file in &order.files {
            entries.push(self.entry(file)?);
        }
        let tree = self.made("trees", &json!({"base_tree": tree, "tree": entries}))?;
        let commit = json!({
            "message": order.message,
            "tree": tree,
            "parents": [order.base_commit],
        });
        let commit = self.made("commits", &commit)?;
        let name = format!("refs/heads/{}", order.branch);
        let path = format!("/repos/{}/git/refs", self.head);
        let answer = self.post(&path, &json!({"ref": name, "sha": commit}))?;
        if answer.status < 300 {
            return Ok(Branch::Made { tip: commit });
        }
        let exists = answer.status == 422
            && answer
                .words()
                .to_ascii_lowercase()
                .contains("reference already exists");
        if exists && let Some(there) = self.there(order)? {
            return Ok(there);
        }
        Err(self.wire.invalid("making the branch", &answer))
    }

    /// Whose the branch is, where it is there.
    fn there(&self, order: &Order) -> Result<Option<Branch>, Error> {
        let branch = encoded_path(&order.branch);
        let answer = self.get(&format!("/repos/{}/git/ref/heads/{branch}", self.head))?;
        if answer.status == 404 {
            return Ok(None);
        }
        let tip = answer.text("/object/sha").to_owned();
        if answer.status >= 300 || tip.is_empty() {
            return Err(self.wire.invalid("looking for the branch", &answer));
        }
        let answer = self.get(&format!("/repos/{}/git/commits/{tip}", self.head))?;
        if answer.status >= 300 {
            return Err(self.wire.invalid("looking at the branch", &answer));
        }
        let parents = answer.json["parents"].as_array().map_or(0, Vec::len);
        let whose = ours::whose(&order.message, answer.text("/message"), parents);
        Ok(Some(match whose {
            Whose::Ours { same } => Branch::Ours { tip, same },
            Whose::Theirs => Branch::Theirs { tip },
        }))
    }

    fn base_tree(&self, order: &Order) -> Result<String, Error> {
        let path = format!("/repos/{}/git/commits/{}", self.head, order.base_commit);
        let answer = self.get(&path)?;
        let tree = answer.text("/tree/sha");
        if answer.status < 300 && !tree.is_empty() {
            return Ok(tree.to_owned());
        }
        let kind = ErrorKind::Missing;
        let what = match answer.status {
            409 => format!("{} is empty", self.head),
            _ => format!(
                "{} has no commit {} (bring the fork up to date, or give the token read access): {}",
                self.head,
                order.base_commit,
                answer.words()
            ),
        };
        Err(Error::new(kind, format!("GitHub: {what}")))
    }

    fn entry(&self, file: &FileChange) -> Result<Value, Error> {
        let sha = match &file.content {
            None => Value::Null,
            Some(content) => {
                let blob = json!({"content": STANDARD.encode(content), "encoding": "base64"});
                Value::String(self.made("blobs", &blob)?)
            }
        };
        Ok(json!({
            "path": file.path,
            "mode": format!("{:06o}", file.mode),
            "type": "blob",
            "sha": sha,
        }))
    }

    /// Makes an object; gives its id.
    fn made(&self, what: &str, body: &Value) -> Result<String, Error> {
        let answer: Answer = self.post(&format!("/repos/{}/git/{what}", self.head), body)?;
        let sha = answer.text("/sha");
        if answer.status < 300 && !sha.is_empty() {
            return Ok(sha.to_owned());
        }
        Err(self.wire.invalid(&format!("making {what}"), &answer))
    }
}
