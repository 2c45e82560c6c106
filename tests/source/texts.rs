//! Texts that are kept beside a mirror: what is there is used, what is broken, unfinished or of
//! another commit is read again, and all of it is bounded.

use crate::sample::{Sample, at, soon};
use autofix::source::{Commit, Looked, Mirrors, Repo, Texts, clear_texts};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

struct Place {
    sample: Sample,
    dir: PathBuf,
}

impl Place {
    /// Four texts, which fill more than a block, and files that are none.
    fn new() -> Place {
        let sample = Sample::new();
        let long = "line\n".repeat(200_000);
        sample.commit(
            2.0,
            "Begin",
            &[
                ("a.py", Some("one")),
                ("b/long.txt", Some(&long)),
                ("b/more.txt", Some(&long)),
                ("b/c.bin", Some("\0")),
                ("c.py", Some("three")),
                ("d.py", Some(&"x".repeat(2 << 20))),
            ],
        );
        let dir = sample.dir.path().join("mirrors");
        Place { sample, dir }
    }

    fn open(&self) -> Repo {
        self.open_with(autofix::source::KEPT_BYTES)
    }

    fn open_with(&self, kept: u64) -> Repo {
        let http = autofix::net::Http::new(&autofix::net::Settings::default()).unwrap();
        let mirrors =
            Mirrors::new(self.dir.clone(), http, autofix::log::Log::silent()).with_kept_limit(kept);
        let path = self.sample.path();
        mirrors
            .open(path.to_str().unwrap(), &|_| None, soon())
            .unwrap()
    }

    fn kept(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let mut kept: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        kept.sort();
        kept
    }
}

fn look(texts: &mut Texts, repo: &Repo, deadline: Instant, most: usize) -> (Vec<String>, Looked) {
    let mut seen = Vec::new();
    let looked = texts
        .each(repo, deadline, &mut |text| {
            seen.push(format!("{} {}", text.path, text.bytes.len()));
            match seen.len() < most {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })
        .unwrap();
    (seen, looked)
}

fn all(repo: &Repo, commit: Commit) -> (Vec<String>, Looked) {
    look(&mut Texts::of(repo, commit), repo, soon(), 99)
}

const WANTED: [&str; 4] = [
    "a.py 3",
    "b/long.txt 1000000",
    "b/more.txt 1000000",
    "c.py 5",
];

#[test]
fn texts_are_read_once_and_then_kept() {
    let place = Place::new();
    let repo = place.open();
    let commit = repo.head().unwrap();
    let (seen, looked) = all(&repo, commit);
    assert_eq!(seen, WANTED);
    assert_eq!((looked.files, looked.no_text, looked.too_long), (6, 1, 1));
    assert!(looked.is_whole());
    let kept = place.kept();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let name = kept[0].file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with("local-") && name.ends_with(&format!(".{commit}.texts")),
        "{name}"
    );
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        fs::metadata(&kept[0]).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // Without the repository's objects: from the file alone.
    let mut texts = Texts::of(&repo, commit);
    fs::remove_dir_all(place.sample.path().join(".git/objects")).unwrap();
    assert_eq!(look(&mut texts, &repo, soon(), 99), (seen, looked));
    assert!(texts.is_kept());
}

#[test]
fn a_visitor_that_has_enough_does_not_keep_the_rest_from_being_kept() {
    let place = Place::new();
    let repo = place.open();
    let mut texts = Texts::of(&repo, repo.head().unwrap());
    let (seen, looked) = look(&mut texts, &repo, soon(), 1);
    assert_eq!(seen, WANTED[..1]);
    assert!(looked.stopped && !looked.is_whole() && texts.is_kept());
    let (seen, looked) = look(&mut texts, &repo, soon(), 2);
    assert!(looked.stopped && seen == WANTED[..2]);
}

#[test]
fn a_look_that_was_late_goes_on_where_it_stopped() {
    let place = Place::new();
    let repo = place.open();
    let mut texts = Texts::of(&repo, repo.head().unwrap());
    let (seen, looked) = look(&mut texts, &repo, Instant::now(), 99);
    assert!(seen.is_empty() && looked.reached == 0 && looked.files == 6);
    // A visitor that takes until the deadline: the next look shows the first text again.
    let mut first = Vec::new();
    for patience in 1.. {
        let deadline = Instant::now() + patience * Duration::from_millis(30);
        let visit = &mut |text: autofix::source::Text<'_>| {
            first.push(text.path.to_owned());
            while Instant::now() < deadline {}
            ControlFlow::Continue(())
        };
        texts.each(&repo, deadline, visit).unwrap();
        if !first.is_empty() {
            break;
        }
    }
    assert_eq!(first, ["a.py"]);
    let (seen, looked) = look(&mut texts, &repo, soon(), 99);
    assert!(looked.is_whole() && seen == WANTED, "{seen:?}");
}

