class ConfigError < StandardError; end

def read(path)
  File.read(path)
end

def load(path)
  read(path)
rescue SystemCallError
  raise ConfigError, "cannot load #{path}"
end

def start
  load("/nowhere/shop.yml")
rescue ConfigError => error
  raise "start failed: #{error.message}"
end

start
