//! Tests of `[[service.recover.verb]]`: every complaint. What is read is in `recover.rs`.

use super::recover::faults;

const VERB: &str = "platform = \"supervisor\"\ntarget = \"web\"\n[[service.recover.verb]]\n";

/// The lines of a verb, and what is said of it.
const WRONG_VERBS: &[(&str, &str, &str)] = &[
    (
        "",
        "[[service.recover.verb]] without name",
        "add name = \"flush-cache\"",
    ),
    ("", "[[service.recover.verb]] without about", "add about ="),
    ("", "[[service.recover.verb]] without argv", "add argv ="),
    (
        "NAME\nABOUT\nargv = [\"/b\"]\nshell = true",
        "unknown key `shell` in [[service.recover.verb]]",
        "",
    ),
    (
        "name = \"restart\"\nABOUT\nARGV",
        "`restart` is a verb of every platform",
        "another name",
    ),
    (
        "name = \"Flush It\"\nABOUT\nARGV",
        "`Flush It` is no name of a verb",
        "small letters",
    ),
    (
        "name = \"-x\"\nABOUT\nARGV",
        "`-x` is no name of a verb",
        "small letters",
    ),
    (
        "NAME\nabout = \"a\\nb\"\nARGV",
        "`about` is too long, or has control characters",
        "one line",
    ),
    ("NAME\nABOUT\nargv = []", "`argv` is empty", "by its path"),
    (
        "NAME\nABOUT\nargv = [\"flush\"]",
        "by its path from the root",
        "",
    ),
    (
        "NAME\nABOUT\nargv = [\"/bin/{what}\"]",
        "by its path from the root",
        "without a parameter",
    ),
    (
        "NAME\nABOUT\nargv = [\"/bin/f\", \"{what}\"]",
        "`{what}` in `argv` is no parameter",
        "{ name = \"what\", … }",
    ),
    (
        "NAME\nABOUT\nargv = [\"/bin/f\", \"a\\u0000b\"]",
        "an argument",
        "at most 1000 bytes",
    ),
    (
        "NAME\nABOUT\nARGV\nwithin = \"5m\"",
        "`5m` of `within` is no time",
        "1s to 4m",
    ),
    (
        "NAME\nABOUT\nARGV\nwithin = \"0s\"",
        "`0s` of `within` is no time",
        "1s to 4m",
    ),
    ("NAME\nABOUT\nARGV\nparameters = 3", "`parameters`", ""),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\" }]",
        "a parameter without a type",
        "\"choice\"",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"text\" }]",
        "`text` is no type",
        "",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"A\", type = \"word\" }]",
        "`A` is no name of a parameter",
        "small letters",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ type = \"word\" }]",
        "name",
        "",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"integer\", min = 1 }]",
        "a parameter needs `max`",
        "add max = 1",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"integer\", min = \"1\", max = 2 }]",
        "a parameter needs `min`",
        "",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"integer\", min = 3, max = 2 }]",
        "`min` is more than `max`",
        "swap them",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"choice\" }]",
        "a choice needs `values`",
        "add values",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"choice\", values = [\"-rf\"] }]",
        "`-rf` cannot be a value",
        "begin with -",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"word\", length = 0 }]",
        "`length` must be 1 to 200",
        "",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"word\", size = 3 }]",
        "unknown key `size` in `parameters`",
        "",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"word\" }, { name = \"a\", type = \"word\" }]",
        "a second parameter `a`",
        "take it out",
    ),
    (
        "NAME\nABOUT\nARGV\n[[service.recover.verb]]\nNAME\nABOUT\nARGV",
        "a second verb `flush`",
        "rename it",
    ),
];

#[test]
fn each_fault_of_an_own_verb_is_named() {
    let mut missed = Vec::new();
    for (lines, what, remedy) in WRONG_VERBS {
        let lines = lines
            .replace("NAME", "name = \"flush\"")
            .replace("ABOUT", "about = \"x\"")
            .replace("ARGV", "argv = [\"/bin/f\"]");
        let all = faults(&format!("{VERB}{lines}\n"));
        let good = |said: &String| {
            let line = said.strip_prefix("services.toml:");
            let line = line.and_then(|rest| rest.split(':').next()?.parse::<u32>().ok());
            line.is_some_and(|line| line >= 6) && said.contains(what) && said.contains(remedy)
        };
        if !all.iter().any(good) {
            missed.push(format!(
                "{lines}: {what}; {remedy}\n    {}",
                all.join("\n    ")
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
