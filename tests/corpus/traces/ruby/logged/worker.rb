require "logger"

module Shop
  class PaymentError < StandardError; end

  class Worker
    def initialize(log)
      @log = log
    end

    def charge(order)
      raise PaymentError, "card of order #{order} declined" if order == 2
    end

    def run
      [1, 2, 3].each do |order|
        charge(order)
        @log.info("order #{order} charged")
      rescue PaymentError => error
        @log.error(error)
      end
      begin
        { "a" => 1 }.fetch("b")
      rescue KeyError => error
        @log.error("#{error.class}: #{error.message}\n#{error.backtrace.join("\n")}")
        @log.warn(error.full_message(highlight: false))
        @log.info("gave up")
      end
    end
  end
end

Shop::Worker.new(Logger.new($stdout)).run
