//! Which output of a container a line came from. Nothing else.

/// Which of a container's two outputs a line came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Side {
    Stdout,
    Stderr,
    /// The agent does not tell them apart.
    #[default]
    Unknown,
}

impl Side {
    pub(super) fn from_word(word: &[u8]) -> Option<Side> {
        match word {
            b"stdout" => Some(Side::Stdout),
            b"stderr" => Some(Side::Stderr),
            _ => None,
        }
    }

    /// `stdout`, `stderr` or nothing.
    pub const fn word(self) -> &'static str {
        match self {
            Side::Stdout => "stdout",
            Side::Stderr => "stderr",
            Side::Unknown => "",
        }
    }
}
