//! Message, level, stream, identity and fields in each shape.

use crate::chunk::Chunk;
use autofix::model::{Level, Timestamp};
use autofix::record::{Part, Side, Value};
use serde_json::json;

fn text(value: &str) -> Option<Value<'_>> {
    Some(Value::Text(value.into()))
}

#[test]
fn a_plain_tail() {
    let chunk = Chunk::of(json!({"log": "2026-03-01 12:00:00,123 ERROR [main] no stock\n"}));
    let view = chunk.view("app.log");
    assert_eq!(
        view.message(),
        "2026-03-01 12:00:00,123 ERROR [main] no stock"
    );
    assert_eq!(view.level(), Some(Level::Error));
    assert_eq!(view.side(), Side::Unknown);
    assert_eq!(view.part(), Part::Whole);
    assert_eq!(view.time(), Timestamp::from_parts(1_772_366_400, 0));
    assert_eq!(view.container(), None);
    assert_eq!(view.stream_name(), "app.log");
    assert_eq!(view.identity().names().count(), 0);
}

#[test]
fn message_candidates_in_their_order() {
    for (body, message) in [
        (json!({"message": "b", "log": "a"}), "a"),
        (json!({"msg": "c", "message": "b"}), "b"),
        (json!({"error": "g", "msg": "c"}), "c"),
        (json!({"exception": "h", "event": "f"}), "f"),
        (json!({"log": {"level": "info"}, "message": "b"}), "b"),
        (json!({"err": {"message": "late"}, "n": 1}), "late"),
        (json!({"raw_line": "renamed key"}), "renamed key"),
        (json!({"n": 1, "m": "unknown"}), ""),
        (json!({}), ""),
    ] {
        let chunk = Chunk::of(body.clone());
        assert_eq!(chunk.view("t").message(), message, "{body}");
    }
}

#[test]
fn colours_and_newlines_are_taken_off() {
    let chunk = Chunk::of(json!({"log": "\u{1b}[31mERROR\u{1b}[0m \u{1b}]0;t\u{7}boom\r\n"}));
    let view = chunk.view("t");
    assert_eq!(view.message(), "ERROR boom");
    assert_eq!(view.level(), Some(Level::Error));
}

fn firelens() -> serde_json::Value {
    json!({
        "source": "stderr",
        "log": "panic: no stock",
        "container_id": "1f0c".repeat(16),
        "container_name": "/ecs-shop-7-checkout-b2d3c4d5e6f7a8b9c001",
        "ecs_cluster": "prod",
        "ecs_task_arn": "arn:aws:ecs:eu-west-1:012345678901:task/prod/77aa",
        "ecs_task_definition": "shop:7",
    })
}

#[test]
fn firelens_names_the_container_by_its_tag() {
    let chunk = Chunk::of(firelens());
    let view = chunk.view("checkout-firelens-77aa");
    assert_eq!(view.side(), Side::Stderr);
    assert_eq!(view.container(), Some("checkout"));
    assert_eq!(view.identity().ecs_family, Some("shop"));
    let engine = view.identity().engine_name;
    assert_eq!(engine, Some("ecs-shop-7-checkout-b2d3c4d5e6f7a8b9c001"));
    // Under another tag the name of the engine still tells it.
    assert_eq!(chunk.view("app").container(), Some("checkout"));
    // A record that claims to be another container is not believed.
    let mut claim = firelens();
    claim["container_name"] = json!("billing");
    let claim = Chunk::of(claim);
    assert_eq!(
        claim.view("checkout-firelens-77aa").container(),
        Some("checkout")
    );
}

