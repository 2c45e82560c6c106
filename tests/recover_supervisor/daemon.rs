//! A real supervisord for one test, in a folder of its own. It ends with the test, and with it every
//! program that it started.

use autofix::model::recovery::{Place, PlatformKind, State};
use autofix::model::service::TokenSource;
use autofix::net::{Http, Secret, Settings};
use autofix::recover::{Error, Platform, Supervisor};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take that is waited for.
const LONG: Duration = Duration::from_secs(60);

/// What it is started with.
pub struct Setup<'a> {
    pub level: &'a str,
    pub zone: &'a str,
    /// Sections of programs. `{dir}` is the test's folder.
    pub programs: &'a str,
    /// Over TCP too, with `bot` and `s3cret`, at this port.
    pub port: Option<u16>,
}

impl<'a> Setup<'a> {
    pub fn of(programs: &'a str) -> Setup<'a> {
        Setup {
            level: "info",
            zone: "UTC",
            programs,
            port: None,
        }
    }
}

pub struct Daemon {
    pub dir: TempDir,
    child: Option<Child>,
    zone: String,
}

/// Says that a test cannot run here, where supervisord is absent.
pub fn is_absent(test: &str) -> bool {
    let there = Command::new("supervisord").arg("--version").output();
    let absent = !there.is_ok_and(|done| done.status.success());
    if absent {
        println!("SKIPPED {test}: supervisord is not there");
    }
    absent
}

impl Daemon {
    pub fn start(setup: &Setup<'_>) -> Daemon {
        let mut daemon = Daemon::prepare(setup);
        daemon.go();
        daemon
    }

    /// All but started.
    pub fn prepare(setup: &Setup<'_>) -> Daemon {
        let dir = tempfile::tempdir().unwrap();
        let daemon = Daemon {
            dir,
            child: None,
            zone: setup.zone.to_owned(),
        };
        let at = daemon.dir.path().display().to_string();
        let tcp = setup.port.map_or(String::new(), |port| {
            format!("[inet_http_server]\nport=127.0.0.1:{port}\nusername=bot\npassword=s3cret\n")
        });
        let programs = setup.programs.replace("{dir}", &at);
        let level = setup.level;
        let config = format!(
            "[supervisord]\nnodaemon=true\nlogfile={at}/supervisord.log\npidfile={at}/pid\n\
             loglevel={level}\nchildlogdir={at}\n\n[unix_http_server]\nfile={at}/s\nchmod=0700\n\n{tcp}\n\
             [rpcinterface:supervisor]\n\
             supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\n\
             {programs}"
        );
        fs::write(daemon.path("supervisord.conf"), config).unwrap();
        daemon
    }

    /// Starts it, again perhaps.
    pub fn go(&mut self) {
        let output = fs::File::create(self.path("supervisord.out")).unwrap();
        let child = Command::new("supervisord")
            .arg("-c")
            .arg(self.path("supervisord.conf"))
            .env("TZ", &self.zone)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let socket = self.path("s");
        wait("supervisord's socket", || {
            std::os::unix::net::UnixStream::connect(&socket).ok()
        });
    }

    /// Ends it, and waits for the end of it and of its programs.
    pub fn end(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        let until = Instant::now() + LONG;
        while Instant::now() < until {
            if matches!(child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn socket(&self) -> String {
        format!("unix://{}", self.path("s").display())
    }

    /// supervisord's own log.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.path("supervisord.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How often supervisord started a process.
    pub fn spawned(&self, name: &str) -> usize {
        self.log().matches(&format!("spawned: '{name}' ")).count()
    }

    /// Releases r1 (older) to r3 as folders, and a link to the last one.
    pub fn releases(&self) {
        let old = std::time::SystemTime::now() - Duration::from_secs(3_600);
        for (name, age) in [("r1", 0), ("r2", 60), ("r3", 120)] {
            let folder = self.path("releases").join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("COMMIT"), format!("{}\n", commit_of(name))).unwrap();
            let made = old + Duration::from_secs(age);
            fs::File::open(&folder).unwrap().set_modified(made).unwrap();
        }
        symlink(self.path("releases/r3"), self.path("current")).unwrap();
    }

    pub fn place(&self, target: &str) -> Place {
        place(target, &self.socket())
    }

    /// The place with its releases.
    pub fn place_with_releases(&self, target: &str) -> Place {
        Place {
            releases: Some(self.path("releases")),
            current: Some(self.path("current")),
            ..self.place(target)
        }
    }

    pub fn client(&self, target: &str) -> Supervisor {
        client(&self.place(target), None).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end();
    }
}

/// A commit's id for a release's name.
pub fn commit_of(release: &str) -> String {
    let last = release.trim_start_matches('r');
    format!("{last:0>40}")
}

pub fn place(target: &str, api: &str) -> Place {
    Place {
        platform: PlatformKind::Supervisor,
        target: target.to_owned(),
        api: Some(api.to_owned()),
        region: None,
        token: None::<TokenSource>,
        ca: None,
        releases: None,
        current: None,
    }
}

pub fn client(place: &Place, token: Option<&'static str>) -> Result<Supervisor, Error> {
    let http = Http::new(&Settings::default()).unwrap();
    let token = Box::new(move || token.map(|text| Secret::new(text.to_owned())));
    Supervisor::new(http, place, token)
}

/// Until when something may take.
pub fn soon() -> Instant {
    Instant::now() + LONG
}

/// Looks again and again until there is something.
pub fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = soon();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "it did not come to: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The state, once it is as wanted.
pub fn state_when(client: &Supervisor, what: &str, good: impl Fn(&State) -> bool) -> State {
    wait(what, || {
        client.state(soon()).ok().filter(|state| good(state))
    })
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
