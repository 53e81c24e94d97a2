// The WebSocket to the daemon, which comes back by itself for as long as the page wants
// it. Knows frames as JSON and a handful of types that concern the connection; what is
// said is not its business. At most one socket is alive at any time.

const kProtocol = 'chat.chatd.v1';
// ms until a connection is welcomed, or given up.
const kOpening = 15_000;
// ms that the daemon may take to answer a ping; and when something tells that the network changed.
const kDead = 20_000;
const kDeadAwake = 5_000;
// ms after which a connection counts as a good one.
const kSettled = 5_000;
// ms between two tries, and until the next one of somebody who was not let in.
const kLongest = 30_000;
const kDenied = 60_000;
const kClosed = { tooLong: 1009, denied: 1008, replaced: 1012, elsewhere: 4001 };

export class Connection {
  #url;
  #hooks;
  #socket = null;
  #welcomed = false;
  #tries = 0;
  // ms of silence after which the daemon is asked; 0: never.
  #ping = 0;
  // When something was heard, and how many frames.
  #heard = 0;
  #frames = 0;
  #opening; #waiting; #silence; #settling;

  /// hooks: hello() gives the first frame, receive(frame) takes every one, welcome included;
  /// state(name, reason) is told 'connecting', 'open', 'lost', 'denied' or 'elsewhere';
  /// tooLong() is told that the last text was more than the daemon takes in one frame.
  constructor(url, hooks) {
    this.#url = url;
    this.#hooks = hooks;
  }

  get open() { return this.#welcomed && this.#socket.readyState === WebSocket.OPEN; }

  connect() {
    this.#drop();
    this.#hooks.state('connecting');
    let socket;
    try {
      socket = new WebSocket(this.#url, kProtocol);
    } catch {
      return this.#lost(0);
    }
    this.#socket = socket;
    const ours = (handle) => (event) => { if (socket === this.#socket) handle(event); };
    socket.onopen = ours(() => socket.send(JSON.stringify(this.#hooks.hello())));
    socket.onmessage = ours((event) => this.#take(event.data));
    socket.onclose = ours((event) => this.#closed(event));
    this.#opening = setTimeout(() => this.#lost(0), kOpening);
  }

  /// For good, until connect() is called again.
  close() {
    this.#drop();
  }

  /// Whether it was handed to the connection, which does not say that it arrives.
  send(frame) {
    if (!this.open) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /// The page became visible, or the network came: a wait for the next try is over, and an
  /// open connection has to prove that it is alive. If the network is another one now,
  /// and the daemon answers no pings, it is given up at once: to resume is cheap.
  nudge(changed) {
    if (this.#waiting) return this.connect();
    if (!this.#welcomed) return;
    if (this.#ping) this.#probe(kDeadAwake);
    else if (changed) this.#lost(0);
  }

  #take(data) {
    this.#heard = performance.now();
    ++this.#frames;
    let frame;
    try { frame = JSON.parse(data); } catch { return; }
    if (typeof frame?.type !== 'string') return;
    if (frame.type === 'welcome') this.#welcome(frame);
    if (!this.#welcomed) return;
    this.#hooks.receive(frame);
  }

  #welcome(frame) {
    clearTimeout(this.#opening);
    this.#welcomed = true;
    this.#ping = frame.ping > 0 ? frame.ping * 1000 : 0;
    this.#settling = setTimeout(() => { this.#tries = 0; }, kSettled);
    this.#hooks.state('open');
    this.#listen();
  }

  // Asks the daemon for a sign of life whenever it was silent for long. The timer runs
  // on with every frame instead of being set anew: there may be thousands.
  #listen() {
    if (!this.#ping) return;
    const rest = this.#heard + this.#ping - performance.now();
    if (rest <= 0) this.#probe(kDead);
    else this.#silence = setTimeout(() => this.#listen(), rest);
  }

  #probe(patience) {
    clearTimeout(this.#silence);
    const before = this.#frames;
    this.send({ type: 'ping' });
    this.#silence = setTimeout(() => {
      if (this.#frames > before) this.#listen();
      else this.#lost(0);
    }, patience);
  }

  #closed({ code, reason }) {
    if (code === kClosed.elsewhere) {
      this.#drop();
      this.#hooks.state('elsewhere');
    } else if (code === kClosed.denied) {
      this.#lost(kDenied, 'denied', reason);
    } else {
      if (code === kClosed.tooLong) this.#hooks.tooLong();
      this.#lost(code === kClosed.replaced && this.#tries === 0 ? 1 : 0);
    }
  }

  // Tries again after so many ms; 0: after 1, 2, 4, ... 30 s, not all pages at once.
  #lost(wait, state = 'lost', reason = '') {
    this.#drop();
    const next = Math.min(1000 * 2 ** this.#tries, kLongest) * (0.75 + Math.random() / 2);
    this.#tries = Math.min(this.#tries + 1, 10);
    this.#waiting = setTimeout(() => this.connect(), wait || next);
    this.#hooks.state(state, reason);
  }

  #drop() {
    for (const timer of [this.#opening, this.#waiting, this.#silence, this.#settling]) clearTimeout(timer);
    this.#waiting = undefined;
    this.#welcomed = false;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}
