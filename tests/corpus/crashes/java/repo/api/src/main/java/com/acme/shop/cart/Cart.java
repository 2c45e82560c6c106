package com.acme.shop.cart;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

public final class Cart {
    private final List<Line> lines = new ArrayList<>();

    public void add(String name, String price) {
        lines.add(new Line(name, price));
    }

    public BigDecimal total() {
        return lines.stream().map(line -> line.amount()).reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    private static final class Line {
        private final String name;
        private final String price;

        Line(String name, String price) {
            this.name = name;
            this.price = price;
        }

        BigDecimal amount() {
            return new BigDecimal(price);
        }
    }
}
