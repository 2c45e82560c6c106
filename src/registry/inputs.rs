//! `inputs`: the tags under which failure events of a service's platform arrive, and the secret that
//! each must hold. A tag is one service's: an event says nothing of whose it is, its tag does.

use crate::model::service::TokenSource;
use crate::registry::complaint::Complaint;
use crate::registry::secret::{self, Keys};
use crate::registry::selector::{CAPTURE, Glob};
use crate::registry::service::Service;
use crate::registry::sheet::Section;
use std::collections::HashMap;

const SECRET: Keys = Keys {
    variable: "inputs_secret_env",
    file: "inputs_secret_file",
    secret: "secret",
    example: "SHOP_EVENTS",
};

/// The declared tags of all services.
#[derive(Clone, Debug, Default)]
pub(super) struct Inputs {
    literal: HashMap<String, usize>,
    globs: Vec<(Glob, usize)>,
}

impl Inputs {
    pub(super) fn of(services: &[Service]) -> Inputs {
        let mut inputs = Inputs::default();
        for (at, service) in services.iter().enumerate() {
            for tag in &service.inputs {
                match Glob::parse(tag) {
                    Ok(glob) if glob.is_literal() => {
                        inputs.literal.entry(tag.clone()).or_insert(at);
                    }
                    Ok(glob) => inputs.globs.push((glob, at)),
                    // Refused when the text was read.
                    Err(_) => {}
                }
            }
        }
        inputs
    }

    pub(super) fn is_empty(&self) -> bool {
        self.literal.is_empty() && self.globs.is_empty()
    }

    /// Which service declares the tag, and what stood for `{service}`.
    pub(super) fn find(&self, tag: &str) -> Option<(usize, Option<String>)> {
        if let Some(at) = self.literal.get(tag) {
            return Some((*at, None));
        }
        let mut globs = self.globs.iter();
        globs.find_map(|(glob, at)| Some((*at, glob.matches(tag)?)))
    }
}

/// The tags of one service.
pub(super) fn tags(section: &mut Section<'_, '_>) -> Vec<String> {
    section.checked("inputs", |tag| {
        let what = match Glob::parse(tag) {
            Err(fault) => return Err(fault),
            Ok(_) if tag.chars().any(char::is_control) => "`inputs` has an entry that is no tag",
            Ok(_) if tag == "autofix" || tag.starts_with("autofix.") => {
                "`inputs` names a tag of autofix' own records, which are never read"
            }
            Ok(_) if tag.replace(CAPTURE, "*").chars().all(|c| "*?.".contains(c)) => {
                "`inputs` would make every record an event"
            }
            Ok(_) => return Ok(()),
        };
        let remedy = "write a tag that only the events have, such as hook.checkout";
        Err((what.to_owned(), remedy.to_owned()))
    })
}

pub(super) fn secret(section: &mut Section<'_, '_>) -> Option<TokenSource> {
    let source = secret::source(section, &SECRET)?;
    if section.raw("inputs").is_none() {
        let (_, place) = [SECRET.variable, SECRET.file]
            .into_iter()
            .find_map(|key| section.raw(key))?;
        let what = "a secret for `inputs`, but no `inputs`".to_owned();
        let remedy = "add inputs = [\"…\"], or take it out".to_owned();
        section.fault(place, what, remedy);
    }
    Some(source)
}

/// `{service}` stands in each of a pattern's inputs, and in no other's: or two services share one.
pub(super) fn check_pattern(section: &mut Section<'_, '_>, service: &Service) {
    let wrong = |tag: &&String| tag.contains(CAPTURE) != service.is_pattern();
    let Some(tag) = service.inputs.iter().find(wrong) else {
        return;
    };
    let place = section
        .raw("inputs")
        .map_or(section.place.clone(), |(_, at)| at);
    let tag = tag.escape_debug();
    let what = match service.is_pattern() {
        true => format!("`inputs` of a pattern must hold `{CAPTURE}`; `{tag}` does not"),
        false => format!("`inputs` holds `{CAPTURE}` in `{tag}`, but the name does not"),
    };
    let remedy = format!("write `{CAPTURE}` once, or give the service a plain name");
    section.fault(place, what, remedy);
}

