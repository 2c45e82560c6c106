<?php
namespace Shop;

class OutOfStock extends \RuntimeException {}

class Cart {
    public function add(string $item, int $amount): void {
        if ($amount > 2) {
            throw new OutOfStock("only 2 of $item left in stock");
        }
    }
}

function checkout(Cart $cart): void {
    array_map(function ($item) use ($cart) {
        $cart->add($item, 3);
    }, ['tea in boxes of twelve']);
}

echo "checkout starts\n";
echo $undefined;
checkout(new Cart());
