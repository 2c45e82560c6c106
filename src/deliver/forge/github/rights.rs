//! What the token may do, told without writing anything: from the repository and its fork as the
//! host shows them to the token, an App's grants, a classic token's scopes, and whether the base is
//! protected.

use super::Github;
use super::auth;
use super::call::Answer;
use super::place::{Repo, in_path};
use crate::deliver::forge::{Error, ErrorKind, Rights};
use serde_json::Value;

pub(super) fn rights(github: &Github, base: Option<&str>) -> Result<Rights, Error> {
    let mut rights = Rights {
        missing: Vec::new(),
        may_push_to_base: false,
        unknown: Vec::new(),
    };
    if github.tokens.is_app() && !app(github, &mut rights)? {
        return Ok(rights);
    }
    let place = github.place();
    let Some(repo) = seen(github, &place.base, &mut rights)? else {
        return Ok(rights);
    };
    let pushes = pushes(&repo);
    match &place.fork {
        None => {
            if !pushes {
                rights.missing.push(format!(
                    "The token may not push to {}/{}: give it write access to contents.",
                    place.base.owner, place.base.name
                ));
            }
        }
        Some(fork) => of_fork(github, fork, &mut rights)?,
    }
    if repo.json["archived"].as_bool() == Some(true) {
        rights
            .missing
            .push("The repository is archived: nothing can be opened there.".to_owned());
    }
    scopes(github, &repo, &mut rights);
    let branch = match base {
        Some(named) => Some(named.to_owned()),
        None => repo.json["default_branch"].as_str().map(str::to_owned),
    };
    let protected = match branch {
        None => None,
        Some(branch) => protected(github, &branch, &mut rights)?,
    };
    // Of a fork's token nobody needs that it pushes to the repository at all.
    let kept = place.fork.is_none() && protected == Some(true);
    rights.may_push_to_base = pushes && !kept;
    Ok(rights)
}

fn pushes(repo: &Answer) -> bool {
    repo.json["permissions"]["push"].as_bool() == Some(true)
}

/// What an App was granted. `false`: there is no use in asking further.
fn app(github: &Github, rights: &mut Rights) -> Result<bool, Error> {
    let installation = match github.tokens.installation(&github.calls) {
        Ok(Some(installation)) => installation,
        Ok(None) => return Ok(true),
        Err(e) if e.kind == ErrorKind::Missing || e.kind == ErrorKind::Refused => {
            rights.missing.push(format!("{e}."));
            return Ok(false);
        }
        Err(e) => return Err(e),
    };
    let granted = &installation.permissions;
    let lacking = auth::lacking(granted);
    let good = lacking.is_empty();
    rights.missing.extend(lacking.into_iter().map(|lacking| {
        format!("The App's installation lacks {lacking}: grant it in the App's settings.")
    }));
    for (name, level, what) in [
        ("issues", "write", "labels"),
        ("checks", "read", "what check runs say"),
        ("statuses", "read", "what commit statuses say"),
    ] {
        if !auth::grants(granted, name, level) {
            rights
                .unknown
                .push(format!("Without `{name}: {level}` there are no {what}."));
        }
    }
    Ok(good)
}

/// The repository as the token sees it.
fn seen(github: &Github, repo: &Repo, rights: &mut Rights) -> Result<Option<Answer>, Error> {
    let shown = match github.get(&repo.path()) {
        Ok(answer) if answer.is_ok() => return Ok(Some(answer)),
        Ok(answer) => answer.error("looking at the repository"),
        Err(e) => e,
    };
    match shown.kind {
        ErrorKind::Missing | ErrorKind::Refused => {
            rights.missing.push(format!(
                "The token does not see {}/{}: {shown}.",
                repo.owner, repo.name
            ));
            Ok(None)
        }
        ErrorKind::Settings
        | ErrorKind::Limited(_)
        | ErrorKind::Unreachable
        | ErrorKind::Invalid => Err(shown),
    }
}

fn of_fork(github: &Github, fork: &Repo, rights: &mut Rights) -> Result<(), Error> {
    let Some(shown) = seen(github, fork, rights)? else {
        return Ok(());
    };
    if !pushes(&shown) {
        rights.missing.push(format!(
            "The token may not push to the fork {}/{}: give it write access to contents there.",
            fork.owner, fork.name
        ));
    }
    let base = &github.place().base;
    let of_base = ["/parent/full_name", "/source/full_name"]
        .into_iter()
        .filter_map(|pointer| shown.json.pointer(pointer)?.as_str())
        .any(|name| base.is(name));
    if !of_base {
        rights.missing.push(format!(
            "{}/{} is no fork of {}/{}: fork it with the host's own button.",
            fork.owner, fork.name, base.owner, base.name
        ));
    }
    Ok(())
}

/// A classic token's scopes. Of others the host does not say them.
fn scopes(github: &Github, repo: &Answer, rights: &mut Rights) {
    if github.tokens.is_app() {
        return;
    }
    let Some(scopes) = &repo.scopes else {
        rights.unknown.push(
            "A fine-grained token's own permissions are not shown: it needs contents and pull \
             requests, both read and write."
                .to_owned(),
        );
        return;
    };
    let has = |wanted: &str| scopes.split(',').any(|scope| scope.trim() == wanted);
    let private = repo.json["private"].as_bool() == Some(true);
    if has("repo") || (has("public_repo") && !private) {
        return;
    }
    let wanted = if private { "repo" } else { "public_repo" };
    rights
        .missing
        .push(format!("The token lacks the scope `{wanted}`: add it."));
}

/// Whether rules keep pushes from the base. `None`: it could not be told.
fn protected(github: &Github, branch: &str, rights: &mut Rights) -> Result<Option<bool>, Error> {
    let path = format!("{}/branches/{}", github.base(), in_path(branch));
    let answer = github.get(&path)?;
    if answer.status == 404 {
        rights.missing.push(format!(
            "There is no branch {}: write an existing one as `base` under [service.forge].",
            branch.escape_debug()
        ));
        return Ok(None);
    }
    let protected = answer.json.get("protected").and_then(Value::as_bool);
    if !answer.is_ok() || protected.is_none() {
        rights.unknown.push(format!(
            "Whether {} is protected could not be told.",
            branch.escape_debug()
        ));
        return Ok(None);
    }
    Ok(protected)
}
