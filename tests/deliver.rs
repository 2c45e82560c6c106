//! From a fault to a pull request and on to what became of the fix: the plugin and the program over
//! git's own server and a played GitHub that sits on the same repository. Whoever is killed, however
//! many work and whatever answers get lost, there is one branch and one request for a fault.

#[path = "deliver/counts.rs"]
mod counts;
#[path = "deliver/fates.rs"]
mod fates;
mod git;
#[path = "deliver/killed.rs"]
mod killed;
#[path = "played/github/mod.rs"]
mod played_github;
#[path = "source/server.rs"]
#[allow(dead_code)] // It plays more than is needed here.
mod server;
#[path = "deliver/world.rs"]
mod world;
