mod average;
mod window;

#[test]
fn full_windows() {
    assert_eq!(average::means(&[1, 2, 3, 6], 4, 4), [3]);
    assert_eq!(average::means(&[1, 2, 3, 6, 4, 4, 4], 4, 3)[..2], [3, 4]);
}

#[test]
fn no_readings_and_few_do_not_fail() {
    assert!(average::means(&[], 4, 3).is_empty());
    let few = average::means(&[8, 8], 4, 3);
    assert!(few.is_empty() || few == [8]);
}
