//! A machine's events: when a run of it began, how runs ended, and which ends somebody asked for. An
//! event that cannot be understood is none; the newest come first, as the API gives them.

use crate::model::Timestamp;
use crate::model::recovery::Exit;
use serde_json::Value;

/// Most events that are read; the API itself gives fewer.
const READ: usize = 500;
/// Most ends that are kept, the newest of them.
const KEPT: usize = 50;

/// What the events of one machine tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// When the newest run began, and nothing ended it since.
    pub started: Option<Timestamp>,
    /// Oldest first.
    pub exits: Vec<Exit>,
    /// How often the platform started it again by itself, by its own count.
    pub restarts: Option<u64>,
    /// Whether there is any event that begins or ends a run.
    pub told: bool,
    /// Somebody wanted it to end, or changed it, since the newest run began.
    pub asked: bool,
    /// That was a restart: it will begin again.
    pub again: bool,
}

impl Past {
    /// The newest end, where no run began since.
    pub fn ended(&self) -> Option<&Exit> {
        self.exits.last().filter(|_| self.started.is_none())
    }
}

/// Reads the `events` of a machine.
pub(super) fn past(events: &Value) -> Past {
    let mut past = Past::default();
    let Some(events) = events.as_array() else {
        return past;
    };
    let mut timed: Vec<(Timestamp, &Value)> = events
        .iter()
        .take(READ)
        .filter_map(|event| Some((moment(&event["timestamp"])?, event)))
        .collect();
    // Oldest first. Of two in one millisecond the one that came first in the answer is the newer.
    timed.reverse();
    timed.sort_by_key(|(at, _)| *at);
    for (at, event) in timed {
        match event["type"].as_str().unwrap_or_default() {
            "start" | "resume" => {
                (past.asked, past.again, past.told) = (false, false, true);
                // Somebody's wish to start it comes before, as `starting`.
                if event["status"]
                    .as_str()
                    .is_none_or(|word| word == "started")
                {
                    past.started = Some(at);
                }
            }
            "exit" => {
                past.told = true;
                past.started = None;
                past.exits.push(exit(at, event, past.asked));
                let count = event["request"]["restart_count"].as_u64();
                past.restarts = count.or(past.restarts);
            }
            kind if is_asked(event) => (past.asked, past.again) = (true, kind == "restart"),
            _ => {}
        }
    }
    let over = past.exits.len().saturating_sub(KEPT);
    past.exits.drain(..over);
    past
}

/// Whether it is somebody's wish that the run ends: a stop, a deploy, a restart. The platform's own
/// restart of a machine that ended is called `restart` too, and comes from `flyd` with `starting`.
fn is_asked(event: &Value) -> bool {
    let word = |name: &str| event[name].as_str().unwrap_or_default();
    let ends = matches!(
        word("type"),
        "update" | "restart" | "stop" | "suspend" | "destroy" | "migrate"
    );
    let starts =
        word("type") == "restart" && word("source") == "flyd" && word("status") != "stopping";
    ends && !starts
}

fn exit(at: Timestamp, event: &Value, asked: bool) -> Exit {
    let request = &event["request"];
    // Two generations of the API: within the request, or one deeper.
    let told = match &request["MonitorEvent"]["exit_event"] {
        Value::Null => &request["exit_event"],
        told => told,
    };
    if !told.is_object() {
        return Exit {
            at,
            code: None,
            signal: None,
            oom: false,
            wanted: asked,
        };
    }
    let number = |name: &str| told[name].as_i64().and_then(|n| i32::try_from(n).ok());
    let yes = |name: &str| told[name].as_bool() == Some(true);
    // -1 and 0: there was none. What is zero may be left out.
    let signal = |name: &str| number(name).filter(|signal| *signal > 0);
    let code = number("exit_code").unwrap_or(0);
    let inner = number("guest_exit_code").unwrap_or(0);
    Exit {
        at: moment(&told["exited_at"]).unwrap_or(at),
        code: Some(if code == 0 { inner } else { code }),
        signal: signal("signal").or_else(|| signal("guest_signal")),
        oom: yes("oom_killed"),
        wanted: asked || yes("requested_stop"),
    }
}

