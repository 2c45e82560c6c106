//! `autofix act`, `approve`, `deny` and `audit` as a person meets them, over a store whose settings allow
//! recovery and a real supervisord that runs the service.

#[path = "act/asking.rs"]
mod asking;
#[path = "act/audit.rs"]
mod audit;
#[path = "act/carrying.rs"]
mod carrying;
#[allow(dead_code)] // `recover_supervisor.rs` asks for more of it.
#[path = "recover_supervisor/daemon.rs"]
mod daemon;
#[path = "act/own.rs"]
mod own;
#[allow(dead_code)] // `cli.rs` asks for more of it.
#[path = "cli/place.rs"]
mod place;
#[allow(dead_code)] // `recover_supervisor.rs` asks for more of it.
#[path = "recover_supervisor/proxy.rs"]
mod proxy;
#[path = "act/world.rs"]
mod world;

const ALL: &str = "mode = \"approve\"\nverbs = [\"status\", \"logs\", \"releases\", \"restart\", \"rollback\", \
                   \"stop\", \"start\", \"flush\", \"hang\"]";
