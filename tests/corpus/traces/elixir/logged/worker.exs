require Logger

charge = fn order -> if order == 2, do: raise(ArgumentError, "card of order #{order} declined\nask the bank") end

for order <- 1..3 do
  try do
    charge.(order)
    Logger.info("order #{order} charged")
  rescue
    error -> Logger.error(Exception.format(:error, error, __STACKTRACE__))
  end
end

try do
  charge.(2)
rescue
  error -> Logger.warn("will try again: " <> Exception.format(:error, error, __STACKTRACE__))
end
Logger.error("two orders lost")
