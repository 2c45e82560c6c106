//! `search_code` and `find_symbol`.

use super::input::Input;
use super::{Desk, Failed, Filled, Redacted, Scope, Seen};
use crate::investigate::page::{Page, id, named};
use crate::investigate::within::redacted;
use crate::source::locate::function;
use crate::source::symbols::{self, Place};
use crate::source::{Asked, Content, Looked, RepoPath, search};
use std::time::Instant;

/// Lines with hits that are shown.
const HITS: usize = 100;
/// Definitions that are shown, and as many uses.
const PLACES: usize = 40;

impl Desk<'_> {
    pub(super) fn search_code(
        &mut self,
        input: &Input<'_>,
        scope: &mut Scope,
        deadline: Instant,
    ) -> Filled {
        let paths = input.text("paths").map(str::to_owned);
        let pattern = input.text("pattern").unwrap_or_default();
        let asked = Asked::new(pattern, input.flag("ignore_case"), paths, HITS)
            .map_err(|why| Failed::Call(scope.text(&why).plain(500, 200)))?;
        let hits = self.repo.with_texts(self.commit, |texts| {
            search(texts, self.repo, &asked, deadline)
        })?;
        let shown: usize = hits.files.iter().map(|file| file.hits.len()).sum();
        let mut page = Page::new(&[
            count(shown + hits.more).into(),
            " lines fit ".into(),
            (&named(scope, pattern)).into(),
            " at commit ".into(),
            (&id(scope, self.commit)).into(),
        ]);
        let mut seen = Vec::new();
        let mut left_out = hits.more;
        for file in &hits.files {
            let lines: Vec<u32> = file.hits.iter().map(|hit| hit.line).collect();
            let written = self.show(
                &mut page,
                scope,
                &file.path,
                &lines,
                file.generated,
                &mut seen,
            );
            left_out += lines.len() - written;
        }
        if left_out > 0 {
            page.own(&[
                count(left_out).into(),
                " more lines are not shown; ask for a narrower pattern or for paths.".into(),
            ]);
        }
        if shown == 0 && hits.passed_over > 0 {
            page.own(&[
                count(hits.passed_over).into(),
                " files were passed over, because their paths do not fit paths.".into(),
            ]);
        }
        how_much(&mut page, &hits.looked);
        Ok((page, seen))
    }

    pub(super) fn find_symbol(
        &mut self,
        input: &Input<'_>,
        scope: &mut Scope,
        deadline: Instant,
    ) -> Filled {
        let given = input.text("name").unwrap_or_default();
        // `Shop.total()` and `shop::Cart::total` are asked for, too.
        let bare = given.split('(').next().unwrap_or(given);
        let name = function::bare_name(bare).filter(|name| name.len() <= symbols::NAME);
        let Some(name) = name else {
            return Err(
                "this is no name of a function, class or constant; give one such as total, or \
                 use search_code"
                    .into(),
            );
        };
        let symbol = self.repo.with_texts(self.commit, |texts| {
            symbols::find(texts, self.repo, &name, PLACES, deadline)
        })?;
        let defined = symbol.definitions.len() + symbol.more_definitions;
        let used = symbol.uses.len() + symbol.more_uses;
        let mut page = Page::new(&[
            "Name ".into(),
            (&named(scope, &name)).into(),
            " at commit ".into(),
            (&id(scope, self.commit)).into(),
            ": ".into(),
            count(defined).into(),
            " lines look like definitions, ".into(),
            count(used).into(),
            " others hold it".into(),
        ]);
        let mut seen = Vec::new();
        let mut left_out = symbol.more_definitions + symbol.more_uses;
        for (words, places) in [
            ("Definitions:", &symbol.definitions),
            ("Uses:", &symbol.uses),
        ] {
            if places.is_empty() {
                continue;
            }
            page.own(&[words.into()]);
            for group in places.chunk_by(|a, b| a.path == b.path) {
                let Some(Place {
                    path, generated, ..
                }) = group.first()
                else {
                    continue;
                };
                let lines: Vec<u32> = group.iter().map(|place| place.line).collect();
                let written = self.show(&mut page, scope, path, &lines, *generated, &mut seen);
                left_out += lines.len() - written;
            }
        }
        if left_out > 0 {
            page.own(&[
                count(left_out).into(),
                " more are not shown; search_code with paths finds them.".into(),
            ]);
        }
        how_much(&mut page, &symbol.looked);
        Ok((page, seen))
    }

    /// Shows lines of a file, redacted within the whole of it; gives how many.
    fn show(
        &self,
        page: &mut Page,
        scope: &mut Scope,
        path: &str,
        lines: &[u32],
        generated: bool,
        seen: &mut Vec<Seen>,
    ) -> usize {
        if page.is_full() {
            return 0;
        }
        let content = RepoPath::parse(path)
            .ok()
            .and_then(|path| self.repo.content(self.commit, &path).ok());
        let Some(Content::Text(file)) = content else {
            return 0;
        };
        page.own(&[
            "In ".into(),
            (&named(scope, path)).into(),
            match generated {
                true => " (generated):".into(),
                false => ":".into(),
            },
        ]);
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
            return 0;
        };
        let shown = redacted(scope, &file.text, *first, *last);
        let mut written = 0;
        for line in lines {
            let text = shown.get((line - first) as usize).cloned();
            // A line within a value that was replaced: its placeholder stands further up.
            let text = text
                .flatten()
                .unwrap_or_else(|| Redacted::own("[replaced]"));
            if !page.data(Some(*line), &text) {
                break;
            }
            written += 1;
            seen.push(Seen::Lines {
                file: path.to_owned(),
                lines: *line..=*line,
            });
        }
        written
    }
}

/// How much of the commit was looked at, where it was not all of it.
fn how_much(page: &mut Page, looked: &Looked) {
    if looked.reached < looked.files && !looked.stopped {
        page.own(&[
            "Only ".into(),
            count(looked.reached).into(),
            " of ".into(),
            count(looked.files).into(),
            " files were looked at, because the time for one call was over; the same call goes \
             further."
                .into(),
        ]);
    }
    if looked.stopped {
        page.own(&["There were too many, so the search ended before the last file.".into()]);
    }
    if looked.too_long > 0 {
        page.own(&[
            count(looked.too_long).into(),
            " files were not searched, because they are longer than 1 MB or the repository holds \
             more than 512 MB of text."
                .into(),
        ]);
    }
}

pub(super) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
