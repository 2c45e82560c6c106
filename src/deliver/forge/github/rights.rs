//! What a token may do, told from what the interface says of it: nothing is written to find out.

use super::Github;
use crate::deliver::forge::wire::encoded_path;
use crate::deliver::forge::{Error, ErrorKind, Rights};

impl Github {
    pub(super) fn may(&self, base: Option<&str>) -> Result<Rights, Error> {
        let mut rights = Rights {
            missing: Vec::new(),
            may_push_to_base: false,
            unknown: Vec::new(),
        };
        let pushes = self.pushes(&self.repo, &mut rights)?;
        let head = match self.head == self.repo {
            true => pushes,
            false => self.pushes(&self.head, &mut rights)?,
        };
        if head == Some(false) {
            rights.missing.push(format!(
                "the token may not push to {}: give it `Contents: read and write` there",
                self.head
            ));
        }
        let base = self.base(base)?;
        let path = format!("/repos/{}/branches/{}", self.repo, encoded_path(&base));
        let protected = match self.get(&path) {
            Ok(answer) if answer.status == 404 => {
                rights.missing.push(format!(
                    "{} has no branch {base}: name another as `base` of [service.forge]",
                    self.repo
                ));
                Some(true)
            }
            Ok(answer) => answer.json["protected"].as_bool(),
            Err(fault) if fault.kind == ErrorKind::Refused => None,
            Err(fault) => return Err(fault),
        };
        if protected.is_none() {
            let what = format!("whether {base} is protected could not be seen");
            rights.unknown.push(what);
        }
        rights.may_push_to_base = pushes == Some(true) && protected != Some(true);
        rights.unknown.push(
            "whether the token may open requests (`Pull requests: read and write`) shows only when \
             one is opened"
                .to_owned(),
        );
        Ok(rights)
    }

    /// Whether the token may push there, where that can be seen.
    fn pushes(&self, repo: &str, rights: &mut Rights) -> Result<Option<bool>, Error> {
        let answer = self.get(&format!("/repos/{repo}"))?;
        if answer.status == 404 {
            rights.missing.push(format!(
                "there is no {repo}, or the token may not see it: give it `Metadata: read` there"
            ));
            return Ok(None);
        }
        let pushes = answer.json.pointer("/permissions/push");
        let pushes = pushes.and_then(serde_json::Value::as_bool);
        if pushes.is_none() {
            let what = format!("whether the token may push to {repo} could not be seen");
            rights.unknown.push(what);
        }
        Ok(pushes)
    }
}
