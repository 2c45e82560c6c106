//! Slips of the finger in a key's name, made up: the host lets a plugin ask for a key but not
//! see which there are, so a misspelt one is found only by asking for it.

/// Names that a person may have meant `key` with, in lower case: one letter left out, doubled or
/// swapped with its neighbour, an `s` too much or missing, another sign for `_`.
pub(super) fn slips(key: &str) -> Vec<String> {
    let key = key.to_ascii_lowercase();
    let mut slips = vec![
        key.replace('_', ""),
        key.replace('_', "-"),
        key.replace('_', "."),
        format!("{key}s"),
        format!("autofix_{key}"),
        format!("autofix.{key}"),
    ];
    let letters: Vec<char> = key.chars().collect();
    for at in 0..letters.len() {
        let (head, tail) = letters.split_at(at);
        if let [letter, rest @ ..] = tail {
            slips.push(join(head, &[], rest));
            slips.push(join(head, &[*letter, *letter], rest));
        }
        if let [one, two, rest @ ..] = tail {
            slips.push(join(head, &[*two, *one], rest));
        }
    }
    slips.sort();
    slips.dedup();
    slips.retain(|slip| super::keys::find(slip).is_none() && slip.len() > 2);
    slips
}

fn join(head: &[char], middle: &[char], tail: &[char]) -> String {
    head.iter().chain(middle).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_slips_are_among_them_and_real_keys_are_not() {
        let slips = slips("State_Dir");
        for slip in [
            "statedir",
            "state_dri",
            "stat_dir",
            "state-dir",
            "state_dirs",
        ] {
            assert!(slips.iter().any(|s| s == slip), "{slip}");
        }
        assert!(!super::slips("Service").contains(&"services".to_owned()));
    }
}
