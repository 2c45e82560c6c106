import threading


def work(depth):
    if depth == 0:
        return 1 / depth
    return work(depth - 1)


thread = threading.Thread(target=work, args=(2,), name="mailer")
thread.start()
thread.join()
print("main goes on", flush=True)


def forever(n):
    return forever(n + 1)


forever(0)
