class ConfigError(Exception):
    pass


def parse(text):
    return int(text)


def load(text):
    try:
        return parse(text)
    except ValueError as error:
        raise ConfigError("bad port\n  in line 3 of settings") from error


def main():
    try:
        load("eighty")
    except ConfigError:
        {}["fallback"]


main()
