//! Which paths a patch may touch: never what runs elsewhere than in the service, what cannot be
//! taken back, what is made by tools, or what holds secrets. Names only; reads no file.

use crate::source::glob;

/// What a team says about paths, as patterns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules<'a> {
    /// May be touched although a rule here protects it.
    pub allow: &'a [String],
    /// Must not be touched.
    pub protect: &'a [String],
}

/// A kind of file with its patterns, in lower case.
struct Kind {
    what: &'static str,
    patterns: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        what: "a migration",
        patterns: &[
            "migrations",
            "migration",
            "migrate",
            "alembic/versions",
            "**/alembic/versions",
            "db/changelog",
            "**/db/changelog",
            "liquibase",
            "flyway",
            "v[0-9]*__*.sql",
            "db/schema.rb",
            "**/db/schema.rb",
            "db/structure.sql",
            "**/db/structure.sql",
        ],
    },
    Kind {
        what: "a lock file",
        patterns: &[
            "*.lock",
            "*.lockb",
            "package-lock.json",
            "npm-shrinkwrap.json",
            "pnpm-lock.yaml",
            "go.sum",
            "*.lockfile",
            "packages.lock.json",
            "gradle.lockfile",
            "package.resolved",
        ],
    },
    Kind {
        what: "a workflow file",
        patterns: &[
            ".github/workflows",
            ".github/actions",
            "**/.github/workflows",
            "**/.github/actions",
            ".gitlab-ci.yml",
            ".gitlab",
            ".circleci",
            "jenkinsfile",
            "jenkinsfile.*",
            "azure-pipelines*.yml",
            ".drone.yml",
            ".travis.yml",
            ".buildkite",
            ".woodpecker",
            ".woodpecker.yml",
            "bitbucket-pipelines.yml",
            "cloudbuild.yaml",
            "buildspec.yml",
            ".forgejo",
            ".gitea",
            ".teamcity",
            ".ci",
        ],
    },
    Kind {
        what: "a rule about who reviews or what git does",
        patterns: &[
            "codeowners",
            ".gitmodules",
            ".gitattributes",
            ".githooks",
            ".husky",
            ".git-blame-ignore-revs",
        ],
    },
    Kind {
        what: "copied from elsewhere",
        patterns: &[
            "vendor",
            "node_modules",
            "third_party",
            "thirdparty",
            ".venv",
            "site-packages",
            "bower_components",
        ],
    },
    Kind {
        what: "generated",
        patterns: &[
            "*.pb.go",
            "*_pb2.py",
            "*_pb2_grpc.py",
            "*.pb.h",
            "*.pb.cc",
            "*.min.js",
            "*.min.css",
            "*.generated.*",
            "*_generated.*",
            "generated",
            "zz_generated*",
            "*.g.dart",
            "*.snap",
            "dist",
            "__pycache__",
            "*.map",
        ],
    },
    Kind {
        what: "a place for secrets",
        patterns: &[
            ".env",
            ".env.*",
            "*.pem",
            "*.key",
            "*.p12",
            "*.pfx",
            "*.jks",
            "*.keystore",
            "id_rsa*",
            "id_ed25519*",
            "*.kdbx",
            ".npmrc",
            ".pypirc",
            ".netrc",
            ".aws/credentials",
            "**/.aws/credentials",
            "credentials.json",
            "credentials.y*ml",
            "secrets.json",
            "secrets.y*ml",
            "secrets.toml",
        ],
    },
];

