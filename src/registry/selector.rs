//! The registry's `match`: which records are a service's, by the names that the host gave their
//! source. The syntax is described in the room's own documentation.

use crate::registry::names::Names;
use regex::Regex;

/// The place holder that a pattern captures a service's name with.
pub const CAPTURE: &str = "{service}";

/// Any one of these must hold.
#[derive(Clone, Debug)]
pub struct Selector {
    any: Vec<All>,
}

/// All of these must hold.
#[derive(Clone, Debug)]
pub(super) struct All(pub(super) Vec<Test>);

/// One name compared with one glob.
#[derive(Clone, Debug)]
pub(super) struct Test {
    on: On,
    glob: Glob,
}

/// Which of the names is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
enum On {
    Any,
    Tag,
    Container,
    Image,
    Label(String),
    Unit,
    App,
    Service,
    Family,
    Namespace,
    Pod,
}

/// The words before the colon.
pub(super) const KINDS: [&str; 10] = [
    "tag",
    "container",
    "image",
    "label",
    "unit",
    "app",
    "service",
    "family",
    "namespace",
    "pod",
];

/// Longest glob that is compiled, in bytes.
const GLOB_LIMIT: usize = 512;

/// What a capture may be: the name becomes part of addresses and paths.
const CAPTURED: &str = "(?P<service>[A-Za-z0-9][A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]+)*)";

#[derive(Clone, Debug)]
pub(super) struct Glob {
    text: String,
    /// `None`: a literal.
    regex: Option<Regex>,
}

/// That a selector holds, and what stood for `{service}`.
pub(super) type Hit = Option<String>;

impl Selector {
    pub(super) fn new(any: Vec<All>) -> Selector {
        Selector { any }
    }

    /// Any identity name equals (or, with `{service}`, matches) the service's own.
    pub(super) fn by_name(name: &str) -> Selector {
        let test = Test {
            on: On::Any,
            glob: Glob::of_name(name),
        };
        Selector::new(vec![All(vec![test])])
    }

    /// Every record: for an output that serves one service.
    pub fn everything() -> Selector {
        Selector::new(vec![All(Vec::new())])
    }

    /// The names that this selector consists of, if it is nothing but literal names.
    pub(super) fn literal_names(&self) -> Option<Vec<&str>> {
        self.any
            .iter()
            .map(|all| match all.0.as_slice() {
                [test] if test.on == On::Any && test.glob.regex.is_none() => {
                    Some(test.glob.text.as_str())
                }
                _ => None,
            })
            .collect()
    }

    /// How often `{service}` stands in each alternative.
    pub(super) fn captures(&self) -> impl Iterator<Item = usize> + '_ {
        self.any
            .iter()
            .map(|all| all.0.iter().filter(|test| test.glob.captures()).count())
    }

    /// The labels that it compares.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        let tests = self.any.iter().flat_map(|all| &all.0);
        tests.filter_map(|test| match &test.on {
            On::Label(name) => Some(name.as_str()),
            _ => None,
        })
    }

    pub(super) fn matches(&self, names: &Names<'_>) -> Option<Hit> {
        self.any.iter().find_map(|all| all.matches(names))
    }

    /// What a service's own name gives for `{service}`, when only the name is known.
    pub(super) fn capture_of_name(pattern: &str, name: &str) -> Option<String> {
        Glob::of_name(pattern).matches(name).flatten()
    }
}

impl All {
    fn matches(&self, names: &Names<'_>) -> Option<Hit> {
        let mut captured = None;
        for test in &self.0 {
            captured = test.matches(names)?.or(captured);
        }
        Some(captured)
    }
}

impl Test {
    /// Reads `KIND:GLOB` or `GLOB`. The error is what is wrong, and the remedy.
    pub(super) fn parse(text: &str) -> Result<Test, (String, String)> {
        let (kind, rest) = text.split_once(':').unwrap_or(("", text));
        if kind == "label" {
            let Some((name, glob)) = rest.split_once('=') else {
                let remedy = "write label:NAME=GLOB such as label:app=checkout";
                return Err(("`label:` needs a value".to_owned(), remedy.to_owned()));
            };
            return Test::new(On::Label(name.trim().to_owned()), glob);
        }
        match On::plain(kind) {
            Some(on) => Test::new(on, rest),
            None => Err((
                format!("`{kind}:` is no kind of name"),
                crate::registry::complaint::did_you_mean(kind, &KINDS),
            )),
        }
    }

    /// From a table's key and value.
    pub(super) fn of_kind(kind: &str, glob: &str) -> Result<Test, (String, String)> {
        Test::parse(&format!("{kind}:{glob}"))
    }

    fn new(on: On, glob: &str) -> Result<Test, (String, String)> {
        Glob::parse(glob.trim()).map(|glob| Test { on, glob })
    }

    fn matches(&self, names: &Names<'_>) -> Option<Hit> {
        let one = |name: Option<&str>| name.and_then(|name| self.glob.matches(name));
        match &self.on {
            On::Any => self.matches_any(names),
            On::Tag => one(Some(names.tag)),
            On::Container => one(names.container),
            On::Image => one(names.image),
            On::Label(label) => one(names.label(label)),
            On::Unit => {
                let bare = names.unit.map(|unit| unit.trim_end_matches(".service"));
                one(bare).or_else(|| one(names.unit))
            }
            On::App => one(names.app),
            On::Service => one(names.service),
            On::Family => one(names.family),
            On::Namespace => one(names.namespace),
            On::Pod => one(names.pod),
        }
    }

