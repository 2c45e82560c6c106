//! A storm through a whole instance: its parent has a report at once, its faults wait.

use super::{CRASH, TempDir, feed, look, started, state_of, stop, text, wait_for};
use autofix::model::Status;

#[test]
fn a_storm_is_reported_at_once_and_its_faults_wait() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, _) = started(&[("State_Dir", text(&state))]);
    let names = "abcdefghijklmnopqrst";
    for name in names.chars() {
        let fault = CRASH.replace("total", &format!("total_{name}"));
        feed(&instance, &format!("{fault}\nnext"));
    }
    let all = wait_for(&state, |all| {
        let reported = |storm: bool| {
            let of_storm = all.iter().filter(|one| one.is_storm() == storm);
            of_storm
                .filter(|one| one.status == Status::Reported)
                .count()
        };
        all.len() == names.len() + 1 && reported(true) == 1
    });
    stop(&instance);
    let parent = all.iter().find(|one| one.is_storm()).unwrap();
    let waiting = all.iter().filter(|one| one.status == Status::Open);
    let waiting: Vec<_> = waiting.collect();
    // The first few may have been taken up before it was one.
    assert!(waiting.len() >= 9, "{all:#?}");
    assert!(waiting.iter().all(|one| one.parent == Some(parent.id)));
    let report = state.join("incidents").join(parent.id.to_string());
    let report = std::fs::read_to_string(report.join("report.md")).unwrap();
    assert!(report.contains("no patch is made for a storm"), "{report}");
    assert!(report.contains("app: KeyError"), "{report}");
    let status = look::status(&state).unwrap().to_json();
    assert_eq!(status["storms"][0]["faults"], 20);
}
