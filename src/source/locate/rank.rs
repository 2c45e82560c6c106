//! The order of the frames that were found: where the fault was most likely made. Thrown is not
//! always made: helpers that only throw, tests, and a base that works for a caller stand back.

use crate::model::{Frame, Trace};
use crate::source::locate::carry::only_carries;
use crate::source::locate::find::Match;
use crate::source::locate::role::{is_copied, is_test};
use crate::source::locate::{Files, Located};
use std::collections::{HashMap, HashSet};

/// What a frame loses against the one inside it.
const OUTWARDS: f64 = 0.85;
/// However far outside, it is still on the way.
const FLOOR: f64 = 0.2;
/// So many frames that only carry the fault are a design of their own, and keep their place.
const CARRIED: usize = 3;
/// Ranks that show distinct files before any file twice.
const DISTINCT: usize = 3;

/// A frame with the file it was found in.
#[derive(Debug)]
pub(super) struct Candidate {
    frame: usize,
    line: Option<u32>,
    function: Option<String>,
    found: Match,
    own: bool,
    tied: usize,
}

impl Candidate {
    pub fn new(frame: usize, printed: &Frame, mut found: Match, tied: usize) -> Candidate {
        let own = !is_copied(&found.file);
        if !own {
            found.sure *= 0.3;
            found.why = format!("{}; a copy of somebody else's code", found.why);
        }
        Candidate {
            frame,
            line: printed.line,
            function: printed.function.clone(),
            found,
            own,
            tied,
        }
    }
}

/// Frames of one program lie below one folder: those below another one are less sure.
pub(super) fn by_one_root(candidates: &mut [Candidate]) {
    let mut votes: HashMap<Vec<String>, usize> = HashMap::new();
    for one in candidates.iter() {
        if let Some(above) = one.found.above.as_ref().filter(|_| one.found.agreed > 1) {
            *votes.entry(above.clone()).or_default() += one.found.agreed;
        }
    }
    let best = votes
        .into_iter()
        .max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
    let Some((root, _)) = best else {
        return;
    };
    for one in candidates.iter_mut() {
        let whole = one.found.above.as_ref().map(|above| *above != root);
        let part = one.found.head.as_ref().map(|head| !head.starts_with(&root));
        let elsewhere = whole.or(part).unwrap_or(false);
        if elsewhere && one.found.agreed < 3 {
            one.found.sure *= 0.4;
            one.found.why = format!("{}; but below another folder than the rest", one.found.why);
        }
    }
}

/// Puts the candidates in order and gives each its rank and confidence. They come innermost
/// first, those of the root cause before the rest.
pub(super) fn order(
    trace: &Trace,
    candidates: Vec<Candidate>,
    foreign_inside: usize,
    files: &dyn Files,
) -> Vec<Located> {
    let candidates = hedge(trace, candidates);
    let counts = by_file(&candidates);
    let mut keyed: Vec<(f64, Candidate)> = Vec::with_capacity(candidates.len());
    let order = step_back(candidates, &counts, files);
    let mut seen: HashSet<(String, Option<u32>)> = HashSet::new();
    let mut weight = if foreign_inside > 0 { 0.97 } else { 1.0 };
    for mut one in order {
        if !seen.insert((one.found.file.clone(), one.line)) {
            name_from(&mut keyed, one);
            continue;
        }
        let mut score = one.found.sure * weight;
        if is_test(&one.found.file) {
            score *= 0.6;
            one.found.why = format!("{}; in a test", one.found.why);
        }
        if one.own {
            weight = (weight * OUTWARDS).max(FLOOR);
        }
        keyed.push((score, one));
    }
    keyed.sort_by(|a, b| b.0.total_cmp(&a.0));
    finish(distinct_first(keyed))
}

/// The same place printed twice, as of a closure within its function: the one with a name has it
/// to give.
fn name_from(keyed: &mut [(f64, Candidate)], again: Candidate) {
    let first = keyed
        .iter_mut()
        .find(|(_, one)| one.found.file == again.found.file && one.line == again.line);
    if let Some((_, one)) = first.filter(|(_, one)| one.function.is_none()) {
        one.function = again.function;
    }
}

