//! Keys of the code host: where its token is read from, or the App that is given one.

use super::{Reader, TokenSource};
use crate::config::value::{self, Wrong};
use crate::model::service::AppSource;
use crate::registry::Complaint;

/// What real tokens begin with; where one stands in a value it stands in a file.
const TOKENS: [&str; 7] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
];
/// Keys that give a token themselves.
const TOKEN_KEYS: [&str; 3] = ["Forge_Token_Env", "Forge_Token_File", "Forge_Token_Command"];
/// Keys of an App.
const APP_KEYS: [&str; 4] = [
    "Forge_App_Id",
    "Forge_App_Key_Env",
    "Forge_App_Key_File",
    "Forge_App_Installation",
];

impl Reader<'_> {
    pub(super) fn forge(&mut self) -> (Option<TokenSource>, Option<AppSource>) {
        let token = self.forge_token();
        let app = self.forge_app();
        let first = |keys: &[&'static str]| keys.iter().copied().find(|key| self.is_set(key));
        if let (Some(token), Some(app)) = (first(&TOKEN_KEYS), first(&APP_KEYS)) {
            self.forge_fault(
                app,
                format!("`{app}` beside `{token}`"),
                "take one of them out: an App is given its own tokens",
            );
        }
        (token, app)
    }

    fn forge_token(&mut self) -> Option<TokenSource> {
        let kept = self.secret("Forge_Token_Env", "Forge_Token_File");
        let words = self.read("Forge_Token_Command", command);
        let beside = ["Forge_Token_Env", "Forge_Token_File"];
        if self.is_set("Forge_Token_Command")
            && let Some(beside) = beside.into_iter().find(|key| self.is_set(key))
        {
            self.forge_fault(
                "Forge_Token_Command",
                format!("`Forge_Token_Command` beside `{beside}`"),
                "take one of them out",
            );
        }
        kept.or(words.map(TokenSource::Command))
    }

    fn forge_app(&mut self) -> Option<AppSource> {
        let id = self.read("Forge_App_Id", app_id);
        let key = self.secret("Forge_App_Key_Env", "Forge_App_Key_File");
        let installation = self.read("Forge_App_Installation", |text| {
            value::number(text, 1, i64::MAX.unsigned_abs())
        });
        let set = APP_KEYS.iter().copied().find(|key| self.is_set(key))?;
        if !self.is_set("Forge_App_Id") {
            self.forge_fault(
                set,
                format!("`{set}` without `Forge_App_Id`"),
                "write the App's id, which its settings show",
            );
        }
        if !self.is_set("Forge_App_Key_Env") && !self.is_set("Forge_App_Key_File") {
            self.forge_fault(
                set,
                format!("`{set}` without the App's private key"),
                "write Forge_App_Key_File PATH or Forge_App_Key_Env NAME",
            );
        }
        Some(AppSource {
            id: id?,
            key: key?,
            installation,
        })
    }

    fn is_set(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    fn forge_fault(&mut self, key: &str, what: String, remedy: &str) {
        let entry = self.entry(key);
        let place = entry.map(|entry| entry.place.clone()).unwrap_or_default();
        self.complaints.push(Complaint::fault(place, what, remedy));
    }
}

/// The words of a command, as a shell would split them; no shell runs it.
fn command(text: &str) -> Result<Vec<String>, Wrong> {
    let wrong = |what: &str, remedy: &str| Err((what.to_owned(), remedy.to_owned()));
    let Some(words) = shlex::split(text).filter(|words| !words.is_empty()) else {
        return wrong(
            "its quotes do not match",
            "write the program's path and its arguments as for a shell",
        );
    };
    if words.iter().any(|word| word.contains('\0')) {
        return wrong("it holds a NUL", "take it out");
    }
    if !words.first().is_some_and(|word| word.starts_with('/')) {
        return wrong(
            "its program is no absolute path",
            "write it from the root: /usr/local/bin/token",
        );
    }
    if TOKENS.iter().any(|token| text.contains(token)) {
        return wrong(
            "there is a token in it",
            "write the program that hands the token out, never the token",
        );
    }
    Ok(words)
}

fn app_id(text: &str) -> Result<String, Wrong> {
    let id = text.trim();
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if (1..=64).contains(&id.len()) && id.bytes().all(good) {
        return Ok(id.to_owned());
    }
    Err((
        "this is no id of an App".to_owned(),
        "write its number or its client id, which its settings show".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use crate::config::entry::Entry;
    use crate::config::options::{Options, TokenSource, from_entries};
    use crate::registry::Place;

    fn read(pairs: &[(&str, &str)]) -> Result<Options, String> {
        let entries: Vec<Entry> = pairs
            .iter()
            .map(|(key, value)| Entry {
                key: (*key).to_owned(),
                value: (*value).to_owned(),
                place: Place::default(),
            })
            .collect();
        from_entries(&entries).map_err(|all| all.iter().map(|c| format!("{c}\n")).collect())
    }

    #[test]
    fn a_command_is_split_without_a_shell() {
        let options = read(&[(
            "Forge_Token_Command",
            "/usr/bin/secret get 'the forge' $HOME;x",
        )]);
        let words = ["/usr/bin/secret", "get", "the forge", "$HOME;x"];
        assert_eq!(
            options.unwrap().forge_token,
            Some(TokenSource::Command(words.map(str::to_owned).to_vec()))
        );
        for (value, part) in [
            ("secret get", "no absolute path"),
            ("/bin/x 'a", "quotes do not match"),
            ("/bin/echo ghp_0123", "there is a token in it"),
        ] {
            let told = read(&[("Forge_Token_Command", value)]).unwrap_err();
            assert!(
                told.contains(part) && !told.contains("0123"),
                "{value}: {told}"
            );
        }
    }

    #[test]
    fn an_app_has_an_id_and_a_key() {
        let key = ("Forge_App_Key_File", "/etc/app.pem");
        let id = ("Forge_App_Id", "Iv1.0a");
        let options = read(&[id, key, ("Forge_App_Installation", "7")]).unwrap();
        let app = options.forge_app.unwrap();
        assert_eq!((app.id.as_str(), app.installation), ("Iv1.0a", Some(7)));
        for (pairs, part) in [
            (&[id][..], "without the App's private key"),
            (&[key][..], "without `Forge_App_Id`"),
            (
                &[id, key, ("Forge_Token_Env", "T")][..],
                "`Forge_App_Id` beside `Forge_Token_Env`",
            ),
            (
                &[id, key, ("Forge_App_Installation", "x")][..],
                "`Forge_App_Installation`",
            ),
            (&[("Forge_App_Id", "a b"), key][..], "no id of an App"),
            (
                &[
                    ("Forge_Token_Env", "T"),
                    ("Forge_Token_Command", "/bin/true"),
                ][..],
                "`Forge_Token_Command` beside `Forge_Token_Env`",
            ),
        ] {
            let told = read(pairs).unwrap_err();
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}
