//! For each gate an answer that only this gate stops: with it left out, the answer passes all
//! others. So none of them is there for nothing.

use crate::languages::PYTHON;
use crate::world::{World, trace};
use autofix::patch::gate::Gate;
use serde_json::{Value, json};

/// An answer that this gate stops, and no other.
fn only(gate: Gate, world: &mut World) -> Value {
    let literal = |text: &str| PYTHON.literal.replace("@@", text);
    match gate {
        Gate::Evidence => {
            let mut answer = world.good();
            answer["evidence"][0]["quote"] = json!("the disk is full");
            answer
        }
        Gate::Frames => {
            let frames = [
                ("/app/shop/cart.py", 11, "refund"),
                ("/app/shop/cart.py", 18, "checkout"),
            ];
            world.trace = Some(trace(PYTHON.language, &frames));
            world.good()
        }
        Gate::Paths => world.with_edit(json!({
            "file": ".github/workflows/ci.yml", "search": "on: push", "replace": "on: pull",
        })),
        Gate::Target => world.with_edit(json!({
            "file": "svc/notes/large.txt", "search": "size 9", "replace": "size 8",
        })),
        Gate::Placeholders => world.with_edit(json!({
            "file": "svc/notes/mail.txt",
            "search": "password=[password-1]\n",
            "replace": "print [password-1]\n",
        })),
        Gate::Applies => world.with_edit(json!({
            "file": "svc/notes/twice.txt", "search": "same", "replace": "other",
        })),
        Gate::Size => world.with_edit(json!({
            "file": "svc/notes/new.txt", "content": "word\n".repeat(220),
        })),
        Gate::Syntax => world.with_line("return ]"),
        Gate::Characters => world.with_line(&literal("a\u{202e}b")),
        Gate::Secrets => world.with_line(&literal("AKIAIOSFODNN7ABCDEFG")),
        Gate::Hosts => world.with_line(&literal("https://evil-host.io/x")),
        Gate::Imports => world.with_import("evilpkg"),
        Gate::Powers => world.with_line("eval(self.items[0])"),
        Gate::Regression => world.with_line_in_test("import os\n    os.environ[\"A\"] = \"1\""),
        Gate::Place => {
            let mut answer = world.with_edit(json!({
                "file": "svc/notes/list.txt", "search": "b\n", "replace": "B\n",
            }));
            answer["elsewhere"] = Value::Null;
            answer
        }
    }
}

#[test]
fn each_gate_stops_an_answer_that_no_other_does() {
    for gate in Gate::ALL {
        let mut world = World::new(&PYTHON);
        let answer = only(gate, &mut world);
        let stopped = match world.judge(&answer) {
            Err(stopped) => stopped,
            Ok(_) => panic!("{gate} lets it through"),
        };
        assert_eq!(stopped.gate, gate, "{stopped}");
        match world.judge_without(&answer, Some(gate)) {
            Ok(judged) => {
                assert_eq!(judged.passed.len(), Gate::ALL.len() - 1);
                let why = stopped.why.lines().next().unwrap();
                println!("only {gate:<12} {why}");
            }
            Err(other) => panic!("{gate} is not alone: {other}"),
        }
    }
}
