//! Redaction over `tests/corpus/redact`: how many secrets are gone, and how many harmless lines
//! come out changed. `cargo test --test redact -- --nocapture` prints both rates.

use autofix::redact::{Redactor, Scope, Settings};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Shares that must hold.
const GONE: f64 = 0.99;
const CHANGED: f64 = 0.01;

/// A text with what must be gone from it.
#[derive(Debug, PartialEq)]
struct Case {
    text: String,
    secrets: Vec<(String, String)>,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(name)
}

fn parse(line: &str) -> Case {
    let mut parts = line.split('«');
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut secrets = Vec::new();
    for part in parts {
        let (mark, after) = part.split_once('»').expect("a mark that closes");
        let (class, value) = mark.split_once(':').expect("class:value");
        text.push_str(value);
        text.push_str(after);
        secrets.push((class.to_owned(), value.replace('⏎', "\n")));
    }
    let text = text.replace('⏎', "\n");
    Case { text, secrets }
}

fn cases() -> Vec<(String, Case)> {
    let mut cases = Vec::new();
    for path in files(&folder("redact"), "txt") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            if !line.starts_with('#') && !line.trim().is_empty() {
                cases.push((format!("{name}:{}", number + 1), parse(line)));
            }
        }
    }
    cases
}

fn files(folder: &Path, ext: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ext));
        } else if path.extension().is_some_and(|end| end == ext) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn scope(ip: bool) -> Scope {
    static MADE: OnceLock<[Redactor; 2]> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        [false, true].map(|ip| {
            let settings = Settings {
                ip,
                ..Settings::default()
            };
            Redactor::new(&settings).unwrap()
        })
    });
    made[usize::from(ip)].scope()
}

#[test]
fn secrets_are_gone_and_harmless_lines_stay() {
    let (mut secrets, mut gone, mut plain, mut changed) = (0, 0, 0, 0);
    let mut other_class = 0;
    for (place, case) in cases() {
        let with_ip = case.secrets.iter().any(|(class, _)| class == "ip");
        let mut scope = scope(with_ip);
        let out = scope.text(&case.text);
        if case.secrets.is_empty() {
            plain += 1;
            if out.as_str() != case.text {
                changed += 1;
                println!("changed  {place}: {}\n      to {out}", case.text);
            }
            continue;
        }
        for (class, value) in &case.secrets {
            secrets += 1;
            if out.as_str().contains(value.as_str()) {
                println!("left     {place}: {value} in {out}");
            } else {
                gone += 1;
            }
            if !out.as_str().contains(&format!("[{class}-")) {
                other_class += 1;
                println!("class    {place}: {class} in {out}");
            }
        }
        assert_eq!(scope.text(out.as_str()), out, "{place}: a second time");
    }
    let gone_rate = f64::from(gone) / f64::from(secrets);
    let changed_rate = f64::from(changed) / f64::from(plain);
    println!(
        "secrets gone: {gone} of {secrets} ({:.1} %)",
        gone_rate * 100.0
    );
    println!(
        "harmless lines changed: {changed} of {plain} ({:.1} %)",
        changed_rate * 100.0
    );
    println!("called otherwise: {other_class}");
    assert!(secrets >= 250 && plain >= 200, "the corpus was not found");
    assert!(gone_rate >= GONE, "{gone_rate}");
    assert!(changed_rate <= CHANGED, "{changed_rate}");
}

/// What surrounds a secret stays, or a reader could not tell what happened.
#[test]
fn what_surrounds_a_secret_stays() {
    let (mut all, mut kept) = (0, 0);
    for (place, case) in cases() {
        let with_ip = case.secrets.iter().any(|(class, _)| class == "ip");
        let out = scope(with_ip).text(&case.text);
        let mut rest = case.text.clone();
        for (_, value) in &case.secrets {
            rest = rest.replace(value.as_str(), "\u{1}");
        }
        let mut shown = out.as_str();
        let whole = rest.split('\u{1}').all(|part| match shown.find(part) {
            Some(at) => {
                shown = &shown[at + part.len()..];
                true
            }
            None => false,
        });
        all += 1;
        kept += i32::from(whole);
        if !whole {
            println!("surroundings {place}: {}\n          to {out}", case.text);
        }
    }
    println!("surroundings kept: {kept} of {all}");
    assert!(f64::from(kept) / f64::from(all) >= 0.97);
}

/// What real programs printed: crashes, traces, ordinary logs.
#[test]
fn real_output_stays() {
    let (mut lines, mut changed) = (0, 0);
    for folder_name in ["plain", "crashes", "traces", "documented"] {
        for ext in ["log", "txt"] {
            for path in files(&folder(folder_name), ext) {
                let text = fs::read(&path).unwrap();
                let text = String::from_utf8_lossy(&text).into_owned();
                let out = scope(false).text(&text);
                lines += text.lines().count();
                let pairs = text.lines().zip(out.as_str().lines());
                for (before, after) in pairs.filter(|(before, after)| before != after) {
                    changed += 1;
                    println!("changed {}: {before}\n     to {after}", path.display());
                }
                assert_eq!(text.lines().count(), out.as_str().lines().count());
            }
        }
    }
    println!("lines of real output changed: {changed} of {lines}");
    assert!(lines > 2_500, "{lines} lines");
    assert!(changed * 500 <= lines, "{changed} of {lines}");
}