/// Where an exception was wrapped, the innermost frame of the outermost one goes second: the
/// handler may be at fault.
fn hedge(trace: &Trace, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    if trace.root == trace.outermost {
        return candidates;
    }
    let Some(range) = trace.blocks.get(trace.outermost).map(|b| b.frames.clone()) else {
        return candidates;
    };
    if let Some(at) = candidates.iter().position(|c| range.contains(&c.frame))
        && at > 1
    {
        let one = candidates.remove(at);
        candidates.insert(1, one);
    }
    candidates
}

fn by_file(candidates: &[Candidate]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for one in candidates {
        *counts.entry(one.found.file.clone()).or_default() += 1;
    }
    counts
}

/// Moves frames that only carry the fault behind the one that asked for it.
fn step_back(
    mut order: Vec<Candidate>,
    counts: &HashMap<String, usize>,
    files: &dyn Files,
) -> Vec<Candidate> {
    let reasons: Vec<&str> = order
        .iter()
        .take(CARRIED)
        .map_while(|one| only_carries(&one.found.file, one.line, one.function.as_deref(), files))
        .collect();
    let carried = reasons.len();
    let asking = order
        .get(carried)
        .is_some_and(|one| one.own && !is_test(&one.found.file));
    if (1..CARRIED).contains(&carried) && asking {
        for (one, reason) in order.iter_mut().zip(reasons) {
            one.found.why = format!("{}; {reason}", one.found.why);
        }
        order.rotate_left(carried);
        let carried = order.split_off(order.len() - carried);
        order.splice(1..1, carried);
        return order;
    }
    // A base that is both around and inside another file's frame works for that file.
    if let Some([inner, asking]) = order.get(..2).and_then(|two| <&[_; 2]>::try_from(two).ok()) {
        let count = |one: &Candidate| counts.get(&one.found.file).copied().unwrap_or(0);
        let around = order
            .get(2..)
            .is_some_and(|rest| rest.iter().any(|one| one.found.file == inner.found.file));
        let base = inner.found.file != asking.found.file
            && around
            && count(inner) > count(asking) + 1
            && asking.own
            && asking.found.sure >= inner.found.sure * 0.9;
        if base {
            order.swap(0, 1);
        }
    }
    order
}

/// The first ranks name distinct files: a recursion does not hide its neighbours.
fn distinct_first(mut keyed: Vec<(f64, Candidate)>) -> Vec<(f64, Candidate)> {
    let mut shown: Vec<String> = Vec::new();
    for rank in 0..DISTINCT {
        let Some(ahead) = keyed.get(rank..) else {
            break;
        };
        let next = ahead
            .iter()
            .position(|(_, one)| !shown.contains(&one.found.file));
        let Some(at) = next.map(|at| at + rank) else {
            break;
        };
        let one = keyed.remove(at);
        shown.push(one.1.found.file.clone());
        keyed.insert(rank, one);
    }
    keyed
}

