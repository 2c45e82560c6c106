//! A whole function around a line: from its decorators to its end, and the class it belongs to.
//! By shape and indentation, as `function`, any language.

use super::function::{enclosing, indent};
use std::ops::RangeInclusive;

/// Lines looked at above a function for the class around it.
const REACH: usize = 5_000;
/// Most lines of decorators and comments above a function that belong to it.
const ABOVE: usize = 20;

/// A function in its file. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// With its decorators, the comment above it and its last line.
    pub lines: RangeInclusive<u32>,
    /// The line with its name.
    pub header: u32,
    /// The first line of the class, `impl`, module or object around it.
    pub class: Option<u32>,
}

/// The function around a line. A closure is shown with the function that holds it, as far as that
/// is no longer than `most` lines.
pub fn body(lines: &[&str], line: u32, most: u32) -> Option<Body> {
    let mut found = one(lines, line)?;
    while let Some(outer) = outer(lines, &found) {
        if outer.lines.end() - outer.lines.start() >= most {
            break;
        }
        found = outer;
    }
    found.class = class_of(lines, found.header);
    Some(found)
}

fn outer(lines: &[&str], inner: &Body) -> Option<Body> {
    let header = lines.get(inner.header as usize - 1)?;
    if indent(header) == 0 {
        return None;
    }
    let above = inner.header.checked_sub(1)?;
    // From the inner header's own line: what is around it has less indentation.
    let outer = enclosing_above(lines, inner.header, above)?;
    let class = class_of(lines, inner.header);
    // A method of a class within a function is that class's.
    let own_class = class.is_some_and(|class| class > outer.header);
    let around = outer.lines.contains(inner.lines.end());
    (around && !own_class).then_some(outer)
}

fn enclosing_above(lines: &[&str], header: u32, above: u32) -> Option<Body> {
    let margin = indent(lines.get(header as usize - 1)?);
    let mut at = above;
    let mut depth = margin;
    while at > 0 {
        let text = lines.get(at as usize - 1)?;
        let closes = text.trim_start().starts_with([')', '}', ']']);
        if !text.trim().is_empty() && !closes && indent(text) < depth {
            depth = indent(text);
            let found = one(lines, at)?;
            if found.header == at {
                return Some(found);
            }
        }
        at -= 1;
        if u32::abs_diff(at, header) as usize > REACH {
            return None;
        }
    }
    None
}

fn one(lines: &[&str], line: u32) -> Option<Body> {
    let found = enclosing(lines, line)?;
    let header = *found.lines.start();
    let margin = indent(lines.get(header as usize - 1)?);
    let mut last = *found.lines.end();
    // Ruby and Elixir end a function with a word at its margin.
    let next = (last as usize..lines.len()).find(|at| !lines[*at].trim().is_empty());
    if let Some(next) = next
        && let Some(text) = lines.get(next)
        && indent(text) == margin
        && is_end(text)
    {
        last = u32::try_from(next + 1).unwrap_or(u32::MAX);
    }
    while last > header
        && lines
            .get(last as usize - 1)
            .is_some_and(|l| l.trim().is_empty())
    {
        last -= 1;
    }
    Some(Body {
        lines: first_of(lines, header, margin)..=last,
        header,
        class: None,
    })
}

fn is_end(text: &str) -> bool {
    let text = text.trim();
    text == "end" || text.starts_with("end)") || text.starts_with("end,") || text.starts_with('}')
}

/// Decorators, annotations, attributes and comments directly above a function.
fn first_of(lines: &[&str], header: u32, margin: usize) -> u32 {
    let mut first = header;
    for _ in 0..ABOVE {
        let Some(text) = first
            .checked_sub(2)
            .and_then(|at| lines.get(at as usize))
            .filter(|text| indent(text) >= margin)
        else {
            break;
        };
        let text = text.trim_start();
        let belongs = ["@", "#", "//", "/*", "*", "--", "[", "%"]
            .iter()
            .any(|mark| text.starts_with(mark));
        if !belongs {
            break;
        }
        first -= 1;
    }
    first
}

/// The first line of what is around a function and is none itself.
fn class_of(lines: &[&str], header: u32) -> Option<u32> {
    let at = (header as usize).checked_sub(1)?;
    let mut depth = indent(lines.get(at)?);
    for i in (at.saturating_sub(REACH)..at).rev() {
        if depth == 0 {
            return None;
        }
        let text = lines.get(i)?;
        let closes = text.trim_start().starts_with([')', '}', ']']) || text.trim() == "{";
        if text.trim().is_empty() || closes || indent(text) >= depth {
            continue;
        }
        depth = indent(text);
        if is_class(text) {
            return u32::try_from(i + 1).ok();
        }
    }
    None
}

