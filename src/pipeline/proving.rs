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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;
    use crate::model::CommitId;
    use crate::patch::accept;
    use crate::source::Mirrors;
    use crate::source::diff::Edit;
    use std::process::Command;

    #[test]
    fn a_patch_is_carried_to_the_branch_that_the_registry_names() {
        let folder = tempfile::TempDir::new().unwrap();
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.current_dir(folder.path()).args(arguments);
            command
                .env("HOME", folder.path())
                .env("GIT_CONFIG_NOSYSTEM", "1");
            for who in ["AUTHOR", "COMMITTER"] {
                command.env(format!("GIT_{who}_NAME"), "A");
                command.env(format!("GIT_{who}_EMAIL"), "a@example.org");
            }
            let out = command.output().unwrap();
            assert!(out.status.success(), "{out:?}");
            String::from_utf8(out.stdout).unwrap().trim().to_owned()
        };
        git(&["init", "-q", "-b", "main"]);
        std::fs::write(folder.path().join("a.py"), "1\n").unwrap();
        git(&["add", "a.py"]);
        git(&["commit", "-q", "-m", "first"]);
        let base = git(&["rev-parse", "HEAD"]);
        git(&["switch", "-q", "-c", "release"]);
        git(&["commit", "-q", "--allow-empty", "-m", "more"]);
        let release = git(&["rev-parse", "HEAD"]);
        git(&["switch", "-q", "main"]);

        let http = crate::net::Http::new(&crate::net::Settings::default()).unwrap();
        let mirrors = Mirrors::new(folder.path().join("mirrors"), http, Log::silent());
        let until = Instant::now() + CARRY;
        let path = folder.path().to_str().unwrap();
        let repo = mirrors.open(path, &|_| None, until).unwrap();
        let commit = repo.lookup(&CommitId::parse(&base).unwrap()).unwrap();
        let edit = Edit {
            path: "a.py".to_owned(),
            content: Some(b"2\n".to_vec()),
            new_mode: 0o100_644,
        };
        let mut findings = Findings {
            patch: Some(accept(&repo, commit, &[edit], &Rules::default()).unwrap()),
            ..Findings::default()
        };
        let mut settings = Settings::default();
        carry(&mut findings, &repo, &settings);
        assert_eq!(findings.change().unwrap().base(), base);
        settings.forge.base = Some("release".to_owned());
        carry(&mut findings, &repo, &settings);
        assert_eq!(findings.change().unwrap().base(), release);
        settings.forge.base = Some("absent".to_owned());
        carry(&mut findings, &repo, &settings);
        let why = findings.change().unwrap_err();
        assert!(why.contains("no branch \"absent\""), "{why}");
    }
}
