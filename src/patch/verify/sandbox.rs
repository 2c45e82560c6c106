//! The sandbox that strangers' code runs in: bubblewrap with namespaces of its own for users,
//! mounts, processes, network, IPC, host name and cgroups. In it there are the system's programs
//! read-only, the work tree in memory, and nothing else of the host; what is written is gone with
//! the sandbox. Says how it is built and whether it works here; `guard` watches over it.

use crate::patch::verify::Limits;
use std::fs;
use std::os::unix::fs::MetadataExt;
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
    "/etc/alternatives",
    "/etc/crypto-policies",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/pki/ca-trust/extracted",
    "/etc/pki/java",
    "/etc/pki/tls/certs",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
];
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin";
/// Bytes of `/dev/shm`.
const SHARED: u64 = 64 << 20;
/// How much more the kernel's own limit on processes is than the guard's, which comes first.
const TASKS_KERNEL: usize = 2;
/// What root becomes before anything else: the kernel keeps no limit on root's processes, and
/// files of the system would count as the sandbox's own. It may not see the scratch folder, so the
/// files are mounted where it can, in a namespace that nobody else sees.
const STEP_DOWN: &str = r#"
mount --make-rprivate / && mount --bind "$1" /mnt || exit 125
shift
exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
  --no-new-privs -- env -i "$@"
"#;
const STEP_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
const UNSHARE: &str = "/usr/bin/unshare";
/// What the command's exit status is where it was not even begun.
pub(super) const NOT_BEGUN: i32 = 125;

/// Whose shell begins: of the usual ones only bash can close descriptors above 9.
const SHELLS: [&str; 3] = ["/bin/bash", "/usr/bin/bash", "/bin/sh"];
/// Of `/proc`: settings of the whole machine. Where bubblewrap is run by root, its sandbox's files
/// count as root's own, and bubblewrap alone leaves most of these writable.
const PROC_READ_ONLY: [&str; 6] = ["acpi", "bus", "fs", "irq", "scsi", "sys"];
/// Of `/proc`: what says much of the machine, or does something to it.
const PROC_MASKED: [&str; 12] = [
    "config.gz",
    "kallsyms",
    "kcore",
    "keys",
    "key-users",
    "kmsg",
    "latency_stats",
    "mtrr",
    "sched_debug",
    "slabinfo",
    "sysrq-trigger",
    "timer_list",
];

/// Closes what somebody left open, sets the limits that the kernel keeps by itself, copies the
/// work tree, and becomes the command. The values stand in arguments, never in the text.
const BEGIN: &str = r#"
stop() { echo "autofix: $1" >&2; exit 125; }
for f in /proc/self/fd/*; do
  n=${f##*/}
  case $n in
    [012]) ;;
    [3-9]) eval "exec $n>&-" ;;
    *) [ -n "$BASH_VERSION" ] && eval "exec $n>&-"
       [ -e "/proc/self/fd/$n" ] && stop "descriptor $n was left open and only bash can close it" ;;
  esac
done
echo 1000 > /proc/self/oom_score_adj || stop "oom_score_adj cannot be set"
ulimit -c 0 || stop "core dumps cannot be switched off"
ulimit -f "$3" || stop "the limit on file sizes cannot be set"
ulimit -d "$4" || stop "the limit on memory cannot be set"
ulimit -u "$5" 2>/dev/null || ulimit -p "$5" || stop "the limit on processes cannot be set"
mkdir /box/etc && cd /box/etc || stop "the work tree has no room"
echo "root:x:0:0:root:/:/bin/sh" > passwd && echo "ci:x:1000:1000:ci:/box/home:/bin/sh" >> passwd
echo "root:x:0:" > group && echo "ci:x:1000:" >> group
echo "127.0.0.1 localhost sandbox" > hosts && echo "::1 localhost" >> hosts
cp -a /source/. /box/tree/ || stop "the work tree cannot be copied"
cd "/box/tree/./$2" || stop "the service's folder is not there"
exec nice -n 10 /bin/sh -c "$1"
"#;

