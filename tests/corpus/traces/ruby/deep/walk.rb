def walk(node)
  walk(node + 1)
end

begin
  walk(0)
rescue SystemStackError => error
  raise "gave up"
end
