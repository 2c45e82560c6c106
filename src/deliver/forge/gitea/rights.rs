//! What a token may do in a repository at Gitea, read without writing anything.

use super::{Gitea, default_branch};
use crate::deliver::forge::site::encoded_path;
use crate::deliver::forge::{Error, Rights};
use serde_json::Value;

impl Gitea {
    pub(super) fn told_rights(&self, base: Option<&str>) -> Result<Rights, Error> {
        let target = self.repository(&self.target())?;
        let source = match &self.places.fork {
            None => target.clone(),
            Some(_) => self.repository(&self.source())?,
        };
        let is = |value: &Value, pointer: &str| value.pointer(pointer) == Some(&Value::Bool(true));
        let mut missing = Vec::new();
        if !is(&source, "/permissions/push") {
            let path = self.places.source();
            missing.push(format!(
                "the token's user may not push to {path}: give it write access"
            ));
        }
        for (repository, path) in [
            (&target, self.places.target.as_str()),
            (&source, self.places.source()),
        ] {
            if is(repository, "/archived") {
                missing.push(format!("{path} is archived: nothing can be pushed to it"));
                break;
            }
        }
        if target.pointer("/has_pull_requests") == Some(&Value::Bool(false)) {
            let path = &self.places.target;
            missing.push(format!("pull requests are off in {path}: turn them on"));
        }
        let base = match base {
            Some(base) => base.to_owned(),
            None => default_branch(&target)?,
        };
        let path = format!("{}/branches/{}", self.target(), encoded_path(&base));
        let answer = self.api.get(&path)?;
        let may_push_to_base = match answer.status {
            200 => {
                is(&target, "/permissions/push")
                    && match answer.body.get("user_can_push") {
                        Some(Value::Bool(can)) => *can,
                        _ => !is(&answer.body, "/protected"),
                    }
            }
            404 => {
                missing.push(format!("there is no branch {base} to take a change"));
                false
            }
            _ => return Err(self.api.refusal(&answer, "looking at the base branch")),
        };
        Ok(Rights {
            missing,
            may_push_to_base,
            unknown: vec![
                "the token's scopes, which this host does not tell: it must have \
                 write:repository and write:issue"
                    .to_owned(),
            ],
        })
    }
}
