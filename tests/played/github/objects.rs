//! The git side: blobs, trees, commits and refs in a real bare repository, so that what a client
//! makes through the API can be cloned. A fork's refs stand in the same repository under
//! `refs/forks/OWNER/NAME/`, because forks share their objects.

use git2::{ObjectType, Oid, Repository, Signature, Time};
use serde_json::{Value, json};
use std::path::Path;

pub struct Objects(Repository);

impl Objects {
    /// Opens a bare repository, or makes an empty one.
    pub fn at(path: &Path) -> Objects {
        Objects(Repository::open_bare(path).unwrap_or_else(|_| {
            let mut how = git2::RepositoryInitOptions::new();
            how.bare(true).initial_head("main");
            Repository::init_opts(path, &how).unwrap()
        }))
    }

    pub fn is_empty(&self) -> bool {
        self.0.references_glob("refs/heads/*").unwrap().count() == 0
    }

    pub fn tip(&self, name: &str) -> Option<String> {
        self.0.refname_to_id(name).ok().map(|id| id.to_string())
    }

    /// All refs that begin so.
    pub fn refs(&self, prefix: &str) -> Vec<String> {
        let glob = format!("{prefix}*");
        let refs = self.0.references_glob(&glob).unwrap();
        refs.map(|r| String::from_utf8_lossy(r.unwrap().name_bytes()).into_owned())
            .collect()
    }

    pub fn set(&self, name: &str, id: &str) {
        let id = Oid::from_str(id).unwrap();
        self.0.reference(name, id, true, "").unwrap();
    }

    /// Whether it was made; `false`: it was there.
    pub fn make_ref(&self, name: &str, id: &str) -> bool {
        let id = Oid::from_str(id).unwrap();
        self.0.reference(name, id, false, "").is_ok()
    }

    pub fn delete(&self, name: &str) {
        if let Ok(mut found) = self.0.find_reference(name) {
            found.delete().unwrap();
        }
    }

    pub fn blob(&self, bytes: &[u8]) -> String {
        self.0.blob(bytes).unwrap().to_string()
    }

    pub fn is_commit(&self, id: &str) -> bool {
        Oid::from_str(id).is_ok_and(|id| self.0.find_commit(id).is_ok())
    }

    /// `None`: something that is named is not there.
    pub fn tree(&self, base: Option<&str>, entries: &[Value]) -> Option<String> {
        let base = match base {
            Some(id) => {
                let object = self.0.find_object(Oid::from_str(id).ok()?, None).ok()?;
                object.peel_to_tree().ok()?
            }
            None => {
                let empty = self.0.treebuilder(None).ok()?.write().ok()?;
                self.0.find_tree(empty).ok()?
            }
        };
        let mut update = git2::build::TreeUpdateBuilder::new();
        for entry in entries {
            let path = entry["path"].as_str()?;
            match entry["sha"].as_str() {
                None => {
                    base.get_path(Path::new(path)).ok()?;
                    update.remove(path);
                }
                Some(id) => {
                    let id = Oid::from_str(id).ok()?;
                    self.0.find_object(id, Some(ObjectType::Blob)).ok()?;
                    let mode = match entry["mode"].as_str()? {
                        "100644" => git2::FileMode::Blob,
                        "100755" => git2::FileMode::BlobExecutable,
                        _ => return None,
                    };
                    update.upsert(path, id, mode);
                }
            }
        }
        let id = update.create_updated(&self.0, &base).ok()?;
        Some(id.to_string())
    }

    pub fn commit(
        &self,
        message: &str,
        tree: &str,
        parents: &[String],
        who: &str,
    ) -> Option<String> {
        let tree = self.0.find_tree(Oid::from_str(tree).ok()?).ok()?;
        let parents: Option<Vec<_>> = parents
            .iter()
            .map(|id| self.0.find_commit(Oid::from_str(id).ok()?).ok())
            .collect();
        let parents = parents?;
        let parents: Vec<_> = parents.iter().collect();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let time = Time::new(i64::try_from(now).unwrap(), 0);
        let author = Signature::new(who, &format!("{who}@example.org"), &time).unwrap();
        let made = self
            .0
            .commit(None, &author, &author, message, &tree, &parents);
        Some(made.ok()?.to_string())
    }

    /// A commit that changes one file, on another commit or on nothing.
    pub fn change(
        &self,
        on: Option<&str>,
        path: &str,
        text: &str,
        message: &str,
        who: &str,
    ) -> String {
        let entry = json!({"path": path, "mode": "100644", "sha": self.blob(text.as_bytes())});
        let base = on.map(|on| self.tree_of(on));
        let tree = self.tree(base.as_deref(), &[entry]).unwrap();
        let parents: Vec<String> = on.map(str::to_owned).into_iter().collect();
        self.commit(message, &tree, &parents, who).unwrap()
    }

    pub fn tree_of(&self, commit: &str) -> String {
        let commit = self.0.find_commit(Oid::from_str(commit).unwrap()).unwrap();
        commit.tree_id().to_string()
    }

    /// As the API shows a commit.
    pub fn shown(&self, id: &str) -> Option<Value> {
        let commit = self.0.find_commit(Oid::from_str(id).ok()?).ok()?;
        let parents: Vec<Value> = commit
            .parent_ids()
            .map(|id| json!({"sha": id.to_string()}))
            .collect();
        Some(json!({
            "sha": id,
            "tree": {"sha": commit.tree_id().to_string()},
            // The API leaves line ends at the end away.
            "message": String::from_utf8_lossy(commit.message_bytes()).trim_end(),
            "parents": parents,
        }))
    }

    /// Whether one commit holds all of another.
    pub fn holds(&self, tip: &str, other: &str) -> bool {
        let (tip, other) = (Oid::from_str(tip).unwrap(), Oid::from_str(other).unwrap());
        tip == other || self.0.graph_descendant_of(tip, other).unwrap_or(false)
    }

    /// What one commit's branch brings to another's, as one commit or as a merge.
    pub fn merge(&self, base: &str, tip: &str, squash: bool, message: &str) -> String {
        let find = |id: &str| self.0.find_commit(Oid::from_str(id).unwrap()).unwrap();
        let (ours, theirs) = (find(base), find(tip));
        let mut index = self.0.merge_commits(&ours, &theirs, None).unwrap();
        assert!(
            !index.has_conflicts(),
            "the played host merges no conflicts"
        );
        let tree = index.write_tree_to(&self.0).unwrap().to_string();
        let mut parents = vec![base.to_owned()];
        if !squash {
            parents.push(tip.to_owned());
        }
        self.commit(message, &tree, &parents, "merger").unwrap()
    }

    /// A file's text at a commit.
    pub fn text(&self, commit: &str, path: &str) -> Option<String> {
        let commit = self.0.find_commit(Oid::from_str(commit).ok()?).ok()?;
        let entry = commit.tree().ok()?.get_path(Path::new(path)).ok()?;
        let blob = self.0.find_blob(entry.id()).ok()?;
        Some(String::from_utf8_lossy(blob.content()).into_owned())
    }
}