#[test]
fn kubernetes_names_the_pod() {
    let chunk = Chunk::of(json!({
        "time": "2026-03-01T12:00:00.123456789Z",
        "stream": "stderr",
        "_p": "F",
        "log": "boom",
        "kubernetes": {
            "pod_name": "checkout-5d9-abcde",
            "namespace_name": "shop",
            "labels": {"app.kubernetes.io/name": "checkout", "app": "shop", "commit": "3f2c1ab"},
            "container_name": "server",
            "docker_id": "1f0c",
            "container_image": "registry.example/shop/checkout:3f2c1ab",
        },
    }));
    let view = chunk.view("kube.checkout");
    let who = view.identity();
    assert_eq!(view.message(), "boom");
    assert_eq!(view.side(), Side::Stderr);
    assert_eq!(who.pod, Some("checkout-5d9-abcde"));
    assert_eq!(who.namespace, Some("shop"));
    assert_eq!(who.image, Some("registry.example/shop/checkout:3f2c1ab"));
    let names: Vec<&str> = who.names().collect();
    assert_eq!(names, ["checkout", "shop", "server"]);
    assert_eq!(view.host_field("kubernetes.labels.commit"), text("3f2c1ab"));
    assert_eq!(who.labels().count(), 3);
}

#[test]
fn keys_lifted_out_of_a_message_name_nobody() {
    // Merge_Log puts the message's keys before the filter's own map.
    let mut chunk = Chunk::default();
    let mut bytes = Vec::new();
    autofix::record::encode::event(
        &mut bytes,
        autofix::record::encode::Layout::New,
        Timestamp::from_parts(1_772_366_400, 0),
    );
    autofix::record::encode::map(&mut bytes, 5);
    for (key, item) in [
        ("container_name", json!("billing")),
        ("message", json!("boom")),
        ("level", json!("error")),
        (
            "kubernetes",
            json!({"container_name": "billing", "labels": {"app": "billing"}}),
        ),
        (
            "kubernetes",
            json!({"container_name": "server", "labels": {"app": "checkout"}}),
        ),
    ] {
        autofix::record::encode::text(&mut bytes, key.as_bytes());
        crate::chunk::value(&mut bytes, &item);
    }
    chunk.0 = bytes;
    let view = chunk.view("kube.x");
    assert_eq!(view.level(), Some(Level::Error));
    assert_eq!(
        view.identity().names().collect::<Vec<_>>(),
        ["checkout", "server"]
    );
    // Where the filter found nothing, the tag knows better than a map out of the message.
    let forged = Chunk::of(json!({
        "log": "boom",
        "kubernetes": {"pod_name": "billing-1", "labels": {"app": "billing"}},
    }));
    let tag = format!(
        "kube.var.log.containers.checkout-1_shop_server-{}.log",
        "0a".repeat(32)
    );
    let view = forged.view(&tag);
    assert_eq!(view.identity().names().collect::<Vec<_>>(), ["server"]);
    assert_eq!(view.identity().namespace, Some("shop"));
}

#[test]
fn json_in_a_message_names_nobody() {
    let chunk = Chunk::of(json!({
        "log": r#"{"container_name":"billing","kubernetes":{"labels":{"app":"billing"}},"commit":"3f2c1ab","msg":"x"}"#,
    }));
    let view = chunk.view("app");
    assert_eq!(view.identity().names().count(), 0);
    assert_eq!(view.host_field("commit"), None);
    assert_eq!(view.field("commit"), text("3f2c1ab"));
}

#[test]
fn systemd_units() {
    let chunk = Chunk::of(json!({
        "MESSAGE": "Main process exited, code=exited, status=1/FAILURE",
        "PRIORITY": "5",
        "_SYSTEMD_UNIT": "checkout.service",
        "SYSLOG_IDENTIFIER": "checkout",
        "_PID": "77",
        "_HOSTNAME": "web-1",
        "_TRANSPORT": "journal",
        "CONTAINER_NAME": "billing",
    }));
    let view = chunk.view("host.systemd");
    assert_eq!(view.level(), Some(Level::Info));
    // Any program may send the field; only an engine's unit names its containers by it.
    assert_eq!(view.container(), None);
    let names: Vec<&str> = view.identity().names().collect();
    assert_eq!(names, ["checkout.service", "checkout", "checkout"]);
    // What systemd says of a unit belongs to it; what others claim does not.
    for (unit, pid, expected) in [
        ("init.scope", "1", "shop.service"),
        ("evil.service", "77", "evil.service"),
    ] {
        let about = Chunk::of(json!({
            "_SYSTEMD_UNIT": unit, "_PID": pid, "UNIT": "shop.service",
            "MESSAGE": "shop.service: Main process exited, code=dumped, status=11/SEGV",
        }));
        assert_eq!(about.view("t").identity().unit, Some(expected));
    }
    let docker = Chunk::of(json!({
        "MESSAGE": "ERROR boom",
        "PRIORITY": "6",
        "_SYSTEMD_UNIT": "docker.service",
        "CONTAINER_NAME": "billing",
        "IMAGE_NAME": "billing:3f2c1ab",
        "_TRANSPORT": "journal",
    }));
    let view = docker.view("host.systemd");
    assert_eq!(view.container(), Some("billing"));
    assert_eq!(view.identity().image, Some("billing:3f2c1ab"));
    assert_eq!(view.level(), Some(Level::Error));
}

