"""The host's side of a login, as a provider sees it: every question has an id of its
own, and its answer comes by that id."""

import queue
import threading

from errors import Failure


class Host:
    def __init__(self, protos):
        self._protos = protos
        self._lock = threading.Lock()  # guards the three below
        self._last = 0
        self._waiting = {}
        self._ended = False
        self.requests = queue.SimpleQueue()

    def progress(self, text):
        return self._ask(progress=self._protos.Progress(text=text))

    def store(self, sign_in):
        return self._ask(store=sign_in)

    def answered(self, answer):
        """Delivers an answer; an unexpected one is ignored."""
        with self._lock:
            waiting = self._waiting.pop(answer.id, None)
        if waiting:
            waiting.put(answer)

    def ended(self):
        """Fails all outstanding questions."""
        with self._lock:
            self._ended = True
            for waiting in self._waiting.values():
                waiting.put(None)
            self._waiting.clear()

    def _ask(self, **request):
        waiting = queue.SimpleQueue()
        with self._lock:
            if self._ended:
                raise Failure("CANCELED", "zen gave up")
            self._last += 1
            self._waiting[self._last] = waiting
            self.requests.put(self._protos.LoginResponse(id=self._last, **request))
        answer = waiting.get()
        if answer is None:
            raise Failure("CANCELED", "zen gave up")
        if answer.HasField("failure"):
            raise Failure(answer.failure.reason, answer.failure.message or "the host failed", answer.failure.hint)
        return answer


def serve_login(protos, login, fail):
    """Runs login(begin, host) on a stream."""

    def handle(messages, context):
        begin = next((m.begin for m in messages if m.HasField("begin")), None)
        if begin is None:
            fail(context, Failure("CONFIG", "the login was never begun"))
        host = Host(protos)
        context.add_callback(host.ended)

        def listen():
            try:
                for message in messages:
                    if message.HasField("answer"):
                        host.answered(message.answer)
            except Exception:  # the stream is gone, which ended is about
                pass
            host.ended()

        def run():
            try:
                login(begin, host)
                host.requests.put(None)
            except Exception as error:
                host.requests.put(error)

        threading.Thread(target=listen, daemon=True).start()
        threading.Thread(target=run, daemon=True).start()
        while (request := host.requests.get()) is not None:
            if isinstance(request, Exception):
                fail(context, request)
            yield request

    return handle
