//! What a played ECS answers to each operation, and what it refuses.

use super::wire::{Call, Reply};
use super::{KEY, State};
use serde_json::{Value, json};

const SIGNED: &str =
    "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,";

pub fn answer(state: &mut State, call: &Call) -> Reply {
    if let Some(refusal) = unsigned(call) {
        return refusal;
    }
    match call.operation.as_str() {
        "DescribeTaskDefinition" => definition(state, call),
        "ListTaskDefinitions" => definitions(state, call),
        "GetLogEvents" => events(state, call),
        _ if call.text("cluster") != "prod" => {
            Reply::fault(400, "ClusterNotFoundException", "Cluster not found.")
        }
        "DescribeServices" => services(state, call),
        "ListTasks" => tasks(state, call),
        "DescribeTasks" => described(state, call),
        "UpdateService" => update(state, call),
        "StopTask" => stop(state, call),
        other => Reply::fault(400, "UnknownOperationException", other),
    }
}

/// Its own tests hold the signature itself to what AWS wants.
fn unsigned(call: &Call) -> Option<Reply> {
    let header = |name| call.header(name).unwrap_or_default();
    let (date, said) = (header("x-amz-date"), header("authorization"));
    let day = date.get(..8).unwrap_or_default();
    let begin = format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/{day}/{}/{}/aws4_request, ",
        super::REGION,
        call.service
    );
    if header("content-type") != "application/x-amz-json-1.1" || date.len() != 16 {
        return Some(Reply::fault(400, "MissingAuthenticationTokenException", ""));
    }
    let signature = said
        .strip_prefix(&begin)
        .and_then(|it| it.strip_prefix(SIGNED));
    let signature = signature.and_then(|it| it.trim().strip_prefix("Signature="));
    let good = signature.is_some_and(|it| it.len() == 64);
    if !good || header("x-amz-security-token") != super::TOKEN {
        let what = "The security token included in the request is invalid.";
        return Some(Reply::fault(400, "UnrecognizedClientException", what));
    }
    None
}

fn services(state: &State, call: &Call) -> Reply {
    let names = call.body["services"].as_array().unwrap();
    let (found, failures): (Vec<&Value>, Vec<&Value>) = names
        .iter()
        .partition(|name| **name == state.service["serviceName"]);
    let failures = failures.iter().map(|name| {
        let arn = format!(
            "arn:aws:ecs:eu-central-1:123456789012:service/prod/{}",
            name.as_str().unwrap()
        );
        json!({"arn": arn, "reason": "MISSING"})
    });
    let failures: Vec<Value> = failures.collect();
    let services: Vec<&Value> = found.iter().map(|_| &state.service).collect();
    Reply::new(200, &json!({"services": services, "failures": failures}))
}

/// One part of a list.
fn part(names: Vec<String>, key: &str, page: usize, call: &Call) -> Reply {
    let from: usize = match call.text("nextToken") {
        "" => 0,
        token => token.strip_prefix("from-").unwrap().parse().unwrap(),
    };
    let size = page.min(call.body["maxResults"].as_u64().unwrap_or(100) as usize);
    let some: Vec<&String> = names.iter().skip(from).take(size).collect();
    let mut body = json!({ key: some });
    if from + size < names.len() {
        body["nextToken"] = format!("from-{}", from + size).into();
    }
    Reply::new(200, &body)
}

fn tasks(state: &State, call: &Call) -> Reply {
    let group = format!("service:{}", call.text("serviceName"));
    let fits = |task: &&Value| {
        task["group"] == group.as_str() && task["desiredStatus"] == call.body["desiredStatus"]
    };
    let arns = state.tasks.iter().filter(fits);
    let arns = arns.map(|task| task["taskArn"].as_str().unwrap().to_owned());
    part(arns.collect(), "taskArns", state.page, call)
}

fn described(state: &State, call: &Call) -> Reply {
    let asked = call.body["tasks"].as_array().unwrap();
    if asked.len() > 100 {
        return Reply::fault(400, "InvalidParameterException", "Too many tasks.");
    }
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for id in asked {
        let id = id.as_str().unwrap();
        let is = |task: &&Value| {
            let arn = task["taskArn"].as_str().unwrap();
            arn == id || arn.ends_with(&format!("/{id}"))
        };
        match state.tasks.iter().find(is) {
            Some(task) => tasks.push(task),
            None => failures.push(json!({"arn": super::task_arn(id), "reason": "MISSING"})),
        }
    }
    Reply::new(200, &json!({"tasks": tasks, "failures": failures}))
}

