"""Orders for the sample service: one every two seconds or so into a named pipe, for ever.

Each third has a voucher that the shop no longer knows. usage: orders.py QUEUE.jsonl PIPE
"""

import itertools
import json
import sys
import time

with open(sys.argv[1], encoding="utf-8") as queue:
    orders = itertools.cycle([json.loads(line) for line in queue][5:8])

number = 0
while True:
    # Waits for the service. When that dies, what it was about to read is gone with it.
    try:
        with open(sys.argv[2], "w", encoding="utf-8") as pipe:
            for order in orders:
                number += 1
                print(json.dumps({**order, "id": f"S-{number}"}), file=pipe, flush=True)
                time.sleep(2.2)
    except BrokenPipeError:
        pass
