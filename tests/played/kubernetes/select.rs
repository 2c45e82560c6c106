//! Label selectors of a list, as the API server reads them.

use serde_json::Value;

pub enum Term {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Has(String),
    Lacks(String),
}

impl Term {
    pub fn holds(&self, object: &Value) -> bool {
        let label = |key: &String| object["metadata"]["labels"][key.as_str()].as_str();
        let among = |key, values: &[String]| {
            label(key).is_some_and(|value| values.iter().any(|one| one == value))
        };
        match self {
            Term::In(key, values) => among(key, values),
            Term::NotIn(key, values) => !among(key, values),
            Term::Has(key) => label(key).is_some(),
            Term::Lacks(key) => label(key).is_none(),
        }
    }
}

pub fn parse(text: &str) -> Result<Vec<Term>, String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for one in text.chars() {
        match one {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        match one {
            ',' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(one),
        }
    }
    let parts = parts.iter().map(|part| part.trim());
    parts.filter(|part| !part.is_empty()).map(term).collect()
}

fn term(text: &str) -> Result<Term, String> {
    let among = |rest: &str| -> Vec<String> {
        let inner = rest.trim().trim_matches(['(', ')']);
        inner.split(',').map(|one| one.trim().to_owned()).collect()
    };
    if let Some((key, rest)) = text.split_once(" in ") {
        return Ok(Term::In(key.to_owned(), among(rest)));
    }
    if let Some((key, rest)) = text.split_once(" notin ") {
        return Ok(Term::NotIn(key.to_owned(), among(rest)));
    }
    if let Some((key, value)) = text.split_once('=') {
        let value = value.trim_start_matches('=').to_owned();
        return Ok(Term::In(key.to_owned(), vec![value]));
    }
    if text.contains([' ', '(', ')']) {
        return Err(format!("unable to parse requirement: {text}"));
    }
    match text.strip_prefix('!') {
        Some(key) => Ok(Term::Lacks(key.to_owned())),
        None => Ok(Term::Has(text.to_owned())),
    }
}

/// `status.phase!=Failed` or `metadata.name=checkout`, and more after commas.
pub fn fields_hold(selector: Option<&str>, object: &Value) -> bool {
    let terms = selector.unwrap_or_default().split(',');
    terms.filter(|term| !term.is_empty()).all(|term| {
        let (path, value) = term.split_once('=').unwrap();
        let (path, is) = match path.strip_suffix('!') {
            Some(path) => (path, false),
            None => (path, true),
        };
        let path = format!("/{}", path.replace('.', "/"));
        (object.pointer(&path).and_then(Value::as_str) == Some(value)) == is
    })
}
