//! What a stack trace says, whatever language printed it.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The language of a runtime. Kotlin and Scala count as Java, TypeScript as JavaScript,
/// Erlang as Elixir, C as C++.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Python,
    Java,
    Javascript,
    Go,
    Rust,
    Ruby,
    Php,
    Csharp,
    Dart,
    Elixir,
    Cpp,
}

impl Language {
    /// The lower-case name used in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Language::Python => "python",
            Language::Java => "java",
            Language::Javascript => "javascript",
            Language::Go => "go",
            Language::Rust => "rust",
            Language::Ruby => "ruby",
            Language::Php => "php",
            Language::Csharp => "csharp",
            Language::Dart => "dart",
            Language::Elixir => "elixir",
            Language::Cpp => "cpp",
        }
    }
}

/// One line of a backtrace, with what it printed and nothing guessed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The file as printed: a path, or Java's bare file name.
    pub file: Option<String>,
    /// 1-based.
    pub line: Option<u32>,
    /// As printed; Java's with its package and class.
    pub function: Option<String>,
}

/// What was raised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// The exception's type; `panic` for Go and Rust panics. `None` where the text has none.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub message: Option<String>,
}

/// One exception of a chain with the frames printed under it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub raised: Raised,
    /// Indices into [`Trace::frames`].
    pub frames: Range<usize>,
}

/// A whole stack trace: every block of the chain in the order printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    pub language: Language,
    /// Never empty.
    pub blocks: Vec<Block>,
    /// The block of the root cause: what went wrong first.
    pub root: usize,
    /// The block of the outermost exception: what finally left the program.
    pub outermost: usize,
    /// All frames, in the order printed.
    pub frames: Vec<Frame>,
}

impl Trace {
    /// What went wrong first.
    pub fn root_cause(&self) -> &Raised {
        &self.blocks[self.root].raised
    }

    /// What finally left the program, where that is another exception than the root cause.
    pub fn raised_as(&self) -> Option<&Raised> {
        (self.outermost != self.root).then(|| &self.blocks[self.outermost].raised)
    }

    /// Whether a block prints its innermost frame (where it was thrown) last: as Python does, and
    /// as Ruby 2.5 to 2.7 do on a terminal, where the program's bottom stands first.
    fn innermost_last(&self, block: &Range<usize>) -> bool {
        let frames = self.frames.get(block.clone()).unwrap_or_default();
        let bottom = |frame: Option<&Frame>| {
            frame.is_some_and(|frame| frame.function.as_deref() == Some("<main>"))
        };
        match self.language {
            Language::Python => true,
            Language::Ruby => bottom(frames.first()) && !bottom(frames.last()),
            Language::Java
            | Language::Javascript
            | Language::Go
            | Language::Rust
            | Language::Php
            | Language::Csharp
            | Language::Dart
            | Language::Elixir
            | Language::Cpp => false,
        }
    }

    /// Indices of the frames from where the fault was thrown outwards: the root cause's
    /// frames first, then those of the other blocks, each block innermost first.
    pub fn innermost_first(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.frames.len());
        let others = (0..self.blocks.len()).filter(|&at| at != self.root);
        for at in std::iter::once(self.root).chain(others) {
            let range = self.blocks[at].frames.clone();
            if self.innermost_last(&range) {
                order.extend(range.rev());
            } else {
                order.extend(range);
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_frames_come_first_from_where_it_was_thrown() {
        let frame = |line| Frame {
            line: Some(line),
            ..Frame::default()
        };
        let block = |frames| Block {
            frames,
            ..Block::default()
        };
        let mut trace = Trace {
            language: Language::Python,
            blocks: vec![block(0..2), block(2..4)],
            root: 0,
            outermost: 1,
            frames: (0..4).map(frame).collect(),
        };
        assert_eq!(trace.innermost_first(), [1, 0, 3, 2]);
        trace.language = Language::Java;
        (trace.root, trace.outermost) = (1, 0);
        assert_eq!(trace.innermost_first(), [2, 3, 0, 1]);
        assert!(trace.raised_as().is_some());
        trace.language = Language::Ruby;
        assert_eq!(trace.innermost_first(), [2, 3, 0, 1]);
        trace.frames[2].function = Some("<main>".to_owned());
        assert_eq!(trace.innermost_first(), [3, 2, 0, 1]);
    }
}
