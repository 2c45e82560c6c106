//! What goes wrong: refusals, answers that are a part of one or none, and garbage.

use crate::played::wire::{Fault, Reply};
use crate::played::{Played, TOKEN, task_arn};
use crate::world::{client, ecs, keys, place, poll, restart, rollback, stop, until};
use autofix::model::recovery::{State, Task};
use autofix::net::{self, Http, Settings};
use autofix::recover::{Ecs, Error, ErrorKind, Platform};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[test]
fn refusals_of_a_played_service_have_their_kind_and_a_remedy() {
    let pause = |seconds| ErrorKind::Limited(Duration::from_secs(seconds));
    for (status, named, message, kind, says) in [
        (
            400,
            "ExpiredTokenException",
            "The security token included in the request is expired",
            ErrorKind::Refused,
            "have expired; renew them",
        ),
        (
            400,
            "UnrecognizedClientException",
            "The security token is invalid.",
            ErrorKind::Refused,
            "does not know the keys",
        ),
        (
            403,
            "InvalidSignatureException",
            "Signature expired: is now earlier",
            ErrorKind::Refused,
            "the region and the clock",
        ),
        (
            400,
            "AccessDeniedException",
            "User: x is not authorized",
            ErrorKind::Refused,
            "allow DescribeServices",
        ),
        (
            400,
            "ThrottlingException",
            "Rate exceeded",
            pause(5),
            "too often",
        ),
        (429, "", "", pause(5), "too often"),
        (
            400,
            "ClusterNotFoundException",
            "Cluster not found.",
            ErrorKind::Missing,
            "check target and region",
        ),
        (
            400,
            "ServiceNotFoundException",
            "Service not found.",
            ErrorKind::Missing,
            "check target",
        ),
        (
            400,
            "ServiceNotActiveException",
            "Service was not ACTIVE.",
            ErrorKind::Missing,
            "deleted",
        ),
        (
            400,
            "ClientException",
            "you may not",
            ErrorKind::Refused,
            "you may not",
        ),
        (
            400,
            "InvalidParameterException",
            "too long",
            ErrorKind::Invalid,
            "too long",
        ),
        (
            500,
            "ServerException",
            "oh",
            ErrorKind::Unreachable,
            "AWS has a fault",
        ),
        (
            400,
            "ServerException",
            "oh",
            ErrorKind::Unreachable,
            "AWS has a fault",
        ),
        (503, "", "", ErrorKind::Unreachable, "has a fault"),
        (
            400,
            "NobodyKnowsException",
            "what now",
            ErrorKind::Refused,
            "what now",
        ),
        (301, "", "", ErrorKind::Refused, "says no"),
    ] {
        let played = Played::serve(1);
        played.refuse("DescribeServices", status, named, message);
        let error = ecs(&played.address).state(until()).unwrap_err();
        assert_eq!(error.kind, kind, "{named}: {error}");
        assert!(error.what.contains(says), "{named}: {error}");
        assert!(
            error
                .what
                .starts_with("DescribeServices for prod/checkout: "),
            "{error}"
        );
    }
}

#[test]
fn a_played_service_may_say_how_long_it_wants_to_be_left_alone() {
    for (asked, given) in [("17", 17), ("86400", 900)] {
        let played = Played::serve(1);
        let mut reply = Reply::fault(400, "ThrottlingException", "Rate exceeded");
        reply.headers.push(("Retry-After", asked.to_owned()));
        played.next("DescribeServices", Fault::Says(reply));
        let error = ecs(&played.address).state(until()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Limited(Duration::from_secs(given)));
    }
}

#[test]
fn no_secret_stands_in_an_error_though_the_played_service_says_it() {
    for named in ["InvalidSignatureException", "ClientException", "Strange"] {
        for status in [400, 500] {
            let played = Played::serve(1);
            // Once the cut would go through the token.
            for before in [0, 250] {
                let before = "x".repeat(before);
                let message = format!("{before}x-amz-security-token:{TOKEN} played/secret");
                played.refuse("DescribeServices", status, named, &message);
                let error = ecs(&played.address).state(until()).unwrap_err();
                for secret in ["token/of", "played/secret"] {
                    assert!(!error.what.contains(secret), "{error}");
                }
                // What quotes the signed request is not told at all.
                let quoted = error.what.contains("x-amz-security-token");
                assert!(!(quoted && named.contains("Signature")), "{error}");
            }
        }
    }
}

