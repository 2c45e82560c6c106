package com.acme.shop;

import com.acme.shop.cart.Cart;

public final class Main {
    public static void main(String[] arguments) {
        Cart cart = new Cart();
        cart.add("tea", "3.20");
        cart.add("cup", arguments.length > 0 ? arguments[0] : "free");
        try {
            System.out.println(cart.total());
        } catch (NumberFormatException e) {
            throw new IllegalStateException("no total", e);
        }
    }
}