/// A time: milliseconds since 1970, seconds where that would be long ago, or RFC 3339.
fn moment(value: &Value) -> Option<Timestamp> {
    /// As milliseconds this is in 1973, as seconds in the year 5138.
    const SECONDS_BELOW: i64 = 100_000_000_000;
    if let Some(text) = value.as_str() {
        return Timestamp::parse_rfc3339(text).filter(|at| at.0 > 0);
    }
    let number = value.as_i64().filter(|number| *number > 0)?;
    let millis = match number < SECONDS_BELOW {
        true => number.checked_mul(1000)?,
        false => number,
    };
    millis.checked_mul(1_000_000).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ms(at: i64) -> Timestamp {
        Timestamp(at * 1_000_000)
    }

    /// As the documentation shows it.
    fn nested_once() -> Value {
        json!([
            {"type": "exit", "status": "stopped", "source": "flyd", "timestamp": 1653047898717i64,
             "request": {"restart_count": 3, "exit_event": {"exit_code": 127,
                "exited_at": 1653047897299i64, "guest_exit_code": 0, "guest_signal": -1,
                "oom_killed": false, "requested_stop": false, "restarting": false, "signal": -1}}},
            {"type": "start", "status": "started", "source": "flyd", "timestamp": 1653047895247i64},
            {"type": "launch", "status": "created", "source": "user", "timestamp": 1653047893083i64}
        ])
    }

    #[test]
    fn an_end_by_itself_has_code_and_time() {
        let past = past(&nested_once());
        assert_eq!(past.restarts, Some(3));
        assert_eq!(past.started, None);
        let ended = past.ended().unwrap();
        assert_eq!(
            (ended.at, ended.code, ended.signal),
            (ms(1653047897299), Some(127), None)
        );
        assert!(ended.is_crash() && !ended.oom);
    }

    /// A restart by a person, in the younger form: what is zero is left out.
    #[test]
    fn an_end_that_was_asked_for_is_no_crash() {
        let events = json!([
            {"id": "01GJGK8", "type": "start", "status": "started", "source": "flyd", "timestamp": 1669151873327i64},
            {"type": "start", "status": "started", "source": "flyd", "timestamp": 1669151873101i64},
            {"type": "restart", "status": "starting", "source": "flyd", "timestamp": 1669151872710i64},
            {"type": "exit", "status": "stopped", "source": "flyd", "timestamp": 1669151872435i64,
             "request": {"MonitorEvent": {"exit_event": {"requested_stop": true, "guest_signal": -1,
                "signal": -1, "exited_at": "2022-11-22T21:17:51.924Z"}}}},
            {"type": "restart", "status": "stopping", "source": "user", "timestamp": 1669151870426i64}
        ]);
        let past = past(&events);
        assert_eq!(past.started, Some(ms(1669151873327)));
        let [exit] = &past.exits[..] else {
            panic!("{past:?}")
        };
        assert_eq!((exit.code, exit.wanted), (Some(0), true));
        assert_eq!(exit.at.to_rfc3339(), "2022-11-22T21:17:51.924Z");
        assert_eq!(past.ended(), None);
    }

    #[test]
    fn an_end_by_a_deploy_is_wanted_and_the_next_is_not() {
        let exit = |at: i64| {
            json!({"type": "exit", "timestamp": at, "source": "flyd",
            "request": {"exit_event": {"exit_code": 1, "signal": -1}}})
        };
        let events = json!([
            exit(1_700_000_005_000),
            {"type": "restart", "status": "starting", "source": "flyd", "timestamp": 1_700_000_004_000i64},
            exit(1_700_000_003_500),
            {"type": "start", "status": "started", "source": "flyd", "timestamp": 1_700_000_003_000i64},
            exit(1_700_000_002_000),
            {"type": "update", "status": "replacing", "source": "user", "timestamp": 1_700_000_001_000i64}
        ]);
        let wanted: Vec<bool> = past(&events).exits.iter().map(|exit| exit.wanted).collect();
        assert_eq!(wanted, [true, false, false]);
    }

    #[test]
    fn memory_and_signals() {
        let event = |told: Value| {
            let events = json!([{"type": "exit", "timestamp": 1_700_000_000_000i64,
                "request": {"exit_event": told}}]);
            past(&events).exits.remove(0)
        };
        let oom = event(json!({"exit_code": 137, "oom_killed": true, "signal": -1}));
        assert!(oom.oom && oom.is_crash());
        let killed = event(json!({"exit_code": 0, "signal": 9}));
        assert_eq!((killed.signal, killed.is_crash()), (Some(9), true));
        let inner =
            event(json!({"exit_code": 0, "guest_exit_code": 3, "guest_signal": 11, "signal": -1}));
        assert_eq!((inner.code, inner.signal), (Some(3), Some(11)));
        let clean = event(json!({"exit_code": 0, "signal": 0}));
        assert!(!clean.is_crash());
        // No account of it: it ended, and nobody says how.
        let dark = event(Value::Null);
        assert_eq!((dark.code, dark.wanted), (None, false));
    }

    #[test]
    fn times_in_each_form() {
        for (value, wanted) in [
            (json!(1653047897299i64), Some(ms(1653047897299))),
            (json!(1653047897), Some(ms(1653047897000))),
            (json!("2022-05-20T11:58:17.299Z"), Some(ms(1653047897299))),
            (json!("0001-01-01T00:00:00Z"), None),
            (json!("soon"), None),
            (json!(0), None),
            (json!(-5), None),
            (json!(i64::MAX), None),
            (json!(u64::MAX), None),
            (json!(1.5), None),
            (json!(null), None),
        ] {
            assert_eq!(moment(&value), wanted, "{value}");
        }
    }

    #[test]
    fn what_is_no_event_is_passed_over_and_the_newest_ends_are_kept() {
        let odd = json!([1, null, "x", {}, {"type": 7, "timestamp": 1}, {"type": "exit"},
            {"type": "exit", "timestamp": 1_700_000_000_000i64, "request": 7}]);
        assert_eq!(past(&odd).exits.len(), 1);
        assert_eq!(past(&json!({"a": 1})), Past::default());
        let many: Vec<Value> = (0..300)
            .map(|n| json!({"type": "exit", "timestamp": 1_700_000_000_000i64 + n}))
            .collect();
        let exits = past(&json!(many)).exits;
        assert_eq!(exits.len(), KEPT);
        assert_eq!(exits.last().unwrap().at, ms(1_700_000_000_299));
    }
}
