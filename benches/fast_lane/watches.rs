//! Watches of a team, as many as are asked for: most for one user, path or message, some for
//! classes of errors. None of them fires over the log that is measured.

/// Watch `number` in the form of the team's file.
pub fn one(number: usize) -> String {
    let matches = match number % 10 {
        0 => format!(r#"{{"field":"status","eq":{}}}"#, 505 + number % 90),
        1 => format!(r#"{{"field":"path","starts_with":"/api/v2/shop{number}"}}"#),
        2 => format!(r#"{{"field":"msg","contains":"tenant-{number} "}}"#),
        3 => format!(
            r#"{{"all":[{{"field":"status","gte":500}},{{"field":"path","eq":"/api/v1/orders/{number}"}}]}}"#
        ),
        4 => format!(
            r#"{{"all":[{{"field":"region","eq":"ap-{number}"}},{{"field":"level","eq":"error"}}]}}"#
        ),
        5 => format!(r#"{{"field":"logger","in":["billing.{number}","ledger.{number}"]}}"#),
        _ => format!(r#"{{"field":"user","eq":"u-{}"}}"#, 60_000 + number),
    };
    format!(
        r#"{{"label":"watch_{number}","match":{matches},"window_seconds":60,"threshold":100,"summary":"watch {number}"}}"#
    )
}

/// A file of `count` watches.
pub fn file(count: usize) -> String {
    let all: Vec<String> = (0..count).map(one).collect();
    format!("[{}]\n", all.join(",\n"))
}
