//! A repository as a played code host keeps it: commits with whole files, and branches. Ids are
//! hashes of what they name, as git's are, though not the same.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Content, and whether it is executable.
pub type Files = BTreeMap<String, (Vec<u8>, bool)>;

#[derive(Clone, Debug)]
pub struct Commit {
    pub message: String,
    pub parents: Vec<String>,
    pub files: Files,
}

#[derive(Clone, Debug, Default)]
pub struct Repo {
    pub commits: BTreeMap<String, Commit>,
    pub branches: BTreeMap<String, String>,
}

impl Repo {
    /// With one commit on `main`.
    pub fn new(files: &[(&str, &str)]) -> Repo {
        let mut repo = Repo::default();
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (text.as_bytes().to_vec(), false)))
            .collect();
        let id = repo.add("Begin", &[], files);
        repo.branches.insert("main".to_owned(), id);
        repo
    }

    pub fn add(&mut self, message: &str, parents: &[&str], files: Files) -> String {
        let number = self.commits.len();
        let id = hash(format!("{number} {message:?} {parents:?} {files:?}").as_bytes());
        let commit = Commit {
            message: message.to_owned(),
            parents: parents.iter().map(|id| (*id).to_owned()).collect(),
            files,
        };
        self.commits.insert(id.clone(), commit);
        id
    }

    /// A person's commit on top of a branch.
    pub fn push(&mut self, branch: &str, message: &str, path: &str, text: &str) -> String {
        let tip = self.branches[branch].clone();
        let mut files = self.commits[&tip].files.clone();
        files.insert(path.to_owned(), (text.as_bytes().to_vec(), false));
        let id = self.add(message, &[&tip], files);
        self.branches.insert(branch.to_owned(), id.clone());
        id
    }

    pub fn tip(&self, branch: &str) -> Option<&Commit> {
        self.commits.get(self.branches.get(branch)?)
    }
}

/// 40 hexadecimal digits.
pub fn hash(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    digits[..40].to_owned()
}