fn is_class(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "class",
        "impl",
        "interface",
        "trait",
        "module",
        "object",
        "enum",
        "struct",
        "record",
        "defmodule",
        "extension",
        "mixin",
        "impl<T>",
        "defimpl",
    ];
    let text = line.trim();
    let words = text
        .split(|c: char| c.is_whitespace() || c == '<' || c == '(')
        .take(6);
    text.split(['(', '=', '"', ';'])
        .next()
        .is_some_and(|before| before.len() > 4)
        && words.clone().any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last line, the header and the class.
    fn found(text: &str, line: u32) -> (u32, u32, u32, Option<u32>) {
        let lines: Vec<&str> = text.lines().collect();
        let body = body(&lines, line, 120).unwrap_or_else(|| panic!("line {line} of\n{text}"));
        (
            *body.lines.start(),
            *body.lines.end(),
            body.header,
            body.class,
        )
    }

    #[test]
    fn whole_functions_of_all_languages() {
        let python = "import a\n\nclass Cart(Base):\n    rate = 1\n\n    @cached\n    def total(self, x):\n        if x:\n\n            return 1\n        return sum(\n            self.x\n        )\n\n    def g(self):\n        pass\n";
        assert_eq!(found(python, 10), (6, 13, 7, Some(3)));
        assert_eq!(found(python, 16), (15, 16, 15, Some(3)));
        let java = "package a;\n\npublic class Cart {\n    /** Adds. */\n    @Override\n    public int total(int a)\n            throws X {\n        if (a > 0) {\n            return 1;\n        }\n        return 2;\n    }\n\n    int g() {\n        return 1;\n    }\n}\n";
        assert_eq!(found(java, 15), (14, 16, 14, Some(3)));
        assert_eq!(found(java, 9).3, Some(3));
        let javascript = "class Cart {\n  total(items) {\n    return items.reduce((sum, item) => {\n      return sum + item.price.amount;\n    }, 0);\n  }\n}\n\nconst pay = async (order) => {\n  await send(order);\n};\n";
        assert_eq!(found(javascript, 4), (2, 6, 2, Some(1)));
        assert_eq!(found(javascript, 10), (9, 11, 9, None));
        let typescript = "export class Cart extends Base<Item> {\n  async total(a: number): Promise<number> {\n    return this.x(a);\n  }\n}\n";
        assert_eq!(found(typescript, 3), (2, 4, 2, Some(1)));
        let go = "package a\n\n// Total adds.\nfunc (c *Cart) Total(a int) int {\n\tfor i := range c.x {\n\t\tc.y[i]()\n\t}\n\treturn 0\n}\n\nfunc b() {}\n";
        assert_eq!(found(go, 6), (3, 9, 4, None));
        let rust = "struct Cart;\n\nimpl Cart {\n    /// Adds.\n    #[inline]\n    pub fn total(&self) -> u8 {\n        self.v.iter().map(|x| {\n            x + 1\n        }).sum()\n    }\n}\n";
        assert_eq!(found(rust, 8), (4, 10, 6, Some(3)));
        let ruby = "module Shop\n  class Cart < Base\n    # Adds.\n    def total(items)\n      items.each do |item|\n        item.price.amount\n      end\n    end\n\n    def g\n      1\n    end\n  end\nend\n";
        assert_eq!(found(ruby, 6), (3, 8, 4, Some(2)));
        let elixir = "defmodule Shop.Cart do\n  @doc \"Adds.\"\n  def total(items) do\n    Enum.map(items, fn item ->\n      item.price\n    end)\n  end\n\n  defp g, do: 1\nend\n";
        assert_eq!(found(elixir, 5), (2, 7, 3, Some(1)));
        let php = "<?php\nclass Cart\n{\n    public function total(array $items): int\n    {\n        return $items[0]->price;\n    }\n}\n";
        assert_eq!(found(php, 6), (4, 7, 4, Some(2)));
        let csharp = "namespace A\n{\n    public class Cart\n    {\n        public int Total(int a)\n        {\n            return a;\n        }\n    }\n}\n";
        assert_eq!(found(csharp, 7), (5, 8, 5, Some(3)));
        let dart = "class Cart {\n  int total(List<Item> items) {\n    return items.first.price;\n  }\n}\n";
        assert_eq!(found(dart, 3), (2, 4, 2, Some(1)));
        let cpp = "int Cart::total(int a) {\n  return v.at(a);\n}\n";
        assert_eq!(found(cpp, 2), (1, 3, 1, None));
        let kotlin = "class Cart {\n    fun total(a: Int): Int {\n        return a\n    }\n}\n";
        assert_eq!(found(kotlin, 3), (2, 4, 2, Some(1)));
        let erlang = "-module(cart).\n\ntotal(Items) ->\n    lists:sum(\n        Items).\n";
        let lines: Vec<&str> = erlang.lines().collect();
        assert!(body(&lines, 5, 120).is_none_or(|one| one.header == 3));
    }

    #[test]
    fn a_closure_stands_alone_where_the_function_around_it_is_long() {
        let mut text = String::from("function all() {\n  on(() => {\n    a();\n  });\n");
        text.push_str(&"  b();\n".repeat(200));
        text.push_str("}\n");
        assert_eq!(found(&text, 3), (2, 4, 2, None));
        let lines = ["x = 1", ""];
        assert_eq!(body(&lines, 1, 120), None);
        assert_eq!(body(&lines, 9, 120), None);
    }
}
