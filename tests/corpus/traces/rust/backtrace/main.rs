mod settings {
    #[derive(Debug)]
    pub enum Fault {
        Missing { path: String },
    }

    pub fn load(path: &str) -> Result<u16, Fault> {
        Err(Fault::Missing { path: path.to_owned() })
    }
}

struct Server;

impl Server {
    fn start(&self) -> u16 {
        settings::load("/etc/acme/missing.toml").unwrap()
    }
}

fn main() {
    let start = || Server.start();
    println!("{}", start());
}
