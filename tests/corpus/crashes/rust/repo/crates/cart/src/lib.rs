pub struct Cart {
    pub prices: Vec<u32>,
}

impl Cart {
    pub fn dearest(&self) -> u32 {
        *self.prices.iter().max().unwrap()
    }
}
