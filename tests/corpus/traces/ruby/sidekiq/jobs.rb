require "sidekiq"
require "sidekiq/exception_handler"

class Mail
  def perform(address)
    raise IOError, "no such box" unless address.end_with?("example.com")
  end
end

handler = Sidekiq::ExceptionHandler::Logger.new
%w[ann@example.com bob].each do |address|
  Sidekiq.logger.info("start")
  Mail.new.perform(address)
  Sidekiq.logger.info("done")
rescue IOError => error
  Sidekiq.logger.info("fail")
  handler.call(error, { context: "Job raised exception", job: { class: "Mail", args: [address] } })
end
Sidekiq.logger.info("shut down")
