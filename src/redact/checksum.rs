//! Check digits of numbers that people and cards have.

/// Digits as numbers; `None` where a byte is none.
pub(super) fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|c| c.to_digit(10)).collect()
}

pub(super) fn luhn(digits: &[u32]) -> bool {
    let double = |at: usize, digit: u32| match (at % 2, digit * 2) {
        (0, _) => digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, d)| double(at, *d))
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|d| *d != 0)
}

/// Weights times digits.
pub(super) fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum()
}

/// ISO 7064 mod 11,10, as German tax ids have it.
pub(super) fn mod_11_10(digits: &[u32]) -> bool {
    let Some((check, rest)) = digits.split_last() else {
        return false;
    };
    let mut product = 10;
    for digit in rest {
        let sum = (digit + product) % 10;
        product = (if sum == 0 { 10 } else { sum }) * 2 % 11;
    }
    (11 - product) % 10 == *check
}

/// The remainder of a number that is written out, by a small one.
pub(super) fn remainder(digits: &[u32], by: u32) -> u32 {
    digits
        .iter()
        .fold(0, |rest, digit| (rest * 10 + digit) % by)
}

/// Verhoeff's scheme: the group of the pentagon's symmetries, and a permutation by place.
pub(super) fn verhoeff(digits: &[u32]) -> bool {
    const PERMUTED: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let permuted = |times: usize, digit: u32| {
        (0..times % 8).fold(digit, |d, _| PERMUTED.get(d as usize).copied().unwrap_or(0))
    };
    let sum = digits.iter().rev().enumerate();
    sum.fold(0, |sum, (at, digit)| product(sum, permuted(at, *digit))) == 0
}

/// The product of two symmetries: 0 to 4 turn, 5 to 9 mirror and turn.
fn product(a: u32, b: u32) -> u32 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<u32> {
        digits(text).unwrap()
    }

    /// Every scheme finds each single wrong digit.
    #[test]
    fn good_numbers_pass_and_wrong_digits_do_not() {
        type Scheme = fn(&[u32]) -> bool;
        let schemes: [(Scheme, &str); 4] = [
            (luhn, "4111111111111111"),
            (luhn, "378282246310005"),
            (verhoeff, "2363"),
            (mod_11_10, "86095742719"),
        ];
        for (scheme, number) in schemes {
            let good = of(number);
            assert!(scheme(&good), "{number}");
            for at in 0..good.len() {
                let mut wrong = good.clone();
                wrong[at] = (wrong[at] + 1) % 10;
                assert!(!scheme(&wrong), "{number} at {at}");
            }
        }
        assert_eq!(
            remainder(&of("123456789012345"), 97),
            (123_456_789_012_345_u64 % 97) as u32
        );
        assert!(!luhn(&of("0000000000000000")));
    }
}
