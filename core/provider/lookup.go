package provider

import "context"

// Lookup knows databases by name.
type Lookup interface {
	// Database finds one. A name that there isn't is ErrConfig. credential, where not
	// nil, replaces the one of the request, beside an error too.
	Database(ctx context.Context, req LookupRequest) (database Database, credential *Credential, err error)
	// Databases calls yield for each database that the credential sees, in the order of
	// their names, and ends with its error. req.Name is not used.
	Databases(ctx context.Context, req LookupRequest, yield func(Database) error) (credential *Credential, err error)
}

// LookupRequest says what to look for.
type LookupRequest struct {
	// Credential is the stored credential of this provider; nil if there is none.
	Credential *Credential
	// Organization is the organization to search; "" means that of the settings or the
	// credential.
	Organization string
	Name         string
}

// Database is a database as its platform knows it.
type Database struct {
	Name string
	// Target has its URL and its id.
	Target Target
	// Organization and Group are the slugs of those that it belongs to, Region its
	// primary one. They may be empty.
	Organization string
	Group        string
	Region       string
	// Blocked says what the plan or the owner stopped.
	BlockedReads  bool
	BlockedWrites bool
}
