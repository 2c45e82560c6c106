defmodule Shop.Stock do
  use GenServer

  def init(state), do: {:ok, state}

  def handle_call({:take, item}, _from, state) do
    {:reply, Map.fetch!(state, item), state}
  end

  def handle_cast(:count, state) do
    {:noreply, length(state)}
  end
end

{:ok, stock} = GenServer.start(Shop.Stock, %{tea: 1, coffee: 12, cocoa: "a long description of what cocoa is", milk: %{fat: 3.5, origin: "here"}}, name: Shop.Stock)
IO.puts("stock is up")
GenServer.cast(stock, :count)
Process.sleep(200)
{:ok, stock} = GenServer.start(Shop.Stock, %{tea: 1})
try do
  GenServer.call(stock, {:take, :juice})
catch
  :exit, _ -> IO.puts("the stock is gone")
end
Process.sleep(200)
IO.puts("done")
