package fault

// Faults that were observed at Turso, or are feared.
const (
	// JWKSStuck is the state in which Turso lists more JWKS registrations than its
	// limit allows, can neither remove nor save one, and verifies with none of them.
	JWKSStuck      = "jwks-stuck"
	JWKSRemove500  = "jwks-remove-500"
	JWKSCountLimit = "jwks-count-limit"
	JWKSFetchDown  = "jwks-fetch-down"
	JWKSStale      = "jwks-stale-cache"
	JWKSRegion     = "jwks-region"

	TokenInvalidated = "token-invalidated"
	TokenNotAllowed  = "token-not-allowed"
	ExpiredAs401     = "expired-as-401"
	ClockAhead       = "clock-ahead"
	ClockBehind      = "clock-behind"

	WritesBlocked   = "writes-blocked"
	ReadsBlocked    = "reads-blocked"
	StreamExpired   = "stream-expired"
	StreamLost      = "stream-lost"
	SocketExpires   = "socket-expires"
	PollExpires     = "poll-expires"
	ReplicasBlocked = "replicas-blocked"
	SyncBusy        = "sync-busy"
	PlainSqld       = "sqld"

	APIUnauthorized = "api-unauthorized"
	APINotMember    = "api-not-member"
	APIDown         = "api-down"
)

// What networks do. These are of the package netfault.
const (
	Latency     = "net-latency"
	BadGateway  = "net-502"
	Flaky       = "net-flaky"
	Unavailable = "net-503"
	RateLimited = "net-429"
	Cut         = "net-cut"
	CutBody     = "net-cut-body"
	SlowBody    = "net-slow-body"
)

// Known returns the faults that Turso and the network can produce.
func Known() []Fault {
	return []Fault{
		{JWKSStuck, "Turso lists three JWKS registrations of two, removes and saves none, and accepts no token they signed"},
		{JWKSRemove500, "Turso answers 500 to the removal of a JWKS registration, and keeps it"},
		{JWKSCountLimit, "Turso saves no JWKS registration: the limit is exceeded, whatever is registered"},
		{JWKSFetchDown, "Turso can't fetch key sets: keys that it has stay good, others are not found"},
		{JWKSStale, "Turso doesn't look at a key set again: after a rotation new tokens are refused and old ones accepted"},
		{JWKSRegion, "Turso puts JWKS registrations that name no region into another one than the databases', which accept no token they signed"},
		{TokenInvalidated, "databases refuse every token: its role was invalidated after it was issued"},
		{TokenNotAllowed, "databases refuse every token: it does not have the permissions"},
		{ExpiredAs401, "databases answer 401 instead of 400 to an expired or wrongly signed token"},
		{ClockAhead, "Turso's clock is an hour ahead: short-lived tokens are expired when they are issued"},
		{ClockBehind, "Turso's clock is an hour behind: tokens are accepted for an hour too long"},
		{WritesBlocked, "the plan's quota is used up: writes get BLOCKED, with status 200"},
		{ReadsBlocked, "the plan's quota is used up: reads and writes get BLOCKED, with status 200"},
		{StreamExpired, "every stream has expired when its client comes back: 400 STREAM_EXPIRED"},
		{StreamLost, "every stream is gone when its client comes back: 404 stream not found"},
		{SocketExpires, "databases close a WebSocket on which a request comes after its token has ended"},
		{PollExpires, "databases refuse a request of Turso Sync that waits for news, once its token has ended"},
		{ReplicasBlocked, "embedded replicas are not part of the plan: 403 to all that they ask"},
		{SyncBusy, "replicas get 503 database is locked"},
		{PlainSqld, "databases answer as libsql-server alone: EdDSA tokens without aud, 403 for a write, other texts, no sync"},
		{APIUnauthorized, "the Platform API accepts no token: 401 invalid api token"},
		{APINotMember, "the Platform API says that the user is no member of the organization: 403"},
		{APIDown, "the Platform API answers 500 to everything"},
		{Latency, "every answer comes half a second late"},
		{BadGateway, "every answer is the gateway's: 502 upstream forward failed"},
		{Flaky, "every second answer is the gateway's: 502 upstream forward failed"},
		{Unavailable, "every answer is 503, with Retry-After"},
		{RateLimited, "every answer is 429, with Retry-After"},
		{Cut, "connections are cut before an answer"},
		{CutBody, "connections are cut in the middle of an answer"},
		{SlowBody, "answers come at 64 bytes every 50 ms"},
	}
}
