package com.acme.old;

public final class Cart {
    private Cart() {
    }
}