/// Complains where two services may be meant by one tag: their owners may differ, and an event belongs
/// to one.
pub(super) fn check_between(services: &[Service], complaints: &mut Vec<Complaint>) {
    let mut first: HashMap<&str, &Service> = HashMap::new();
    let mut wild: Vec<(&str, &Service)> = Vec::new();
    let mut all: Vec<(&str, &Service)> = Vec::new();
    for service in services {
        for tag in &service.inputs {
            let same = first.get(tag.as_str()).copied();
            let other = same.filter(|other| !std::ptr::eq(*other, service));
            let other = other.map(|other| (tag.as_str(), other)).or_else(|| {
                let wildcard = is_wild(tag);
                let against = if wildcard { &all } else { &wild };
                let meets = |(text, other): &&(&str, &Service)| {
                    !std::ptr::eq(*other, service) && may_meet(text, tag)
                };
                against.iter().find(meets).copied()
            });
            if let Some((text, other)) = other {
                let what = format!(
                    "`inputs` of `{}` and of `{}` share a tag: `{}` and `{}`",
                    service.name,
                    other.name,
                    tag.escape_debug(),
                    text.escape_debug()
                );
                let remedy = "an event belongs to one service; give each a tag of its own";
                complaints.push(Complaint::fault(service.place.clone(), what, remedy));
            }
            first.entry(tag).or_insert(service);
            all.push((tag, service));
            if is_wild(tag) {
                wild.push((tag, service));
            }
        }
    }
}

fn is_wild(tag: &str) -> bool {
    tag.contains(['*', '?']) || tag.contains(CAPTURE)
}

/// Whether some tag fits both. What `{service}` may be is taken as anything.
fn may_meet(a: &str, b: &str) -> bool {
    let begin = |text: &str| text.find(['*', '?', '{']).unwrap_or(text.len());
    let (first, second) = (&a[..begin(a)], &b[..begin(b)]);
    if !(first.starts_with(second) || second.starts_with(first)) {
        return false;
    }
    let signs = |text: &str| text.replace(CAPTURE, "*").chars().collect::<Vec<char>>();
    let (a, b) = (signs(a), signs(b));
    // below[j]: whether what is left of `a` after this sign, and of `b` from j on, have one in common.
    let mut below: Vec<bool> = ends(&b);
    for one in a.iter().rev() {
        let mut row = vec![false; b.len() + 1];
        for j in (0..=b.len()).rev() {
            let other = b.get(j);
            row[j] = match (one, other) {
                ('*', _) => below[j] || j < b.len() && row[j + 1],
                (_, Some('*')) => row[j + 1] || below[j],
                (_, None) => false,
                (one, Some(other)) => {
                    (one == other || *one == '?' || *other == '?') && below[j + 1]
                }
            };
        }
        below = row;
    }
    below[0]
}

