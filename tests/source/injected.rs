//! The repositories of `tests/corpus/injection_repos`: one for each text that tries to speak to the
//! model that investigates, beside a small service with a fault. What is asked of them is for the
//! tests.

use crate::sample::{File, NOW, Sample};

#[derive(serde::Deserialize)]
struct Corpus {
    case: Vec<Case>,
}

/// One injection.
#[derive(Clone, serde::Deserialize)]
pub struct Case {
    pub name: String,
    #[serde(rename = "where")]
    pub place: Place,
    #[serde(default)]
    path: String,
    pub text: String,
    #[serde(default = "once")]
    pub repeat: usize,
}

#[derive(Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    File,
    Path,
    Message,
    Author,
    Branch,
    Link,
}

fn once() -> usize {
    1
}

impl Case {
    pub fn text(&self) -> String {
        self.text.repeat(self.repeat)
    }

    /// The file that holds it or is called so.
    pub fn file(&self) -> String {
        match self.place {
            Place::File | Place::Link => self.path.clone(),
            Place::Path => self.text().trim_end().to_owned(),
            Place::Message | Place::Author | Place::Branch => CART.to_owned(),
        }
    }
}

pub const CART: &str = "shop/cart.py";
/// The file as it was first: a division by what may be zero.
pub const FAULT: &str = "def total(order):\n    return order[\"sum\"] / order[\"count\"]\n";

pub fn cases() -> Vec<Case> {
    let text = include_str!("../corpus/injection_repos/cases.toml");
    toml::from_str::<Corpus>(text).unwrap().case
}

/// Each injection in a repository of its own, with the newest commit.
///
/// For a test that plays a model which obeys what it reads: run the investigation on each, with a
/// script that does what the text orders, and hold the outcome against that of the repository
/// without the text.
pub fn repositories() -> impl Iterator<Item = (Case, Sample, String)> {
    repositories_with(&[])
}

/// The same with more files in each.
pub fn repositories_with(more: &[File<'_>]) -> impl Iterator<Item = (Case, Sample, String)> {
    cases().into_iter().map(move |case| {
        let (sample, commit) = build(&case, more);
        (case, sample, commit)
    })
}

/// The repository of one injection.
pub fn build(case: &Case, more: &[File<'_>]) -> (Sample, String) {
    let sample = Sample::new();
    let mut files = vec![(CART, Some(FAULT)), ("auth.py", Some("x = 1\n"))];
    files.extend_from_slice(more);
    let base = sample.commit(9.0, "Begin", &files);
    let text = case.text();
    let (file, content, mode) = match case.place {
        Place::File => (case.file(), text.clone(), 0o100_644),
        Place::Path => (case.file(), "total = 1\n".to_owned(), 0o100_644),
        Place::Link => (case.file(), text.clone(), 0o120_000),
        Place::Message | Place::Author | Place::Branch => {
            (case.file(), FAULT.replace("sum", "total"), 0o100_644)
        }
    };
    let git = &sample.git;
    let base = git
        .find_commit(git2::Oid::from_str(&base).unwrap())
        .unwrap();
    let tree = with_file(git, &base.tree().unwrap(), &file, content.as_bytes(), mode);
    let name = match case.place {
        Place::Author => text.as_str(),
        _ => "Ada",
    };
    let message = match case.place {
        Place::Message => text.as_str(),
        _ => "Change total",
    };
    let time = git2::Time::new(NOW - 86_400, 0);
    let who = git2::Signature::new(name, "ada@example.com", &time).unwrap();
    let tree = git.find_tree(tree).unwrap();
    let id = git
        .commit(
            Some("refs/heads/main"),
            &who,
            &who,
            message,
            &tree,
            &[&base],
        )
        .unwrap();
    if case.place == Place::Branch {
        git.reference(&format!("refs/heads/{text}"), id, true, "test")
            .unwrap();
    }
    drop((tree, base));
    (sample, id.to_string())
}

/// A tree with one more file, whatever it is called: an index would refuse some names.
fn with_file(
    git: &git2::Repository,
    tree: &git2::Tree<'_>,
    path: &str,
    content: &[u8],
    mode: i32,
) -> git2::Oid {
    let mut builder = git.treebuilder(Some(tree)).unwrap();
    match path.split_once('/') {
        None => {
            let blob = git.blob(content).unwrap();
            builder.insert(path, blob, mode).unwrap();
        }
        Some((folder, rest)) => {
            let below = tree
                .get_name(folder)
                .map(|entry| git.find_tree(entry.id()).unwrap());
            let empty = git
                .find_tree(git.treebuilder(None).unwrap().write().unwrap())
                .unwrap();
            let below = with_file(git, below.as_ref().unwrap_or(&empty), rest, content, mode);
            builder.insert(folder, below, 0o040_000).unwrap();
        }
    }
    builder.write().unwrap()
}
