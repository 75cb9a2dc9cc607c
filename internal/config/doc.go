// Package config knows the profiles, the providers' settings and the environment,
// and where each value came from.
//
// # Layers
//
// A value is looked for in this order; the first layer that has it wins:
//
//  1. a flag ([Flags]);
//  2. the environment: ZEN_PROFILE, ZEN_PROVIDER, ZEN_TOKEN_PROVIDER, ZEN_DATABASE (and
//     ZEN_DATABASE_ID), ZEN_ACCESS and ZEN_STORAGE for profiles, ZEN_<PROVIDER>__<KEY>
//     for settings. An empty variable counts as unset;
//  3. the project file, .zen.toml in the working directory or a parent: profile
//     values only, and neither storage nor organization;
//  4. the user file, config.toml in the XDG configuration directory of zen, or the
//     file that --config or ZEN_CONFIG names;
//  5. a default.
//
// # Files
//
//	default_profile = "default"
//	audit = true
//
//	[profiles.default]
//	database = "libsql://app-acme.turso.io"
//	provider = "clerk"
//	token_provider = "platformtoken"
//	organization = "acme"
//	access = "ro"
//	permissions = ["all:data_read"]
//	fallback = ["platformtoken"]
//	storage = "keyring"
//
//	[providers.clerk]
//	publishable_key = "pk_live_..."
//
// Files hold no secrets: a setting that its provider calls sensitive is refused
// there. Everything unknown is an error that names file, line and the nearest
// known key. Every error is a [provider.ErrConfig].
package config
