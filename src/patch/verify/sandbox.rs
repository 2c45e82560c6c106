//! The sandbox that strangers' code runs in: bubblewrap with namespaces of its own for users,
//! mounts, processes, network, IPC, host name and cgroups. In it there are the system's programs
//! read-only, the work tree in memory, and nothing else of the host; what is written is gone with
//! the sandbox. Says how it is built and whether it works here; `guard` watches over it.

use crate::patch::verify::Limits;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where bubblewrap may be. A search path could be somebody else's.
const PROGRAMS: [&str; 3] = ["/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"];
/// Programs and libraries; on most systems all but `/usr` and `/opt` are links into `/usr`.
const SYSTEM: [&str; 8] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt",
];
/// What programs want of `/etc`, and what holds no secret.
const ETC: [&str; 13] = [
    "alternatives",
    "crypto-policies",
    "java",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "pki/ca-trust/extracted",
    "pki/java",
    "pki/tls/certs",
    "ssl/certs",
    "ssl/openssl.cnf",
];
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin";
/// Bytes of `/dev/shm`.
const SHARED: u64 = 64 << 20;
/// Most processes in the kernel's own count; the guard's limit is below.
const TASKS_KERNEL: usize = 4096;
/// What the command's exit status is where it was not even begun.
pub(super) const NOT_BEGUN: i32 = 125;

/// Limits that the kernel keeps by itself, then the copy of the work tree, then the command. The
/// values stand in arguments, never in the text. Descriptors that somebody left open are closed.
const BEGIN: &str = r#"
stop() { echo "autofix: $1" >&2; exit 125; }
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
echo 1000 > /proc/self/oom_score_adj || stop "oom_score_adj cannot be set"
ulimit -c 0 || stop "core dumps cannot be switched off"
ulimit -f "$3" || stop "the limit on file sizes cannot be set"
ulimit -d "$4" || stop "the limit on memory cannot be set"
ulimit -p "$5" 2>/dev/null || ulimit -u "$5" || stop "the limit on processes cannot be set"
cp -a /source/. /box/work/ || stop "the work tree cannot be copied"
cd "./$2" || stop "the service's folder is not there"
exec nice -n 10 /bin/sh -c "$1"
"#;

/// bubblewrap, found on this host.
#[derive(Debug)]
pub(super) struct Sandbox {
    program: &'static str,
    /// Folders that are shown read-only beside the system's.
    readable: Vec<PathBuf>,
    /// What must not be seen although it lies in a folder that is shown.
    hidden: Vec<PathBuf>,
}

impl Sandbox {
    /// Finds bubblewrap and checks the folders that are to be readable. `hidden` may not be.
    pub fn find(limits: &Limits, hidden: &[&Path]) -> Result<Sandbox, String> {
        let program = PROGRAMS.into_iter().find(|path| Path::new(path).is_file());
        let program = program.ok_or(
            "bubblewrap (bwrap) is not installed: install the package bubblewrap, 0.8 or newer",
        )?;
        let mut kept_back = Vec::new();
        for path in hidden
            .iter()
            .copied()
            .chain(limits.hidden.iter().map(PathBuf::as_path))
        {
            // What is not there cannot be seen.
            if let Ok(real) = path.canonicalize() {
                kept_back.push(real);
            }
        }
        let mut readable = Vec::new();
        for path in &limits.readable {
            let shown = path.display();
            let real = path
                .canonicalize()
                .map_err(|e| format!("the folder {shown} that tests may read: {e}"))?;
            let system = [
                "/", "/etc", "/proc", "/sys", "/dev", "/run", "/var", "/root", "/home",
            ];
            if !path.is_absolute() || !real.is_dir() || system.iter().any(|s| real == Path::new(s))
            {
                return Err(format!(
                    "tests may not be given {shown}: name the folder of one toolchain, absolute"
                ));
            }
            if let Some(inside) = kept_back.iter().find(|hidden| hidden.starts_with(&real)) {
                return Err(format!(
                    "tests may not be given {shown}: {} lies in it",
                    inside.display()
                ));
            }
            readable.push(path.clone());
        }
        Ok(Sandbox {
            program,
            readable,
            hidden: kept_back,
        })
    }

    /// The command that runs a service's command on the files in `source`. `etc`: a folder that
    /// [`write_etc`] filled. `root`: the service's folder in the work tree.
    pub fn command(
        &self,
        source: &Path,
        etc: &Path,
        root: &str,
        command: &str,
        limits: &Limits,
    ) -> Command {
        let mut run = Command::new(self.program);
        run.env_clear().current_dir("/");
        run.args([
            "--unshare-user",
            "--unshare-ipc",
            "--unshare-pid",
            "--unshare-net",
        ]);
        run.args(["--unshare-uts", "--unshare-cgroup-try", "--disable-userns"]);
        run.args(["--die-with-parent", "--new-session", "--cap-drop", "ALL"]);
        run.args(["--uid", "1000", "--gid", "1000", "--hostname", "sandbox"]);
        self.show_system(&mut run);
        run.arg("--ro-bind").arg(etc).arg("/etc");
        for name in ETC {
            let path = Path::new("/etc").join(name);
            // Mounted where it stands; bubblewrap could make no folder in what is read-only.
            if path.exists() && etc.join(name).exists() {
                run.arg("--ro-bind").arg(&path).arg(&path);
            }
        }
        for path in &self.readable {
            run.arg("--ro-bind").arg(path).arg(path);
        }
        self.hide(&mut run);
        run.args(["--proc", "/proc", "--dev", "/dev"]);
        run.args(["--size", &SHARED.to_string(), "--tmpfs", "/dev/shm"]);
        run.args(["--remount-ro", "/dev"]);
        // One limit for all that is written, wherever that is.
        run.args(["--size", &limits.disk.to_string(), "--tmpfs", "/box"]);
        run.args([
            "--dir",
            "/box/work",
            "--dir",
            "/box/home",
            "--dir",
            "/box/tmp",
        ]);
        run.args(["--symlink", "box/tmp", "/tmp", "--dir", "/var"]);
        run.args(["--symlink", "../box/tmp", "/var/tmp"]);
        run.arg("--ro-bind").arg(source).arg("/source");
        run.args(["--remount-ro", "/", "--chdir", "/box/work", "--clearenv"]);
        run.args(["--setenv", "PATH", &self.search_path()]);
        run.args([
            "--setenv",
            "HOME",
            "/box/home",
            "--setenv",
            "LANG",
            "C.UTF-8",
        ]);
        run.args(["--setenv", "CI", "1", "--", "/bin/sh", "-c", BEGIN, "sh"]);
        run.arg(command).arg(root);
        // Blocks of 512 bytes, then kilobytes, as a shell counts them.
        run.arg((limits.disk / 512).to_string());
        run.arg((limits.memory.saturating_mul(4) / 1024).to_string());
        run.arg(TASKS_KERNEL.max(limits.processes).to_string());
        run
    }

