//! Dotted paths into records and JSON: `fly.app.name` is a key of that name, or nested maps, or a
//! mixture. Bounded, because paths come from rules that a model or a team wrote.

use crate::record::decode::{Item, Map};
use crate::record::json::{Json, Members};

/// Dots that are followed; a longer path is nothing's name.
pub(super) const MAX_DOTS: usize = 6;

/// The value under a path in a record.
pub(super) fn in_map<'a>(map: Map<'a>, path: &str) -> Option<Item<'a>> {
    if path.bytes().filter(|b| *b == b'.').count() > MAX_DOTS {
        return None;
    }
    find_in_map(map, path)
}

fn find_in_map<'a>(map: Map<'a>, path: &str) -> Option<Item<'a>> {
    if let Some(found) = map.get(path) {
        return Some(found);
    }
    let mut splits = path.match_indices('.');
    splits.find_map(|(at, _)| {
        let (key, rest) = (path.get(..at)?, path.get(at + 1..)?);
        find_in_map(map.get(key)?.map()?, rest)
    })
}

/// The value under a path in a JSON object.
pub(super) fn in_json<'a>(members: Members<'a>, path: &str) -> Option<Json<'a>> {
    if path.bytes().filter(|b| *b == b'.').count() > MAX_DOTS {
        return None;
    }
    find_in_json(members, path)
}

fn find_in_json<'a>(members: Members<'a>, path: &str) -> Option<Json<'a>> {
    if let Some(found) = members.get(path) {
        return Some(found);
    }
    let mut splits = path.match_indices('.');
    splits.find_map(|(at, _)| {
        let (key, rest) = (path.get(..at)?, path.get(at + 1..)?);
        find_in_json(members.get(key)?.object()?, rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_and_dotted_names_mix() {
        let text = r#"{"fly.app":{"name":"shop"},"fly":{"region":"ams"},"a.b.c":1}"#;
        let members = Members::whole(text).unwrap();
        assert_eq!(in_json(members, "fly.app.name"), Some(Json::Str("shop")));
        assert_eq!(in_json(members, "fly.region"), Some(Json::Str("ams")));
        assert_eq!(in_json(members, "a.b.c"), Some(Json::Int(1)));
        assert_eq!(in_json(members, "a.b"), None);
        assert_eq!(in_json(members, "a.b.c.d.e.f.g.h"), None);
    }
}
