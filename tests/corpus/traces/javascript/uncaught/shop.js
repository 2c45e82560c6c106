function price(item) {
  return item.price.amount * item.count;
}

class Basket {
  total(items) {
    return items.map((item) => price(item));
  }
}

console.log("reading basket");
new Basket().total([{ price: { amount: 3 }, count: 2 }, { count: 4 }]);
