"""An import in a pool of processes; one file has a date that no calendar has."""
import datetime, logging, multiprocessing, sys, time

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(processName)s %(levelname)s %(message)s")


def load(name):
    time.sleep(0.3)
    day = "2026-02-30" if name.endswith("37.csv") else "2026-02-28"
    datetime.date.fromisoformat(day)
    logging.info("loaded %s", name)
    return name


if __name__ == "__main__":
    files = [f"orders-{at:02}.csv" for at in range(60)]
    logging.info("import of %d files began", len(files))
    with multiprocessing.Pool(2) as pool:
        for _ in pool.imap(load, files, chunksize=1):
            pass
    logging.info("import ended")
