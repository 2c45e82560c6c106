//! Good answers, which must pass: a gate that lets nothing through would be no gate.

use crate::languages::ALL;
use crate::world::{MAIL, Shop, World, with_mark};
use autofix::patch::gate::Gate;
use serde_json::{Value, json};

/// Fails where the answer is stopped, or where git would not apply it.
fn passes(world: &World, what: &str, answer: &Value) {
    let name = world.shop.name;
    let judged = match world.judge(answer) {
        Ok(judged) => judged,
        Err(stopped) => panic!("{name}, {what}: {stopped}"),
    };
    assert_eq!(judged.passed.len(), Gate::ALL.len(), "{name}, {what}");
    assert_eq!(judged.patch.base(), world.commit.to_string());
    let work = world.apply(judged.patch.text());
    for edit in answer["edits"].as_array().unwrap() {
        let file = edit["file"].as_str().unwrap();
        assert!(
            judged.patch.files().contains(&file.to_owned()),
            "{name}, {what}"
        );
        let text = std::fs::read_to_string(work.join(file)).unwrap();
        if let Some(content) = edit["content"].as_str() {
            assert_eq!(text, content, "{name}, {what}");
        }
    }
}

/// Answers that every language has.
fn of_every_language(shop: &'static Shop) -> Vec<(String, Value)> {
    let world = World::new(shop);
    let mut answers = vec![("as it is".to_owned(), world.good())];
    for known in shop.known {
        answers.push((format!("imports {known}"), world.with_import(known)));
    }
    let harmless = [
        "see the notes about carts, exec and eval in the handbook",
        "https://shop.example.com/cart",
        "127.0.0.1",
        "jane@example.com",
        "größe",
    ];
    for text in harmless {
        let line = shop.literal.replace("@@", text);
        answers.push((format!("says {text}"), world.with_line(&line)));
        answers.push((format!("tests with {text}"), world.with_line_in_test(&line)));
    }
    // One more check in a test that is there.
    let (path, content) = shop
        .files
        .iter()
        .find(|(path, _)| {
            ["test", "spec", "Test"]
                .iter()
                .any(|part| path.contains(part))
        })
        .unwrap();
    let is_check = |line: &&str| {
        let said = ["assert", "expect", "Fatal"];
        said.iter().any(|word| line.contains(word)) && !line.contains("import")
    };
    let check = content.lines().find(is_check).unwrap();
    let path = format!("svc/{path}");
    let more = check.replace('1', "2").replace("Fatal()", "Fatal(2)");
    let mut in_old_test = world.good();
    in_old_test["edits"][1] =
        json!({"file": path, "search": check, "replace": format!("{check}\n{more}")});
    in_old_test["tests"] = json!([path]);
    answers.push(("adds to a test that is there".to_owned(), in_old_test));
    answers
}

#[test]
fn good_answers_pass_in_every_language_and_git_applies_them() {
    let mut count = 0;
    for shop in ALL {
        let world = World::new(shop);
        for (what, answer) in of_every_language(shop) {
            passes(&world, &what, &answer);
            count += 1;
        }
    }
    assert!(count >= 30, "{count}");
    println!("{count} good answers pass");
}

fn notes(world: &World, file: &str, search: &str, replace: &str) -> Value {
    let file = format!("svc/notes/{file}");
    world.with_edit(json!({"file": file, "search": search, "replace": replace}))
}

#[test]
fn texts_of_every_kind_are_edited_exactly() {
    let world = World::new(ALL[0]);
    // Line ends and the end of the file stay, with the line ends written or not.
    for (search, replace) in [
        ("two\n", "2\n2b\n"),
        ("two\r\n", "2\r\n2b\r\n"),
        ("two", "2\n2b"),
    ] {
        let judged = world
            .judge(&notes(&world, "windows.txt", search, replace))
            .unwrap();
        let work = world.apply(judged.patch.text());
        let text = std::fs::read_to_string(work.join("svc/notes/windows.txt")).unwrap();
        assert_eq!(text, "one\r\n2\r\n2b\r\nthree\r\n", "{search:?}");
        assert!(
            judged
                .notes
                .iter()
                .any(|note| note.contains("syntax not checked")),
            "{:?}",
            judged.notes
        );
    }
    let judged = world
        .judge(&notes(&world, "open.txt", "last", "very last"))
        .unwrap();
    let work = world.apply(judged.patch.text());
    let text = std::fs::read_to_string(work.join("svc/notes/open.txt")).unwrap();
    assert_eq!(text, "first\nvery last");
    // Several edits of one file are made together, in whatever order they come.
    let mut several = notes(&world, "list.txt", "c\n", "c\nc2\n");
    several["edits"]
        .as_array_mut()
        .unwrap()
        .push(json!({"file": "svc/notes/list.txt", "search": "b\n", "replace": ""}));
    let judged = world.judge(&several).unwrap();
    let work = world.apply(judged.patch.text());
    let text = std::fs::read_to_string(work.join("svc/notes/list.txt")).unwrap();
    assert_eq!(text, "a\nc\nc2\nd\n");
}

