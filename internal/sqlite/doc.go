// Package sqlite has the rules of SQLite that the driver, replicas and zen db go by alike:
// how a text is cut into statements and what each does, how parameters are numbered, which
// values can be bound, and which columns hold dates.
package sqlite
