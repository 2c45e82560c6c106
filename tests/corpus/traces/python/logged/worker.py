import logging
import sys

logging.basicConfig(
    stream=sys.stdout,
    level=logging.INFO,
    format="%(asctime)s %(levelname)s [%(threadName)s] %(name)s: %(message)s",
)
log = logging.getLogger("acme.worker")


def handle(job):
    if job == 2:
        raise RuntimeError(f"job {job} has no owner")


for job in range(4):
    log.info("job %s taken", job)
    try:
        handle(job)
    except RuntimeError:
        log.exception("job %s failed", job)
log.info("queue is empty")
