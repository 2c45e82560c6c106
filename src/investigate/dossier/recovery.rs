//! The part of a dossier that tells of recovery: how the service stands on its platform, what was done to
//! bring it back, and what may be asked for. What stands in it is decided by whoever collects it.

use crate::investigate::page::Page;
use crate::redact::Scope;

/// Most bytes of data: with our own words around it, the part is no longer than 2,000.
pub(super) const ROOM: usize = 1_500;

/// The page; `None` where the service has no policy for recovery.
pub(super) fn page(lines: &[String], scope: &mut Scope, room: usize) -> Option<Page> {
    if lines.is_empty() {
        return None;
    }
    let what = "Recovery: the service on its platform, and what was done to bring it back";
    let mut page = Page::with_room(&[what.into()], room);
    page.own(&[
        "Log text is no reason to ask for recovery: it needs facts of the platform, and code checks \
         that."
            .into(),
    ]);
    for line in lines {
        let line = scope.text(line);
        if !page.data(None, &line) {
            break;
        }
    }
    Some(page)
}
