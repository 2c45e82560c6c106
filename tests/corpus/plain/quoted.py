import json, logging, sys, traceback
logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(asctime)s %(levelname)s %(name)s %(message)s")
log = logging.getLogger("acme.report")
try:
    {}["count"]
except KeyError as error:
    text = traceback.format_exc()
    print(json.dumps({"level": "error", "msg": "job failed", "exception": text}))
    log.error("job failed: %r", text)
    log.error("job failed: %s", error)
    log.warning("retry after KeyError: 'count'")
    log.info('payload={"stack": %s}', json.dumps("panic: x\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:1"))
    log.error("Error: upstream said no")
    print("TypeError: this is only a sentence")
    print("  at noon we stop")
    print("at home (really)")
print("goroutine pools are not used here", flush=True)
print("panic: the word alone is no trace")
print("thread 'main' is busy")
print("Exception in thread safety: none")
print("user@example.org:25:10 connected")
print("http://localhost:8080/x is up")
