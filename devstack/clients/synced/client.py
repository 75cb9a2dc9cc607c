"""A client of Turso Sync that does what it is told: a line of JSON in for each thing to
do, a line of JSON out for what came of it."""
import json
import sys

import turso.sync

db = None


def open_(path, url, token, poll=None, more=None):
    global db
    # A token by a function is asked for with each request.
    db = turso.sync.connect(path, remote_url=url, auth_token=lambda: token, long_poll_timeout_ms=poll or None, client_name="python", **(more or {}))


def run(sql, args=()):
    db.execute(sql, tuple(args or ()))
    db.commit()


todo = {
    "open": open_,
    "run": run,
    "rows": lambda sql: [list(row) for row in db.execute(sql).fetchall()],
    "push": lambda: db.push(),
    "pull": lambda: db.pull(),
    "checkpoint": lambda: db.checkpoint(),
    "close": lambda: db.close(),
}
for line in sys.stdin:
    request = json.loads(line)
    try:
        print(json.dumps({"result": todo[request.pop("do")](**request)}), flush=True)
    except Exception as e:
        print(json.dumps({"error": str(e)}), flush=True)