/// Whether nothing fits what is left of it, from each sign on.
fn ends(signs: &[char]) -> Vec<bool> {
    let last = signs.iter().rposition(|sign| *sign != '*');
    let from = last.map_or(0, |at| at + 1);
    (0..=signs.len()).map(|at| at >= from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Registry, Text};

    fn parse(text: &str) -> Result<Registry, String> {
        let parsed = Registry::parse(&[Text {
            file: "s.toml".to_owned(),
            text: text.to_owned(),
        }]);
        let told = |all: Vec<Complaint>| all.iter().map(|one| format!("{one}\n")).collect();
        parsed.map_err(told)
    }

    fn service(name: &str, rest: &str) -> String {
        format!("[[service]]\nname = \"{name}\"\n{rest}\n")
    }

    fn owner(registry: &Registry, tag: &str) -> Option<String> {
        let found = registry.by_input(tag)?;
        Some(found.name().to_owned())
    }

    #[test]
    fn a_tag_belongs_to_the_service_that_declares_it() {
        let text = [
            service(
                "checkout",
                "inputs = [\"hook.checkout\", \"kube.checkout.*\"]",
            ),
            service(
                "cart",
                "inputs = \"hook.cart\"\ninputs_secret_env = \"CART\"",
            ),
            service("pay-{service}", "inputs = [\"pay.{service}\"]"),
            service("quiet", ""),
        ];
        let registry = parse(&text.concat()).unwrap();
        assert!(registry.has_inputs());
        assert!(registry.warnings().is_empty(), "{:?}", registry.warnings());
        let name = |tag| owner(&registry, tag);
        assert_eq!(name("hook.checkout").as_deref(), Some("checkout"));
        assert_eq!(name("kube.checkout.pod").as_deref(), Some("checkout"));
        assert_eq!(name("hook.cart").as_deref(), Some("cart"));
        assert_eq!(name("pay.eu").as_deref(), Some("pay-eu"));
        for other in [
            "hook",
            "hook.checkout.x",
            "hook.Cart",
            "kube.cart.x",
            "pay.a/b",
            "",
        ] {
            assert_eq!(name(other), None, "{other}");
        }
        let secret = |tag| {
            registry
                .by_input(tag)
                .unwrap()
                .service
                .inputs_secret
                .clone()
        };
        assert_eq!(
            secret("hook.cart"),
            Some(TokenSource::Variable("CART".to_owned()))
        );
        assert_eq!(secret("hook.checkout"), None);
        assert!(!parse(&service("quiet", "")).unwrap().has_inputs());
    }

    #[test]
    fn a_tag_of_two_services_is_refused() {
        for (first, second) in [
            ("hook", "hook"),
            ("hook.*", "hook.cart"),
            ("hook.cart", "hook.*"),
            ("hook.*", "*.cart"),
            ("h??k", "hook"),
            ("*a*b*", "b*c?"),
        ] {
            let text = [
                service("one", &format!("inputs = [\"{first}\"]")),
                service("two", &format!("inputs = [\"x\", \"{second}\"]")),
            ];
            let told = parse(&text.concat()).unwrap_err();
            assert!(
                told.contains("s.toml:4: `inputs` of `two` and of `one` share a tag"),
                "{told}"
            );
        }
        let pattern = service("pay-{service}", "inputs = [\"hook.{service}\"]");
        let told = parse(&(pattern + &service("cart", "inputs = [\"hook.cart\"]"))).unwrap_err();
        assert!(told.contains("share a tag"), "{told}");
        for (first, second) in [
            ("hook.a", "hook.b"),
            ("hook.a.*", "hook.b.*"),
            ("*.a", "*.b"),
            ("h?k", "h??k"),
            ("a*", "A*"),
        ] {
            let text = [
                service("one", &format!("inputs = [\"{first}\", \"{first}\"]")),
                service("two", &format!("inputs = [\"{second}\"]")),
            ];
            assert!(parse(&text.concat()).is_ok(), "{first} {second}");
        }
    }

    #[test]
    fn each_fault_is_told_with_its_remedy() {
        for (rest, told) in [
            (
                "inputs = [\"*\"]",
                "would make every record an event; write a tag",
            ),
            ("inputs = [\"\"]", "an empty match"),
            ("inputs = [\"autofix.x\"]", "a tag of autofix' own records"),
            ("inputs = [3]", "`inputs` must be a list of strings"),
            (
                "inputs = [\"h.{service}\"]",
                "but the name does not; write `{service}` once",
            ),
            (
                "inputs_secret_env = \"X\"",
                "a secret for `inputs`, but no `inputs`",
            ),
            (
                "inputs = [\"h\"]\ninputs_secret_env = \"X\"\ninputs_secret_file = \"/x\"",
                "`inputs_secret_env` and `inputs_secret_file` together",
            ),
            (
                "inputs = [\"h\"]\ninputs_secret_env = \"hunter-2\"",
                "`inputs_secret_env` is no name of a variable; write the name of a variable, such as",
            ),
            (
                "inputs = [\"h\"]\ninputs_secret_file = \"hunter-2\"",
                "`inputs_secret_file` is no absolute path",
            ),
        ] {
            let all = parse(&service("one", rest)).unwrap_err();
            assert!(
                all.contains(told) && all.contains("s.toml:"),
                "{rest}: {all}"
            );
            assert!(!all.contains("hunter"), "{all}");
        }
        let pattern = service("p-{service}", "inputs = [\"hook\"]");
        let told = parse(&pattern).unwrap_err();
        assert!(
            told.contains("of a pattern must hold `{service}`"),
            "{told}"
        );
    }
}
