//! Which of very many ranges hold a number: ranges sorted by where they begin, with the highest
//! end of each part of the list, so that parts without an answer are passed over.

/// Ranges with the watches that need them. Both bounds belong to a range.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    /// Sorted by `low`.
    spans: Vec<Span>,
    /// The highest `high` of the part of the list whose middle is here.
    highest: Vec<f64>,
    /// Not yet sorted in.
    fresh: Vec<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    low: f64,
    high: f64,
    watch: u32,
}

impl Ranges {
    /// Enters a watch; neither bound is NaN.
    pub fn add(&mut self, low: f64, high: f64, watch: u32) {
        self.fresh.push(Span { low, high, watch });
        if self.fresh.len() > 32.max(self.spans.len() / 8) {
            self.spans.append(&mut self.fresh);
            self.spans.sort_by(|a, b| a.low.total_cmp(&b.low));
            self.highest = vec![f64::NEG_INFINITY; self.spans.len()];
            settle(&self.spans, &mut self.highest);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.fresh.is_empty()
    }

    /// Calls `found` with each watch whose range holds the number.
    pub fn visit(&self, number: f64, found: &mut dyn FnMut(u32)) {
        for span in &self.fresh {
            tell(span, number, found);
        }
        look(&self.spans, &self.highest, number, found);
    }

    /// Bytes that they take, about.
    pub fn bytes(&self) -> usize {
        32 * (self.spans.len() + self.fresh.len())
    }
}

fn tell(span: &Span, number: f64, found: &mut dyn FnMut(u32)) {
    if span.low <= number && number <= span.high {
        found(span.watch);
    }
}

/// Fills in the highest ends of a part; gives that of the whole part.
fn settle(spans: &[Span], highest: &mut [f64]) -> f64 {
    let middle = spans.len() / 2;
    let (Some(span), true) = (spans.get(middle), spans.len() == highest.len()) else {
        return f64::NEG_INFINITY;
    };
    let (before, rest) = highest.split_at_mut(middle);
    let Some((own, after)) = rest.split_first_mut() else {
        return f64::NEG_INFINITY;
    };
    let left = settle(spans.get(..middle).unwrap_or_default(), before);
    let right = settle(spans.get(middle + 1..).unwrap_or_default(), after);
    *own = span.high.max(left).max(right);
    *own
}

fn look(spans: &[Span], highest: &[f64], number: f64, found: &mut dyn FnMut(u32)) {
    let middle = spans.len() / 2;
    let (Some(span), Some(most)) = (spans.get(middle), highest.get(middle)) else {
        return;
    };
    if *most < number {
        return;
    }
    let part = |from: usize, to: usize| (spans.get(from..to), highest.get(from..to));
    if let (Some(spans), Some(highest)) = part(0, middle) {
        look(spans, highest, number, found);
    }
    if span.low > number {
        return;
    }
    tell(span, number, found);
    if let (Some(spans), Some(highest)) = part(middle + 1, spans.len()) {
        look(spans, highest, number, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_same_as_asking_each(
            bounds in prop::collection::vec((-20i32..20, 0i32..15), 0..200),
            number in -25i32..25,
        ) {
            let mut ranges = Ranges::default();
            let mut wanted = Vec::new();
            for (watch, (low, length)) in (0..).zip(bounds) {
                let open = length == 14;
                let high = if open { f64::INFINITY } else { f64::from(low + length) };
                ranges.add(f64::from(low), high, watch);
                if f64::from(low) <= f64::from(number) && f64::from(number) <= high {
                    wanted.push(watch);
                }
            }
            let mut all = Vec::new();
            ranges.visit(f64::from(number), &mut |watch| all.push(watch));
            all.sort_unstable();
            prop_assert_eq!(all, wanted);
        }
    }
}