fn definitions(state: &State, call: &Call) -> Reply {
    let fits = |one: &&Value| {
        one["family"] == call.body["familyPrefix"] && one["status"] == call.body["status"]
    };
    let mut found: Vec<&Value> = state.definitions.values().filter(fits).collect();
    found.sort_by_key(|one| one["revision"].as_u64());
    if call.text("sort") == "DESC" {
        found.reverse();
    }
    let arns = found
        .iter()
        .map(|one| one["taskDefinitionArn"].as_str().unwrap().to_owned());
    part(arns.collect(), "taskDefinitionArns", state.page, call)
}

fn definition(state: &State, call: &Call) -> Reply {
    match state.definitions.get(call.text("taskDefinition")) {
        Some(found) => Reply::new(200, &json!({"taskDefinition": found, "tags": []})),
        None => Reply::fault(
            400,
            "ClientException",
            "Unable to describe task definition.",
        ),
    }
}

fn update(state: &mut State, call: &Call) -> Reply {
    if call.text("service") != "checkout" {
        return Reply::fault(400, "ServiceNotFoundException", "Service not found.");
    }
    let own = state.service["deploymentController"]["type"] == "ECS";
    if let Some(count) = call.body["desiredCount"].as_u64() {
        state.service["desiredCount"] = count.into();
    }
    let release = call.body["taskDefinition"].as_str().map(str::to_owned);
    let force = call.body["forceNewDeployment"] == true;
    if (release.is_some() || force) && !own {
        let what = "Unable to update task definition on services with a CODE_DEPLOY deployment \
                    controller. Use AWS CodeDeploy to trigger a new deployment.";
        return Reply::fault(400, "InvalidParameterException", what);
    }
    if let Some(release) = &release {
        let found = state.definitions.get(release);
        if found.is_none_or(|found| found["status"] != "ACTIVE") {
            return Reply::fault(400, "ClientException", "TaskDefinition is inactive");
        }
    }
    if release.is_some() || force {
        let now = state.service["taskDefinition"].as_str().unwrap().to_owned();
        let now = now.rsplit('/').next().unwrap().to_owned();
        state.deploy(&release.unwrap_or(now));
    }
    Reply::new(200, &json!({"service": state.service}))
}

/// It ends when time passes.
fn stop(state: &mut State, call: &Call) -> Reply {
    let (id, clock) = (call.text("task").to_owned(), state.clock);
    let arn = super::task_arn(&id);
    let Some(task) = state
        .tasks
        .iter_mut()
        .find(|it| it["taskArn"] == arn.as_str())
    else {
        let what = "The referenced task was not found.";
        return Reply::fault(400, "InvalidParameterException", what);
    };
    let reason = call.text("reason").to_owned();
    super::end(task, clock, "UserInitiated", &reason, 143);
    task["lastStatus"] = "DEACTIVATING".into();
    let running = state.service["runningCount"].as_u64().unwrap();
    state.service["runningCount"] = running.saturating_sub(1).into();
    Reply::new(200, &json!({"task": state.task(&id)}))
}

/// The newest part is empty, as it may be.
fn events(state: &State, call: &Call) -> Reply {
    let group = call.text("logGroupName").to_owned();
    let stream = call.text("logStreamName").to_owned();
    let Some(lines) = state.streams.get(&(group, stream)) else {
        let what = "The specified log stream does not exist.";
        return Reply::fault(400, "ResourceNotFoundException", what);
    };
    let token = call.text("nextToken");
    let limit = call.body["limit"].as_u64().unwrap().min(2) as usize;
    let (some, next) = match token.strip_prefix("b/") {
        None => (&lines[..0], format!("b/{}", lines.len())),
        Some(end) => {
            let end: usize = end.parse().unwrap();
            let from = end.saturating_sub(limit);
            (&lines[from..end], format!("b/{from}"))
        }
    };
    let some = some.iter();
    let some =
        some.map(|(at, text)| json!({"timestamp": at, "message": text, "ingestionTime": at}));
    let some: Vec<Value> = some.collect();
    let body = json!({"events": some, "nextForwardToken": "f/0", "nextBackwardToken": next});
    Reply::new(200, &body)
}
