//! What a token may do in a project of GitLab's, read without writing anything.

use super::{Gitlab, default_branch};
use crate::deliver::forge::call::{list, number, text};
use crate::deliver::forge::site::encoded;
use crate::deliver::forge::{Error, Rights};
use serde_json::Value;

/// What a token needs in the project in which it makes branches.
const DEVELOPER: u64 = 30;
impl Gitlab {
    pub(super) fn told_rights(&self, base: Option<&str>) -> Result<Rights, Error> {
        let target = self.project(&self.target())?;
        let source = match &self.places.fork {
            None => target.clone(),
            Some(_) => self.project(&self.source())?,
        };
        let (mut missing, mut unknown) = (Vec::new(), Vec::new());
        match level(&source) {
            Some(level) if level >= DEVELOPER => {}
            Some(level) => missing.push(format!(
                "the token's role in {} is {level}: give it Developer ({DEVELOPER})",
                self.places.source()
            )),
            None => missing.push(format!(
                "the token is no member of {}: give it the role Developer ({DEVELOPER})",
                self.places.source()
            )),
        }
        for (project, path) in [
            (&target, &self.places.target),
            (&source, &self.places.source().to_owned()),
        ] {
            if project.get("archived") == Some(&Value::Bool(true)) {
                missing.push(format!("{path} is archived: nothing can be pushed to it"));
                break;
            }
        }
        if text(&target, "/merge_requests_access_level") == Some("disabled") {
            let path = &self.places.target;
            missing.push(format!("merge requests are off in {path}: turn them on"));
        }
        let answer = self.api.get("personal_access_tokens/self")?;
        match answer.status {
            200 => {
                let scopes = list(&answer.body, "/scopes");
                if !scopes.iter().any(|scope| scope == "api") {
                    missing.push("the token lacks the scope api: make one with it".to_owned());
                }
            }
            429 => return Err(self.api.refusal(&answer, "looking at the token")),
            _ => unknown.push("the token's scopes: it must have api".to_owned()),
        }
        let base = match base {
            Some(base) => base.to_owned(),
            None => default_branch(&target)?,
        };
        let answer = self.api.get(&format!(
            "{}/repository/branches/{}",
            self.target(),
            encoded(&base)
        ))?;
        let may_push_to_base = match answer.status {
            200 => answer.body.get("can_push") == Some(&Value::Bool(true)),
            404 => {
                missing.push(format!("there is no branch {base} to take a change"));
                false
            }
            _ => return Err(self.api.refusal(&answer, "looking at the base branch")),
        };
        Ok(Rights {
            missing,
            may_push_to_base,
            unknown,
        })
    }
}

/// The token's role: the higher one of project and group.
fn level(project: &Value) -> Option<u64> {
    let of = |whose: &str| number(project, &format!("/permissions/{whose}/access_level"));
    of("project_access").max(of("group_access"))
}
