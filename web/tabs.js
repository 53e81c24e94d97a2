// A tab that is duplicated takes a copy of what the first one remembers, and so its
// session. This asks the other tabs whether one of them goes on with a session; and if one
// has taken it over all the same, this tells the one that had it by which token it goes on.

const kPatience = 300;

export class Tabs {
  #channel = channel();
  #token = null;
  #heard = () => {};

  /// `moved(token)` is told of each token that the session of this tab gets in another one.
  constructor(moved) {
    this.#channel?.addEventListener('message', ({ data }) => {
      if (typeof data?.token !== 'string') return;
      const own = data.token === this.#token;
      if (own && data.ask) this.#channel.postMessage({ token: data.token });
      if (own && typeof data.next === 'string') moved(this.#token = data.next);
      if (!data.ask) this.#heard(data.token);
    });
  }

  /// From now on the session of this token is this tab's; null: none is. From one token to the
  /// next it is the same session.
  hold(token) {
    if (this.#token && token) this.#channel?.postMessage({ token: this.#token, next: token });
    this.#token = token;
  }

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
