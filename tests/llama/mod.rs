//! A real llama-server with a real, small model, where one is named (`scripts/model.sh`). What is asked
//! of it is for tests.

#![allow(dead_code)] // Each test uses a part of it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// A server of our own; it ends with the test.
pub struct LlamaServer {
    child: Child,
    pub url: String,
}

impl LlamaServer {
    /// Starts one with so many tokens of context. It is not ready yet. `None` where the test is to be
    /// skipped, which is said.
    pub fn start(test: &str, context: u32) -> Option<LlamaServer> {
        let (Some(program), Some(model)) =
            (named("AUTOFIX_LLAMA_SERVER"), named("AUTOFIX_LLAMA_MODEL"))
        else {
            println!(
                "SKIPPED {test}: AUTOFIX_LLAMA_SERVER and AUTOFIX_LLAMA_MODEL name no server and model"
            );
            return None;
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        drop(listener);
        let child = Command::new(program)
            .args(["--model", &model, "--host", "127.0.0.1", "--port", &port])
            .args(["--ctx-size", &context.to_string(), "--parallel", "1"])
            .args(["--n-gpu-layers", "0", "--threads", "2"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        Some(LlamaServer { child, url })
    }

    /// At once, whatever it is at.
    pub fn end(&mut self) {
        self.child.kill().unwrap();
    }
}

impl Drop for LlamaServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A variable that is set to something.
pub fn named(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|text| !text.is_empty())
}
