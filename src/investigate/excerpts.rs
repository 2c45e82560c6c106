//! The source around places, to be read: some lines around the service's own frames for a report,
//! whole functions with the head of their class for whoever has to understand them.

use crate::investigate::Excerpt;
use crate::source::locate::body::body;
use crate::source::locate::{Files, Located, Place, THRESHOLD};
use serde::Serialize;

/// Frames that are shown with their source.
const EXCERPTS: usize = 5;
/// Lines shown above and below.
const AROUND: u32 = 6;
/// Longest line that is shown, in characters.
pub(super) const WIDTH: usize = 240;

/// Excerpts of the best frames, each stretch of a file once.
pub(super) fn around(located: &[Located], files: &dyn Files) -> Vec<Excerpt> {
    let mut shown: Vec<Excerpt> = Vec::new();
    for one in located
        .iter()
        .filter(|one| one.own && one.mapped >= THRESHOLD)
    {
        let Some((line, text)) = one.line.zip(files.text(&one.file)) else {
            continue;
        };
        let again = shown.iter().any(|e| {
            e.file == one.file && e.marked.is_some_and(|m| m.abs_diff(line) <= AROUND / 2)
        });
        if again {
            continue;
        }
        let first = line.saturating_sub(AROUND).max(1);
        let lines: Vec<String> = text
            .lines()
            .skip(first as usize - 1)
            .take((line - first + AROUND) as usize + 1)
            .map(|text| text.chars().take(WIDTH).collect())
            .collect();
        if lines.len() <= (line - first) as usize {
            continue;
        }
        shown.push(Excerpt {
            file: one.file.clone(),
            first_line: first,
            lines,
            marked: Some(line),
        });
        if shown.len() == EXCERPTS {
            break;
        }
    }
    shown
}

/// Most lines of a function that are shown, and most bytes.
const FUNCTION_LINES: u32 = 120;
const FUNCTION_BYTES: usize = 8 << 10;

/// A line with its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Numbered {
    pub line: u32,
    pub text: String,
}

/// The function around a place, or the lines around it where it stands in none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WholeFunction {
    pub source: Excerpt,
    /// The first line of the class around it.
    pub class: Option<Numbered>,
    /// Its own first line, where that is not among the lines that are shown.
    pub header: Option<Numbered>,
    /// Lines of it that are not shown; 0: it is whole.
    pub left_out: u32,
}

/// The functions around places, each once, in their order. One that is longer than 120 lines or
/// 8 KB is shown around the place only, with its header.
pub fn functions(places: &[Place], files: &dyn Files, most: usize) -> Vec<WholeFunction> {
    let mut shown: Vec<WholeFunction> = Vec::new();
    for place in places {
        if shown.len() == most {
            break;
        }
        let Some((line, text)) = place.line.zip(files.text(&place.file)) else {
            continue;
        };
        let covered = |one: &WholeFunction| {
            let lines = u32::try_from(one.source.lines.len()).unwrap_or(u32::MAX);
            let first = one.source.first_line;
            one.source.file == place.file && (first..first.saturating_add(lines)).contains(&line)
        };
        if shown.iter().any(covered) {
            continue;
        }
        let lines: Vec<&str> = text.lines().collect();
        shown.extend(function(&place.file, &lines, line));
    }
    shown
}

