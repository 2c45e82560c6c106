//! Java, Kotlin and Scala frames: the class and its package name the folders of the file.

use crate::model::Frame;
use crate::source::locate::find::{Index, Match, agreed, best_of, head_weight};

impl Index<'_> {
    /// Java prints a class and a bare file name; the package gives the folders.
    pub(super) fn find_class(&self, frame: &Frame) -> Vec<Match> {
        let Some(class) = frame.function.as_deref().and_then(class_of) else {
            return Vec::new();
        };
        let mut folders: Vec<String> = class.split('.').map(str::to_owned).collect();
        let top = folders.pop().unwrap_or_default();
        let top = top.split('$').next().unwrap_or(&top).to_owned();
        let mut candidates: Vec<String> = Vec::new();
        match frame.file.as_deref().filter(|file| file.contains('.')) {
            Some(file) => {
                candidates.push(file.rsplit(['/', '\\']).next().unwrap_or(file).to_owned())
            }
            None => {
                let stem = top.strip_suffix("Kt").unwrap_or(&top);
                candidates.extend(["java", "kt", "scala", "groovy"].map(|e| format!("{top}.{e}")));
                candidates.push(format!("{stem}.kt"));
            }
        }
        let mut found = Vec::new();
        for name in candidates {
            let mut names = folders.clone();
            names.push(name.clone());
            for file in self.named(&name) {
                found.extend(self.judge_class(&names, file, &folders));
            }
        }
        best_of(found)
    }

    fn judge_class(&self, names: &[String], file: &str, folders: &[String]) -> Option<Match> {
        let agreed = agreed(names, file);
        let own_root = if self.in_root(file) { 0.03 } else { 0.0 };
        let (sure, why) = if agreed == names.len() {
            let sure = if folders.is_empty() { 0.6 } else { 0.92 };
            (sure + own_root, "the class's package and file".to_owned())
        } else if file.ends_with(".java") || foreign_package(folders) {
            return None;
        } else if agreed >= 2 {
            (
                0.65 + own_root,
                format!("the last {agreed} names of the package and file agree"),
            )
        } else {
            // Kotlin and Scala need no folders, and then usually leave out the shared ones.
            (
                0.45 + own_root,
                "the file's name; Kotlin and Scala need no folders".to_owned(),
            )
        };
        Some(Match {
            file: file.to_owned(),
            sure: sure * head_weight(file, agreed),
            why,
            above: None,
            head: None,
            agreed,
        })
    }
}

/// The class of a frame's function: everything before the method, without module and loader.
fn class_of(function: &str) -> Option<&str> {
    let text = function.rsplit('/').next().unwrap_or(function);
    let (class, _) = text.rsplit_once('.')?;
    Some(class)
}

/// Whether a package is of the runtime or of a well-known library.
fn foreign_package(folders: &[String]) -> bool {
    const FOREIGN: &[&str] = &[
        "java",
        "javax",
        "jdk",
        "sun",
        "jakarta",
        "kotlin",
        "kotlinx",
        "scala",
        "groovy",
        "akka",
        "reactor",
        "io.netty",
        "com.sun",
        "org.springframework",
        "org.apache",
        "org.hibernate",
        "org.eclipse",
        "com.fasterxml",
        "com.google",
        "org.junit",
        "io.micronaut",
        "io.quarkus",
        "com.zaxxer",
        "org.postgresql",
        "com.mysql",
        "okhttp3",
        "retrofit2",
        "io.grpc",
    ];
    let package = folders.join(".");
    FOREIGN.iter().any(|foreign| {
        package
            .strip_prefix(foreign)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
