class Cart
  def initialize(prices)
    @prices = prices
  end

  def total
    @prices.sum { |price| price.fetch(:amount) }
  end
end

def checkout(cart)
  puts "total #{cart.total}"
end

puts "checkout starts"
checkout(Cart.new([{ amount: 3 }, { name: "tea" }]))
