//! Pull requests: finds one, opens one, and says something under it. Each may be repeated: what is
//! there already is found first.

use super::Github;
use super::call::Answer;
use super::place::in_query;
use crate::deliver::forge::{Error, ErrorKind, Opened};
use crate::model::delivery::{Order, Pull, PullState};
use serde_json::{Value, json};

/// Most labels, and most reviewers.
const NAMES: usize = 15;
/// Comments a page.
const PAGE: usize = 100;
/// Most pages of comments that are looked through, the newest first.
const PAGES: usize = 10;
/// Longest comment that GitHub takes, in characters.
const COMMENT: usize = 65_000;

/// The newest request from the order's branch.
pub(super) fn find(github: &Github, order: &Order) -> Result<Option<Pull>, Error> {
    let base = github.base_branch(order.base.as_deref())?;
    let head = github.place().head(&order.branch);
    let path = format!(
        "{}/pulls?state=all&head={}&base={}&sort=created&direction=desc&per_page=30",
        github.base(),
        in_query(&head),
        in_query(&base)
    );
    let answer = github.get(&path)?.good("looking for the request")?;
    let list = answer
        .json
        .as_array()
        .ok_or_else(|| answer.malformed("a list of requests"))?;
    // A host that does not know the question's words answers with other branches too.
    let ours = |pull: &&Value| {
        let repo = pull["head"]["repo"]["full_name"].as_str();
        let here = repo.is_none_or(|repo| github.place().branches().is(repo));
        here && pull["head"]["ref"].as_str() == Some(&order.branch)
    };
    let newest = list
        .iter()
        .filter(ours)
        .max_by_key(|pull| pull["number"].as_u64());
    newest
        .map(|pull| read(pull).ok_or_else(|| answer.malformed("a whole request")))
        .transpose()
}

/// A request as GitHub shows it, in a list or by itself.
pub(super) fn read(pull: &Value) -> Option<Pull> {
    let text = |pointer: &str| pull.pointer(pointer)?.as_str().map(str::to_owned);
    let merged = pull["merged"].as_bool() == Some(true) || pull["merged_at"].is_string();
    let state = match pull["state"].as_str()? {
        "open" => PullState::Open,
        _ if merged => PullState::Merged {
            commit: text("/merge_commit_sha"),
        },
        _ => PullState::Closed,
    };
    Some(Pull {
        number: pull["number"].as_u64()?,
        url: text("/html_url")?,
        tip: text("/head/sha"),
        state,
    })
}

pub(super) fn open(github: &Github, order: &Order) -> Result<Opened, Error> {
    let mut left_out = Vec::new();
    let pull = match find(github, order)? {
        Some(pull) => pull,
        None => made(github, order, &mut left_out)?,
    };
    if pull.state == PullState::Open {
        label(github, order, pull.number, &mut left_out)?;
        ask_reviewers(github, order, pull.number, &mut left_out)?;
    }
    Ok(Opened { pull, left_out })
}

fn made(github: &Github, order: &Order, left_out: &mut Vec<String>) -> Result<Pull, Error> {
    let base = github.base_branch(order.base.as_deref())?;
    let mut answer = post(github, order, &base, order.draft)?;
    if order.draft && refused(&answer, "draft pull requests are not supported") {
        left_out.push(
            "The repository has no draft pull requests: it was opened as one that is ready for \
             review."
                .to_owned(),
        );
        answer = post(github, order, &base, false)?;
    }
    if refused(&answer, "a pull request already exists") {
        return find(github, order)?.ok_or_else(|| {
            let words = "the host says that there is a pull request for the branch, but shows none";
            Error::new(ErrorKind::Unreachable, words.to_owned())
        });
    }
    if refused(&answer, "no commits between") {
        let words = format!(
            "there is nothing between {} and {}: the change is in the base already, or the branch \
             was emptied",
            base.escape_debug(),
            order.branch.escape_debug()
        );
        return Err(Error::new(ErrorKind::Invalid, words));
    }
    let answer = answer.good("opening the pull request")?;
    read(&answer.json).ok_or_else(|| answer.malformed("the pull request"))
}

fn refused(answer: &Answer, words: &str) -> bool {
    answer.status == 422 && answer.says(words)
}

fn post(github: &Github, order: &Order, base: &str, draft: bool) -> Result<Answer, Error> {
    let place = github.place();
    let mut body = json!({
        "title": order.title,
        "head": place.head(&order.branch),
        "base": base,
        "body": order.body,
        "draft": draft,
    });
    if let Some(fork) = &place.fork {
        // Two repositories of one owner are told apart by this alone.
        if fork.owner.eq_ignore_ascii_case(&place.base.owner) {
            body["head_repo"] = json!(fork.name);
        } else {
            body["maintainer_can_modify"] = json!(true);
        }
    }
    github.post(&format!("{}/pulls", github.base()), &body)
}

fn label(
    github: &Github,
    order: &Order,
    number: u64,
    left_out: &mut Vec<String>,
) -> Result<(), Error> {
    let path = format!("{}/issues/{number}/labels", github.base());
    let names: Vec<&str> = order.labels.iter().map(String::as_str).collect();
    let names = bounded(&names, "label", left_out);
    offer(
        github,
        &path,
        names,
        "label",
        left_out,
        |names| json!({"labels": names}),
    )
}