fn finish(keyed: Vec<(f64, Candidate)>) -> Vec<Located> {
    let mut most: f64 = 1.0;
    let mut located = Vec::with_capacity(keyed.len());
    for (at, (score, one)) in keyed.into_iter().enumerate() {
        most = most.min(score);
        located.push(Located {
            rank: at + 1,
            file: one.found.file,
            line: one.line,
            function: one.function,
            confidence: (most * 100.0).round() / 100.0,
            why: one.found.why,
            frame: one.frame,
            own: one.own,
            mapped: one.found.sure,
            tied: one.tied,
        });
    }
    located
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Block, Language, Settings};
    use crate::source::locate::{PathList, locate, location};

    fn python(frames: &[(&str, &str)]) -> Trace {
        let frames: Vec<Frame> = frames
            .iter()
            .enumerate()
            .map(|(at, (file, function))| Frame {
                file: Some(format!("/app/{file}")),
                line: u32::try_from(at + 1).ok(),
                function: Some((*function).to_owned()),
            })
            .collect();
        Trace {
            language: Language::Python,
            blocks: vec![Block {
                frames: 0..frames.len(),
                ..Block::default()
            }],
            root: 0,
            outermost: 0,
            frames,
        }
    }

    fn ranked(trace: &Trace, paths: &[&str]) -> Vec<String> {
        let paths = PathList(paths.iter().map(|p| (*p).to_owned()).collect());
        let located = locate(trace, &paths, &Settings::default());
        for pair in located.windows(2) {
            assert!(pair[0].confidence >= pair[1].confidence);
        }
        located.into_iter().map(|one| one.file).collect()
    }

    #[test]
    fn the_innermost_own_frame_is_the_place() {
        let trace = python(&[("a.py", "main"), ("b/b.py", "f"), ("lib/x.py", "g")]);
        assert_eq!(ranked(&trace, &["a.py", "b/b.py"]), ["b/b.py", "a.py"]);
        let paths = PathList(vec!["b/b.py".into()]);
        let place = location(&locate(&trace, &paths, &Settings::default())).unwrap();
        assert_eq!((place.file.as_str(), place.line), ("b/b.py", Some(2)));
        assert_eq!(location(&[]), None);
    }

    #[test]
    fn a_place_printed_twice_has_the_name_of_either() {
        let mut trace = python(&[("p/a.py", "f"), ("p/b.py", "g"), ("p/b.py", "")]);
        trace.frames[2].function = None;
        trace.frames[1].line = trace.frames[2].line;
        let paths = PathList(["p/a.py", "p/b.py"].map(str::to_owned).to_vec());
        let place = location(&locate(&trace, &paths, &Settings::default())).unwrap();
        assert_eq!(place.function.as_deref(), Some("g"));
    }

    #[test]
    fn files_that_fit_equally_are_no_place() {
        let trace = python(&[("handler.py", "handler")]);
        let paths = PathList(
            ["f/alpha/handler.py", "f/beta/handler.py"]
                .map(str::to_owned)
                .into(),
        );
        let located = locate(&trace, &paths, &Settings::default());
        assert_eq!((location(&located), located[0].tied), (None, 2));
        let root = Settings {
            root: "f/beta".to_owned(),
            ..Settings::default()
        };
        let place = location(&locate(&trace, &paths, &root)).unwrap();
        assert_eq!(place.file, "f/beta/handler.py");
    }

    #[test]
    fn frames_below_another_folder_are_less_sure() {
        let mut trace = python(&[("p/a.py", "f"), ("p/b.py", "g"), ("x", "h")]);
        for elsewhere in ["/opt/tool/main.py", "/opt/tool/util/text.py"] {
            trace.frames[2].file = Some(elsewhere.to_owned());
            let paths = ["p/a.py", "p/b.py", "main.py", "q/util/text.py"];
            let paths = PathList(paths.map(str::to_owned).to_vec());
            let located = locate(&trace, &paths, &Settings::default());
            let strange = located.iter().find(|one| one.frame == 2).unwrap();
            assert!(strange.mapped < 0.35, "{strange:?}");
            assert_eq!(located[0].file, "p/b.py");
        }
    }

    #[test]
    fn recursion_does_not_hide_other_files() {
        let trace = python(&[
            ("p/a.py", "f"),
            ("p/b.py", "g"),
            ("p/c.py", "h"),
            ("p/c.py", "h"),
            ("p/c.py", "h"),
        ]);
        let all = ranked(&trace, &["p/a.py", "p/b.py", "p/c.py"]);
        assert_eq!(all, ["p/c.py", "p/b.py", "p/a.py", "p/c.py", "p/c.py"]);
    }

    #[test]
    fn throwers_tests_and_vendored_code_stand_back() {
        let trace = python(&[("p/a.py", "f"), ("p/errors.py", "raise_missing")]);
        assert_eq!(ranked(&trace, &["p/a.py", "p/errors.py"])[0], "p/a.py");
        let trace = python(&[("p/a.py", "f"), ("tests/test_a.py", "check_it")]);
        assert_eq!(ranked(&trace, &["p/a.py", "tests/test_a.py"])[0], "p/a.py");
        let trace = python(&[("p/a.py", "f"), ("vendor/x/y.py", "g")]);
        assert_eq!(ranked(&trace, &["p/a.py", "vendor/x/y.py"])[0], "p/a.py");
    }
}
