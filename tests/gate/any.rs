//! Whatever an answer holds, nothing panics, and what passes applies with git.

use crate::languages::{ALL, PYTHON};
use crate::world::World;
use autofix::patch::answer::{Answer, Change};
use proptest::prelude::*;
use serde_json::json;

/// Texts of edits: pieces of the files, of other files, and anything.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a\n",
        "b\n",
        "c\n",
        "d",
        "same",
        "\r\n",
        "two",
        "last",
        "first\n",
        "[email-1]",
        "[password-1]",
        "password=",
        "self.items",
        "first = ",
        "\n",
        " ",
        "\u{202e}",
        "é",
        "",
        "(",
        "\"",
        "if x:\n",
        "    ",
        "x = 1\n",
        "\t",
        "https://",
        "[",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..8).prop_map(|parts| parts.concat()),
        "\\PC{0,20}",
    ]
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "svc/notes/list.txt",
            "svc/notes/windows.txt",
            "svc/notes/open.txt",
            "svc/notes/twice.txt",
            "svc/notes/mail.txt",
            "svc/shop/cart.py",
            "svc/notes/new.txt",
            "svc/notes/link.txt",
            "svc/tests/test_new.py",
            "svc/notes/data.bin",
            "svc/shop/money.py",
            "other/thing.py",
        ])
        .prop_map(str::to_owned),
        "[a-z./~ \\\\]{0,12}",
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (path(), text(), text()).prop_map(|(file, search, replace)| Change::Replace {
            file,
            search,
            replace
        }),
        1 => (path(), text()).prop_map(|(file, content)| Change::Create { file, content }),
    ]
}

thread_local! {
    static WORLD: World = World::new(&PYTHON);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_edits_are_judged(
        edits in prop::collection::vec(change(), 1..4),
        tests in prop::collection::vec(path(), 0..2),
        line in any::<u32>(),
        quote in text(),
        keep in any::<bool>(),
    ) {
        WORLD.with(|world| {
            let mut answer = Answer::read(&world.good()).unwrap();
            answer.elsewhere = Some("it is a property of every answer that is made here".to_owned());
            if keep {
                answer.edits.extend(edits);
            } else {
                answer.edits = edits;
                answer.tests = tests;
                answer.calls[0].line = line;
                answer.calls[0].callee = quote;
            }
            if let Ok(judged) = world.judge_read(&answer, None) {
                world.apply(judged.patch.text());
            }
            // With the strictest gates out of the way the others see more.
            for gate in [autofix::patch::gate::Gate::Applies, autofix::patch::gate::Gate::Frames] {
                let _ = world.judge_read(&answer, Some(gate));
            }
        });
    }

    /// Edits that do fit: what passes is exactly what was asked for.
    #[test]
    fn edits_that_fit_are_made(from in 0usize..5, height in 1usize..3, new in "[a-z]{1,8}") {
        WORLD.with(|world| {
            let lines = ["a\n", "b\n", "c\n", "d\n"];
            let Some(search) = lines.get(from..from + height) else { return };
            let edit = json!({
                "file": "svc/notes/list.txt",
                "search": search.concat(),
                "replace": format!("{new}\n"),
            });
            let Ok(judged) = world.judge(&world.with_edit(edit)) else {
                assert!(search.concat() == format!("{new}\n"), "{from} {height} {new}");
                return;
            };
            let work = world.apply(judged.patch.text());
            let text = std::fs::read_to_string(work.join("svc/notes/list.txt")).unwrap();
            let wanted = lines.concat().replacen(&search.concat(), &format!("{new}\n"), 1);
            assert_eq!(text, wanted);
        });
    }
}

/// A file of any content and any ending is read without a panic.
#[test]
fn any_file_is_read() {
    let texts = [
        "",
        "\n",
        "{",
        "\u{feff}x",
        "\r",
        "<?php",
        "`",
        "\"",
        "'''",
        "/*",
        "# \u{202e}",
        "${",
        "#{",
    ];
    for shop in ALL {
        let world = World::new(shop);
        let ending = shop.file.rsplit_once('.').unwrap().1;
        for text in texts {
            for repeat in [1, 300] {
                let content = text.repeat(repeat);
                let mut answer = Answer::read(&world.good()).unwrap();
                answer.edits.push(Change::Create {
                    file: format!("svc/notes/any.{ending}"),
                    content,
                });
                let _ = world.judge_read(&answer, None);
                for gate in [
                    autofix::patch::gate::Gate::Syntax,
                    autofix::patch::gate::Gate::Applies,
                ] {
                    let _ = world.judge_read(&answer, Some(gate));
                }
            }
        }
    }
}