/// Files that tools run by themselves, when something is built, tested, installed or opened: who
/// changes one runs code on another machine. In lower case.
const EXECUTED: &[&str] = &[
    // Python
    "conftest.py",
    "setup.py",
    "setup.cfg",
    "pyproject.toml",
    "tox.ini",
    "noxfile.py",
    "pytest.ini",
    "sitecustomize.py",
    "usercustomize.py",
    "*.pth",
    "fabfile.py",
    "dodo.py",
    "wscript",
    "sconstruct",
    "sconscript",
    ".coveragerc",
    ".pylintrc",
    "pylintrc",
    "mypy.ini",
    "manage.py",
    "requirements*.txt",
    "requirements*.in",
    "pipfile",
    "environment.yml",
    "manifest.in",
    ".flake8",
    "gunicorn.conf.py",
    "docs/conf.py",
    // JavaScript
    "package.json",
    "tsconfig*.json",
    "jsconfig.json",
    "*.config.js",
    "*.config.cjs",
    "*.config.mjs",
    "*.config.ts",
    "*.config.mts",
    "*.config.cts",
    "*.setup.js",
    "*.setup.ts",
    "karma.conf.*",
    "gulpfile*",
    "gruntfile*",
    "jakefile*",
    "lerna.json",
    "nx.json",
    "turbo.json",
    ".pnpmfile.cjs",
    "pnpm-workspace.yaml",
    "setuptests.*",
    "binding.gyp",
    "bunfig.toml",
    "deno.json*",
    "__mocks__",
    // Go, Rust, C
    "go.mod",
    "go.work",
    "build.rs",
    "cargo.toml",
    ".cargo",
    "rust-toolchain*",
    "cmakelists.txt",
    "*.cmake",
    "cmakepresets.json",
    "configure.ac",
    "*.am",
    "*.m4",
    "meson.build",
    "makefile",
    "makefile.*",
    "gnumakefile",
    "*.mk",
    "justfile",
    "taskfile.y*ml",
    "magefile.go",
    "*.bazel",
    "*.bzl",
    "*.ninja",
    "conanfile*",
    "vcpkg.json",
    // Java and others on its machine
    "pom.xml",
    "build.gradle*",
    "settings.gradle*",
    "*.gradle",
    "*.gradle.kts",
    "gradle.properties",
    "gradlew*",
    "mvnw*",
    ".mvn",
    "gradle/wrapper",
    "**/gradle/wrapper",
    "build.xml",
    "build.sbt",
    "project/*.sbt",
    "project/build.properties",
    "buildsrc",
    "*.sbt",
    "build.sc",
    // Ruby, PHP, Elixir, .NET, Dart
    "rakefile",
    "*.rake",
    "gemfile",
    "*.gemspec",
    "guardfile",
    "capfile",
    "spec_helper.rb",
    "rails_helper.rb",
    "test_helper.rb",
    "config.ru",
    "vagrantfile",
    "fastfile",
    "podfile",
    "composer.json",
    "phpunit.xml*",
    "phpunit*.php",
    "robo.php",
    "rector.php",
    "phpstan*",
    "mix.exs",
    "test_helper.exs",
    "rebar.config*",
    "*.csproj",
    "*.fsproj",
    "*.vbproj",
    "*.sln",
    "*.props",
    "*.targets",
    "nuget.config",
    "global.json",
    "pubspec.yaml",
    "build.yaml",
    // Containers, machines, shells
    "dockerfile",
    "dockerfile.*",
    "*.dockerfile",
    "containerfile",
    "docker-compose*",
    "compose.y*ml",
    ".dockerignore",
    "procfile*",
    "*.sh",
    "*.bash",
    "*.zsh",
    "*.fish",
    "*.ksh",
    "*.ps1",
    "*.bat",
    "*.cmd",
    "*.service",
    "*.tf",
    "*.tfvars",
    "*.hcl",
    "*.nix",
    "chart.yaml",
    "skaffold.yaml",
    "helmfile*",
    "ansible.cfg",
    "crontab",
    ".devcontainer",
    // What begins with a dot is read by tools, and by nobody else
    ".*rc",
    ".*rc.*",
    ".npmrc",
    ".yarn",
    ".tool-versions",
    ".envrc",
    ".direnv",
    ".vscode",
    ".idea",
    ".pre-commit-config.yaml",
    ".pre-commit-hooks.yaml",
    ".lintstagedrc*",
    ".editorconfig",
    ".gitconfig",
    ".gitignore",
    ".mcp.json",
    ".cursor",
    ".claude",
    ".python-version",
    ".ruby-version",
    ".rspec",
    ".htaccess",
    ".user.ini",
    "php.ini",
    ".bazelrc",
    ".clang-tidy",
    ".eslintrc*",
    // What other machines read as their orders
    "agents.md",
    "claude.md",
    "gemini.md",
    ".cursorrules",
    ".windsurfrules",
    "copilot-instructions.md",
];

/// The same by their very name, which in lower case is a folder's as well.
const BY_NAME: &[&str] = &["BUILD", "WORKSPACE", "configure", "Build", "Earthfile"];