#[test]
fn values_that_were_redacted_are_edited_around() {
    let world = World::new(ALL[0]);
    for (search, replace, wanted) in [
        (
            "password=[password-1]\nto",
            "password=[password-1]\nport: 1\nto",
            Some("port: 1\n"),
        ),
        (
            "to: [email-2]\nretries: 1",
            "to: [email-2]\nretries: 2",
            Some("retries: 2\n"),
        ),
        ("from: [email-1]\n", "", None),
        ("retries: 1", "retries: 3", Some("retries: 3\n")),
    ] {
        let judged = world
            .judge(&notes(&world, "mail.txt", search, replace))
            .unwrap();
        let work = world.apply(judged.patch.text());
        let text = std::fs::read_to_string(work.join("svc/notes/mail.txt")).unwrap();
        assert!(
            !text.contains("[password-1]") && !text.contains("[email"),
            "{text}"
        );
        match wanted {
            Some(wanted) => {
                assert!(text.contains(wanted), "{text}");
                let same = text.lines().filter(|line| MAIL.contains(line)).count();
                assert!(same >= 3, "{text}");
            }
            None => assert!(!text.contains("jane"), "{text}"),
        }
    }
    // A file that holds what only looks like a placeholder is edited as it is written.
    let literal = notes(
        &world,
        "shown.txt",
        "user [email-7] wrote",
        "the user [email-7] wrote",
    );
    let stopped = world.judge(&literal).unwrap_err();
    assert_eq!(stopped.gate, Gate::Placeholders, "{stopped}");
    let literal = notes(
        &world,
        "shown.txt",
        "user [email-7] wrote",
        "user [email-7] has written",
    );
    passes(&world, "looks like a placeholder", &literal);
    // A quote of a redacted line says what stands there.
    let mut cites = world.good();
    cites["evidence"]
        .as_array_mut()
        .unwrap()
        .push(json!({"file": "svc/notes/mail.txt", "line": 2, "quote": "password=[password-1]"}));
    passes(&world, "cites a redacted line", &cites);
}

#[test]
fn a_team_can_allow_what_is_protected() {
    let mut world = World::new(ALL[0]);
    let edit = json!({"file": "svc/Makefile", "search": "\ttrue", "replace": "\tfalse"});
    let answer = world.with_edit(edit);
    assert_eq!(world.judge(&answer).unwrap_err().gate, Gate::Paths);
    world.settings.allow = vec!["svc/Makefile".to_owned()];
    passes(&world, "allowed", &answer);
}

#[test]
fn calls_that_cannot_be_seen_in_the_text_are_believed() {
    // A frame without a name, a callback through a parameter, a frame of a library in between.
    let source = "def each(items, f):\n    for item in items:\n        f(item)\n\n\ndef show(item):\n    return item[\"x\"]\n\n\neach([{}], show)\n";
    let entry = crate::world::Entry {
        path: "svc/shop/each.py",
        content: source.as_bytes(),
        mode: 0o100_644,
    };
    let mut world = World::with(ALL[0], &[entry]);
    let frames = [
        ("/app/shop/each.py", 7, "show"),
        ("/app/shop/each.py", 3, "each"),
        ("/app/shop/each.py", 10, "<module>"),
    ];
    world.trace = Some(crate::world::trace(world.shop.language, &frames));
    passes(&world, "callback", &world.good());
    world.trace = None;
    passes(&world, "no trace", &world.good());
}

#[test]
fn a_power_that_was_there_may_stay_and_be_moved_within_its_file() {
    let source = "import subprocess\n\n\ndef run(names):\n    out = subprocess.run([\"ls\", names[0]])\n    return out\n";
    let entry = crate::world::Entry {
        path: "svc/shop/run.py",
        content: source.as_bytes(),
        mode: 0o100_644,
    };
    let world = World::with(ALL[0], &[entry]);
    let change = |replace: &str| {
        let search = "    out = subprocess.run([\"ls\", names[0]])\n";
        world.with_edit(json!({"file": "svc/shop/run.py", "search": search, "replace": replace}))
    };
    let guarded =
        "    if not names:\n        return None\n    out = subprocess.run([\"ls\", names[0]])\n";
    passes(&world, "guarded", &change(guarded));
    let other = "    out = subprocess.run([\"rm\", names[0]])\n";
    assert_eq!(world.judge(&change(other)).unwrap_err().gate, Gate::Powers);
}

#[test]
fn lines_are_put_where_the_mark_stands() {
    assert_eq!(with_mark("a\n  @@\nb\n", "x\ny"), "a\n  x\n  y\nb\n");
}