/// bubblewrap, found on this host.
#[derive(Debug)]
pub(super) struct Sandbox {
    program: &'static str,
    is_root: bool,
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
        let is_root = fs::metadata("/proc/self")
            .map_err(|e| format!("/proc cannot be read: {e}"))?
            .uid()
            == 0;
        Ok(Sandbox {
            program,
            is_root,
            readable,
            hidden: kept_back,
        })
    }

    /// The command that runs a service's command on the files in `source`.
    /// `root`: the service's folder in the work tree.
    pub fn command(&self, source: &Path, root: &str, command: &str, limits: &Limits) -> Command {
        let shell = SHELLS.into_iter().find(|path| Path::new(path).is_file());
        let shell = shell.unwrap_or("/bin/sh");
        let (mut run, source) = self.step_down(source);
        run.current_dir("/");
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
        for path in ETC {
            run.args(["--ro-bind-try", path, path]);
        }
        // Debian's Java has its settings in a folder with its version in the name.
        for entry in fs::read_dir("/etc").into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("java") {
                run.arg("--ro-bind").arg(entry.path()).arg(entry.path());
            }
        }
        self.show_processes(&mut run);
        run.args(["--dev", "/dev", "--size", &SHARED.to_string()]);
        run.args(["--tmpfs", "/dev/shm", "--remount-ro", "/dev"]);
        // One limit for all that is written, wherever that is.
        run.args(["--size", &limits.disk.to_string(), "--tmpfs", "/box"]);
        run.args([
            "--dir",
            "/box/tree",
            "--dir",
            "/box/home",
            "--dir",
            "/box/tmp",
        ]);
        run.args(["--symlink", "box/tmp", "/tmp", "--dir", "/var"]);
        run.args(["--symlink", "../box/tmp", "/var/tmp"]);
        for name in ["passwd", "group", "hosts"] {
            let target = format!("../box/etc/{name}");
            run.args(["--symlink", &target, &format!("/etc/{name}")]);
        }
        for path in &self.readable {
            run.arg("--ro-bind").arg(path).arg(path);
        }
        self.hide(&mut run);
        run.arg("--ro-bind").arg(source).arg("/source");
        run.args(["--remount-ro", "/", "--chdir", "/box/tree", "--clearenv"]);
        run.args(["--setenv", "PATH", &self.search_path()]);
        run.args([
            "--setenv",
            "HOME",
            "/box/home",
            "--setenv",
            "LANG",
            "C.UTF-8",
        ]);
        run.args(["--setenv", "CI", "1", "--", shell, "-c", BEGIN, "sh"]);
        run.arg(command).arg(root);
        // Blocks of 512 bytes, then kilobytes, as a shell counts them.
        run.arg((limits.disk / 512).to_string());
        run.arg((limits.memory.saturating_mul(4) / 1024).to_string());
        run.arg(limits.processes.saturating_mul(TASKS_KERNEL).to_string());
        run
    }

    /// What begins the command, and where the files are then.
    fn step_down<'p>(&self, source: &'p Path) -> (Command, &'p Path) {
        if !self.is_root {
            let mut run = Command::new(self.program);
            run.env_clear();
            return (run, source);
        }
        let mut run = Command::new(UNSHARE);
        run.env_clear().env("PATH", STEP_PATH);
        run.args(["--mount", "--", "/bin/sh", "-c", STEP_DOWN, "sh"]);
        run.arg(source).arg(self.program);
        (run, Path::new("/mnt"))
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

    fn show_processes(&self, run: &mut Command) {
        run.args(["--proc", "/proc"]);
        for name in PROC_READ_ONLY {
            let path = format!("/proc/{name}");
            run.args(["--ro-bind-try", &path, &path]);
        }
        for name in PROC_MASKED {
            let path = format!("/proc/{name}");
            if Path::new(&path).exists() {
                run.args(["--ro-bind", "/dev/null", &path]);
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

/// Why a sandbox that does nothing did not come up, by what bubblewrap said, and what helps.
pub(super) fn explain(said: &str) -> String {
    let low = said.to_lowercase();
    let remedy = if low.contains("find source path") {
        "a folder that tests may read cannot be read by user 65534, which tests of root run as"
    } else if low.contains("unknown option") {
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
