//! The names that an error's message speaks of: attributes, keys, columns, classes, functions.
//! By the shapes in which runtimes print them. Where they stand in the source is `places`'.

use regex::Regex;
use std::sync::LazyLock;

/// Most names of one question, and longest text that is looked at for them.
const LIMIT: usize = 12;
const TEXT_LIMIT: usize = 4_096;

/// Shapes in which a name follows or precedes fixed words without quotes. One group: the name.
static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"\b([\w$.]+) is not (?:a function|a constructor|defined|iterable|initialized)\b",
        r"\bno such (?:column|table|function|index): ([\w.]+)",
        r"\bcolumn ([\w.]+) does not exist\b",
        r"\bundefined (?:local variable or )?(?:method|variable) [`'](\w+[?!]?)'",
        r"\buninitialized constant ([\w:]+)",
        r"\bkey not found: :?(\w+)",
        r"\bkey :(\w+) not found\b",
        r"\bfunction ([\w.]+)/\d+ is undefined\b",
        r"\bundefined (?:method|function) ([\w\\:]+)\(",
        r"\b([A-Za-z_]\w*)\(\) (?:missing|takes|got)\b",
        r"\b(?:class|interface) ([\w.$]+) cannot be cast\b",
        r"\bcannot be cast to (?:class )?([\w.$]+)",
        r"\bis [*\w.]+, not ([*\w.]+)",
        r"\b(?:unknown|missing|undefined|invalid|unexpected) (?:required )?(?:field|key|property|attribute|parameter|argument|column|option)s?:? ([A-Za-z_]\w*)\b",
    ]
    .iter()
    .filter_map(|shape| Regex::new(shape).ok())
    .collect()
});

/// A word in quotes, a qualified name, a call, or a name made of several words.
static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        ['"`‘“\[:]([A-Za-z_$][\w$]*(?:(?:\.|::|\\|->|\#)[\w$]+)*[?!]?)['"`’”\]]
        | \b([A-Za-z_]\w*(?:(?:\.|::|\\|->|\#)[A-Za-z_]\w*)+)\b
        | \b([A-Za-z_]\w*)\(
        | \b([a-z]\w*_\w+)\b
        | \b([A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+)\b
        | \b([a-z]+(?:[A-Z][a-z0-9]+)+)\b
        "#,
    )
    .ok()
});

/// Names that say nothing about a place.
const EMPTY: &[&str] = &[
    "NoneType",
    "None",
    "null",
    "undefined",
    "nil",
    "NilClass",
    "self",
    "this",
    "object",
    "Object",
    "str",
    "int",
    "float",
    "bool",
    "dict",
    "list",
    "tuple",
    "set",
    "string",
    "String",
    "Integer",
    "number",
    "boolean",
    "true",
    "false",
    "True",
    "False",
    "bytes",
    "type",
    "function",
    "method",
    "class",
    "value",
    "error",
    "Error",
    "Exception",
    "java",
    "lang",
    "util",
    "the",
    "and",
    "for",
    "not",
    "with",
    "length",
    "local",
    "return",
    "index",
    "main",
    "init",
    "__init__",
    "Hash",
    "Array",
    "Map",
    "List",
    "builtins",
    "interface",
    "property",
    "com",
    "org",
    "File",
    "line",
    "panic",
];

/// A name with the one that it belongs to, where the message says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub name: String,
    pub owner: Option<String>,
}

/// The names of a message, those of fixed shapes first.
pub(super) fn named(message: &str) -> Vec<Named> {
    let mut end = message.len().min(TEXT_LIMIT);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let message = &message[..end];
    let mut found = Vec::new();
    for shape in SHAPES.iter() {
        for one in shape.captures_iter(message).take(LIMIT) {
            if let Some(name) = one.get(1) {
                add(&mut found, name.as_str());
            }
        }
    }
    if let Some(words) = WORDS.as_ref() {
        for one in words.captures_iter(message).take(4 * LIMIT) {
            if let Some(name) = one.iter().skip(1).flatten().next() {
                add(&mut found, name.as_str());
            }
        }
    }
    found.truncate(LIMIT);
    found
}

/// Adds the last part of a qualified name, and its owner as a name of its own behind it.
pub(super) fn add(found: &mut Vec<Named>, printed: &str) {
    let mut parts: Vec<&str> = printed
        .split(['.', ':', '\\', '#', '>', '$', '-', '*'])
        .filter(|part| !part.is_empty())
        .collect();
    let Some(name) = parts.pop() else {
        return;
    };
    let owner = parts.pop().filter(|owner| says_something(owner));
    if says_something(name) && !found.iter().any(|one| one.name == name) {
        found.push(Named {
            name: name.to_owned(),
            owner: owner.map(str::to_owned),
        });
    }
    // Of `com.acme.Cart.total` the class is worth a look, the package is not.
    let class = owner.filter(|owner| owner.starts_with(|c: char| c.is_uppercase()));
    if let Some(owner) = class
        && !found.iter().any(|one| one.name == owner)
    {
        found.push(Named {
            name: owner.to_owned(),
            owner: None,
        });
    }
}

pub(super) fn says_something(name: &str) -> bool {
    (3..=80).contains(&name.len())
        && !EMPTY.contains(&name)
        && name.chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_runtimes_print_them() {
        for (message, expected) in [
            ("'Cart' object has no attribute 'total'", "Cart total"),
            ("undefined method `total' for nil:NilClass", "total"),
            ("undefined method 'total' for an instance of Cart", "total"),
            (
                "Cannot read properties of undefined (reading 'price')",
                "price",
            ),
            ("cart.total is not a function", "total"),
            ("no such column: orders.voucher_id", "voucher_id"),
            ("'SUMMER25'", "SUMMER25"),
            ("missing field `currency` at line 3 column 1", "currency"),
            ("'double com.acme.Cart.total(java.util.List)'", "total Cart"),
            (
                "Cannot invoke \"com.acme.Price.amount()\" because \"<local1>\" is null",
                "amount Price",
            ),
            (
                "discount() got an unexpected keyword argument 'rate'",
                "discount rate",
            ),
            ("uninitialized constant Shop::Cart", "Cart Shop"),
            ("Call to undefined method Shop\\Cart::total()", "total Cart"),
            ("key :currency not found in: %{}", "currency"),
            (
                "function Shop.Cart.total/1 is undefined or private",
                "total Cart",
            ),
            ("cannot import name 'total' from 'shop.cart'", "total cart"),
            ("connection refused", ""),
        ] {
            let all: Vec<String> = named(message).into_iter().map(|one| one.name).collect();
            assert_eq!(all.join(" "), expected, "{message}");
        }
    }

    #[test]
    fn a_long_message_is_bounded() {
        let long = "é'a_b' ".repeat(100_000);
        assert_eq!(named(&long).len(), 1);
        let many: String = (0..1_000).map(|n| format!("'name_{n}' ")).collect();
        assert_eq!(named(&many).len(), LIMIT);
    }

    #[test]
    fn every_shape_is_a_regular_expression() {
        assert_eq!(SHAPES.len(), 14);
        assert!(WORDS.is_some());
    }
}
