//! `init`: a registry for the checkout, and the blocks that load it. Guesses are few and marked
//! as such; an existing file is not overwritten unless asked.

use crate::app::Error;
use crate::app::checkout::Checkout;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What `init` was asked for.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Folder of the service, in a checkout.
    pub folder: PathBuf,
    /// Overwrite an existing registry.
    pub force: bool,
}

/// What it made.
#[derive(Clone, Debug)]
pub struct InitReport {
    /// The registry's text.
    pub text: String,
    pub path: PathBuf,
    /// It was written; else a file stands there already and was left alone.
    pub written: bool,
    pub classic: String,
    pub yaml: String,
}

/// Makes `services.toml` in the folder.
pub fn init(options: &InitOptions) -> Result<InitReport, Error> {
    let Some(checkout) = Checkout::around(&options.folder) else {
        return Err(Error::Unfinished(format!(
            "{} is in no git checkout; run it where the service's code is",
            options.folder.display()
        )));
    };
    let folder = checkout.top.join(&checkout.inside);
    let path = folder.join("services.toml");
    let text = registry_text(&checkout, &folder);
    let written = write(&path, &text, options.force)?;
    Ok(InitReport {
        text,
        written,
        classic: classic(&path),
        yaml: yaml(&path),
        path,
    })
}

/// Whether it was written. A symbolic link counts as an existing file.
fn write(path: &Path, text: &str, force: bool) -> Result<bool, Error> {
    let fail = |cause| Error::unfinished(path.display(), cause);
    if force {
        let new = path.with_extension("toml.new");
        fs::write(&new, text).map_err(fail)?;
        fs::rename(&new, path).map_err(fail)?;
        return Ok(true);
    }
    match fs::File::create_new(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true).map_err(fail),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(fail(error)),
    }
}

fn registry_text(checkout: &Checkout, folder: &Path) -> String {
    let top = checkout.top.to_string_lossy().into_owned();
    let repo = checkout.origin.clone().unwrap_or(top);
    let prefixes = path_prefixes(folder);
    let mut text =
        String::from("# Services that autofix knows. Read again when it changes.\n\n[[service]]\n");
    let mut put = |line: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{line}");
    };
    put(format!("name = {}", quote(&checkout.service_name())));
    put("# description = \"What the service does, in a sentence\"".to_owned());
    put(format!("repo = {}", quote(&repo)));
    if !checkout.inside.is_empty() {
        put(format!("root = {}", quote(&checkout.inside)));
    }
    if !prefixes.is_empty() {
        let prefixes: Vec<String> = prefixes.iter().map(|prefix| quote(prefix)).collect();
        put("# Where the code lies in the container, as stack traces print it.".to_owned());
        put(format!("path_prefixes = [{}]", prefixes.join(", ")));
    }
    put(
        "# Which records are the service's. Without it, those of a container of its name."
            .to_owned(),
    );
    put("# match = [\"tag:app.*\", \"label:app=NAME\"]".to_owned());
    put("# The deployed commit: without it autofix reports, but makes no diff. One of".to_owned());
    for (form, note) in [
        ("env:GIT_SHA", "a variable of Fluent Bit's environment"),
        ("file:/app/COMMIT", "a file beside it"),
        ("field:git_sha", "a field of each record"),
        ("image:kubernetes.container_image", "the image's tag"),
        ("ecs-metadata", "the image's tag, by the ECS task"),
    ] {
        put(format!("# commit = {form:?}  # {note}"));
    }
    text
}

/// A TOML string.
fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The image's own `WORKDIR`s, else the usual folders of the language.
fn path_prefixes(folder: &Path) -> Vec<String> {
    let docker = fs::read_to_string(folder.join("Dockerfile")).unwrap_or_default();
    let mut prefixes: Vec<String> = docker.lines().filter_map(workdir).collect();
    if prefixes.is_empty() {
        let has = |name: &str| folder.join(name).exists();
        let usual: &[&str] = if [
            "pyproject.toml",
            "requirements.txt",
            "setup.py",
            "package.json",
        ]
        .iter()
        .any(|name| has(name))
        {
            &["/app", "/usr/src/app"]
        } else if has("go.mod") {
            &["/app", "/src", "/go/src/app"]
        } else if has("Cargo.toml") {
            &["/app", "/build", "/usr/src/app"]
        } else {
            &[]
        };
        prefixes = usual.iter().map(|prefix| (*prefix).to_owned()).collect();
    }
    let mut seen = Vec::new();
    prefixes.retain(|prefix| {
        !seen.contains(prefix) && {
            seen.push(prefix.clone());
            true
        }
    });
    prefixes
}

fn workdir(line: &str) -> Option<String> {
    let (word, path) = line.trim().split_once(char::is_whitespace)?;
    let path = path.trim().trim_matches('"').trim_end_matches('/');
    let good = word.eq_ignore_ascii_case("WORKDIR") && path.starts_with('/') && !path.contains('$');
    good.then(|| path.to_owned())
}

fn classic(path: &Path) -> String {
    format!(
        "[OUTPUT]\n    Name      autofix\n    Match     *\n    Services  {}\n    State_Dir {}\n",
        path.display(),
        crate::config::environment::DEFAULT_STATE_DIR
    )
}

fn yaml(path: &Path) -> String {
    let path = serde_json::Value::String(path.to_string_lossy().into_owned());
    format!(
        "pipeline:\n  outputs:\n    - name: autofix\n      match: '*'\n      services: {path}\n      state_dir: {}\n",
        crate::config::environment::DEFAULT_STATE_DIR
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Services, load_registry};

    fn checkout() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("shop/svc/cart \"x\"");
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(dir.path().join("shop/.git")).unwrap();
        fs::write(
            folder.join("Dockerfile"),
            "FROM x\nWORKDIR /srv/cart\nworkdir /srv/cart\n",
        )
        .unwrap();
        (dir, folder)
    }

    #[test]
    fn what_it_writes_is_a_registry() {
        let (_dir, folder) = checkout();
        let options = InitOptions {
            folder,
            force: false,
        };
        let report = init(&options).unwrap();
        assert!(report.written);
        let registry = load_registry(&Services::Path(report.path.clone())).unwrap();
        let service = &registry.services()[0];
        assert_eq!(service.name, "cart--x");
        assert_eq!(service.root, "svc/cart \"x\"");
        assert_eq!(service.path_prefixes, ["/srv/cart"]);
        assert!(service.repo.as_ref().unwrap().ends_with("/shop"));
        assert!(registry.warnings().is_empty());
    }

    #[test]
    fn an_existing_registry_is_left_alone_unless_forced() {
        let (_dir, folder) = checkout();
        fs::write(folder.join("services.toml"), "mine").unwrap();
        let mut options = InitOptions {
            folder: folder.clone(),
            force: false,
        };
        assert!(!init(&options).unwrap().written);
        assert_eq!(
            fs::read_to_string(folder.join("services.toml")).unwrap(),
            "mine"
        );
        options.force = true;
        assert!(init(&options).unwrap().written);
        assert_ne!(
            fs::read_to_string(folder.join("services.toml")).unwrap(),
            "mine"
        );
    }

    #[test]
    fn no_checkout_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let options = InitOptions {
            folder: dir.path().to_owned(),
            force: false,
        };
        assert!(
            init(&options)
                .unwrap_err()
                .to_string()
                .contains("no git checkout")
        );
    }
}
