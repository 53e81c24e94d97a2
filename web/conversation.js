// What was said, by whom, and what has become of it: the session as the page sees it.
// Knows nothing of sockets, clocks of the network, or the document.
//
// An entry is what one line of the page shows: {kind: 'message', from, text, time, ...}, or
// {kind: 'past'} where a new session began. The visitor's own have an id, and a state:
//   waiting  the daemon has not said that it took it; `sent` if it may have arrived anyway
//   taken    it has arrived
//   refused  it will not be taken, for the `reason`
//   unsure   its session is gone, and nobody knows whether it arrived before
// The texts that wait are the outbox: whatever is lost, they are said again.

// What may wait: texts, and characters in them.
const kWaiting = 100;
const kWaitingCharacters = 512 * 1024;

export class Conversation {
  #memory;
  #hooks;
  #token; #seen; #over;
  // The highest seq that this connection was told of, and what it has brought since.
  #shownBefore;
  #shown = new Set();
  #maxText = 65536;
  #saving;
  entries;
  unread;

  /// hooks: added(entry), changed(entry), removed(entry) for the page; held(token) names the
  /// session that is this page's now, and null comes between two sessions.
  constructor(memory, hooks) {
    this.#memory = memory;
    this.#hooks = hooks;
    const kept = memory.load();
    this.#token = kept.token;
    this.#seen = this.#shownBefore = kept.seen;
    this.#over = kept.over;
    this.entries = kept.entries;
    this.unread = kept.unread;
  }

  get token() { return this.#token; }
  get over() { return this.#over; }
  get seen() { return this.#seen; }

  /// Forgets the session, not what was said in it; the next hello begins a new one.
  leave() {
    this.#token = null;
    this.#seen = 0;
    this.#over = false;
    this.#pass();
    this.save();
  }

  hello() {
    this.#shownBefore = this.#seen;
    this.#shown.clear();
    this.save();
    return { type: 'hello', ...(this.#token && { resume: this.#token }), seen: this.#seen };
  }

  /// Gives the entry that shows the text, or the name of the text that says why it is none.
  say(text) {
    const waiting = this.entries.filter((entry) => entry.state === 'waiting');
    const characters = waiting.reduce((sum, entry) => sum + entry.text.length, text.length);
    if (this.excess(text) > 0) return 'tooLong';
    if (waiting.length >= kWaiting || characters > kWaitingCharacters) return 'tooMuch';
    const time = new Date().toISOString();
    const entry = { kind: 'message', from: 'visitor', id: newId(), text, time, state: 'waiting' };
    this.#add(entry);
    this.save();
    return entry;
  }

  /// By how many bytes the text is longer than the daemon takes.
  excess(text) {
    return text.length * 3 <= this.#maxText ? 0 : new TextEncoder().encode(text).length - this.#maxText;
  }

  /// Hands the frames of all texts that wait to `send`, which is a connection that is open.
  /// Without `again`, only those that it was not given yet.
  flush(send, again) {
    const due = this.entries.filter((entry) => entry.state === 'waiting' && (again || !entry.sent));
    for (const entry of due) entry.sent = true;
    // Before they leave: a page that comes back has to know that they may have arrived.
    if (due.length > 0) this.save();
    for (const { id, text } of due) send({ type: 'say', id, text });
  }

  /// The session goes on or, after what has gone before, is a new one.
  welcome({ resume, resumed, max_text }) {
    if (!resumed) {
      this.#seen = this.#shownBefore = 0;
      this.#hooks.held(null);
      this.#pass();
    }
    this.#token = typeof resume === 'string' ? resume : null;
    if (max_text > 0) this.#maxText = max_text;
    this.#hooks.held(this.#token);
    this.save();
  }

  /// The session goes on in another tab, by this token.
  moved(token) {
    this.#token = token;
    this.save();
  }

  /// The entry, if it is news from somebody else.
  message({ seq, time, from, name, text, id }) {
    if (!Number.isSafeInteger(seq) || typeof text !== 'string') return null;
    if (seq <= this.#shownBefore || this.#shown.has(seq)) return null;
    this.#see(seq);
    const own = from === 'visitor';
    if (own && typeof id === 'string' && this.#settle(id, { state: 'taken', seq, time })) return null;
    const entry = { kind: 'message', from: own || from === 'desk' ? from : 'operator', text, time, seq };
    if (own) Object.assign(entry, { id, state: 'taken' });
    else if (typeof name === 'string' && name) entry.name = name;
    this.#add(entry);
    this.#saveSoon();
    return own ? null : entry;
  }

  taken({ id, seq, time }) {
    if (Number.isSafeInteger(seq)) this.#see(seq);
    this.#settle(id, { state: 'taken', seq, time });
  }

  refused({ id, reason }) {
    this.#settle(id, { state: 'refused', reason: String(reason ?? '') });
  }

  /// The connection was closed because of a text: the first that was given to it.
  tooLong() {
    const first = this.entries.find((entry) => entry.state === 'waiting' && entry.sent);
    if (first) this.refused({ id: first.id, reason: 'too long' });
  }

  bye() {
    this.#over = true;
    this.#token = null;
    for (const entry of this.entries) this.#giveUp(entry);
    this.#hooks.held(null);
    this.save();
  }

  /// Takes an entry that did not arrive away; gives its text.
  take(entry) {
    this.entries.splice(this.entries.indexOf(entry), 1);
    this.#hooks.removed(entry);
    this.save();
    return entry.text;
  }

  /// No more than so many of the oldest are shown, or kept.
  forgetBefore(most) {
    while (this.entries.length > most && this.entries[0].state !== 'waiting') {
      this.#hooks.removed(this.entries.shift());
    }
  }

  save() {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    const { entries, unread } = this;
    this.#memory.save({ token: this.#token, seen: this.#seen, over: this.#over, unread, entries });
  }

  // What comes in a burst is written once. A page that dies before has not said that it
  // has seen it, and is told again.
  #saveSoon() {
    this.#saving ??= setTimeout(() => this.save(), 100);
  }

  #add(entry) {
    this.entries.push(entry);
    this.#hooks.added(entry);
  }

  #see(seq) {
    this.#shown.add(seq);
    this.#seen = Math.max(this.#seen, seq);
  }

  // Whether there is a text of this id.
  #settle(id, { time, ...what }) {
    const entry = this.entries.findLast((one) => one.id === id && one.from === 'visitor');
    if (!entry) return false;
    Object.assign(entry, what, typeof time === 'string' && { time });
    this.#hooks.changed(entry);
    this.#saveSoon();
    return true;
  }

  // What is there is of a session that is over. What it may have taken is not said again by
  // itself, or it might be read twice; what never left is said in the new one.
  #pass() {
    for (const entry of this.entries) if (entry.sent) this.#giveUp(entry);
    const waiting = this.entries.filter((entry) => entry.state === 'waiting');
    const past = this.entries.filter((entry) => entry.state !== 'waiting');
    if (past.length === 0 || past.at(-1).kind === 'past') return;
    for (const entry of waiting) this.#hooks.removed(entry);
    this.entries = past;
    for (const entry of [{ kind: 'past' }, ...waiting]) this.#add(entry);
  }

  #giveUp(entry) {
    if (entry.state !== 'waiting') return;
    entry.state = 'unsure';
    this.#hooks.changed(entry);
  }
}

// crypto.randomUUID() is for secure contexts alone, and a page by http is none.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
