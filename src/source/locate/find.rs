//! From a printed path to a path of the repository: how much of both agrees, and how sure that
//! makes. Looks at names only; text and order are others' business.

use crate::model::{Frame, Language, Settings};
use crate::source::locate::printed::{Origin, Printed, place};
use std::collections::HashMap;

/// A file of the repository that a frame may name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Match {
    pub file: String,
    /// 0 to 1, by names alone.
    pub sure: f64,
    pub why: String,
    /// What stood before the repository's path, where the whole of it was printed.
    pub above: Option<Vec<String>>,
    /// What stood before the names that agree, where the path was absolute.
    pub head: Option<Vec<String>>,
    /// How many names of the repository's path were printed.
    pub agreed: usize,
}

/// The repository's paths by file name.
pub(super) struct Index<'a> {
    by_name: HashMap<&'a str, Vec<&'a str>>,
    settings: &'a Settings,
    /// Go modules of the repository: module path and folder.
    modules: Vec<(String, String)>,
}

/// Most files of one name that are compared.
const SAME_NAME_LIMIT: usize = 5_000;

/// Names that say nothing about which file is meant.
const COMMON: &[&str] = &[
    "__init__.py",
    "__main__.py",
    "main.py",
    "utils.py",
    "base.py",
    "models.py",
    "views.py",
    "index.js",
    "index.ts",
    "main.js",
    "main.ts",
    "utils.js",
    "main.go",
    "utils.go",
    "main.rs",
    "lib.rs",
    "mod.rs",
    "core.py",
    "config.py",
    "app.py",
    "errors.py",
    "exceptions.py",
];

