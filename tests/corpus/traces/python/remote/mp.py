import multiprocessing

def price(item):
    return {"tea": 3}[item]

if __name__ == "__main__":
    with multiprocessing.Pool(1) as pool:
        print(pool.map(price, ["milk"]))
