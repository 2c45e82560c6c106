// Meets one fault of what is around it, without handling it: cases CASE
use std::io::Write;
fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("refused") => drop(std::net::TcpStream::connect("127.0.0.1:9").unwrap()),
        Some("unresolved") => drop(std::net::TcpStream::connect("db.prod.invalid:5432").expect("no database at db.prod.invalid:5432")),
        Some("full") => std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap().write_all(b"x").unwrap(),
        Some("denied") => drop(std::fs::read("/etc/shadow").unwrap()),
        Some("in_use") => { let one = std::net::TcpListener::bind("127.0.0.1:18770").unwrap(); drop(std::net::TcpListener::bind("127.0.0.1:18770").unwrap()); drop(one) }
        Some("missing") => drop(std::fs::read("/no/such/file").unwrap()),
        _ => {}
    }
}
