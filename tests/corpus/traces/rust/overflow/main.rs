#[allow(unconditional_recursion)]
fn deep(n: u64) -> u64 {
    let room = [n; 512];
    deep(room[7] + 1) + room[3]
}

fn main() {
    println!("starting");
    println!("{}", deep(0));
}
