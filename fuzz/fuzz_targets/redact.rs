//! Any text, redacted with all that a service can set: it never panics, a second time changes
//! nothing, what an address or a card was is gone wherever it stands by itself, and a long text takes
//! no longer for its length than a short one.
#![no_main]

use autofix::redact::{Redactor, Settings};
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

/// Stand apart from whatever comes before and after.
const PLANTED: [&str; 3] = [
    "jane@acme.example",
    "4111 1111 1111 1111",
    "ghp_0ZvzOMhfWuBByReQMsm9Wcz7uW9XFOGOeMVN",
];

fn redactors() -> &'static [Redactor; 2] {
    static MADE: OnceLock<[Redactor; 2]> = OnceLock::new();
    MADE.get_or_init(|| {
        let own = Settings {
            ip: true,
            patterns: vec!["ACME-[0-9]+".to_owned(), "[a-z]+[0-9]".to_owned()],
            allow: vec!["help@acme.example".to_owned(), "/[0-9.]+/".to_owned()],
        };
        [Settings::default(), own].map(|settings| Redactor::new(&settings).expect("good settings"))
    })
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Some(text) = text.strip_prefix('\u{1}') {
        return long(text);
    }
    for redactor in redactors() {
        let mut scope = redactor.scope();
        let once = scope.text(&text);
        assert_eq!(scope.text(once.as_str()), once);
        assert_eq!(redactor.scope().text(once.as_str()), once);
    }
    for planted in PLANTED {
        let whole = format!("{text}\nsaid {planted} here\n{text}");
        let once = redactors()[0].scope().text(&whole);
        assert!(
            !once.as_str().contains(&format!("said {planted} here")),
            "{once}"
        );
    }
});

/// The same again and again, with and without ends of lines.
fn long(text: &str) {
    let times = (128 << 10) / text.len().max(1);
    for text in [text.replace('\n', " "), format!("{text}\n")] {
        let text = text.repeat(times);
        let once = redactors()[1].scope().text(&text);
        assert_eq!(redactors()[1].scope().text(once.as_str()), once);
    }
}
