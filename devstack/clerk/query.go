package clerk

import (
	"net/http"
	"net/url"
	"strconv"
)

// urlQuery reads the query of a list.
type urlQuery struct{ url.Values }

func queryOf(r *http.Request) urlQuery { return urlQuery{r.URL.Query()} }

// number returns a number between least and most, or usual if the query has none.
func (q urlQuery) number(name string, usual, least, most int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, errParamInvalid(name)
	}
	return n, nil
}

// list returns a page of items as both APIs write it.
func list[T any](q urlQuery, items []T, view func(T) object) (object, error) {
	part, total, err := page(q, items)
	if err != nil {
		return nil, err
	}
	data := make([]object, 0, len(part))
	for _, item := range part {
		data = append(data, view(item))
	}
	return object{"data": data, "total_count": total}, nil
}
