def total(prices)
  prices.sum { |price| price + nil }
end

begin
  total([1])
rescue TypeError => error
  warn error.full_message(highlight: true, order: :bottom)
end
warn "going on"
