require Logger
Logger.info("Task 7 terminated in 12 ms")
Logger.warn("GenServer pool is busy, ** retry 3")
Logger.error("payment failed: #{inspect({:error, :timeout})}")
Logger.info("%{file: \"lib/shop.ex\", line: 3}")
IO.puts("Process finished; #{inspect(%RuntimeError{message: "x"})}")
