//! A folder, a home and a repository for one test of the command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder for one test, with a home of its own.
pub struct Place {
    pub dir: TempDir,
}

/// What a command left.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        Place { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path("home"))
            .env("XDG_STATE_HOME", self.path("home/state"))
            .env("TMPDIR", self.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        command
    }

    pub fn autofix(&self) -> Command {
        self.command(env!("CARGO_BIN_EXE_autofix"))
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.autofix().args(arguments).output().unwrap())
    }

    pub fn run_in(&self, folder: &Path, arguments: &[&str]) -> Ran {
        let mut command = self.autofix();
        ran(command
            .current_dir(folder)
            .args(arguments)
            .output()
            .unwrap())
    }

    pub fn git(&self, folder: &Path, arguments: &[&str]) -> String {
        let who = ["-c", "user.name=Test", "-c", "user.email=test@localhost"];
        let mut command = self.command("git");
        command.current_dir(folder).args(who).args(arguments);
        let ran = ran(command.output().unwrap());
        assert_eq!(ran.status, 0, "git {arguments:?}: {}", ran.err);
        ran.out.trim().to_owned()
    }

    /// A repository whose last commit broke `parse`, and that commit.
    pub fn shop(&self) -> (PathBuf, String) {
        let good = "def parse(order):\n    return int(order)\n\n\ndef handle(order):\n    return parse(order)\n";
        self.write("shop/shop.py", good);
        let shop = self.path("shop");
        self.git(&shop, &["init", "-q", "-b", "main"]);
        self.write("shop/README", "The shop\n");
        self.git(&shop, &["add", "README"]);
        self.git(&shop, &["commit", "-qm", "Begin"]);
        self.git(&shop, &["add", "."]);
        self.git(&shop, &["commit", "-qm", "Parse orders"]);
        self.write(
            "shop/shop.py",
            &good.replace("int(order)", "int(order[\"n\"])"),
        );
        self.git(&shop, &["commit", "-qam", "Read the number"]);
        let head = self.git(&shop, &["rev-parse", "HEAD"]);
        (shop, head)
    }
}

pub fn ran(output: Output) -> Ran {
    Ran {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
