// A tab that is duplicated takes a copy of what the first one remembers, and so its
// session. This asks the other tabs whether one of them goes on with a session.

const kPatience = 300;

export class Tabs {
  #channel = channel();
  #token = null;
  #heard = () => {};

  constructor() {
    this.#channel?.addEventListener('message', ({ data }) => {
      if (typeof data?.token !== 'string') return;
      if (data.ask && data.token === this.#token) this.#channel.postMessage({ token: data.token });
      if (!data.ask) this.#heard(data.token);
    });
  }

  /// From now on the session of this token is this tab's; null: none is.
  hold(token) { this.#token = token; }

  /// Whether another tab holds it. A tab that is asleep may not answer in time: the daemon
  /// then tells the older one that its session goes on elsewhere.
  async taken(token) {
    if (!this.#channel) return false;
    return new Promise((done) => {
      this.#heard = (held) => { if (held === token) done(true); };
      this.#channel.postMessage({ ask: true, token });
      setTimeout(() => done(false), kPatience);
    });
  }
}

// Where storage is denied, this may be, too.
function channel() {
  try { return new BroadcastChannel('chatd'); } catch { return null; }
}
