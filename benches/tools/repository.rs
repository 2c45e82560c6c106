//! A repository of a size that services have after years, written by `git fast-import` and packed
//! as a server would: 50,000 files, 100,000 commits, a merge now and then, a file that everybody
//! changes.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// How large it is to be.
#[derive(Clone, Copy)]
pub struct Size {
    pub files: usize,
    pub commits: usize,
}

/// The newest commit's time; one commit every ten minutes before it.
const NOW: usize = 1_780_000_000;
const STEP: usize = 600;
/// Functions of a file, six lines each.
const FUNCTIONS: usize = 24;
/// Every so many commits one is a merge.
const MERGES: usize = 50;
const ENDINGS: [&str; 5] = ["py", "go", "java", "ts", "rb"];

/// The path of a file.
pub fn path(file: usize) -> String {
    let ending = ENDINGS[file % ENDINGS.len()];
    format!(
        "services/area{:02}/part{:02}/unit_{file}.{ending}",
        file / 2_500,
        file / 50 % 50
    )
}

/// A number for these three, the same in every run.
fn random(file: usize, nth: usize, draw: usize) -> usize {
    let mut x = (file * 1_000_003 + nth * 7_919 + draw * 104_729) as u64 ^ 0x9e37_79b9_7f4a_7c15;
    for _ in 0..2 {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    }
    (x ^ (x >> 31)) as usize
}

/// A made-up name of two or three syllables out of a few thousand.
fn word(number: usize) -> String {
    const SYLLABLES: [&str; 24] = [
        "or", "der", "cart", "pay", "ment", "ship", "in", "voice", "cus", "tom", "price", "tax",
        "stock", "route", "lim", "it", "quo", "ta", "ba", "lance", "trans", "fer", "led", "ger",
    ];
    let mut number = number % 9_000;
    let mut word = String::new();
    for _ in 0..3 {
        word.push_str(SYLLABLES[number % SYLLABLES.len()]);
        number /= SYLLABLES.len();
    }
    word
}

/// A file whose nth function was written anew so many times. No two files are alike.
fn content(file: usize, versions: &[u16; FUNCTIONS]) -> String {
    let mut text = String::with_capacity(6_000);
    for (nth, version) in versions.iter().enumerate() {
        let salt = random(file, nth, 0) % 9_973;
        let w: Vec<String> = (1..7).map(|draw| word(random(file, nth, draw))).collect();
        let (a, b, c, d, e, f) = (&w[0], &w[1], &w[2], &w[3], &w[4], &w[5]);
        let name = format!("{a}_{b}_{file}_{nth}");
        let _ = match (ENDINGS[file % ENDINGS.len()], random(file, nth, 7) % 2) {
            ("py", 0) => writeln!(
                text,
                "def {name}({c}, {d}):\n    # revision {version} of {e}\n    {f} = {c}.get(\"{e}_{salt}\", 0) + {version}\n    if {f} > {salt}:\n        raise ValueError(f\"{a} {b} exceeded by {{{d}}}\")\n    return {f} * {d}\n"
            ),
            ("py", _) => writeln!(
                text,
                "def {name}({c}):\n    for {d} in {c}.{e}s({salt}):\n        {d}.{f}(\"{b}\", revision={version})\n    logger.info(\"{a} %s\", {c})\n"
            ),
            ("go", 0) => writeln!(
                text,
                "func {name}({c} *Order, {d} int) (int, error) {{\n\t{e} := {c}.Amount({salt}) + {version}\n\tif {e} > {salt} {{\n\t\treturn 0, fmt.Errorf(\"{f} {a} exceeded by %d\", {d})\n\t}}\n\treturn {e} * {d}, nil\n}}\n"
            ),
            ("java", _) => writeln!(
                text,
                "    static long {name}(Order {c}, long {d}) {{\n        long {e} = {c}.{f}({salt}) + {version};\n        if ({e} > {salt}) {{\n            throw new IllegalStateException(\"{a} {b} exceeded by \" + {d});\n        }}\n        return {e} * {d};\n    }}\n"
            ),
            ("ts", _) => writeln!(
                text,
                "export function {name}({c}: Order, {d}: number): number {{\n  const {e} = {c}.{f}({salt}) + {version};\n  if ({e} > {salt}) {{\n    throw new RangeError(`{a} {b} exceeded by ${{{d}}}`);\n  }}\n  return {e} * {d};\n}}\n"
            ),
            ("go", _) => writeln!(
                text,
                "func {name}({c} []string) map[string]int {{\n\t{d} := map[string]int{{\"{e}\": {salt}, \"{f}\": {version}}}\n\tfor _, {b}x := range {c} {{\n\t\t{d}[{b}x]++\n\t}}\n\treturn {d}\n}}\n"
            ),
            _ => writeln!(
                text,
                "def {name}({c}, {d})\n  # revision {version} of {e}\n  {f} = {c}.{e}({salt}) + {version}\n  raise ArgumentError, \"{a} {b} exceeded by #{{{d}}}\" if {f} > {salt}\n  {f} * {d}\nend\n"
            ),
        };
    }
    text
}

