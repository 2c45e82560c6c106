"""A worker that ends by itself after a few jobs, so that memory never grows: its manager starts it anew."""
import time

print("worker up", flush=True)
for job in range(6):
    print(f"job {job} done", flush=True)
    time.sleep(0.4)
print("six jobs done, leaving for a fresh process", flush=True)
