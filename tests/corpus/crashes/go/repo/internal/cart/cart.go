// Package cart adds up what is bought.
package cart

// Cart holds prices in cents.
type Cart struct {
	Prices []int
}

// First is the price of the first line.
func (c *Cart) First() int {
	return c.Prices[0]
}
