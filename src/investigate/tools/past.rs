//! `history`, `blame` and `show_commit`.

use super::code::count;
use super::files::lines;
use super::input::Input;
use super::{Desk, Failed, Filled, Redacted, Scope, Seen};
use crate::investigate::page::{Page, cut_by, id, named};
use crate::investigate::within::{self, Whole, redacted};
use crate::model::{CommitId, Timestamp};
use crate::source::history::{Blamed, Did, Question, Touch, Window};
use crate::source::{Commit, CommitInfo, Cut, Repo, RepoPath, Shown};
use std::time::Instant;

/// Commits of one history.
const COMMITS: usize = 60;
/// Lines of one blame.
const LINES: u32 = 200;
/// Bytes of a commit's message.
const MESSAGE: usize = 4_096;

impl Desk<'_> {
    pub(super) fn history(
        &mut self,
        input: &Input<'_>,
        scope: &mut Scope,
        deadline: Instant,
    ) -> Filled {
        let path = input.path("path")?;
        match (input.line("from"), input.line("to")) {
            (None, None) => self.history_of_path(&path, scope, deadline),
            (from, to) => {
                let from = from.or(to).unwrap_or(1);
                self.history_of_lines(&path, from, to.unwrap_or(from), scope)
            }
        }
    }

    fn history_of_path(&mut self, path: &RepoPath, scope: &mut Scope, deadline: Instant) -> Filled {
        let log = self.repo.log(self.commit, path, COMMITS, deadline)?;
        if log.entries.is_empty() && log.cut.is_none() {
            return Err(
                "no commit in the deployed one's history has such a path; list_files finds names"
                    .into(),
            );
        }
        let mut page = Page::new(&[
            count(log.entries.len()).into(),
            " commits that changed ".into(),
            (&named(scope, path.as_str())).into(),
            ", newest first, from commit ".into(),
            (&id(scope, self.commit)).into(),
            " back".into(),
        ]);
        let mut seen = Vec::new();
        for entry in &log.entries {
            let did = match &entry.did {
                Did::Made => format!("made {}", entry.path),
                Did::Changed => "changed it".to_owned(),
                Did::Removed => format!("removed {}", entry.path),
                Did::Renamed(from) => format!("renamed it from {from}"),
                Did::Merged => "merged sides that differ".to_owned(),
            };
            let author = entry.author.as_deref().unwrap_or("nobody named");
            let said = format!("{author}: {} ({did})", entry.summary);
            if !page.data(None, &line_of(scope, entry.commit, entry.time, &said)) {
                break;
            }
            seen.push(Seen::Commit(entry.commit));
        }
        if let (Some(cut), Some((commit, time))) = (log.cut, log.older_than) {
            older(&mut page, scope, cut_by(cut), commit, time);
        }
        self.shallow(&mut page);
        Ok((page, seen))
    }

    fn history_of_lines(
        &mut self,
        path: &RepoPath,
        from: u32,
        to: u32,
        scope: &mut Scope,
    ) -> Filled {
        self.range(path, from, to, scope)?;
        let question = Question {
            file: path.as_str().to_owned(),
            lines: from..=to,
            zone: from..=to,
        };
        let window = Window {
            not_before: i64::MIN,
            ..Window::default()
        };
        let history = self.repo.history(self.commit, &[question], &window)?;
        let mut page = Page::new(&[
            count(history.touches.len()).into(),
            " changes to lines ".into(),
            i64::from(from).into(),
            " to ".into(),
            i64::from(to).into(),
            " of ".into(),
            (&named(scope, path.as_str())).into(),
            " or beside them, newest first, from commit ".into(),
            (&id(scope, self.commit)).into(),
            " back".into(),
        ]);
        let mut seen = Vec::new();
        for (at, touch) in history.touches.iter().enumerate() {
            if at == COMMITS || page.is_full() {
                page.own(&[
                    count(history.touches.len() - at).into(),
                    " older changes are not shown, because one result holds no more.".into(),
                ]);
                break;
            }
            let info = self.repo.info(touch.commit)?;
            let author = info.author.as_deref().unwrap_or("nobody named");
            let said = format!(
                "{author}: {} ({}:{})",
                info.summary, touch.file, touch.hunk.new_start
            );
            page.data(None, &line_of(scope, touch.commit, info.time, &said));
            for line in self.changed(scope, touch, info.parents.first().copied()) {
                page.data(None, &line);
            }
            seen.push(Seen::Commit(touch.commit));
        }
        if let Some(commit) = history.older_than {
            let time = self.repo.info(commit)?.time;
            older(&mut page, scope, cut_by(Cut::Time), commit, time);
        }
        if history.reached_root {
            page.own(&["Lines that no change is shown for are as old as the history.".into()]);
        }
        self.shallow(&mut page);
        Ok((page, seen))
    }

    pub(super) fn blame(
        &mut self,
        input: &Input<'_>,
        scope: &mut Scope,
        deadline: Instant,
    ) -> Filled {
        let path = input.path("path")?;
        let (from, to) = (
            input.line("from").unwrap_or(1),
            input.line("to").unwrap_or(1),
        );
        let text = self.range(&path, from, to, scope)?;
        let to = to
            .min(u32::try_from(lines(&text).len()).unwrap_or(u32::MAX))
            .min(from.saturating_add(LINES - 1));
        let blames = self.repo.blame(self.commit, &path, from..=to, deadline)?;
        let shown = redacted(scope, &text, from, to);
        let mut page = Page::new(&[
            "Who wrote lines ".into(),
            i64::from(from).into(),
            " to ".into(),
            i64::from(to).into(),
            " of ".into(),
            (&named(scope, path.as_str())).into(),
            " at commit ".into(),
            (&id(scope, self.commit)).into(),
            ", each run of lines below the commit that wrote it".into(),
        ]);
        let mut seen = vec![];
        let mut last: Option<&Blamed> = None;
        for (number, line) in (from..=to).zip(shown) {
            let Some(blamed) = blames.lines.get(&number) else {
                continue;
            };
            if last.is_none_or(|last| !same(last, blamed)) {
                self.head(&mut page, scope, blamed, &mut seen)?;
            }
            last = Some(blamed);
            let line = line.unwrap_or_else(|| Redacted::own("[replaced]"));
            if !page.data(Some(number), &line) {
                page.own(&["Cut, because one result holds no more; ask for fewer lines.".into()]);
                break;
            }
        }
        self.shallow(&mut page);
        Ok((page, seen))
    }

    /// The line above a run of lines that one commit wrote.
    fn head(
        &self,
        page: &mut Page,
        scope: &mut Scope,
        blamed: &Blamed,
        seen: &mut Vec<Seen>,
    ) -> Result<(), Failed> {
        match blamed {
            Blamed::Wrote { commit, .. } => {
                let info = self.repo.info(*commit)?;
                let author = info.author.as_deref().unwrap_or("nobody named");
                let said = format!("{author}: {}", info.summary);
                page.data(None, &line_of(scope, *commit, info.time, &said));
                seen.push(Seen::Commit(*commit));
            }
            Blamed::OlderThan { commit, time } => {
                older(
                    page,
                    scope,
                    "the time for one call was over",
                    *commit,
                    *time,
                );
            }
        }
        Ok(())
    }

    pub(super) fn show_commit(
        &mut self,
        input: &Input<'_>,
        scope: &mut Scope,
        deadline: Instant,
    ) -> Filled {
        let text = input.text("commit").unwrap_or_default();
        let Some(wanted) = CommitId::parse(text) else {
            return Err(
                "commit is no id; give 7 to 40 hexadecimal digits, as history and blame show them"
                    .into(),
            );
        };
        let path = input.text("path").map(RepoPath::parse).transpose()?;
        let unknown = "there is no such commit in the deployed one's history, and others are not \
                       shown; history and blame name those that there are";
        let Some(commit) = self.repo.lookup(&wanted) else {
            return Err(unknown.into());
        };
        if !self.known.contains(&commit) && !self.repo.is_in_history(commit, self.commit)? {
            return Err(unknown.into());
        }
        let room = crate::investigate::page::BYTES;
        let shown = self.repo.show(commit, path.as_ref(), room, deadline)?;
        let mut page = Page::new(&[
            "Commit ".into(),
            (&id(scope, commit)).into(),
            ", which changed ".into(),
            count(shown.changed).into(),
            match path {
                Some(_) => " files below the path; its message, then its diff".into(),
                None => " files; its message, then its diff".into(),
            },
        ]);
        about(&mut page, scope, &shown.info);
        diff(&mut page, scope, self.repo, &shown);
        let seen = vec![Seen::Commit(commit)];
        Ok((page, seen))
    }

    /// The text of a file that has these lines.
    fn range(
        &self,
        path: &RepoPath,
        from: u32,
        to: u32,
        scope: &mut Scope,
    ) -> Result<String, Failed> {
        let file = self.file(path, scope)?;
        let count = lines(&file.text).len();
        if from > to || from as usize > count {
            return Err(Failed::Call(Redacted::join(&[
                "there are no lines from ".into(),
                i64::from(from).into(),
                " to ".into(),
                i64::from(to).into(),
                "; the file has ".into(),
                super::code::count(count).into(),
                " lines".into(),
            ])));
        }
        Ok(file.text)
    }

    /// The lines of a change with their signs.
    fn changed(&self, scope: &mut Scope, touch: &Touch, parent: Option<Commit>) -> Vec<Redacted> {
        let old = Whole::of(self.repo, parent, &touch.old_file);
        let new = Whole::of(self.repo, Some(touch.commit), &touch.file);
        let removed = old.lines(scope, touch.hunk.old_start, &touch.removed);
        let added = new.lines(scope, touch.hunk.new_start, &touch.added);
        let signed = |sign: &'static str, lines: Vec<Option<Redacted>>| {
            let lines = lines.into_iter().flatten();
            lines.map(move |line| Redacted::join(&[sign.into(), (&line).into()]))
        };
        signed("-", removed).chain(signed("+", added)).collect()
    }

    fn shallow(&self, page: &mut Page) {
        if self.repo.is_shallow() {
            page.own(&["The history at hand is shallow: older commits cannot be seen.".into()]);
        }
    }
}