impl<'a> Index<'a> {
    pub fn new(
        paths: &'a [String],
        settings: &'a Settings,
        modules: Vec<(String, String)>,
    ) -> Index<'a> {
        let mut by_name: HashMap<&str, Vec<&str>> = HashMap::new();
        for path in paths {
            let name = path.rsplit('/').next().unwrap_or(path);
            by_name.entry(name).or_default().push(path);
        }
        Index {
            by_name,
            settings,
            modules,
        }
    }

    pub(super) fn named(&self, name: &str) -> &[&'a str] {
        let all = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        all.get(..SAME_NAME_LIMIT).unwrap_or(all)
    }

    fn has(&self, path: &str) -> Option<&'a str> {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.named(name).iter().find(|p| **p == path).copied()
    }

    /// The files that a frame may name, best first; several only where they are equally good.
    pub fn find(&self, language: Language, frame: &Frame) -> Vec<Match> {
        if language == Language::Java {
            return self.find_class(frame);
        }
        let Some(printed) = Printed::of(language, frame) else {
            return Vec::new();
        };
        if printed.origin == Origin::Foreign {
            return Vec::new();
        }
        if language == Language::Go
            && let Some(found) = self.find_in_module(&printed)
        {
            return vec![found];
        }
        if printed.origin == Origin::Installed {
            return self.find_installed(&printed, language);
        }
        let mut found = self.find_open(&printed);
        // A vendored package is not the own file of the same name.
        let vendored = |path: &str| path.split('/').any(|name| name == "vendor");
        if language == Language::Go && printed.names.iter().any(|name| name == "vendor") {
            found.retain(|one| vendored(&one.file));
        }
        if language == Language::Javascript
            && (found.len() > 1 || found.iter().all(|m| m.sure < 0.5))
        {
            let built = self.find_source_of_built(&printed);
            if !built.is_empty() {
                return built;
            }
        }
        found
    }

    fn find_open(&self, printed: &Printed) -> Vec<Match> {
        if let Some(found) = self.by_prefix(printed) {
            return vec![found];
        }
        let names = &printed.names;
        if !printed.absolute
            && let Some(file) = self.exact(names)
        {
            return vec![whole(
                file,
                names.len(),
                0.95,
                "the printed path is the repository's",
            )];
        }
        let place = if printed.absolute { place(names) } else { None };
        if let Some(at) = place
            && let rest = &names[at..]
            && let Some(file) = self.exact(rest)
        {
            let why = format!("the repository's path below /{}", names[..at].join("/"));
            let mut found = whole(file, rest.len(), 0.93, &why);
            found.above = Some(names[..at].to_vec());
            return vec![found];
        }
        self.by_suffix(names, place, printed.absolute)
    }

    /// A prefix that the registry names stands for the service's folder.
    fn by_prefix(&self, printed: &Printed) -> Option<Match> {
        self.settings.path_prefixes.iter().find_map(|prefix| {
            let prefix = prefix.replace('\\', "/");
            let head: Vec<&str> = prefix
                .split('/')
                .filter(|n| !n.is_empty() && !n.ends_with(':'))
                .collect();
            let matched = printed.names.len() > head.len()
                && printed.names.iter().zip(&head).all(|(a, b)| a == b);
            let rest = printed.names.get(head.len()..).filter(|_| matched)?;
            let file = self.exact(rest)?;
            let why = format!("the registry's prefix {prefix} stands for the service's folder");
            Some(whole(file, rest.len(), 0.98, &why))
        })
    }

    /// The file of exactly these names, in the service's folder or from the top.
    fn exact(&self, names: &[String]) -> Option<&'a str> {
        let path = names.join("/");
        let root = self.settings.root.trim_matches('/');
        if !root.is_empty()
            && let Some(file) = self.has(&format!("{root}/{path}"))
        {
            return Some(file);
        }
        self.has(&path)
    }

    /// By how many of the last names agree.
    fn by_suffix(&self, names: &[String], place: Option<usize>, absolute: bool) -> Vec<Match> {
        let Some(name) = names.last() else {
            return Vec::new();
        };
        let mut found: Vec<Match> = Vec::new();
        for file in self.named(name) {
            let agreed = agreed(names, file);
            let length = file.split('/').count();
            let below = names.len() - place.unwrap_or(0);
            let (sure, why) = if agreed == length {
                let sure = [0.75, 0.9, 0.95][agreed.clamp(1, 3) - 1];
                (
                    sure,
                    "the whole repository path ends the printed one".to_owned(),
                )
            } else if agreed >= below && (place.is_some() || !absolute) {
                let sure = [0.6, 0.8, 0.9][agreed.clamp(1, 3) - 1];
                let sure = if self.in_root(file) {
                    sure + 0.05
                } else {
                    sure
                };
                (
                    sure * head_weight(file, agreed),
                    "the whole printed path ends the repository's".to_owned(),
                )
            } else if agreed >= 2 {
                let sure = if agreed >= 3 { 0.7 } else { 0.5 };
                (
                    sure * head_weight(file, agreed),
                    format!("the last {agreed} names agree"),
                )
            } else if COMMON.contains(&name.as_str()) {
                continue;
            } else {
                (0.2, "only the file's name agrees".to_owned())
            };
            let head = absolute.then(|| names[..names.len() - agreed].to_vec());
            let above = head.clone().filter(|_| agreed == length);
            found.push(Match {
                file: (*file).to_owned(),
                sure,
                why,
                above,
                head,
                agreed,
            });
        }
        best_of(found)
    }

    pub(super) fn in_root(&self, file: &str) -> bool {
        let root = self.settings.root.trim_matches('/');
        !root.is_empty()
            && file
                .strip_prefix(root)
                .is_some_and(|rest| rest.starts_with('/'))
    }

    /// An installed package is the service's own only where the repository holds that package.
    fn find_installed(&self, printed: &Printed, language: Language) -> Vec<Match> {
        let mut names = &printed.names[..];
        let scoped = language == Language::Javascript
            && names.first().is_some_and(|name| name.starts_with('@'));
        if language == Language::Go {
            return Vec::new();
        }
        if scoped {
            names = names.get(1..).unwrap_or_default();
        }
        let Some(name) = names.last() else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for file in self.named(name) {
            let agreed = agreed(names, file);
            if agreed < names.len() {
                continue;
            }
            let top = agreed == file.split('/').count();
            let sure = match (agreed, top) {
                (1, true) => 0.6,
                (1, false) => 0.3,
                (_, true) => 0.92,
                (_, false) => 0.85,
            };
            found.push(Match {
                file: (*file).to_owned(),
                sure: sure * head_weight(file, agreed),
                why: "an installed copy of the repository's own package".to_owned(),
                above: None,
                head: None,
                agreed,
            });
        }
        best_of(found)
    }

    /// Compiled JavaScript in a build folder, and the source that it may come from. Lines differ.
    fn find_source_of_built(&self, printed: &Printed) -> Vec<Match> {
        const BUILT: &[&str] = &["dist", "build", "out", "lib", ".next", "output", "compiled"];
        let Some(at) = printed
            .names
            .iter()
            .rposition(|n| BUILT.contains(&n.as_str()))
        else {
            return Vec::new();
        };
        let mut rest: Vec<String> = printed.names[at + 1..].to_vec();
        let Some(stem) = rest
            .pop()
            .and_then(|name| Some(name.rsplit_once('.')?.0.to_owned()))
        else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for extension in ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs"] {
            let name = format!("{stem}.{extension}");
            let mut names = rest.clone();
            names.push(name.clone());
            for file in self.named(&name) {
                let agreed = agreed(&names, file);
                if agreed == names.len() || agreed >= 2 {
                    found.push(Match {
                        file: (*file).to_owned(),
                        sure: if agreed == names.len() { 0.45 } else { 0.3 },
                        why: "source of a built file; its line may differ".to_owned(),
                        above: None,
                        head: None,
                        agreed,
                    });
                }
            }
        }
        best_of(found)
    }

    /// A path that begins with a module of the repository, as `-trimpath`, GOPATH and the module
    /// cache print it.
    fn find_in_module(&self, printed: &Printed) -> Option<Match> {
        let text = printed.names.join("/");
        self.modules.iter().find_map(|(module, folder)| {
            let at = text.find(module.as_str())?;
            if at > 0 && !text[..at].ends_with('/') {
                return None;
            }
            let rest = &text[at + module.len()..];
            let rest = match rest.strip_prefix('@') {
                Some(versioned) => versioned.split_once('/')?.1,
                None => rest.strip_prefix('/')?,
            };
            let path = if folder.is_empty() {
                rest.to_owned()
            } else {
                format!("{folder}/{rest}")
            };
            let file = self.has(&path)?;
            let why = format!("in the repository's module {module}");
            Some(whole(file, rest.split('/').count(), 0.97, &why))
        })
    }
}

