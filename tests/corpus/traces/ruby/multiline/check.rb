def check(order)
  raise ArgumentError, "order is wrong:\n  id: #{order[:id]}\n  sql: SELECT * FROM orders WHERE id = 'x'"
end

begin
  check({ id: 7 })
rescue ArgumentError => error
  warn error.full_message(highlight: false, order: :top)
end
nil.upcase