/// Whether two lines go below one head.
fn same(a: &Blamed, b: &Blamed) -> bool {
    match (a, b) {
        (Blamed::Wrote { commit: a, .. }, Blamed::Wrote { commit: b, .. }) => a == b,
        (Blamed::OlderThan { commit: a, .. }, Blamed::OlderThan { commit: b, .. }) => a == b,
        (Blamed::Wrote { .. }, Blamed::OlderThan { .. })
        | (Blamed::OlderThan { .. }, Blamed::Wrote { .. }) => false,
    }
}

/// A commit on a line of data: id, day, and what people wrote.
fn line_of(scope: &mut Scope, commit: Commit, time: Timestamp, said: &str) -> Redacted {
    let mut line = id(scope, commit);
    line.push(" ");
    line.push(&scope.text(&time.to_rfc3339()));
    line.push(" ");
    line.push(&scope.text(said));
    line
}

fn older(page: &mut Page, scope: &mut Scope, why: &'static str, commit: Commit, time: Timestamp) {
    page.own(&[
        "What is not shown is older than commit ".into(),
        (&id(scope, commit)).into(),
        " of ".into(),
        (&scope.text(&time.to_rfc3339())).into(),
        ": ".into(),
        why.into(),
        ".".into(),
    ]);
}

fn about(page: &mut Page, scope: &mut Scope, info: &CommitInfo) {
    let author = info.author.as_deref().unwrap_or("nobody named");
    let head = format!("{} by {author}", info.time.to_rfc3339());
    let head = scope.text(&head);
    page.data(None, &head);
    let message = info
        .message
        .get(..info.message.floor_char_boundary(MESSAGE))
        .unwrap_or_default();
    for line in scope.lines(message).iter().flatten() {
        page.data(None, line);
    }
    if message.len() < info.message.len() {
        page.own(&["The message is longer than 4096 bytes and cut.".into()]);
    }
    if info.parents.len() > 1 {
        page.own(&["It is a merge; its diff is the one against its first parent.".into()]);
    }
    if info.parents.is_empty() {
        page.own(&["It has no parent: its diff is everything in it.".into()]);
    }
}

