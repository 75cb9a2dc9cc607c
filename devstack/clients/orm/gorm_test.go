package orm

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

type account struct {
	gorm.Model
	Name   string `gorm:"uniqueIndex"`
	Seen   *time.Time
	Orders []order
}

type order struct {
	gorm.Model
	AccountID uint
	Paid      sql.NullTime
}

func TestGORM(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		g, err := gorm.Open(sqlite.Dialector{Conn: db}, &gorm.Config{})
		must(t, err)
		must(t, g.AutoMigrate(&account{}, &order{}))
		must(t, g.AutoMigrate(&account{}, &order{})) // finds that there is nothing to do
		before := time.Now().Add(-time.Minute)
		at := instant
		must(t, g.Create(&account{Name: "alice", Seen: &at, Orders: []order{{Paid: sql.NullTime{Time: at, Valid: true}}, {}}}).Error)

		var got account
		must(t, g.Preload("Orders").Where("name = ? AND created_at > ?", "alice", before).First(&got).Error)
		same(t, *got.Seen, at)
		if len(got.Orders) != 2 || got.Orders[0].Paid.Time.Unix() != at.Unix() || got.Orders[1].Paid.Valid {
			t.Errorf("orders %+v", got.Orders)
		}
		must(t, g.Model(&got).Update("Seen", at.Add(time.Hour)).Error)
		must(t, g.First(&got, got.ID).Error)
		same(t, *got.Seen, at.Add(time.Hour))
		must(t, g.Delete(&got).Error) // sets deleted_at
		if err := g.First(&account{}, got.ID).Error; !errors.Is(err, gorm.ErrRecordNotFound) {
			t.Errorf("a deleted account: %v", err)
		}
		err = g.Transaction(func(tx *gorm.DB) error {
			if err := tx.Create(&account{Name: "bob"}).Error; err != nil {
				return err
			}
			return errors.New("no")
		})
		var n int64
		must(t, g.Model(&account{}).Where("name = ?", "bob").Count(&n).Error)
		if err == nil || n != 0 {
			t.Errorf("rolled back: %v, %d rows", err, n)
		}
	})
}
