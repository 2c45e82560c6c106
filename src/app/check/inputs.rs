//! What each service's `inputs` mean: whose events come under which tags, and whether whoever sends
//! them must show a secret that can be read here. No word of a secret is shown.

use crate::config::credentials;
use crate::model::service::TokenSource;
use crate::record::failure::SECRET_FIELD;
use crate::registry::{Complaint, Registry, Service};

/// Shortest secret that is no guess, in bytes.
const SHORTEST: usize = 16;

/// Complaints, and lines about what is good.
pub(super) fn check(registry: &Registry) -> (Vec<Complaint>, Vec<String>) {
    let (mut complaints, mut good) = (Vec::new(), Vec::new());
    for service in registry.services() {
        if service.inputs.is_empty() {
            continue;
        }
        match one(service) {
            Ok(line) => good.push(line),
            Err(complaint) => complaints.push(complaint),
        }
    }
    (complaints, good)
}

fn one(service: &Service) -> Result<String, Complaint> {
    let name = &service.name;
    let place = || service.place.clone();
    let Some(source) = &service.inputs_secret else {
        let what = format!(
            "`inputs` of {name}: whoever can send records under {} can report failures of it",
            tags(service)
        );
        let remedy = format!(
            "set inputs_secret_env, and have the sender put the secret into `{SECRET_FIELD}`; or let \
             every input of the host that takes tags from its sender (http, forward) ask for a \
             certificate"
        );
        return Err(Complaint::warning(place(), what, remedy));
    };
    let secret = credentials::try_read(source).map_err(|why| {
        let what = format!("`inputs` of {name}: the secret cannot be read: {why}");
        let remedy = match source {
            TokenSource::Variable(_) => "set it in the host's environment; until then every event is \
                                         refused",
            TokenSource::File(_) | TokenSource::Command(_) => {
                "write the secret into it, where the host can read it; until then every event is refused"
            }
        };
        Complaint::fault(place(), what, remedy)
    })?;
    if secret.expose().len() < SHORTEST {
        let what = format!("`inputs` of {name}: the secret is shorter than {SHORTEST} characters");
        return Err(Complaint::warning(
            place(),
            what,
            "make it with `openssl rand -hex 32`",
        ));
    }
    Ok(format!(
        "{name}: failure events under {}, each with the secret in `{SECRET_FIELD}`",
        tags(service)
    ))
}

fn tags(service: &Service) -> String {
    service.inputs.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Text;

    fn of(text: &str) -> (Vec<String>, Vec<String>) {
        let (file, text) = ("s.toml".to_owned(), text.to_owned());
        let registry = Registry::parse(&[Text { file, text }]).unwrap();
        let (complaints, good) = check(&registry);
        (complaints.iter().map(ToString::to_string).collect(), good)
    }

    #[test]
    fn what_inputs_mean_is_told_without_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let service = "[[service]]\nname = \"shop\"\ninputs = [\"hook.shop\", \"kube.shop.*\"]\n";
        let with = format!("{service}inputs_secret_file = \"{}\"\n", path.display());
        assert_eq!(of("[[service]]\nname = \"shop\"\n"), (vec![], vec![]));
        let (open, _) = of(service);
        assert!(
            open[0].contains("under hook.shop, kube.shop.* can report failures"),
            "{open:?}"
        );
        let (gone, _) = of(&with);
        assert!(gone[0].contains("the secret cannot be read"), "{gone:?}");
        std::fs::write(&path, "hunter2").unwrap();
        let (short, _) = of(&with);
        assert!(
            short[0].contains("shorter than 16") && !short[0].contains("hunter2"),
            "{short:?}"
        );
        std::fs::write(&path, "a-secret-that-is-long-enough\n").unwrap();
        let (none, good) = of(&with);
        assert!(none.is_empty(), "{none:?}");
        assert!(
            good[0].starts_with("shop: failure events under hook.shop"),
            "{good:?}"
        );
        assert!(!good[0].contains("long-enough"), "{good:?}");
    }
}
