// The part specific to this provider: tokens in a file.
'use strict';

const fs = require('node:fs/promises');
const path = require('node:path');

const { Failure } = require('./errors');

const maxFile = 1 << 20;
const accesses = { ACCESS_UNSPECIFIED: 'rw', ACCESS_READ_WRITE: 'rw', ACCESS_READ_ONLY: 'ro' };

class TokenFile {
  describe() {
    return {
      name: 'tokenfile-js', version: '1.0.0', summary: 'database tokens from a file, in JavaScript',
      services: ['zen.provider.v1.Identity', 'zen.provider.v1.TokenSource'],
      fields: [{
        key: 'path', type: 'FIELD_TYPE_STRING', required: true,
        doc: 'the file, absolute, of mode 0600: JSON, {"libsql://db.example": {"rw": TOKEN, "ro": TOKEN}}',
      }],
      methods: [{ name: 'file', doc: 'with what is in the file; nothing is asked' }],
    };
  }

  configure(settings) {
    if (!path.isAbsolute(settings.path || '')) {
      throw new Failure('CONFIG', 'tokenfile-js: path is not an absolute path', 'write the whole path, from the root');
    }
    this.path = settings.path;
    return {};
  }

  async check(report) {
    try {
      const databases = await this.read();
      report({ id: 'file', severity: 'SEVERITY_OK', text: `tokens for ${Object.keys(databases).length} databases` });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      report({ id: 'file', severity: 'SEVERITY_ERROR', text: error.message, hint: error.hint });
    }
  }

  // There is no one to sign in: it checks that the file has the requested token.
  async login({ method, target, access, permissions }, host) {
    if (method && method !== 'file') throw new Failure('CONFIG', 'tokenfile-js: no such method', 'the method is file');
    accessOf(access);
    await host.progress('reading the file');
    const credential = { data: Buffer.from('{"v":1}'), subject: path.basename(this.path || ''), issued: timestamp(Date.now()) };
    const result = { credential };
    if (target && target.url) {
      result.token = await this.find(target, access, permissions);
      credential.expires = result.token.expires;
    }
    await host.store(result);
  }

  async refresh({ credential }) {
    await this.read();
    return { credential };
  }

  // Only the database can tell whether a token in the file is valid.
  verify() {
    throw new Failure('TOKEN_INVALID', 'tokenfile-js: it has no keys to check a token with');
  }

  revoke() { return {}; }

  async token({ target, access, permissions }) {
    return { token: await this.find(target, access, permissions) };
  }

  // read reads the file each time, because the program that writes the tokens replaces
  // them.
  async read() {
    if (!this.path) throw new Failure('CONFIG', 'tokenfile-js: not configured', 'set path');
    let text;
    try {
      const file = await fs.open(this.path);
      try {
        const { mode, size } = await file.stat();
        if (process.platform !== 'win32' && mode & 0o077) {
          throw new Failure('CONFIG', `tokenfile-js: ${this.path} can be read by others`, `chmod 600 ${this.path}`);
        }
        if (size > maxFile) throw new Failure('CONFIG', `tokenfile-js: ${this.path} is too large`);
        text = await file.readFile('utf8');
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure('CONFIG', `tokenfile-js: the file can't be read: ${error.code} ${this.path}`);
    }
    try {
      return Object(JSON.parse(text));
    } catch { // the error quotes the file
      throw new Failure('CONFIG', `tokenfile-js: ${this.path} is not JSON of databases and their tokens`);
    }
  }

  // find returns the token for a database. One for rw is never returned for ro.
  async find(target, access, permissions) {
    const kind = accessOf(access);
    const databases = await this.read();
    if (permissions && permissions.length > 0) {
      throw new Failure('PERMISSION', "tokenfile-js: a token in a file can't be narrowed to permissions");
    }
    const url = (target && target.url) || '';
    const tokens = Object.hasOwn(databases, url) ? Object(databases[url]) : {};
    const value = Object.hasOwn(tokens, kind) ? tokens[kind] : '';
    if (!value) throw new Failure('NO_CREDENTIAL', `tokenfile-js: ${this.path} has no ${kind} token for ${url}`);
    if (typeof value !== 'string' || !/^[A-Za-z0-9\-._~+/=]{1,16384}$/.test(value)) {
      throw new Failure('TOKEN_INVALID', `tokenfile-js: what ${this.path} has for ${url} is no token`);
    }
    const token = { value: Buffer.from(value) };
    const expires = expiry(value);
    if (expires) {
      if (expires <= Date.now()) {
        throw new Failure('TOKEN_EXPIRED', `tokenfile-js: the token for ${url} expired at ${new Date(expires).toISOString()}`);
      }
      token.expires = timestamp(expires);
    }
    return token;
  }
}

// accessOf refuses an unknown access, since it may mean less than any known one.
function accessOf(access = 'ACCESS_UNSPECIFIED') {
  if (!Object.hasOwn(accesses, access)) {
    throw new Failure('CONFIG', 'tokenfile-js: an access that is unknown to this provider', 'use a newer version of the provider');
  }
  return accesses[access];
}

// expiry reads the claim exp of a JWT, unverified, in milliseconds.
function expiry(token) {
  const [, payload, signature] = token.split('.');
  if (signature === undefined) return 0;
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return Number.isFinite(exp) ? exp * 1000 : 0;
  } catch {
    return 0;
  }
}

const timestamp = (ms) => ({ seconds: Math.floor(ms / 1000), nanos: Math.floor(ms % 1000) * 1e6 });

module.exports = { TokenFile };