/// What a function of this file says when it fails, and the line of it. For files whose functions do.
pub fn failure(file: usize) -> Option<(String, u32)> {
    let text = content(file, &[0; FUNCTIONS]);
    let mut lines = text.lines().zip(1u32..);
    lines.find_map(|(line, number)| {
        let (before, _) = line.split_once(" exceeded by ")?;
        let words = before.rsplit(['"', '`']).next()?;
        Some((format!("{words} exceeded by 17"), number))
    })
}

/// Which file a commit changes: mostly any, often one of a few, now and then the same one.
fn chosen(commit: usize, files: usize) -> usize {
    let random = commit.wrapping_mul(6_364_136_223_846_793_005) >> 16;
    match random % 20 {
        0 => 7,
        1..=6 => random / 20 % 500 % files,
        _ => random / 20 % files,
    }
}

/// Writes it into an empty folder as a bare repository with the branch `main`.
pub fn make(at: &Path, size: Size) {
    git(at, &["init", "-q", "--bare", "--initial-branch=main", "."]);
    let mut import = Command::new("git")
        .current_dir(at)
        .args(["fast-import", "--quiet", "--force"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("git");
    let out = import.stdin.take().expect("a pipe");
    stream(&mut BufWriter::with_capacity(1 << 20, out), size).expect("fast-import reads");
    assert!(import.wait().expect("git").success(), "git fast-import");
    // As a server packs what it sends.
    let repack = [
        "-c",
        "pack.threads=2",
        "repack",
        "-q",
        "-a",
        "-d",
        "-f",
        "--depth=50",
    ];
    git(at, &repack);
}

fn git(at: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .current_dir(at)
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .status()
        .expect("git");
    assert!(done.success(), "git {arguments:?}");
}

fn stream(out: &mut impl Write, size: Size) -> std::io::Result<()> {
    let mut versions = vec![[0u16; FUNCTIONS]; size.files];
    for commit in 0..size.commits {
        let merge = commit > 10 && commit % MERGES == 0;
        let side = commit > 10 && commit % MERGES == MERGES - 1;
        let when = NOW - (size.commits - 1 - commit) * STEP;
        let branch = if side { "side" } else { "main" };
        let said = format!(
            "Change rule {commit}\n\nBecause of ticket {}.\n",
            commit * 7
        );
        writeln!(out, "commit refs/heads/{branch}\nmark :{}", commit + 1)?;
        let who = format!("Dev {} <dev{}@example.com>", commit % 97, commit % 97);
        writeln!(
            out,
            "author {who} {when} +0000\ncommitter {who} {when} +0000"
        )?;
        writeln!(out, "data {}\n{said}", said.len())?;
        if commit == 0 {
            for (file, versions) in versions.iter().enumerate() {
                modify(out, file, versions)?;
            }
            writeln!(out)?;
            continue;
        }
        // The side's commit stands beside the one before the merge.
        let parent = if merge { commit - 2 } else { commit - 1 };
        writeln!(out, "from :{}", parent + 1)?;
        if merge {
            writeln!(out, "merge :{commit}")?;
        }
        let file = chosen(if merge { commit - 1 } else { commit }, size.files);
        if !merge {
            versions[file][commit % FUNCTIONS] += 1;
        }
        modify(out, file, &versions[file])?;
        writeln!(out)?;
    }
    writeln!(out, "reset refs/heads/side\nfrom {:040}\n\ndone", 0)
}

fn modify(out: &mut impl Write, file: usize, versions: &[u16; FUNCTIONS]) -> std::io::Result<()> {
    let text = content(file, versions);
    writeln!(
        out,
        "M 100644 inline {}\ndata {}\n{text}",
        path(file),
        text.len()
    )
}
