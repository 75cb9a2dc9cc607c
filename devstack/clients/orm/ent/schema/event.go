// Package schema is what ent generates its code from.
package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// Event is a table with dates in it.
type Event struct{ ent.Schema }

// Fields implements ent.Interface.
func (Event) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Unique(),
		field.Time("at"),
		field.Time("ended").Optional().Nillable(),
		field.Time("made").Default(time.Now).Immutable(),
	}
}