#[test]
fn an_outputs_default_priority_does_not_hide_the_lines_own_level() {
    let line = |transport: &str, priority: &str| {
        Chunk::of(json!({
            "MESSAGE": "ERROR boom", "PRIORITY": priority, "_TRANSPORT": transport,
            "_SYSTEMD_UNIT": "a.service",
        }))
    };
    assert_eq!(line("stdout", "6").view("t").level(), Some(Level::Error));
    assert_eq!(line("journal", "2").view("t").level(), Some(Level::Fatal));
    for (priority, level) in [("3", Some(Level::Error)), ("6", None)] {
        let body = json!({"MESSAGE": "boom", "PRIORITY": priority, "_TRANSPORT": "stdout"});
        assert_eq!(Chunk::of(body).view("t").level(), level);
    }
}

#[test]
fn otlp_records_take_their_identity_from_the_resource() {
    let mut chunk = Chunk::default();
    chunk.marker(
        0xFFFF_FFFF,
        json!({"schema": "otlp", "resource_id": 0, "scope_id": 0}),
        json!({"resource": {"attributes": {
            "service.name": "checkout", "service.version": "3f2c1ab", "host.name": "web-1"}}}),
    );
    chunk.with_metadata(
        json!({"otlp": {"severity_number": 17, "severity_text": "ERROR", "attributes": {
            "exception.type": "KeyError", "exception.message": "'sku'",
            "exception.stacktrace": "Traceback (most recent call last):\nKeyError: 'sku'",
            "http.status_code": 500}}}),
        json!({"log": "handler failed", "container_name": "billing"}),
    );
    chunk.marker(0xFFFF_FFFE, json!({}), json!({}));
    chunk.record(
        Timestamp(0),
        json!({"log": "later", "container_name": "billing"}),
    );
    let records = chunk.records();
    let view = autofix::record::View::new("otel", records[0]);
    assert_eq!(view.message(), "handler failed");
    assert_eq!(view.level(), Some(Level::Error));
    assert_eq!(view.identity().names().collect::<Vec<_>>(), ["checkout"]);
    assert_eq!(view.host_field("service.version"), text("3f2c1ab"));
    assert_eq!(view.host_field("container_name"), None);
    assert!(view.trace_text().unwrap().ends_with("KeyError: 'sku'"));
    assert_eq!(view.field("http.status_code"), Some(Value::Int(500)));
    // The group has ended: its resource says nothing about what follows.
    let later = autofix::record::View::new("otel", records[1]);
    assert_eq!(later.container(), Some("billing"));
}

#[test]
fn fly_apps_nested_and_dotted() {
    let nested = json!({
        "event": {"provider": "app"},
        "fly": {"app": {"instance": "e2865", "name": "shop-checkout"}, "region": "ams"},
        "host": "edge-1",
        "log": {"level": "info"},
        "message": "{\"level\":\"error\",\"msg\":\"no stock\"}",
        "timestamp": "2026-03-01T12:00:00Z",
    });
    let dotted = json!({
        "fly.app.name": "shop-checkout", "fly.app.instance": "e2865", "log.level": "info",
        "host": "edge-1", "message": "{\"level\":\"error\",\"msg\":\"no stock\"}",
    });
    for body in [nested, dotted] {
        let chunk = Chunk::of(body);
        let view = chunk.view("fly");
        assert_eq!(view.message(), "no stock");
        // The platform says info of whatever it carries.
        assert_eq!(view.level(), Some(Level::Error));
        assert_eq!(view.identity().fly_app, Some("shop-checkout"));
        assert_eq!(view.identity().fly_instance, Some("e2865"));
        assert_eq!(view.field("fly.app.name"), text("shop-checkout"));
    }
}

