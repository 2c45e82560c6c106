//! Two services that really run and really crash: one in Python, one in Go. Each has a repository
//! whose newest commit broke it, a test of its own, and a model's script: which tools it uses, what
//! those must show it, and the proposal that mends it.

use crate::git::git;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program, and what its second commit does to it.
pub struct Program {
    pub name: &'static str,
    /// Files of the first commit.
    files: &'static [(&'static str, &'static str)],
    /// The faulty file, and what becomes of a text in it.
    pub faulty: &'static str,
    good: &'static str,
    pub bad: &'static str,
    /// The line of the fault in the broken version.
    pub line: u32,
    /// What it prints when it dies; the quote that a proposal rests on.
    pub cry: &'static str,
    /// How a service's tests are run in the sandbox.
    pub test: &'static str,
    /// The programs that it takes.
    pub needs: &'static [&'static str],
    symbol: &'static str,
    /// The commit that wrote the line: a guard that was removed leaves none.
    wrote: &'static str,
    /// The regression test.
    regression: (&'static str, &'static str),
    run: fn(&Path) -> String,
}

pub const PYTHON: Program = Program {
    name: "orders",
    files: &[
        (
            "main.py",
            "import json
import sys

from shop.cart import total


def main():
    for line in sys.stdin:
        order = json.loads(line)
        print(\"order\", order[\"id\"], \"comes to\", total(order), flush=True)


main()
",
        ),
        ("shop/__init__.py", ""),
        (
            "shop/cart.py",
            "\"\"\"What an order costs.\"\"\"


def price_of(item):
    return item[\"price\"] * item.get(\"quantity\", 1)


def total(order):
    return sum(price_of(item) for item in order[\"items\"])
",
        ),
        (
            "test_cart.py",
            "import unittest

from shop.cart import total


class Total(unittest.TestCase):
    def test_two_of_a_kind(self):
        self.assertEqual(total({\"items\": [{\"price\": 4, \"quantity\": 2}]}), 8)
",
        ),
    ],
    faulty: "shop/cart.py",
    good: "    return item[\"price\"] * item.get(\"quantity\", 1)\n",
    bad: "    return item[\"price\"] * item[\"quantity\"]\n",
    line: 5,
    cry: "KeyError: 'quantity'",
    test: "/usr/bin/python3 -m unittest -q",
    needs: &["/usr/bin/python3"],
    symbol: "price_of",
    wrote: "Say it shorter",
    regression: (
        "test_single_items.py",
        "import unittest

from shop.cart import total


class SingleItems(unittest.TestCase):
    def test_an_item_without_a_quantity_is_one(self):
        self.assertEqual(total({\"items\": [{\"price\": 4}]}), 4)
",
    ),
    run: run_python,
};

pub const GO: Program = Program {
    name: "prices",
    files: &[
        ("go.mod", "module example.org/prices\n\ngo 1.19\n"),
        (
            "main.go",
            "package main

import (
	\"bufio\"
	\"fmt\"
	\"os\"
	\"strings\"

	\"example.org/prices/rates\"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println(\"the newest rate is\", rates.Newest(strings.Fields(lines.Text())))
	}
}
",
        ),
        (
            "rates/rates.go",
            "// Package rates knows what was paid.
package rates

// Newest is the last rate that was paid.
func Newest(paid []string) string {
	if len(paid) == 0 {
		return \"\"
	}
	return paid[len(paid)-1]
}
",
        ),
        (
            "rates/rates_test.go",
            "package rates

import \"testing\"

func TestNewest(t *testing.T) {
	if got := Newest([]string{\"3\", \"4\"}); got != \"4\" {
		t.Fatalf(\"got %q\", got)
	}
}
",
        ),
    ],
    faulty: "rates/rates.go",
    good: "	if len(paid) == 0 {\n		return \"\"\n	}\n	return paid[len(paid)-1]\n",
    bad: "	return paid[len(paid)-1]\n",
    line: 6,
    cry: "panic: runtime error: index out of range [-1]",
    test: "GOFLAGS=-mod=mod GOPROXY=off GOCACHE=$HOME/cache go test ./...",
    needs: &["/usr/bin/go"],
    symbol: "Newest",
    wrote: "First version",
    regression: (
        "rates/none_test.go",
        "package rates

import \"testing\"

func TestNothingPaidIsNoRate(t *testing.T) {
	if got := Newest(nil); got != \"\" {
		t.Fatalf(\"got %q\", got)
	}
}
",
    ),
    run: run_go,
};

impl Program {
    /// What is missing to run it.
    pub fn missing(&self) -> Option<String> {
        let missing = self.needs.iter().find(|path| !Path::new(path).exists());
        missing.map(|path| format!("there is no {path}"))
    }

    /// A repository with its two commits; the newer one's id.
    pub fn repository(&self, repo: &Path) -> String {
        fs::create_dir_all(repo).unwrap();
        git(repo, &["init", "-q", "-b", "main"]);
        for (path, text) in self.files {
            let path = repo.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        git(repo, &["add", "."]);
        git(repo, &["commit", "-qm", "First version"]);
        let faulty = repo.join(self.faulty);
        let text = fs::read_to_string(&faulty).unwrap();
        fs::write(&faulty, text.replace(self.good, self.bad)).unwrap();
        git(repo, &["commit", "-qam", "Say it shorter"]);
        git(repo, &["rev-parse", "HEAD"])
    }

    /// Runs what stands in the repository, and what it printed until it crashed.
    pub fn crash(&self, repo: &Path) -> String {
        let said = (self.run)(repo);
        assert!(said.contains(self.cry), "it did not crash: {said}");
        said
    }

    /// What the model asks first: the file, and where else the name is.
    pub fn looks(&self) -> [(&'static str, Value); 2] {
        let pattern = json!({"pattern": format!("{}\\(", self.symbol)});
        [
            ("read_file", json!({"path": self.faulty})),
            ("search_code", pattern),
        ]
    }

    /// What it asks then: where the name is defined, and who wrote the line, and why.
    pub fn asks_who(&self) -> [(&'static str, Value); 3] {
        let (path, line) = (self.faulty, self.line);
        [
            ("find_symbol", json!({"name": self.symbol})),
            ("blame", json!({"path": path, "from": line, "to": line})),
            ("history", json!({"path": path})),
        ]
    }

    /// What each of the five results must hold.
    pub fn must_show(&self) -> [&'static str; 5] {
        [
            self.bad.trim(),
            self.symbol,
            self.faulty,
            self.wrote,
            "Say it shorter",
        ]
    }

    /// A proposal that every gate lets through; `line` is the id of the log line with its cry.
    pub fn proposal(&self, line: &str) -> Value {
        let (test, content) = self.regression;
        json!({
            "cause": "The newest commit takes for granted what callers need not give.",
            "evidence": [
                {"log": line, "quote": self.cry},
                {"file": self.faulty, "line": self.line, "quote": self.bad.trim()},
            ],
            "confidence": 0.9,
            "edits": [
                {"file": self.faulty, "search": self.bad, "replace": self.good},
                {"file": test, "content": content},
            ],
            "tests": [test],
            "risk": "None known.",
            "verify": "Run the tests.",
            "unsure": [],
        })
    }
}

fn run_python(repo: &Path) -> String {
    let orders = "{\"id\": 1, \"items\": [{\"price\": 4, \"quantity\": 2}]}\n\
                  {\"id\": 2, \"items\": [{\"price\": 3}]}\n";
    said(
        Command::new("/usr/bin/python3").arg(repo.join("main.py")),
        orders,
    )
}

fn run_go(repo: &Path) -> String {
    let built = PathBuf::from(format!("{}-program", repo.display()));
    let done = Command::new("/usr/bin/go")
        .args(["build", "-trimpath", "-o"])
        .args([built.as_os_str(), ".".as_ref()])
        .current_dir(repo)
        .env("HOME", repo.parent().unwrap())
        .env("GOFLAGS", "-mod=mod")
        .env("GOPROXY", "off")
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    said(&mut Command::new(built), "1.5 1.7\n\n")
}

/// What a program prints that dies of its input.
fn said(program: &mut Command, input: &str) -> String {
    let mut child = program
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    to.write_all(input.as_bytes()).unwrap();
    drop(to);
    let done = child.wait_with_output().unwrap();
    assert!(!done.status.success(), "{done:?}");
    String::from_utf8([done.stdout, done.stderr].concat()).unwrap()
}
