//! Trees that no tool of git's would make, written out for a sandbox: a link and a folder of one
//! name, names that lead out. Nothing may be written but below the folder.

use crate::sample::{Sample, at};
use git2::{ObjectType, Oid, Repository, Signature, Time};
use std::path::PathBuf;
use tempfile::TempDir;

/// A tree as raw entries: git2's builder would refuse them.
fn tree(git: &Repository, entries: &[(&str, &str, Oid)]) -> Oid {
    let mut raw = Vec::new();
    for (mode, name, id) in entries {
        raw.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        raw.extend_from_slice(id.as_bytes());
    }
    git.odb().unwrap().write(ObjectType::Tree, &raw).unwrap()
}

/// What came of writing the tree, and the folder around the one that it was written into.
fn exported(make: impl Fn(&Repository) -> Oid) -> (Result<usize, String>, TempDir, PathBuf) {
    let sample = Sample::new();
    let who = Signature::new("Ada", "ada@example.com", &Time::new(1_780_000_000, 0)).unwrap();
    let tree = sample.git.find_tree(make(&sample.git)).unwrap();
    let id = sample
        .git
        .commit(Some("refs/heads/main"), &who, &who, "trap", &tree, &[])
        .unwrap();
    let repo = sample.open();
    let around = TempDir::new().unwrap();
    let into = around.path().join("tree");
    std::fs::create_dir(&into).unwrap();
    let files = repo.snapshot(at(&repo, &id.to_string())).unwrap();
    let done = repo.export(files, &into, 1 << 20);
    let done = done.map(|done| done.left_out).map_err(|e| e.to_string());
    (done, around, into)
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn nothing_is_written_through_a_link_of_the_same_name() {
    for link_first in [true, false] {
        let (done, around, _) = exported(|git| {
            let blob = |text: &str| git.blob(text.as_bytes()).unwrap();
            let link = ("120000", "trap", blob("inner"));
            let folder = tree(git, &[("100644", "file", blob("written\n"))]);
            let folder = ("40000", "trap", folder);
            let inner = (
                "40000",
                "inner",
                tree(git, &[("100644", "own", blob("own\n"))]),
            );
            match link_first {
                true => tree(git, &[inner, link, folder]),
                false => tree(git, &[inner, folder, link]),
            }
        });
        assert!(
            done.as_ref().is_err_and(|why| why.contains("trap")),
            "{done:?}"
        );
        assert_eq!(names(around.path()), ["tree"]);
        assert_eq!(names(&around.path().join("tree/inner")), ["own"]);
    }
}

#[test]
fn names_that_lead_out_are_refused() {
    for (mode, name) in [
        ("40000", ".."),
        ("40000", "."),
        ("40000", ".git"),
        ("40000", ".GIT"),
        ("100644", "../escaped"),
        ("100644", "a/b"),
    ] {
        let (done, around, _) = exported(|git| {
            let blob = git.blob(b"x\n").unwrap();
            let what = match mode {
                "40000" => tree(git, &[("100644", "escaped", blob)]),
                _ => blob,
            };
            tree(git, &[(mode, name, what)])
        });
        let said = done.unwrap_err();
        assert!(
            said.contains("no name that a file may have"),
            "{name}: {said}"
        );
        assert_eq!(names(around.path()), ["tree"], "{name}");
    }
}

#[test]
fn links_that_stay_inside_by_their_words_are_made_last() {
    let (done, around, into) = exported(|git| {
        let blob = |text: &str| git.blob(text.as_bytes()).unwrap();
        tree(
            git,
            &[
                ("120000", "a", blob("z")),
                ("120000", "b", blob("../tree/z")),
                ("160000", "module", blob("x")),
                ("100644", "z", blob("text\n")),
            ],
        )
    });
    assert_eq!(done, Ok(2));
    let mut found = names(&into);
    found.sort_unstable();
    assert_eq!(found, ["a", "z"]);
    assert_eq!(std::fs::read_to_string(into.join("a")).unwrap(), "text\n");
    assert_eq!(names(around.path()), ["tree"]);
}
