workers = 2.times.map do |number|
  Thread.new do
    sleep 0.05 * number
    Integer("x#{number}") if number == 1
    puts "worker #{number} done"
  end
end
workers.each(&:join)
