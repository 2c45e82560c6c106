defmodule Slow do
  use GenServer
  def init(state), do: {:ok, state}
  def handle_call(:work, _from, _state), do: raise(KeyError, key: :rate, term: %{})
end

{:ok, slow} = GenServer.start(Slow, nil)
GenServer.call(slow, :work)
