//! Tests of both forms of the host's files.

use super::*;
use crate::config::from_entries;
use std::fs;

fn read_in(files: &[(&str, &str)]) -> (tempfile::TempDir, FluentBit) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let env = |name: &str| (name == "STATE").then(|| "/var/state".to_owned());
    let found = read(&dir.path().join(files[0].0), &env).unwrap();
    (dir, found)
}

fn shown(found: &FluentBit) -> String {
    found.complaints.iter().map(|c| format!("{c}\n")).collect()
}

#[test]
fn classic_with_includes_variables_and_lines() {
    let (_dir, found) = read_in(&[
        (
            "fluent-bit.conf",
            "# main\n@SET MODE=observe\n[SERVICE]\n    Flush 1\n    Plugins_File plugins.conf\n\n\
             @INCLUDE out/*.conf\n[OUTPUT]\n    Name stdout\n",
        ),
        (
            "out/a.conf",
            "[OUTPUT]\n    Name   AutoFix\n    Match  *\n    mode ${MODE}\n    State_Dir ${STATE}/x\n    \
             Services ${NOWHERE}\n",
        ),
        (
            "plugins.conf",
            "[PLUGINS]\n    Path /opt/flb-out_autofix.so\n",
        ),
    ]);
    let outputs = found.outputs();
    assert_eq!(outputs.len(), 1);
    let entry = outputs[0].get("State_Dir").unwrap();
    assert_eq!(entry.value, "/var/state/x");
    assert_eq!(entry.place.line, Some(5));
    assert!(entry.place.file.as_ref().unwrap().ends_with("out/a.conf"));
    assert_eq!(found.plugins[0].value, "/opt/flb-out_autofix.so");
    assert!(
        shown(&found).contains("`NOWHERE` is not set here"),
        "{}",
        shown(&found)
    );
    let options = from_entries(&outputs[0].entries).unwrap();
    assert_eq!(options.mode, crate::config::Mode::Observe);
}

#[test]
fn yaml_values_stay_as_written() {
    let (_dir, found) = read_in(&[
        (
            "fluent-bit.yaml",
            "env:\n  STATE_ROOT: /é/state\nincludes:\n  - more.yaml\nplugins:\n  - /opt/out_autofix.so\n\
             service:\n  flush: 1\npipeline:\n  inputs:\n    - name: dummy\n  outputs:\n    - name: stdout\n\
             \x20   - name: autofix\n      match: '*'\n      stateDir: ${STATE_ROOT}/a\n      Mode: dry-run\n\
             \x20     context_lines: 0200 # comment\n      dedup_window: 24h\n      commit: 0123456\n",
        ),
        (
            "more.yaml",
            "pipeline:\n  outputs:\n    - name: autofix\n      alias: second\n",
        ),
    ]);
    assert_eq!(shown(&found), "");
    let outputs = found.outputs();
    assert_eq!(outputs.len(), 2);
    let main = outputs[1];
    assert_eq!(main.place.line, Some(14));
    assert_eq!(main.get("state_dir").unwrap().value, "/é/state/a");
    assert_eq!(main.get("context_lines").unwrap().value, "0200");
    assert_eq!(main.get("commit").unwrap().value, "0123456");
    assert_eq!(main.get("commit").unwrap().place.line, Some(20));
    assert_eq!(found.plugins[0].value, "/opt/out_autofix.so");
}

#[test]
fn several_outputs_need_a_choice() {
    let (dir, found) = read_in(&[(
        "a.conf",
        "[OUTPUT]\n  Name autofix\n  Match a.*\n[OUTPUT]\n  Name autofix\n  Alias two\n",
    )]);
    let path = dir.path().join("a.conf");
    let outputs = found.outputs();
    let what = choose(&path, &outputs, None).unwrap_err().to_string();
    assert!(
        what.contains("in line 1 (Match a.*), in line 4 (Alias two)"),
        "{what}"
    );
    let line = |which| choose(&path, &outputs, Some(which)).unwrap().place.line;
    assert_eq!(
        (line("two"), line("a.*"), line("2")),
        (Some(4), Some(1), Some(4))
    );
    assert!(choose(&path, &outputs, Some("0")).is_err());
    assert!(choose(&path, &outputs[..1], None).is_ok());
    assert!(choose(&path, &[], None).is_err());
}

#[test]
fn faults_of_the_files_themselves() {
    let (_dir, found) = read_in(&[(
        "a.conf",
        "key value\n[PLUGINS]\n  Path /x.so\n@NO x\n@INCLUDE gone.conf\n",
    )]);
    let all = shown(&found);
    for part in [
        "a.conf:1: a key before",
        "a.conf:2: [PLUGINS] has no effect",
        "a.conf:4: `@NO`",
        "a.conf:5: ",
    ] {
        assert!(all.contains(part), "{part}\n{all}");
    }
    let (_dir, found) = read_in(&[("a.conf", "@INCLUDE a.conf\n")]);
    assert!(shown(&found).contains("too many includes"));
    let (_dir, found) = read_in(&[("a.yaml", "a: [1\nb: 2\n")]);
    assert!(
        shown(&found).contains("not valid YAML"),
        "{}",
        shown(&found)
    );
    for odd in [
        "",
        "- a",
        "3",
        "pipeline: 3",
        "pipeline:\n  outputs: {a: 1}",
        "pipeline:\n  outputs: [3, []]",
    ] {
        let (_dir, found) = read_in(&[("a.yaml", odd)]);
        assert!(found.outputs().is_empty(), "{odd}");
    }
}

#[test]
fn a_key_written_twice_is_told() {
    let (_dir, found) = read_in(&[(
        "a.yaml",
        "pipeline:\n  outputs:\n    - name: autofix\n      services: [/a, /b]\n      mod: observe\n      host: x\n      tls: on\n",
    )]);
    let complaints = from_entries(&found.outputs()[0].entries).unwrap_err();
    let all: String = complaints.iter().map(|c| format!("{c}\n")).collect();
    assert!(
        all.contains("a.yaml:4: `services` is set a second time"),
        "{all}"
    );
    assert!(
        all.contains("a.yaml:5: unknown key `mod`; did you mean `Mode`?"),
        "{all}"
    );
    assert!(
        all.contains("a.yaml:7: hosts from 2.1.7 on refuse"),
        "{all}"
    );
    assert!(
        all.contains("a.yaml:6: `host` is kept by the host"),
        "{all}"
    );
}

#[test]
fn globs_fit_whole_names() {
    let fits = |pattern: &str, name: &str| {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        super::fits(&letters(pattern), &letters(name))
    };
    assert!(fits("*.conf", "a.conf") && fits("a?*", "abc") && fits("*", ""));
    assert!(!fits("*.conf", "a.conf~") && !fits("a?", "a") && !fits("", "a"));
}

#[test]
fn deep_nesting_is_refused() {
    for deep in [
        "- ".repeat(100_000),
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
    ] {
        let (_dir, found) = read_in(&[("a.yaml", &deep)]);
        assert!(!found.complaints.is_empty());
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_is_read_without_a_panic(
        text in "([\\[\\]@#${}:?&*!|>'\"a-c=. é\u{0}-]|\n *|- |\\$\\{|OUTPUT|name: |pipeline:|outputs:){0,60}"
    ) {
        for name in ["a.conf", "a.yaml", "a"] {
            let (_dir, found) = read_in(&[(name, &text)]);
            for output in found.outputs() {
                let _ = crate::config::read_entries(&output.entries);
            }
        }
    }
}
