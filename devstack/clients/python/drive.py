"""Uses a database through one of Python's clients as an application would, and prints its
version and what it saw as JSON, for the Go test to judge."""
import importlib.metadata
import json
import os
import sys

url, token, name, table = os.environ["DB_URL"], os.environ["DB_TOKEN"], sys.argv[1], sys.argv[2]


def failure(run):
    try:
        run()
    except Exception as e:  # each client has its own
        return "unique" if "UNIQUE constraint failed" in str(e) else repr(e)
    return "no error"


def libsql():
    import libsql as client

    db = client.connect(database=url, auth_token=token)
    db.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, body TEXT UNIQUE)")
    db.execute(f"INSERT INTO {table} (body) VALUES (?)", ("first",))
    db.execute(f"INSERT INTO {table} (body) VALUES ('second')")
    db.commit()
    db.execute(f"INSERT INTO {table} (body) VALUES ('third')")
    db.commit()
    db.execute(f"DELETE FROM {table}")
    db.rollback()
    unique = failure(lambda: db.execute(f"INSERT INTO {table} (body) VALUES ('first')"))
    db.rollback()
    return [r[0] for r in db.execute(f"SELECT body FROM {table} ORDER BY id").fetchall()], unique


def libsql_client():
    import libsql_client as client

    with client.create_client_sync(url, auth_token=token) as db:
        db.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, body TEXT UNIQUE)")
        db.batch([client.Statement(f"INSERT INTO {table} (body) VALUES (?)", ["first"]), f"INSERT INTO {table} (body) VALUES ('second')"])
        db.execute(f"INSERT INTO {table} (body) VALUES ('third')")
        unique = failure(lambda: db.execute(f"INSERT INTO {table} (body) VALUES ('first')"))
        return [r[0] for r in db.execute(f"SELECT body FROM {table} ORDER BY id").rows], unique


def sqlalchemy():
    import sqlalchemy as sa

    scheme, rest = url.split("://", 1)
    engine = sa.create_engine(f"sqlite+libsql://{rest}?secure={'true' if scheme == 'https' else 'false'}", connect_args={"auth_token": token})
    note = sa.Table(table, sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("body", sa.Text, unique=True))
    note.metadata.create_all(engine)
    with engine.begin() as db:
        db.execute(note.insert(), [{"body": "first"}, {"body": "second"}])
        db.execute(note.insert().values(body="third"))
    with engine.connect() as db:
        unique = failure(lambda: db.execute(note.insert().values(body="first")))
    with engine.connect() as db:
        return list(db.execute(sa.select(note.c.body).order_by(note.c.id)).scalars()), unique


clients = {"libsql": libsql, "libsql-client": libsql_client, "sqlalchemy-libsql": sqlalchemy}
rows, unique = clients[name]()
print(json.dumps({"version": importlib.metadata.version(name), "rows": rows, "unique": unique}))
