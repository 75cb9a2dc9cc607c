// The host's side of a login, for a provider: every question has its own id, and its
// answer has the same id.
'use strict';

const { Failure } = require('./errors');

class Host {
  constructor(call) {
    this.call = call;
    this.lastId = 0;
    this.waiting = new Map();
  }

  // answered delivers an answer; an unexpected one is ignored.
  answered(answer) {
    const waiting = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if (!waiting) return;
    const { failure } = answer;
    if (failure) waiting.reject(new Failure(failure.reason in known ? failure.reason : 'OTHER', failure.message || 'the host failed', failure.hint));
    else waiting.resolve(answer);
  }

  // ended fails all outstanding questions.
  ended() {
    for (const { reject } of this.waiting.values()) reject(new Failure('CANCELED', 'zen gave up'));
    this.waiting.clear();
  }

  ask(request) {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.call.write({ id, ...request });
    });
  }

  progress(text) { return this.ask({ progress: { text } }); }

  store(signIn) { return this.ask({ store: signIn }); }
}

const known = { NO_CREDENTIAL: 1, TOKEN_EXPIRED: 1, TOKEN_INVALID: 1, REJECTED: 1, PERMISSION: 1, UNAVAILABLE: 1, CONFIG: 1 };

// serveLogin runs login(begin, host) on a stream.
function serveLogin(call, login, fail) {
  const host = new Host(call);
  let begun = false;
  call.on('cancelled', () => host.ended());
  call.on('end', () => host.ended());
  call.on('data', (message) => {
    if (message.answer) host.answered(message.answer);
    if (!message.begin || begun) return;
    begun = true;
    login(message.begin, host).then(() => call.end(), (error) => call.emit('error', fail(error)));
  });
}

module.exports = { serveLogin };
