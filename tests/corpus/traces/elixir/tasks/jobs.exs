require Logger
Task.start(fn -> raise "import failed" end)
Process.sleep(200)
spawn(fn -> Map.fetch!(%{}, :amount) end)
Process.sleep(200)
Logger.info("the other jobs go on")
task = Task.async(fn -> String.to_integer("x") end)
Task.await(task)