fn function(file: &str, lines: &[&str], line: u32) -> Option<WholeFunction> {
    let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    if line == 0 || line > count {
        return None;
    }
    let around = body(lines, line, FUNCTION_LINES);
    let (first, last) = match &around {
        Some(found) => (*found.lines.start(), *found.lines.end()),
        None => (
            line.saturating_sub(AROUND).max(1),
            line.saturating_add(AROUND).min(count),
        ),
    };
    let kept = window(lines, line, first, last);
    let numbered = |line: u32| {
        let text = lines.get(line.checked_sub(1)? as usize)?;
        let text = text.chars().take(WIDTH).collect();
        Some(Numbered { line, text })
    };
    let shown = lines.get(kept.0 as usize - 1..kept.1 as usize)?;
    Some(WholeFunction {
        class: around.as_ref().and_then(|found| numbered(found.class?)),
        header: around
            .as_ref()
            .filter(|found| found.header < kept.0)
            .and_then(|found| numbered(found.header)),
        left_out: (last - first) - (kept.1 - kept.0),
        source: Excerpt {
            file: file.to_owned(),
            first_line: kept.0,
            lines: shown
                .iter()
                .map(|text| text.chars().take(WIDTH).collect())
                .collect(),
            marked: Some(line),
        },
    })
}

/// As many lines around `line` as the limits allow, of those from `first` to `last`.
fn window(lines: &[&str], line: u32, first: u32, last: u32) -> (u32, u32) {
    let bytes = |at: u32| {
        let text = lines.get(at as usize - 1);
        text.map_or(0, |text| text.len().min(4 * WIDTH) + 1)
    };
    let (mut from, mut to, mut held) = (line, line, bytes(line));
    loop {
        let up = from > first && held + bytes(from - 1) <= FUNCTION_BYTES;
        if up && to - from + 1 < FUNCTION_LINES {
            from -= 1;
            held += bytes(from);
        }
        let down = to < last && held + bytes(to + 1) <= FUNCTION_BYTES;
        if down && to - from + 1 < FUNCTION_LINES {
            to += 1;
            held += bytes(to);
        }
        if !(up || down) || to - from + 1 >= FUNCTION_LINES {
            return (from, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::locate::Evidence;
    use std::borrow::Cow;

    struct One(Vec<String>, String);

    impl Files for One {
        fn paths(&self) -> &[String] {
            &self.0
        }
        fn text(&self, _path: &str) -> Option<Cow<'_, str>> {
            Some(Cow::Borrowed(&self.1))
        }
    }

    fn of(text: &str, lines: &[u32]) -> Vec<WholeFunction> {
        let places: Vec<Place> = lines
            .iter()
            .map(|line| Place {
                rank: 1,
                file: "a.py".to_owned(),
                line: Some(*line),
                function: None,
                confidence: 0.9,
                why: String::new(),
                evidence: vec![Evidence::Frame],
            })
            .collect();
        functions(&places, &One(vec!["a.py".to_owned()], text.to_owned()), 5)
    }

    #[test]
    fn a_method_is_whole_and_shown_once() {
        let text = "class Cart:\n    rate = 1\n\n    @cached\n    def total(self):\n        a()\n        return b()\n\n\nx = 1\n";
        let shown = of(text, &[7, 6, 10, 99, 0]);
        assert_eq!(shown.len(), 2, "{shown:#?}");
        let source = &shown[0].source;
        assert_eq!(
            (source.first_line, source.lines.len(), source.marked),
            (4, 4, Some(7))
        );
        let class = shown[0]
            .class
            .as_ref()
            .map(|one| (one.line, one.text.as_str()));
        assert_eq!(class, Some((1, "class Cart:")));
        assert_eq!((shown[0].left_out, &shown[0].header), (0, &None));
        assert_eq!(shown[1].source.lines.last().unwrap(), "x = 1");
    }

    #[test]
    fn a_long_function_is_a_window_with_its_header() {
        for filler in [
            "    a()\n".to_owned(),
            format!("    a(\"{}\")\n", "é".repeat(300)),
        ] {
            let text = format!("def total():\n{}", filler.repeat(1_000));
            let shown = &of(&text, &[500])[0];
            let lines = &shown.source.lines;
            assert!(lines.len() <= 120 && lines.iter().map(String::len).sum::<usize>() <= 8 << 10);
            assert!((shown.source.first_line..500).len() > 2);
            assert_eq!(shown.left_out as usize + lines.len(), 1_001);
            assert_eq!(shown.header.as_ref().map(|one| one.line), Some(1));
        }
    }
}