    /// A tag says little about the service where the source has a name of its own, so a
    /// capture takes it only where there is none.
    fn matches_any(&self, names: &Names<'_>) -> Option<Hit> {
        let tag_too = !self.glob.captures() || names.identity().next().is_none();
        let tag = tag_too.then_some(names.tag).filter(|tag| !tag.is_empty());
        names
            .identity()
            .chain(tag)
            .find_map(|name| self.glob.matches(name))
    }
}

impl On {
    fn plain(kind: &str) -> Option<On> {
        match kind {
            "" => Some(On::Any),
            "tag" => Some(On::Tag),
            "container" => Some(On::Container),
            "image" => Some(On::Image),
            "unit" => Some(On::Unit),
            "app" => Some(On::App),
            "service" => Some(On::Service),
            "family" => Some(On::Family),
            "namespace" => Some(On::Namespace),
            "pod" => Some(On::Pod),
            _ => None,
        }
    }
}

impl Glob {
    pub(super) fn parse(text: &str) -> Result<Glob, (String, String)> {
        if text.is_empty() {
            let remedy = "write a name, or * for any";
            return Err(("an empty match".to_owned(), remedy.to_owned()));
        }
        if text.len() > GLOB_LIMIT {
            let remedy = format!("keep it under {GLOB_LIMIT} bytes");
            return Err(("a match that is too long".to_owned(), remedy));
        }
        if text.matches(CAPTURE).count() > 1 {
            let remedy = "capture the name once";
            return Err((format!("`{CAPTURE}` twice in one match"), remedy.to_owned()));
        }
        Glob::compile(text, true)
            .ok_or_else(|| (format!("`{text}` cannot be used as a match"), String::new()))
    }

    /// A service's name: `*` and `?` cannot stand in it.
    fn of_name(name: &str) -> Glob {
        Glob::compile(name, false).unwrap_or(Glob {
            text: name.to_owned(),
            regex: None,
        })
    }

    fn compile(text: &str, wild: bool) -> Option<Glob> {
        let literal = !(text.contains(CAPTURE) || wild && text.contains(['*', '?']));
        let regex = if literal {
            None
        } else {
            Some(Regex::new(&pattern(text, wild)).ok()?)
        };
        Some(Glob {
            text: text.to_owned(),
            regex,
        })
    }

    fn captures(&self) -> bool {
        self.text.contains(CAPTURE)
    }

    pub(super) fn is_literal(&self) -> bool {
        self.regex.is_none()
    }

    pub(super) fn matches(&self, name: &str) -> Option<Hit> {
        let Some(regex) = &self.regex else {
            return (self.text == name).then_some(None);
        };
        if !self.captures() {
            return regex.is_match(name).then_some(None);
        }
        let found = regex.captures(name)?;
        found
            .name("service")
            .map(|part| Some(part.as_str().to_owned()))
    }
}

fn pattern(text: &str, wild: bool) -> String {
    let mut regex = String::from("^(?s:");
    for (at, piece) in text.split(CAPTURE).enumerate() {
        if at > 0 {
            regex.push_str(CAPTURED);
        }
        for c in piece.chars() {
            match c {
                '*' if wild => regex.push_str(".*"),
                '?' if wild => regex.push('.'),
                _ => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
        }
    }
    regex.push_str(")$");
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(text: &str, names: &Names<'_>) -> Option<Hit> {
        let test = Test::parse(text).unwrap();
        Selector::new(vec![All(vec![test])]).matches(names)
    }

    const CHECKOUT: Names<'_> = Names {
        tag: "kube.shop.checkout",
        container: Some("checkout"),
        image: Some("ghcr.io/acme/checkout:3f2c1ab"),
        labels: &[("app", "shop-checkout")],
        engine: None,
        unit: None,
        identifier: None,
        app: None,
        service: None,
        family: None,
        namespace: Some("shop"),
        pod: Some("checkout-7d9c5b-x2x4z"),
    };

    #[test]
    fn globs_on_each_kind_of_name() {
        for yes in [
            "checkout",
            "check*",
            "c?eckout",
            "kube.shop.*",
            "tag:kube.*",
            "container:checkout",
            "image:*/acme/checkout:*",
            "label:app=shop-*",
            "namespace:shop",
            "pod:checkout-*",
        ] {
            assert_eq!(hit(yes, &CHECKOUT), Some(None), "{yes}");
        }
        for no in [
            "checkou",
            "Checkout",
            "tag:checkout",
            "label:tier=*",
            "unit:*",
            "pod:checkout",
        ] {
            assert_eq!(hit(no, &CHECKOUT), None, "{no}");
        }
    }

    #[test]
    fn captures_are_names_and_take_as_much_as_they_can() {
        let some = |text: &str| Some(Some(text.to_owned()));
        assert_eq!(hit("pod:{service}-*-*", &CHECKOUT), some("checkout"));
        assert_eq!(hit("shop-{service}", &CHECKOUT), some("checkout"));
        assert_eq!(hit("kube.shop.{service}", &CHECKOUT), None);
        let only_tag = Names {
            tag: "app.cart",
            ..Names::default()
        };
        assert_eq!(hit("app.{service}", &only_tag), some("cart"));
        for hostile in ["app.../../etc", "app.a/b", "app.-x", "app.a..b", "app.a b"] {
            let names = Names {
                tag: hostile,
                ..Names::default()
            };
            assert_eq!(hit("app.{service}", &names), None, "{hostile}");
        }
    }

    #[test]
    fn faults_are_told() {
        for bad in [
            "",
            "tga:x",
            "label:app",
            "{service}-{service}",
            "container:",
        ] {
            assert!(Test::parse(bad).is_err(), "{bad}");
        }
        assert!(Test::parse("tga:x").unwrap_err().1.contains("`tag`"));
    }
}
