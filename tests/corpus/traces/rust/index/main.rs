fn price(items: &[u32], at: usize) -> u32 {
    items[at]
}

fn main() {
    println!("reading basket");
    println!("{}", price(&[1, 2], 5));
}
