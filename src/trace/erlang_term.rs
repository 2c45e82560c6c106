//! Stacks that were printed as terms, as Erlang (`[{mod,fun,1,[{file,"x.erl"},{line,12}]}]`) and
//! Elixir (`[{Mod, :fun, 1, [file: ~c"x.ex", line: 12]}]`) do. Knows no reports around them.

use crate::model::Frame;

/// Bytes of one call's arguments that are looked at.
const ARGUMENTS: usize = 4_096;

/// Whether the text seems to hold a stack; looks at its first place only.
pub(super) fn holds_stack(text: &str) -> bool {
    let erlang = text
        .split_once("[{file,\"")
        .is_some_and(|(_, rest)| rest.contains("{line,"));
    let elixir = || {
        text.split_once("[file: ")
            .is_some_and(|(_, rest)| rest.contains("line: "))
    };
    erlang || elixir()
}

/// The frames of all stacks in the text, as printed.
pub(super) fn stacks(text: &str) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("[{")) {
        let mut cursor = Cursor {
            text,
            at: at + found + 1,
        };
        let list = list(&mut cursor);
        // Other lists of tuples look alike; a stack has places or several calls.
        let placed = list.iter().any(|frame| frame.file.is_some());
        let closed = cursor.next_is("]");
        if placed || (closed && list.len() > 1) {
            frames.extend(list);
            at = cursor.at;
        } else {
            at += found + 2;
        }
    }
    frames
}

fn list(cursor: &mut Cursor<'_>) -> Vec<Frame> {
    let mut frames = Vec::new();
    loop {
        let from = cursor.at;
        let Some(frame) = frame(cursor) else {
            cursor.at = from;
            return frames;
        };
        frames.push(frame);
        if !cursor.take(",") {
            return frames;
        }
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let own = rest.trim_start();
        self.at += rest.len() - own.len();
        own
    }

    fn next_is(&mut self, what: &str) -> bool {
        self.rest().starts_with(what)
    }

    fn take(&mut self, what: &str) -> bool {
        let next = self.next_is(what);
        self.at += if next { what.len() } else { 0 };
        next
    }

    /// An atom or a module's name; without quotes it ends before what no name holds.
    fn name(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let colon = usize::from(rest.starts_with(':'));
        let quote = rest
            .get(colon..)?
            .chars()
            .next()
            .filter(|c| "'\"".contains(*c));
        let end = match quote {
            Some(quote) => rest.get(colon + 1..)?.find(quote)? + colon + 2,
            None => rest.find(|c: char| !(c.is_alphanumeric() || "_@.:?!-/<>".contains(c)))?,
        };
        self.at += end;
        rest.get(..end).filter(|name| name.len() > colon)
    }

    /// An arity, or the arguments themselves.
    fn arity(&mut self) -> Option<usize> {
        let rest = self.rest();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            self.at += digits;
            return rest.get(..digits)?.parse().ok();
        }
        let inner = enclosed(rest)?;
        self.at += inner.len() + 2;
        Some(items(inner))
    }
}

/// `{mod,fun,1,[{file,"x"},{line,1}]}`
fn frame(cursor: &mut Cursor<'_>) -> Option<Frame> {
    if !cursor.take("{") {
        return None;
    }
    let module = cursor.name()?;
    let function = cursor.take(",").then(|| cursor.name())??;
    let arity = cursor.take(",").then(|| cursor.arity())??;
    if !cursor.take(",") {
        return None;
    }
    let place = enclosed(cursor.rest())?;
    cursor.at += place.len() + 2;
    let (file, line) = location(place)?;
    if !cursor.take("}") {
        return None;
    }
    // Elixir writes an atom's colon; a call is written with a dot there.
    let function = match function.strip_prefix(':') {
        Some(function) => format!("{module}.{function}/{arity}"),
        None => format!("{module}:{function}/{arity}"),
    };
    Some(Frame {
        file,
        line,
        function: Some(function),
    })
}

/// What stands in a frame's last list. `None` when it is none.
fn location(place: &str) -> Option<(Option<String>, Option<u32>)> {
    let known = place.trim().is_empty() || place.contains("{file,") || place.contains("file: ");
    let told = known || place.contains("error_info");
    let quoted = || {
        let at = place.find("file,").or_else(|| place.find("file: "))?;
        let (_, rest) = place.get(at..)?.split_once(['"', '\''])?;
        rest.split(['"', '\'']).next()
    };
    let number = || {
        let at = place.find("line,").or_else(|| place.find("line: "))?;
        let rest = place.get(at + 5..)?.trim_start();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest.get(..digits)?.parse().ok()
    };
    told.then(|| (quoted().map(str::to_owned), number()))
}

/// The inside of the list that the text begins with.
fn enclosed(text: &str) -> Option<&str> {
    let mut depth = 0usize;
    let mut quoted = false;
    for (at, byte) in text.bytes().enumerate().take(ARGUMENTS) {
        match byte {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(1..at).filter(|_| text.starts_with('['));
                }
            }
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// How many items a list's inside has.
pub(super) fn items(inner: &str) -> usize {
    let (mut depth, mut quoted, mut commas) = (0usize, false, 0);
    for byte in inner.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => commas += 1,
            _ => {}
        }
    }
    if inner.trim().is_empty() {
        0
    } else {
        commas + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_write_stacks() {
        let written = |text| -> Vec<String> {
            let word = |text: Option<String>| text.unwrap_or("-".to_owned());
            stacks(text)
                .into_iter()
                .map(|frame| {
                    let line = frame.line.map_or("-".to_owned(), |line| line.to_string());
                    format!("{} {}:{line}", word(frame.function), word(frame.file))
                })
                .collect()
        };
        let erlang = r#"{{badmatch,[{a,b}]},[{shop,pay,[1,"x,y"],[{file,"src/shop.erl"},{line,3}]},
            {shop,'-run/0-fun-0-',0,[]}]}"#;
        assert_eq!(
            written(erlang),
            ["shop:pay/2 src/shop.erl:3", "shop:'-run/0-fun-0-'/0 -:-"]
        );
        let elixir = r#"{:badarith, [{Shop.Cart, :pay, 1, [file: ~c"lib/shop.ex", line: 3]}, {:gen_server, :loop, 7, [file: 'gen_server.erl', line: 9]}]}"#;
        assert_eq!(
            written(elixir),
            [
                "Shop.Cart.pay/1 lib/shop.ex:3",
                ":gen_server.loop/7 gen_server.erl:9"
            ]
        );
        assert_eq!(written("[{state,idle,[],[]}] [{item,name,3,[x]}]"), [""; 0]);
        assert_eq!(written("[{a,b,[{a,b,[{"), [""; 0]);
    }
}
