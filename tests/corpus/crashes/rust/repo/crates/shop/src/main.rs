fn main() {
    let carts = vec![cart::Cart { prices: vec![3] }, cart::Cart { prices: vec![] }];
    let dearest: Vec<u32> = carts.iter().map(|cart| cart.dearest()).collect();
    println!("{dearest:?}");
}
