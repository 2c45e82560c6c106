//! GitLab, Gitea and plain git servers behind the trait of code hosts: against hosts that are
//! played on loopback, with lost answers and limits, and against git's own server.

#[path = "git/mod.rs"]
mod git;
#[path = "forge_more/gitea.rs"]
mod gitea;
#[path = "forge_more/gitlab.rs"]
mod gitlab;
#[path = "played/host/mod.rs"]
mod host;
#[path = "forge_more/plain.rs"]
mod plain;
#[path = "played/gitea/mod.rs"]
mod played_gitea;
#[path = "played/gitlab/mod.rs"]
mod played_gitlab;
#[allow(dead_code)] // It plays more than is needed here.
#[path = "source/server.rs"]
mod server;
#[path = "forge_more/world.rs"]
mod world;
