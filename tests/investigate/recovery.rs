//! A model may ask for recovery in the router and in `autofix fix`: both have a door, and a platform that
//! does not answer ends no investigation.

use crate::anthropic_server::{Answer, play, results, turns};
use crate::service::{Case, give_up};
use autofix::model::Status;
use serde_json::{Value, json};

/// A platform at which nobody listens.
const RECOVER: &str = "[service.recover]
platform = \"supervisor\"
target = \"shop\"
api = \"http://127.0.0.1:1\"
verbs = [\"status\", \"restart\"]";

fn names(request: &Value) -> Vec<&str> {
    let tools = request["tools"].as_array().unwrap();
    tools
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect()
}

#[test]
fn in_the_router_and_in_fix_a_model_may_ask_and_goes_on_without_an_answer() {
    for verify in [false, true] {
        let server = play(|request| match turns(request) {
            0 => Answer::calls(
                "a",
                &[("restart_service", json!({"why": "the platform says so"}))],
            ),
            _ => give_up("b"),
        });
        let lines = match verify {
            // Left to `autofix fix`.
            true => format!("test = \"true\"\nverify = true\n{RECOVER}"),
            false => RECOVER.to_owned(),
        };
        let case = Case::registered(&server.url, &lines);
        let one = match verify {
            true => {
                case.wait(|_| true);
                case.stop();
                assert_eq!(server.heard().len(), 0);
                case.fix()
            }
            false => {
                let one = case.wait(|one| matches!(one.status, Status::Reported));
                case.stop();
                one
            }
        };
        assert_eq!(one.status, Status::Reported, "{}", one.reason);
        assert_eq!(server.faults(), Vec::<String>::new());
        let heard = server.heard();
        let offered = names(&heard[0].body);
        assert_eq!(
            &offered[offered.len() - 2..],
            ["service_status", "restart_service"]
        );
        let (_, told, is_error) = results(&heard[1].body).remove(0);
        assert!(
            is_error && told.contains("could not be judged, so nothing is done"),
            "{told}"
        );
    }
}
