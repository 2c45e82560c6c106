"""A worker that needs DATABASE_URL. Without it, it cannot start."""
import os, sys, time

print("ingest worker starting", flush=True)
url = os.environ["DATABASE_URL"]
while True:
    print("batch ingested", flush=True)
    time.sleep(0.5)