/// What a commit changed, file by file.
pub(in crate::investigate) fn diff(page: &mut Page, scope: &mut Scope, repo: &Repo, shown: &Shown) {
    let parent = shown.info.parents.first().copied();
    for file in &shown.files {
        if page.left() < 200 {
            break;
        }
        let from = file.from.as_deref().map(|from| named(scope, from));
        let mut head = Redacted::own(file.did);
        head.push(" ");
        head.push(&named(scope, &file.path));
        if let Some(from) = &from {
            head.push(", which was ");
            head.push(from);
        }
        if let Some(why) = file.why {
            head.push(" (");
            head.push(why);
            head.push(")");
        }
        page.own(&[(&head).into()]);
        let old = Whole::of(repo, parent, file.from.as_ref().unwrap_or(&file.path));
        let new = Whole::of(repo, Some(shown.info.commit), &file.path);
        for line in within::diff(scope, &old, &new, &file.diff) {
            if !page.data(None, &line) {
                break;
            }
        }
    }
    let cut = match page.is_full() {
        true => Some(Cut::Bytes),
        false => shown.cut,
    };
    if let Some(cut) = cut {
        page.own(&[
            "The diff is cut: ".into(),
            cut_by(cut).into(),
            ". Ask for one path of it.".into(),
        ]);
    }
}
