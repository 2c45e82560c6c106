//! Where a service's deployed commit is told: the forms of the registry's `commit`, and how an
//! image reference gives one. Reading the field, file or variable is others' work.

use crate::model::CommitId;
use std::path::PathBuf;

/// How the commit of an occurrence is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CommitSource {
    /// Always this one.
    Fixed(CommitId),
    /// A field of the record that the host set, as a dotted path.
    Field(String),
    /// A variable of the environment of the process.
    Env(String),
    /// The first word of a file, reread when it changes. Absolute.
    File(PathBuf),
    /// A field that holds an image reference (its tag is the commit), or a label of the image.
    Image(String),
    /// The image tag of the container in the ECS task's metadata.
    EcsMetadata,
    /// Nobody says: incidents and reports, no diff.
    #[default]
    None,
}

/// The forms, for complaints.
const FORMS: &str = "write 7 to 40 hexadecimal digits, field:NAME, env:NAME, file:PATH, image:FIELD or ecs-metadata";

impl CommitSource {
    /// Reads the registry's or the key's text. The error is what is wrong, and the remedy.
    pub fn parse(text: &str) -> Result<CommitSource, (String, String)> {
        let text = text.trim();
        if text == "ecs-metadata" {
            return Ok(CommitSource::EcsMetadata);
        }
        if let Some((form, rest)) = text.split_once(':') {
            return CommitSource::of_form(form.trim(), rest.trim());
        }
        match CommitId::parse(text) {
            Some(id) => Ok(CommitSource::Fixed(id)),
            None => Err((format!("`{}` is no commit", short(text)), FORMS.to_owned())),
        }
    }

    fn of_form(form: &str, rest: &str) -> Result<CommitSource, (String, String)> {
        let wrong = |what: &str, remedy: &str| Err((what.to_owned(), remedy.to_owned()));
        match form {
            "field" | "image" if !is_field(rest) => wrong(
                &format!("`{form}:` needs the name of a field"),
                "write a dotted path such as field:kubernetes.labels.commit",
            ),
            "field" => Ok(CommitSource::Field(rest.to_owned())),
            "image" => Ok(CommitSource::Image(rest.to_owned())),
            "env" if !is_variable(rest) => wrong(
                "`env:` needs the name of a variable",
                "write letters, digits and _ such as env:GIT_SHA",
            ),
            "env" => Ok(CommitSource::Env(rest.to_owned())),
            "file" if !rest.starts_with('/') || rest.contains('\0') => wrong(
                "`file:` needs an absolute path",
                "the host may run in another folder; write it from the root, such as file:/app/COMMIT",
            ),
            "file" => Ok(CommitSource::File(PathBuf::from(rest))),
            _ => wrong(&format!("`{}:` is no form of a commit", short(form)), FORMS),
        }
    }

    /// The same source with `{service}` replaced.
    pub(super) fn bind(&self, replace: &dyn Fn(&str) -> String) -> CommitSource {
        match self {
            CommitSource::Field(name) => CommitSource::Field(replace(name)),
            CommitSource::Env(name) => CommitSource::Env(replace(name)),
            CommitSource::File(path) => {
                CommitSource::File(PathBuf::from(replace(&path.to_string_lossy())))
            }
            CommitSource::Image(name) => CommitSource::Image(replace(name)),
            CommitSource::Fixed(_) | CommitSource::EcsMetadata | CommitSource::None => self.clone(),
        }
    }
}

/// The commit in an image reference's tag, or in a bare value (an image's label).
///
/// The tag is the commit (`checkout:3f2c1ab`), or one of its parts between `-`, `_`, `.` and `+`
/// is: with 40 digits, or with 7 or more of which one is a letter, so that the date in
/// `main-20260301` is none. A leading `g` as `git describe` writes it is taken off.
pub fn commit_of_image(reference: &str) -> Option<CommitId> {
    let reference = reference.trim();
    let named = reference
        .split_once('@')
        .map_or(reference, |(name, _)| name);
    let last = named.rsplit('/').next().unwrap_or(named);
    let tag = match last.split_once(':') {
        Some((_, tag)) => tag,
        None if named.contains('/') || reference.contains('@') => return None,
        None => last,
    };
    CommitId::parse(tag).or_else(|| {
        tag.split(['-', '_', '.', '+'])
            .map(|part| part.strip_prefix('g').unwrap_or(part))
            .filter(|part| part.len() == 40 || part.bytes().any(|b| b.is_ascii_alphabetic()))
            .find_map(CommitId::parse)
    })
}

fn is_field(name: &str) -> bool {
    !name.is_empty() && name.len() <= 256 && !name.chars().any(|c| c.is_control() || c == ' ')
}

fn is_variable(name: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'{' | b'}');
    !name.is_empty() && name.len() <= 256 && name.bytes().all(known)
}

fn short(text: &str) -> String {
    text.chars().take(48).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_registry() {
        let parse = |text| CommitSource::parse(text).unwrap();
        assert!(matches!(parse("3F2C1ab"), CommitSource::Fixed(_)));
        assert_eq!(parse("field:a.b"), CommitSource::Field("a.b".into()));
        assert_eq!(parse("env:GIT_SHA"), CommitSource::Env("GIT_SHA".into()));
        assert_eq!(parse("file:/a/b"), CommitSource::File("/a/b".into()));
        assert_eq!(parse("image:i.tag"), CommitSource::Image("i.tag".into()));
        assert_eq!(parse("ecs-metadata"), CommitSource::EcsMetadata);
        for bad in [
            "HEAD",
            "abcdef",
            "file:COMMIT",
            "env:A B",
            "git:x",
            "field:",
            "",
        ] {
            assert!(CommitSource::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn commits_in_image_tags() {
        let of = |text| commit_of_image(text).map(|id| id.as_str().to_owned());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of("ghcr.io/acme/checkout:3f2c1ab"), some("3f2c1ab"));
        assert_eq!(of("host:5000/acme/checkout:sha-3f2c1ab"), some("3f2c1ab"));
        assert_eq!(
            of("acme/c:v1.2-4-g3f2c1ab@sha256:00ff00ff"),
            some("3f2c1ab")
        );
        assert_eq!(of("3f2c1ab"), some("3f2c1ab"));
        for none in [
            "acme/checkout",
            "host:5000/deadbeef",
            "a:latest",
            "a:main-20260301",
            "a@sha256:deadbeef",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