#[test]
fn what_is_broken_or_unfinished_is_read_again() {
    let place = Place::new();
    let repo = place.open();
    let commit = repo.head().unwrap();
    all(&repo, commit);
    let path = place.kept().remove(0);
    let whole = fs::read(&path).unwrap();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let end = whole.len();
    let mut broken: Vec<Vec<u8>> = [0, 5, 12, 40, 80, 500_000, end - 50, end - 30, end - 1]
        .into_iter()
        .map(flipped)
        .collect();
    broken.extend([0, 3, 70, 100, 600_000, end - 1].map(|length| whole[..length].to_vec()));
    broken.push(vec![0xff; 4_096]);
    for (at, bytes) in broken.iter().enumerate() {
        fs::write(&path, bytes).unwrap();
        let (seen, looked) = all(&repo, commit);
        assert!(seen == WANTED && looked.is_whole(), "{at}: {seen:?}");
        assert_eq!(fs::read(&path).unwrap(), whole, "{at}: made anew");
    }
    // Those of another commit under this one's name.
    let other = place.sample.commit(1.0, "Else", &[("a.py", Some("else"))]);
    let other = at(&repo, &other);
    fs::write(
        path.with_file_name(
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .replace(&commit.to_string(), &other.to_string()),
        ),
        &whole,
    )
    .unwrap();
    assert_eq!(all(&repo, other).0[0], "a.py 4");
}

#[test]
fn what_a_killed_process_left_does_no_harm_and_goes() {
    let place = Place::new();
    let repo = place.open();
    let commit = repo.head().unwrap();
    fs::create_dir_all(&place.dir).unwrap();
    let old = place.dir.join(format!("local-0.{commit}.77-1.new"));
    let other = place.dir.join("somebody.else.new");
    let fresh = place.dir.join(format!("local-0.{commit}.78-1.new"));
    for path in [&old, &other, &fresh] {
        fs::write(path, b"half").unwrap();
    }
    let long_ago = SystemTime::now() - Duration::from_secs(7_200);
    for path in [&old, &other] {
        fs::File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
    }
    assert_eq!(all(&repo, commit).0, WANTED);
    assert!(!old.exists() && other.exists() && fresh.exists());
    assert_eq!(place.kept().len(), 3);
}

#[test]
fn two_commits_of_a_repository_are_kept_and_all_can_be_cleared() {
    let place = Place::new();
    let repo = place.open();
    let mut commits = vec![repo.head().unwrap()];
    for n in 0..3 {
        let text = n.to_string();
        let id = place.sample.commit(1.0, "Next", &[("a.py", Some(&text))]);
        commits.push(at(&repo, &id));
    }
    let age = |path: &Path, seconds| {
        let then = SystemTime::now() - Duration::from_secs(seconds);
        fs::File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(then)
            .unwrap();
    };
    for (n, commit) in commits.iter().enumerate() {
        all(&repo, *commit);
        for path in place.kept() {
            if path.to_str().unwrap().contains(&commit.to_string()) {
                age(&path, 1_000 - n as u64);
            }
        }
    }
    let kept = place.kept();
    let of = |commit: &Commit| {
        kept.iter()
            .any(|path| path.to_str().unwrap().contains(&commit.to_string()))
    };
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(of(&commits[2]) && of(&commits[3]));
    assert!(clear_texts(&place.dir) > 4_000_000 && place.kept().is_empty());
}

#[test]
fn without_a_place_to_keep_them_texts_are_read_each_time() {
    let place = Place::new();
    fs::write(&place.dir, b"a file where the folder should be").unwrap();
    let repo = place.open();
    let commit = repo.head().unwrap();
    for _ in 0..2 {
        assert_eq!(all(&repo, commit).0, WANTED);
    }
    assert!(
        repo.notes().iter().any(|note| note.contains("not kept")),
        "{:?}",
        repo.notes()
    );
}

#[test]
fn what_is_kept_is_bounded_in_bytes() {
    let place = Place::new();
    let small = place.open_with(1_000);
    let commit = small.head().unwrap();
    assert_eq!(all(&small, commit).0, WANTED);
    assert!(place.kept().is_empty(), "they are more than that");
    assert!(
        small
            .notes()
            .iter()
            .any(|note| note.contains("more than 1000 bytes"))
    );
    let one = place.open_with(3_000_000);
    all(&one, commit);
    let next = place.sample.commit(1.0, "Next", &[("a.py", Some("else"))]);
    all(&one, at(&one, &next));
    let kept = place.kept();
    assert!(
        kept.len() == 1 && kept[0].to_str().unwrap().contains(&next),
        "{kept:?}"
    );
}

#[test]
fn two_that_write_the_same_texts_at_once_both_finish() {
    let place = Place::new();
    let (one, other) = (place.open(), place.open());
    let commit = one.head().unwrap();
    let mut first = Texts::of(&one, commit);
    look(&mut first, &one, Instant::now(), 99);
    assert_eq!(all(&other, commit).0, WANTED);
    let (seen, looked) = look(&mut first, &one, soon(), 99);
    assert!(seen == WANTED && looked.is_whole() && first.is_kept());
    assert_eq!(place.kept().len(), 1);
    assert!(one.notes().is_empty() && other.notes().is_empty());
}

#[test]
fn what_a_cut_search_began_to_keep_is_finished_afterwards() {
    let place = Place::new();
    let repo = place.open();
    let commit = repo.head().unwrap();
    repo.finish_texts(soon()).unwrap();
    assert_eq!(place.kept(), Vec::<PathBuf>::new(), "nobody searched");
    let (_, cut) = repo.with_texts(commit, |texts| look(texts, &repo, Instant::now(), 99));
    assert!(!cut.is_whole());
    assert!(!repo.with_texts(commit, |texts| texts.is_kept()));
    repo.finish_texts(soon()).unwrap();
    assert!(repo.with_texts(commit, |texts| texts.is_kept()));
    let (seen, whole) = all(&place.open(), commit);
    assert!(whole.is_whole() && !seen.is_empty());
    assert_eq!(place.kept().len(), 1);
}