fn ask_reviewers(
    github: &Github,
    order: &Order,
    number: u64,
    left_out: &mut Vec<String>,
) -> Result<(), Error> {
    let path = format!("{}/pulls/{number}/requested_reviewers", github.base());
    let mut names = Vec::new();
    for name in order
        .reviewers
        .iter()
        .map(|name| name.trim_start_matches('@'))
    {
        let here = |org: &str| org.eq_ignore_ascii_case(&github.place().base.owner);
        match name.split_once('/') {
            Some((org, _)) if !here(org) => left_out.push(format!(
                "Reviewer {}: a team of another organisation.",
                name.escape_debug()
            )),
            None if name.contains('@') => left_out.push(format!(
                "Reviewer {}: an e-mail address; the host knows user names only.",
                name.escape_debug()
            )),
            Some(_) | None => names.push(name),
        }
    }
    let names = bounded(&names, "reviewer", left_out);
    offer(github, &path, names, "reviewer", left_out, |names| {
        let teams: Vec<&str> = names
            .iter()
            .filter_map(|name| name.split_once('/').map(|(_, team)| team))
            .collect();
        let users: Vec<&&str> = names.iter().filter(|name| !name.contains('/')).collect();
        json!({"reviewers": users, "team_reviewers": teams})
    })
}

fn bounded<'a, 'b>(names: &'b [&'a str], what: &str, left_out: &mut Vec<String>) -> &'b [&'a str] {
    let (taken, rest) = names.split_at(names.len().min(NAMES));
    if !rest.is_empty() {
        left_out.push(format!("{} more than {NAMES} {what}s.", rest.len()));
    }
    taken
}

/// All names at once, and where they are refused each by itself. What is refused then is left out;
/// what failed otherwise is an error, so that the whole is repeated.
fn offer(
    github: &Github,
    path: &str,
    names: &[&str],
    what: &str,
    left_out: &mut Vec<String>,
    body: impl Fn(&[&str]) -> Value,
) -> Result<(), Error> {
    if names.is_empty() || taken(github, path, &body(names))?.is_none() {
        return Ok(());
    }
    for name in names {
        if let Some(why) = taken(github, path, &body(&[name]))? {
            left_out.push(format!("The {what} {}: {why}.", name.escape_debug()));
        }
    }
    Ok(())
}

/// Why the host did not take it.
fn taken(github: &Github, path: &str, body: &Value) -> Result<Option<String>, Error> {
    match github.post(path, body) {
        Ok(answer) if answer.is_ok() => Ok(None),
        Ok(answer) => Ok(Some(format!("{} {}", answer.status, answer.said))),
        Err(e) => Err(e),
    }
}

pub(super) fn comment(github: &Github, number: u64, text: &str, mark: &str) -> Result<(), Error> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:".contains(&b) || b == b'-';
    let good = (1..=200).contains(&mark.len()) && mark.bytes().all(plain) && !mark.contains("--");
    if !good {
        let words = "a comment's mark holds more than letters, digits and ._:-".to_owned();
        return Err(Error::new(ErrorKind::Invalid, words));
    }
    let mark = format!("<!-- autofix:{mark} -->");
    let text = format!("{text}\n\n{mark}\n");
    if text.chars().count() > COMMENT {
        let words = "the comment is longer than the host takes".to_owned();
        return Err(Error::new(ErrorKind::Invalid, words));
    }
    let path = format!("{}/issues/{number}/comments", github.base());
    if is_said(github, &path, &mark)? {
        return Ok(());
    }
    github
        .post(&path, &json!({"body": text}))?
        .good("commenting")
        .map(|_| ())
}

/// Whether a comment with the mark is there. The host lists the oldest first.
fn is_said(github: &Github, path: &str, mark: &str) -> Result<bool, Error> {
    let holds = |number: usize| -> Result<(bool, Option<usize>), Error> {
        let page = format!("{path}?per_page={PAGE}&page={number}");
        let answer = github.get(&page)?.good("reading the comments")?;
        let list = answer
            .json
            .as_array()
            .ok_or_else(|| answer.malformed("a list of comments"))?;
        let mut texts = list.iter().filter_map(|comment| comment["body"].as_str());
        let found = texts.any(|text| text.contains(mark));
        Ok((found, answer.link.as_deref().and_then(last_page)))
    };
    let (found, last) = holds(1)?;
    if found {
        return Ok(true);
    }
    for number in (2..=last.unwrap_or(1)).rev().take(PAGES) {
        if holds(number)?.0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The number of the last page in a `Link` header; its address is not used.
fn last_page(link: &str) -> Option<usize> {
    let last = link.split(',').find(|part| part.contains("rel=\"last\""))?;
    let address = last.split(['<', '>']).nth(1)?;
    let (_, question) = address.split_once('?')?;
    let page = question
        .split('&')
        .find_map(|part| part.strip_prefix("page="))?;
    page.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_is_read_out_of_a_link() {
        let link = "<https://h/x?per_page=100&page=2>; rel=\"next\", \
                    <https://h/x?per_page=100&page=7>; rel=\"last\"";
        assert_eq!(last_page(link), Some(7));
        assert_eq!(last_page("<https://h/x?page=2>; rel=\"next\""), None);
        assert_eq!(last_page("rubbish rel=\"last\""), None);
    }
}
