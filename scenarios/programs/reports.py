"""Writes reports into a folder until it cannot. python3 reports.py FOLDER KILOBYTES ROUNDS"""
import logging, os, sys, time

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s [%(levelname)s] reports: %(message)s")
folder, size, rounds = sys.argv[1], int(sys.argv[2]) * 1024, int(sys.argv[3])
logging.info("writing reports into %s", folder)
for at in range(rounds):
    path = os.path.join(folder, f"report-{at:04}.csv")
    try:
        with open(path, "w") as to:
            to.write("x" * size)
        logging.info("wrote %s", path)
    except OSError:
        logging.exception("report %d was not written", at)
    time.sleep(0.5)