#[test]
fn a_task_is_not_in_doubt_when_a_played_service_was_only_looked_at() {
    for fault in [
        Fault::Lost,
        Fault::Says(Reply::fault(503, "ServiceUnavailable", "")),
        Fault::Says(Reply::fault(500, "ServerException", "")),
    ] {
        let played = Played::serve(2);
        let ecs = ecs(&played.address);
        let before = ecs.state(until()).unwrap();
        played.next("DescribeServices", fault);
        let error = ecs
            .begin(&restart(None), &before, "mark", until())
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.what.starts_with("nothing was changed"), "{error}");
        assert_eq!(played.changes(), [""; 0]);
    }
}

#[test]
fn a_played_change_that_is_refused_says_so_and_one_that_is_throttled_leaves_it_open() {
    for (named, kind) in [
        ("AccessDeniedException", ErrorKind::Refused),
        ("ExpiredTokenException", ErrorKind::Refused),
        (
            "ThrottlingException",
            ErrorKind::Limited(Duration::from_secs(5)),
        ),
        ("ServerException", ErrorKind::Unreachable),
    ] {
        let played = Played::serve(2);
        let ecs = ecs(&played.address);
        let before = ecs.state(until()).unwrap();
        played.refuse("UpdateService", 400, named, "no");
        let error = ecs
            .begin(&restart(None), &before, "mark", until())
            .unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        played.refuse("StopTask", 400, named, "no");
        let id = played.state().running()[0].clone();
        let error = ecs.begin(&stop(&id), &before, "mark", until()).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[test]
fn a_played_answer_that_is_only_a_part_is_an_error() {
    let played = Played::serve(3);
    let ecs = ecs(&played.address);
    let says = |operation: &str, body: Value| {
        played.next(operation, Fault::Says(Reply::new(200, &body)));
    };
    let refused = |kind, what: &str| {
        let error = ecs.state(until()).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.what.contains(what), "{error}");
    };
    let service = played.state().service.clone();
    let task = played.state().tasks[0].clone();
    says(
        "DescribeServices",
        json!({"failures": [{"arn": "a", "reason": "MISSING"}]}),
    );
    refused(ErrorKind::Missing, "there is no a");
    says(
        "DescribeServices",
        json!({"services": [service], "failures": [{"arn": "a", "reason": "LOCKED"}]}),
    );
    refused(ErrorKind::Invalid, "does not tell of a: LOCKED");
    says(
        "DescribeServices",
        json!({"services": [], "failures": null}),
    );
    refused(ErrorKind::Invalid, "the one service");
    says("DescribeServices", json!({"services": [service, service]}));
    refused(ErrorKind::Invalid, "the one service");
    let mut other = service.clone();
    other["serviceName"] = "billing".into();
    says("DescribeServices", json!({"services": [other]}));
    refused(ErrorKind::Invalid, "told of another");
    let failure = json!({"arn": task_arn("1"), "reason": "MISSING"});
    says(
        "DescribeTasks",
        json!({"tasks": [task], "failures": [failure]}),
    );
    refused(ErrorKind::Missing, "task/prod/1");
    says("DescribeTasks", json!({"tasks": [task]}));
    refused(ErrorKind::Invalid, "other tasks than those asked for");
    says("ListTasks", json!({"taskArns": [task_arn("0dd")]}));
    refused(ErrorKind::Missing, "0dd");
    let endless = json!({"taskArns": [], "nextToken": "again"});
    for _ in 0..100 {
        says("ListTasks", endless.clone());
    }
    refused(ErrorKind::Invalid, "it has no end");
}

#[test]
fn a_played_service_that_breaks_off_or_says_nothing_is_unreachable() {
    for operation in ["DescribeServices", "ListTasks", "DescribeTasks"] {
        for fault in [Fault::Lost, Fault::Cut] {
            let played = Played::serve(1);
            played.next(operation, fault);
            let error = ecs(&played.address).state(until()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
        }
    }
    let played = Played::serve(1);
    played.next("DescribeServices", Fault::Silent);
    let soon = Instant::now() + Duration::from_millis(200);
    let error = ecs(&played.address).state(soon).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    let large = Reply::raw(200, vec![b' '; (4 << 20) + 1]);
    played.next("DescribeServices", Fault::Says(large));
    let error = ecs(&played.address).state(until()).unwrap_err();
    assert!(error.what.contains("longer than"), "{error}");
}

#[test]
fn without_keys_nothing_is_sent_to_a_played_service() {
    let played = Played::serve(1);
    for (kind, given) in [
        (net::ErrorKind::Settings, ErrorKind::Settings),
        (net::ErrorKind::Network, ErrorKind::Refused),
    ] {
        let http = Http::new(&Settings::default()).unwrap();
        let none = move || Err(net::Error::new(kind, "no AWS_ACCESS_KEY_ID".to_owned()));
        let place = place(&played.address, "prod/checkout");
        let ecs = Ecs::new(http, &place, Box::new(none), None).unwrap();
        let error = ecs.state(until()).unwrap_err();
        assert_eq!(error.kind, given);
        assert!(error.what.contains("no AWS_ACCESS_KEY_ID"), "{error}");
    }
    let odd = client(
        &place(&played.address, "prod/checkout"),
        keys("a\r\nb", "s", None),
        None,
    );
    assert_eq!(odd.state(until()).unwrap_err().kind, ErrorKind::Settings);
    assert!(played.calls().is_empty());
    let wrong = client(
        &place(&played.address, "prod/checkout"),
        keys("AKIDOTHER", "s", None),
        None,
    );
    assert_eq!(wrong.state(until()).unwrap_err().kind, ErrorKind::Refused);
}

/// Another value in the place of each value of a body, one at a time.
fn mutants(body: &Value, out: &mut Vec<Value>) {
    let odd = [
        Value::Null,
        json!(-1),
        json!(1e300),
        json!("\u{1b}[31m\n\"}{"),
        json!("x".repeat(5000)),
        json!([[]]),
        json!({"a": {}}),
        json!(true),
    ];
    fn places(value: &Value, at: &str, out: &mut Vec<String>) {
        out.push(at.to_owned());
        match value {
            Value::Object(all) => {
                for (key, one) in all {
                    places(one, &format!("{at}/{}", key.replace('/', "~1")), out);
                }
            }
            Value::Array(all) => {
                for (n, one) in all.iter().enumerate() {
                    places(one, &format!("{at}/{n}"), out);
                }
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    places(body, "", &mut all);
    for (n, at) in all.iter().enumerate() {
        // Two of the odd values for each place, another two for the next.
        for turn in [0, 1] {
            let mut mutant = body.clone();
            if let Some(value) = mutant.pointer_mut(at) {
                *value = odd[(2 * n + turn) % odd.len()].clone();
                out.push(mutant);
            }
        }
    }
}

fn sound<T>(result: Result<T, Error>) -> bool {
    if let Err(error) = &result {
        assert!(
            !error.what.is_empty() && error.what.chars().count() < 1500,
            "{error}"
        );
        assert!(
            !error.what.chars().any(char::is_control),
            "{:?}",
            error.what
        );
    }
    result.is_err()
}

/// What stands in a state can be shown and kept.
fn plain(state: &State) {
    let texts = state
        .instances
        .iter()
        .flat_map(|one| [Some(&one.id), Some(&one.word), one.release.as_ref()]);
    let own = [
        &state.release,
        &state.deploying,
        &state.deploy_failed,
        &state.kept_by,
    ];
    for text in texts.flatten().chain(own.into_iter().flatten()) {
        assert!(
            text.len() < 1500 && !text.chars().any(char::is_control),
            "{text:?}"
        );
    }
}

#[test]
fn garbage_of_a_played_service_never_panics_and_never_stands_in_a_state() {
    let played = Played::serve(2);
    let ecs = ecs(&played.address);
    played.state().deploy("checkout:2");
    let id = played.state().running()[0].clone();
    let before = ecs.state(until()).unwrap();
    played.state().settle();
    let (service, tasks, definition) = {
        let state = played.state();
        (
            state.service.clone(),
            state.tasks.clone(),
            state.definitions["checkout:2"].clone(),
        )
    };
    let bodies = [
        (
            "DescribeServices",
            json!({"services": [service], "failures": []}),
        ),
        (
            "DescribeTasks",
            json!({"tasks": tasks[..2], "failures": []}),
        ),
        (
            "ListTasks",
            json!({"taskArns": [task_arn(&id)], "nextToken": "from-1"}),
        ),
        (
            "ListTaskDefinitions",
            json!({"taskDefinitionArns": ["checkout:2"], "nextToken": ""}),
        ),
        (
            "DescribeTaskDefinition",
            json!({"taskDefinition": definition}),
        ),
        (
            "GetLogEvents",
            json!({"events": [{"timestamp": 1, "message": "a"}], "nextBackwardToken": "b/0"}),
        ),
        ("UpdateService", json!({ "service": service })),
    ];
    let (mut sent, mut refused) = (0, 0);
    let mut ask = |operation: &str, reply: Reply| {
        sent += 1;
        let next = || played.next(operation, Fault::Says(reply.clone()));
        let mut count = |error: bool| refused += usize::from(error);
        match operation {
            "DescribeServices" | "DescribeTasks" | "ListTasks" => {
                next();
                let state = ecs.state(until());
                if let Ok(state) = &state {
                    plain(state);
                }
                count(sound(state));
                next();
                let attempt = restart(None);
                count(sound(ecs.poll(
                    &autofix::recover::Attempt {
                        task: &attempt,
                        before: &before,
                        begun: autofix::model::Timestamp(0),
                        handle: None,
                    },
                    until(),
                )));
            }
            "ListTaskDefinitions" | "DescribeTaskDefinition" => {
                next();
                count(sound(ecs.releases(until())));
            }
            "GetLogEvents" => {
                next();
                count(sound(ecs.logs(None, 5, until())));
            }
            _ => {
                next();
                let task = match played.state().service["taskDefinition"].as_str() {
                    Some(arn) if arn.ends_with(":1") => rollback("checkout:2"),
                    _ => rollback("checkout:1"),
                };
                // Whatever a change is answered with: it was made, unless it is no answer at all.
                let begun = ecs.begin(&task, &before, "mark", until());
                if let (Err(error), 200) = (&begun, reply.status) {
                    assert!(error.leaves_doubt(), "{error}");
                }
                count(sound(begun));
            }
        }
        // What was left over is for nobody else.
        played.mend();
    };
    for (operation, body) in &bodies {
        let mut all = Vec::new();
        mutants(body, &mut all);
        for mutant in all {
            ask(operation, Reply::new(200, &mutant));
        }
        let text = body.to_string();
        for raw in [
            "",
            "null",
            "[]",
            "\"text\"",
            "{",
            "<html>502</html>",
            "\u{feff}{}",
            &text[..text.len() / 2],
            &text[1..],
            &"[".repeat(100_000),
        ] {
            ask(operation, Reply::raw(200, raw));
        }
        ask(operation, Reply::raw(200, vec![0xff, 0xfe, 0, 1]));
        for status in [400, 403, 500] {
            ask(
                operation,
                Reply::raw(status, "{\"__type\": 7, \"message\": []}"),
            );
            ask(operation, Reply::raw(status, "\u{1b}[31m\r\nnope"));
        }
    }
    assert!(sent > 300 && refused > 100, "{sent} {refused}");
    // And it is well again.
    played.state().settle();
    let task = Task::Scale { from: 2, to: 2 };
    assert!(ecs.state(until()).unwrap().is_well());
    assert!(matches!(
        poll(&ecs, &task, &before, None),
        autofix::recover::Progress::Done(_)
    ));
}
