//! How many tokens a text is, without the model's own tokenizer: enough to fill a context without
//! overfilling it, and to notice that a server read less than it was sent. Not for bills.
//!
//! Logs are not prose. By llama-server's `/tokenize` with SmolLM2's vocabulary (49,152; digits one
//! by one), the 102 files of logs in `tests/corpus` are 122,624 bytes and 60,252 tokens: two bytes
//! to a token, 1.4 to 3.6 by file, where prose has four. The first 60,000 bytes of five of
//! Loghub's (Linux, OpenStack, HDFS, Apache, Zookeeper) have 1.4 to 2.0. Numbers and punctuation
//! are what logs are made of, so bytes are a bad measure, and `estimate` looks at the shape: words
//! by their letters, digits and signs one by one. It came to 0.96 to 2.4 times the true count of
//! each of those files, before the eighth that `at_most` adds (`tests/llm/llama_server.rs` counts
//! the corpus again). What it cannot see is text that only looks like words: random letters take
//! up to two and a half times as many tokens as it says, base64 a third more.

/// Added for each message: what a chat template puts around it.
const AROUND: u32 = 16;
/// Letters of a word to a token, of a word in capitals, and spaces in a row.
const LETTERS: usize = 4;
const CAPITALS: usize = 2;
const SPACES: usize = 32;
/// How much fewer than estimated a tokenizer with longer words may count: it was at worst 2.4
/// for logs, with one that takes digits one by one.
const FEWEST: u32 = 4;

/// What to plan with: more than the text will be, for logs. Room for the template included.
pub fn at_most(text: &str) -> u32 {
    let count = estimate(text.as_bytes());
    count.saturating_add(count / 8).saturating_add(AROUND)
}

/// What a server that read all of the text must at least have counted.
pub fn at_least(text: &str) -> u32 {
    estimate(&without_runs(text)) / FEWEST
}

/// `===========` may be one token or eleven, and so may a line drawn in boxes.
fn without_runs(text: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = text.bytes().filter(u8::is_ascii).collect();
    bytes.dedup();
    bytes
}

fn estimate(text: &[u8]) -> u32 {
    let mut count = 0_usize;
    let mut rest = text;
    while let Some(&first) = rest.first() {
        let (length, tokens) = piece(first, rest);
        count += tokens;
        rest = rest.get(length..).unwrap_or_default();
    }
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The next piece's length, and its tokens.
fn piece(first: u8, rest: &[u8]) -> (usize, usize) {
    let run = |from: usize, of: fn(&u8) -> bool| {
        let tail = rest.get(from..).unwrap_or_default();
        tail.iter().take_while(|b| of(b)).count()
    };
    match first {
        b' ' => {
            let length = run(0, |b| *b == b' ');
            // One space belongs to the word behind it.
            (
                length,
                if length == 1 {
                    0
                } else {
                    length.div_ceil(SPACES)
                },
            )
        }
        b'a'..=b'z' => {
            let length = run(0, u8::is_ascii_lowercase);
            (length, length.div_ceil(LETTERS))
        }
        b'A'..=b'Z' => {
            let capitals = run(0, u8::is_ascii_uppercase);
            let small = run(capitals, u8::is_ascii_lowercase);
            match (capitals, small) {
                (_, 0) => (capitals, capitals.div_ceil(CAPITALS)),
                (1, _) => (1 + small, (1 + small).div_ceil(LETTERS)),
                // The last capital begins the word that follows.
                _ => (capitals - 1, (capitals - 1).div_ceil(CAPITALS)),
            }
        }
        _ => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counted by llama-server with SmolLM2-135M-Instruct.
    const COUNTED: &[(&str, u32)] = &[
        (
            "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=218.188.2.4 ",
            68,
        ),
        (
            "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block blk_38865049064139660 terminating",
            60,
        ),
        (
            "[Sun Dec 04 04:47:44 2005] [error] mod_jk child workerEnv in error state 6",
            35,
        ),
        (
            "2017-05-16 00:00:04.500 2931 INFO nova.compute.manager [req-3ea4052c-895d-4b64-9e2d-04d64c4d94ab - - - - -] [instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] VM Started (Lifecycle Event)",
            123,
        ),
        (
            "java.lang.IllegalStateException: connection pool exhausted\n\tat com.acme.shop.cart.Cart.total(Cart.java:31)",
            35,
        ),
        (
            "10.0.0.3 - - [28/Nov/2026:09:27:24 +0000] \"GET /api/v1/orders?id=17 HTTP/1.1\" 500 1043",
            64,
        ),
        (
            "{\"level\":\"error\",\"service\":\"checkout\",\"status\":500,\"msg\":\"payment declined\"}",
            21,
        ),
        (
            "failed to reconnect to the database, trying again in five seconds",
            12,
        ),
    ];

    #[test]
    fn what_was_counted_lies_between() {
        for (text, count) in COUNTED {
            let (least, most) = (at_least(text), at_most(text) - AROUND);
            assert!(
                least <= *count && *count <= most,
                "{least} {count} {most}: {text}"
            );
            assert!(most <= count * 5 / 2, "{count} {most}: {text}");
        }
    }

    #[test]
    fn shapes_are_counted_apart() {
        for (text, tokens) in [
            ("", 0),
            ("a word", 2),
            ("four", 1),
            ("fives", 2),
            ("reconnecting", 3),
            ("12345", 5),
            ("10.0.0.3:5432", 13),
            ("HTTPServer", 4),
            ("ERROR", 3),
            ("a    b", 3),
            ("\n\n", 2),
            ("é", 2),
        ] {
            assert_eq!(estimate(text.as_bytes()), tokens, "{text:?}");
        }
    }

    #[test]
    fn a_line_of_dashes_proves_nothing() {
        assert_eq!(at_least(&"-".repeat(3000)), 0);
        assert_eq!(at_least(&"─".repeat(3000)), 0);
        assert!(at_most(&"-".repeat(3000)) > 3000);
    }
}
