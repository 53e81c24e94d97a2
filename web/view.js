// The list of what was said, as elements. Everything that somebody wrote becomes text
// nodes and nothing else.

import { pieces } from './links.js';

export class View {
  #list;
  #say;
  #edit;
  #clock; #day; #full;
  #elements = new Map();
  #lastDay = new Date().toDateString();

  /// `say(name, values)` gives a text; `edit(entry)` is called when the visitor takes a text
  /// that did not arrive back.
  constructor(list, language, say, edit) {
    this.#list = list;
    this.#say = say;
    this.#edit = edit;
    this.#clock = dates(language, { timeStyle: 'short' });
    this.#day = dates(language, { dateStyle: 'full' });
    this.#full = dates(language, { dateStyle: 'full', timeStyle: 'medium' });
  }

  add(entry) {
    const day = entry.time && new Date(entry.time);
    if (day > 0 && day.toDateString() !== this.#lastDay) {
      this.#lastDay = day.toDateString();
      this.#list.append(make('p', 'line day', this.#day.format(day)));
    }
    const element = entry.kind === 'past' ? make('p', 'line', this.#say('past')) : this.#message(entry);
    this.#elements.set(entry, element);
    this.#list.append(element);
  }

  change(entry) {
    const old = this.#elements.get(entry);
    if (!old) return;
    // All else stays the same nodes: the text may be selected, and nothing is read out twice.
    this.#stamp(old.querySelector('time'), entry.time);
    old.querySelector('.fate').replaceWith(this.#fate(entry));
    old.dataset.state = entry.state;
  }

  remove(entry) {
    const element = this.#elements.get(entry);
    this.#elements.delete(entry);
    // The line of a day goes with its last message; under the last line more may come.
    const day = element?.previousElementSibling;
    if (day?.matches('.day') && element.nextElementSibling?.matches('.day')) day.remove();
    element?.remove();
  }

  #message(entry) {
    const element = make('div', `message ${entry.from}`);
    if (entry.state) element.dataset.state = entry.state;
    const text = make('p', 'text');
    text.dir = 'auto';
    text.append(...pieces(String(entry.text)).map((piece) => (piece.href ? link(piece) : piece)));
    element.append(this.#head(entry), text);
    return element;
  }

  // Who, when, and what has become of it.
  #head(entry) {
    const head = make('p', 'head');
    const who = entry.name ?? this.#say(entry.from === 'visitor' ? 'you' : entry.from);
    const time = make('time');
    this.#stamp(time, entry.time);
    head.append(make('bdi', 'name', who), ' ', time, ' ');
    if (entry.state) head.append(this.#fate(entry));
    return head;
  }

  #stamp(element, time) {
    const date = new Date(time);
    if (!(date > 0)) return;
    const text = this.#clock.format(date);
    if (element.textContent !== text) element.textContent = text;
    element.dateTime = date.toISOString();
    element.title = this.#full.format(date);
  }

  #fate(entry) {
    const fate = make('span', 'fate');
    fate.append(make('span', 'mark', this.#mark(entry)));
    if (entry.state === 'refused' || entry.state === 'unsure') {
      const button = make('button', '', this.#say('edit'));
      button.type = 'button';
      button.addEventListener('click', () => this.#edit(entry));
      fate.append(' ', button);
    } else {
      // That all went well is there to be read, but not said aloud each time.
      fate.setAttribute('aria-live', 'off');
    }
    return fate;
  }

  #mark({ state, reason }) {
    const known = { 'too long': 'tooLongReason', 'too much at once': 'tooMuchReason' };
    return this.#say(state, { reason: known[reason] ? this.#say(known[reason]) : reason });
  }
}

// The configuration may name a language that the browser takes for no tag of one.
function dates(language, style) {
  try { return new Intl.DateTimeFormat(language, style); } catch { return new Intl.DateTimeFormat([], style); }
}

function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function link({ text, href }) {
  const element = make('a', '', text);
  element.href = href;
  element.rel = 'noopener nofollow';
  element.target = '_blank';
  return element;
}
