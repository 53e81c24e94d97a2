// What the page remembers in this tab over a reload: the session, what was said, the
// draft. Everything works without it, too, where the browser denies storage.

const kState = 'chatd.state';
const kDraft = 'chatd.draft';
const kLeft = 'chatd.left';
const kSound = 'chatd.sound';

// What is kept of what was said; what has not been sent is kept in any case.
const kEntries = 200;
const kCharacters = 256 * 1024;

export class Memory {
  #tab = storage('sessionStorage');
  #browser = storage('localStorage');
  /// Whether another page has gone on in this tab, and what this one knows is not to be kept.
  isOld = false;

  /// What save() kept: {token, seen, over, unread, entries}, with nothing if there is nothing.
  load() {
    const kept = parse(read(this.#tab, kState));
    return {
      token: typeof kept.token === 'string' ? kept.token : null,
      seen: Number.isSafeInteger(kept.seen) ? kept.seen : 0,
      over: kept.over === true,
      unread: Number.isSafeInteger(kept.unread) ? kept.unread : 0,
      entries: Array.isArray(kept.entries) ? kept.entries.filter((entry) => entry && typeof entry === 'object') : [],
    };
  }

  /// One write, so that `seen` and the entries always belong together. If the browser has
  /// less room than we use, the oldest goes first.
  save(state) {
    if (this.isOld) return;
    for (const share of [1, 0.25, 0]) {
      const entries = bounded(state.entries, kEntries * share, kCharacters * share);
      if (write(this.#tab, kState, JSON.stringify({ ...state, entries }))) return;
    }
  }

  get draft() { return read(this.#tab, kDraft) ?? ''; }
  set draft(text) { write(this.#tab, kDraft, text); }

  /// Whether the tab's last page was left in order, and so nobody else goes on with its
  /// session. (A tab that is duplicated takes a copy of a page that was not left.)
  get left() { return read(this.#tab, kLeft) === 'yes'; }
  set left(yes) { write(this.#tab, kLeft, yes ? 'yes' : 'no'); }

  /// true, false, or null if the visitor never chose.
  get sound() { return { on: true, off: false }[read(this.#browser, kSound)] ?? null; }
  set sound(on) { write(this.#browser, kSound, on ? 'on' : 'off'); }
}

function bounded(entries, most, room) {
  const kept = [];
  for (const entry of [...entries].reverse()) {
    room -= (entry.text?.length ?? 0) + 100;
    --most;
    if ((most >= 0 && room >= 0) || entry.state === 'waiting') kept.push(entry);
  }
  return kept.reverse();
}

// Where storage is denied, even asking for it throws.
function storage(name) {
  try { return window[name]; } catch { return null; }
}

function read(place, key) {
  try { return place?.getItem(key) ?? null; } catch { return null; }
}

function write(place, key, value) {
  try { place?.setItem(key, value); return true; } catch { return false; }
}

function parse(text) {
  try { return Object(JSON.parse(text)); } catch { return {}; }
}
