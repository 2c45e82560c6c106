//! Watches over one sandbox from outside until it ends: time, memory, processes and output, and
//! that none of its processes is left. It kills by the sandbox's first process: with that one the
//! kernel ends all others of its process namespace. Starts no thread; it looks again and again.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often is looked, at most; where looking takes long, less often.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the kernel may take to end the processes of a sandbox.
const GRACE: Duration = Duration::from_secs(10);
/// Bytes of a page of memory.
const PAGE: u64 = 4096;

/// How a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The command ended by itself.
    Exited,
    TimedOut,
    TooMuchMemory,
    TooManyProcesses,
    TooMuchOutput,
}

impl How {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            How::Exited => "it ended by itself",
            How::TimedOut => "it took too long",
            How::TooMuchMemory => "it took too much memory",
            How::TooManyProcesses => "it started too many processes",
            How::TooMuchOutput => "it printed too much",
        }
    }
}

/// What the guard holds a sandbox to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub until: Instant,
    pub memory: u64,
    pub processes: usize,
    pub output: u64,
}

/// What is known of a sandbox that is over.
#[derive(Debug)]
pub(super) struct Over {
    pub status: ExitStatus,
    pub ended: How,
    pub seconds: f64,
}

/// Runs the command, whose both outputs go to a new file, to its end or to the first bound.
pub(super) fn run(command: &mut Command, output: &Path, bounds: &Bounds) -> io::Result<Over> {
    let out = File::create_new(output)?;
    // Its folder is private; a program that opens its own output may be another user.
    out.set_permissions(Permissions::from_mode(0o666))?;
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .spawn()?;
    let id = child.id();
    let mut first = None;
    let (status, ended) = loop {
        let looked = Instant::now();
        if let Some(status) = child.try_wait()? {
            break (status, How::Exited);
        }
        let broken = match census(id) {
            Ok(census) => {
                // The newest: before bubblewrap there may have been others.
                first = census.first.clone().or(first);
                broken(&census, output, bounds)
            }
            Err(e) => {
                // Unwatched it must not run on.
                child.kill()?;
                child.wait()?;
                return Err(e);
            }
        };
        if let Some(how) = broken {
            child.kill()?;
            break (child.wait()?, how);
        }
        thread::sleep(PAUSE.max(looked.elapsed() * 4));
    };
    let seconds = began.elapsed().as_secs_f64();
    if let Some(first) = first {
        wait_until_gone(&first)?;
    }
    Ok(Over {
        status,
        ended,
        seconds,
    })
}

fn broken(census: &Census, output: &Path, bounds: &Bounds) -> Option<How> {
    if Instant::now() >= bounds.until {
        Some(How::TimedOut)
    } else if census.tasks > bounds.processes {
        Some(How::TooManyProcesses)
    } else if census.memory > bounds.memory {
        Some(How::TooMuchMemory)
    } else if fs::metadata(output).is_ok_and(|m| m.len() > bounds.output) {
        Some(How::TooMuchOutput)
    } else {
        None
    }
}

/// A process of ours; the time tells it from a later one of the same number.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    id: u32,
    started: u64,
}

/// What a sandbox has of the machine at one moment.
#[derive(Debug, Default)]
struct Census {
    /// The first process of its namespace.
    first: Option<Known>,
    /// Processes and threads.
    tasks: usize,
    /// Bytes of memory that no file stands behind.
    memory: u64,
}

/// Everything below a process. In a process namespace orphans become children of its first
/// process, so nobody can leave the tree.
fn census(above: u32) -> io::Result<Census> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // It may have ended meanwhile.
        if let Some(stat) = Stat::of(id) {
            all.push(stat);
        }
    }
    all.sort_unstable_by_key(|stat| stat.parent);
    let children = |of: u32| {
        let from = all.partition_point(|stat| stat.parent < of);
        all[from..].iter().take_while(move |stat| stat.parent == of)
    };
    let mut census = Census {
        first: children(above).next().map(|stat| Known {
            id: stat.id,
            started: stat.started,
        }),
        ..Census::default()
    };
    let mut open: Vec<&Stat> = children(above).collect();
    let mut seen = 0;
    while let Some(stat) = open.pop() {
        census.tasks += stat.threads;
        census.memory += own_memory(stat.id);
        // Ids that were used again while this was read could make a ring.
        seen += 1;
        if seen > all.len() {
            break;
        }
        open.extend(children(stat.id));
    }
    Ok(census)
}

fn own_memory(id: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/statm")).unwrap_or_default();
    let mut pages = text
        .split_ascii_whitespace()
        .skip(1)
        .map_while(|n| n.parse::<u64>().ok());
    let (resident, shared) = (pages.next(), pages.next());
    let own = resident.unwrap_or(0).saturating_sub(shared.unwrap_or(0));
    own.saturating_mul(PAGE)
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    id: u32,
    parent: u32,
    threads: usize,
    started: u64,
    ended: bool,
}

impl Stat {
    fn of(id: u32) -> Option<Stat> {
        Stat::parse(id, &fs::read(format!("/proc/{id}/stat")).ok()?)
    }

    /// A program names itself, so its name may hold anything: what counts stands after the last
    /// bracket.
    fn parse(id: u32, text: &[u8]) -> Option<Stat> {
        let text = String::from_utf8_lossy(text);
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Stat {
            id,
            parent: fields.get(1)?.parse().ok()?,
            threads: fields.get(17)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
            ended: matches!(*fields.first()?, "Z" | "X"),
        })
    }
}

fn wait_until_gone(first: &Known) -> io::Result<()> {
    let until = Instant::now() + GRACE;
    loop {
        let alive = Stat::of(first.id).is_some_and(|s| s.started == first.started && !s.ended);
        if !alive {
            return Ok(());
        }
        if Instant::now() >= until {
            let what = format!("process {} of the sandbox does not end", first.id);
            return Err(io::Error::new(io::ErrorKind::TimedOut, what));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_hides_nothing() {
        let text = b"7 (a) R 1 1 1) S 3 7 7 0 -1 4 5 0 0 0 1 2 0 0 20 0 4 0 99 1000 250 1";
        let stat = Stat::parse(7, text).unwrap();
        let expected = Stat {
            id: 7,
            parent: 3,
            threads: 4,
            started: 99,
            ended: false,
        };
        assert_eq!(stat, expected);
        assert_eq!(Stat::parse(7, b"7 (a) S"), None);
    }

    #[test]
    fn what_runs_below_a_process_is_counted() {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "read x; exit 0"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let census = census(std::process::id()).unwrap();
        assert!(census.tasks >= 1 && census.first.is_some(), "{census:?}");
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
