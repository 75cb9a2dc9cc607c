"""Runs a workload through Python's libsql, as bench/measure does in Go, and prints how many
milliseconds each run took: URL ID RUNS WORKLOAD, the token on standard input. Given URL and
"script FILE" or "query SQL" it does that once, and prints the rows."""
import json
import sys
import time

import libsql

url, args = sys.argv[1], sys.argv[2:]
db = libsql.connect(database=url, auth_token=sys.stdin.read())


def workload(name):
    db.execute("DROP TABLE IF EXISTS bench")
    db.execute("CREATE TABLE bench (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
    db.execute(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100)"
        " INSERT INTO bench (name, price) SELECT 'thing ' || n, n / 2.0 FROM c"
    )
    db.commit()
    many = "INSERT INTO bench (name, price) VALUES " + "(?, ?), " * 999 + "(?, ?)"
    values = tuple(v for i in range(1000) for v in (f"thing {i}", i / 2))

    def read():
        rows = db.execute("SELECT id, name, price FROM bench WHERE id <= ?", (100,)).fetchall()
        if len(rows) != 100:
            raise ValueError(f"{len(rows)} rows")

    def write(sql, values):
        db.execute(sql, values)
        db.commit()

    def transaction():
        for i in range(1, 11):
            db.execute("UPDATE bench SET price = ? WHERE id = ?", (2.5, i))
        db.commit()

    return {
        "SELECT 1": lambda: db.execute("SELECT 1").fetchall(),
        "read 100 rows": read,
        "insert": lambda: write("INSERT INTO bench (name, price) VALUES (?, ?)", ("thing", 1.5)),
        "batch of 1000": lambda: write(many, values),
        "transaction of 10": transaction,
    }[name]


if args[0] == "script":
    with open(args[1]) as script:
        db.executescript(script.read())
elif args[0] == "query":
    for row in db.execute(args[1]).fetchall():
        print(*row, sep="\t")
else:
    runs, run, times = int(args[1]), workload(args[2]), []
    for i in range(runs + runs // 10 + 1):
        began = time.perf_counter()
        run()
        if i > runs // 10:
            times.append((time.perf_counter() - began) * 1000)
    print(json.dumps(times))
