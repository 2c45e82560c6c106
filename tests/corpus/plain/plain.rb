require "logger"
rescue_log = Logger.new($stdout)
rescue_log.info("KeyError handling is on")
rescue_log.warn("config.rb:3: warning: mismatched indentations at 'end' with 'def' at 1")
rescue_log.error("payment of order 7 failed (Timeout)")
rescue_log.debug({ error: "RuntimeError", at: "lib/a.rb:3:in `run'" }.inspect)
rescue_log.info("caller: #{caller.first.inspect} #{__FILE__}:#{__LINE__}:in `main'")
warn "deprecated", uplevel: 0
