fn deep(n: u32) -> u32 {
    if n == 0 { None::<u32>.expect("the queue is never empty") } else { deep(n - 1) + 1 }
}

fn main() {
    println!("{}", deep(2));
}
