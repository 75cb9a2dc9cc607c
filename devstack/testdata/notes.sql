CREATE TABLE notes (id INTEGER PRIMARY KEY, author TEXT NOT NULL, body TEXT NOT NULL);
INSERT INTO notes (author, body) VALUES
  ('carol', 'first light; "quoted"'),
  ('dave', 'second thoughts');
