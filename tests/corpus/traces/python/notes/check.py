import traceback


def check(user):
    error = ValueError("two fields are wrong:\n  name: empty\n  age: -3")
    error.add_note("note: the request came from the import job")
    raise error


try:
    check({})
except ValueError:
    print("2026-02-03 10:00:00 ERROR import stopped", flush=True)
    traceback.print_exc()
    print("2026-02-03 10:00:01 INFO next file", flush=True)
