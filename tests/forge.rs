//! GitHub's client against a played GitHub over a real git repository: branches, requests, comments,
//! rights, limits, an App's tokens, and answers that are lost at every step. Nothing leaves
//! loopback. Whether GitHub's own description agrees with every request is `forge/described.rs`.

#[path = "forge/app.rs"]
mod app;
#[path = "forge/branches.rs"]
mod branches;
#[path = "forge/described.rs"]
mod described;
mod git;
#[path = "forge/limits.rs"]
mod limits;
#[path = "forge/lost.rs"]
mod lost;
#[path = "forge/orders.rs"]
mod orders;
#[path = "forge/pulls.rs"]
mod pulls;
#[path = "forge/rights.rs"]
mod rights;

#[path = "played/github/mod.rs"]
mod github_server;