    fn show_system(&self, run: &mut Command) {
        for path in SYSTEM {
            match fs::read_link(path) {
                Ok(target) => {
                    run.arg("--symlink").arg(target).arg(path);
                }
                Err(_) => {
                    run.args(["--ro-bind-try", path, path]);
                }
            }
        }
    }

    fn hide(&self, run: &mut Command) {
        let shown = |hidden: &Path| {
            let system = SYSTEM.into_iter().map(Path::new);
            let mut all = system.chain(self.readable.iter().map(PathBuf::as_path));
            all.any(|shown| {
                let real = shown.canonicalize();
                real.is_ok_and(|real| hidden.starts_with(real))
            })
        };
        for path in self.hidden.iter().filter(|path| shown(path)) {
            if path.is_dir() {
                run.args(["--size", "4096", "--tmpfs"]).arg(path);
                run.arg("--remount-ro").arg(path);
            } else {
                run.args(["--ro-bind", "/dev/null"]).arg(path);
            }
        }
    }

    fn search_path(&self) -> String {
        let mut path = PATH.to_owned();
        for folder in &self.readable {
            let bin = match folder.join("bin") {
                bin if bin.is_dir() => bin,
                _ => folder.clone(),
            };
            // A colon cannot be quoted there.
            if let Some(bin) = bin.to_str().filter(|bin| !bin.contains(':')) {
                path.push(':');
                path.push_str(bin);
            }
        }
        path
    }
}

/// Fills the folder that becomes `/etc`: who is who, and where mounts go.
pub(super) fn write_etc(into: &Path) -> io::Result<()> {
    let files = [
        (
            "passwd",
            "root:x:0:0:root:/:/bin/sh\nci:x:1000:1000:ci:/box/home:/bin/sh\n",
        ),
        ("group", "root:x:0:\nci:x:1000:\n"),
        ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
        (
            "nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files\n",
        ),
    ];
    for (name, text) in files {
        fs::write(into.join(name), text)?;
    }
    for name in ETC {
        let Ok(found) = fs::metadata(Path::new("/etc").join(name)) else {
            continue;
        };
        let at = into.join(name);
        if let Some(folder) = at.parent() {
            fs::create_dir_all(folder)?;
        }
        match found.is_dir() {
            true => fs::create_dir_all(at)?,
            false => fs::write(at, "")?,
        }
    }
    Ok(())
}

/// Why a sandbox that does nothing did not come up, by what bubblewrap said, and what helps.
pub(super) fn explain(said: &str) -> String {
    let low = said.to_lowercase();
    let remedy = if low.contains("unknown option") {
        "it is older than 0.8: install a newer bubblewrap"
    } else if ["permission", "not permitted", "namespace", "permitted"]
        .iter()
        .any(|word| low.contains(word))
    {
        "this host or container forbids user namespaces: allow them (kernel.unprivileged_userns_clone, \
         user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns, the container's \
         seccomp profile), or run `autofix fix` on a host where they work"
    } else {
        "see what bwrap says, or run `autofix fix` on another host"
    };
    let said = said.trim();
    format!("the sandbox does not work here: {remedy} (bwrap: {said})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_seen_cannot_be_given() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("tool/state");
        fs::create_dir_all(&state).unwrap();
        if !PROGRAMS.iter().any(|path| Path::new(path).is_file()) {
            eprintln!("SKIPPED what_must_not_be_seen_cannot_be_given: bwrap is not installed");
            return;
        }
        let with = |readable: PathBuf| Limits {
            readable: vec![readable],
            ..Limits::default()
        };
        for bad in [
            dir.path().join("tool"),
            "/".into(),
            "/root".into(),
            "/none".into(),
        ] {
            let found = Sandbox::find(&with(bad.clone()), &[&state]);
            assert!(found.is_err(), "{}", bad.display());
        }
        let good = dir.path().join("other");
        fs::create_dir(&good).unwrap();
        assert!(Sandbox::find(&with(good), &[&state]).is_ok());
    }

    #[test]
    fn a_sandbox_that_does_not_come_up_is_explained() {
        for (said, hint) in [
            ("bwrap: Unknown option --disable-userns", "older than 0.8"),
            (
                "bwrap: setting up uid map: Permission denied",
                "user namespaces",
            ),
            (
                "bwrap: No permissions to create new namespace",
                "user namespaces",
            ),
            ("bwrap: out of paper", "see what bwrap says"),
        ] {
            assert!(explain(said).contains(hint), "{said}");
        }
    }
}