fn whole(file: &str, agreed: usize, sure: f64, why: &str) -> Match {
    Match {
        file: file.to_owned(),
        sure,
        why: why.to_owned(),
        above: None,
        head: None,
        agreed,
    }
}

/// How many of the last names are the same.
pub(super) fn agreed(names: &[String], file: &str) -> usize {
    names
        .iter()
        .rev()
        .zip(file.rsplit('/'))
        .take_while(|(a, b)| a.as_str() == *b)
        .count()
}

/// How likely code runs from where the file lies: what stands before the agreed names.
pub(super) fn head_weight(file: &str, agreed: usize) -> f64 {
    let length = file.split('/').count();
    let mut head = file.split('/').take(length.saturating_sub(agreed));
    let odd = |name: &str| {
        let name = name.to_ascii_lowercase();
        [
            "test",
            "tests",
            "testdata",
            "docs",
            "doc",
            "example",
            "examples",
            "fixtures",
            "vendor",
            "third_party",
            "benchmarks",
            "samples",
        ]
        .contains(&name.as_str())
    };
    if head.any(odd) { 0.4 } else { 1.0 }
}

/// The best matches by names alone; which of several equally good ones is meant is not known here.
pub(super) fn best_of(mut found: Vec<Match>) -> Vec<Match> {
    found.sort_by(|a, b| {
        let by_sure = b.sure.total_cmp(&a.sure).then(b.agreed.cmp(&a.agreed));
        by_sure
            .then_with(|| a.file.len().cmp(&b.file.len()))
            .then_with(|| a.file.cmp(&b.file))
    });
    found.dedup_by(|a, b| a.file == b.file);
    let Some(best) = found.first().map(|m| (m.sure, m.agreed)) else {
        return found;
    };
    found.retain(|m| m.sure >= best.0 - 0.001 && m.agreed == best.1);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(
        language: Language,
        paths: &[&str],
        file: &str,
        function: &str,
    ) -> Option<(String, f64)> {
        find_with(&Settings::default(), language, paths, file, function)
    }

    fn find_with(
        settings: &Settings,
        language: Language,
        paths: &[&str],
        file: &str,
        function: &str,
    ) -> Option<(String, f64)> {
        let paths: Vec<String> = paths.iter().map(|p| (*p).to_owned()).collect();
        let index = Index::new(
            &paths,
            settings,
            vec![("github.com/acme/shop".into(), "go".into())],
        );
        let frame = Frame {
            file: Some(file.to_owned()),
            line: Some(1),
            function: Some(function.to_owned()),
        };
        let found = index.find(language, &frame);
        found.first().map(|m| (m.file.clone(), m.sure))
    }

    #[test]
    fn container_and_build_prefixes() {
        let paths = [
            "shop/cart.py",
            "services/api/app/views.py",
            "main.py",
            "tests/main.py",
        ];
        for (printed, file) in [
            ("/app/shop/cart.py", "shop/cart.py"),
            ("/usr/src/app/shop/cart.py", "shop/cart.py"),
            ("/home/runner/work/x/x/shop/cart.py", "shop/cart.py"),
            (r"C:\srv\shop\cart.py", "shop/cart.py"),
            ("/srv/v12/current/shop/cart.py", "shop/cart.py"),
            (
                "/usr/lib/python3/dist-packages/shop/cart.py",
                "shop/cart.py",
            ),
            ("/app/app/views.py", "services/api/app/views.py"),
            ("app/views.py", "services/api/app/views.py"),
            ("/app/main.py", "main.py"),
        ] {
            let (found, sure) = find(Language::Python, &paths, printed, "f").expect(printed);
            assert_eq!(found, file, "{printed}");
            assert!(sure >= 0.75, "{printed}: {sure}");
        }
        for printed in [
            "/usr/lib/python3.12/shop/cart.py",
            "/x/site-packages/other/shop/cart.py",
            "/x/site-packages/cart/views.py",
            "<frozen importlib._bootstrap>",
        ] {
            assert_eq!(
                find(Language::Python, &paths, printed, "f"),
                None,
                "{printed}"
            );
        }
    }

    #[test]
    fn umbrella_applications_and_deployed_trees() {
        let paths = [
            "apps/shop/lib/shop/cart.ex",
            "app/models/cart.rb",
            "src/Cart.php",
        ];
        for (language, file, function, expected) in [
            (
                Language::Elixir,
                "lib/shop/cart.ex",
                "Shop.Cart.total/1",
                paths[0],
            ),
            (
                Language::Ruby,
                "/srv/shop/releases/7/app/models/cart.rb",
                "total",
                paths[1],
            ),
            (Language::Ruby, "app/models/cart.rb", "total", paths[1]),
            (
                Language::Php,
                "/var/www/html/src/Cart.php",
                "Cart->total",
                paths[2],
            ),
        ] {
            let (found, sure) = find(language, &paths, file, function).expect(file);
            assert_eq!(found, expected, "{file}");
            assert!(sure >= 0.5, "{file}: {sure}");
        }
        let library = "/app/vendor/acme/x/src/Cart.php";
        assert_eq!(find(Language::Php, &paths, library, "Cart->total"), None);
        assert_eq!(
            find(
                Language::Elixir,
                &["lib/enum.ex"],
                "lib/enum.ex",
                "Enum.map/2"
            ),
            None
        );
    }

    #[test]
    fn the_registrys_prefix_goes_first() {
        let settings = Settings {
            root: "services/api".into(),
            path_prefixes: vec!["/opt/run/".into()],
            ..Settings::default()
        };
        let paths = ["main.py", "services/api/main.py"];
        for printed in ["/opt/run/main.py", "/app/main.py", "main.py"] {
            let found = find_with(&settings, Language::Python, &paths, printed, "f").unwrap();
            assert_eq!(found.0, "services/api/main.py", "{printed}");
        }
    }

    #[test]
    fn java_packages() {
        let paths = [
            "api/src/main/java/com/acme/shop/Cart.java",
            "old/src/main/java/com/acme/old/Cart.java",
            "k/src/main/kotlin/shop/Pay.kt",
        ];
        for (file, function, expected) in [
            ("Cart.java", "com.acme.shop.Cart$Line.total", paths[0]),
            ("Cart.java", "app//com.acme.old.Cart.lambda$a$0", paths[1]),
            ("Unknown Source", "com.acme.old.Cart.<init>", paths[1]),
            ("Pay.kt", "com.acme.shop.PayKt.pay", paths[2]),
        ] {
            let found = find(Language::Java, &paths, file, function).expect(function);
            assert_eq!(found.0, expected, "{function}");
        }
        assert_eq!(
            find(Language::Java, &paths, "Cart.java", "com.other.Cart.x"),
            None
        );
        assert_eq!(
            find(Language::Java, &paths, "Pay.kt", "kotlinx.x.Pay.x"),
            None
        );
    }

    #[test]
    fn go_modules_and_rust_crates_and_bundles() {
        let paths = [
            "go/pkg/store/db.go",
            "src/cart/total.ts",
            "crates/a/src/lib.rs",
            "src/main.rs",
            "b/src/main.rs",
        ];
        for (language, file, expected) in [
            (
                Language::Go,
                "github.com/acme/shop/pkg/store/db.go",
                paths[0],
            ),
            (
                Language::Go,
                "/go/pkg/mod/github.com/acme/shop@v1.2.0/pkg/store/db.go",
                paths[0],
            ),
            (Language::Go, "/build/pkg/store/db.go", paths[0]),
            (
                Language::Javascript,
                "webpack:///./src/cart/total.ts",
                paths[1],
            ),
            (Language::Javascript, "/app/dist/cart/total.js", paths[1]),
            (Language::Rust, "crates/a/src/lib.rs", paths[2]),
            (Language::Rust, "./src/main.rs", paths[3]),
        ] {
            assert_eq!(
                find(language, &paths, file, "f").expect(file).0,
                expected,
                "{file}"
            );
        }
        let vendored = "/app/vendor/github.com/other/pkg/store/db.go";
        assert_eq!(find(Language::Go, &paths, vendored, "f"), None);
        let library = "/go/pkg/mod/github.com/other/shop@v1.2.0/pkg/store/db.go";
        assert_eq!(find(Language::Go, &paths, library, "f"), None);
        let built = find(Language::Javascript, &paths, "/app/dist/cart/total.js", "f").unwrap();
        assert!(built.1 < 0.5, "lines of a built file are not the source's");
    }
}