/// What protects a path: `"a migration"`, `"a lock file"`…
pub fn protects(path: &str, rules: &Rules<'_>) -> Option<&'static str> {
    if rules
        .protect
        .iter()
        .any(|pattern| glob::covers(pattern, path))
    {
        return Some("protected by the registry");
    }
    if rules
        .allow
        .iter()
        .any(|pattern| glob::covers(pattern, path))
    {
        return None;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let path = path.to_lowercase();
    let any = |patterns: &[&str]| patterns.iter().any(|pattern| fits(pattern, &path));
    KINDS
        .iter()
        .find(|kind| any(kind.patterns))
        .map(|kind| kind.what)
        .or_else(|| {
            (any(EXECUTED) || BY_NAME.contains(&name))
                .then_some("run by tools that build, test or deploy")
        })
}

fn fits(pattern: &str, path: &str) -> bool {
    // Flyway's V12__name.sql is the one pattern that needs a digit.
    if let Some(rest) = pattern.strip_prefix("v[0-9]*") {
        let name = path.rsplit('/').next().unwrap_or(path);
        let digits = name
            .strip_prefix('v')
            .is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()));
        return digits && glob::matches(&format!("v*{rest}"), name);
    }
    glob::covers(pattern, path)
}

/// Why a patch must not touch a path.
pub(super) fn forbids(path: &str, rules: &Rules<'_>) -> Option<String> {
    let strange = path.is_empty()
        || path.len() > 1_000
        || path.starts_with('/')
        || path.contains(['\\', '\0'])
        || path.chars().any(char::is_control)
        || path
            .split('/')
            .any(|name| matches!(name, "" | "." | "..") || name.eq_ignore_ascii_case(".git"));
    if strange {
        return Some(format!("{path:?} is no path that a patch may have"));
    }
    protects(path, rules).map(|what| format!("{path} is {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_kinds_are_found_in_any_folder() {
        for (path, what) in [
            ("shop/migrations/0001_a.py", "a migration"),
            ("db/migrate/20260101_a.rb", "a migration"),
            ("src/main/resources/V12__add.sql", "a migration"),
            ("a/Cargo.lock", "a lock file"),
            ("web/package-lock.json", "a lock file"),
            (".github/workflows/ci.yml", "a workflow file"),
            ("Jenkinsfile", "a workflow file"),
            ("api/user_pb2.py", "generated"),
            ("go/vendor/x/y.go", "copied from elsewhere"),
            ("deploy/.env.production", "a place for secrets"),
            (
                "tests/conftest.py",
                "run by tools that build, test or deploy",
            ),
            ("Makefile", "run by tools that build, test or deploy"),
            (
                "web/package.json",
                "run by tools that build, test or deploy",
            ),
            ("jest.config.js", "run by tools that build, test or deploy"),
            (
                "crates/a/build.rs",
                "run by tools that build, test or deploy",
            ),
            ("pkg/BUILD", "run by tools that build, test or deploy"),
            (".eslintrc.json", "run by tools that build, test or deploy"),
            (
                "app/Dockerfile.dev",
                "run by tools that build, test or deploy",
            ),
        ] {
            assert_eq!(protects(path, &Rules::default()), Some(what), "{path}");
        }
        for path in [
            "shop/cart.py",
            "src/Vendor.java",
            "lib/lock.rs",
            "a/view__b.sql",
            "environment.py",
            "lib/builder.rb",
            "src/binary/tree.go",
            "package.js",
            "shop/makefiles.py",
            "src/jester.js",
            "app/workspace/build/tasks.py",
            "src/bin/serve.rs",
            "stats/rollup.py",
        ] {
            assert_eq!(protects(path, &Rules::default()), None, "{path}");
        }
    }

    #[test]
    fn a_team_can_allow_and_protect() {
        let (allow, protect) = (["dist/".to_owned()], ["core/**/*.py".to_owned()]);
        let rules = Rules {
            allow: &allow,
            protect: &protect,
        };
        assert_eq!(protects("dist/a.js", &rules), None);
        assert!(protects("core/a/b.py", &rules).is_some());
    }

    #[test]
    fn paths_stay_inside() {
        for path in [
            "",
            "/a",
            "../a",
            "a/../b",
            "a//b",
            ".git/config",
            "a/.GIT/hooks/x",
            "a\nb",
            r"a\b",
        ] {
            assert!(forbids(path, &Rules::default()).is_some(), "{path:?}");
        }
        assert_eq!(forbids("a b/ü.py", &Rules::default()), None);
    }
}
