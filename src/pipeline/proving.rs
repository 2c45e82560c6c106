//! What is done with a patch before it is written down: it is carried to the end of the default branch,
//! and the service's tests are run on it, but never inside the host's process. What that means for the
//! patch is decided here, and said in the findings.

use crate::investigate::{Findings, Onward};
use crate::model::Settings;
use crate::patch::port::{Ported, port};
use crate::patch::verify::{Limits, Request, Verdict, Verified, verify};
use crate::patch::{AcceptedPatch, Rules};
use crate::source::Repo;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long carrying a patch to another branch may take, a fetch included.
const CARRY: Duration = Duration::from_secs(60);
/// How long all runs of the tests may take.
pub const VERIFY: Duration = Duration::from_secs(900);

/// Carries the patch to the end of the branch that takes changes: the one that the registry names,
/// else the default branch. Where the fault is gone there, no patch is
/// needed.
pub fn carry(findings: &mut Findings, repo: &Repo, settings: &Settings) {
    let Some(patch) = &findings.patch else { return };
    repo.set_deadline(Instant::now() + CARRY);
    let rules = Rules {
        allow: &settings.allow,
        protect: &settings.protect,
    };
    let ported = repo
        .refresh()
        .and_then(|()| port(repo, patch, &rules, settings.forge.base.as_deref()));
    let onward = match ported {
        Ok(Ported::AtHead) => Onward::AtHead,
        Ok(Ported::Same(carried)) if is_only_tests(findings, &carried) => gone(
            findings,
            "all of the change but its test is there".to_owned(),
        ),
        Ok(Ported::Same(patch)) => Onward::Same { patch },
        Ok(Ported::Conflict(why)) => Onward::Conflict { why },
        Ok(Ported::AlreadyGone(why)) => gone(findings, why),
        Err(fault) => Onward::Conflict {
            why: fault.to_string(),
        },
    };
    findings.onward = Some(onward);
}

/// No patch is needed: what is to be done is to deploy.
fn gone(findings: &mut Findings, why: String) -> Onward {
    findings.patch = None;
    findings.why = format!("the default branch has no such fault any more: {why}");
    Onward::AlreadyGone { why }
}

/// Whether nothing but the regression test is left to be changed.
fn is_only_tests(findings: &Findings, carried: &AcceptedPatch) -> bool {
    let tests = findings.by_model.as_ref().map(|by| &by.tests);
    tests.is_some_and(|tests| carried.files().iter().all(|file| tests.contains(file)))
}

/// Runs the service's tests on the patch, where it has any. `limits`: none inside the host's process.
pub fn prove(
    findings: &mut Findings,
    repo: &Repo,
    settings: &Settings,
    limits: Option<&Limits>,
    scratch: &Path,
) {
    let (Some(patch), Some(command)) = (&findings.patch, &settings.test) else {
        return;
    };
    let verified = match limits {
        None => Verified::NotRunHere(
            "tests are never run inside the log router; `autofix fix` runs them".to_owned(),
        ),
        Some(limits) => {
            let tests = tests_of(findings, patch);
            verify(&Request {
                repo,
                patch,
                tests: &tests,
                command,
                root: &settings.root,
                scratch,
                limits: limits.clone(),
                deadline: Instant::now() + VERIFY,
            })
        }
    };
    if let Verified::Ran(ran) = &verified
        && let Verdict::Fails(why) = &ran.verdict
    {
        findings.why = format!("the service's tests fail with the patch: {why}");
        findings.patch = None;
    }
    findings.verified = Some(verified);
}

fn tests_of(findings: &Findings, patch: &AcceptedPatch) -> Vec<String> {
    let named = findings.by_model.iter().filter(|by| by.proposed);
    let named = named.flat_map(|by| by.tests.iter());
    named
        .filter(|path| patch.files().contains(path))
        .cloned()
        .collect()
}
