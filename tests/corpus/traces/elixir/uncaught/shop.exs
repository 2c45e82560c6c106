defmodule Shop.Cart do
  def total(prices), do: prices |> Enum.map(&price/1) |> Enum.sum()
  defp price(%{amount: amount}), do: amount
end

IO.puts("checkout starts")
IO.puts(Shop.Cart.total([%{amount: 3}, %{name: "tea"}]))
