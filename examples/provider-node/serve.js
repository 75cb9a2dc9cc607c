// The part that all providers share: docs/provider-protocol.md in code.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const { selfSigned } = require('./certificate');
const { statusOf } = require('./errors');
const { serveLogin } = require('./login');

const cookie = '0f2b6d7e5a1c4b83a9d2c6e1f47085d3';
const maxMessage = 1 << 20;

// The .proto files are beside this file, or in the repository.
const protos = [__dirname, path.join(__dirname, '../../proto')]
  .find((dir) => fs.existsSync(path.join(dir, 'zen/provider/v1/provider.proto')));

// raw is a unary method whose messages are bytes: enough for those of the transport.
const raw = (name) => ({
  path: name, requestStream: false, responseStream: false,
  requestSerialize: (b) => b, requestDeserialize: (b) => b,
  responseSerialize: (b) => b, responseDeserialize: (b) => b,
});

// log writes a line that zen shows with --debug.
function log(level, message, fields = {}) {
  process.stderr.write(JSON.stringify({
    '@level': level, '@message': message, '@timestamp': new Date().toISOString(), ...fields,
  }) + '\n');
}

function fail(error) {
  if (!error.reason) log('error', 'unexpected error', { stack: String(error.stack).split('\n').slice(1).join('\n') });
  return statusOf(error);
}

const unary = (method) => (call, callback) => {
  Promise.resolve().then(() => method(call.request)).then((reply) => callback(null, reply), (error) => callback(fail(error)));
};

function serve(provider) {
  const { PLUGIN_CLIENT_CERT: clientCertificate, PLUGIN_UNIX_SOCKET_DIR: dir } = process.env;
  if (process.env.ZEN_PROVIDER_COOKIE !== cookie || !clientCertificate || !dir) {
    process.stderr.write('This is a provider of zen, which starts it when it is needed.\n');
    process.exit(2);
  }
  const { zen } = grpc.loadPackageDefinition(loader.loadSync(
    ['provider', 'identity', 'token'].map((name) => `zen/provider/v1/${name}.proto`),
    { includeDirs: [protos], keepCase: true, oneofs: true, enums: String, longs: Number, bytes: Buffer },
  ));
  const { Provider, Identity, TokenSource } = zen.provider.v1;
  const server = new grpc.Server({
    'grpc.max_receive_message_length': maxMessage, 'grpc.max_send_message_length': maxMessage,
  });
  server.addService(Provider.service, {
    Describe: unary(() => provider.describe()),
    Configure: unary(({ settings }) => provider.configure(settings || {})),
    Check: (call) => {
      provider.check((finding) => call.write({ finding })).then(() => call.end(), (error) => call.emit('error', fail(error)));
    },
  });
  server.addService(Identity.service, {
    Login: (call) => serveLogin(call, (begin, host) => provider.login(begin, host), fail),
    Refresh: unary((request) => provider.refresh(request)),
    Verify: unary((request) => provider.verify(request)),
    Revoke: unary((request) => provider.revoke(request)),
  });
  server.addService(TokenSource.service, { Token: unary((request) => provider.token(request)) });

  // HealthCheckResponse{status: SERVING} and Empty, as bytes.
  server.addService({ Check: raw('/grpc.health.v1.Health/Check') }, {
    Check: (_, callback) => callback(null, Buffer.from([0x08, 0x01])),
  });
  server.addService({ Shutdown: raw('/plugin.GRPCController/Shutdown') }, {
    Shutdown: (_, callback) => {
      callback(null, Buffer.alloc(0));
      setTimeout(() => process.exit(0), 20); // for the answer to get out
    },
  });

  const { der, certificate, key } = selfSigned();
  const credentials = grpc.ServerCredentials.createSsl(
    Buffer.from(clientCertificate), [{ private_key: key, cert_chain: certificate }], true,
  );
  const socket = path.join(dir, 's');
  server.bindAsync(`unix:${socket}`, credentials, (error) => {
    if (error) throw error;
    // Version 1 is the only one that this provider speaks, whatever zen offers.
    process.stdout.write(`1|1|unix|${socket}|grpc|${der.toString('base64').replace(/=+$/, '')}\n`);
  });

  // On Linux the kernel ends this process with zen; elsewhere it checks its parent.
  const parent = process.ppid;
  setInterval(() => { if (process.ppid !== parent) process.exit(1); }, 500).unref();
}

module.exports = { serve };
