//! How surprising a count is. Bounds and tests that need no tables: they err on the side of
//! silence. Not here: what to compare with what.

/// Natural logarithm of a bound on the chance of `seen` or more events where `mean` are expected
/// and the variance is `dispersion` times the mean: Chernoff's bound for the Poisson (dispersion
/// up to 1) and the negative binomial distribution. 0 when `seen` is no more than expected.
pub fn ln_tail(seen: f64, mean: f64, dispersion: f64) -> f64 {
    let mean = mean.max(1e-9);
    if seen <= mean {
        return 0.0;
    }
    if dispersion <= 1.0 + 1e-6 {
        return seen - mean - seen * (seen / mean).ln();
    }
    // Size of the negative binomial whose variance is mean + mean²/size = dispersion · mean.
    let size = mean / (dispersion - 1.0);
    (seen + size) * ((seen + size) / (mean + size)).ln() - seen * (seen / mean).ln()
}

/// Natural logarithm of the one-sided p of Fisher's exact test: the chance that of `hits` hits
/// in two groups together at least `of_first.0` fall into the first, were the groups alike.
/// Each group is (hits, trials); no group has more hits than trials.
pub fn ln_fisher(of_first: (u64, u64), of_second: (u64, u64)) -> f64 {
    let (hits_one, trials_one) = (of_first.0.min(of_first.1), of_first.1);
    let (hits_two, trials_two) = (of_second.0.min(of_second.1), of_second.1);
    let hits = hits_one.saturating_add(hits_two);
    let all = trials_one.saturating_add(trials_two);
    if hits_one == 0 || trials_one == 0 || trials_two == 0 {
        return 0.0;
    }
    // Below the mean the tail is no evidence, and its terms would rise before they fall.
    if (hits_one as f64) * (all as f64) <= (hits as f64) * (trials_one as f64) {
        return 0.0;
    }
    let first =
        ln_choose(trials_one, hits_one) + ln_choose(trials_two, hits_two) - ln_choose(all, hits);
    // Sum of the terms from here on, as multiples of the first; they fall geometrically.
    let (mut sum, mut term) = (1.0f64, 1.0f64);
    let (mut taken, mut left) = (hits_one, hits_two);
    while left > 0 && taken < trials_one {
        let up = (trials_one - taken) as f64 * left as f64;
        let down = (taken + 1) as f64 * (trials_two - left + 1) as f64;
        term *= up / down;
        sum += term;
        taken += 1;
        left -= 1;
        if term < 1e-12 * sum {
            break;
        }
    }
    (first + sum.ln()).min(0.0)
}

fn ln_choose(of: u64, take: u64) -> f64 {
    ln_factorial(of) - ln_factorial(take) - ln_factorial(of.saturating_sub(take))
}

/// Stirling's series; exact to more digits than are needed from 16 on.
fn ln_factorial(n: u64) -> f64 {
    if n < 16 {
        return (2..=n).map(|k| (k as f64).ln()).sum();
    }
    let x = n as f64;
    x * x.ln() - x + 0.5 * (std::f64::consts::TAU * x).ln() + 1.0 / (12.0 * x)
        - 1.0 / (360.0 * x * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_lies_above_the_poisson_tail() {
        // P(X >= 25 | mean 5) is 1.6e-10 (ln -22.6), summed term by term.
        let bound = ln_tail(25.0, 5.0, 1.0);
        assert!((-22.6..-20.0).contains(&bound), "{bound}");
        assert_eq!(ln_tail(5.0, 5.0, 1.0), 0.0);
        // The more the past varied the less a count says.
        assert!(ln_tail(25.0, 5.0, 8.0) > -3.0);
        assert!(ln_tail(300.0, 30.0, 8.0) < -20.0);
        // Nearly Poisson is Poisson.
        assert!((ln_tail(25.0, 5.0, 1.000_01) - bound).abs() < 0.01);
    }

    #[test]
    fn fisher_agrees_with_worked_examples() {
        // The tea: 3 of 4 against 1 of 4 has p = 17/70; 4 of 4 against 0 of 4 has 1/70.
        let p = |first, second| ln_fisher(first, second).exp();
        assert!((p((3, 4), (1, 4)) - 17.0 / 70.0).abs() < 1e-9);
        assert!((p((4, 4), (0, 4)) - 1.0 / 70.0).abs() < 1e-9);
        assert_eq!(p((1, 4), (3, 4)), 1.0);
        assert_eq!(p((0, 0), (3, 4)), 1.0);
        // 10 of 1,000 against 1 of 1,000, from R's fisher.test: 0.0058 one-sided.
        assert!((p((10, 1_000), (1, 1_000)) - 0.0058).abs() < 0.0002);
        assert!(ln_fisher((5_000, 1_000_000), (3_000, 1_000_000)) < -100.0);
    }

    #[test]
    fn hostile_numbers_end() {
        assert!(ln_fisher((u64::MAX, u64::MAX), (3, 5)).is_finite());
        assert!(ln_tail(f64::from(u32::MAX), 0.0, 1e30).is_finite());
    }
}
