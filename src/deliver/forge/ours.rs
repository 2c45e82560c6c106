//! Whose a branch is, told from its newest commit: ours when that is one commit of autofix for the
//! same fault and round, whoever made it; otherwise somebody's who pushed to it. It asks no host.

/// Lines that tell which fault a commit is for. All of them stand in every commit of ours.
const IDENTITY: [&str; 3] = ["Autofix-Service", "Autofix-Fingerprint", "Autofix-Round"];
/// The line that tells which change it is.
const CHANGE: &str = "Autofix-Change";

/// Whose a branch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// `same`: its change is the order's.
    Ours {
        same: bool,
    },
    Theirs,
}

/// `ours`: the order's message; `tip`: the message of the branch's newest commit, with its number
/// of parents. A commit that somebody put on top of ours has other trailers or none, and a merge
/// has two parents.
pub fn whose(ours: &str, tip: &str, parents: usize) -> Whose {
    let alike = |name: &str| match (trailer(ours, name), trailer(tip, name)) {
        (Some(ours), Some(tip)) => ours == tip,
        (Some(_) | None, None) | (None, Some(_)) => false,
    };
    if parents != 1 || !IDENTITY.into_iter().all(alike) {
        return Whose::Theirs;
    }
    Whose::Ours {
        same: alike(CHANGE),
    }
}

/// The value of a trailer that stands once in the message's last paragraph. Twice is as good as
/// not at all: nobody can tell which of them holds.
fn trailer<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let lines: Vec<&str> = message.trim_end().lines().map(str::trim_end).collect();
    let last = lines.rsplit(|line| line.is_empty()).next()?;
    let mut values = last.iter().filter_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found == name).then_some(value.trim())
    });
    let value = values.next().filter(|value| !value.is_empty())?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "Check the cart before it is charged\n\nWhy.\n\nAutofix-Service: shop\n\
        Autofix-Fingerprint: v1:0a\nAutofix-Round: 0\nAutofix-Change: c1\n";

    #[test]
    fn the_same_fault_and_round_is_ours_whatever_the_change() {
        let same = Whose::Ours { same: true };
        let other = Whose::Ours { same: false };
        assert_eq!(whose(OURS, OURS, 1), same);
        assert_eq!(whose(OURS, OURS.trim_end(), 1), same);
        assert_eq!(whose(OURS, &OURS.replace('\n', "\r\n"), 1), same);
        assert_eq!(whose(OURS, &OURS.replace("c1", "c2"), 1), other);
        assert_eq!(
            whose(OURS, &OURS.replace("Autofix-Change: c1\n", ""), 1),
            other
        );
    }

    #[test]
    fn anything_else_is_somebody_elses() {
        for (from, to) in [
            ("shop", "shop2"),
            ("v1:0a", "v1:0b"),
            ("Round: 0", "Round: 1"),
            ("Autofix-Service: shop\n", ""),
            ("Autofix-Round: 0\n", "Autofix-Round: 0\nAutofix-Round: 0\n"),
            ("Autofix-Change", "\nAutofix-Change"),
        ] {
            let tip = OURS.replace(from, to);
            assert_eq!(whose(OURS, &tip, 1), Whose::Theirs, "{tip}");
        }
        assert_eq!(whose(OURS, OURS, 2), Whose::Theirs);
        assert_eq!(whose(OURS, OURS, 0), Whose::Theirs);
        assert_eq!(whose("no trailers", "no trailers", 1), Whose::Theirs);
        assert_eq!(whose(OURS, "", 1), Whose::Theirs);
    }
}
