//! The platform supervisor against a real supervisord: what it shows, what is asked of it, and what
//! comes of faults in between. Nothing that a program prints may count as an end.

#[path = "recover_supervisor/begun.rs"]
mod begun;
#[path = "recover_supervisor/daemon.rs"]
mod daemon;
#[path = "recover_supervisor/faults.rs"]
mod faults;
#[path = "recover_supervisor/forged.rs"]
mod forged;
#[path = "recover_supervisor/proxy.rs"]
mod proxy;
#[path = "recover_supervisor/shown.rs"]
mod shown;
