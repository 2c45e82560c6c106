package main

import (
	"fmt"
	"sort"

	"github.com/acme/shop/internal/cart"
)

func main() {
	carts := []*cart.Cart{{Prices: []int{3, 4}}, {}}
	sort.Slice(carts, func(i, j int) bool {
		return carts[i].First() < carts[j].First()
	})
	fmt.Println(carts[0].First())
}