#[test]
fn json_loggers() {
    for (line, message, level) in [
        (
            r#"{"level":50,"time":1,"msg":"pino"}"#,
            "pino",
            Some(Level::Error),
        ),
        (
            r#"{"level":"WARN","message":"logback"}"#,
            "logback",
            Some(Level::Warn),
        ),
        (
            r#"{"@l":"Fatal","@m":"serilog"}"#,
            "serilog",
            Some(Level::Fatal),
        ),
        (
            r#"{"severity":"CRITICAL","message":"cloud"}"#,
            "cloud",
            Some(Level::Fatal),
        ),
        (
            r#"{"log":{"level":"error"},"message":"ecs"}"#,
            "ecs",
            Some(Level::Error),
        ),
        (
            r#"{"log.level":"error","message":"ecs"}"#,
            "ecs",
            Some(Level::Error),
        ),
        (
            r#"{"event":"structlog","level":"info"}"#,
            "structlog",
            Some(Level::Info),
        ),
        (
            r#"{"level":400,"level_name":"ERROR","message":"monolog"}"#,
            "monolog",
            Some(Level::Error),
        ),
        (r#"{"n":1,"msg":"two\nlines"}"#, "two\nlines", None),
        (r#"{"no":"message"}"#, r#"{"no":"message"}"#, None),
        (
            r#"{"level":"error","msg":"cut off"#,
            r#"{"level":"error","msg":"cut off"#,
            None,
        ),
    ] {
        let chunk = Chunk::of(json!({"log": line}));
        let view = chunk.view("t");
        assert_eq!(view.message(), message, "{line}");
        assert_eq!(view.level(), level, "{line}");
        assert_eq!(view.line(), line);
    }
}

#[test]
fn json_is_decoded_twice_and_no_more() {
    let once = json!({"level": "error", "msg": "deep", "status": 503}).to_string();
    let twice = json!({"level": "info", "log": once}).to_string();
    let thrice = json!({"level": "debug", "message": twice}).to_string();
    let chunk = Chunk::of(json!({"log": twice}));
    let view = chunk.view("t");
    assert_eq!(view.message(), "deep");
    assert_eq!(view.level(), Some(Level::Error));
    assert_eq!(view.field("status"), Some(Value::Int(503)));
    let chunk = Chunk::of(json!({"log": thrice}));
    assert_eq!(chunk.view("t").message(), once);
    // The line itself is a JSON string.
    for line in [json!(once).to_string(), once.replace('"', "\\\"")] {
        let chunk = Chunk::of(json!({"log": line}));
        assert_eq!(chunk.view("t").message(), "deep", "{line}");
    }
}

#[test]
fn stacks_in_fields_of_their_own() {
    let stack = "TypeError: x is undefined\n    at f (/app/a.js:1:2)";
    for body in [
        json!({"message": "boom", "stack": stack}),
        json!({"message": "boom", "err": {"stack": stack}}),
        json!({"message": "boom", "error.stack_trace": stack}),
        json!({"log": json!({"msg": "boom", "err": {"stack": stack}}).to_string()}),
        json!({"log": json!({"msg": "boom", "stack_trace": stack}).to_string()}),
        json!({"log": json!({"msg": "boom", "stacktrace": stack.lines().collect::<Vec<_>>()}).to_string()}),
        json!({"body": "boom", "attributes": {"exception.stacktrace": stack}}),
        json!({"message": "boom", "thrown": {"name": "TypeError", "extendedStackTrace": stack}}),
        json!({"log": json!({"body": "boom",
            "attributes": {"exception.stacktrace": stack}}).to_string()}),
        json!({"log": json!({"message": "boom",
            "thrown": {"extendedStackTrace": stack}}).to_string()}),
        json!({"log": json!({"msg": "boom",
            "error": {"type": "TypeError", "message": "x is undefined",
                      "stack": "    at f (/app/a.js:1:2)"}}).to_string()}),
    ] {
        let chunk = Chunk::of(body.clone());
        let view = chunk.view("t");
        assert_eq!(view.trace_text().as_deref(), Some(stack), "{body}");
        assert_eq!(view.message(), "boom", "{body}");
    }
    let lambda = json!({"message": "'sku'", "errorType": "KeyError", "stackTrace": [
        "  File \"/var/task/a.py\", line 3, in handler\n    f()\n"]});
    let expected = "Traceback (most recent call last):\n  File \"/var/task/a.py\", line 3, in handler\n    f()\nKeyError: 'sku'";
    for body in [lambda.clone(), json!({"log": lambda.to_string()})] {
        let chunk = Chunk::of(body.clone());
        assert_eq!(
            chunk.view("t").trace_text().as_deref(),
            Some(expected),
            "{body}"
        );
    }
    let node = Chunk::of(json!({"message": {"errorType": "TypeError", "stackTrace":
        stack.lines().collect::<Vec<_>>()}}));
    assert_eq!(node.view("t").trace_text().as_deref(), Some(stack));
    for body in [
        json!({"log": "Traceback (most recent call last):\nKeyError: 'sku'"}),
        json!({"log": "boom", "stack": "production", "exc_info": true}),
        json!({"log": r#"{"msg":"boom","error":"one line"}"#}),
    ] {
        let chunk = Chunk::of(body.clone());
        assert_eq!(chunk.view("t").trace_text(), None, "{body}");
    }
}

#[test]
fn levels_at_the_start_of_a_line() {
    for (line, level) in [
        ("ERROR:app:no stock", Some(Level::Error)),
        ("2026-03-01T12:00:00.000Z warn: coped", Some(Level::Warn)),
        ("2026-03-01 12:00:00 error: no stock", Some(Level::Error)),
        ("2026-03-01 12:00:00 [shop] warn: coped", Some(Level::Warn)),
        ("2026-03-01 12:00:00 we warn: no stock", None),
        (
            "E0301 12:00:00.000000       7 main.go:12] no stock",
            Some(Level::Error),
        ),
        (
            "2026/03/01 12:00:00 [error] 7#7: *1 connect() failed",
            Some(Level::Error),
        ),
        (
            "[Sun Mar 01 12:00:00.5 2026] [core:error] [pid 7] no",
            Some(Level::Error),
        ),
        (
            "time=2026-03-01T12:00:00Z level=warning msg=x",
            Some(Level::Warn),
        ),
        (
            "2026-03-01 12:00:00,123 - shop.cart - CRITICAL - no",
            Some(Level::Fatal),
        ),
        (
            "2026-03-01 12:00:00.123 | ERROR    | shop:f:1 - no",
            Some(Level::Error),
        ),
        (
            "[2026-03-01 12:00:00,123: ERROR/MainProcess] no",
            Some(Level::Error),
        ),
        (
            "12:00:00.123 [main] WARN  c.s.Cart - low",
            Some(Level::Warn),
        ),
        ("[12:00:00 ERR] no stock", Some(Level::Error)),
        ("fail: Shop.Cart[0]", Some(Level::Error)),
        (
            "INFO:     10.0.0.9:5 - \"GET / HTTP/1.1\" 500",
            Some(Level::Info),
        ),
        (
            "2026-03-01 12:00:00.123 UTC [77] FATAL:  no such role",
            Some(Level::Fatal),
        ),
        ("081110 011335 31 INFO dfs.X: up", Some(Level::Info)),
        ("Mar  1 12:00:00 web-1 app[7]: ERROR no", Some(Level::Error)),
        (
            "E, [2026-03-01T12:00:00.1 #7] ERROR -- : no",
            Some(Level::Error),
        ),
        (
            "[2026-03-01T12:00:00Z ERROR shop::cart] no",
            Some(Level::Error),
        ),
        ("level=error msg=\"no\"", Some(Level::Error)),
        ("There was an ERROR in the cart", None),
        ("We will fatal on this", None),
        ("error handling works", None),
        ("info desk: hello", None),
        ("listening on 8080", None),
        ("I am here", None),
        ("", None),
    ] {
        let chunk = Chunk::of(json!({"log": line}));
        assert_eq!(chunk.view("t").level(), level, "{line}");
    }
}

#[test]
fn explicit_levels_come_before_words_in_the_line() {
    let chunk = Chunk::of(json!({"log": "ERROR in the name", "level": "info"}));
    assert_eq!(chunk.view("t").level(), Some(Level::Info));
    let unknown = Chunk::of(json!({"log": "ERROR boom", "level": {"x": 1}}));
    assert_eq!(unknown.view("t").level(), Some(Level::Error));
}

#[test]
fn streams_never_mix_containers_or_sides() {
    let mut bodies = Vec::new();
    for (id, side) in [
        ("a", "stdout"),
        ("a", "stderr"),
        ("b", "stdout"),
        ("b", "stderr"),
    ] {
        bodies.push(json!({"log": "x", "source": side, "container_id": id, "container_name": "n"}));
        bodies.push(json!({"log": "x", "stream": side, "kubernetes": {"pod_name": id, "container_name": "n"}}));
        bodies.push(
            json!({"message": "x", "fly": {"app": {"name": "n", "instance": id}}, "host": side}),
        );
        bodies.push(json!({"MESSAGE": "x", "_SYSTEMD_UNIT": id, "_PID": side}));
    }
    let chunks: Vec<Chunk> = bodies.into_iter().map(Chunk::of).collect();
    let mut keys: Vec<u64> = chunks
        .iter()
        .map(|chunk| chunk.view("t").stream_key())
        .collect();
    keys.push(chunks[0].view("u").stream_key());
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count);
    // Nothing that a message says makes a stream of its own.
    let one = Chunk::of(json!({"log": "one", "container_id": "a"}));
    let two = Chunk::of(json!({"log": "{\"container_id\":\"b\"}", "container_id": "a"}));
    assert_eq!(one.view("t").stream_key(), two.view("t").stream_key());
}

#[test]
fn the_tailed_file_keeps_streams_apart() {
    let of = |path: &str| Chunk::of(json!({"log": "x", "path": path}));
    let key = |chunk: &Chunk| chunk.view("t").stream_key();
    assert_ne!(key(&of("/srv/a.log")), key(&of("/srv/b.log")));
    // An HTTP path is no file.
    assert_eq!(key(&of("/cart")), key(&of("/order")));
}

#[test]
fn raw_lines_of_an_engine_are_unwrapped() {
    let docker = r#"{"log":"boom\n","stream":"stderr","time":"2026-03-01T12:00:00.1Z"}"#;
    let cri = "2026-03-01T12:00:00.123456789Z stderr F boom";
    for line in [docker, cri] {
        let chunk = Chunk::of(json!({"log": line}));
        let view = chunk.view("t");
        assert_eq!(view.message(), "boom", "{line}");
        assert_eq!(view.side(), Side::Stderr, "{line}");
        // A container that prints such a line has printed just that.
        let inside = Chunk::of(json!({"log": line, "source": "stdout", "container_id": "a"}));
        let view = inside.view("t");
        assert_eq!(view.side(), Side::Stdout);
        assert_eq!(view.line(), line);
    }
}

#[test]
fn fields_come_from_the_record_then_json_then_the_text() {
    let chunk = Chunk::of(json!({"log": r#"{"status":500,"msg":"status=404"}"#, "status": 200}));
    assert_eq!(chunk.view("t").field("status"), Some(Value::Int(200)));
    let chunk =
        Chunk::of(json!({"log": r#"{"status":500,"req":{"url":"/x"},"msg":"status=404"}"#}));
    let view = chunk.view("t");
    assert_eq!(view.field("status"), Some(Value::Int(500)));
    assert_eq!(view.field("req.url"), text("/x"));
    assert_eq!(view.field("req"), Some(Value::Nested));
    let chunk = Chunk::of(json!({"log": r#"{"msg":"status=404"}"#}));
    assert_eq!(chunk.view("t").field("status"), Some(Value::Int(404)));
    let chunk = Chunk::of(json!({"log": r#"- - [x] "GET /x HTTP/1.1" 503 2"#}));
    let view = chunk.view("t");
    assert_eq!(view.field("status"), Some(Value::Int(503)));
    assert_eq!(view.field("path"), text("/x"));
    assert_eq!(view.field("absent"), None);
}

#[test]
fn the_status_of_an_answer_under_its_many_names() {
    let pino = json!({"req": {"method": "GET"}, "res": {"statusCode": 503}, "msg": "completed"});
    let access = json!({"message": "10.0.0.9 - \"GET /c HTTP/1.1\" 503 12"}).to_string();
    for body in [
        json!({"log": pino.to_string()}),
        pino,
        json!({"log": access}),
        json!({"log": json!({"msg": "x", "statusCode": 503}).to_string()}),
        json!({"log": json!({"log": json!({"status_code": 503}).to_string()}).to_string()}),
        json!({"log": "level=info msg=request status_code=503 dur=3ms"}),
        json!({"elb_status_code": "503", "target_status_code": "200"}),
    ] {
        let chunk = Chunk::of(body.clone());
        let view = chunk.view("t");
        let found = view.field(autofix::record::HTTP_STATUS);
        assert_eq!(found, Some(Value::Int(503)), "{body}");
    }
    let other = Chunk::of(json!({"log": r#"{"msg":"polled 503 items","status":"ok"}"#}));
    let view = other.view("t");
    assert_eq!(view.field(autofix::record::HTTP_STATUS), None);
}

#[test]
fn big_and_odd_values() {
    let mut chunk = Chunk::of(json!({"log": "x", "f": 0.5, "n": null, "b": true}));
    chunk
        .0
        .extend_from_slice(&[0x92, 0x07, 0x81, 0xa1, b'u', 0xcf]);
    chunk.0.extend_from_slice(&u64::MAX.to_be_bytes());
    let records = chunk.records();
    let view = autofix::record::View::new("t", records[0]);
    assert_eq!(view.field("f"), Some(Value::Float(0.5)));
    assert_eq!(view.field("n"), Some(Value::Null));
    assert_eq!(view.field("b"), Some(Value::Bool(true)));
    let view = autofix::record::View::new("t", records[1]);
    assert_eq!(view.field("u"), Some(Value::Unsigned(u64::MAX)));
}

#[test]
fn few_valued_fields_of_the_record_and_of_json_in_it() {
    for (body, told) in [
        (
            json!({"msg": "a", "status": 503, "level": "error"}),
            "error 5xx",
        ),
        (
            json!({"msg": "a", "result": "timeout", "error_code": "E42"}),
            "result=timeout code=E42",
        ),
        (
            json!({"msg": "a", "err": {"message": "b", "code": 1062}}),
            "code=1062",
        ),
        (
            json!({"log": "{\"msg\":\"a\",\"statusCode\":404,\"outcome\":\"denied\"}"}),
            "4xx result=denied",
        ),
        (
            json!({"log": "{\"msg\":\"a\",\"error\":{\"code\":\"ECONNRESET\"}}"}),
            "code=ECONNRESET",
        ),
        (json!({"msg": "a", "status": "failed"}), "result=failed"),
        (
            json!({"msg": "a", "http": {"response": {"status_code": 201}}}),
            "2xx",
        ),
        (json!({"log": "GET /orders 500 12ms"}), ""),
        (
            json!({"msg": "a", "code": "8f14e45fceea167a", "result": "job 81723645"}),
            "",
        ),
        (json!({"msg": "a", "duration": 503}), ""),
    ] {
        let chunk = Chunk::of(body.clone());
        assert_eq!(chunk.view("t").facets().to_string(), told, "{body}");
    }
}
